//! Playbooks and case studies by JSON.

mod asked;
mod comments;
mod export;
mod parts;
mod playbooks;
mod register;
mod review;
mod scenarios;
mod studies;
mod trust;

use std::collections::BTreeMap;

use actix_web::web;
use serde::{Deserialize, Deserializer};
use utoipa::{OpenApi, ToSchema};

use super::measures::{Measure, MeasureInput};
use super::model;
use super::parts::{Completeness, PartGuide};
use super::texts::PartInput;
use crate::entities::kinds::PartKey;
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

#[derive(OpenApi)]
#[openapi(
    paths(
        playbooks::list,
        playbooks::create,
        playbooks::get,
        playbooks::patch,
        playbooks::people,
        playbooks::put_person,
        playbooks::delete_person,
        playbooks::reviews,
        scenarios::list,
        scenarios::create,
        scenarios::get,
        scenarios::patch,
        scenarios::delete,
        scenarios::put_study,
        scenarios::delete_study,
        studies::list,
        studies::create,
        studies::from_topic,
        studies::from_messages,
        studies::mine,
        studies::terms,
        studies::get,
        studies::patch,
        studies::related,
        studies::put_author,
        studies::delete_author,
        parts::guides,
        parts::get,
        parts::patch,
        parts::revisions,
        parts::get_draft,
        parts::put_draft,
        parts::delete_draft,
        parts::drafts,
        comments::list,
        comments::create,
        comments::patch,
        comments::delete,
        comments::resolve,
        comments::reopen,
        review::submit,
        review::withdraw,
        review::publish,
        review::send_back,
        review::retire,
        review::revisions,
        review::revision,
        review::diff,
        review::log,
        trust::endorse,
        trust::unendorse,
        trust::endorsements,
        trust::adopt,
        trust::unadopt,
        trust::adoptions,
        trust::follow,
        trust::unfollow,
        trust::discuss,
        export::study,
        export::study_archive,
        export::citation,
        export::playbook,
        register::list,
        register::organisations,
    ),
    components(schemas(
        Measure,
        MeasureInput,
        PartGuide,
        Completeness,
        PartValue,
        model::PlaybookRow,
        model::PlaybookView,
        model::PlaybookPerson,
        model::ScenarioView,
        model::StudyRow,
        model::StudyView,
        model::PartView,
        model::PartDraftView,
        model::PartRevisionView,
        model::CommentView,
        model::StudyRevisionView,
        model::StudyRevisionFull,
        model::PartDiff,
        model::ActView,
        model::StudyEndorsementView,
        model::AdoptionView,
        model::OrganisationView,
        model::DiscussionView,
        model::TermCount,
    ))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure(cfg: &mut Routes) {
    cfg.route("/playbooks", web::get().to(playbooks::list))
        .route("/playbooks", web::post().to(playbooks::create))
        .route("/playbooks/{slug}", web::get().to(playbooks::get))
        .route("/playbooks/{slug}", web::patch().to(playbooks::patch))
        .route("/playbooks/{slug}/people", web::get().to(playbooks::people))
        .route("/playbooks/{slug}/people/{handle}", web::put().to(playbooks::put_person))
        .route("/playbooks/{slug}/people/{handle}", web::delete().to(playbooks::delete_person))
        .route("/playbooks/{slug}/export", web::get().to(export::playbook))
        .route("/playbooks/{slug}/reviews", web::get().to(playbooks::reviews))
        .route("/playbooks/{slug}/scenarios", web::get().to(scenarios::list))
        .route("/playbooks/{slug}/scenarios", web::post().to(scenarios::create))
        .route("/playbooks/{slug}/scenarios/{id}", web::get().to(scenarios::get))
        .route("/playbooks/{slug}/scenarios/{id}", web::patch().to(scenarios::patch))
        .route("/playbooks/{slug}/scenarios/{id}", web::delete().to(scenarios::delete))
        .route("/playbooks/{slug}/scenarios/{id}/studies/{study}", web::put().to(scenarios::put_study))
        .route("/playbooks/{slug}/scenarios/{id}/studies/{study}", web::delete().to(scenarios::delete_study))
        .route("/adoptions", web::get().to(register::list))
        .route("/adoptions/organisations", web::get().to(register::organisations))
        .route("/me/case-studies", web::get().to(studies::mine))
        .route("/case-studies", web::get().to(studies::list))
        .route("/case-studies", web::post().to(studies::create))
        .route("/case-studies/parts", web::get().to(parts::guides))
        .route("/case-studies/terms", web::get().to(studies::terms))
        .route("/case-studies/from-topic", web::post().to(studies::from_topic))
        .route("/case-studies/from-messages", web::post().to(studies::from_messages))
        .route("/case-studies/{slug}", web::get().to(studies::get))
        .route("/case-studies/{slug}", web::patch().to(studies::patch))
        .route("/case-studies/{slug}/export.md", web::get().to(export::study))
        .route("/case-studies/{slug}/export", web::get().to(export::study_archive))
        .route("/case-studies/{slug}/citation", web::get().to(export::citation))
        .route("/case-studies/{slug}/related", web::get().to(studies::related))
        .route("/case-studies/{slug}/authors/{handle}", web::put().to(studies::put_author))
        .route("/case-studies/{slug}/authors/{handle}", web::delete().to(studies::delete_author))
        .route("/case-studies/{slug}/drafts", web::get().to(parts::drafts))
        .route("/case-studies/{slug}/parts/{key}", web::get().to(parts::get))
        .route("/case-studies/{slug}/parts/{key}", web::patch().to(parts::patch))
        .route("/case-studies/{slug}/parts/{key}/revisions", web::get().to(parts::revisions))
        .route("/case-studies/{slug}/parts/{key}/draft", web::get().to(parts::get_draft))
        .route("/case-studies/{slug}/parts/{key}/draft", web::put().to(parts::put_draft))
        .route("/case-studies/{slug}/parts/{key}/draft", web::delete().to(parts::delete_draft))
        .route("/case-studies/{slug}/comments", web::get().to(comments::list))
        .route("/case-studies/{slug}/comments", web::post().to(comments::create))
        .route("/case-studies/{slug}/comments/{id}", web::patch().to(comments::patch))
        .route("/case-studies/{slug}/comments/{id}", web::delete().to(comments::delete))
        .route("/case-studies/{slug}/comments/{id}/resolved", web::put().to(comments::resolve))
        .route("/case-studies/{slug}/comments/{id}/resolved", web::delete().to(comments::reopen))
        .route("/case-studies/{slug}/submit", web::post().to(review::submit))
        .route("/case-studies/{slug}/withdraw", web::post().to(review::withdraw))
        .route("/case-studies/{slug}/publish", web::post().to(review::publish))
        .route("/case-studies/{slug}/return", web::post().to(review::send_back))
        .route("/case-studies/{slug}/retire", web::post().to(review::retire))
        .route("/case-studies/{slug}/revisions", web::get().to(review::revisions))
        .route("/case-studies/{slug}/revisions/{number}", web::get().to(review::revision))
        .route("/case-studies/{slug}/revisions/{number}/diff", web::get().to(review::diff))
        .route("/case-studies/{slug}/log", web::get().to(review::log))
        .route("/case-studies/{slug}/endorsement", web::put().to(trust::endorse))
        .route("/case-studies/{slug}/endorsement", web::delete().to(trust::unendorse))
        .route("/case-studies/{slug}/endorsements", web::get().to(trust::endorsements))
        .route("/case-studies/{slug}/adoption", web::put().to(trust::adopt))
        .route("/case-studies/{slug}/adoption", web::delete().to(trust::unadopt))
        .route("/case-studies/{slug}/adoptions", web::get().to(trust::adoptions))
        .route("/case-studies/{slug}/follow", web::put().to(trust::follow))
        .route("/case-studies/{slug}/follow", web::delete().to(trust::unfollow))
        .route("/case-studies/{slug}/discussion", web::post().to(trust::discuss));
}

/// A part in a body: its text alone, or with what else it has.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum PartValue {
    Text(String),
    Whole(PartBody),
}

/// A part with what it has beside its text.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(super) struct PartBody {
    /// Markdown, at most 60,000 characters; of `summary` and `licence` one line.
    #[serde(default)]
    #[schema(max_length = 60_000)]
    body: String,
    /// By name; what is absent is emptied.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// Of `outcomes`.
    #[serde(default)]
    measures: Vec<MeasureInput>,
}

impl PartBody {
    fn input(self) -> PartInput {
        PartInput { body: self.body, fields: self.fields, measures: self.measures }
    }
}

impl PartValue {
    fn input(self) -> PartInput {
        match self {
            Self::Text(body) => PartInput { body, ..PartInput::default() },
            Self::Whole(part) => part.input(),
        }
    }
}

/// The parts of a body by their keys.
fn parts_of(given: BTreeMap<String, PartValue>) -> Result<Vec<(PartKey, PartInput)>> {
    if given.len() > PartKey::ALL.len() {
        return Err(AppError::field("parts", format!("a case study has {} parts at most", PartKey::ALL.len())));
    }
    let mut parts = Vec::with_capacity(given.len());
    for (word, value) in given {
        let key = PartKey::parse(&word).ok_or_else(|| {
            AppError::field("parts", format!("{} is no part", word.chars().take(40).collect::<String>()))
        })?;
        parts.push((key, value.input()));
    }
    Ok(parts)
}

/// A part by the word in an address; 404 for any other.
fn key_of(word: &str) -> Result<PartKey> {
    PartKey::parse(word).ok_or(AppError::NotFound)
}

fn id_of(text: &str) -> Result<i64> {
    text.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}

/// Ids of a list in a body.
fn ids_of(field: &'static str, given: &[String]) -> Result<Vec<i64>> {
    if given.len() > 200 {
        return Err(AppError::field(field, "has 200 at most"));
    }
    given
        .iter()
        .map(|text| text.parse::<Id>().map(|id| id.0).map_err(|_| AppError::field(field, "are ids of this hub")))
        .collect()
}

/// A field that may be absent (stays), null (is emptied) or given.
#[expect(clippy::option_option, reason = "absent and null are two things here")]
fn given<'de, D, T>(deserializer: D) -> std::result::Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
