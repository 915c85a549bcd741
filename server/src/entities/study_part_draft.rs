//! What a member is writing in a part and has not saved.

use sea_orm::entity::prelude::*;

use super::kinds::PartKey;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "study_part_draft")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub study_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub part: PartKey,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: i64,
    pub body: String,
    pub fields: String,
    pub measures: String,
    pub base_version: i32,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
