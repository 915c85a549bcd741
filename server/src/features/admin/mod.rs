//! Administration: members and roles, the hub's settings and pages, invitations, jobs, the log.
//!
//! Invariant: only administrators come in here, which every action reads again in its own
//! transaction; and the hub keeps at least one of them. Roles and sign-in links are given by those
//! who signed in, by no API token.

mod actions;
mod api;
mod model;
mod pages;
mod pages_hub;
mod pages_invitations;
mod pages_jobs;
mod queries;

use crate::web::routes::Routes;
use actix_web::web;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    paths(
        api::get_settings,
        api::patch_settings,
        api::list_members,
        api::patch_member,
        api::list_jobs,
        api::retry_job,
    ),
    components(schemas(
        model::SettingsView,
        model::SettingsChange,
        model::AdminMemberView,
        model::MemberChange,
        model::JobView,
    ))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(cfg: &mut Routes) {
    cfg.service(
        web::resource("/admin/settings")
            .route(web::get().to(api::get_settings))
            .route(web::patch().to(api::patch_settings)),
    )
    .route("/admin/members", web::get().to(api::list_members))
    .route("/admin/members/{handle}", web::patch().to(api::patch_member))
    .route("/admin/jobs", web::get().to(api::list_jobs))
    .route("/admin/jobs/{id}/retry", web::post().to(api::retry_job));
}

pub fn configure_pages(cfg: &mut Routes) {
    cfg.route("/admin", web::get().to(pages::members))
        .route("/admin/members/{handle}/role", web::post().to(pages::set_role))
        .route("/admin/members/{handle}/link", web::post().to(pages::make_link))
        .route("/admin/spaces", web::get().to(pages::spaces))
        .route("/admin/log", web::get().to(pages::log))
        .route("/admin/hub", web::get().to(pages_hub::hub_form))
        .route("/admin/hub", web::post().to(pages_hub::save_hub))
        .route("/admin/hub/logo", web::post().to(pages_hub::save_logo))
        .route("/admin/pages", web::get().to(pages_hub::list_pages))
        .route("/admin/pages/{slug}", web::get().to(pages_hub::page_form))
        .route("/admin/pages/{slug}", web::post().to(pages_hub::save_page))
        .route("/admin/invitations", web::get().to(pages_invitations::list))
        .route("/admin/invitations", web::post().to(pages_invitations::invite))
        .route("/admin/invitations/{id}/revoke", web::post().to(pages_invitations::revoke))
        .route("/admin/jobs", web::get().to(pages_jobs::show))
        .route("/admin/jobs/{id}/retry", web::post().to(pages_jobs::retry));
}
