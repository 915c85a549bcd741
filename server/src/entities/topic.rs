//! A thread: its title, state and counts. The opening text is the post first_post_id.

use sea_orm::entity::prelude::*;

use super::kinds::TopicKind;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "topic")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub space_id: i64,
    pub author_id: i64,
    pub kind: TopicKind,
    pub title: String,
    pub first_post_id: i64,
    pub post_count: i32,
    pub answer_count: i32,
    pub score: i32,
    pub rank: i32,
    pub created_at: i64,
    pub activity_at: i64,
    pub last_post_id: Option<i64>,
    pub last_author_id: Option<i64>,
    pub pinned_at: Option<i64>,
    pub closed_at: Option<i64>,
    pub closed_by: Option<i64>,
    pub hidden_at: Option<i64>,
    pub deleted_at: Option<i64>,
    pub deleted_by: Option<i64>,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
