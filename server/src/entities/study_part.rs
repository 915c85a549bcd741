//! One part of a study's working copy. `fields` and `fields_html` are JSON objects, `measures` a JSON
//! list.

use sea_orm::entity::prelude::*;

use super::kinds::PartKey;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "study_part")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub study_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub part: PartKey,
    pub body: String,
    pub body_html: String,
    pub fields: String,
    pub fields_html: String,
    pub measures: String,
    pub updated_by: i64,
    pub updated_at: i64,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
