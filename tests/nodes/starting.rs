//! What stops a node from starting: one line that names the setting, the cause and the mend, exit
//! code 2, and nothing half done. What is only away for now does not stop it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::engines::Redis;
use crate::support::port::Port;
use crate::support::program::{Folder, Served, run};

/// Starts the program, which refuses: its line.
fn refused(settings: &[(&str, &str)]) -> String {
    let folder = Folder::new();
    let mut all = vec![("BIND", "127.0.0.1:0")];
    all.extend(settings);
    let started = Instant::now();
    let ended = run(folder.path(), &[], &all);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!((ended.err.lines().count(), ended.out.as_str()), (1, ""), "{ended:?}");
    assert!(!ended.err.contains("panicked") && !ended.err.contains("secret-word"), "{ended:?}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a refused start writes nothing");
    ended.err
}

/// Somebody who takes connections and answers each with the same, as long as the tests run.
pub(super) fn impostor(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut stream = stream;
                let _some = stream.read(&mut [0; 512]);
                let _said = stream.write_all(answer);
                // An answer of nothing is one that never comes.
                if answer.is_empty() {
                    std::thread::park_timeout(Duration::from_secs(30));
                }
            });
        }
    });
    port
}

/// Somebody who takes connections, listens for a moment and hangs up.
fn hanging_up() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _some = stream.read(&mut [0; 8]);
        }
    });
    port
}

#[test]
fn a_postgres_that_is_not_what_it_should_be_stops_the_start() {
    let (nobody, web, silent) = (Port::hold(), impostor(b"HTTP/1.1 400 Bad Request\r\n\r\n"), impostor(b""));
    let at = |port: u16| format!("postgres://praxis:secret-word@127.0.0.1:{port}/praxis");
    let line = refused(&[("DATABASE_URL", &at(nobody.number))]);
    let at_nobody = nobody.address();
    assert!(
        line.starts_with(&format!("praxis: PRAXIS_DATABASE_URL: cannot reach PostgreSQL at {at_nobody} (")),
        "{line}"
    );
    let line = refused(&[("DATABASE_URL", &at(web))]);
    assert!(line.contains("does not speak as PostgreSQL does; correct host and port"), "{line}");
    let line = refused(&[("DATABASE_URL", &at(silent))]);
    assert!(line.contains("does not answer within 5 s; check host, port and the network between"), "{line}");
    let line = refused(&[("DATABASE_URL", "postgres://praxis@no-such-host.invalid/praxis")]);
    assert!(line.contains("cannot reach PostgreSQL at no-such-host.invalid:5432"), "{line}");
    // PostgreSQL 12 as it greets: signed in, its version, ready.
    let old =
        impostor(b"R\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x00\x19server_version\x0012.22\x00Z\x00\x00\x00\x05I");
    let line = refused(&[("DATABASE_URL", &format!("{}?sslmode=disable", at(old)))]);
    assert!(
        line.contains("PostgreSQL 13 or newer is needed, and 127.0.0.1:") && line.contains(" runs 12.22; upgrade it"),
        "{line}"
    );
}

#[test]
fn a_file_in_a_directory_that_is_not_there_stops_the_start() {
    let line = refused(&[("DATABASE_URL", "sqlite://missing/praxis.db")]);
    let said = "praxis: PRAXIS_DATABASE_URL: there is no directory missing; make it, or correct the path\n";
    assert_eq!(line, said);
    let folder = Folder::new();
    // The data directory is made.
    for arguments in [["migrate", "up"], ["migrate", "status"]] {
        let ended = run(folder.path(), &arguments, &[("DATABASE_URL", "sqlite://./data/praxis.db")]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

#[test]
fn a_postgres_that_does_not_let_us_in_stops_the_start() {
    let Ok(admin) = std::env::var("PRAXIS_TEST_POSTGRES_URL") else {
        crate::support::not_run("a test on PostgreSQL (PRAXIS_TEST_POSTGRES_URL is not set)");
        return;
    };
    let mut url = url::Url::parse(&admin).unwrap();
    url.set_path("praxis_that_nobody_made");
    let line = refused(&[("DATABASE_URL", url.as_str())]);
    assert!(line.contains("has no database 'praxis_that_nobody_made'; make it with: createdb"), "{line}");
    url.set_username("praxis_stranger").unwrap();
    let _set = url.set_password(Some("secret-word"));
    let line = refused(&[("DATABASE_URL", url.as_str())]);
    assert!(
        line.contains("refuses the user 'praxis_stranger'") && line.contains("correct user and password"),
        "{line}"
    );
}

#[test]
fn a_redis_that_is_not_what_it_should_be_stops_the_start() {
    let folder = Folder::new();
    for url in ["127.0.0.1:6379", "http://127.0.0.1:6379", "redis://", "redis://user:secret-word@:99999999"] {
        for arguments in [&["config"][..], &[]] {
            let ended = run(folder.path(), arguments, &[("REDIS_URL", url)]);
            assert_eq!((ended.code, ended.err.lines().count()), (Some(2), 1), "{url}: {ended:?}");
            assert!(
                ended.err.starts_with("praxis: PRAXIS_REDIS_URL: ") && ended.err.contains("write it like"),
                "{ended:?}"
            );
            assert!(!ended.err.contains("secret-word"), "{ended:?}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a refused start writes nothing");
    let web = impostor(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let line = refused(&[("REDIS_URL", &format!("redis://127.0.0.1:{web}"))]);
    assert!(line.contains("does not speak as Redis does; correct host and port"), "{line}");
    let line = refused(&[("REDIS_URL", &format!("redis://127.0.0.1:{}", hanging_up()))]);
    assert!(line.contains("does not speak as Redis does (") && line.contains("correct host and port"), "{line}");
    let full = impostor(b"-ERR max number of clients reached\r\n");
    let line = refused(&[("REDIS_URL", &format!("redis://127.0.0.1:{full}"))]);
    assert!(line.contains("ERR max number of clients reached); mend that there"), "{line}");
    let old = impostor(
        b"-ERR unknown command `HELLO`, with args beginning with: `3`\r\n-ERR unknown subcommand\r\n-ERR unknown \
          subcommand\r\n-ERR unknown subcommand\r\n",
    );
    let line = refused(&[("REDIS_URL", &format!("redis://127.0.0.1:{old}"))]);
    assert!(line.contains("Redis 6 or newer is needed"), "{line}");
}

#[test]
fn an_address_of_redis_that_can_never_work_stops_the_start() {
    let Some(redis) = Redis::start(&[]) else { return };
    let line = refused(&[("REDIS_URL", &format!("{}/99", redis.url()))]);
    assert!(line.contains("has no such database (") && line.contains("correct the number after the last /"), "{line}");
    let line = refused(&[("REDIS_URL", &format!("rediss://127.0.0.1:{}", redis.port))]);
    assert!(line.contains("no TLS with Redis at 127.0.0.1:") && line.contains("write redis://"), "{line}");
}

#[test]
fn a_redis_that_does_not_let_us_in_stops_the_start() {
    let Some(redis) = Redis::start(&[]) else { return };
    assert!(
        redis
            .ask(&["ACL", "SETUSER", "weak", "on", ">secret-word", "~*", "+@all", "-eval", "&*"])
            .eq_ignore_ascii_case("ok")
    );
    assert!(
        redis
            .ask(&["ACL", "SETUSER", "deaf", "on", ">secret-word", "~*", "+@all", "resetchannels"])
            .eq_ignore_ascii_case("ok")
    );
    let grant = [
        "ACL",
        "SETUSER",
        "praxis",
        "on",
        ">p@ss/word",
        "~praxis:*",
        "&praxis:*",
        "+@connection",
        "+@pubsub",
        "+eval",
        "+get",
        "+set",
        "+time",
    ];
    assert!(redis.ask(&grant).eq_ignore_ascii_case("ok"));
    assert!(redis.ask(&["ACL", "SETUSER", "default", "resetpass", ">other-word"]).eq_ignore_ascii_case("ok"));
    let at = |who: &str| format!("redis://{who}127.0.0.1:{}", redis.port);
    let line = refused(&[("REDIS_URL", &at(""))]);
    assert!(line.starts_with("praxis: PRAXIS_REDIS_URL: ") && line.contains("needs a user or password"), "{line}");
    let line = refused(&[("REDIS_URL", &at("praxis:secret-word@"))]);
    assert!(line.contains("refuses user and password") && line.contains("correct them in the address"), "{line}");
    for who in ["weak", "deaf"] {
        let line = refused(&[("REDIS_URL", &at(&format!("{who}:secret-word@")))]);
        assert!(line.contains("lets this user do too little") && line.contains("grant it ~praxis:*"), "{who}: {line}");
    }
    // What is granted above is enough.
    let folder = Folder::new();
    let served = Served::start(folder.path(), &[("REDIS_URL", &at("praxis:p%40ss%2Fword@"))]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let bus = async || {
            let ready = reqwest::get(format!("{}/readyz", served.base)).await.unwrap();
            ready.json::<serde_json::Value>().await.unwrap()["components"]["bus"]["state"].clone()
        };
        crate::support::nodes::until("the bus works", async || bus().await == "connected").await;
    });
}

#[test]
fn a_redis_that_is_away_does_not_stop_the_start() {
    let (nobody, silent) = (Port::hold(), impostor(b""));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for port in [nobody.number, silent] {
            let folder = Folder::new();
            let served = Served::start(folder.path(), &[("REDIS_URL", &format!("redis://127.0.0.1:{port}"))]);
            let ready = reqwest::get(format!("{}/readyz", served.base)).await.unwrap();
            assert_eq!(ready.status(), 200);
            let bus = ready.json::<serde_json::Value>().await.unwrap()["components"]["bus"].clone();
            assert_eq!(bus["state"], "degraded", "{bus}");
            let log = served.end_for_log("TERM").await;
            let said = log.contains("the hub starts without its bus: start it, or correct host and port");
            assert!(port == silent || said, "{log}");
        }
    });
}
