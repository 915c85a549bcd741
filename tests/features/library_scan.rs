//! The virus scanner: a real clamd with a signature of our own.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::library::{file, send_file};
use crate::features::library_files::kept;
use crate::features::people_files::{picture, upload};
use crate::support::hub::run_with;
use crate::support::nodes::until;
use crate::support::port::Port;
use crate::support::program::Folder;
use crate::support::stage::{done, id};
use crate::support::{Client, Db, TestHub};

const CLAMD: &str = "/usr/sbin/clamd";
/// What our signature finds.
const BAD: &[u8] = b"A harmless line that the test's own signature calls xyzzy-plugh-sample.";

/// A scanner; killed when dropped.
struct Scanner {
    child: Child,
    folder: Folder,
}

impl Drop for Scanner {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Scanner {
    fn start(port: &Port) -> Self {
        let address = port.address();
        let port = port.number;
        let folder = Folder::new();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("db")).unwrap();
        let pattern: String = b"xyzzy-plugh-sample".iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(at("db/test.ndb"), format!("Praxis.Test.Sample:0:*:{pattern}\n")).unwrap();
        let config = format!(
            "Foreground yes\nDatabaseDirectory {}\nTCPSocket {port}\nTCPAddr 127.0.0.1\nLogFile {}\nTemporaryDirectory {}\nMaxThreads 2\nStreamMaxLength 1M\n",
            at("db").display(),
            at("log").display(),
            folder.path().display()
        );
        std::fs::File::create(at("clamd.conf")).unwrap().write_all(config.as_bytes()).unwrap();
        let child = Command::new(CLAMD)
            .arg(format!("--config-file={}", at("clamd.conf").display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let scanner = Self { child, folder };
        let until = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(&address).is_err() {
            let log = std::fs::read_to_string(scanner.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "clamd does not come up: {log}");
            std::thread::sleep(Duration::from_millis(5));
        }
        scanner
    }
}

async fn scan_of(who: &crate::support::Client, at: &str) -> String {
    done(&who.get(at).await)["current"]["file"]["scan"].as_str().unwrap().to_owned()
}

#[test]
fn a_file_is_held_until_it_is_clean_and_an_infected_one_goes() {
    scanned(Db::Sqlite);
}

#[test]
fn a_file_is_held_until_it_is_clean_and_an_infected_one_goes_on_postgres() {
    scanned(Db::Postgres);
}

fn scanned(db: Db) {
    if !Path::new(CLAMD).exists() {
        crate::support::not_run("the virus scanner (clamd is not installed)");
        return;
    }
    let port = Port::hold();
    run_with(db, "scanner", &[("clamd", &port.address())], async |hub| journey(hub, &port).await);
}

async fn journey(hub: &TestHub, port: &Port) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "open").await;
    let ready = async || hub.visitor().get("/readyz").await;
    // It is away: what comes is held, and said to be.
    assert_eq!((ready().await.status, &ready().await.json()["components"]["scanner"]["state"]), (200, &json!("down")));
    let made = file(&bea, &space, "good.txt", b"Pumps on wards.").await;
    let at = format!("/api/v1/resources/{}", id(&made));
    hub.settle().await;
    assert_eq!(scan_of(&bea, &at).await, "waiting");
    assert_eq!(bea.get(&format!("{at}/content")).await.status, 409);
    let page = bea.page(&format!("/resources/{}", id(&made))).await;
    assert_eq!(page.status, 200);
    assert!(
        done(&bea.get(&format!("{at}/preview")).await)["items"].as_array().unwrap().is_empty(),
        "nothing of it is read"
    );
    let metrics = hub.visitor().get("/metrics").await.text;
    assert!(metrics.contains("praxis_library_scans_waiting 1") && metrics.contains("praxis_scanner_up 0"), "{metrics}");

    let scanner = Scanner::start(port);
    until("it is seen", async || ready().await.json()["components"]["scanner"]["state"] == "ok").await;
    hub.clock.advance(3 * 60_000_000);
    until("it is scanned once the scanner is there", async || scan_of(&bea, &at).await == "clean").await;
    hub.settle().await;
    assert_eq!(bea.get(&format!("{at}/content")).await.text, "Pumps on wards.");
    assert_eq!(done(&bea.get(&at).await)["current"]["file"]["text"], "done");

    let bad = file(&bea, &space, "bad.txt", BAD).await;
    let path = format!("/api/v1/resources/{}", id(&bad));
    hub.settle().await;
    assert_eq!(scan_of(&bea, &path).await, "infected");
    assert_eq!(bea.get(&format!("{path}/content")).await.status, 404);
    assert_eq!(kept(hub), 1, "its bytes are gone");
    let notices = done(&bea.get("/api/v1/notices").await);
    assert_eq!((&notices["items"][0]["kind"], &notices["items"][0]["title"]), (&json!("infected"), &json!("bad")));
    let again = send_file(&ada, &format!("/api/v1/spaces/{space}/resources"), "other.txt", BAD, &[]).await;
    assert_eq!((again.status, &again.json()["errors"][0]["field"]), (422, &json!("file")), "it is known by now");
    assert_eq!(kept(hub), 1);

    // What is too large for it is held for good, said to be, and not sent again.
    let large = file(&bea, &space, "large.txt", &b"Many words of no harm. ".repeat(100_000)).await;
    let path = format!("/api/v1/resources/{}", id(&large));
    // It may hang up before it can say why: then it is asked three times.
    hub.expect_failing_jobs();
    for _ in 0..3 {
        hub.settle().await;
        hub.clock.advance(30_000_000);
    }
    until("it is given up", async || scan_of(&bea, &path).await == "unscannable").await;
    hub.settle().await;
    assert_eq!(bea.get(&format!("{path}/content")).await.status, 409);
    let notices = done(&bea.get("/api/v1/notices").await);
    assert_eq!((&notices["items"][0]["kind"], &notices["items"][0]["title"]), (&json!("unscannable"), &json!("large")));
    assert!(bea.page(&format!("/resources/{}", id(&large))).await.text.contains("does not take it"));
    hub.clock.advance(3 * 60_000_000);
    praxis_server::features::library::requeue_waiting(hub.state()).await.unwrap();
    let jobs = praxis_server::store::Sql::new("SELECT count(*) AS n FROM job WHERE kind = 'library.scan'");
    assert_eq!(jobs.number(hub.state().store.read()).await.unwrap(), 0);
    drop(scanner);
}

#[test]
fn a_file_for_a_text_is_taken_once_it_is_clean() {
    if !Path::new(CLAMD).exists() {
        crate::support::not_run("the virus scanner (clamd is not installed)");
        return;
    }
    let port = Port::hold();
    let settings = [("clamd", &*port.address())];
    run_with(Db::Sqlite, "scanned attachments", &settings, async |hub| attachments(hub, &port).await);
}

async fn attachments(hub: &TestHub, port: &Port) {
    let bea = hub.member("bea").await;
    let rows = async || {
        let sql = praxis_server::store::Sql::new("SELECT count(*) AS n FROM file");
        sql.number(hub.state().store.read()).await.unwrap()
    };
    let away = upload(&bea, "good.txt", b"Pumps on wards.".to_vec()).await;
    assert_eq!((away.status, away.header("retry-after"), rows().await), (503, "30", 0), "{}", away.text);

    let _scanner = Scanner::start(port);
    let good = upload(&bea, "good.txt", b"Pumps on wards.".to_vec()).await;
    assert_eq!(good.status, 201, "{}", good.text);
    let picture = picture(40, 40, image::ImageFormat::Png);
    assert_eq!(upload(&bea, "plan.png", picture).await.status, 201);
    let bad = upload(&bea, "bad.txt", BAD.to_vec()).await;
    assert_eq!((bad.status, &bad.json()["errors"][0]["field"]), (422, &json!("file")), "{}", bad.text);
    let large = upload(&bea, "large.txt", b"Many words of no harm. ".repeat(100_000)).await;
    assert_eq!((large.status, large.text.contains("scanner")), (413, true), "{}", large.text);

    // The same by a form, which says why.
    let browser = Client::sign_in(&hub.base, "bea").await;
    let csrf = browser.page("/upload").await.csrf();
    let file = reqwest::multipart::Part::bytes(BAD.to_vec()).file_name("bad.txt");
    let form = reqwest::multipart::Form::new().text("_csrf", csrf).part("file", file);
    let sent = browser.request("POST", "/upload").header("Origin", &hub.base).header("Accept", "text/html");
    let page = browser.send(sent.multipart(form)).await;
    assert_eq!((page.status, page.text.contains("The virus scanner refused this file.")), (422, true), "{}", page.text);
    let uploads = std::fs::read_dir(hub.data_dir.join("uploads/file")).unwrap().count();
    assert_eq!((rows().await, uploads), (2, 2), "nothing of what was refused is kept");
}

#[test]
fn what_came_before_the_scanner_is_scanned_when_it_is_shared_again() {
    if !Path::new(CLAMD).exists() {
        crate::support::not_run("the virus scanner (clamd is not installed)");
        return;
    }
    let port = Port::hold();
    run_with(Db::Sqlite, "scanner set later", &[("clamd", &port.address())], async |hub| {
        let _scanner = Scanner::start(&port);
        let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
        let space = hub.space(&ada, "open").await;
        let first = file(&ada, &space, "first.txt", b"From before.").await;
        hub.settle().await;
        let at = format!("/api/v1/resources/{}", id(&first));
        let text = "UPDATE stored_file SET scan_state = 'off'";
        let before = hub.state().store.write(async move |tx| {
            praxis_server::store::Sql::new(text).run(tx.conn()).await?;
            Ok(())
        });
        before.await.unwrap();
        assert_eq!(scan_of(&ada, &at).await, "off");
        file(&bea, &space, "second.txt", b"From before.").await;
        until("it is scanned", async || scan_of(&ada, &at).await == "clean").await;
        hub.settle().await;
    });
}
