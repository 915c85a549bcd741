//! A playbook: what worked and what did not for one pathway. `checklist` is a JSON list of texts.

use sea_orm::entity::prelude::*;

use super::kinds::PlaybookVisibility;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "playbook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub slug: String,
    pub title: String,
    pub pathway: String,
    pub summary: String,
    pub intro: String,
    pub intro_html: String,
    pub visibility: PlaybookVisibility,
    pub space_id: Option<i64>,
    pub cover_id: Option<i64>,
    pub cover_alt: String,
    pub checklist: String,
    pub study_count: i32,
    pub created_by: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub archived_at: Option<i64>,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
