//! A place of one community: who may see it, who runs it.

use sea_orm::entity::prelude::*;

use super::kinds::Visibility;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "space")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub slug: String,
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    pub visibility: Visibility,
    #[sea_orm(column_type = "Text")]
    pub pinned_body: String,
    #[sea_orm(column_type = "Text")]
    pub pinned_html: String,
    pub archived_at: Option<i64>,
    pub created_by: i64,
    pub created_at: i64,
    pub topic_count: i32,
    pub member_count: i32,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
