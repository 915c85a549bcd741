//! Who runs a playbook and who reviews in it.

use sea_orm::entity::prelude::*;

use super::kinds::PlaybookRole;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "playbook_member")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub playbook_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: i64,
    pub role: PlaybookRole,
    pub added_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
