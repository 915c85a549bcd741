//! The schema goes up, down and up again, and is the same afterwards, on both databases.

use std::collections::BTreeSet;

use praxis_migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::support::hub_test;

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

hub_test!(async fn the_schema_goes_up_and_down_and_up_again(hub) {
    // A database of its own beside the hub's.
    let folder = crate::support::program::Folder::new();
    let url = match hub.settings.get("database_url") {
        None => format!("sqlite://{}?mode=rwc", folder.path().join("schema.db").display()),
        Some(url) => {
            let name = format!("{}_schema", url.rsplit('/').next().unwrap());
            hub.state().store.read().execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
            format!("{}/{name}", url.rsplit_once('/').unwrap().0)
        }
    };
    let db = sea_orm::Database::connect(&url).await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    let first = shape(&db).await;
    assert!(first.iter().any(|line| line.starts_with("post.body ")), "{first:?}");
    Migrator::down(&db, None).await.unwrap();
    let nothing: Vec<String> =
        shape(&db).await.into_iter().filter(|line| !line.contains("seaql_migrations") && !line.contains("sqlite_")).collect();
    assert_eq!(nothing, Vec::<String>::new());
    Migrator::up(&db, None).await.unwrap();
    assert_eq!(shape(&db).await, first);
    db.close().await.unwrap();
    if hub.settings.contains_key("database_url") {
        let name = format!("{}_schema", hub.settings["database_url"].rsplit('/').next().unwrap());
        hub.state().store.read().execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
    }
});
