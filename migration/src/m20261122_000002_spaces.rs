//! Tables for spaces and who belongs to them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        space(manager).await?;
        space_member(manager).await?;
        space_request(manager).await?;
        space_invite(manager).await?;
        tag(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["tag", "space_invite", "space_request", "space_member", "space"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// A place of one community: who may see it, who runs it.
async fn space(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("space")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("slug").text().not_null())
        .col(ColumnDef::new("name").text().not_null())
        .col(ColumnDef::new("description").text().not_null())
        .col(ColumnDef::new("visibility").text().not_null())
        .col(ColumnDef::new("pinned_body").text().not_null())
        .col(ColumnDef::new("pinned_html").text().not_null())
        .col(ColumnDef::new("archived_at").big_integer())
        .col(ColumnDef::new("created_by").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("topic_count").integer().not_null())
        .col(ColumnDef::new("member_count").integer().not_null())
        .col(ColumnDef::new("version").integer().not_null());
    manager.create_table(table).await?;
    manager.create_index(Index::create().name("uq_space_slug").table("space").col("slug").unique().to_owned()).await?;
    manager
        .create_index(
            Index::create().name("ix_space_visibility_name").table("space").col("visibility").col("name").to_owned(),
        )
        .await?;
    Ok(())
}

/// Who belongs to a space, and as what.
async fn space_member(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("space_member")
        .col(ColumnDef::new("space_id").big_integer().not_null())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("role").text().not_null())
        .col(ColumnDef::new("joined_at").big_integer().not_null())
        .primary_key(Index::create().col("space_id").col("member_id"))
        .foreign_key(ForeignKey::create().from("space_member", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("space_member", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_space_member_member_id_space_id")
                .table("space_member")
                .col("member_id")
                .col("space_id")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_space_member_space_id_joined_at")
                .table("space_member")
                .col("space_id")
                .col("joined_at")
                .to_owned(),
        )
        .await?;
    Ok(())
}

/// Somebody asks to join a private space.
async fn space_request(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("space_request")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("space_id").big_integer().not_null())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("message").text().not_null())
        .col(ColumnDef::new("state").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("decided_by").big_integer())
        .col(ColumnDef::new("decided_at").big_integer())
        .foreign_key(ForeignKey::create().from("space_request", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("space_request", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_space_request_space_id_state_created_at")
                .table("space_request")
                .col("space_id")
                .col("state")
                .col("created_at")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_space_request_member_id_space_id")
                .table("space_request")
                .col("member_id")
                .col("space_id")
                .to_owned(),
        )
        .await?;
    Ok(())
}

/// A member asked into a space by one who runs it.
async fn space_invite(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("space_invite")
        .col(ColumnDef::new("space_id").big_integer().not_null())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("role").text().not_null())
        .col(ColumnDef::new("invited_by").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("space_id").col("member_id"))
        .foreign_key(ForeignKey::create().from("space_invite", "space_id").to("space", "id"))
        .foreign_key(ForeignKey::create().from("space_invite", "member_id").to("member", "id"))
        .foreign_key(ForeignKey::create().from("space_invite", "invited_by").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create().name("ix_space_invite_member_id").table("space_invite").col("member_id").to_owned(),
        )
        .await?;
    Ok(())
}

/// How often a tag is used in a space; the hub's count is the sum over the spaces a viewer may see.
async fn tag(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("tag")
        .col(ColumnDef::new("space_id").big_integer().not_null())
        .col(super::by_bytes(manager, "name"))
        .col(ColumnDef::new("topic_count").integer().not_null())
        .primary_key(Index::create().col("space_id").col("name"))
        .foreign_key(ForeignKey::create().from("tag", "space_id").to("space", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(Index::create().name("ix_tag_name_space_id").table("tag").col("name").col("space_id").to_owned())
        .await?;
    Ok(())
}
