//! Indexes for what a page of a room reads: its main column, and a day, in place of one that had no order
//! within a moment. Threads have one already.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Name, and what it is on.
type Made = (&'static str, &'static str);

const NEW: [Made; 2] = [
    ("ix_message_room_id_created_at_seq", "message (room_id, created_at, seq)"),
    ("ix_message_roots", "message (room_id, seq) WHERE thread_id IS NULL"),
];
const OLD: [Made; 1] = [("ix_message_room_id_created_at", "message (room_id, created_at)")];

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
