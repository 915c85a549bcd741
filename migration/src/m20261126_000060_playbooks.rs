//! Tables for playbooks, their scenarios and case studies.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// In the order in which they are made.
const TABLES: [&str; 17] = [
    "playbook",
    "playbook_member",
    "scenario",
    "case_study",
    "scenario_study",
    "study_author",
    "study_part",
    "study_part_revision",
    "study_part_draft",
    "study_comment",
    "study_revision",
    "study_act",
    "study_term",
    "study_endorsement",
    "study_adoption",
    "study_follow",
    "study_figure",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        playbook(manager).await?;
        scenario(manager).await?;
        case_study(manager).await?;
        scenario_study(manager).await?;
        parts(manager).await?;
        comment(manager).await?;
        revision(manager).await?;
        term(manager).await?;
        trust(manager).await?;
        figure(manager).await?;
        for (table, name) in [("file", "study_id"), ("file", "playbook_id"), ("notice", "study_id")] {
            let mut column = ColumnDef::new(name).big_integer().to_owned();
            manager.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await?;
        }
        index(manager, "ix_file_study_id", "file", &["study_id"]).await?;
        index(manager, "ix_file_playbook_id", "file", &["playbook_id"]).await?;
        index(manager, "ix_notice_member_id_study_id", "notice", &["member_id", "study_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, table) in
            [("ix_file_study_id", "file"), ("ix_file_playbook_id", "file"), ("ix_notice_member_id_study_id", "notice")]
        {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        for (table, column) in [("file", "study_id"), ("file", "playbook_id"), ("notice", "study_id")] {
            manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await?;
        }
        for table in TABLES.into_iter().rev() {
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

fn id(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null();
    column
}

fn perhaps(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer();
    column
}

fn text(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.text().not_null();
    column
}

fn number(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.integer().not_null();
    column
}

/// A playbook and those who run it: owners, and reviewers beside them.
async fn playbook(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut slug = crate::by_bytes(manager, "slug");
    slug.unique_key();
    let table = Table::create()
        .table("playbook")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(slug)
        .col(text("title"))
        .col(text("pathway"))
        .col(text("summary"))
        .col(text("intro"))
        .col(text("intro_html"))
        .col(text("visibility"))
        .col(perhaps("space_id"))
        .col(perhaps("cover_id"))
        .col(text("cover_alt"))
        .col(text("checklist"))
        .col(number("study_count"))
        .col(id("created_by"))
        .col(id("created_at"))
        .col(id("updated_at"))
        .col(perhaps("archived_at"))
        .col(number("version"))
        .foreign_key(ForeignKey::create().from("playbook", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("playbook", "created_by").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_playbook_space_id", "playbook", &["space_id"]).await?;
    index(manager, "ix_playbook_created_at_id", "playbook", &["created_at", "id"]).await?;
    let table = Table::create()
        .table("playbook_member")
        .col(id("playbook_id"))
        .col(id("member_id"))
        .col(text("role"))
        .col(id("added_at"))
        .primary_key(Index::create().col("playbook_id").col("member_id"))
        .foreign_key(ForeignKey::create().from("playbook_member", "playbook_id").to("playbook", "id"))
        .foreign_key(ForeignKey::create().from("playbook_member", "member_id").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_playbook_member_member_id", "playbook_member", &["member_id"]).await
}

/// What somebody needs to do, in the order of its playbook. `steps` is JSON: a list of texts.
async fn scenario(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("scenario")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(id("playbook_id"))
        .col(number("position"))
        .col(text("title"))
        .col(text("description"))
        .col(text("description_html"))
        .col(text("steps"))
        .col(text("steps_html"))
        .col(id("created_at"))
        .col(id("updated_at"))
        .col(number("version"))
        .foreign_key(ForeignKey::create().from("scenario", "playbook_id").to("playbook", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_scenario_playbook_id_position_id", "scenario", &["playbook_id", "position", "id"]).await
}

async fn scenario_study(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("scenario_study")
        .col(id("scenario_id"))
        .col(id("study_id"))
        .col(number("position"))
        .primary_key(Index::create().col("scenario_id").col("study_id"))
        .foreign_key(ForeignKey::create().from("scenario_study", "scenario_id").to("scenario", "id"))
        .foreign_key(ForeignKey::create().from("scenario_study", "study_id").to("case_study", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_scenario_study_study_id", "scenario_study", &["study_id"]).await
}

/// A case study: its state, its counts, and which revision readers get. `title` and `summary` are
/// the working copy's; those of the published revision are `live_title` and `live_summary`.
async fn case_study(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut slug = crate::by_bytes(manager, "slug");
    slug.unique_key();
    let table = Table::create()
        .table("case_study")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(slug)
        .col(perhaps("playbook_id"))
        .col(text("title"))
        .col(text("summary"))
        .col(text("live_title"))
        .col(text("live_summary"))
        .col(text("live_figure"))
        .col(text("state"))
        .col(id("created_by"))
        .col(id("created_at"))
        .col(id("updated_at"))
        .col(perhaps("submitted_at"))
        .col(perhaps("submitted_by"))
        .col(perhaps("published_at"))
        .col(perhaps("first_published_at"))
        .col(perhaps("retired_at"))
        .col(perhaps("owner_id"))
        .col(perhaps("review_due"))
        .col(perhaps("reminded_at"))
        .col(number("published"))
        .col(number("revision_count"))
        .col(number("endorsement_count"))
        .col(number("adoption_count"))
        .col(number("open_comments"))
        .col(perhaps("topic_id"))
        .col(text("source"))
        .col(perhaps("source_topic_id"))
        .col(perhaps("source_room_id"))
        .col(perhaps("source_seq"))
        .col(ColumnDef::new("source_url").text())
        .col(number("version"))
        .foreign_key(ForeignKey::create().from("case_study", "playbook_id").to("playbook", "id"))
        .foreign_key(ForeignKey::create().from("case_study", "created_by").to("member", "id"))
        .foreign_key(ForeignKey::create().from("case_study", "owner_id").to("member", "id"))
        .foreign_key(ForeignKey::create().from("case_study", "topic_id").to("topic", "id"))
        .to_owned();
    manager.create_table(table).await?;
    let by_playbook = ["playbook_id", "published_at", "id"];
    index(manager, "ix_case_study_playbook_id_published_at_id", "case_study", &by_playbook).await?;
    let by_state = ["playbook_id", "state", "submitted_at"];
    index(manager, "ix_case_study_playbook_id_state_submitted_at", "case_study", &by_state).await?;
    index(manager, "ix_case_study_published_at_id", "case_study", &["published_at", "id"]).await?;
    index(manager, "ix_case_study_adoption_count_id", "case_study", &["adoption_count", "id"]).await?;
    index(manager, "ix_case_study_endorsement_count_id", "case_study", &["endorsement_count", "id"]).await?;
    index(manager, "ix_case_study_review_due", "case_study", &["review_due"]).await?;
    index(manager, "ix_case_study_topic_id", "case_study", &["topic_id"]).await?;
    index(manager, "ix_case_study_owner_id", "case_study", &["owner_id"]).await?;
    let table = Table::create()
        .table("study_author")
        .col(id("study_id"))
        .col(id("member_id"))
        .col(text("role"))
        .col(number("position"))
        .col(id("added_at"))
        .primary_key(Index::create().col("study_id").col("member_id"))
        .foreign_key(ForeignKey::create().from("study_author", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_author", "member_id").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_study_author_member_id_study_id", "study_author", &["member_id", "study_id"]).await
}

/// The working copy of a study, a row a part; every saved state of a part; what a member is
/// typing. `fields` and `fields_html` are JSON objects, `measures` a JSON list.
async fn parts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("study_part")
        .col(id("study_id"))
        .col(text("part"))
        .col(text("body"))
        .col(text("body_html"))
        .col(text("fields"))
        .col(text("fields_html"))
        .col(text("measures"))
        .col(id("updated_by"))
        .col(id("updated_at"))
        .col(number("version"))
        .primary_key(Index::create().col("study_id").col("part"))
        .foreign_key(ForeignKey::create().from("study_part", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_part", "updated_by").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    let table = Table::create()
        .table("study_part_revision")
        .col(id("study_id"))
        .col(text("part"))
        .col(number("version"))
        .col(text("body"))
        .col(text("fields"))
        .col(text("measures"))
        .col(id("editor_id"))
        .col(text("note"))
        .col(id("created_at"))
        .primary_key(Index::create().col("study_id").col("part").col("version"))
        .foreign_key(ForeignKey::create().from("study_part_revision", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_part_revision", "editor_id").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    let table = Table::create()
        .table("study_part_draft")
        .col(id("study_id"))
        .col(text("part"))
        .col(id("member_id"))
        .col(text("body"))
        .col(text("fields"))
        .col(text("measures"))
        .col(number("base_version"))
        .col(id("updated_at"))
        .primary_key(Index::create().col("study_id").col("part").col("member_id"))
        .foreign_key(ForeignKey::create().from("study_part_draft", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_part_draft", "member_id").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_study_part_draft_member_id", "study_part_draft", &["member_id"]).await
}

/// What writers and reviewers say about a part; a thread has its state at its first comment.
async fn comment(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("study_comment")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(id("study_id"))
        .col(text("part"))
        .col(perhaps("parent_id"))
        .col(id("author_id"))
        .col(text("quote"))
        .col(text("body"))
        .col(text("body_html"))
        .col(id("created_at"))
        .col(perhaps("edited_at"))
        .col(perhaps("resolved_at"))
        .col(perhaps("resolved_by"))
        .col(perhaps("deleted_at"))
        .col(number("reply_count"))
        .col(number("version"))
        .foreign_key(ForeignKey::create().from("study_comment", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_comment", "author_id").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    let by_part = ["study_id", "part", "id"];
    index(manager, "ix_study_comment_study_id_part_id", "study_comment", &by_part).await?;
    index(manager, "ix_study_comment_study_id_id", "study_comment", &["study_id", "id"]).await?;
    index(manager, "ix_study_comment_parent_id", "study_comment", &["parent_id"]).await
}

/// What was published, whole, as readers get it; and the log of what was decided. `content` is
/// JSON: parts with their HTML, terms.
async fn revision(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("study_revision")
        .col(id("study_id"))
        .col(number("number"))
        .col(text("title"))
        .col(text("content"))
        .col(text("note"))
        .col(id("published_by"))
        .col(id("published_at"))
        .primary_key(Index::create().col("study_id").col("number"))
        .foreign_key(ForeignKey::create().from("study_revision", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_revision", "published_by").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    let table = Table::create()
        .table("study_act")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(id("study_id"))
        .col(text("kind"))
        .col(id("actor_id"))
        .col(text("note"))
        .col(text("checklist"))
        .col(ColumnDef::new("revision").integer())
        .col(id("at"))
        .foreign_key(ForeignKey::create().from("study_act", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_act", "actor_id").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_study_act_study_id_id", "study_act", &["study_id", "id"]).await
}

/// What a study is filed under: of its working copy (`live` 0) and of what is published (1).
async fn term(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("study_term")
        .col(id("study_id"))
        .col(number("live"))
        .col(text("kind"))
        .col(crate::by_bytes(manager, "term"))
        .col(text("label"))
        .primary_key(Index::create().col("study_id").col("live").col("kind").col("term"))
        .foreign_key(ForeignKey::create().from("study_term", "study_id").to("case_study", "id"))
        .to_owned();
    manager.create_table(table).await?;
    let by_term = ["kind", "term", "live", "study_id"];
    index(manager, "ix_study_term_kind_term_live_study_id", "study_term", &by_term).await
}

/// Endorsements, who uses what, and who hears of new revisions.
async fn trust(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("study_endorsement")
        .col(id("study_id"))
        .col(id("member_id"))
        .col(text("discipline"))
        .col(text("role"))
        .col(text("organisation"))
        .col(text("reason"))
        .col(id("created_at"))
        .primary_key(Index::create().col("study_id").col("member_id"))
        .foreign_key(ForeignKey::create().from("study_endorsement", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_endorsement", "member_id").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_study_endorsement_member_id", "study_endorsement", &["member_id"]).await?;
    let table = Table::create()
        .table("study_adoption")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(id("study_id"))
        .col(id("member_id"))
        .col(text("organisation"))
        .col(crate::by_bytes(manager, "organisation_key"))
        .col(text("site"))
        .col(text("status"))
        .col(text("why"))
        .col(text("contact"))
        .col(id("created_at"))
        .col(id("updated_at"))
        .foreign_key(ForeignKey::create().from("study_adoption", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_adoption", "member_id").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    let one = Index::create()
        .name("uq_study_adoption_study_id_member_id")
        .table("study_adoption")
        .col("study_id")
        .col("member_id")
        .unique()
        .to_owned();
    manager.create_index(one).await?;
    let by_organisation = ["organisation_key", "id"];
    index(manager, "ix_study_adoption_organisation_key_id", "study_adoption", &by_organisation).await?;
    index(manager, "ix_study_adoption_member_id", "study_adoption", &["member_id"]).await?;
    let table = Table::create()
        .table("study_follow")
        .col(id("study_id"))
        .col(id("member_id"))
        .col(id("created_at"))
        .primary_key(Index::create().col("study_id").col("member_id"))
        .foreign_key(ForeignKey::create().from("study_follow", "study_id").to("case_study", "id"))
        .foreign_key(ForeignKey::create().from("study_follow", "member_id").to("member", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_study_follow_member_id", "study_follow", &["member_id"]).await
}

/// The uploads that a published revision shows: these its readers may open.
async fn figure(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("study_figure")
        .col(id("study_id"))
        .col(id("file_id"))
        .primary_key(Index::create().col("study_id").col("file_id"))
        .foreign_key(ForeignKey::create().from("study_figure", "study_id").to("case_study", "id"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "ix_study_figure_file_id", "study_figure", &["file_id"]).await
}
