//! What a study is filed under: of its working copy (`live` 0) and of what is published (1).

use sea_orm::entity::prelude::*;

use super::kinds::TermKind;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "study_term")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub study_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub live: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: TermKind,
    #[sea_orm(primary_key, auto_increment = false)]
    pub term: String,
    pub label: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
