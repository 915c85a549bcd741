//! Notices: what a member should know of because somebody named them, answered them or wrote to
//! them.
//!
//! Invariants: a notice holds who did what and where, never a text: what it shows is read from
//! the post or message when it is shown, if its member may read that then. A notice is one for its
//! member, kind and subject.

mod actions;
mod api;
mod events;
pub mod model;
mod pages;
pub mod queries;

pub use actions::{NewNotice, read_all, read_in_room, read_in_topic, read_of_study, read_one, tell};
pub use api::openapi;
pub use events::fill_events;
pub use model::NoticeView;
pub use queries::{unread, waiting_in_topics};

use crate::web::routes::Routes;
use actix_web::web;

pub fn configure_api(cfg: &mut Routes) {
    cfg.route("/notices", web::get().to(api::list))
        .route("/notices/read", web::post().to(api::read_all))
        .route("/notices/{id}/read", web::put().to(api::read_one));
}

pub fn configure_pages(cfg: &mut Routes) {
    cfg.route("/notices", web::get().to(pages::list))
        .route("/notices/read", web::post().to(pages::read_all))
        .route("/notices/{id}/read", web::post().to(pages::read));
}
