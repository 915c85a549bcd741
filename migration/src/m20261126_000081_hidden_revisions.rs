//! Up to which revision moderators hid a case study: a later one does not bring those back.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "ALTER TABLE case_study ADD COLUMN hidden_upto integer").await?;
        // Those that have come back since are known by the log of acts.
        run(
            manager,
            "UPDATE case_study SET hidden_upto = (SELECT max(r.number) FROM study_revision r \
             JOIN moderation_act t ON t.subject_id = r.study_id AND t.created_at >= r.published_at \
             WHERE r.study_id = case_study.id AND t.subject_kind = 'case_study' AND t.action = 'hide')",
        )
        .await?;
        run(manager, "UPDATE case_study SET hidden_upto = published WHERE hidden_at IS NOT NULL").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "ALTER TABLE case_study DROP COLUMN hidden_upto").await
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(|_| ())
}
