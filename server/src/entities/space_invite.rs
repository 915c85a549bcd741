//! A member asked into a space by one who runs it.

use sea_orm::entity::prelude::*;

use super::kinds::SpaceRole;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "space_invite")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub space_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: i64,
    pub role: SpaceRole,
    pub invited_by: i64,
    pub created_at: i64,
    /// Asked by mail address: shown to the member alone, so that no address tells whose it is.
    pub quiet: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
