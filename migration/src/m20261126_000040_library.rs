//! Tables of the library: resources with their versions, the files they stand on, collections,
//! and reports of resources.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        stored_file(manager).await?;
        stored_page(manager).await?;
        resource(manager).await?;
        resource_term(manager).await?;
        resource_version(manager).await?;
        resource_endorsement(manager).await?;
        collection(manager).await?;
        collection_item(manager).await?;
        resource_report(manager).await?;
        for table in ["notice", "file"] {
            let mut column = ColumnDef::new("resource_id").big_integer().to_owned();
            manager.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await?;
        }
        index(manager, "ix_file_resource_id", "file", &["resource_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_file_resource_id").table("file").to_owned()).await?;
        for table in ["file", "notice"] {
            manager.alter_table(Table::alter().table(table).drop_column("resource_id").to_owned()).await?;
        }
        for table in [
            "resource_report",
            "collection_item",
            "collection",
            "resource_endorsement",
            "resource_version",
            "resource_term",
            "resource",
            "stored_page",
            "stored_file",
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

/// Bytes that versions of resources stand on, each content once: whether they were found clean, and
/// how far their text was taken out.
async fn stored_file(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("stored_file")
        .col(ColumnDef::new("sha256").text().not_null().primary_key())
        .col(ColumnDef::new("storage_key").text().not_null())
        .col(ColumnDef::new("size").big_integer().not_null())
        .col(ColumnDef::new("media_type").text().not_null())
        .col(ColumnDef::new("scan_state").text().not_null())
        .col(ColumnDef::new("scan_note").text().not_null())
        .col(ColumnDef::new("text_state").text().not_null())
        .col(ColumnDef::new("text_reason").text().not_null())
        .col(ColumnDef::new("page_count").integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null());
    manager.create_table(table).await?;
    index(manager, "ix_stored_file_scan_state", "stored_file", &["scan_state", "created_at"]).await
}

/// The text of one page, slide or sheet of a file; a table has tabs between its cells.
async fn stored_page(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("stored_page")
        .col(ColumnDef::new("sha256").text().not_null())
        .col(ColumnDef::new("number").integer().not_null())
        .col(ColumnDef::new("label").text().not_null())
        .col(ColumnDef::new("is_table").boolean().not_null())
        .col(ColumnDef::new("body").text().not_null())
        .primary_key(Index::create().col("sha256").col("number"))
        .foreign_key(ForeignKey::create().from("stored_page", "sha256").to("stored_file", "sha256"));
    manager.create_table(table).await
}

/// Something worth keeping in a space. What it is made of stands in its newest version, version_id;
/// version counts the changes of its editable fields.
async fn resource(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("resource")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("space_id").big_integer().not_null())
        .col(ColumnDef::new("author_id").big_integer().not_null())
        .col(ColumnDef::new("form").text().not_null())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("stage").text())
        .col(ColumnDef::new("title").text().not_null())
        .col(ColumnDef::new("summary").text().not_null())
        .col(ColumnDef::new("description").text().not_null())
        .col(ColumnDef::new("description_html").text().not_null())
        .col(ColumnDef::new("authors").text().not_null())
        .col(ColumnDef::new("organisation").text().not_null())
        .col(ColumnDef::new("licence").text().not_null())
        .col(ColumnDef::new("source").text().not_null())
        .col(ColumnDef::new("published_on").big_integer())
        .col(ColumnDef::new("review_due").big_integer())
        .col(ColumnDef::new("review_told").boolean().not_null())
        .col(ColumnDef::new("topic_id").big_integer())
        .col(ColumnDef::new("version_id").big_integer().not_null())
        .col(ColumnDef::new("version_count").integer().not_null())
        .col(ColumnDef::new("download_count").big_integer().not_null())
        .col(ColumnDef::new("endorsement_count").integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("updated_at").big_integer().not_null())
        .col(ColumnDef::new("hidden_at").big_integer())
        .col(ColumnDef::new("deleted_at").big_integer())
        .col(ColumnDef::new("deleted_by").big_integer())
        .col(ColumnDef::new("purged_at").big_integer())
        .col(ColumnDef::new("version").integer().not_null())
        .foreign_key(ForeignKey::create().from("resource", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("resource", "author_id").to("member", "id"))
        .foreign_key(ForeignKey::create().from("resource", "topic_id").to("topic", "id"));
    manager.create_table(table).await?;
    for (name, columns) in [
        ("ix_resource_created_at", &["created_at", "id"] as &[&'static str]),
        ("ix_resource_space_id_created_at", &["space_id", "created_at", "id"]),
        ("ix_resource_updated_at", &["updated_at", "id"]),
        ("ix_resource_space_id_updated_at", &["space_id", "updated_at", "id"]),
        ("ix_resource_download_count", &["download_count", "id"]),
        ("ix_resource_space_id_download_count", &["space_id", "download_count", "id"]),
        ("ix_resource_endorsement_count", &["endorsement_count", "id"]),
        ("ix_resource_space_id_endorsement_count", &["space_id", "endorsement_count", "id"]),
        ("ix_resource_review_due", &["review_due", "id"]),
        ("ix_resource_author_id", &["author_id", "id"]),
        ("ix_resource_topic_id", &["topic_id"]),
    ] {
        index(manager, name, "resource", columns).await?;
    }
    Ok(())
}

/// A tag or a topic of a resource.
async fn resource_term(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("resource_term")
        .col(ColumnDef::new("resource_id").big_integer().not_null())
        .col(ColumnDef::new("vocabulary").text().not_null())
        .col(ColumnDef::new("term").text().not_null())
        .col(ColumnDef::new("folded").text().not_null())
        .primary_key(Index::create().col("resource_id").col("vocabulary").col("folded"))
        .foreign_key(ForeignKey::create().from("resource_term", "resource_id").to("resource", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_resource_term_folded", "resource_term", &["vocabulary", "folded", "resource_id"]).await
}

/// One state of what a resource is made of: a file by its content, an address, or a text.
async fn resource_version(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("resource_version")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("resource_id").big_integer().not_null())
        .col(ColumnDef::new("number").integer().not_null())
        .col(ColumnDef::new("author_id").big_integer().not_null())
        .col(ColumnDef::new("note").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("sha256").text())
        .col(ColumnDef::new("file_name").text())
        .col(ColumnDef::new("url").text())
        .col(ColumnDef::new("body").text())
        .col(ColumnDef::new("body_html").text())
        .col(ColumnDef::new("restored_from").integer())
        .foreign_key(ForeignKey::create().from("resource_version", "resource_id").to("resource", "id"))
        .foreign_key(ForeignKey::create().from("resource_version", "author_id").to("member", "id"))
        .foreign_key(ForeignKey::create().from("resource_version", "sha256").to("stored_file", "sha256"));
    manager.create_table(table).await?;
    let mut unique = Index::create();
    unique.name("ux_resource_version_resource_id_number").table("resource_version").unique();
    manager.create_index(unique.col("resource_id").col("number").to_owned()).await?;
    index(manager, "ix_resource_version_sha256", "resource_version", &["sha256"]).await?;
    index(manager, "ix_resource_version_author_id", "resource_version", &["author_id"]).await
}

/// Who puts what they are behind a resource.
async fn resource_endorsement(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("resource_endorsement")
        .col(ColumnDef::new("resource_id").big_integer().not_null())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("resource_id").col("member_id"))
        .foreign_key(ForeignKey::create().from("resource_endorsement", "resource_id").to("resource", "id"))
        .foreign_key(ForeignKey::create().from("resource_endorsement", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_resource_endorsement_member_id", "resource_endorsement", &["member_id", "resource_id"]).await
}

/// Resources of a space that belong together, in an order, with an introduction.
async fn collection(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("collection")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("space_id").big_integer().not_null())
        .col(ColumnDef::new("author_id").big_integer().not_null())
        .col(ColumnDef::new("title").text().not_null())
        .col(ColumnDef::new("introduction").text().not_null())
        .col(ColumnDef::new("introduction_html").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("updated_at").big_integer().not_null())
        .col(ColumnDef::new("deleted_at").big_integer())
        .col(ColumnDef::new("version").integer().not_null())
        .foreign_key(ForeignKey::create().from("collection", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("collection", "author_id").to("member", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_collection_space_id_created_at", "collection", &["space_id", "created_at", "id"]).await?;
    index(manager, "ix_collection_author_id", "collection", &["author_id"]).await
}

/// A resource's place in a collection, from 1.
async fn collection_item(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("collection_item")
        .col(ColumnDef::new("collection_id").big_integer().not_null())
        .col(ColumnDef::new("resource_id").big_integer().not_null())
        .col(ColumnDef::new("place").integer().not_null())
        .primary_key(Index::create().col("collection_id").col("resource_id"))
        .foreign_key(ForeignKey::create().from("collection_item", "collection_id").to("collection", "id"))
        .foreign_key(ForeignKey::create().from("collection_item", "resource_id").to("resource", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_collection_item_place", "collection_item", &["collection_id", "place"]).await?;
    index(manager, "ix_collection_item_resource_id", "collection_item", &["resource_id"]).await
}

/// What a member has against a resource.
async fn resource_report(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("resource_report")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("resource_id").big_integer().not_null())
        .col(ColumnDef::new("space_id").big_integer().not_null())
        .col(ColumnDef::new("reporter_id").big_integer().not_null())
        .col(ColumnDef::new("reason").text().not_null())
        .col(ColumnDef::new("note").text().not_null())
        .col(ColumnDef::new("state").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("handled_by").big_integer())
        .col(ColumnDef::new("handled_at").big_integer())
        .col(ColumnDef::new("outcome").text())
        .foreign_key(ForeignKey::create().from("resource_report", "resource_id").to("resource", "id"))
        .foreign_key(ForeignKey::create().from("resource_report", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("resource_report", "reporter_id").to("member", "id"));
    manager.create_table(table).await?;
    index(manager, "ix_resource_report_space_id_state", "resource_report", &["space_id", "state", "created_at"])
        .await?;
    index(manager, "ix_resource_report_resource_id", "resource_report", &["resource_id", "state"]).await?;
    index(manager, "ix_resource_report_reporter_id", "resource_report", &["reporter_id"]).await
}
