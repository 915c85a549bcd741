//! Beginning a case study, and changing what is about the whole of it.

use actix_web::HttpResponse;

use super::imported::Imported;
use super::leaving::{may_leave, origin_of};
use super::parts::check_day;
use super::study_rows::{insert_row, keep_saved, log, people, place, set_terms, write_imported, write_parts};
use super::{gather, under};
use crate::app::AppState;
use crate::entities::kinds::{PartKey, StudyAct, StudySource};
use crate::features::playbooks::ground::{self, StudyGround};
use crate::features::playbooks::measures::MeasureInput;
use crate::features::playbooks::model::StudyView;
use crate::features::playbooks::parts::PartContent;
use crate::features::playbooks::queries::{Which, part_of, study_view_in};
use crate::features::playbooks::terms::{self, Terms};
use crate::features::playbooks::texts::{PartInput, Written, check_part, render_parts};
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{self, TITLE, Text};
use crate::web::error::{AppError, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::{Me, Viewer};

/// A study to be begun.
#[derive(Clone, Debug, Default)]
pub struct NewStudy {
    pub title: String,
    /// Slug of its home.
    pub playbook: Option<String>,
    /// Scenarios of its home.
    pub scenarios: Vec<i64>,
    /// `summary` among them; measures belong to `outcomes`.
    pub parts: Vec<(PartKey, PartInput)>,
    /// By the word of their kind.
    pub terms: std::collections::BTreeMap<String, Vec<String>>,
    pub confirmed: bool,
}

/// What of a study becomes new; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct StudyChange {
    pub title: Option<String>,
    /// Slug of its home; `Some(None)` takes it out of the one it has, before it is published.
    pub playbook: Option<Option<String>>,
    pub scenarios: Option<Vec<i64>>,
    pub summary: Option<String>,
    pub measures: Option<Vec<MeasureInput>>,
    /// Kinds that are named are replaced.
    pub terms: Option<std::collections::BTreeMap<String, Vec<String>>>,
    pub confirmed: bool,
}

/// Where a study comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    pub topic: Option<i64>,
    pub room: Option<(i64, i64)>,
    pub url: Option<String>,
    /// Members who are thanked.
    pub credited: Vec<i64>,
}

impl Origin {
    pub(super) const fn source(&self) -> StudySource {
        if self.topic.is_some() {
            StudySource::Topic
        } else if self.room.is_some() {
            StudySource::Messages
        } else if self.url.is_some() {
            StudySource::Import
        } else {
            StudySource::Written
        }
    }
}

/// Checked and rendered.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub title: String,
    playbook: Option<String>,
    scenarios: Vec<i64>,
    pub parts: Vec<(PartKey, Written)>,
    terms: Terms,
    pub origin: Origin,
    /// The address that is wanted, if it is not that of the title.
    pub slug: Option<String>,
    pub confirmed: bool,
}

/// Scenarios that a study may stand in, of one playbook.
pub(super) const MOST_SCENARIOS: usize = 30;

/// Begins a study; any member. They are its first author.
pub async fn create_study(state: &AppState, me: &Me, new: &NewStudy) -> Result<StudyView> {
    let prepared = prepare(state, new).await?;
    let (owned, viewer) = (state.clone(), Viewer::Member(std::sync::Arc::new(me.clone())));
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let slug = insert_study(tx, member, &prepared).await?.slug;
            study_view_in(tx.conn(), &owned, &viewer, &slug, Which::Working).await
        })
        .await
}

/// The same for a request that may come again.
pub async fn create_study_once(state: &AppState, me: &Me, new: &NewStudy, once: Option<Once>) -> Result<HttpResponse> {
    insert_once(state, me, prepare(state, new).await?, once).await
}

pub(super) async fn insert_once(
    state: &AppState,
    me: &Me,
    prepared: Prepared,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (owned, viewer) = (state.clone(), Viewer::Member(std::sync::Arc::new(me.clone())));
    let member = me.id;
    write_once(state, member, once, async move |tx| {
        let made = insert_study(tx, member, &prepared).await?;
        let view = study_view_in(tx.conn(), &owned, &viewer, &made.slug, Which::Working).await?;
        let answer = Answer::created(format!("/api/v1/case-studies/{}", made.slug), &view, Some(made.id))?;
        Ok(answer.with_etag(of_version(view.version)))
    })
    .await
}

/// Checks and renders a study, before its transaction; every fault at once.
pub(super) async fn prepare(state: &AppState, new: &NewStudy) -> Result<Prepared> {
    let mut faults = Vec::new();
    let title =
        gather(&mut faults, checks::check(&[Text::line("title", &new.title, TITLE).required()], new.confirmed))?;
    let terms = gather(&mut faults, terms::parse(&new.terms))?;
    let mut parts: Vec<(PartKey, PartContent)> = Vec::new();
    for (key, input) in &new.parts {
        let mut found = Vec::new();
        let content = gather(&mut found, check_part(*key, input, new.confirmed, true))?;
        faults.extend(placed(*key, found));
        let Some(content) = content else { continue };
        if let Err(AppError::Invalid(found)) = check_day(*key, &content) {
            faults.extend(under(*key, found));
        }
        if !content.is_empty() && !parts.iter().any(|(known, _)| known == key) {
            parts.push((*key, content));
        }
    }
    if new.scenarios.len() > MOST_SCENARIOS {
        faults.push(crate::web::error::FieldError {
            field: "scenarios".into(),
            message: format!("has {MOST_SCENARIOS} scenarios at most"),
        });
    }
    let (Some(title), Some(terms), true) = (title, terms, faults.is_empty()) else {
        return Err(AppError::Invalid(faults));
    };
    Ok(Prepared {
        title: title.get("title").to_owned(),
        playbook: new.playbook.clone().filter(|slug| !slug.is_empty()),
        scenarios: new.scenarios.clone(),
        parts: render_parts(state, parts).await?,
        terms,
        origin: Origin::default(),
        slug: None,
        confirmed: new.confirmed,
    })
}

/// Faults with the names that the caller used: `summary` and `measures` stand beside the parts.
fn placed(key: PartKey, faults: Vec<crate::web::error::FieldError>) -> Vec<crate::web::error::FieldError> {
    let (beside, inside): (Vec<_>, Vec<_>) =
        faults.into_iter().partition(|fault| key == PartKey::Outcomes && fault.field.starts_with("measures"));
    if key == PartKey::Summary {
        return inside
            .into_iter()
            .map(|fault| crate::web::error::FieldError { field: "summary".into(), message: fault.message })
            .collect();
    }
    beside.into_iter().chain(under(key, inside)).collect()
}

/// A study that was just made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub id: i64,
    pub slug: String,
}

/// Begins a study inside a transaction.
pub(super) async fn insert_study(tx: &mut Tx, member: i64, new: &Prepared) -> Result<Made> {
    ground::actor(tx, member).await?;
    let book = match &new.playbook {
        Some(slug) => Some(home(tx, member, slug).await?),
        None => None,
    };
    may_leave(tx, &new.origin, book, new.confirmed).await?;
    let id = tx.id();
    let slug = insert_row(tx, id, member, book, &new.title, &new.origin, new.slug.as_deref()).await?;
    people(tx, id, &[member], &new.origin.credited).await?;
    write_parts(tx, id, member, &new.parts).await?;
    set_terms(tx, id, &new.terms, false).await?;
    place(tx, id, book, &new.scenarios).await?;
    if new.origin.topic.is_some() || new.origin.room.is_some() {
        // Its co-authors and reviewers see what its first author took along.
        let files =
            new.parts.iter().flat_map(|(_, written)| crate::features::people::linked_files(&written.all_html()));
        super::publish::show(tx, id, files.collect()).await?;
    }
    log(tx, id, StudyAct::Made, member, "", &[], None).await?;
    tx.append(Stream::case_study(id), NewEvent::new("state.changed", id, Some(member)));
    Ok(Made { id, slug })
}

/// Begins a study that comes from elsewhere, by its first author.
pub(super) async fn insert_named(tx: &mut Tx, first: i64, new: &Imported, slug: Option<&str>) -> Result<Made> {
    let id = tx.id();
    let origin = Origin { url: new.url.clone(), ..Origin::default() };
    let slug = insert_row(tx, id, first, Some(new.playbook), &new.title, &origin, slug).await?;
    Sql::new("UPDATE case_study SET source = 'import' WHERE id = ").bind(id).run(tx.conn()).await?;
    let authors = if new.authors.is_empty() { vec![first] } else { new.authors.clone() };
    people(tx, id, &authors, &new.credited).await?;
    write_imported(tx, id, first, &new.parts).await?;
    Ok(Made { id, slug })
}

/// A playbook that takes studies and that the member may read; its id.
async fn home(tx: &Tx, member: i64, slug: &str) -> Result<i64> {
    let book = ground::playbook(tx, member, slug).await.map_err(|error| match error {
        AppError::NotFound => AppError::field("playbook", "is the address of a playbook that you can read"),
        other => other,
    })?;
    book.standing.takes_studies()?;
    Ok(book.id)
}

/// Changes what is about the whole study: its authors. `If-Match` is the version of the study.
pub async fn edit_study(state: &AppState, me: &Me, slug: &str, change: &StudyChange, if_match: IfMatch) -> Result<()> {
    let mut faults = Vec::new();
    let mut parts = Vec::new();
    if let Some(summary) = &change.summary {
        let input = PartInput { body: summary.clone(), ..PartInput::default() };
        let mut found = Vec::new();
        let content = gather(&mut found, check_part(PartKey::Summary, &input, change.confirmed, true))?;
        faults.extend(placed(PartKey::Summary, found));
        parts.extend(content.map(|content| (PartKey::Summary, content)));
    }
    let texts: Vec<Text<'_>> =
        change.title.as_deref().map(|title| Text::line("title", title, TITLE).required()).into_iter().collect();
    let checked = gather(&mut faults, checks::check(&texts, change.confirmed))?;
    let terms = change.terms.as_ref().map(|given| gather(&mut faults, terms::parse(given))).transpose()?.flatten();
    let measures = change
        .measures
        .as_ref()
        .map(|given| gather(&mut faults, crate::features::playbooks::measures::parse(given)))
        .transpose()?
        .flatten();
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let title = change.title.as_ref().and(checked).map(|checked| checked.get("title").to_owned());
    let parts = render_parts(state, parts).await?;
    let (playbook, scenarios, confirmed) = (change.playbook.clone(), change.scenarios.clone(), change.confirmed);
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let mut study = ground::study(tx, member, &slug).await?;
            study.standing.edit()?;
            if_match.check(study.version)?;
            if let Some(home) = &playbook {
                move_home(tx, member, &mut study, home.as_deref(), confirmed).await?;
            }
            if let Some(title) = title.as_ref().filter(|title| **title != study.title) {
                retitle(tx, &study, title).await?;
            }
            if let Some(scenarios) = &scenarios {
                place(tx, study.id, study.playbook_id, scenarios).await?;
                if let Some(home) = study.playbook_id.filter(|_| study.published > 0) {
                    super::told::book_changed(tx, home, Some(member));
                }
            }
            if let Some(terms) = &terms {
                change_terms(tx, &study, terms).await?;
            }
            for (key, written) in &parts {
                let current = part_of(tx.conn(), study.id, *key).await?;
                super::parts::write_part(tx, &study, *key, written, &current, "").await?;
            }
            if let Some(measures) = &measures {
                let current = part_of(tx.conn(), study.id, PartKey::Outcomes).await?;
                let content = PartContent {
                    body: current.body.clone(),
                    fields: current.fields.clone(),
                    measures: measures.clone(),
                };
                let written = Written { content, html: current.body_html.clone(), ..Written::default() };
                super::parts::write_part(tx, &study, PartKey::Outcomes, &written, &current, "").await?;
            }
            Ok(())
        })
        .await
}

async fn retitle(tx: &mut Tx, study: &StudyGround, title: &str) -> Result<()> {
    Sql::new("UPDATE case_study SET title = ").bind(title).then(" WHERE id = ").bind(study.id).run(tx.conn()).await?;
    keep_saved(tx, study, "title", title).await?;
    changed(tx, study).await
}

async fn change_terms(tx: &mut Tx, study: &StudyGround, new: &Terms) -> Result<()> {
    let old = crate::features::playbooks::queries::terms_of(tx.conn(), &[study.id], false).await?;
    let old = old.get(&study.id).cloned().unwrap_or_default();
    let mut all = old.clone();
    all.extend(new.iter().map(|(kind, labels)| (*kind, labels.clone())));
    all.retain(|_, labels| !labels.is_empty());
    let folded = |terms: &Terms| -> Vec<(crate::entities::kinds::TermKind, Vec<String>)> {
        terms
            .iter()
            .map(|(kind, labels)| {
                let mut labels = labels.clone();
                labels.sort();
                (*kind, labels)
            })
            .collect()
    };
    if folded(&old) == folded(&all) {
        return Ok(());
    }
    set_terms(tx, study.id, &all, false).await?;
    keep_saved(tx, study, "terms", &serde_json::to_string(&all)?).await?;
    changed(tx, study).await
}

/// Something of the whole study is new: its version moves, and readers of its stream hear of it.
pub(super) async fn changed(tx: &mut Tx, study: &StudyGround) -> Result<()> {
    super::touch(tx, study.id).await?;
    super::mark_revised(tx, study.id, study.actor.id).await?;
    tx.append(Stream::case_study(study.id), NewEvent::new("study.changed", study.id, Some(study.actor.id)));
    Ok(())
}

/// Gives a study another home, or none; not while it waits for a review or is published there.
async fn move_home(
    tx: &mut Tx,
    member: i64,
    study: &mut StudyGround,
    slug: Option<&str>,
    confirmed: bool,
) -> Result<()> {
    let book = match slug.filter(|slug| !slug.is_empty()) {
        Some(slug) => Some(home(tx, member, slug).await?),
        None => None,
    };
    if book == study.playbook_id {
        return Ok(());
    }
    if study.published > 0 || study.state == crate::entities::kinds::StudyState::Submitted {
        return Err(AppError::Conflict(
            "A case study that is published or waits for a review stays in its playbook.".into(),
        ));
    }
    if book.is_some() {
        may_leave(tx, &origin_of(tx, study.id).await?, book, confirmed).await?;
    }
    Sql::new("DELETE FROM scenario_study WHERE study_id = ").bind(study.id).run(tx.conn()).await?;
    Sql::new("UPDATE case_study SET playbook_id = ")
        .bind(book)
        .then(" WHERE id = ")
        .bind(study.id)
        .run(tx.conn())
        .await?;
    study.playbook_id = book;
    changed(tx, study).await
}
