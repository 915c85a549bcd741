//! Endorsements, adoptions, following and the discussion of a case study.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::entities::kinds::{AdoptionStatus, Discipline};
use crate::features::playbooks::actions::{self, AdoptionInput, EndorsementInput};
use crate::features::playbooks::model::{AdoptionView, DiscussionView, StudyEndorsementView, StudyRef};
use crate::features::playbooks::queries;
use crate::web::error::{Problem, Result};
use crate::web::json::{Json, MaybeJson};
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// Why somebody stands behind a case study. What is absent comes from their profile.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct EndorsementBody {
    /// One sentence, at most 255 characters.
    #[serde(default, alias = "why", alias = "sentence", alias = "note")]
    #[schema(max_length = 255)]
    reason: String,
    discipline: Option<Discipline>,
    #[schema(max_length = 200)]
    role: Option<String>,
    #[schema(max_length = 200)]
    organisation: Option<String>,
    #[serde(default)]
    confirmed: bool,
}

/// How far a site has come.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct AdoptionBody {
    /// `considering` if absent.
    #[serde(default = "considering")]
    status: AdoptionStatus,
    /// The member's own if absent.
    #[schema(max_length = 200)]
    organisation: Option<String>,
    /// Where in it.
    #[serde(default)]
    #[schema(max_length = 200)]
    site: String,
    /// Needed for `stopped`.
    #[serde(default, alias = "reason", alias = "note")]
    #[schema(max_length = 255)]
    why: String,
    /// Whom to ask; shown to members.
    #[serde(default)]
    #[schema(max_length = 255)]
    contact: String,
    #[serde(default)]
    confirmed: bool,
}

const fn considering() -> AdoptionStatus {
    AdoptionStatus::Considering
}

/// Where a case study is to be discussed.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct DiscussionBody {
    /// Slug; that of its playbook if absent.
    space: Option<String>,
}

/// Stand behind a case study
#[utoipa::path(put, path = "/case-studies/{slug}/endorsement", tag = "case-studies", operation_id = "endorse_case_study", params(("slug" = String, Path)),
    request_body = Option<EndorsementBody>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn endorse(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: MaybeJson<EndorsementBody>,
) -> Result<HttpResponse> {
    let of = body.value.unwrap_or_default();
    let input = EndorsementInput {
        reason: of.reason,
        discipline: of.discipline,
        role: of.role,
        organisation: of.organisation,
        confirmed: of.confirmed,
    };
    actions::endorse(&state, &me, &slug, &input).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Say that one's site considers, tries, uses or gave up what a case study describes
#[utoipa::path(put, path = "/case-studies/{slug}/adoption", tag = "case-studies", operation_id = "adopt_case_study", params(("slug" = String, Path)),
    request_body = AdoptionBody,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn adopt(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: Json<AdoptionBody>,
) -> Result<HttpResponse> {
    let of = body.value;
    let input = AdoptionInput {
        status: of.status,
        organisation: of.organisation,
        site: of.site,
        why: of.why,
        contact: of.contact,
        confirmed: of.confirmed,
    };
    actions::adopt(&state, &me, &slug, &input).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The endorsements of a case study, the newest first
#[utoipa::path(get, path = "/case-studies/{slug}/endorsements", tag = "case-studies", operation_id = "list_study_endorsements", params(("slug" = String, Path), PageQuery),
    responses((status = 200, body = Page<StudyEndorsementView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn endorsements(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &viewer, &slug).await?;
    Ok(HttpResponse::Ok().json(queries::endorsements_of(&state, seen.id, &page).await?))
}

/// The adoptions of a case study, the newest first; contacts for members alone
#[utoipa::path(get, path = "/case-studies/{slug}/adoptions", tag = "case-studies", operation_id = "list_study_adoptions", params(("slug" = String, Path), PageQuery),
    responses((status = 200, body = Page<AdoptionView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn adoptions(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &viewer, &slug).await?;
    let name = StudyRef { slug: seen.row.slug.clone(), title: seen.row.title.clone() };
    let found = queries::adoptions_of(&state, seen.id, &name, viewer.member().is_some(), &page).await?;
    Ok(HttpResponse::Ok().json(found))
}

/// Open the topic in which a case study is discussed, or get the one that there is
#[utoipa::path(post, path = "/case-studies/{slug}/discussion", tag = "case-studies", operation_id = "discuss_case_study", params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<DiscussionBody>,
    responses((status = 201, body = DiscussionView, headers(("Location" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn discuss(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: MaybeJson<DiscussionBody>,
) -> Result<HttpResponse> {
    let space = body.value.and_then(|of| of.space);
    actions::discuss_once(&state, &me, &slug, space.as_deref(), body.once).await
}

/// Take an endorsement back
#[utoipa::path(delete, path = "/case-studies/{slug}/endorsement", tag = "case-studies", operation_id = "unendorse_case_study", params(("slug" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unendorse(state: web::Data<AppState>, me: Member, slug: web::Path<String>) -> Result<HttpResponse> {
    actions::unendorse(&state, &me, &slug).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a line of the register back
#[utoipa::path(delete, path = "/case-studies/{slug}/adoption", tag = "case-studies", operation_id = "unadopt_case_study", params(("slug" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unadopt(state: web::Data<AppState>, me: Member, slug: web::Path<String>) -> Result<HttpResponse> {
    actions::unadopt(&state, &me, &slug).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Hear of new revisions
#[utoipa::path(put, path = "/case-studies/{slug}/follow", tag = "case-studies", operation_id = "follow_case_study", params(("slug" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn follow(state: web::Data<AppState>, me: Member, slug: web::Path<String>) -> Result<HttpResponse> {
    actions::follow(&state, &me, &slug).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// No longer hear of new revisions
#[utoipa::path(delete, path = "/case-studies/{slug}/follow", tag = "case-studies", operation_id = "unfollow_case_study", params(("slug" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unfollow(state: web::Data<AppState>, me: Member, slug: web::Path<String>) -> Result<HttpResponse> {
    actions::unfollow(&state, &me, &slug).await?;
    Ok(HttpResponse::NoContent().finish())
}
