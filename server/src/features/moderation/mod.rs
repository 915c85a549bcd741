//! Moderation: reports of posts, messages and case studies, and what moderators and administrators do about them.
//!
//! Invariant: every act leaves a row in the log of acts, in the same transaction, with who, what,
//! when and why, and never with the text it was done to. What is purged is in no row any more.

mod acts;
mod api;
mod messages;
mod model;
mod pages;
mod pages_acts;
mod pages_report;
mod policy;
mod purge;
mod queries;
mod record;
mod reports;
mod studies;
mod suspend;

use actix_web::web;
use utoipa::OpenApi;

pub use messages::settle_message;
pub use model::{ActRow, NewFlag, PersonView, Reason};
pub use policy::{administrator, member_by_handle, tends};
pub use purge::FORGET;
pub use queries::{acts_of, moderated, open_count};
pub use record::{Act, clean_reason, record};
pub use suspend::{keep_an_administrator, suspend, unsuspend};

use crate::app::AppState;
use crate::entities::job;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

#[derive(OpenApi)]
#[openapi(
    paths(
        api::flag_post,
        api::flag_message,
        api::flag_study,
        api::hide_study,
        api::remove_message,
        api::list_reports,
        api::get_report,
        api::dismiss_report,
        api::uphold_report,
        api::hide_post,
        api::unhide_post,
        api::purge_post,
        api::hide_topic,
        api::unhide_topic,
        api::suspend_member,
        api::unsuspend_member,
    ),
    components(schemas(
        model::NewFlag,
        model::Reason,
        model::FlagView,
        model::ReportView,
        model::ReportedPost,
        model::ReportedMessage,
        model::ReportedStudy,
        model::PersonView,
    ))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(cfg: &mut Routes) {
    cfg.route("/posts/{id}/flags", web::post().to(api::flag_post))
        .route("/posts/{id}/hide", web::post().to(api::hide_post))
        .route("/posts/{id}/unhide", web::post().to(api::unhide_post))
        .route("/posts/{id}/purge", web::post().to(api::purge_post))
        .route("/topics/{id}/hide", web::post().to(api::hide_topic))
        .route("/topics/{id}/unhide", web::post().to(api::unhide_topic))
        .route("/messages/{id}/flags", web::post().to(api::flag_message))
        .route("/messages/{id}/remove", web::post().to(api::remove_message))
        .route("/case-studies/{slug}/flags", web::post().to(api::flag_study))
        .route("/case-studies/{slug}/hide", web::post().to(api::hide_study))
        .route("/reports", web::get().to(api::list_reports))
        .route("/reports/{id}", web::get().to(api::get_report))
        .route("/reports/{id}/dismiss", web::post().to(api::dismiss_report))
        .route("/reports/{id}/uphold", web::post().to(api::uphold_report))
        .route("/members/{handle}/suspend", web::post().to(api::suspend_member))
        .route("/members/{handle}/unsuspend", web::post().to(api::unsuspend_member));
}

pub fn configure_pages(cfg: &mut Routes) {
    cfg.route("/reports", web::get().to(pages::reports))
        .route("/reports/{id}", web::post().to(pages_acts::settle))
        .route("/s/{slug}/log", web::get().to(pages::space_log))
        .route("/posts/{id}/report", web::get().to(pages_report::post_form))
        .route("/posts/{id}/report", web::post().to(pages_report::send_post_report))
        .route("/messages/{id}/report", web::get().to(pages_report::message_form))
        .route("/messages/{id}/report", web::post().to(pages_report::send_message_report))
        .route("/case-studies/{slug}/report", web::get().to(pages_report::study_form))
        .route("/case-studies/{slug}/report", web::post().to(pages_report::send_study_report))
        .route("/posts/{id}/hide", web::post().to(pages_acts::hide_post))
        .route("/posts/{id}/unhide", web::post().to(pages_acts::unhide_post))
        .route("/posts/{id}/purge", web::get().to(pages_acts::purge_form))
        .route("/posts/{id}/purge", web::post().to(pages_acts::purge_post))
        .route("/topics/{id}/hide", web::post().to(pages_acts::hide_topic))
        .route("/topics/{id}/unhide", web::post().to(pages_acts::unhide_topic))
        .route("/members/{handle}/suspend", web::get().to(pages_acts::suspend_form))
        .route("/members/{handle}/suspend", web::post().to(pages_acts::suspend_member))
        .route("/members/{handle}/unsuspend", web::post().to(pages_acts::unsuspend_member));
}

/// Runs a job of this feature.
pub async fn run_job(state: &AppState, job: &job::Model) -> Result<()> {
    match job.kind.as_str() {
        purge::FORGET => purge::forget(state).await,
        _ => Err(AppError::internal(format!("no such job: {}", job.kind))),
    }
}
