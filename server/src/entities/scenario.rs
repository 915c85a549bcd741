//! What somebody needs to do, with ordered steps: JSON lists of texts and of their HTML.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scenario")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub playbook_id: i64,
    pub position: i32,
    pub title: String,
    pub description: String,
    pub description_html: String,
    pub steps: String,
    pub steps_html: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
