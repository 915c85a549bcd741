//! `/case-studies`, `/case-studies/{slug}` and its authors.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::asked::{Pairs, StudiesQuery};
use super::{PartValue, given, ids_of, parts_of};
use crate::app::AppState;
use crate::entities::kinds::{PartKey, StudyRole, StudyState};
use crate::features::playbooks::actions::{self, FromMessages, FromTopic, NewStudy, PartInput, StudyChange};
use crate::features::playbooks::measures::MeasureInput;
use crate::features::playbooks::model::{StudyRow, StudyView, TermCount};
use crate::features::playbooks::queries::{self, Which};
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// A new case study.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct StudyBody {
    #[schema(max_length = 200)]
    title: String,
    /// One line.
    #[serde(default)]
    #[schema(max_length = 255)]
    summary: String,
    /// Slug of its home; needed before it is submitted.
    playbook: Option<String>,
    /// Ids of scenarios of that playbook, at most 30.
    #[serde(default)]
    scenarios: Vec<String>,
    /// By key: Markdown, or an object with `body`, `fields` and `measures`.
    #[serde(default)]
    parts: BTreeMap<String, PartValue>,
    /// Of the part `outcomes`, at most 40.
    #[schema(max_items = 40)]
    measures: Option<Vec<MeasureInput>>,
    /// By kind: `pathway`, `setting`, `technique`, `data_type`, `stage`, `country`,
    /// `organisation`, `technology`; at most 12 each.
    #[serde(default)]
    terms: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    confirmed: bool,
}

impl StudyBody {
    fn new_study(self) -> Result<NewStudy> {
        let mut parts = parts_of(self.parts)?;
        if !self.summary.is_empty() {
            parts.retain(|(key, _)| *key != PartKey::Summary);
            parts.push((PartKey::Summary, PartInput { body: self.summary, ..PartInput::default() }));
        }
        if let Some(measures) = self.measures {
            match parts.iter_mut().find(|(key, _)| *key == PartKey::Outcomes) {
                Some((_, outcomes)) => outcomes.measures = measures,
                None => parts.push((PartKey::Outcomes, PartInput { measures, ..PartInput::default() })),
            }
        }
        Ok(NewStudy {
            title: self.title,
            playbook: self.playbook,
            scenarios: ids_of("scenarios", &self.scenarios)?,
            parts,
            terms: self.terms,
            confirmed: self.confirmed,
        })
    }
}

/// What of a case study becomes new; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct StudyPatch {
    #[schema(max_length = 200)]
    title: Option<String>,
    #[schema(max_length = 255)]
    summary: Option<String>,
    /// Slug of its home; null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    playbook: Option<Option<String>>,
    scenarios: Option<Vec<String>>,
    #[schema(max_items = 40)]
    measures: Option<Vec<MeasureInput>>,
    /// Kinds that are named are replaced.
    terms: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    confirmed: bool,
}

/// Published case studies that one may read
#[utoipa::path(get, path = "/case-studies", tag = "case-studies", operation_id = "list_case_studies", params(StudiesQuery, PageQuery),
    responses((status = 200, body = Page<StudyRow>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn list(
    state: web::Data<AppState>,
    viewer: Viewer,
    query: Pairs,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let filter = StudiesQuery::of(&query).filter(&state, &viewer).await?;
    Ok(HttpResponse::Ok().json(queries::list_studies(&state, &viewer, &filter, &page).await?))
}

/// The terms of published case studies, those of the most first; at most 400
#[utoipa::path(get, path = "/case-studies/terms", tag = "case-studies", operation_id = "list_case_study_terms", params(StudiesQuery),
    responses((status = 200, body = Page<TermCount>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn terms(state: web::Data<AppState>, viewer: Viewer, query: Pairs) -> Result<HttpResponse> {
    let filter = StudiesQuery::of(&query).filter(&state, &viewer).await?;
    let items = queries::term_counts(&state, &viewer, &filter).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

/// Which of one's own.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MineQuery {
    /// `draft`, `submitted`, `returned`, `published`, `revised` or `retired`.
    state: Option<String>,
}

/// The case studies that one writes, of whatever state, the newest first
#[utoipa::path(get, path = "/me/case-studies", tag = "case-studies", operation_id = "list_my_case_studies", params(MineQuery, PageQuery),
    responses((status = 200, body = Page<StudyRow>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn mine(
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<MineQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let only = query.state.as_deref().filter(|word| !word.is_empty()).map(|word| {
        StudyState::parse(word)
            .ok_or_else(|| AppError::field("state", "is draft, submitted, returned, published, revised or retired"))
    });
    Ok(HttpResponse::Ok().json(queries::list_mine(&state, &me, only.transpose()?, &page).await?))
}

/// Begin a case study
#[utoipa::path(post, path = "/case-studies", tag = "case-studies", operation_id = "create_case_study", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = StudyBody,
    responses((status = 201, body = StudyView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(state: web::Data<AppState>, me: Member, body: Json<StudyBody>) -> Result<HttpResponse> {
    let Json { value, once } = body;
    actions::create_study_once(&state, &me, &value.new_study()?, once).await
}

/// A topic that becomes a case study.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct FromTopicBody {
    topic_id: String,
    /// The topic's own if absent.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// Slug of its home.
    playbook: Option<String>,
    /// What was said in a private space may go into a playbook that more people read.
    #[serde(default)]
    confirmed: bool,
}

/// Begin a case study from a topic: its text is placed, its people are credited
#[utoipa::path(post, path = "/case-studies/from-topic", tag = "case-studies", operation_id = "case_study_from_topic", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = FromTopicBody,
    responses((status = 201, body = StudyView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn from_topic(
    state: web::Data<AppState>,
    me: Member,
    body: Json<FromTopicBody>,
) -> Result<HttpResponse> {
    let Json { value, once } = body;
    let topic = value.topic_id.parse::<Id>().map_err(|_| AppError::NotFound)?.0;
    let from = FromTopic { topic, title: value.title, playbook: value.playbook, confirmed: value.confirmed };
    actions::start_from_topic_once(&state, &me, &from, once).await
}

/// Messages that become a case study.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct FromMessagesBody {
    room_id: String,
    /// Ids of messages of this open room, 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    messages: Vec<String>,
    #[schema(max_length = 200)]
    title: String,
    /// Slug of its home.
    playbook: Option<String>,
    /// What was said in a private space may go into a playbook that more people read.
    #[serde(default)]
    confirmed: bool,
}

/// Begin a case study from messages: their text is placed, their authors are credited
#[utoipa::path(post, path = "/case-studies/from-messages", tag = "case-studies", operation_id = "case_study_from_messages", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = FromMessagesBody,
    responses((status = 201, body = StudyView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn from_messages(
    state: web::Data<AppState>,
    me: Member,
    body: Json<FromMessagesBody>,
) -> Result<HttpResponse> {
    let Json { value, once } = body;
    let room = value.room_id.parse::<Id>().map_err(|_| AppError::NotFound)?.0;
    let messages = ids_of("messages", &value.messages)?;
    let from =
        FromMessages { room, messages, title: value.title, playbook: value.playbook, confirmed: value.confirmed };
    actions::start_from_messages_once(&state, &me, &from, once).await
}

/// Which copy.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CopyQuery {
    /// `published` or `working`; absent: the working copy for its authors and reviewers, what is
    /// published for everybody else.
    copy: Option<String>,
}

impl CopyQuery {
    pub(super) fn which(&self) -> Result<Which> {
        Which::parse(self.copy.as_deref())
    }
}

/// A case study
#[utoipa::path(get, path = "/case-studies/{slug}", tag = "case-studies", operation_id = "get_case_study", params(("slug" = String, Path), CopyQuery),
    responses((status = 200, body = StudyView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn get(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    query: web::Query<CopyQuery>,
) -> Result<HttpResponse> {
    answer(&state, &viewer, &slug, query.which()?).await
}

async fn answer(state: &AppState, viewer: &Viewer, slug: &str, which: Which) -> Result<HttpResponse> {
    let view = queries::study_view(state, viewer, slug, which).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(view.version))).json(view))
}

/// Change what is about the whole of a case study
#[utoipa::path(patch, path = "/case-studies/{slug}", tag = "case-studies", operation_id = "change_case_study", params(("slug" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = StudyPatch,
    responses((status = 200, body = StudyView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: Json<StudyPatch>,
) -> Result<HttpResponse> {
    let of = body.value;
    let change = StudyChange {
        title: of.title,
        playbook: of.playbook,
        scenarios: of.scenarios.map(|ids| ids_of("scenarios", &ids)).transpose()?,
        summary: of.summary,
        measures: of.measures,
        terms: of.terms,
        confirmed: of.confirmed,
    };
    actions::edit_study(&state, &me, &slug, &change, IfMatch::of(&req)?).await?;
    answer(&state, &Viewer::Member(me.0), &slug, Which::Working).await
}

/// Published case studies that share terms with one, at most six
#[utoipa::path(get, path = "/case-studies/{slug}/related", tag = "case-studies", operation_id = "related_case_studies", params(("slug" = String, Path)),
    responses((status = 200, body = Page<StudyRow>), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn related(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &viewer, &slug).await?;
    let items = queries::related(&state, &viewer, seen.id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

/// What somebody is to be in a case study.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct AuthorBody {
    /// `author` if absent; `credited` thanks without the right to write.
    role: Option<StudyRole>,
}

/// Make a member a co-author, or credit them
#[utoipa::path(put, path = "/case-studies/{slug}/authors/{handle}", tag = "case-studies", operation_id = "put_case_study_author", params(("slug" = String, Path), ("handle" = String, Path)),
    request_body = Option<AuthorBody>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn put_author(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
    body: crate::web::json::MaybeJson<AuthorBody>,
) -> Result<HttpResponse> {
    let role = body.value.and_then(|body| body.role).unwrap_or(StudyRole::Author);
    actions::set_author(&state, &me, &path.0, &path.1, role).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take somebody out of the authors and the credited: its first author, owners of its playbook, or they themselves
#[utoipa::path(delete, path = "/case-studies/{slug}/authors/{handle}", tag = "case-studies", operation_id = "delete_case_study_author", params(("slug" = String, Path), ("handle" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete_author(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    actions::remove_author(&state, &me, &path.0, &path.1).await?;
    Ok(HttpResponse::NoContent().finish())
}
