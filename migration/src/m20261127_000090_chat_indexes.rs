//! Indexes for what a page of a room reads: its main column, and a day. Threads have one already. The index
//! of days without an order within a moment is the release before's, and stays for it until the next one.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Name, and what it is on.
const NEW: [(&str, &str); 2] = [
    ("ix_message_room_id_created_at_seq", "message (room_id, created_at, seq)"),
    ("ix_message_roots", "message (room_id, seq) WHERE thread_id IS NULL"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, on) in NEW {
            manager.get_connection().execute_unprepared(&format!("CREATE INDEX {name} ON {on}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in NEW {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        Ok(())
    }
}
