//! A site that considers, tries, uses or gave up what a study describes.

use sea_orm::entity::prelude::*;

use super::kinds::AdoptionStatus;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "study_adoption")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub study_id: i64,
    pub member_id: i64,
    pub organisation: String,
    pub organisation_key: String,
    pub site: String,
    pub status: AdoptionStatus,
    pub why: String,
    pub contact: String,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
