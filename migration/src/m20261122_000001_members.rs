//! Tables for members, sessions and invitations.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        member(manager).await?;
        member_word(manager).await?;
        member_expertise(manager).await?;
        session(manager).await?;
        refresh_token(manager).await?;
        api_token(manager).await?;
        one_time_token(manager).await?;
        invitation(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "invitation",
            "one_time_token",
            "api_token",
            "refresh_token",
            "session",
            "member_expertise",
            "member_word",
            "member",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// One account: who somebody is, how they sign in, what they show.
async fn member(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("member")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("handle").text().not_null())
        .col(ColumnDef::new("display_name").text().not_null())
        .col(ColumnDef::new("email").text())
        .col(ColumnDef::new("email_verified_at").big_integer())
        .col(ColumnDef::new("password_hash").text())
        .col(ColumnDef::new("hub_role").text().not_null())
        .col(ColumnDef::new("state").text().not_null())
        .col(ColumnDef::new("headline").text().not_null())
        .col(ColumnDef::new("discipline").text().not_null())
        .col(ColumnDef::new("organisation").text().not_null())
        .col(ColumnDef::new("about").text().not_null())
        .col(ColumnDef::new("about_html").text().not_null())
        .col(ColumnDef::new("links").text().not_null())
        .col(ColumnDef::new("time_zone").text().not_null())
        .col(ColumnDef::new("avatar").text())
        .col(ColumnDef::new("mail_on").boolean().not_null())
        .col(ColumnDef::new("conduct_version").integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("updated_at").big_integer().not_null())
        .col(ColumnDef::new("seen_at").big_integer())
        .col(ColumnDef::new("version").integer().not_null());
    manager.create_table(table).await?;
    manager
        .create_index(Index::create().name("uq_member_handle").table("member").col("handle").unique().to_owned())
        .await?;
    manager
        .create_index(Index::create().name("uq_member_email").table("member").col("email").unique().to_owned())
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_member_state_display_name_id")
                .table("member")
                .col("state")
                .col("display_name")
                .col("id")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_member_discipline_state_display_name")
                .table("member")
                .col("discipline")
                .col("state")
                .col("display_name")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_member_hub_role_state_display_name")
                .table("member")
                .col("hub_role")
                .col("state")
                .col("display_name")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(Index::create().name("ix_member_created_at").table("member").col("created_at").to_owned())
        .await?;
    Ok(())
}

/// The words a member is found by in the directory, lower case.
async fn member_word(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("member_word")
        .col(super::by_bytes(manager, "word"))
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .primary_key(Index::create().col("word").col("member_id"))
        .foreign_key(ForeignKey::create().from("member_word", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(Index::create().name("ix_member_word_member_id").table("member_word").col("member_id").to_owned())
        .await?;
    Ok(())
}

/// Expertise tags of a member.
async fn member_expertise(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("member_expertise")
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("tag").text().not_null())
        .primary_key(Index::create().col("member_id").col("tag"))
        .foreign_key(ForeignKey::create().from("member_expertise", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_member_expertise_tag_member_id")
                .table("member_expertise")
                .col("tag")
                .col("member_id")
                .to_owned(),
        )
        .await?;
    Ok(())
}

/// One sign-in: a browser's cookie or a family of refresh tokens.
async fn session(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("session")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("token_hash").text())
        .col(ColumnDef::new("shared").boolean().not_null())
        .col(ColumnDef::new("user_agent").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("used_at").big_integer().not_null())
        .col(ColumnDef::new("idle_limit").big_integer().not_null())
        .col(ColumnDef::new("expires_at").big_integer().not_null())
        .col(ColumnDef::new("ended_at").big_integer())
        .foreign_key(ForeignKey::create().from("session", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create().name("uq_session_token_hash").table("session").col("token_hash").unique().to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_session_member_id_ended_at")
                .table("session")
                .col("member_id")
                .col("ended_at")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(Index::create().name("ix_session_expires_at").table("session").col("expires_at").to_owned())
        .await?;
    Ok(())
}

/// One link in a session's chain of refresh tokens; a used one shown again ends the chain.
async fn refresh_token(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("refresh_token")
        .col(ColumnDef::new("token_hash").text().not_null())
        .col(ColumnDef::new("session_id").big_integer().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("expires_at").big_integer().not_null())
        .col(ColumnDef::new("used_at").big_integer())
        .primary_key(Index::create().col("token_hash"))
        .foreign_key(ForeignKey::create().from("refresh_token", "session_id").to("session", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create().name("ix_refresh_token_session_id").table("refresh_token").col("session_id").to_owned(),
        )
        .await?;
    Ok(())
}

/// A personal API token; only its hash is kept.
async fn api_token(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("api_token")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("name").text().not_null())
        .col(ColumnDef::new("token_hash").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("expires_at").big_integer())
        .col(ColumnDef::new("used_at").big_integer())
        .col(ColumnDef::new("revoked_at").big_integer())
        .foreign_key(ForeignKey::create().from("api_token", "member_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create().name("uq_api_token_token_hash").table("api_token").col("token_hash").unique().to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_api_token_member_id_created_at")
                .table("api_token")
                .col("member_id")
                .col("created_at")
                .to_owned(),
        )
        .await?;
    Ok(())
}

/// A mailed or printed link that works once: setup, verify, reset, claim.
async fn one_time_token(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("one_time_token")
        .col(ColumnDef::new("token_hash").text().not_null())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("member_id").big_integer())
        .col(ColumnDef::new("email").text())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("expires_at").big_integer().not_null())
        .col(ColumnDef::new("used_at").big_integer())
        .primary_key(Index::create().col("token_hash"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_one_time_token_member_id_kind")
                .table("one_time_token")
                .col("member_id")
                .col("kind")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create().name("ix_one_time_token_expires_at").table("one_time_token").col("expires_at").to_owned(),
        )
        .await?;
    Ok(())
}

/// A person asked by mail to join the hub, with the spaces that come with it.
async fn invitation(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("invitation")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("email").text().not_null())
        .col(ColumnDef::new("token_hash").text().not_null())
        .col(ColumnDef::new("invited_by").big_integer().not_null())
        .col(ColumnDef::new("message").text().not_null())
        .col(ColumnDef::new("spaces").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("expires_at").big_integer().not_null())
        .col(ColumnDef::new("accepted_by").big_integer())
        .col(ColumnDef::new("accepted_at").big_integer())
        .col(ColumnDef::new("revoked_at").big_integer())
        .foreign_key(ForeignKey::create().from("invitation", "invited_by").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create().name("uq_invitation_token_hash").table("invitation").col("token_hash").unique().to_owned(),
        )
        .await?;
    manager
        .create_index(Index::create().name("ix_invitation_created_at").table("invitation").col("created_at").to_owned())
        .await?;
    manager
        .create_index(Index::create().name("ix_invitation_email").table("invitation").col("email").to_owned())
        .await?;
    Ok(())
}
