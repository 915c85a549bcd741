//! Tables for rooms, messages and notices.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        room(manager).await?;
        room_member(manager).await?;
        message(manager).await?;
        message_revision(manager).await?;
        message_reaction(manager).await?;
        room_topic(manager).await?;
        member_block(manager).await?;
        notice(manager).await?;
        for (table, mut column) in [
            ("member", ColumnDef::new("availability").text().not_null().default("online").to_owned()),
            ("file", ColumnDef::new("message_id").big_integer().to_owned()),
        ] {
            manager.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await?;
        }
        index(manager, "ix_file_message_id", "file", &["message_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_file_message_id").table("file").to_owned()).await?;
        for (table, column) in [("file", "message_id"), ("member", "availability")] {
            manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await?;
        }
        for table in [
            "notice",
            "member_block",
            "room_topic",
            "message_reaction",
            "message_revision",
            "message",
            "room_member",
            "room",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

async fn index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}

async fn unique(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(name).table(table).unique();
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}

/// Where people talk: open or private in a space, or direct between the people in direct_key.
/// message_count numbers its messages and is what unread counts are made of.
async fn room(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("room")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("space_id").big_integer())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("slug").text())
        .col(ColumnDef::new("name").text().not_null())
        .col(ColumnDef::new("purpose").text().not_null())
        .col(ColumnDef::new("direct_key").text())
        .col(ColumnDef::new("message_count").big_integer().not_null())
        .col(ColumnDef::new("last_message_at").big_integer())
        .col(ColumnDef::new("archived_at").big_integer())
        .col(ColumnDef::new("created_by").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("version").integer().not_null())
        .foreign_key(ForeignKey::create().from("room", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("room", "created_by").to("member", "id"));
    manager.create_table(table).await?;
    unique(manager, "ux_room_space_id_slug", "room", &["space_id", "slug"]).await?;
    unique(manager, "ux_room_direct_key", "room", &["direct_key"]).await
}

/// Who belongs to a private or direct room, or follows an open one; how far they have read.
async fn room_member(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("room_member")
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("room_id").big_integer().not_null())
        .col(ColumnDef::new("read_seq").big_integer().not_null())
        .col(ColumnDef::new("read_count").big_integer().not_null())
        .col(ColumnDef::new("mention_count").integer().not_null())
        .col(ColumnDef::new("muted").boolean().not_null())
        .col(ColumnDef::new("favourite").boolean().not_null())
        .col(ColumnDef::new("joined_at").big_integer().not_null())
        .primary_key(Index::create().col("member_id").col("room_id"))
        .foreign_key(ForeignKey::create().from("room_member", "member_id").to("member", "id"))
        .foreign_key(ForeignKey::create().from("room_member", "room_id").to("room", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_room_member_room_id", "room_member", &["room_id", "member_id"]).await
}

/// One message. seq is that of its event in the room's stream; number counts the messages of the
/// room from 1; thread_id is the message a side thread hangs on.
async fn message(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("message")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("room_id").big_integer().not_null())
        .col(ColumnDef::new("seq").big_integer().not_null())
        .col(ColumnDef::new("number").big_integer().not_null())
        .col(ColumnDef::new("author_id").big_integer().not_null())
        .col(ColumnDef::new("client_id").text().not_null())
        .col(ColumnDef::new("body").text().not_null())
        .col(ColumnDef::new("body_html").text().not_null())
        .col(ColumnDef::new("reply_to").big_integer())
        .col(ColumnDef::new("thread_id").big_integer())
        .col(ColumnDef::new("reply_count").integer().not_null())
        .col(ColumnDef::new("last_reply_at").big_integer())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("edited_at").big_integer())
        .col(ColumnDef::new("deleted_at").big_integer())
        .col(ColumnDef::new("deleted_by").big_integer())
        .col(ColumnDef::new("pinned_at").big_integer())
        .col(ColumnDef::new("pinned_by").big_integer())
        .col(ColumnDef::new("reactions").text().not_null())
        .col(ColumnDef::new("revision_count").integer().not_null())
        .col(ColumnDef::new("version").integer().not_null())
        .foreign_key(ForeignKey::create().from("message", "room_id").to("room", "id"))
        .foreign_key(ForeignKey::create().from("message", "author_id").to("member", "id"));
    manager.create_table(table).await?;
    unique(manager, "ux_message_room_id_seq", "message", &["room_id", "seq"]).await?;
    unique(manager, "ux_message_room_author_client", "message", &["room_id", "author_id", "client_id"]).await?;
    index(manager, "ix_message_thread_id_seq", "message", &["thread_id", "seq"]).await?;
    index(manager, "ix_message_room_id_created_at", "message", &["room_id", "created_at"]).await?;
    index(manager, "ix_message_room_id_pinned_at", "message", &["room_id", "pinned_at"]).await?;
    index(manager, "ix_message_author_id_created_at", "message", &["author_id", "created_at"]).await
}

/// One saved state of a message.
async fn message_revision(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("message_revision")
        .col(ColumnDef::new("message_id").big_integer().not_null())
        .col(ColumnDef::new("number").integer().not_null())
        .col(ColumnDef::new("body").text().not_null())
        .col(ColumnDef::new("editor_id").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("message_id").col("number"))
        .foreign_key(ForeignKey::create().from("message_revision", "message_id").to("message", "id"))
        .foreign_key(ForeignKey::create().from("message_revision", "editor_id").to("member", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_message_revision_editor_id", "message_revision", &["editor_id"]).await
}

/// One member's emoji on a message.
async fn message_reaction(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("message_reaction")
        .col(ColumnDef::new("message_id").big_integer().not_null())
        .col(ColumnDef::new("emoji").text().not_null())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("message_id").col("emoji").col("member_id"))
        .foreign_key(ForeignKey::create().from("message_reaction", "message_id").to("message", "id"))
        .foreign_key(ForeignKey::create().from("message_reaction", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_message_reaction_member_id", "message_reaction", &["member_id", "message_id"]).await
}

/// A topic that was made of a room's messages.
async fn room_topic(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("room_topic")
        .col(ColumnDef::new("room_id").big_integer().not_null())
        .col(ColumnDef::new("topic_id").big_integer().not_null())
        .col(ColumnDef::new("created_by").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("room_id").col("topic_id"))
        .foreign_key(ForeignKey::create().from("room_topic", "room_id").to("room", "id"))
        .foreign_key(ForeignKey::create().from("room_topic", "topic_id").to("topic", "id"))
        .foreign_key(ForeignKey::create().from("room_topic", "created_by").to("member", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_room_topic_topic_id", "room_topic", &["topic_id"]).await?;
    index(manager, "ix_room_topic_created_by", "room_topic", &["created_by"]).await
}

/// Whom a member does not want to hear from.
async fn member_block(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("member_block")
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("blocked_id").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("member_id").col("blocked_id"))
        .foreign_key(ForeignKey::create().from("member_block", "member_id").to("member", "id"))
        .foreign_key(ForeignKey::create().from("member_block", "blocked_id").to("member", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_member_block_blocked_id", "member_block", &["blocked_id"]).await
}

/// Something a member should know of: who did it and the post or message it is about, never
/// a text. subject_id is that post or message.
async fn notice(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("notice")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("actor_id").big_integer().not_null())
        .col(ColumnDef::new("subject_id").big_integer().not_null())
        .col(ColumnDef::new("room_id").big_integer())
        .col(ColumnDef::new("topic_id").big_integer())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("read_at").big_integer())
        .foreign_key(ForeignKey::create().from("notice", "member_id").to("member", "id"))
        .foreign_key(ForeignKey::create().from("notice", "actor_id").to("member", "id"));
    manager.create_table(table).await?;
    unique(manager, "ux_notice_member_subject_kind", "notice", &["member_id", "subject_id", "kind"]).await?;
    index(manager, "ix_notice_member_id_id", "notice", &["member_id", "id"]).await?;
    index(manager, "ix_notice_member_id_read_at", "notice", &["member_id", "read_at", "room_id"]).await?;
    index(manager, "ix_notice_actor_id", "notice", &["actor_id"]).await
}
