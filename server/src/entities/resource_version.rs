//! One state of what a resource is made of: a file by its content, an address, or a text.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resource_version")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub resource_id: i64,
    pub number: i32,
    pub author_id: i64,
    pub note: String,
    pub created_at: i64,
    pub sha256: Option<String>,
    pub file_name: Option<String>,
    pub url: Option<String>,
    pub body: Option<String>,
    pub body_html: Option<String>,
    pub restored_from: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
