//! The log of a study's review. `checklist` is a JSON list of what was ticked.

use sea_orm::entity::prelude::*;

use super::kinds::StudyAct;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "study_act")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub study_id: i64,
    pub kind: StudyAct,
    pub actor_id: i64,
    pub note: String,
    pub checklist: String,
    pub revision: Option<i32>,
    pub at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
