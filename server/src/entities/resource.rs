//! Something worth keeping in a space; what it is made of stands in the version version_id.

use sea_orm::entity::prelude::*;

use super::kinds::{ResourceForm, ResourceKind, Stage};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resource")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub space_id: i64,
    pub author_id: i64,
    pub form: ResourceForm,
    pub kind: ResourceKind,
    pub stage: Option<Stage>,
    pub title: String,
    pub summary: String,
    pub description: String,
    pub description_html: String,
    pub authors: String,
    pub organisation: String,
    pub licence: String,
    pub source: String,
    pub published_on: Option<i64>,
    pub review_due: Option<i64>,
    pub review_told: bool,
    pub topic_id: Option<i64>,
    pub version_id: i64,
    pub version_count: i32,
    pub download_count: i64,
    pub endorsement_count: i32,
    pub created_at: i64,
    pub updated_at: i64,
    pub hidden_at: Option<i64>,
    pub deleted_at: Option<i64>,
    pub deleted_by: Option<i64>,
    pub purged_at: Option<i64>,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
