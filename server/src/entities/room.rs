//! Where people talk: open or private in a space, or direct between the people in direct_key.

use sea_orm::entity::prelude::*;

use super::kinds::RoomKind;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "room")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub space_id: Option<i64>,
    pub kind: RoomKind,
    pub slug: Option<String>,
    pub name: String,
    pub purpose: String,
    pub direct_key: Option<String>,
    pub message_count: i64,
    pub last_message_at: Option<i64>,
    pub archived_at: Option<i64>,
    pub created_by: i64,
    pub created_at: i64,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
