//! Acts from pages. What cannot be taken back is asked for on a page of its own.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::api::id_of;
use super::pages::{after_act, title_of};
use super::policy::Ground;
use super::queries::{self, Seen};
use super::record::clean_reason;
use super::reports::{self, About};
use super::{acts, messages, purge, studies, suspend};
use crate::app::AppState;
use crate::entities::kinds::{MemberState, ReportState};
use crate::entities::{member, report};
use crate::features::spaces::SpaceInfo;
use crate::store::Id;
use crate::text;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page};
use crate::web::viewer::{Administrator, AdministratorInPerson, Member, Viewer};

fn topic_url(ground: &Ground) -> String {
    format!("/s/{}/t/{}", ground.space.slug, Id(ground.topic.id))
}

/// `POST /reports/{id}`: `do` is `dismiss`, `uphold`, `hide` for a post, `hide_study` for a case
/// study, or `remove` for a message.
pub async fn settle(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let (id, actor, reason) = (id_of(&path)?, me.id, clean_reason(form.get("reason"))?);
    let what = match form.get("do") {
        "dismiss" => Some(ReportState::Dismissed),
        "uphold" => Some(ReportState::Upheld),
        "hide" | "hide_study" | "remove" => None,
        _ => return Err(AppError::BadRequest("The form does not say what to do.".into())),
    };
    // The other reports of the same that the page showed.
    let also: Vec<i64> = form.all("also").map(id_of).collect::<Result<_>>()?;
    state
        .store
        .write(async move |tx| {
            if let Some(to) = what {
                let settled = reports::settle(tx, actor, id, to, &reason).await?;
                return reports::settle_with(tx, &settled, &also).await;
            }
            let row = report::Entity::find_by_id(id).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
            match About::of(&row)? {
                About::Post(post) => {
                    acts::hide_post(tx, actor, post, true, &reason).await.map_err(unseen)?;
                    // The post may have been hidden before it was reported.
                    reports::settle_all(tx, actor, About::Post(post), &reason).await
                }
                About::Message(message) => messages::remove_reported(tx, actor, message, &reason).await,
                About::Study(study) => studies::hide_reported(tx, actor, study, &reason).await.map_err(unseen),
            }
        })
        .await?;
    Ok(after_act(&req, &form, "/reports"))
}

/// A report is not there for those who do not moderate.
fn unseen(error: AppError) -> AppError {
    if matches!(error, AppError::Forbidden(_)) { AppError::NotFound } else { error }
}

/// `POST /posts/{id}/hide`, with `?undo=1` the other way.
pub async fn hide_post(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let undo = req.query_string().split('&').any(|part| part == "undo=1");
    set_post_hidden(&state, &req, &me, &path, &form, !undo).await
}

/// `POST /posts/{id}/unhide`
pub async fn unhide_post(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    set_post_hidden(&state, &req, &me, &path, &form, false).await
}

async fn set_post_hidden(
    state: &AppState,
    req: &HttpRequest,
    me: &Member,
    id: &str,
    form: &Form,
    hide: bool,
) -> Result<HttpResponse> {
    let (id, actor, reason) = (id_of(id)?, me.id, clean_reason(form.get("reason"))?);
    let ground = state.store.write(async move |tx| acts::hide_post(tx, actor, id, hide, &reason).await).await?;
    Ok(after_act(req, form, &format!("{}#post-{}", topic_url(&ground), Id(id))))
}

/// `POST /topics/{id}/hide`, with `?undo=1` the other way.
pub async fn hide_topic(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let undo = req.query_string().split('&').any(|part| part == "undo=1");
    set_topic_hidden(&state, &req, &me, &path, &form, !undo).await
}

/// `POST /topics/{id}/unhide`
pub async fn unhide_topic(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    set_topic_hidden(&state, &req, &me, &path, &form, false).await
}

async fn set_topic_hidden(
    state: &AppState,
    req: &HttpRequest,
    me: &Member,
    id: &str,
    form: &Form,
    hide: bool,
) -> Result<HttpResponse> {
    let (id, actor, reason) = (id_of(id)?, me.id, clean_reason(form.get("reason"))?);
    let ground = state.store.write(async move |tx| acts::hide_topic(tx, actor, id, hide, &reason).await).await?;
    Ok(after_act(req, form, &topic_url(&ground)))
}

#[derive(Template)]
#[template(path = "moderation/templates/purge.html")]
struct PurgePage<'a> {
    f: &'a Frame,
    id: Id,
    topic_id: Id,
    space: &'a SpaceInfo,
    title: &'a str,
    author: &'a str,
    excerpt: &'a str,
    back: &'a str,
    is_first: bool,
    reason: &'a str,
}

/// `GET /posts/{id}/purge`: asks before it is done.
pub async fn purge_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    ask_purge(&state, &req, me, id_of(&path)?, "").await
}

async fn ask_purge(state: &AppState, req: &HttpRequest, me: Member, id: i64, reason: &str) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let seen: Seen = queries::seen_post(state, &viewer, id).await?;
    seen.access.moderate()?;
    if seen.post.purged_at.is_some() {
        return Err(AppError::Conflict("This post was purged.".into()));
    }
    let f = Frame::new(state, req, &viewer).await?;
    let template = PurgePage {
        f: &f,
        id: Id(id),
        topic_id: Id(seen.topic.id),
        space: &seen.space,
        title: title_of(&f, &seen),
        author: &seen.author.display_name,
        excerpt: &text::excerpt(&seen.post.body_html, 400),
        back: &queries::post_url(&seen.space.slug, seen.topic.id, id),
        is_first: seen.post.is_first,
        reason,
    };
    page(&f, &template)
}

/// `POST /posts/{id}/purge`: done with `sure`, asked for without.
pub async fn purge_post(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    if !form.ticked("sure") {
        return ask_purge(&state, &req, me, id, form.get("reason")).await;
    }
    let (actor, reason) = (me.id, clean_reason(form.get("reason"))?);
    let ground = state.store.write(async move |tx| purge::purge_post(tx, actor, id, &reason).await).await?;
    Ok(after_act(&req, &form, &format!("{}#post-{}", topic_url(&ground), Id(id))))
}

#[derive(Template)]
#[template(path = "moderation/templates/suspend.html")]
struct SuspendPage<'a> {
    f: &'a Frame,
    handle: &'a str,
    name: &'a str,
    suspended: bool,
}

/// `GET /members/{handle}/suspend`: asks for the reason.
pub async fn suspend_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let find = member::Entity::find().filter(member::Column::Handle.eq(path.to_lowercase()));
    let of = find.one(state.store.read()).await?.ok_or(AppError::NotFound)?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    let suspended = of.state == MemberState::Suspended;
    page(&f, &SuspendPage { f: &f, handle: &of.handle, name: &of.display_name, suspended })
}

/// `POST /members/{handle}/suspend`
pub async fn suspend_member(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: AdministratorInPerson,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let (actor, handle, reason) = (me.id, path.into_inner(), clean_reason(form.get("reason"))?);
    state.store.write(async move |tx| suspend::suspend(tx, actor, &handle, &reason).await).await?;
    Ok(after_act(&req, &form, "/admin"))
}

/// `POST /members/{handle}/unsuspend`
pub async fn unsuspend_member(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: AdministratorInPerson,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let (actor, handle, reason) = (me.id, path.into_inner(), clean_reason(form.get("reason"))?);
    state.store.write(async move |tx| suspend::unsuspend(tx, actor, &handle, &reason).await).await?;
    Ok(after_act(&req, &form, "/admin"))
}
