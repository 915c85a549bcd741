//! Whom to tell of a step: reviewers, authors, those who follow a study or use it.
//!
//! Invariant: nobody hears of a study that they could not open; the rows at the time of the job
//! decide.

use std::collections::HashSet;

use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use super::actions::{attach_discussion, topic_of};
use super::model::StudyRow;
use super::policy::StudyStanding;
use super::rows::{BOOK, BOOK_JOINS, STANDING, STUDY, WRITER, study, study_standing};
use crate::app::AppState;
use crate::entities::kinds::NoticeKind;
use crate::features::accounts::mail;
use crate::features::notices::{self, NewNotice};
use crate::store::Sql;
use crate::web::error::{AppError, Result};

/// People who are told at once of one thing.
const MOST: i64 = 2_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    Submitted,
    Returned,
    Published,
    Retired,
    Commented,
    Due,
}

/// The job `playbooks.notify`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct News {
    pub study: i64,
    pub what: What,
    /// The line of the log, or the comment.
    pub subject: i64,
    pub actor: i64,
    /// Handles as written.
    pub mentions: Vec<String>,
}

impl What {
    const fn notice(self) -> NoticeKind {
        match self {
            Self::Submitted => NoticeKind::StudySubmitted,
            Self::Returned => NoticeKind::StudyReturned,
            Self::Published => NoticeKind::StudyPublished,
            Self::Retired => NoticeKind::StudyRetired,
            Self::Commented => NoticeKind::StudyCommented,
            Self::Due => NoticeKind::StudyDue,
        }
    }

    /// Those of it that are also mailed.
    const fn letter(self) -> Option<&'static str> {
        match self {
            Self::Submitted => Some("study_submitted"),
            Self::Returned => Some("study_returned"),
            Self::Published => Some("study_published"),
            Self::Due => Some("study_due"),
            Self::Retired | Self::Commented => None,
        }
    }
}

/// A member who may hear of it.
struct Reader {
    id: i64,
    author: bool,
    handle: String,
}

pub(super) async fn run(state: &AppState, news: News) -> Result<()> {
    let db = state.store.read();
    let candidates = candidates(db, &news).await?;
    let mut readers = readers(db, &news, &candidates).await?;
    if readers.is_empty() && news.what == What::Due {
        // Nobody who wrote it is here any more: whoever runs its playbook has to see to it.
        readers = self::readers(db, &news, &owners(db, news.study).await?).await?;
    }
    let Some(row) = find(state, news.study).await? else { return Ok(()) };
    if !readers.is_empty() {
        tell(state, &news, &row, &readers).await?;
    }
    if news.what == What::Published {
        open_discussion(state, news.study).await?;
    }
    Ok(())
}

async fn find(state: &AppState, id: i64) -> Result<Option<StudyRow>> {
    let row = Sql::new("SELECT ")
        .then(STUDY)
        .then(", b.slug AS b_slug, b.title AS b_title FROM case_study c LEFT JOIN playbook b ON b.id = c.playbook_id WHERE c.id = ")
        .bind(id)
        .one(state.store.read())
        .await?;
    row.map(|row| study(&row, true, state.clock.now())).transpose()
}

async fn tell(state: &AppState, news: &News, row: &StudyRow, readers: &[Reader]) -> Result<()> {
    let notices: Vec<NewNotice> = readers
        .iter()
        .map(|reader| NewNotice {
            member: reader.id,
            kind: news.what.notice(),
            actor: news.actor,
            subject: news.subject,
            room: None,
            topic: None,
            resource: None,
            study: Some(news.study),
        })
        .collect();
    // Of a new revision only its authors are mailed; who follows a study reads notices.
    let mailed: Vec<i64> =
        readers.iter().filter(|reader| news.what != What::Published || reader.author).map(|reader| reader.id).collect();
    let letter = match news.what.letter() {
        Some(kind) if !mailed.is_empty() => {
            let name = name_of(state, news.actor).await?;
            let path = match news.what {
                What::Published | What::Due | What::Retired => row.url.clone(),
                What::Submitted => format!("{}/review", row.url),
                What::Returned | What::Commented => format!("{}/edit", row.url),
            };
            let letter = mail::told(state, kind, &[("name", &name), ("title", &row.title)], &path).await?;
            Some((kind, letter))
        }
        _ => None,
    };
    let (owned, about) = (state.clone(), news.subject);
    state
        .store
        .write(async move |tx| {
            let new = notices::tell(tx, &notices).await?;
            // A job may run again: whoever was told is not mailed once more.
            let told: HashSet<i64> = new.into_iter().map(|(member, _)| member).collect();
            let mailed: Vec<i64> = mailed.iter().copied().filter(|member| told.contains(member)).collect();
            match &letter {
                Some((kind, letter)) if !mailed.is_empty() => {
                    mail::notify(&owned, tx, kind, &mailed, Some(about), letter).await
                }
                _ => Ok(()),
            }
        })
        .await
}

async fn name_of(state: &AppState, member: i64) -> Result<String> {
    let row = Sql::new("SELECT display_name FROM member WHERE id = ").bind(member).one(state.store.read()).await?;
    row.map_or(Ok(String::new()), |row| Ok(row.try_get("", "display_name")?))
}

/// Those whom a step concerns.
async fn candidates(db: &impl ConnectionTrait, news: &News) -> Result<Vec<i64>> {
    let id = news.study;
    let authors =
        |sql: Sql| sql.then("SELECT member_id FROM study_author WHERE role = 'author' AND study_id = ").bind(id);
    let sql = match news.what {
        What::Submitted => return reviewers(db, id).await,
        What::Returned => authors(Sql::default()),
        What::Due => authors(Sql::default())
            .then(" UNION SELECT owner_id FROM case_study WHERE owner_id IS NOT NULL AND id = ")
            .bind(id),
        What::Published | What::Retired => authors(Sql::default())
            .then(" UNION SELECT member_id FROM study_author WHERE study_id = ")
            .bind(id)
            .then(" UNION SELECT member_id FROM study_follow WHERE study_id = ")
            .bind(id)
            .then(" UNION SELECT member_id FROM study_adoption WHERE study_id = ")
            .bind(id),
        What::Commented => authors(Sql::default())
            .then(" UNION SELECT o.author_id FROM study_comment k JOIN study_comment o ON o.id = k.parent_id OR o.parent_id = k.parent_id WHERE k.id = ")
            .bind(news.subject)
            .then(" UNION SELECT id FROM member WHERE handle IN ")
            .list(news.mentions.iter().take(50).cloned()),
    };
    let rows = sql.limit(MOST).all(db).await?;
    rows.iter().map(|row| Ok(row.try_get("", "member_id")?)).collect()
}

/// The owners of a study's playbook; without any in use, who would review it.
async fn owners(db: &impl ConnectionTrait, study: i64) -> Result<Vec<i64>> {
    let rows = Sql::new(
        "SELECT m.id FROM case_study c JOIN playbook_member p ON p.playbook_id = c.playbook_id AND p.role = 'owner' \
         JOIN member m ON m.id = p.member_id WHERE m.state = 'active' AND c.id = ",
    )
    .bind(study)
    .then(" LIMIT 100")
    .all(db)
    .await?;
    if rows.is_empty() {
        return reviewers(db, study).await;
    }
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Who is to look at a study: the people of its playbook; without any but authors, those who run
/// its space; without these, the administrators.
async fn reviewers(db: &impl ConnectionTrait, study: i64) -> Result<Vec<i64>> {
    let not_an_author = " AND c.created_by <> m.id AND COALESCE(c.submitted_by, 0) <> m.id \
        AND NOT EXISTS (SELECT 1 FROM study_author w WHERE w.study_id = c.id AND w.role = 'author' AND w.member_id = m.id) \
        AND NOT EXISTS (SELECT 1 FROM study_part_revision w WHERE w.study_id = c.id AND w.editor_id = m.id) \
        AND NOT EXISTS (SELECT 1 FROM study_revision_author w WHERE w.study_id = c.id AND w.role = 'author' AND w.member_id = m.id) LIMIT 100";
    let ways = [
        "SELECT m.id FROM case_study c JOIN playbook_member p ON p.playbook_id = c.playbook_id JOIN member m ON m.id = p.member_id",
        "SELECT m.id FROM case_study c JOIN playbook b ON b.id = c.playbook_id JOIN space_member p ON p.space_id = b.space_id AND p.role <> 'member' JOIN member m ON m.id = p.member_id",
        "SELECT m.id FROM case_study c JOIN member m ON m.hub_role = 'administrator'",
    ];
    for way in ways {
        let rows =
            Sql::new(way).then(" WHERE m.state = 'active' AND c.id = ").bind(study).then(not_an_author).all(db).await?;
        if !rows.is_empty() {
            return rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect();
        }
    }
    Ok(Vec::new())
}

/// Those of some members who may read the study now, without who did it and who blocks them.
async fn readers(db: &impl ConnectionTrait, news: &News, members: &[i64]) -> Result<Vec<Reader>> {
    let mut readers = Vec::new();
    for batch in members.chunks(400) {
        let rows = Sql::new("SELECT a.handle AS v_handle, ")
            .then(WRITER)
            .then(", ")
            .then(STUDY)
            .then(", ")
            .then(BOOK)
            .then(", ")
            .then(STANDING)
            .then(" FROM case_study c LEFT JOIN playbook b ON b.id = c.playbook_id JOIN member a ON a.id IN ")
            .list(batch.iter().copied())
            .then(BOOK_JOINS)
            .then(" LEFT JOIN study_author sa ON sa.study_id = c.id AND sa.member_id = a.id WHERE c.id = ")
            .bind(news.study)
            .then(" AND a.state = 'active' AND (a.id <> ")
            .bind(news.actor)
            .then(" OR ")
            .bind(i32::from(news.what == What::Due))
            .then(" = 1) AND (NOT EXISTS (SELECT 1 FROM member_block k WHERE k.member_id = a.id AND k.blocked_id = ")
            .bind(news.actor)
            .then(") OR ")
            .bind(i32::from(news.what == What::Due))
            .then(" = 1)")
            .all(db)
            .await?;
        for row in rows {
            let standing: StudyStanding = study_standing(&row)?;
            let may = match news.what {
                What::Published | What::Retired | What::Due => standing.read().is_ok(),
                What::Submitted | What::Returned | What::Commented => standing.reads_working(),
            };
            if may {
                readers.push(Reader {
                    id: row.try_get("v_", "id")?,
                    author: standing.author,
                    handle: row.try_get("v_", "handle")?,
                });
            }
        }
    }
    readers.sort_by(|a, b| a.handle.cmp(&b.handle));
    Ok(readers)
}

/// Opens the discussion of a study that has just been published, if its playbook has a space and
/// one of its authors writes there.
async fn open_discussion(state: &AppState, id: i64) -> Result<()> {
    let row = Sql::new(
        "SELECT c.slug, c.live_title, c.live_summary, b.space_id, (SELECT w.member_id FROM study_author w \
         WHERE w.study_id = c.id AND w.role = 'author' ORDER BY w.position, w.member_id LIMIT 1) AS author_id \
         FROM case_study c JOIN playbook b ON b.id = c.playbook_id JOIN space s ON s.id = b.space_id \
         WHERE c.topic_id IS NULL AND c.published > 0 AND c.retired_at IS NULL AND s.archived_at IS NULL AND c.id = ",
    )
    .bind(id)
    .one(state.store.read())
    .await?;
    let Some(row) = row else { return Ok(()) };
    let (space, author): (i64, Option<i64>) = (row.try_get("", "space_id")?, row.try_get("", "author_id")?);
    let Some(author) = author else { return Ok(()) };
    let (slug, title, summary): (String, String, String) =
        (row.try_get("", "slug")?, row.try_get("", "live_title")?, row.try_get("", "live_summary")?);
    let topic = topic_of(state, space, &slug, &title, &summary).await?;
    let opened = state
        .store
        .write(async move |tx| {
            let free = Sql::new("UPDATE case_study SET topic_id = topic_id WHERE topic_id IS NULL AND id = ").bind(id);
            if free.run(tx.conn()).await?.rows_affected() == 0 {
                return Ok(());
            }
            attach_discussion(tx, author, id, space, &topic).await.map(|_| ())
        })
        .await;
    match opened {
        // Whoever wrote it does not write in this space: a reader may open the discussion.
        Ok(()) | Err(AppError::Forbidden(_) | AppError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}
