//! A comment on a part; a thread's state is at its first comment, which has no parent_id.

use sea_orm::entity::prelude::*;

use super::kinds::PartKey;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "study_comment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub study_id: i64,
    pub part: PartKey,
    pub parent_id: Option<i64>,
    pub author_id: i64,
    pub quote: String,
    pub body: String,
    pub body_html: String,
    pub created_at: i64,
    pub edited_at: Option<i64>,
    pub resolved_at: Option<i64>,
    pub resolved_by: Option<i64>,
    pub deleted_at: Option<i64>,
    pub reply_count: i32,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
