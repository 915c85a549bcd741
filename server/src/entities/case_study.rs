//! A case study: its state, counts and which revision readers get. `published` is the number of that
//! revision, 0 for none; `live_…` are its title, summary and first measure.

use sea_orm::entity::prelude::*;

use super::kinds::{StudySource, StudyState};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "case_study")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub slug: String,
    pub playbook_id: Option<i64>,
    pub title: String,
    pub summary: String,
    pub live_title: String,
    pub live_summary: String,
    pub live_figure: String,
    pub state: StudyState,
    pub created_by: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub submitted_at: Option<i64>,
    pub submitted_by: Option<i64>,
    pub published_at: Option<i64>,
    pub first_published_at: Option<i64>,
    pub retired_at: Option<i64>,
    /// Moderators took it from its readers; it is retired as well.
    pub hidden_at: Option<i64>,
    /// The last revision that they took: it and those before stay hidden when a new one is published.
    pub hidden_upto: Option<i32>,
    pub owner_id: Option<i64>,
    pub review_due: Option<i64>,
    pub reminded_at: Option<i64>,
    pub published: i32,
    pub revision_count: i32,
    pub endorsement_count: i32,
    pub adoption_count: i32,
    pub open_comments: i32,
    pub topic_id: Option<i64>,
    pub source: StudySource,
    pub source_topic_id: Option<i64>,
    pub source_room_id: Option<i64>,
    pub source_seq: Option<i64>,
    pub source_url: Option<String>,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
