//! Tables for streams, jobs, mail, settings, files and imports.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        stream(manager).await?;
        event(manager).await?;
        job(manager).await?;
        mail(manager).await?;
        setting(manager).await?;
        page(manager).await?;
        idempotent_answer(manager).await?;
        file(manager).await?;
        import_ref(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["import_ref", "file", "idempotent_answer", "page", "setting", "mail", "job", "event", "stream"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// The head of an ordered log; this row's lock orders its appends.
async fn stream(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("stream")
        .col(ColumnDef::new("name").text().not_null())
        .col(ColumnDef::new("head").big_integer().not_null())
        .col(ColumnDef::new("floor").big_integer().not_null())
        .col(ColumnDef::new("updated_at").big_integer().not_null())
        .primary_key(Index::create().col("name"));
    manager.create_table(table).await?;
    Ok(())
}

/// One entry of a stream: a reference, never a text.
async fn event(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("event")
        .col(ColumnDef::new("stream").text().not_null())
        .col(ColumnDef::new("seq").big_integer().not_null())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("subject_id").big_integer().not_null())
        .col(ColumnDef::new("actor_id").big_integer())
        .col(ColumnDef::new("at").big_integer().not_null())
        .col(ColumnDef::new("extra").text().not_null())
        .primary_key(Index::create().col("stream").col("seq"));
    manager.create_table(table).await?;
    manager.create_index(Index::create().name("ix_event_at").table("event").col("at").to_owned()).await?;
    Ok(())
}

/// Work that must happen after a commit, even if the process dies in between.
async fn job(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("job")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("payload").text().not_null())
        .col(ColumnDef::new("state").text().not_null())
        .col(ColumnDef::new("attempts").integer().not_null())
        .col(ColumnDef::new("run_at").big_integer().not_null())
        .col(ColumnDef::new("locked_until").big_integer())
        .col(ColumnDef::new("last_error").text())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("finished_at").big_integer());
    manager.create_table(table).await?;
    manager
        .create_index(Index::create().name("ix_job_state_run_at").table("job").col("state").col("run_at").to_owned())
        .await?;
    manager
        .create_index(
            Index::create().name("ix_job_state_finished_at").table("job").col("state").col("finished_at").to_owned(),
        )
        .await?;
    Ok(())
}

/// The outbox: every mail the hub has to say, sent or not.
async fn mail(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("mail")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("member_id").big_integer())
        .col(ColumnDef::new("to_address").text().not_null())
        .col(ColumnDef::new("subject").text().not_null())
        .col(ColumnDef::new("text").text().not_null())
        .col(ColumnDef::new("html").text().not_null())
        .col(ColumnDef::new("state").text().not_null())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .col(ColumnDef::new("sent_at").big_integer())
        .col(ColumnDef::new("error").text())
        .col(ColumnDef::new("subject_id").big_integer());
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create().name("ix_mail_state_created_at").table("mail").col("state").col("created_at").to_owned(),
        )
        .await?;
    manager.create_index(Index::create().name("ix_mail_member_id").table("mail").col("member_id").to_owned()).await?;
    manager.create_index(Index::create().name("ix_mail_subject_id").table("mail").col("subject_id").to_owned()).await?;
    Ok(())
}

/// Hub-wide settings, and counters of the hub itself.
async fn setting(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("setting")
        .col(ColumnDef::new("key").text().not_null())
        .col(ColumnDef::new("value").text().not_null())
        .col(ColumnDef::new("updated_at").big_integer().not_null())
        .primary_key(Index::create().col("key"));
    manager.create_table(table).await?;
    Ok(())
}

/// An editable page of the hub: privacy, conduct, accessibility, welcome.
async fn page(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("page")
        .col(ColumnDef::new("slug").text().not_null())
        .col(ColumnDef::new("title").text().not_null())
        .col(ColumnDef::new("body").text().not_null())
        .col(ColumnDef::new("body_html").text().not_null())
        .col(ColumnDef::new("version").integer().not_null())
        .col(ColumnDef::new("updated_at").big_integer().not_null())
        .col(ColumnDef::new("updated_by").big_integer())
        .primary_key(Index::create().col("slug"));
    manager.create_table(table).await?;
    Ok(())
}

/// The stored answer to a POST that carried an Idempotency-Key.
async fn idempotent_answer(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("idempotent_answer")
        .col(ColumnDef::new("member_id").big_integer().not_null())
        .col(ColumnDef::new("route").text().not_null())
        .col(ColumnDef::new("key").text().not_null())
        .col(ColumnDef::new("body_hash").text().not_null())
        .col(ColumnDef::new("status").integer().not_null())
        .col(ColumnDef::new("location").text())
        .col(ColumnDef::new("etag").text())
        .col(ColumnDef::new("body").text().not_null())
        .col(ColumnDef::new("subject_id").big_integer())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .primary_key(Index::create().col("member_id").col("route").col("key"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_idempotent_answer_created_at")
                .table("idempotent_answer")
                .col("created_at")
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("ix_idempotent_answer_subject_id")
                .table("idempotent_answer")
                .col("subject_id")
                .to_owned(),
        )
        .await?;
    Ok(())
}

/// An uploaded file: where its bytes are and where it was first used.
async fn file(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("file")
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("owner_id").big_integer().not_null())
        .col(ColumnDef::new("storage_key").text().not_null())
        .col(ColumnDef::new("sha256").text().not_null())
        .col(ColumnDef::new("size").big_integer().not_null())
        .col(ColumnDef::new("media_type").text().not_null())
        .col(ColumnDef::new("name").text().not_null())
        .col(ColumnDef::new("width").integer())
        .col(ColumnDef::new("height").integer())
        .col(ColumnDef::new("post_id").big_integer())
        .col(ColumnDef::new("created_at").big_integer().not_null())
        .foreign_key(ForeignKey::create().from("file", "owner_id").to("member", "id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_file_owner_id_created_at")
                .table("file")
                .col("owner_id")
                .col("created_at")
                .to_owned(),
        )
        .await?;
    manager.create_index(Index::create().name("ix_file_post_id").table("file").col("post_id").to_owned()).await?;
    Ok(())
}

/// What an imported row became, so that a second run adds nothing twice.
async fn import_ref(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("import_ref")
        .col(ColumnDef::new("source").text().not_null())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("external_id").text().not_null())
        .col(ColumnDef::new("local_id").big_integer().not_null())
        .primary_key(Index::create().col("source").col("kind").col("external_id"));
    manager.create_table(table).await?;
    manager
        .create_index(
            Index::create()
                .name("ix_import_ref_kind_local_id")
                .table("import_ref")
                .col("kind")
                .col("local_id")
                .to_owned(),
        )
        .await?;
    Ok(())
}
