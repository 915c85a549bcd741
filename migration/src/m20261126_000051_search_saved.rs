//! Searches that members keep.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table("saved_search")
            .col(ColumnDef::new("id").big_integer().not_null().primary_key())
            .col(ColumnDef::new("member_id").big_integer().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("query").text().not_null())
            .col(ColumnDef::new("notify").boolean().not_null())
            .col(ColumnDef::new("created_at").big_integer().not_null())
            .col(ColumnDef::new("checked_at").big_integer().not_null())
            .foreign_key(ForeignKey::create().from("saved_search", "member_id").to("member", "id"));
        manager.create_table(table).await?;
        let index = |name: &'static str, columns: [&'static str; 2]| {
            let [first, second] = columns;
            Index::create().name(name).table("saved_search").col(first).col(second).to_owned()
        };
        manager.create_index(index("ix_saved_search_member_id_id", ["member_id", "id"])).await?;
        manager.create_index(index("ix_saved_search_notify_checked_at", ["notify", "checked_at"])).await?;
        let mut once = index("ux_saved_search_member_id_query", ["member_id", "query"]);
        manager.create_index(once.unique().to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("saved_search").to_owned()).await
    }
}
