//! The forum's pages. Each works without scripts; an open topic asks for parts of itself.
//!
//! Invariant: the partial that shows a post in a page is the one that shows it live.

mod acts;
mod cards;
mod compose;
mod forms;
mod fragments;
mod home;
pub mod kept;
mod layout;
mod lists;
mod posts;
mod revise;
mod threads;
mod topic;

pub use threads::Threads;

use actix_web::HttpRequest;
use actix_web::web;

use super::queries::Seen;
use crate::web::routes::Routes;

pub fn configure(cfg: &mut Routes) {
    cfg.route("/", web::get().to(home::show))
        .route("/topics", web::get().to(lists::topics))
        .route("/tags", web::get().to(lists::tags))
        .route("/tags/{tag}", web::get().to(lists::tag))
        .route("/bookmarks", web::get().to(lists::bookmarks))
        .route("/ask", web::get().to(compose::ask))
        .route("/preview", web::post().to(compose::preview))
        .route("/s/{slug}", web::get().to(lists::space))
        .route("/s/{slug}/new", web::get().to(compose::new_topic))
        .route("/s/{slug}/new", web::post().to(compose::create_topic))
        .route("/s/{slug}/t/{id}", web::get().to(topic::show))
        .route("/s/{slug}/t/{id}/reply", web::post().to(compose::reply))
        .route("/s/{slug}/t/{id}/edit", web::get().to(revise::topic_form))
        .route("/s/{slug}/t/{id}/edit", web::post().to(revise::save_topic))
        .route("/posts/{id}", web::get().to(posts::permalink))
        .route("/posts/{id}/menu", web::get().to(posts::menu))
        .route("/posts/{id}/history", web::get().to(posts::history))
        .route("/posts/{id}/edit", web::get().to(revise::post_form))
        .route("/posts/{id}/edit", web::post().to(revise::save_post))
        .route("/posts/{id}/reactions", web::post().to(acts::react))
        .route("/posts/{id}/bookmark", web::post().to(acts::bookmark))
        .route("/posts/{id}/endorsement", web::post().to(acts::endorse))
        .route("/posts/{id}/answer", web::post().to(acts::accept))
        .route("/posts/{id}/delete", web::post().to(acts::delete_post))
        .route("/posts/{id}/restore", web::post().to(acts::restore_post))
        .route("/topics/{id}/pin", web::post().to(acts::pin))
        .route("/topics/{id}/close", web::post().to(acts::close))
        .route("/topics/{id}/delete", web::post().to(acts::delete_topic))
        .route("/topics/{id}/restore", web::post().to(acts::restore_topic));
}

/// The address of a topic.
fn link_of(seen: &Seen) -> String {
    format!("/s/{}/t/{}", seen.space.slug, seen.row.id)
}

/// Whether a script of an open page asks, which wants a part and not the whole.
fn by_fetch(req: &HttpRequest) -> bool {
    req.headers().get("X-Requested-With").is_some_and(|value| value.as_bytes() == b"fetch")
}
