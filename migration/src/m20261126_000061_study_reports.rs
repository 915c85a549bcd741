//! Reports of case studies, and studies that moderators have hidden.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "ALTER TABLE report ADD COLUMN study_id bigint REFERENCES case_study (id)").await?;
        run(manager, "CREATE INDEX ix_report_study_id ON report (study_id)").await?;
        run(manager, "ALTER TABLE case_study ADD COLUMN hidden_at bigint").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "ALTER TABLE case_study DROP COLUMN hidden_at").await?;
        run(manager, "DROP INDEX ix_report_study_id").await?;
        // Nothing else says what they are about.
        run(manager, "DELETE FROM report WHERE study_id IS NOT NULL").await?;
        run(manager, "ALTER TABLE report DROP COLUMN study_id").await
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(|_| ())
}
