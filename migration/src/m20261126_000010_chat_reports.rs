//! Reports of messages, files that profiles and pages show, and lighter indexes of messages.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Sqlite {
            rebuild_reports(manager, true).await?;
        } else {
            run(manager, "ALTER TABLE report ALTER COLUMN post_id DROP NOT NULL").await?;
            run(manager, "ALTER TABLE report ALTER COLUMN space_id DROP NOT NULL").await?;
            run(manager, "ALTER TABLE report ADD COLUMN message_id bigint REFERENCES message (id)").await?;
        }
        run(manager, "CREATE INDEX ix_report_message_id ON report (message_id)").await?;
        run(manager, "ALTER TABLE file ADD COLUMN shown_in text").await?;
        // Few messages hang in a thread or are pinned: the others need no entry.
        run(manager, "DROP INDEX ix_message_thread_id_seq").await?;
        run(manager, "CREATE INDEX ix_message_thread_id_seq ON message (thread_id, seq) WHERE thread_id IS NOT NULL")
            .await?;
        run(manager, "DROP INDEX ix_message_room_id_pinned_at").await?;
        run(
            manager,
            "CREATE INDEX ix_message_room_id_pinned_at ON message (room_id, pinned_at) WHERE pinned_at IS NOT NULL",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "DROP INDEX ix_message_room_id_pinned_at").await?;
        run(manager, "CREATE INDEX ix_message_room_id_pinned_at ON message (room_id, pinned_at)").await?;
        run(manager, "DROP INDEX ix_message_thread_id_seq").await?;
        run(manager, "CREATE INDEX ix_message_thread_id_seq ON message (thread_id, seq)").await?;
        run(manager, "ALTER TABLE file DROP COLUMN shown_in").await?;
        run(manager, "DROP INDEX ix_report_message_id").await?;
        run(manager, "DELETE FROM report WHERE post_id IS NULL").await?;
        if manager.get_database_backend() == DbBackend::Sqlite {
            rebuild_reports(manager, false).await
        } else {
            run(manager, "ALTER TABLE report DROP COLUMN message_id").await?;
            run(manager, "ALTER TABLE report ALTER COLUMN space_id SET NOT NULL").await?;
            run(manager, "ALTER TABLE report ALTER COLUMN post_id SET NOT NULL").await
        }
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(|_| ())
}

/// SQLite cannot make a column of a table nullable: the rows go into a new one. A report is of a
/// post or of a message; one of a direct message belongs to no space.
async fn rebuild_reports(manager: &SchemaManager<'_>, of_messages: bool) -> Result<(), DbErr> {
    let (optional, message) =
        if of_messages { ("", "message_id bigint REFERENCES message (id), ") } else { ("NOT NULL ", "") };
    run(
        manager,
        &format!(
            "CREATE TABLE report_new (id bigint NOT NULL PRIMARY KEY, post_id bigint {optional}REFERENCES post (id), \
             {message}space_id bigint {optional}REFERENCES space (id), \
             reporter_id bigint NOT NULL REFERENCES member (id), reason text NOT NULL, note text NOT NULL, \
             state text NOT NULL, created_at bigint NOT NULL, handled_by bigint, handled_at bigint, outcome text)"
        ),
    )
    .await?;
    let columns =
        "id, post_id, space_id, reporter_id, reason, note, state, created_at, handled_by, handled_at, outcome";
    run(manager, &format!("INSERT INTO report_new ({columns}) SELECT {columns} FROM report")).await?;
    run(manager, "DROP TABLE report").await?;
    run(manager, "ALTER TABLE report_new RENAME TO report").await?;
    for (name, of) in [
        ("ix_report_space_id_state_created_at", "space_id, state, created_at"),
        ("ix_report_state_created_at", "state, created_at"),
        ("ix_report_post_id", "post_id"),
    ] {
        run(manager, &format!("CREATE INDEX {name} ON report ({of})")).await?;
    }
    Ok(())
}
