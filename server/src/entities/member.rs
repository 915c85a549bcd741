//! One account: who somebody is, how they sign in, what they show.

use sea_orm::entity::prelude::*;

use super::kinds::{Availability, Discipline, HubRole, MemberState};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "member")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub handle: String,
    pub display_name: String,
    pub email: Option<String>,
    pub email_verified_at: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub password_hash: Option<String>,
    pub hub_role: HubRole,
    pub state: MemberState,
    pub headline: String,
    pub discipline: Discipline,
    pub organisation: String,
    #[sea_orm(column_type = "Text")]
    pub about: String,
    #[sea_orm(column_type = "Text")]
    pub about_html: String,
    #[sea_orm(column_type = "Text")]
    pub links: String,
    pub time_zone: String,
    pub avatar: Option<String>,
    pub mail_on: bool,
    pub conduct_version: i32,
    pub created_at: i64,
    pub updated_at: i64,
    pub seen_at: Option<i64>,
    pub availability: Availability,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
