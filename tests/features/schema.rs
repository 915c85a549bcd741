//! The schema goes up, down and up again, and is the same afterwards, on both databases.

use std::collections::{BTreeMap, BTreeSet};

use praxis_migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::support::program::Folder;
use crate::support::{TestHub, hub_test};

/// Every column and index, as lines.
async fn shape(db: &DatabaseConnection) -> BTreeSet<String> {
    let queries: &[&str] = match db.get_database_backend() {
        DbBackend::Sqlite => &[
            "SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" AS line \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
            "SELECT name || ' ' || coalesce(sql, '') AS line FROM sqlite_master WHERE type = 'index'",
        ],
        _ => &[
            "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line \
             FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT indexdef AS line FROM pg_indexes WHERE schemaname = 'public'",
        ],
    };
    let mut lines = BTreeSet::new();
    for query in queries {
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), *query)).await.unwrap();
        lines.extend(rows.into_iter().map(|row| row.try_get::<String>("", "line").unwrap()));
    }
    lines
}

/// A database of a test's own beside the hub's; its name where it has to be removed.
async fn beside(hub: &TestHub, folder: &Folder) -> (DatabaseConnection, Option<String>) {
    let (url, name) = match hub.settings.get("database_url") {
        None => (format!("sqlite://{}?mode=rwc", folder.path().join("schema.db").display()), None),
        Some(url) => {
            let (server, name) = url.rsplit_once('/').unwrap();
            let name = format!("{name}_schema");
            hub.state().store.read().execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
            (format!("{server}/{name}"), Some(name))
        }
    };
    (sea_orm::Database::connect(&url).await.unwrap(), name)
}

async fn remove(hub: &TestHub, db: DatabaseConnection, name: Option<String>) {
    db.close().await.unwrap();
    if let Some(name) = name {
        hub.state().store.read().execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
    }
}

hub_test!(async fn the_schema_goes_up_and_down_and_up_again(hub) {
    let folder = Folder::new();
    let (db, name) = beside(hub, &folder).await;
    Migrator::up(&db, None).await.unwrap();
    let first = shape(&db).await;
    assert!(first.iter().any(|line| line.starts_with("post.body ")), "{first:?}");
    Migrator::down(&db, None).await.unwrap();
    let nothing: Vec<String> =
        shape(&db).await.into_iter().filter(|line| !line.contains("seaql_migrations") && !line.contains("sqlite_")).collect();
    assert_eq!(nothing, Vec::<String>::new());
    Migrator::up(&db, None).await.unwrap();
    assert_eq!(shape(&db).await, first);
    remove(hub, db, name).await;
});

/// Columns by table and name: type, whether it takes NULL, and whether a row may leave it out.
async fn columns(db: &DatabaseConnection) -> BTreeMap<(String, String), (String, bool, bool)> {
    let query = match db.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT m.name AS of_table, c.name AS name, c.type AS kind, c.\"notnull\" = 0 AS takes_null, \
             c.\"notnull\" = 0 OR c.dflt_value IS NOT NULL AS left_out \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
        }
        _ => {
            "SELECT table_name::text AS of_table, column_name::text AS name, data_type::text AS kind, \
             is_nullable = 'YES' AS takes_null, \
             is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES' AS left_out \
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), query)).await.unwrap();
    let column = |row: &sea_orm::QueryResult| {
        let text = |name: &str| row.try_get::<String>("", name).unwrap();
        let flag = |name: &str| row.try_get::<bool>("", name).unwrap();
        ((text("of_table"), text("name")), (text("kind"), flag("takes_null"), flag("left_out")))
    };
    rows.iter().map(column).collect()
}

/// Later steps run beside nodes of the release before (decision 014).
const FIRST_RELEASE: &str = "m20261126_000070_lists";
/// What a later step may take away, as no release that may still run uses it: `table.column`, with the
/// release that used it last.
const NO_LONGER_USED: [(&str, &str); 0] = [];

hub_test!(async fn a_later_step_takes_nothing_from_the_release_before(hub) {
    let folder = Folder::new();
    let (db, name) = beside(hub, &folder).await;
    let steps: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    let first = steps.iter().position(|step| step == FIRST_RELEASE).expect("the steps of the first release stay") + 1;
    Migrator::up(&db, u32::try_from(first).ok()).await.unwrap();
    let mut before = columns(&db).await;
    assert!(before.len() > 200, "{before:?}");
    for step in &steps[first..] {
        Migrator::up(&db, Some(1)).await.unwrap();
        let after = columns(&db).await;
        for ((table, column), (kind, takes_null, _)) in &before {
            let there = after.get(&(table.clone(), column.clone())).map(|(kind, takes_null, _)| (kind, takes_null));
            let gone = there.is_none() && NO_LONGER_USED.iter().any(|(name, _)| *name == format!("{table}.{column}"));
            assert!(gone || there == Some((kind, takes_null)), "{step} changes {table}.{column}: {there:?}");
        }
        for ((table, column), (_, _, left_out)) in &after {
            let is_new = !before.contains_key(&(table.clone(), column.clone()));
            let was_there = before.keys().any(|(name, _)| name == table);
            assert!(!is_new || !was_there || *left_out, "{step}: who does not know {table}.{column} cannot write");
        }
        before = after;
    }
    remove(hub, db, name).await;
});
