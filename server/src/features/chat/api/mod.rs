//! Chat by JSON. Rooms are for members of the hub: visitors get 401 everywhere.

mod messages;
mod opinions;
mod people;
mod rooms;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web;
use actix_web::{FromRequest, HttpRequest};
use utoipa::OpenApi;

use super::model::{MessageRevision, MessageView, MessagesPage, MyRoom, RoomPerson, RoomRow, RoomView};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

#[derive(OpenApi)]
#[openapi(
    paths(
        rooms::followed,
        rooms::of_space,
        rooms::create,
        rooms::get,
        rooms::patch,
        rooms::follow,
        rooms::unfollow,
        rooms::patch_mine,
        rooms::read,
        rooms::make_topic,
        rooms::topics,
        messages::list,
        messages::create,
        messages::get,
        messages::patch,
        messages::delete,
        messages::revisions,
        messages::purge,
        messages::pins,
        opinions::react,
        opinions::unreact,
        opinions::pin,
        opinions::unpin,
        people::members,
        people::add,
        people::remove,
        people::open_direct,
        people::directs,
        people::block,
        people::unblock,
        people::blocks,
        people::set_availability,
    ),
    components(schemas(MessageRevision, MessageView, MessagesPage, MyRoom, RoomPerson, RoomRow, RoomView))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure(cfg: &mut Routes) {
    cfg.route("/rooms", web::get().to(rooms::followed))
        .service(
            web::resource("/spaces/{slug}/rooms")
                .route(web::get().to(rooms::of_space))
                .route(web::post().to(rooms::create)),
        )
        .service(web::resource("/rooms/{id}").route(web::get().to(rooms::get)).route(web::patch().to(rooms::patch)))
        .service(
            web::resource("/rooms/{id}/follow")
                .route(web::put().to(rooms::follow))
                .route(web::delete().to(rooms::unfollow)),
        )
        .route("/rooms/{id}/mine", web::patch().to(rooms::patch_mine))
        .route("/rooms/{id}/read", web::put().to(rooms::read))
        .service(
            web::resource("/rooms/{id}/topics")
                .route(web::post().to(rooms::make_topic))
                .route(web::get().to(rooms::topics)),
        )
        .service(
            web::resource("/rooms/{id}/messages")
                .route(web::get().to(messages::list))
                .route(web::post().to(messages::create)),
        )
        .route("/rooms/{id}/pins", web::get().to(messages::pins))
        .route("/rooms/{id}/members", web::get().to(people::members))
        .service(
            web::resource("/rooms/{id}/members/{handle}")
                .route(web::put().to(people::add))
                .route(web::delete().to(people::remove)),
        )
        .service(
            web::resource("/messages/{id}")
                .route(web::get().to(messages::get))
                .route(web::patch().to(messages::patch))
                .route(web::delete().to(messages::delete)),
        )
        .route("/messages/{id}/revisions", web::get().to(messages::revisions))
        .route("/messages/{id}/purge", web::post().to(messages::purge))
        .service(
            web::resource("/messages/{id}/reactions/{emoji}")
                .route(web::put().to(opinions::react))
                .route(web::delete().to(opinions::unreact)),
        )
        .service(
            web::resource("/messages/{id}/pin")
                .route(web::put().to(opinions::pin))
                .route(web::delete().to(opinions::unpin)),
        )
        .service(
            web::resource("/direct").route(web::post().to(people::open_direct)).route(web::get().to(people::directs)),
        )
        .service(
            web::resource("/members/{handle}/block")
                .route(web::put().to(people::block))
                .route(web::delete().to(people::unblock)),
        )
        .route("/me/blocks", web::get().to(people::blocks))
        .route("/me/availability", web::put().to(people::set_availability));
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
