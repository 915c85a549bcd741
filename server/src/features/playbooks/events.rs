//! The events of `case_study:` streams (contract, section 3), filled from the rows as they now
//! are. They are read by authors and reviewers alone.
//!
//! Readers have the events of `playbook:` streams, which know of published copies alone:
//! `study.published`, `study.retired`, `study.endorsed`, `study.adopted` and `study.discussed` have
//! the study as its readers get it, `playbook.changed` the playbook.
//!
//! `part.edited` has the part as saved, `comment.created` and `comment.changed` the comment,
//! `state.changed` and `study.changed` the study's state, title, revision and version.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Value, json};

use super::queries::{find_comment, part_view};
use crate::entities::kinds::{PartKey, StudyState};
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::streams::{Committed, NewEvent};
use crate::web::error::Result;

/// A part was saved; the part is named beside the study, as rows of parts have no id.
pub(super) fn part_edited(study: i64, key: PartKey, by: i64) -> NewEvent {
    NewEvent::new("part.edited", study, Some(by)).with(json!({ "part": key }))
}

/// The part that an event is about.
fn part_of(event: &Committed) -> Option<PartKey> {
    event.extra.as_ref()?.get("part")?.as_str().and_then(PartKey::parse)
}

/// Data of events of `case_study:` streams.
pub async fn fill_events(db: &DatabaseConnection, events: Vec<Committed>) -> Result<Vec<Value>> {
    let of = |prefix: &str| -> Vec<i64> {
        let mut ids: Vec<i64> =
            events.iter().filter(|event| event.kind.starts_with(prefix)).map(|event| event.subject).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let parts = parts(db, &of("part.")).await?;
    let comments: HashMap<i64, Value> = find_comment(db, &of("comment."))
        .await?
        .into_iter()
        .map(|(_, comment)| Ok((comment.id.0, serde_json::to_value(comment)?)))
        .collect::<Result<_>>()?;
    let mut studies = of("state.");
    studies.extend(of("study."));
    let states = states(db, &studies).await?;
    Ok(events
        .iter()
        .map(|event| {
            let known = match event.kind.split('.').next() {
                Some("part") => part_of(event).and_then(|key| parts.get(&(event.subject, key))),
                Some("comment") => comments.get(&event.subject),
                _ => states.get(&event.subject),
            };
            known.cloned().unwrap_or_else(|| json!({ "id": Id(event.subject), "deleted": true }))
        })
        .collect())
}

async fn parts(db: &impl ConnectionTrait, studies: &[i64]) -> Result<HashMap<(i64, PartKey), Value>> {
    let mut parts = HashMap::new();
    for batch in studies.chunks(100) {
        let rows = Sql::new(
            "SELECT p.study_id, p.part, p.body, p.body_html, p.fields, p.fields_html, p.measures, p.version, \
             p.updated_at, m.handle FROM study_part p JOIN member m ON m.id = p.updated_by WHERE p.study_id IN ",
        )
        .list(batch.iter().copied())
        .all(db)
        .await?;
        for row in rows {
            let part = part_view(&row)?;
            parts.insert((row.try_get("", "study_id")?, part.key), serde_json::to_value(part)?);
        }
    }
    Ok(parts)
}

async fn states(db: &impl ConnectionTrait, studies: &[i64]) -> Result<HashMap<i64, Value>> {
    let mut states = HashMap::new();
    for batch in studies.chunks(500) {
        let rows =
            Sql::new("SELECT id, slug, title, state, published, published_at, version FROM case_study WHERE id IN ")
                .list(batch.iter().copied())
                .all(db)
                .await?;
        for row in rows {
            let id: i64 = row.try_get("", "id")?;
            let data = json!({
                "id": Id(id),
                "slug": row.try_get::<String>("", "slug")?,
                "title": row.try_get::<String>("", "title")?,
                "state": row.try_get::<StudyState>("", "state")?,
                "revision": row.try_get::<i32>("", "published")?,
                "published_at": row.try_get::<Option<i64>>("", "published_at")?.map(rfc3339),
                "version": row.try_get::<i32>("", "version")?,
            });
            states.insert(id, data);
        }
    }
    Ok(states)
}

/// Data of events of a `playbook:` stream. A study that has left the playbook is no matter of its
/// readers any more.
pub async fn fill_playbook_events(
    db: &DatabaseConnection,
    playbook: i64,
    events: Vec<Committed>,
) -> Result<Vec<Value>> {
    let mut studies: Vec<i64> =
        events.iter().filter(|event| event.kind.starts_with("study.")).map(|event| event.subject).collect();
    studies.sort_unstable();
    studies.dedup();
    let studies = readers_copies(db, playbook, &studies).await?;
    let book = if events.iter().any(|event| event.kind.starts_with("playbook.")) {
        Sql::new("SELECT slug, title, study_count, version FROM playbook WHERE id = ").bind(playbook).one(db).await?
    } else {
        None
    };
    let book = book
        .map(|row| -> Result<Value> {
            Ok(json!({
                "id": Id(playbook),
                "slug": row.try_get::<String>("", "slug")?,
                "title": row.try_get::<String>("", "title")?,
                "study_count": row.try_get::<i32>("", "study_count")?,
                "version": row.try_get::<i32>("", "version")?,
            }))
        })
        .transpose()?;
    Ok(events
        .iter()
        .map(|event| {
            let known = if event.kind.starts_with("study.") { studies.get(&event.subject) } else { book.as_ref() };
            known.cloned().unwrap_or_else(|| json!({ "id": Id(event.subject), "deleted": true }))
        })
        .collect())
}

async fn readers_copies(db: &impl ConnectionTrait, playbook: i64, studies: &[i64]) -> Result<HashMap<i64, Value>> {
    let mut copies = HashMap::new();
    for batch in studies.chunks(500) {
        let rows = Sql::new(
            "SELECT id, slug, live_title, published, published_at, retired_at, endorsement_count, adoption_count \
             FROM case_study WHERE published > 0 AND hidden_at IS NULL AND playbook_id = ",
        )
        .bind(playbook)
        .then(" AND id IN ")
        .list(batch.iter().copied())
        .all(db)
        .await?;
        for row in rows {
            let id: i64 = row.try_get("", "id")?;
            let data = json!({
                "id": Id(id),
                "slug": row.try_get::<String>("", "slug")?,
                "title": row.try_get::<String>("", "live_title")?,
                "revision": row.try_get::<i32>("", "published")?,
                "published_at": row.try_get::<Option<i64>>("", "published_at")?.map(rfc3339),
                "retired": row.try_get::<Option<i64>>("", "retired_at")?.is_some(),
                "endorsement_count": row.try_get::<i32>("", "endorsement_count")?,
                "adoption_count": row.try_get::<i32>("", "adoption_count")?,
            });
            copies.insert(id, data);
        }
    }
    Ok(copies)
}
