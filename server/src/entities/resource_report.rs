//! What a member has against a resource.

use sea_orm::entity::prelude::*;

use super::kinds::{ReportReason, ReportState};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resource_report")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub resource_id: i64,
    pub space_id: i64,
    pub reporter_id: i64,
    pub reason: ReportReason,
    pub note: String,
    pub state: ReportState,
    pub created_at: i64,
    pub handled_by: Option<i64>,
    pub handled_at: Option<i64>,
    pub outcome: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
