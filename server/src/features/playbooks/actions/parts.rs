//! Saving a part. Two who write the same part: the second hears that the first has saved, with
//! what was saved, and nothing is overwritten.

use crate::app::AppState;
use crate::entities::kinds::{MemberState, PartKey};
use crate::features::playbooks::events::part_edited;
use crate::features::playbooks::ground::{self, StudyGround};
use crate::features::playbooks::model::PartView;
use crate::features::playbooks::parts::PartContent;
use crate::features::playbooks::queries::part_of;
use crate::features::playbooks::texts::{PartInput, Written, check_part, end_of_day, render_parts};
use crate::store::{Sql, Tx};
use crate::streams::Stream;
use crate::web::checks::{self, SUMMARY, Text};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::viewer::Me;

/// A part to be saved.
#[derive(Clone, Debug, Default)]
pub struct PartSave {
    pub input: PartInput,
    /// Why, for the history.
    pub note: String,
    pub confirmed: bool,
    /// The version that the text was begun on, if its writer has seen a later one since, which is
    /// then what saving asks for.
    pub base: Option<i32>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Saved {
    /// The part as it now is.
    Kept(PartView),
    /// Somebody saved the part meanwhile: this is what it says now. What was sent is kept as the
    /// member's draft.
    Stale(PartView),
}

/// Saves a part of a study's working copy: its authors.
pub async fn save_part(
    state: &AppState,
    me: &Me,
    slug: &str,
    key: PartKey,
    save: &PartSave,
    if_match: IfMatch,
) -> Result<Saved> {
    let content = check_part(key, &save.input, save.confirmed, true)?;
    let checked = checks::check(&[Text::line("note", &save.note, SUMMARY)], save.confirmed)?;
    let note = checked.get("note").to_owned();
    let Some((_, written)) = render_parts(state, vec![(key, content)]).await?.pop() else {
        return Err(AppError::internal("a part was lost while it was rendered"));
    };
    let (member, slug, base) = (me.id, slug.to_owned(), save.base);
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            study.standing.edit()?;
            let current = part_of(tx.conn(), study.id, key).await?;
            if if_match.check(current.version).is_err() {
                // Its base stays what it was begun on, whatever its writer was shown since: a draft that
                // conflicts says so until it is saved or let go.
                let base = base.or(if_match.asked()).unwrap_or(current.version);
                super::drafts::store(tx, study.id, key, member, &written.content, base).await?;
                return Ok(Saved::Stale(current));
            }
            let kept = write_part(tx, &study, key, &written, &current, &note).await?;
            super::drafts::forget(tx, study.id, key, member).await?;
            Ok(Saved::Kept(kept))
        })
        .await
}

/// Writes one part, its history and what depends on it. What is already so changes nothing.
pub(super) async fn write_part(
    tx: &mut Tx,
    study: &StudyGround,
    key: PartKey,
    written: &Written,
    current: &PartView,
    note: &str,
) -> Result<PartView> {
    let content = &written.content;
    let same = current.body == content.body && current.fields == content.fields && current.measures == content.measures;
    if same {
        return Ok(current.clone());
    }
    let by = study.actor.id;
    apply(tx, study.id, key, written, study.published > 0).await?;
    let version = insert_part(tx, study.id, key, written, current.version, by, note).await?;
    super::touch(tx, study.id).await?;
    super::mark_revised(tx, study.id, by).await?;
    crate::features::people::adopt_into_study(tx, by, study.id, &written.all_html()).await?;
    tx.append(Stream::case_study(study.id), part_edited(study.id, key, by));
    let part = part_of(tx.conn(), study.id, key).await?;
    if part.version == version { Ok(part) } else { Err(AppError::internal("a part was saved twice at once")) }
}

/// Writes the row and a line of its history; the new version.
pub(super) async fn insert_part(
    tx: &Tx,
    study: i64,
    key: PartKey,
    written: &Written,
    current: i32,
    by: i64,
    note: &str,
) -> Result<i32> {
    let (content, version) = (&written.content, current + 1);
    let fields = serde_json::to_string(&content.fields)?;
    let measures = serde_json::to_string(&content.measures)?;
    Sql::new("INSERT INTO study_part (study_id, part, body, body_html, fields, fields_html, measures, updated_by, updated_at, version) VALUES ")
        .rows([[
            study.into(),
            key.as_str().into(),
            content.body.clone().into(),
            written.html.clone().into(),
            fields.clone().into(),
            serde_json::to_string(&written.fields_html)?.into(),
            measures.clone().into(),
            by.into(),
            tx.now().into(),
            version.into(),
        ]])
        .then(
            " ON CONFLICT (study_id, part) DO UPDATE SET body = excluded.body, body_html = excluded.body_html, \
             fields = excluded.fields, fields_html = excluded.fields_html, measures = excluded.measures, \
             updated_by = excluded.updated_by, updated_at = excluded.updated_at, version = excluded.version",
        )
        .run(tx.conn())
        .await?;
    Sql::new("INSERT INTO study_part_revision (study_id, part, version, body, fields, measures, editor_id, note, created_at) VALUES ")
        .rows([[
            study.into(),
            key.as_str().into(),
            version.into(),
            content.body.clone().into(),
            fields.into(),
            measures.into(),
            by.into(),
            note.into(),
            tx.now().into(),
        ]])
        .run(tx.conn())
        .await?;
    Ok(version)
}

/// What a part says about the study itself: its summary, its owner, the day of its review. The
/// latter two stand on the page of readers: of what is published they change with its next revision.
pub(super) async fn apply(tx: &Tx, study: i64, key: PartKey, written: &Written, published: bool) -> Result<()> {
    let body = &written.content.body;
    let sql = match key {
        PartKey::Summary => Sql::new("UPDATE case_study SET summary = ").bind(body.clone()),
        PartKey::Owner => {
            let owner = owner(tx, body).await?;
            if published {
                return Ok(());
            }
            Sql::new("UPDATE case_study SET owner_id = ").bind(owner)
        }
        PartKey::ReviewDue => {
            if !body.is_empty() && written.due.is_none() {
                return Err(AppError::field("body", "is a day, such as 2027-01-31"));
            }
            if published {
                return Ok(());
            }
            Sql::new("UPDATE case_study SET reminded_at = NULL, review_due = ").bind(written.due)
        }
        _ => return Ok(()),
    };
    sql.then(" WHERE id = ").bind(study).run(tx.conn()).await?;
    Ok(())
}

/// The member who keeps a study true: an account that can be used.
async fn owner(tx: &Tx, handle: &str) -> Result<Option<i64>> {
    let handle = handle.trim_start_matches('@').to_lowercase();
    if handle.is_empty() {
        return Ok(None);
    }
    let row = Sql::new("SELECT id, state FROM member WHERE handle = ").bind(handle).one(tx.conn()).await?;
    let row = row.ok_or_else(|| AppError::field("body", "is the handle of a member"))?;
    match row.try_get::<MemberState>("", "state")? {
        MemberState::Active => Ok(Some(row.try_get("", "id")?)),
        MemberState::Unclaimed | MemberState::Suspended => {
            Err(AppError::field("body", "is a member whose account is not in use: choose another owner"))
        }
    }
}

/// Checks a day before its transaction.
pub(super) fn check_day(key: PartKey, content: &PartContent) -> Result<()> {
    if key == PartKey::ReviewDue && !content.body.is_empty() && end_of_day(&content.body).is_none() {
        return Err(AppError::field("body", "is a day, such as 2027-01-31"));
    }
    Ok(())
}
