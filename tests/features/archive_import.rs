//! Loading an archive: what is asked first, what stays behind, and who comes in between.

use praxis_migration::{Migrator, MigratorTrait as _};
use sea_orm::ConnectionTrait as _;

use crate::support::moving::{admin, done, fill, number, refused, sign_in, sqlite};
use crate::support::program::{Folder, Served, command, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_floor_of_one_log_is_none_of_another() {
    let (one, two) = (Folder::new(), Folder::new());
    admin(one.path(), "ada");
    let served = Served::start(one.path(), &[("RATE_LIMIT", "off")]);
    fill(&served).await;
    served.end("TERM").await;
    // As years of cutting the log leave it.
    let db = sqlite(&one.path().join("data/praxis.db")).await;
    let floor = "INSERT OR REPLACE INTO setting (key, value, updated_at) VALUES ('search.log_floor', '900000000', 1)";
    db.execute_unprepared(floor).await.unwrap();
    db.close().await.unwrap();
    let file = one.path().join("hub.praxis").display().to_string();
    done(one.path(), &["export", &file], &[]);
    done(two.path(), &["import", "praxis", &file], &[]);
    let db = sqlite(&two.path().join("data/praxis.db")).await;
    assert_eq!(number(&db, "SELECT count(*) FROM setting WHERE key = 'search.log_floor'").await, 0);
    db.close().await.unwrap();
    // The index is built once, and follows.
    let served = Served::start(two.path(), &[("RATE_LIMIT", "off")]);
    let (ada, _) = sign_in(&served.base, "ada").await;
    crate::support::nodes::until("what was moved is found", async || {
        let found = ada.get("/api/v1/search?q=moves").await;
        found.status == 200 && found.json()["total"].as_i64().unwrap_or(0) > 0
    })
    .await;
    served.end("TERM").await;
    let generations = std::fs::read_dir(two.path().join("data/search/node-0")).unwrap();
    let names = generations.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("gen-")).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_with_members_is_left_as_it_is() {
    let (one, two) = (Folder::new(), Folder::new());
    admin(one.path(), "ada");
    let file = one.path().join("hub.praxis").display().to_string();
    done(one.path(), &["export", &file], &[]);
    // A hub of an older schema: it is asked for members before anything of it is changed.
    admin(two.path(), "bob");
    done(two.path(), &["migrate", "down"], &[]);
    refused(&run(two.path(), &["import", "praxis", &file], &[]), "has members");
    let db = sqlite(&two.path().join("data/praxis.db")).await;
    let steps = i64::try_from(Migrator::migrations().len()).unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM seaql_migrations").await, steps - 1);
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_registers_while_an_archive_is_loaded_is_not_overwritten() {
    let (one, two) = (Folder::new(), Folder::new());
    admin(one.path(), "ada");
    let served = Served::start(one.path(), &[("RATE_LIMIT", "off")]);
    fill(&served).await;
    served.end("TERM").await;
    let file = one.path().join("hub.praxis").display().to_string();
    done(one.path(), &["export", &file], &[]);
    done(two.path(), &["migrate", "up"], &[]);
    let mut one_connection =
        sea_orm::ConnectOptions::new(format!("sqlite://{}", two.path().join("data/praxis.db").display()));
    one_connection.max_connections(1);
    let db = sea_orm::Database::connect(one_connection).await.unwrap();
    let from = one.path().join("data/praxis.db").display().to_string();
    db.execute_unprepared(&format!("ATTACH '{from}' AS other")).await.unwrap();
    // Somebody is about to register; the files of the archive are in place by then.
    db.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    db.execute_unprepared("INSERT INTO main.member SELECT * FROM other.member").await.unwrap();
    let mut program = command(two.path(), &["import", "praxis", &file], &[]);
    let mut child = program.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let uploads = two.path().join("data/uploads/file");
    while std::fs::read_dir(&uploads).map_or(true, |mut files| files.next().is_none()) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before anybody registered");
        tokio::task::yield_now().await;
    }
    db.execute_unprepared("COMMIT").await.unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(2) && said.contains("has members"), "{said}");
    db.execute_unprepared("DETACH other").await.unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM member WHERE handle = 'ada'").await, 1);
    assert_eq!(number(&db, "SELECT count(*) FROM message").await, 0);
    db.close().await.unwrap();
}
