//! An uploaded file: where its bytes are and where it was first used.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "file")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub owner_id: i64,
    pub storage_key: String,
    pub sha256: String,
    pub size: i64,
    pub media_type: String,
    pub name: String,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub post_id: Option<i64>,
    pub message_id: Option<i64>,
    pub study_id: Option<i64>,
    pub playbook_id: Option<i64>,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
