//! Who wrote what is published, and who was thanked in it, as they were at its publication: the
//! authors of a study are those of its working copy. Readers get those of a revision without rows, which
//! a node of the previous release made, from there.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("study_revision_author")
            .col(ColumnDef::new("study_id").big_integer().not_null())
            .col(ColumnDef::new("number").integer().not_null())
            .col(ColumnDef::new("member_id").big_integer().not_null())
            .col(ColumnDef::new("role").text().not_null())
            .col(ColumnDef::new("position").integer().not_null())
            .primary_key(Index::create().col("study_id").col("number").col("member_id"))
            .foreign_key(ForeignKey::create().from("study_revision_author", "study_id").to("case_study", "id"))
            .foreign_key(ForeignKey::create().from("study_revision_author", "member_id").to("member", "id"))
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("ix_study_revision_author_member_id")
            .table("study_revision_author")
            .col("member_id")
            .to_owned();
        manager.create_index(index).await?;
        manager
            .get_connection()
            .execute_unprepared(
                "INSERT INTO study_revision_author (study_id, number, member_id, role, position) \
                 SELECT r.study_id, r.number, w.member_id, w.role, w.position FROM study_revision r \
                 JOIN study_author w ON w.study_id = r.study_id",
            )
            .await
            .map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        // Words that the release before does not know.
        db.execute_unprepared("DELETE FROM notice WHERE kind = 'study_left'").await?;
        db.execute_unprepared("DELETE FROM study_act WHERE kind IN ('joined', 'credited', 'left')").await?;
        manager.drop_table(Table::drop().table("study_revision_author").to_owned()).await
    }
}
