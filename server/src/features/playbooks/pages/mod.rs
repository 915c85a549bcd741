//! The pages of playbooks and case studies. Each works without scripts; an open editor asks for
//! parts of itself.

mod acts;
mod around;
mod begin;
mod browse;
mod cards;
mod cite;
mod comments;
mod cover;
mod edit;
mod edit_form;
mod figure;
mod forms;
mod history;
mod lists;
mod manage;
mod narrowing;
mod register;
mod review;
mod scenarios;
mod study;
mod talk;

pub use lists::{Card, some_books};

use actix_web::HttpRequest;
use actix_web::web;

use crate::web::routes::Routes;

pub fn configure(cfg: &mut Routes) {
    cfg.route("/playbooks", web::get().to(lists::books))
        .route("/playbooks/new", web::get().to(manage::new_book))
        .route("/playbooks/new", web::post().to(manage::make_book))
        .route("/playbooks/{slug}", web::get().to(lists::book))
        .route("/playbooks/{slug}/feed.atom", web::get().to(cite::feed))
        .route("/playbooks/{slug}/users", web::get().to(register::show))
        .route("/adoptions", web::get().to(register::all))
        .route("/playbooks/{slug}/reviews", web::get().to(review::queue))
        .route("/playbooks/{slug}/edit", web::get().to(manage::edit_book))
        .route("/playbooks/{slug}/edit", web::post().to(manage::save_book))
        .route("/playbooks/{slug}/archive", web::post().to(manage::archive))
        .route("/playbooks/{slug}/cover", web::post().to(cover::add))
        .route("/playbooks/{slug}/cover/remove", web::post().to(cover::remove))
        .route("/playbooks/{slug}/people", web::post().to(manage::add_person))
        .route("/playbooks/{slug}/people/remove", web::post().to(manage::remove_person))
        .route("/playbooks/{slug}/scenarios/new", web::get().to(scenarios::new_scenario))
        .route("/playbooks/{slug}/scenarios/new", web::post().to(scenarios::add_scenario))
        .route("/playbooks/{slug}/scenarios/{id}/edit", web::get().to(scenarios::edit_scenario))
        .route("/playbooks/{slug}/scenarios/{id}/edit", web::post().to(scenarios::save_scenario))
        .route("/playbooks/{slug}/scenarios/{id}/studies", web::post().to(scenarios::place))
        .route("/playbooks/{slug}/scenarios/{id}/remove", web::post().to(scenarios::remove_scenario))
        .route("/case-studies", web::get().to(begin::mine))
        .route("/case-studies/new", web::get().to(begin::form))
        .route("/case-studies/new", web::post().to(begin::begin))
        .route("/case-studies/browse", web::get().to(browse::show))
        .route("/case-studies/{slug}", web::get().to(study::show))
        .route("/case-studies/{slug}/cite.{format}", web::get().to(cite::cite))
        .route("/case-studies/{slug}/history", web::get().to(history::show))
        .route("/case-studies/{slug}/edit", web::get().to(edit::show))
        .route("/case-studies/{slug}/edit/about", web::get().to(begin::about))
        .route("/case-studies/{slug}/edit/about", web::post().to(begin::save_about))
        .route("/case-studies/{slug}/edit/{key}", web::get().to(edit::part))
        .route("/case-studies/{slug}/edit/{key}", web::post().to(edit::save))
        .route("/case-studies/{slug}/edit/{key}/figure", web::get().to(figure::form))
        .route("/case-studies/{slug}/edit/{key}/figure", web::post().to(figure::add))
        .route("/case-studies/{slug}/comments", web::get().to(comments::list))
        .route("/case-studies/{slug}/comments", web::post().to(comments::add))
        .route("/case-studies/{slug}/comments/{id}/resolve", web::post().to(comments::resolve))
        .route("/case-studies/{slug}/comments/{id}/remove", web::post().to(comments::remove))
        .route("/case-studies/{slug}/comments/{id}/edit", web::get().to(comments::edit))
        .route("/case-studies/{slug}/comments/{id}/edit", web::post().to(comments::save))
        .route("/case-studies/{slug}/authors", web::post().to(acts::add_author))
        .route("/case-studies/{slug}/authors/remove", web::post().to(acts::remove_author))
        .route("/case-studies/{slug}/submit", web::get().to(review::submit_form))
        .route("/case-studies/{slug}/submit", web::post().to(review::submit))
        .route("/case-studies/{slug}/withdraw", web::post().to(review::withdraw))
        .route("/case-studies/{slug}/review", web::get().to(review::show))
        .route("/case-studies/{slug}/publish", web::post().to(review::publish))
        .route("/case-studies/{slug}/return", web::post().to(review::send_back))
        .route("/case-studies/{slug}/retire", web::post().to(around::retire))
        .route("/case-studies/{slug}/retire", web::get().to(around::retire_form))
        .route("/case-studies/{slug}/endorsements", web::get().to(around::endorsements))
        .route("/case-studies/{slug}/adoptions", web::get().to(around::adoptions))
        .route("/case-studies/{slug}/edit/{key}/history", web::get().to(around::part_history))
        .route("/case-studies/{slug}/follow", web::post().to(acts::follow))
        .route("/case-studies/{slug}/endorse", web::post().to(acts::endorse))
        .route("/case-studies/{slug}/adopt", web::post().to(acts::adopt))
        .route("/case-studies/{slug}/discuss", web::post().to(acts::discuss));
}

/// Whether a script of an open page asks, which wants a part and not the whole.
fn by_fetch(req: &HttpRequest) -> bool {
    req.headers().get("X-Requested-With").is_some_and(|value| value.as_bytes() == b"fetch")
}
