//! Tables for topics, posts and what members do with them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        topic(manager).await?;
        topic_tag(manager).await?;
        topic_read(manager).await?;
        post(manager).await?;
        post_revision(manager).await?;
        reaction(manager).await?;
        endorsement(manager).await?;
        bookmark(manager).await?;
        report(manager).await?;
        moderation_act(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "moderation_act",
            "report",
            "bookmark",
            "endorsement",
            "reaction",
            "post_revision",
            "post",
            "topic_read",
            "topic_tag",
            "topic",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// A thread: its title, state and counts. The opening text is the post first_post_id.
async fn topic(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("topic")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("space_id").big_integer().not_null())
        .col(ColumnDef::new("author_id").big_integer().not_null())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("title").text().not_null())
        .col(ColumnDef::new("first_post_id").big_integer().not_null())
        .col(ColumnDef::new("post_count").integer().not_null())
        .col(ColumnDef::new("answer_count").integer().not_null())
        .col(ColumnDef::new("score").integer().not_null())
        .col(ColumnDef::new("rank").integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("activity_at").big_integer().not_null())
        .col(ColumnDef::new("last_post_id").big_integer())
        .col(ColumnDef::new("last_author_id").big_integer())
        .col(ColumnDef::new("pinned_at").big_integer())
        .col(ColumnDef::new("closed_at").big_integer())
        .col(ColumnDef::new("closed_by").big_integer())
        .col(ColumnDef::new("hidden_at").big_integer())
        .col(ColumnDef::new("deleted_at").big_integer())
        .col(ColumnDef::new("deleted_by").big_integer())
        .col(ColumnDef::new("version").integer().not_null())
        .foreign_key(ForeignKey::create().from("topic", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("topic", "author_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_topic_space_id_activity_at_id")
                .table("topic")
                .col("space_id")
                .col("activity_at")
                .col("id")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_topic_space_id_created_at_id")
                .table("topic")
                .col("space_id")
                .col("created_at")
                .col("id")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_topic_space_id_rank_id")
                .table("topic")
                .col("space_id")
                .col("rank")
                .col("id")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_topic_space_id_kind_activity_at_id")
                .table("topic")
                .col("space_id")
                .col("kind")
                .col("activity_at")
                .col("id")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_topic_space_id_pinned_at")
                .table("topic")
                .col("space_id")
                .col("pinned_at")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create().name("ix_topic_activity_at_id").table("topic").col("activity_at").col("id").to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create().name("ix_topic_created_at_id").table("topic").col("created_at").col("id").to_owned(),
        )
        .await?;
    manager
        .create_index(Index::create().name("ix_topic_rank_id").table("topic").col("rank").col("id").to_owned())
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_topic_kind_activity_at_id")
                .table("topic")
                .col("kind")
                .col("activity_at")
                .col("id")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_topic_kind_answer_count_activity_at_id")
                .table("topic")
                .col("kind")
                .col("answer_count")
                .col("activity_at")
                .col("id")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_topic_author_id_created_at_id")
                .table("topic")
                .col("author_id")
                .col("created_at")
                .col("id")
                .to_owned(),
        )
        .await?;
    Ok(())
}

/// Tags of a topic.
async fn topic_tag(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("topic_tag")
        .col(ColumnDef::new("topic_id").big_integer().not_null())
        .col(ColumnDef::new("tag").text().not_null())
        .primary_key(Index::create().col("topic_id").col("tag"))
        .foreign_key(ForeignKey::create().from("topic_tag", "topic_id").to("topic", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create().name("ix_topic_tag_tag_topic_id").table("topic_tag").col("tag").col("topic_id").to_owned(),
        )
        .await?;
    Ok(())
}

/// How far a member has read a topic: a seq of its stream.
async fn topic_read(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("topic_read")
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("topic_id").big_integer().not_null())
        .col(ColumnDef::new("seq").big_integer().not_null())
        .col(ColumnDef::new("read_at").big_integer().not_null())
        .primary_key(Index::create().col("member_id").col("topic_id"))
        .foreign_key(ForeignKey::create().from("topic_read", "member_id").to("member", "id"))
        .foreign_key(ForeignKey::create().from("topic_read", "topic_id").to("topic", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(Index::create().name("ix_topic_read_topic_id").table("topic_read").col("topic_id").to_owned())
        .await?;
    Ok(())
}

/// A reply, or a topic's opening text (is_first). tree_pos orders a topic depth first.
async fn post(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("post")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("topic_id").big_integer().not_null())
        .col(ColumnDef::new("parent_id").big_integer())
        .col(ColumnDef::new("author_id").big_integer().not_null())
        .col(ColumnDef::new("is_first").boolean().not_null())
        .col(ColumnDef::new("depth").integer().not_null())
        .col(ColumnDef::new("tree_pos").big_integer().not_null())
        .col(ColumnDef::new("body").text().not_null())
        .col(ColumnDef::new("body_html").text().not_null())
        .col(ColumnDef::new("score").integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("edited_at").big_integer())
        .col(ColumnDef::new("answer_at").big_integer())
        .col(ColumnDef::new("answer_by").big_integer())
        .col(ColumnDef::new("hidden_at").big_integer())
        .col(ColumnDef::new("deleted_at").big_integer())
        .col(ColumnDef::new("deleted_by").big_integer())
        .col(ColumnDef::new("purged_at").big_integer())
        .col(ColumnDef::new("reactions").text().not_null())
        .col(ColumnDef::new("endorsement_count").integer().not_null())
        .col(ColumnDef::new("reply_count").integer().not_null())
        .col(ColumnDef::new("revision_count").integer().not_null())
        .col(ColumnDef::new("source_url").text())
        .col(ColumnDef::new("source_author").text())
        .col(ColumnDef::new("version").integer().not_null())
        .foreign_key(ForeignKey::create().from("post", "topic_id").to("topic", "id"))
        .foreign_key(ForeignKey::create().from("post", "author_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_post_topic_id_tree_pos_depth")
                .table("post")
                .col("topic_id")
                .col("tree_pos")
                .col("depth")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_post_topic_id_created_at_id")
                .table("post")
                .col("topic_id")
                .col("created_at")
                .col("id")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_post_topic_id_answer_at")
                .table("post")
                .col("topic_id")
                .col("answer_at")
                .to_owned(),
        )
        .await?;
    manager.create_index(Index::create().name("ix_post_parent_id").table("post").col("parent_id").to_owned()).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_post_author_id_created_at_id")
                .table("post")
                .col("author_id")
                .col("created_at")
                .col("id")
                .to_owned(),
        )
        .await?;
    Ok(())
}

/// One saved state of a post; title and tags with the opening text only.
async fn post_revision(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("post_revision")
        .col(ColumnDef::new("post_id").big_integer().not_null())
        .col(ColumnDef::new("number").integer().not_null())
        .col(ColumnDef::new("title").text())
        .col(ColumnDef::new("tags").text())
        .col(ColumnDef::new("body").text().not_null())
        .col(ColumnDef::new("editor_id").big_integer().not_null())
        .col(ColumnDef::new("note").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("post_id").col("number"))
        .foreign_key(ForeignKey::create().from("post_revision", "post_id").to("post", "id"))
        .foreign_key(ForeignKey::create().from("post_revision", "editor_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create().name("ix_post_revision_editor_id").table("post_revision").col("editor_id").to_owned(),
        )
        .await?;
    Ok(())
}

/// One member's emoji on a post.
async fn reaction(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("reaction")
        .col(ColumnDef::new("post_id").big_integer().not_null())
        .col(ColumnDef::new("emoji").text().not_null())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("post_id").col("emoji").col("member_id"))
        .foreign_key(ForeignKey::create().from("reaction", "post_id").to("post", "id"))
        .foreign_key(ForeignKey::create().from("reaction", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_reaction_member_id_post_id")
                .table("reaction")
                .col("member_id")
                .col("post_id")
                .to_owned(),
        )
        .await?;
    Ok(())
}

/// A member puts their discipline and role behind a post.
async fn endorsement(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("endorsement")
        .col(ColumnDef::new("post_id").big_integer().not_null())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("post_id").col("member_id"))
        .foreign_key(ForeignKey::create().from("endorsement", "post_id").to("post", "id"))
        .foreign_key(ForeignKey::create().from("endorsement", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_endorsement_member_id_created_at")
                .table("endorsement")
                .col("member_id")
                .col("created_at")
                .to_owned(),
        )
        .await?;
    Ok(())
}

/// A post kept for later.
async fn bookmark(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("bookmark")
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("post_id").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("member_id").col("post_id"))
        .foreign_key(ForeignKey::create().from("bookmark", "member_id").to("member", "id"))
        .foreign_key(ForeignKey::create().from("bookmark", "post_id").to("post", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_bookmark_member_id_created_at")
                .table("bookmark")
                .col("member_id")
                .col("created_at")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(Index::create().name("ix_bookmark_post_id").table("bookmark").col("post_id").to_owned())
        .await?;
    Ok(())
}

/// A post brought to the moderators.
async fn report(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("report")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("post_id").big_integer().not_null())
        .col(ColumnDef::new("space_id").big_integer().not_null())
        .col(ColumnDef::new("reporter_id").big_integer().not_null())
        .col(ColumnDef::new("reason").text().not_null())
        .col(ColumnDef::new("note").text().not_null())
        .col(ColumnDef::new("state").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("handled_by").big_integer())
        .col(ColumnDef::new("handled_at").big_integer())
        .col(ColumnDef::new("outcome").text())
        .foreign_key(ForeignKey::create().from("report", "post_id").to("post", "id"))
        .foreign_key(ForeignKey::create().from("report", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("report", "reporter_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_report_space_id_state_created_at")
                .table("report")
                .col("space_id")
                .col("state")
                .col("created_at")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_report_state_created_at")
                .table("report")
                .col("state")
                .col("created_at")
                .to_owned(),
        )
        .await?;
    manager.create_index(Index::create().name("ix_report_post_id").table("report").col("post_id").to_owned()).await?;
    Ok(())
}

/// What was done by those who run a space or the hub; never the text it was done to.
async fn moderation_act(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("moderation_act")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("space_id").big_integer())
        .col(ColumnDef::new("actor_id").big_integer().not_null())
        .col(ColumnDef::new("action").text().not_null())
        .col(ColumnDef::new("subject_kind").text().not_null())
        .col(ColumnDef::new("subject_id").big_integer().not_null())
        .col(ColumnDef::new("reason").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .foreign_key(ForeignKey::create().from("moderation_act", "actor_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_moderation_act_space_id_created_at")
                .table("moderation_act")
                .col("space_id")
                .col("created_at")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create().name("ix_moderation_act_created_at").table("moderation_act").col("created_at").to_owned(),
        )
        .await?;
    Ok(())
}
