//! Days of a room are found by the index that orders within a moment, too: the one without was kept for the
//! release before, and each message was written into it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_message_room_id_created_at").table("message").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut index = Index::create();
        index.name("ix_message_room_id_created_at").table("message").col("room_id").col("created_at");
        manager.create_index(index).await
    }
}
