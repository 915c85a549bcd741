//! One message. seq is that of its event; number counts the room's messages from 1.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub room_id: i64,
    pub seq: i64,
    pub number: i64,
    pub author_id: i64,
    pub client_id: String,
    pub body: String,
    pub body_html: String,
    pub reply_to: Option<i64>,
    pub thread_id: Option<i64>,
    pub reply_count: i32,
    pub last_reply_at: Option<i64>,
    pub created_at: i64,
    pub edited_at: Option<i64>,
    pub deleted_at: Option<i64>,
    pub deleted_by: Option<i64>,
    pub pinned_at: Option<i64>,
    pub pinned_by: Option<i64>,
    pub reactions: String,
    pub revision_count: i32,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
