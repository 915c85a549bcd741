//! Invitations by address that moderators do not see, and ranks by the rule of `forum/policy.rs`.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut quiet = ColumnDef::new("quiet").boolean().not_null().default(false).to_owned();
        manager.alter_table(Table::alter().table("space_invite").add_column(&mut quiet).to_owned()).await?;
        run(
            manager,
            "UPDATE topic SET rank = score + CASE WHEN post_count > 10 THEN 10 ELSE post_count END \
             + CASE WHEN answer_count > 0 THEN 5 ELSE 0 END \
             + 3 * COALESCE((SELECT sum(p.endorsement_count) FROM post p \
               WHERE p.topic_id = topic.id AND p.deleted_at IS NULL), 0) \
             + (SELECT count(*) FROM reaction r WHERE r.post_id = topic.first_post_id)",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("space_invite").drop_column("quiet").to_owned()).await?;
        run(
            manager,
            "UPDATE topic SET rank = score + post_count \
             + 2 * (SELECT p.endorsement_count FROM post p WHERE p.id = topic.first_post_id) \
             + (SELECT count(*) FROM reaction r WHERE r.post_id = topic.first_post_id)",
        )
        .await
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(|_| ())
}
