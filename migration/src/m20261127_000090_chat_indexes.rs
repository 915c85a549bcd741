//! Indexes for what a page of a room reads: its main column, a thread, a day. Those of threads and days
//! take the place of older ones; messages that are in no thread are in no index of threads.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Name, and what it is on.
type Made = (&'static str, &'static str);

const NEW: [Made; 3] = [
    ("ix_message_room_id_created_at_seq", "message (room_id, created_at, seq)"),
    ("ix_message_roots", "message (room_id, seq) WHERE thread_id IS NULL"),
    ("ix_message_threads", "message (thread_id, seq) WHERE thread_id IS NOT NULL"),
];
const OLD: [Made; 2] = [
    ("ix_message_thread_id_seq", "message (thread_id, seq)"),
    ("ix_message_room_id_created_at", "message (room_id, created_at)"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, &OLD, &NEW).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, &NEW, &OLD).await
    }
}

async fn replace(manager: &SchemaManager<'_>, old: &[Made], new: &[Made]) -> Result<(), DbErr> {
    let db = manager.get_connection();
    for (name, _) in old {
        db.execute_unprepared(&format!("DROP INDEX {name}")).await?;
    }
    for (name, on) in new {
        db.execute_unprepared(&format!("CREATE INDEX {name} ON {on}")).await?;
    }
    Ok(())
}
