//! Search: one page and one API over everything that can be found, suggestions as one types, and
//! searches that are kept, with a notice when there is something new.
//!
//! Invariant: an engine gives ids and counts over what the viewer may see; what is shown is read
//! from the rows once more, and a row that is gone or not for the viewer any more is left out.

mod api;
mod asked;
mod find;
mod pages;
mod saved;
mod saved_api;
mod suggest;
mod watch;

pub use saved::glimpses;
pub use watch::run_due;

use actix_web::web;
use utoipa::OpenApi;

use crate::web::routes::Routes;

#[derive(OpenApi)]
#[openapi(
    paths(api::search, api::suggestions, saved_api::list, saved_api::save, saved_api::change, saved_api::forget,),
    components(schemas(
        find::ItemView,
        find::ByView,
        find::FacetsView,
        find::ResultsView,
        suggest::SuggestionView,
        suggest::SuggestionsView,
        saved::SavedView,
        saved::NewSaved,
        saved::SavedChange,
    ))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(cfg: &mut Routes) {
    cfg.route("/search", web::get().to(api::search))
        .route("/search/suggest", web::get().to(api::suggestions))
        .route("/me/searches", web::get().to(saved_api::list))
        .route("/me/searches", web::post().to(saved_api::save))
        .route("/me/searches/{id}", web::patch().to(saved_api::change))
        .route("/me/searches/{id}", web::delete().to(saved_api::forget));
}

pub fn configure_pages(cfg: &mut Routes) {
    cfg.route("/search", web::get().to(pages::search))
        .route("/search/saved", web::post().to(pages::save))
        .route("/search/saved/{id}", web::post().to(pages::change));
}
