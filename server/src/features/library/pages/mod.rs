//! The library's pages. Each works without scripts; open ones follow the stream of their space.

mod acts;
mod collections;
mod forms;
mod lists;
mod preview;
mod report;
mod resource;
mod share;
mod versions;

use actix_web::web;

use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

pub fn configure(cfg: &mut Routes) {
    cfg.route("/library", web::get().to(lists::library))
        .route("/library/reviews", web::get().to(lists::reviews))
        .route("/s/{slug}/library", web::get().to(lists::space))
        .route("/s/{slug}/library/new", web::get().to(share::form))
        .route("/s/{slug}/library/new", web::post().to(share::share))
        .route("/s/{slug}/collections/new", web::get().to(collections::new_form))
        .route("/s/{slug}/collections/new", web::post().to(collections::create))
        .route("/collections/{id}", web::get().to(collections::show))
        .route("/collections/{id}/edit", web::get().to(collections::edit_form))
        .route("/collections/{id}/edit", web::post().to(collections::save))
        .route("/collections/{id}/delete", web::post().to(collections::delete))
        .route("/resources/{id}", web::get().to(resource::show))
        .route("/resources/{id}/edit", web::get().to(share::edit_form))
        .route("/resources/{id}/edit", web::post().to(share::save))
        .route("/resources/{id}/versions", web::get().to(versions::list))
        .route("/resources/{id}/versions", web::post().to(versions::add))
        .route("/resources/{id}/versions/{number}/restore", web::post().to(versions::restore))
        .route("/resources/{id}/endorsement", web::post().to(acts::endorse))
        .route("/resources/{id}/collect", web::post().to(acts::collect))
        .route("/resources/{id}/reviewed", web::post().to(acts::reviewed))
        .route("/resources/{id}/topic", web::post().to(acts::discuss))
        .route("/resources/{id}/delete", web::post().to(acts::delete))
        .route("/resources/{id}/restore", web::post().to(acts::restore))
        .route("/resources/{id}/hide", web::post().to(acts::hide))
        .route("/resources/{id}/report", web::get().to(report::form))
        .route("/resources/{id}/report", web::post().to(report::send))
        .route("/resources/{id}/purge", web::get().to(report::purge_form))
        .route("/resources/{id}/purge", web::post().to(report::purge))
        .route("/reports/library", web::get().to(report::list))
        .route("/reports/library/{id}", web::post().to(report::settle));
}

fn id_of(text: &str) -> Result<i64> {
    text.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}
