//! A post, a message or a case study brought to the moderators.

use sea_orm::entity::prelude::*;

use super::kinds::{ReportReason, ReportState};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "report")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// One of the three is set.
    pub post_id: Option<i64>,
    pub message_id: Option<i64>,
    pub study_id: Option<i64>,
    /// None for a message of a direct conversation, and for a case study whose playbook has no space.
    pub space_id: Option<i64>,
    pub reporter_id: i64,
    pub reason: ReportReason,
    #[sea_orm(column_type = "Text")]
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
