//! Something a member should know of; subject_id is the post or message it is about.

use sea_orm::entity::prelude::*;

use super::kinds::NoticeKind;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub member_id: i64,
    pub kind: NoticeKind,
    pub actor_id: i64,
    pub subject_id: i64,
    pub room_id: Option<i64>,
    pub topic_id: Option<i64>,
    pub study_id: Option<i64>,
    pub created_at: i64,
    pub read_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
