//! The program as its operator meets it: settings, the ready line, the end.

use crate::support::port::Port;
use crate::support::program::{Ended, Folder, Served, run};

/// One line that names the setting and how to mend it, exit code 2, and nothing else.
fn refused(ended: &Ended, names: &str) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
    assert!(ended.err.starts_with("praxis: ") && ended.err.contains(names), "{ended:?}");
    assert_eq!(ended.out, "");
}

#[test]
fn a_wrong_value_stops_the_start_with_one_line() {
    let folder = Folder::new();
    for (name, value) in [
        ("BIND", "everywhere"),
        ("BASE_URL", "hub.example.org"),
        ("BASE_URL", "https://hub.example.org/path"),
        ("TRUSTED_PROXIES", "10.0.0.1,proxy"),
        ("SECRET_KEY", "short"),
        ("DATABASE_URL", "mysql://root@localhost/praxis"),
        ("DATABASE_URL", "sqlite://data/praxis.db?mode=rwc"),
        ("DATABASE_URL", "postgres://"),
        ("DATABASE_URL", "postgres://praxis@db"),
        ("DATABASE_URL", "postgres://praxis@db:port/praxis"),
        ("DATABASE_URL", "postgres://praxis@db/praxis?sslmode=sometimes"),
        ("STORAGE_URL", "ftp://files.example.org"),
        ("STORAGE_URL", "uploads"),
        ("STORAGE_URL", "s3://"),
        ("STORAGE_URL", "s3://key:secret@hub-files"),
        ("SMTP_URL", "mail.example.org"),
        ("MAIL_FROM", "nobody at all"),
        ("REGISTRATION", "maybe"),
        ("RATE_LIMIT", "sometimes"),
        ("WORKERS", "0"),
        ("WORKERS", "many"),
        ("LOG", "praxis=loud"),
        ("LOG_FORMAT", "xml"),
    ] {
        refused(&run(folder.path(), &["config"], &[(name, value)]), &format!("PRAXIS_{name}"));
        refused(&run(folder.path(), &[], &[(name, value)]), &format!("PRAXIS_{name}"));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a refused start writes nothing");
}

#[test]
fn what_is_in_force_is_printed_without_passwords() {
    let folder = Folder::new();
    let shown = |address: &str| {
        let ended = run(folder.path(), &["config"], &[("DATABASE_URL", address)]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.out.contains("hush"), "{}", ended.out);
        let line = ended.out.lines().find_map(|line| line.strip_prefix("PRAXIS_DATABASE_URL=").map(str::to_owned));
        line.unwrap()
    };
    assert_eq!(shown("postgres://ada:hush@db/praxis"), "postgres://ada:********@db/praxis");
    let behind = shown("postgres://db/praxis?user=ada&password=hush&sslmode=require");
    assert_eq!(behind, "postgres://db/praxis?user=ada&password=********&sslmode=require");
    assert_eq!(shown("postgres://db/praxis?PASSW%4FRD=hush"), "postgres://db/praxis?PASSWORD=********");
    assert_eq!(shown("postgres://ada@db/praxis?sslmode=require"), "postgres://ada@db/praxis?sslmode=require");
}

#[test]
fn a_fault_of_the_file_is_one_line_too() {
    let folder = Folder::new();
    for (text, names) in [
        ("bindd = \"127.0.0.1:0\"", "bindd"),
        ("bind = [1]", "bind"),
        ("bind = ", "praxis.toml"),
        ("workers = 0", "PRAXIS_WORKERS"),
    ] {
        std::fs::write(folder.path().join("praxis.toml"), text).unwrap();
        refused(&run(folder.path(), &["config"], &[]), names);
    }
}

#[test]
fn what_cannot_be_opened_is_said_in_one_line() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let inside = folder.path().join("file/data").display().to_string();
    refused(&run(folder.path(), &[], &[("BIND", "127.0.0.1:0"), ("DATA_DIR", &inside)]), "PRAXIS_DATA_DIR");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&run(folder.path(), &[], &[("BIND", &address)]), "PRAXIS_BIND");
    let held = Port::hold();
    let nobody = format!("postgres://praxis:hidden-password@{}/praxis", held.address());
    let ended = run(folder.path(), &[], &[("BIND", "127.0.0.1:0"), ("DATABASE_URL", &nobody)]);
    refused(&ended, "PRAXIS_DATABASE_URL");
    assert!(!ended.err.contains("hidden-password"));
}

#[test]
fn flags_go_over_the_environment_over_the_file_over_defaults() {
    let folder = Folder::new();
    let bind = |arguments: &[&str], settings: &[(&str, &str)]| {
        let ended = run(folder.path(), arguments, settings);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out.lines().find_map(|line| line.strip_prefix("PRAXIS_BIND=")).unwrap().to_owned()
    };
    assert_eq!(bind(&["config"], &[]), "127.0.0.1:8080");
    std::fs::write(folder.path().join("praxis.toml"), "bind = \"127.0.0.1:1\"").unwrap();
    assert_eq!(bind(&["config"], &[]), "127.0.0.1:1");
    assert_eq!(bind(&["config"], &[("BIND", "127.0.0.1:2")]), "127.0.0.1:2");
    assert_eq!(bind(&["config", "--bind", "127.0.0.1:3"], &[("BIND", "127.0.0.1:2")]), "127.0.0.1:3");
    assert_eq!(bind(&["config", "--set", "bind=127.0.0.1:4"], &[("BIND", "127.0.0.1:2")]), "127.0.0.1:4");
}

#[test]
fn the_configuration_is_shown_without_its_secrets() {
    let folder = Folder::new();
    let ended = run(
        folder.path(),
        &["config"],
        &[
            ("SECRET_KEY", "sesame-sesame-sesame-sesame-sesame"),
            ("METRICS_TOKEN", "sesame-metrics"),
            ("DATABASE_URL", "postgres://praxis:sesame@db.example.org/praxis"),
            ("SMTP_URL", "smtps://praxis:sesame@mail.example.org"),
        ],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.out.contains("sesame"), "{}", ended.out);
    assert!(
        ended.out.contains("PRAXIS_DATABASE_URL=postgres://praxis:********@db.example.org/praxis"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("PRAXIS_SECRET_KEY=********"), "{}", ended.out);
    for line in ended.out.lines() {
        assert!(line.starts_with("PRAXIS_") && line.contains('='), "{line}");
    }
}

async fn serves_until(signal: &str) {
    let folder = Folder::new();
    let served = Served::start(folder.path(), &[]);
    praxis_tests::tls();
    let answer = reqwest::get(format!("{}/readyz", served.base)).await.unwrap();
    assert_eq!(answer.status(), 200);
    let ended = served.end(signal).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(folder.path().join("data/praxis.db").exists());
}

#[tokio::test]
async fn it_is_ready_when_it_says_so_and_ends_on_sigterm() {
    serves_until("TERM").await;
}

#[tokio::test]
async fn it_ends_on_sigint() {
    serves_until("INT").await;
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_data() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let served = Served::start(folder.path(), &[]);
    for file in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        if name.contains("key") || name.contains("secret") {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{name}");
        }
    }
    served.end("TERM").await;
}

#[test]
fn the_schema_goes_up_and_down_by_command() {
    let folder = Folder::new();
    let status = || {
        let ended = run(folder.path(), &["migrate", "status"], &[]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let applied = ended.out.lines().filter(|line| line.ends_with("Applied")).count();
        (applied, ended.out.lines().count())
    };
    let (none, steps) = status();
    assert_eq!(none, 0);
    assert!(steps >= 4);
    assert_eq!(run(folder.path(), &["migrate"], &[]).code, Some(0));
    assert_eq!(status(), (steps, steps));
    assert_eq!(run(folder.path(), &["migrate", "down"], &[]).code, Some(0));
    assert_eq!(status(), (steps - 1, steps));
    assert_eq!(run(folder.path(), &["migrate", "up"], &[]).code, Some(0));
    assert_eq!(status(), (steps, steps));
}

/// Sends a signal and does not wait for what comes of it.
fn signal(served: &Served, name: &str) {
    let sent = std::process::Command::new("kill").args(["-s", name, &served.pid().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[tokio::test]
async fn a_hub_that_stops_is_not_ready_first_and_serves_until_that_is_seen() {
    let folder = Folder::new();
    let served = Served::start(folder.path(), &[]);
    let status =
        async |base: &str, path: &str| reqwest::get(format!("{base}{path}")).await.map(|it| it.status().as_u16());
    assert_eq!(status(&served.base, "/readyz").await.unwrap(), 200);
    signal(&served, "TERM");
    while status(&served.base, "/readyz").await.unwrap() != 503 {}
    let said = reqwest::get(format!("{}/readyz", served.base)).await.unwrap();
    assert!(said.headers().contains_key("retry-after"));
    assert_eq!(said.json::<serde_json::Value>().await.unwrap()["status"], "leaving");
    assert_eq!(status(&served.base, "/login").await.unwrap(), 200, "who comes now is served");
    let figures = reqwest::get(format!("{}/metrics", served.base)).await.unwrap().text().await.unwrap();
    assert!(figures.contains("# TYPE praxis_sockets_cut_total counter\npraxis_sockets_cut_total 0\n"), "{figures}");
    // Who asks twice is not kept waiting.
    let log = served.end_for_log("TERM").await;
    assert!(!log.contains("ERROR"), "it does as it was told: {log}");
}

#[tokio::test]
async fn a_hub_can_be_stopped_as_soon_as_it_says_that_it_listens() {
    let folder = Folder::new();
    for _round in 0..5 {
        let served = Served::start(folder.path(), &[]);
        assert!(served.end("TERM").await.success(), "an orderly end");
    }
}
