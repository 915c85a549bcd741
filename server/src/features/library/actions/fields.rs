//! The fields that describe a resource: as given, and as checked.

use crate::app::AppState;
use crate::entities::kinds::{ResourceKind, Stage};
use crate::features::forum;
use crate::features::forum::policy::parse_tags;
use crate::features::library::policy::{NAME, SOURCE, fold, parse_authors, parse_day, parse_topics};
use crate::store::{Id, Sql, Tx};
use crate::web::checks::{BODY, SUMMARY, TITLE, Text, check};
use crate::web::error::{AppError, FieldError, Result};

/// What describes a resource, as given; `None` stays as it is, an empty text empties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub title: Option<String>,
    pub summary: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    /// A word of `ResourceKind`.
    pub kind: Option<String>,
    /// A word of `Stage`.
    pub stage: Option<String>,
    pub topics: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub authors: Option<Vec<String>>,
    pub organisation: Option<String>,
    pub licence: Option<String>,
    pub source: Option<String>,
    /// Days such as 2026-11-26.
    pub published_on: Option<String>,
    pub review_due: Option<String>,
    /// Id of the topic where it is talked about.
    pub topic: Option<String>,
    /// Why, for the history.
    pub note: String,
    /// Keeps passages that the check of texts has found.
    pub confirmed: bool,
}

/// The same, checked and rendered.
#[derive(Clone, Debug, Default)]
pub(super) struct Ready {
    pub title: Option<String>,
    pub summary: Option<String>,
    /// With its HTML.
    pub description: Option<(String, String)>,
    pub kind: Option<ResourceKind>,
    pub stage: Option<Option<Stage>>,
    pub topics: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub authors: Option<Vec<String>>,
    pub organisation: Option<String>,
    pub licence: Option<String>,
    pub source: Option<String>,
    pub published_on: Option<Option<i64>>,
    pub review_due: Option<Option<i64>>,
    pub topic: Option<Option<i64>>,
    pub note: String,
    /// The text of a note, with its HTML.
    pub body: Option<(String, String)>,
}

/// Checks fields, and the text of a note if there is one. Every fault is told at once.
pub(super) async fn ready(state: &AppState, space: i64, of: &Fields, body: Option<&str>) -> Result<Ready> {
    let mut faults: Vec<FieldError> = Vec::new();
    let mut texts = vec![Text::line("note", &of.note, SUMMARY)];
    texts.extend(of.title.as_deref().map(|text| Text::line("title", text, TITLE).required()));
    texts.extend(of.summary.as_deref().map(|text| Text::line("summary", text, SUMMARY)));
    texts.extend(of.description.as_deref().map(|text| Text::body("description", text, BODY)));
    texts.extend(of.organisation.as_deref().map(|text| Text::line("organisation", text, NAME)));
    texts.extend(of.licence.as_deref().map(|text| Text::line("licence", text, NAME)));
    texts.extend(of.source.as_deref().map(|text| Text::line("source", text, SOURCE)));
    texts.extend(body.map(|text| Text::body("body", text, BODY).required()));
    let checked = match check(&texts, of.confirmed) {
        Ok(checked) => checked,
        Err(AppError::Invalid(found)) => {
            faults.extend(found);
            crate::web::checks::Checked::default()
        }
        Err(other) => return Err(other),
    };
    let mut ready = Ready {
        kind: gather(&mut faults, word(of.kind.as_deref(), "kind", ResourceKind::parse, KINDS))?.flatten(),
        stage: gather(&mut faults, stage(of.stage.as_deref()))?.flatten(),
        topics: gather(&mut faults, of.topics.as_deref().map(parse_topics).transpose())?.flatten(),
        tags: gather(&mut faults, of.tags.as_deref().map(parse_tags).transpose())?.flatten(),
        authors: gather(&mut faults, of.authors.as_deref().map(parse_authors).transpose())?.flatten(),
        published_on: gather(&mut faults, day("published_on", of.published_on.as_deref()))?.flatten(),
        review_due: gather(&mut faults, day("review_due", of.review_due.as_deref()))?.flatten(),
        topic: gather(&mut faults, topic(of.topic.as_deref()))?.flatten(),
        ..Ready::default()
    };
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let line = |given: &Option<String>, field: &str| given.as_ref().map(|_| checked.get(field).to_owned());
    ready.title = line(&of.title, "title");
    ready.summary = line(&of.summary, "summary");
    ready.organisation = line(&of.organisation, "organisation");
    ready.licence = line(&of.licence, "licence");
    ready.source = line(&of.source, "source");
    ready.note = checked.get("note").to_owned();
    if of.description.is_some() {
        ready.description = Some(rendered(state, space, checked.get("description")).await?);
    }
    if body.is_some() {
        ready.body = Some(rendered(state, space, checked.get("body")).await?);
    }
    Ok(ready)
}

/// A checked text with its HTML, below a heading of the page.
pub(super) async fn rendered(state: &AppState, space: i64, text: &str) -> Result<(String, String)> {
    if text.is_empty() {
        return Ok(Default::default());
    }
    Ok((text.to_owned(), forum::actions::preview_section(state, space, text).await?))
}

/// Notes faults of a field; other errors pass on.
fn gather<T>(faults: &mut Vec<FieldError>, parsed: Result<T>) -> Result<Option<T>> {
    match parsed {
        Ok(value) => Ok(Some(value)),
        Err(AppError::Invalid(found)) => {
            faults.extend(found);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

const KINDS: &str = "is guidance, report, case_study, dataset, code, template, video, slides, policy or other";

fn word<T>(given: Option<&str>, field: &'static str, parse: fn(&str) -> Option<T>, choices: &str) -> Result<Option<T>> {
    match given {
        None | Some("") => Ok(None),
        Some(word) => parse(word).map(Some).ok_or_else(|| AppError::field(field, choices)),
    }
}

fn stage(given: Option<&str>) -> Result<Option<Option<Stage>>> {
    Ok(match given {
        None => None,
        Some(given) => Some(word(Some(given), "stage", Stage::parse, "is understand, develop or adopt, or empty")?),
    })
}

fn day(field: &'static str, given: Option<&str>) -> Result<Option<Option<i64>>> {
    given.map(|given| parse_day(field, given)).transpose()
}

fn topic(given: Option<&str>) -> Result<Option<Option<i64>>> {
    match given.map(str::trim) {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(id) => {
            let id = id.parse::<Id>().map_err(|_| AppError::field("topic_id", "is a topic of the same space"))?;
            Ok(Some(Some(id.0)))
        }
    }
}

/// 422 unless the topic is one of this space that is shown.
pub(super) async fn check_topic(tx: &Tx, space: i64, topic: Option<Option<i64>>) -> Result<()> {
    let Some(Some(topic)) = topic else { return Ok(()) };
    let found = Sql::new("SELECT 1 AS one FROM topic WHERE deleted_at IS NULL AND hidden_at IS NULL AND id = ")
        .bind(topic)
        .then(" AND space_id = ")
        .bind(space)
        .one(tx.conn())
        .await?;
    if found.is_some() { Ok(()) } else { Err(AppError::field("topic_id", "is a topic of the same space")) }
}

/// Gives a resource exactly these terms of a vocabulary.
pub(super) async fn set_terms(tx: &Tx, resource: i64, vocabulary: &'static str, terms: &[String]) -> Result<()> {
    Sql::new("DELETE FROM resource_term WHERE resource_id = ")
        .bind(resource)
        .then(" AND vocabulary = ")
        .bind(vocabulary)
        .run(tx.conn())
        .await?;
    if terms.is_empty() {
        return Ok(());
    }
    let rows = terms
        .iter()
        .map(|term| [resource.into(), vocabulary.into(), term.clone().into(), fold(term).into()])
        .collect::<Vec<[sea_orm::Value; 4]>>();
    crate::store::insert_rows(
        tx.conn(),
        "INSERT INTO resource_term (resource_id, vocabulary, term, folded) VALUES ",
        rows,
    )
    .await
}
