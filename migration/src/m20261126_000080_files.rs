//! Files of the library: when what is known of one became whole, and indexes for the sweeps that look
//! for keys and for files whose text waits. Kept searches: since when one could not be looked at.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "ALTER TABLE saved_search ADD COLUMN unseen_from bigint").await?;
        run(manager, "ALTER TABLE stored_file ADD COLUMN ready_at bigint").await?;
        run(manager, "CREATE INDEX ix_stored_file_storage_key ON stored_file (storage_key)").await?;
        run(manager, "CREATE INDEX ix_stored_file_text_state ON stored_file (text_state, created_at)").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "DROP INDEX ix_stored_file_text_state").await?;
        run(manager, "DROP INDEX ix_stored_file_storage_key").await?;
        run(manager, "ALTER TABLE stored_file DROP COLUMN ready_at").await?;
        run(manager, "ALTER TABLE saved_search DROP COLUMN unseen_from").await
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(|_| ())
}
