//! The schema of Praxis, step by step. Every step works on SQLite and PostgreSQL, up and down.
//!
//! Identifiers and times are 64-bit integers, enumerations are text; nothing depends on a
//! type that only one of the two databases has.

use sea_orm_migration::prelude::*;

mod m20261122_000001_members;
mod m20261122_000002_spaces;
mod m20261122_000003_forum;
mod m20261122_000004_spine;
mod m20261122_000005_chat;
mod m20261122_000006_mends;
mod m20261126_000010_chat_reports;
mod m20261126_000040_library;
mod m20261126_000050_search_log;
mod m20261126_000051_search_saved;
mod m20261126_000060_playbooks;
mod m20261126_000061_study_reports;
mod m20261126_000070_lists;
mod m20261126_000080_files;
mod m20261126_000081_hidden_revisions;
mod m20261127_000090_chat_indexes;
mod m20261127_000100_revision_authors;
mod m20261127_000110_room_lists;
mod m20261128_000120_one_index_of_days;

pub use sea_orm_migration::{MigrationStatus, MigratorTrait};

/// The list of steps, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let steps: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(m20261122_000001_members::Migration),
            Box::new(m20261122_000002_spaces::Migration),
            Box::new(m20261122_000003_forum::Migration),
            Box::new(m20261122_000004_spine::Migration),
            Box::new(m20261122_000005_chat::Migration),
            Box::new(m20261122_000006_mends::Migration),
            Box::new(m20261126_000010_chat_reports::Migration),
            Box::new(m20261126_000040_library::Migration),
            Box::new(m20261126_000050_search_log::Migration),
            Box::new(m20261126_000051_search_saved::Migration),
            Box::new(m20261126_000060_playbooks::Migration),
            Box::new(m20261126_000061_study_reports::Migration),
            Box::new(m20261126_000070_lists::Migration),
            Box::new(m20261126_000080_files::Migration),
            Box::new(m20261126_000081_hidden_revisions::Migration),
            Box::new(m20261127_000090_chat_indexes::Migration),
            Box::new(m20261127_000100_revision_authors::Migration),
            Box::new(m20261127_000110_room_lists::Migration),
            Box::new(m20261128_000120_one_index_of_days::Migration),
        ];
        steps.into_iter().map(|step| Box::new(Whole(step)) as Box<dyn MigrationTrait>).collect()
    }
}

/// A step in one transaction with the row that says so, on SQLite too: a step that fails, or whose
/// process dies, was never begun.
struct Whole(Box<dyn MigrationTrait>);

impl MigrationName for Whole {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Whole {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// A text column that is searched by its beginning, as a range of an index: compared by bytes,
/// whatever the database's locale, as SQLite always does.
fn by_bytes(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.text().not_null();
    if manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}
