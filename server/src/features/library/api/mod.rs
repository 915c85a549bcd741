//! The library by JSON, and files by forms.

mod bodies;
mod collections;
mod content;
mod moderation;
mod resources;
mod versions;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web;
use actix_web::{FromRequest, HttpRequest};
use utoipa::OpenApi;

use super::model::{
    CollectionLink, CollectionView, FileView, PageText, ResourceReportView, ResourceRow, ResourceView, TopicLink,
    VersionView,
};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

#[derive(OpenApi)]
#[openapi(
    paths(
        resources::everywhere,
        resources::of_space,
        resources::create,
        resources::get,
        resources::patch,
        resources::delete,
        resources::restore,
        resources::endorse,
        resources::unendorse,
        resources::discuss,
        resources::due,
        versions::list,
        versions::create,
        versions::restore,
        content::get,
        content::preview,
        collections::of_space,
        collections::create,
        collections::get,
        collections::patch,
        collections::delete,
        collections::put,
        collections::take,
        moderation::flag,
        moderation::hide,
        moderation::unhide,
        moderation::purge,
        moderation::list,
        moderation::uphold,
        moderation::dismiss,
    ),
    components(schemas(
        ResourceRow,
        ResourceView,
        VersionView,
        FileView,
        TopicLink,
        PageText,
        CollectionLink,
        CollectionView,
        ResourceReportView,
        bodies::ResourceForm,
    ))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub(super) fn configure(cfg: &mut Routes) {
    cfg.route("/resources", web::get().to(resources::everywhere))
        .route("/me/reviews", web::get().to(resources::due))
        .route("/resource-reports", web::get().to(moderation::list))
        .route("/resource-reports/{id}/uphold", web::post().to(moderation::uphold))
        .route("/resource-reports/{id}/dismiss", web::post().to(moderation::dismiss))
        .route("/spaces/{slug}/resources", web::get().to(resources::of_space))
        .route("/spaces/{slug}/resources", web::post().to(resources::create))
        .route("/spaces/{slug}/collections", web::get().to(collections::of_space))
        .route("/spaces/{slug}/collections", web::post().to(collections::create))
        .route("/collections/{id}", web::get().to(collections::get))
        .route("/collections/{id}", web::patch().to(collections::patch))
        .route("/collections/{id}", web::delete().to(collections::delete))
        .route("/collections/{id}/resources/{resource}", web::put().to(collections::put))
        .route("/collections/{id}/resources/{resource}", web::delete().to(collections::take))
        .route("/resources/{id}", web::get().to(resources::get))
        .route("/resources/{id}", web::patch().to(resources::patch))
        .route("/resources/{id}", web::delete().to(resources::delete))
        .route("/resources/{id}/restore", web::post().to(resources::restore))
        .route("/resources/{id}/endorsement", web::put().to(resources::endorse))
        .route("/resources/{id}/endorsement", web::delete().to(resources::unendorse))
        .route("/resources/{id}/topic", web::post().to(resources::discuss))
        .route("/resources/{id}/versions", web::get().to(versions::list))
        .route("/resources/{id}/versions", web::post().to(versions::create))
        .route("/resources/{id}/versions/{number}/restore", web::post().to(versions::restore))
        .route("/resources/{id}/content", web::get().to(content::get))
        .route("/resources/{id}/preview", web::get().to(content::preview))
        .route("/resources/{id}/flags", web::post().to(moderation::flag))
        .route("/resources/{id}/hide", web::post().to(moderation::hide))
        .route("/resources/{id}/unhide", web::post().to(moderation::unhide))
        .route("/resources/{id}/purge", web::post().to(moderation::purge));
}

/// The object of an address; an id that could be none is 404 like one that is absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target(pub i64);

impl FromRequest for Target {
    type Error = AppError;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(id_of(req.match_info().query("id")).map(Self))
    }
}

pub(super) fn id_of(text: &str) -> Result<i64> {
    text.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}
