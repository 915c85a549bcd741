//! The register: who uses what.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::AppState;
use crate::features::playbooks::model::{AdoptionView, OrganisationView};
use crate::features::playbooks::queries::{self, RegisterFilter};
use crate::web::error::{AppError, Problem, Result};
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::Viewer;

/// Which adoptions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RegisterQuery {
    /// Words in organisation, site, case study and what was said.
    q: Option<String>,
    /// The whole name.
    organisation: Option<String>,
    /// `considering`, `piloting`, `live` or `stopped`.
    status: Option<String>,
    /// Slug of a playbook.
    playbook: Option<String>,
}

impl RegisterQuery {
    async fn filter(self, state: &AppState, viewer: &Viewer) -> Result<RegisterFilter> {
        let some = |field: &'static str, text: Option<String>| match text.filter(|text| !text.trim().is_empty()) {
            Some(text) if text.len() > 1_000 || text.contains('\0') => Err(AppError::field(field, "is too long")),
            text => Ok(text),
        };
        let playbook = match some("playbook", self.playbook)? {
            Some(slug) => Some(queries::find_playbook(state, viewer, &slug).await?.id),
            None => None,
        };
        Ok(RegisterFilter {
            q: some("q", self.q)?,
            organisation: some("organisation", self.organisation)?,
            status: RegisterFilter::status(self.status.as_deref())?,
            playbook,
        })
    }
}

/// Who uses what, by organisation; contacts for members alone
#[utoipa::path(get, path = "/adoptions", tag = "case-studies", operation_id = "list_adoptions", params(RegisterQuery, PageQuery),
    responses((status = 200, body = Page<AdoptionView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn list(
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<RegisterQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let filter = query.into_inner().filter(&state, &viewer).await?;
    Ok(HttpResponse::Ok().json(queries::list_register(&state, &viewer, &filter, &page).await?))
}

/// Organisations with how far they have come with how many case studies, by name
#[utoipa::path(get, path = "/adoptions/organisations", tag = "case-studies", operation_id = "list_adopting_organisations", params(RegisterQuery, PageQuery),
    responses((status = 200, body = Page<OrganisationView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn organisations(
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<RegisterQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let filter = query.into_inner().filter(&state, &viewer).await?;
    Ok(HttpResponse::Ok().json(queries::organisations(&state, &viewer, &filter, &page).await?))
}
