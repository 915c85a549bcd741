//! A reply, or a topic's opening text (is_first). tree_pos orders a topic depth first.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "post")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub topic_id: i64,
    pub parent_id: Option<i64>,
    pub author_id: i64,
    pub is_first: bool,
    pub depth: i32,
    pub tree_pos: i64,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    #[sea_orm(column_type = "Text")]
    pub body_html: String,
    pub score: i32,
    pub created_at: i64,
    pub edited_at: Option<i64>,
    pub answer_at: Option<i64>,
    pub answer_by: Option<i64>,
    pub hidden_at: Option<i64>,
    pub deleted_at: Option<i64>,
    pub deleted_by: Option<i64>,
    pub purged_at: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub reactions: String,
    pub endorsement_count: i32,
    pub reply_count: i32,
    pub revision_count: i32,
    pub source_url: Option<String>,
    pub source_author: Option<String>,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
