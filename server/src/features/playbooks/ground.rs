//! What an action stands on: the study, playbook or scenario it is about, locked, with the
//! member's rights, all read in its transaction.

use sea_orm::QueryResult;

use super::policy::{BookStanding, StudyStanding};
use super::rows::{BOOK, BOOK_JOINS, STANDING, STUDY, WRITER, address, book_standing, kept, study_standing};
use crate::entities::kinds::{MemberState, StudyState};
use crate::features::forum::model::AuthorView;
use crate::features::forum::{AUTHOR, author};
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, Result};

/// A playbook that an action is about.
#[derive(Clone, Debug)]
pub(super) struct BookGround {
    pub id: i64,
    pub space_id: Option<i64>,
    pub version: i32,
    pub standing: BookStanding,
    pub actor: AuthorView,
}

/// A study that an action is about.
#[derive(Clone, Debug)]
pub(super) struct StudyGround {
    pub id: i64,
    pub title: String,
    pub state: StudyState,
    pub playbook_id: Option<i64>,
    /// Of its home.
    pub checklist: Vec<String>,
    /// Number of the published revision; 0 for none.
    pub published: i32,
    pub revision_count: i32,
    /// It was taken off the lists, and no revision has been published since.
    pub retired: bool,
    pub topic_id: Option<i64>,
    pub version: i32,
    pub standing: StudyStanding,
    pub actor: AuthorView,
}

const ACTIVE: &str = "This account is suspended.";

fn active(row: &QueryResult) -> Result<()> {
    if row.try_get::<MemberState>("v_", "state")? == MemberState::Active {
        Ok(())
    } else {
        Err(AppError::Forbidden(ACTIVE.into()))
    }
}

/// A playbook by its address, locked; 404 if it is not there for the member.
pub(super) async fn playbook(tx: &Tx, member: i64, slug: &str) -> Result<BookGround> {
    let sql = Sql::new("SELECT ")
        .then(BOOK)
        .then(", ")
        .then(STANDING)
        .then(", ")
        .then(AUTHOR)
        .then(" FROM playbook b JOIN member a ON a.id = ")
        .bind(member)
        .then(BOOK_JOINS)
        .then(" WHERE b.slug = ")
        .bind(address(slug)?)
        .locking("b", tx.conn());
    let row = sql.one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    let standing = book_standing(&row)?;
    standing.read()?;
    active(&row)?;
    Ok(BookGround {
        id: row.try_get("b_", "id")?,
        space_id: row.try_get("b_", "space_id")?,
        version: row.try_get("b_", "version")?,
        standing,
        actor: author(&row)?,
    })
}

/// A study by its address, locked; 404 if it is not there for the member, 403 for the suspended.
pub(super) async fn study(tx: &Tx, member: i64, slug: &str) -> Result<StudyGround> {
    let row = study_row(tx, member, slug).await?;
    study_standing(&row)?.read()?;
    active(&row)?;
    study_of(&row)
}

/// The same of a study that this transaction has made for a member, who need not be able to act.
pub(super) async fn made(tx: &Tx, member: i64, slug: &str) -> Result<StudyGround> {
    study_of(&study_row(tx, member, slug).await?)
}

async fn study_row(tx: &Tx, member: i64, slug: &str) -> Result<QueryResult> {
    let sql = Sql::new("SELECT b.checklist AS b_checklist, c.topic_id AS c_topic_id, ")
        .then(WRITER)
        .then(", ")
        .then(STUDY)
        .then(", ")
        .then(BOOK)
        .then(", ")
        .then(STANDING)
        .then(", ")
        .then(AUTHOR)
        .then(" FROM case_study c LEFT JOIN playbook b ON b.id = c.playbook_id JOIN member a ON a.id = ")
        .bind(member)
        .then(BOOK_JOINS)
        .then(" LEFT JOIN study_author sa ON sa.study_id = c.id AND sa.member_id = a.id WHERE c.slug = ")
        .bind(address(slug)?)
        .locking("c", tx.conn());
    sql.one(tx.conn()).await?.ok_or(AppError::NotFound)
}

fn study_of(row: &QueryResult) -> Result<StudyGround> {
    let standing = study_standing(row)?;
    Ok(StudyGround {
        id: row.try_get("c_", "id")?,
        title: row.try_get("c_", "title")?,
        state: standing.state,
        playbook_id: row.try_get("c_", "playbook_id")?,
        checklist: kept(row.try_get::<Option<String>>("b_", "checklist")?.as_deref().unwrap_or_default()),
        published: row.try_get("c_", "published")?,
        revision_count: row.try_get("c_", "revision_count")?,
        retired: row.try_get::<Option<i64>>("c_", "retired_at")?.is_some(),
        topic_id: row.try_get("c_", "topic_id")?,
        version: row.try_get("c_", "version")?,
        standing,
        actor: author(row)?,
    })
}

/// The member who acts, if their account can be used.
pub(super) async fn actor(tx: &Tx, member: i64) -> Result<AuthorView> {
    let sql = Sql::new("SELECT a.id AS v_id, a.state AS v_state, ").then(AUTHOR).then(" FROM member a WHERE a.id = ");
    let row = sql.bind(member).one(tx.conn()).await?.ok_or(AppError::Unauthenticated)?;
    active(&row)?;
    author(&row)
}
