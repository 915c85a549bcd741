//! Indexes for lists that read whole tables: the directory by name, a space's collections by title,
//! its people and those it asked in, one's own invitations, studies that wait for a review, and reports
//! that were dealt with, the newest first.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Name, and what it is on. `lower` is an index on an expression, the same on both databases.
const INDEXES: [(&str, &str); 9] = [
    ("ix_member_state_lower_name", "member (state, lower(display_name), id)"),
    ("ix_collection_space_id_title", "collection (space_id, title, id)"),
    ("ix_report_created_at", "report (created_at, id)"),
    ("ix_resource_report_created_at", "resource_report (created_at, id)"),
    ("ix_space_member_space_id_joined_at_member_id", "space_member (space_id, joined_at, member_id)"),
    ("ix_space_member_space_id_role_joined_at", "space_member (space_id, role, joined_at, member_id)"),
    ("ix_space_invite_space_id_created_at", "space_invite (space_id, created_at)"),
    ("ix_invitation_invited_by_created_at", "invitation (invited_by, created_at, id)"),
    ("ix_case_study_submitted", "case_study (submitted_at, id) WHERE state = 'submitted'"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, on) in INDEXES {
            manager.get_connection().execute_unprepared(&format!("CREATE INDEX {name} ON {on}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        Ok(())
    }
}
