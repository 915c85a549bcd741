//! The log of changes that search follows, and who follows it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index_change(manager).await?;
        search_index(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["search_index", "index_change"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// A mark that a row changed. Numbered by the database; on PostgreSQL `place` is the transaction,
/// as numbers are not given in the order of commits there.
async fn index_change(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut place = ColumnDef::new("place");
    place.big_integer().not_null();
    if manager.get_database_backend() == DbBackend::Postgres {
        place.default(Expr::cust("(pg_current_xact_id()::text::bigint)"));
    } else {
        place.default(0);
    }
    let mut table = Table::create();
    table
        .table("index_change")
        .col(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
        .col(&mut place)
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("subject_id").big_integer().not_null())
        .col(ColumnDef::new("deep").boolean().not_null())
        .col(ColumnDef::new("at").big_integer().not_null());
    manager.create_table(table).await?;
    if manager.get_database_backend() == DbBackend::Postgres {
        let by_place = Index::create().name("ix_index_change_place").table("index_change").col("place").to_owned();
        manager.create_index(by_place).await?;
    }
    manager.create_index(Index::create().name("ix_index_change_at").table("index_change").col("at").to_owned()).await
}

/// An index that a server keeps: how it does, and what it is asked for.
async fn search_index(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("search_index")
        .col(ColumnDef::new("name").text().not_null())
        .col(ColumnDef::new("engine").text().not_null())
        .col(ColumnDef::new("state").text().not_null())
        .col(ColumnDef::new("request").big_integer().not_null())
        .col(ColumnDef::new("done").big_integer().not_null())
        .col(ColumnDef::new("total").big_integer().not_null())
        .col(ColumnDef::new("cursor").text().not_null())
        .col(ColumnDef::new("holder").text().not_null())
        .col(ColumnDef::new("seen_at").big_integer().not_null())
        .primary_key(Index::create().col("name"));
    manager.create_table(table).await
}
