//! The edits of posts become their revisions, as they were written: in Markdown.
//!
//! Posts that were never edited have none: their one state is the post itself. The last revision
//! is the post as it stands; its own body came as HTML and may differ in a blank or two.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult as _, QueryFilter as _,
    QuerySelect as _, Statement,
};

use super::Run;
use super::dump::{Changed, HistoryRow, tags_of};
use super::members::Authors;
use super::posts;
use super::reading::batches;
use crate::entities::{post, post_revision};
use crate::features::imports::{refs, texts};
use crate::store::Tx;
use crate::web::checks::{BODY, TITLE};
use crate::web::error::Result;

/// One edit: rows of the file that belong together.
#[derive(Clone, Debug)]
struct Edit {
    /// Its reference: rows of one edit share a GUID; with the post, as a merge may touch two.
    key: String,
    post: i64,
    editor: i64,
    created: i64,
    note: String,
    title: Option<String>,
    tags: Option<String>,
    body: Option<String>,
}

/// Reads the edits and adds those that are new.
pub async fn import(run: &Run, authors: &Authors) -> Result<()> {
    let Some(path) = run.files.history.clone() else { return Ok(()) };
    let take = |row| HistoryRow::parse(row).ok().flatten();
    let together = |last: &HistoryRow, next: &HistoryRow| last.edit == next.edit;
    let mut rows = batches(path, Arc::clone(&run.progress), take, together);
    while let Some(batch) = rows.recv().await {
        let edits = edits_of(batch?, authors);
        if edits.is_empty() {
            continue;
        }
        let (source, space) = (run.source.clone(), run.space);
        let added = run.state.store.write(async move |tx| insert(tx, &source, space, &edits).await).await?;
        run.progress.count(|report| report.revisions += added);
    }
    Ok(())
}

/// The edits that a batch of rows makes, in their order.
fn edits_of(rows: Vec<HistoryRow>, authors: &Authors) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in rows {
        let Some(author) = authors.of(&row.writer) else { continue };
        let key = format!("{}:{}", row.edit, row.post);
        let place = *places.entry(key.clone()).or_insert(edits.len());
        if place == edits.len() {
            let (title, tags, body) = (None, None, None);
            edits.push(Edit {
                key,
                post: row.post,
                editor: author.id,
                created: row.created,
                note: row.note,
                title,
                tags,
                body,
            });
        }
        let Some(edit) = edits.get_mut(place) else { continue };
        match row.changed {
            Changed::Title => edit.title = Some(texts::fitting_line(&row.text, TITLE)),
            Changed::Body => edit.body = Some(texts::fitting(&row.text, BODY).0),
            Changed::Tags => edit.tags = Some(tags_of(&row.text).join(" ")),
        }
    }
    edits
}

/// A post's newest revision while a batch is written.
#[derive(Clone, Debug, Default)]
struct Last {
    id: i64,
    number: i32,
    title: Option<String>,
    tags: Option<String>,
    body: String,
}

async fn insert(tx: &mut Tx, source: &str, space: i64, edits: &[Edit]) -> Result<u64> {
    posts::count_topics(tx, space, 0).await?;
    let keys: Vec<String> = edits.iter().map(|edit| edit.key.clone()).collect();
    let known = refs::known(tx.conn(), source, refs::EDIT, &keys).await?;
    let mut last = last_of(tx, source, edits).await?;
    let (mut rows, mut kept, mut grown) = (Vec::new(), Vec::new(), HashSet::new());
    for edit in edits.iter().filter(|edit| !known.contains_key(&edit.key)) {
        let Some(of) = last.get_mut(&edit.post) else { continue };
        of.number += 1;
        of.title = edit.title.clone().or_else(|| of.title.take());
        of.tags = edit.tags.clone().or_else(|| of.tags.take());
        if let Some(body) = &edit.body {
            of.body.clone_from(body);
        }
        rows.push(post_revision::ActiveModel {
            post_id: Set(of.id),
            number: Set(of.number),
            title: Set(of.title.clone()),
            tags: Set(of.tags.clone()),
            body: Set(of.body.clone()),
            editor_id: Set(edit.editor),
            note: Set(edit.note.clone()),
            created_at: Set(edit.created),
        });
        kept.push((refs::EDIT, edit.key.clone(), of.id));
        grown.insert(edit.post);
    }
    let added = rows.len() as u64;
    if added == 0 {
        return Ok(0);
    }
    post_revision::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    refs::keep(tx, source, &kept).await?;
    let mut sql = String::from("WITH v(id, number) AS (VALUES ");
    for (index, of) in grown.iter().filter_map(|post| last.get(post)).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let _written = write!(sql, "{comma}({}, {})", of.id, of.number);
    }
    sql.push_str(") UPDATE post SET revision_count = v.number FROM v WHERE post.id = v.id");
    // Numbers alone, and a text that comes once: nothing to bind, nothing to keep prepared.
    tx.conn().execute_unprepared(&sql).await?;
    Ok(added)
}

/// The posts of a batch that were ever edited, with their newest revision, by the dump's ids.
async fn last_of(tx: &Tx, source: &str, edits: &[Edit]) -> Result<HashMap<i64, Last>> {
    let local = refs::known_numbers(tx.conn(), source, refs::POST, edits.iter().map(|edit| edit.post)).await?;
    let ids: Vec<i64> = local.values().copied().collect();
    let mut last: HashMap<i64, Last> = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(refs::CHUNK) {
        let found: Vec<(i64, i32)> = post::Entity::find()
            .select_only()
            .column(post::Column::Id)
            .column(post::Column::RevisionCount)
            .filter(post::Column::Id.is_in(chunk.iter().copied()))
            .filter(post::Column::EditedAt.is_not_null())
            .into_tuple()
            .all(tx.conn())
            .await?;
        last.extend(found.into_iter().map(|(id, number)| (id, Last { id, number, ..Last::default() })));
    }
    let begun: Vec<String> = last.values().filter(|of| of.number > 0).map(|of| of.id.to_string()).collect();
    for chunk in begun.chunks(refs::CHUNK) {
        let sql = format!(
            "SELECT r.* FROM post_revision r JOIN post p ON p.id = r.post_id AND p.revision_count = r.number \
             WHERE r.post_id IN ({})",
            chunk.join(", ")
        );
        let backend = tx.conn().get_database_backend();
        let rows = post_revision::Model::find_by_statement(Statement::from_string(backend, sql)).all(tx.conn()).await?;
        for row in rows {
            if let Some(of) = last.get_mut(&row.post_id) {
                (of.title, of.tags, of.body) = (row.title, row.tags, row.body);
            }
        }
    }
    Ok(local.into_iter().filter_map(|(external, id)| Some((external, last.remove(&id)?))).collect())
}
