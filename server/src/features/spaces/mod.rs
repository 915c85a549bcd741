//! Spaces: places of one community, each with who may see it and who runs it.
//!
//! Invariants: what a viewer may not see does not exist for them; everything inside a space is
//! reached through `Directory`, which knows what a viewer may see, and asks `policy`. A space has
//! an owner at all times, and its count is that of its members' rows.

mod actions;
mod api;
mod api_people;
mod directory;
mod events;
mod forms;
mod head;
mod inside;
mod inviting;
mod membership;
pub mod model;
mod pages;
mod pages_people;
mod pages_settings;
pub mod policy;
mod queries;
mod quiet;
mod search;

pub use actions::{Draft, is_reserved, make_space};
pub use directory::{Directory, Snapshot, SpaceInfo};
pub use events::{fill_events, may_subscribe};
pub use head::{SpaceHead, head, outline};
pub use inside::{InSpace, access_by_slug, access_in};
pub use inviting::{may_ask_in, roles_of, still_given, take_back_all};
pub use membership::add_invited;
pub use pages::{door_page, invited_page};
pub use policy::Access;
pub use quiet::invite_quietly;
pub use search::Spaces;

use crate::web::routes::Routes;
use actix_web::web;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    paths(
        api::create,
        api::list,
        api::get,
        api::change,
        api_people::join,
        api_people::leave,
        api_people::members,
        api_people::put_member,
        api_people::delete_member,
        api_people::requests,
        api_people::accept,
        api_people::decline,
        api_people::invites,
        api_people::decline_invitation,
        api_people::entries,
    ),
    components(schemas(
        model::NewSpace,
        model::SpaceChange,
        model::SpaceView,
        model::JoinWish,
        model::RoleChange,
        model::Standing,
        model::SpaceMemberView,
        model::RequestView,
        model::InviteView,
        model::EntryView,
    ))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(cfg: &mut Routes) {
    cfg.route("/spaces", web::post().to(api::create))
        .route("/spaces", web::get().to(api::list))
        .route("/spaces/{slug}", web::get().to(api::get))
        .route("/spaces/{slug}", web::patch().to(api::change))
        .route("/spaces/{slug}/join", web::post().to(api_people::join))
        .route("/spaces/{slug}/leave", web::post().to(api_people::leave))
        .route("/spaces/{slug}/members", web::get().to(api_people::members))
        .route("/spaces/{slug}/members/{handle}", web::put().to(api_people::put_member))
        .route("/spaces/{slug}/members/{handle}", web::delete().to(api_people::delete_member))
        .route("/spaces/{slug}/requests", web::get().to(api_people::requests))
        .route("/spaces/{slug}/requests/{id}/accept", web::post().to(api_people::accept))
        .route("/spaces/{slug}/requests/{id}/decline", web::post().to(api_people::decline))
        .route("/spaces/{slug}/invites/decline", web::post().to(api_people::decline_invitation))
        .route("/spaces/{slug}/entries", web::get().to(api_people::entries))
        .route("/me/invites", web::get().to(api_people::invites));
}

/// All but `/s/{slug}` itself, which shows the forum.
pub fn configure_pages(cfg: &mut Routes) {
    cfg.route("/spaces", web::get().to(pages::spaces))
        .route("/spaces/new", web::get().to(pages::new_form))
        .route("/spaces/new", web::post().to(pages::create))
        .route("/s/{slug}/join", web::post().to(pages::join))
        .route("/s/{slug}/leave", web::post().to(pages::leave))
        .route("/s/{slug}/invites/decline", web::post().to(pages::decline))
        .route("/s/{slug}/members", web::get().to(pages_people::members))
        .route("/s/{slug}/members", web::post().to(pages_people::invite))
        .route("/s/{slug}/members/{handle}", web::post().to(pages_people::change))
        .route("/s/{slug}/requests/{id}", web::post().to(pages_people::answer))
        .route("/s/{slug}/settings", web::get().to(pages_settings::form))
        .route("/s/{slug}/settings", web::post().to(pages_settings::save))
        .route("/s/{slug}/archive", web::post().to(pages_settings::archive));
}
