//! What was said among few and becomes a study: it leaves its space only if somebody says so, and a
//! confidential space not at all.

use super::studies::Origin;
use crate::entities::kinds::{PlaybookVisibility, Visibility};
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, Finding, Result};

/// Where the text of a study was said.
pub(super) async fn origin_of(tx: &Tx, study: i64) -> Result<Origin> {
    let row = Sql::new("SELECT source_topic_id, source_room_id FROM case_study WHERE id = ")
        .bind(study)
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    let room: Option<i64> = row.try_get("", "source_room_id")?;
    Ok(Origin { topic: row.try_get("", "source_topic_id")?, room: room.map(|room| (room, 0)), ..Origin::default() })
}

/// 403 for the text of a confidential space; that of a private one goes into a playbook that more people
/// may read once this is confirmed.
pub(super) async fn may_leave(tx: &Tx, origin: &Origin, book: Option<i64>, confirmed: bool) -> Result<()> {
    let said = match (origin.topic, origin.room) {
        (Some(topic), _) => {
            Sql::new("SELECT s.id, s.visibility FROM topic t JOIN space s ON s.id = t.space_id WHERE t.id = ")
                .bind(topic)
        }
        (None, Some((room, _))) => {
            Sql::new("SELECT s.id, s.visibility FROM room r JOIN space s ON s.id = r.space_id WHERE r.id = ").bind(room)
        }
        (None, None) => return Ok(()),
    };
    let Some(row) = said.one(tx.conn()).await? else { return Ok(()) };
    let space: i64 = row.try_get("", "id")?;
    match row.try_get::<Visibility>("", "visibility")? {
        Visibility::Confidential => {
            Err(AppError::Forbidden("What is said in a confidential space stays in it.".into()))
        }
        Visibility::Private if !confirmed => match book {
            Some(book) => among(tx, space, book).await,
            None => Ok(()),
        },
        Visibility::Open | Visibility::Restricted | Visibility::Private => Ok(()),
    }
}

/// 409 that asks for a confirmation unless a playbook is read by those of a space alone.
async fn among(tx: &Tx, space: i64, book: i64) -> Result<()> {
    let row = Sql::new("SELECT title, visibility, space_id FROM playbook WHERE id = ")
        .bind(book)
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    let restricted = row.try_get::<PlaybookVisibility>("", "visibility")? == PlaybookVisibility::Restricted;
    if restricted && row.try_get::<Option<i64>>("", "space_id")? == Some(space) {
        return Ok(());
    }
    Err(AppError::Confirm(vec![Finding {
        field: "playbook".into(),
        message: "More people may read this playbook than the private space in which this was said".into(),
        excerpt: row.try_get::<String>("", "title")?.chars().take(80).collect(),
    }]))
}
