//! Changing the schema: once, under a lock, never below a newer version, and never without a copy
//! of an embedded database.

use praxis_migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};

use crate::support::engines::Postgres;
use crate::support::moving::config;
use crate::support::nodes::until;
use crate::support::postgres::PostgresDatabase;
use crate::support::program::{Folder, Served, command, run};

#[test]
fn nodes_that_start_together_change_the_schema_once() {
    praxis_tests::tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(database) = PostgresDatabase::make().await else { return };
        let folder = Folder::new();
        let settings = [("DATABASE_URL", database.url.as_str()), ("LOG", "warn")];
        let start = || {
            let (path, url) = (folder.path().to_owned(), database.url.clone());
            std::thread::spawn(move || Served::start(&path, &[("DATABASE_URL", &url), ("LOG", "warn")]))
        };
        let nodes: Vec<_> = (0..4).map(|_| start()).collect();
        let nodes: Vec<Served> = nodes.into_iter().map(|node| node.join().expect("it starts")).collect();
        let db = Database::connect(&database.url).await.unwrap();
        let steps = "SELECT count(*) AS all_of_them, count(DISTINCT version) AS apart FROM seaql_migrations";
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, steps)).await.unwrap().unwrap();
        let known = i64::try_from(Migrator::migrations().len()).unwrap();
        assert_eq!((row.try_get::<i64>("", "all_of_them").unwrap(), row.try_get("", "apart").unwrap()), (known, known));
        let numbers = "SELECT value FROM setting WHERE key = 'process'";
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, numbers)).await.unwrap().unwrap();
        assert_eq!(row.try_get::<String>("", "value").unwrap(), "4", "each has a number of its own");
        // A later version was here: nobody starts below it, and those who run go on.
        db.execute_unprepared(
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_later', 0)",
        )
        .await
        .unwrap();
        let refused = run(folder.path(), &[], &[("BIND", "127.0.0.1:0"), settings[0]]);
        assert_eq!((refused.code, refused.err.lines().count(), refused.out.as_str()), (Some(2), 1, ""), "{refused:?}");
        let said = "praxis: PRAXIS_DATABASE_URL: the database was migrated by a newer version of praxis (it has \
                    m20990101_000001_later); start that version or a later one\n";
        assert_eq!(refused.err, said);
        let empty = Folder::new();
        let changing = [&["migrate", "status"][..], &["migrate", "up"], &["migrate", "down"], &["export", "x.praxis"]];
        for arguments in changing.into_iter().chain([&["reindex"][..], &["demo"], &["admin", "reset-link", "ada"], &[]])
        {
            let refused = run(empty.path(), arguments, &[("BIND", "127.0.0.1:0"), settings[0]]);
            assert_eq!((refused.code, refused.err.as_str()), (Some(2), said), "{arguments:?}");
        }
        assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "who is refused writes nothing");
        for node in nodes {
            assert_eq!(reqwest::get(format!("{}/readyz", node.base)).await.unwrap().status(), 200);
            assert!(node.end("TERM").await.success());
        }
        db.close().await.unwrap();
        database.remove().await;
    });
}

#[test]
fn nothing_is_made_of_an_embedded_hub_that_a_newer_version_migrated() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = Folder::new();
        let data = folder.path().join("data");
        assert_eq!(run(folder.path(), &["migrate", "up"], &[]).code, Some(0));
        let db = Database::connect(format!("sqlite://{}", data.join("praxis.db").display())).await.unwrap();
        db.execute_unprepared(
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_later', 0)",
        )
        .await
        .unwrap();
        db.close().await.unwrap();
        let made = [&["backup", "x.praxis"][..], &["export", "x.praxis"], &["migrate", "status"], &["reindex"], &[]];
        for arguments in made {
            let refused = run(folder.path(), arguments, &[("BIND", "127.0.0.1:0")]);
            assert_eq!((refused.code, refused.err.lines().count()), (Some(2), 1), "{arguments:?}: {refused:?}");
            assert!(
                refused.err.starts_with("praxis: PRAXIS_DATABASE_URL: the database was migrated by a newer version"),
                "{arguments:?}: {refused:?}"
            );
        }
        assert!(!data.join("secret.key").exists() && !folder.path().join("x.praxis").exists());
        let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["data"], "nothing half made is left");
    });
}

#[test]
fn an_embedded_hub_is_copied_before_its_schema_changes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = Folder::new();
        let data = folder.path().join("data");
        let path = data.join("praxis.db");
        let names = || {
            let mut names: Vec<String> = std::fs::read_dir(&data)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.contains("before"))
                .collect();
            names.sort();
            names
        };
        assert_eq!(run(folder.path(), &["migrate", "up"], &[]).code, Some(0));
        assert_eq!(names(), Vec::<String>::new(), "there was nothing to keep");
        let db = Database::connect(format!("sqlite://{}", path.display())).await.unwrap();
        db.execute_unprepared("INSERT INTO setting (key, value, updated_at) VALUES ('test.kept', 'as it was', 1)")
            .await
            .unwrap();
        db.close().await.unwrap();
        // One step back is a hub of the release before.
        assert_eq!(run(folder.path(), &["migrate", "down"], &[]).code, Some(0));
        let last = Migrator::migrations().last().unwrap().name().to_owned();
        let copies = [format!("praxis.before-{last}-goes.db"), format!("praxis.before-{last}.db")];
        assert_eq!(names(), [copies[0].as_str()], "what a step back takes away is kept");
        // A copy of that name from an earlier time is no copy of this hub.
        std::fs::write(data.join(&copies[1]), "of another time").unwrap();
        let ended = run(folder.path(), &["migrate", "up"], &[]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(names(), copies.each_ref().map(String::as_str));
        let copy = data.join(&copies[1]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let db = Database::connect(format!("sqlite://{}", copy.display())).await.unwrap();
        let ask = async |sql: &str| {
            let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
            row.map(|row| row.try_get_by_index::<String>(0).unwrap())
        };
        assert_eq!(ask("PRAGMA integrity_check").await.as_deref(), Some("ok"));
        assert_eq!(ask("SELECT value FROM setting WHERE key = 'test.kept'").await.as_deref(), Some("as it was"));
        assert_eq!(ask(&format!("SELECT version FROM seaql_migrations WHERE version = '{last}'")).await, None);
        db.close().await.unwrap();
        // What is up to date is copied no second time.
        assert_eq!(run(folder.path(), &["migrate", "up"], &[]).code, Some(0));
        assert_eq!(names().len(), 2);
    });
}

#[test]
fn a_step_that_fails_was_never_begun_and_the_copy_is_named() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = Folder::new();
        let data = folder.path().join("data");
        assert_eq!(run(folder.path(), &["migrate", "up"], &[]).code, Some(0));
        let db = Database::connect(format!("sqlite://{}", data.join("praxis.db").display())).await.unwrap();
        let names = async || {
            let all = "SELECT name FROM sqlite_master ORDER BY rowid";
            let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, all)).await.unwrap();
            rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect::<Vec<_>>()
        };
        let whole = names().await;
        // Back to before a step that makes something: some only take away.
        let made = loop {
            assert_eq!(run(folder.path(), &["migrate", "down"], &[]).code, Some(0));
            let left = names().await;
            // In the way of the last thing that the step makes: what comes before it is made first.
            if let Some(made) = whole.iter().rev().find(|name| !left.contains(name)) {
                break made;
            }
        };
        db.execute_unprepared(&format!("CREATE INDEX {made} ON member (created_at)")).await.unwrap();
        let before = names().await;
        let ended = run(folder.path(), &["migrate", "up"], &[("LOG", "warn")]);
        assert_eq!((ended.code, ended.err.lines().count()), (Some(2), 1), "{ended:?}");
        assert!(
            ended.err.contains("the database as it was is ") && ended.err.contains("praxis.before-m2"),
            "{ended:?}"
        );
        assert_eq!(names().await, before, "nothing of the step is left");
        db.execute_unprepared(&format!("DROP INDEX {made}")).await.unwrap();
        assert_eq!(run(folder.path(), &["migrate", "up"], &[]).code, Some(0));
        // Whoever changes a schema has the data directory open: a restore would pull it away.
        let here = config(&[("data_dir", &data.display().to_string())]);
        let restoring = praxis_server::app::serving::alone(&here).unwrap();
        let ended = run(folder.path(), &["migrate", "status"], &[]);
        assert!(ended.code == Some(2) && ended.err.contains("is being restored"), "{ended:?}");
        drop(restoring);
        db.close().await.unwrap();
    });
}

#[test]
fn processes_that_start_together_on_one_file_change_its_schema_once() {
    let folder = Folder::new();
    let last = Migrator::migrations().last().unwrap().name().to_owned();
    let copies = [format!("praxis.before-{last}-goes.db"), format!("praxis.before-{last}.db")];
    assert_eq!(run(folder.path(), &["migrate", "up"], &[]).code, Some(0));
    for round in 0..3 {
        assert_eq!(run(folder.path(), &["migrate", "down"], &[]).code, Some(0));
        let data = folder.path().join("data");
        // Left by a process that was killed while it made its copy.
        std::fs::write(data.join(format!("praxis.before-{last}.abc.part.db")), "half").unwrap();
        let start = |_| command(folder.path(), &["migrate", "up"], &[("LOG", "warn")]).spawn().unwrap();
        let programs: Vec<_> = (0..4).map(start).collect();
        for mut program in programs {
            assert!(program.wait().unwrap().success(), "round {round}");
        }
        let names = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.contains("before")).collect();
        names.sort();
        assert_eq!(names, copies, "one copy each way, and nothing half made");
    }
}

#[test]
fn a_step_that_waits_for_a_table_lets_others_have_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(postgres) = Postgres::start() else { return };
        let (folder, url) = (Folder::new(), postgres.url("postgres"));
        let settings = [("DATABASE_URL", url.as_str()), ("LOG", "error")];
        assert_eq!(run(folder.path(), &["migrate", "up"], &settings).code, Some(0));
        // The last step takes an index away, for which it needs the table alone.
        assert_eq!(run(folder.path(), &["migrate", "down"], &settings).code, Some(0));
        // Somebody reads everything for long, as a backup of PostgreSQL does.
        let reading = Database::connect(&url).await.unwrap();
        let held = sea_orm::TransactionTrait::begin(&reading).await.unwrap();
        let every = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        for table in postgres.ask(every).await {
            held.execute_unprepared(&format!("LOCK TABLE \"{table}\" IN ACCESS SHARE MODE")).await.unwrap();
        }
        let mut program = command(folder.path(), &["migrate", "up"], &settings).spawn().unwrap();
        let waiting = "SELECT count(*)::text FROM pg_locks WHERE NOT granted AND locktype = 'relation'";
        until("the step waits for a table", async || postgres.ask(waiting).await[0] != "0").await;
        // It steps back by itself: others come to it.
        until("the step lets others have it", async || postgres.ask(waiting).await[0] == "0").await;
        assert!(program.try_wait().unwrap().is_none(), "it has not given up");
        held.commit().await.unwrap();
        reading.close().await.unwrap();
        let ended = tokio::task::spawn_blocking(move || program.wait().unwrap());
        assert!(ended.await.unwrap().success(), "with the table free it goes on");
    });
}
