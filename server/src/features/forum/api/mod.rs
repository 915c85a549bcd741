//! The forum by JSON.

mod opinions;
mod posts;
mod topics;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web;
use actix_web::{FromRequest, HttpRequest};
use utoipa::OpenApi;

use super::model::{BookmarkView, PostView, RevisionView, TagView, TopicRow, TopicView};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

#[derive(OpenApi)]
#[openapi(
    paths(
        topics::everywhere,
        topics::of_space,
        topics::create,
        topics::get,
        topics::patch,
        topics::delete,
        topics::restore,
        topics::pin,
        topics::unpin,
        topics::close,
        topics::reopen,
        posts::list,
        posts::create,
        posts::get,
        posts::patch,
        posts::delete,
        posts::restore,
        posts::revisions,
        opinions::react,
        opinions::unreact,
        opinions::answer,
        opinions::unanswer,
        opinions::endorse,
        opinions::unendorse,
        opinions::bookmark,
        opinions::unbookmark,
        opinions::bookmarks,
        opinions::tags,
    ),
    components(schemas(TopicRow, TopicView, PostView, RevisionView, BookmarkView, TagView))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub(super) fn configure(cfg: &mut Routes) {
    cfg.route("/topics", web::get().to(topics::everywhere))
        .route("/tags", web::get().to(opinions::tags))
        .route("/me/bookmarks", web::get().to(opinions::bookmarks))
        .service(
            web::resource("/spaces/{slug}/topics")
                .route(web::get().to(topics::of_space))
                .route(web::post().to(topics::create)),
        )
        .service(
            web::resource("/topics/{id}")
                .route(web::get().to(topics::get))
                .route(web::patch().to(topics::patch))
                .route(web::delete().to(topics::delete)),
        )
        .route("/topics/{id}/restore", web::post().to(topics::restore))
        .service(
            web::resource("/topics/{id}/pin").route(web::put().to(topics::pin)).route(web::delete().to(topics::unpin)),
        )
        .service(
            web::resource("/topics/{id}/closed")
                .route(web::put().to(topics::close))
                .route(web::delete().to(topics::reopen)),
        )
        .service(
            web::resource("/topics/{id}/posts").route(web::get().to(posts::list)).route(web::post().to(posts::create)),
        )
        .service(
            web::resource("/posts/{id}")
                .route(web::get().to(posts::get))
                .route(web::patch().to(posts::patch))
                .route(web::delete().to(posts::delete)),
        )
        .route("/posts/{id}/restore", web::post().to(posts::restore))
        .route("/posts/{id}/revisions", web::get().to(posts::revisions))
        .service(
            web::resource("/posts/{id}/reactions/{emoji}")
                .route(web::put().to(opinions::react))
                .route(web::delete().to(opinions::unreact)),
        )
        .service(
            web::resource("/posts/{id}/answer")
                .route(web::put().to(opinions::answer))
                .route(web::delete().to(opinions::unanswer)),
        )
        .service(
            web::resource("/posts/{id}/endorsement")
                .route(web::put().to(opinions::endorse))
                .route(web::delete().to(opinions::unendorse)),
        )
        .service(
            web::resource("/posts/{id}/bookmark")
                .route(web::put().to(opinions::bookmark))
                .route(web::delete().to(opinions::unbookmark)),
        );
}

/// The object of an address; an id that could be none is 404 like one that is absent.
#[derive(Clone, Copy, Debug)]
struct Target(i64);

impl FromRequest for Target {
    type Error = AppError;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(id_of(req.match_info().query("id")).map(Self))
    }
}

fn id_of(text: &str) -> Result<i64> {
    text.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}
