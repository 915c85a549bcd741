//! Bytes that versions of resources stand on, each content once.

use sea_orm::entity::prelude::*;

use super::kinds::{ScanState, TextState};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stored_file")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sha256: String,
    pub storage_key: String,
    pub size: i64,
    pub media_type: String,
    pub scan_state: ScanState,
    pub scan_note: String,
    pub text_state: TextState,
    pub text_reason: String,
    pub page_count: i32,
    pub created_at: i64,
    /// When it was scanned and its text taken out; since then it is found. `None` if it still waits,
    /// or did not have to.
    pub ready_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
