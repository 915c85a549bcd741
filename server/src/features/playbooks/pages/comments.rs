//! Comments by forms: all on one part, one thread, and saying, changing, removing and settling them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::acts::ActQuery;
use super::by_fetch;
use super::edit::said_of;
use super::forms::{Sheet, version_of};
use super::talk::{Talk, talk};
use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::playbooks::actions::{self, NewComment};
use crate::features::playbooks::model::{CommentView, StudyView};
use crate::features::playbooks::queries::{self, Which};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

type State = web::Data<AppState>;
type Path = web::Path<String>;
type OnePath = web::Path<(String, String)>;

#[derive(Template)]
#[template(path = "playbooks/templates/_comments.html")]
struct TalkFragment<'a> {
    f: &'a Frame,
    talk: Talk,
}

/// The comments on a part by themselves, or one that comes back with what is wrong with it.
#[derive(Template)]
#[template(path = "playbooks/templates/comment.html")]
struct TalkPage<'a> {
    f: &'a Frame,
    title: String,
    address: String,
    faults: Vec<String>,
    next: Option<String>,
    talk: Talk,
}

/// `?part=KEY`, and of its own page `&cursor=…`; `?thread=ID`: one of them with all replies.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TalkQuery {
    #[serde(default)]
    part: String,
    thread: Option<String>,
    cursor: Option<String>,
    from: Option<String>,
}

fn from_word(word: &str) -> &'static str {
    if word == "review" { "review" } else { "edit" }
}

/// `GET /case-studies/{slug}/comments?part=KEY`: a page of its own, or what an open editor asks for.
pub async fn list(
    req: HttpRequest,
    state: State,
    _me: Member,
    viewer: Viewer,
    path: Path,
    query: web::Query<TalkQuery>,
) -> Result<HttpResponse> {
    let from = from_word(query.from.as_deref().unwrap_or_default());
    let wanted = PageQuery { limit: None, cursor: query.cursor.clone() };
    let view = queries::study_view(&state, &viewer, &path, Which::Working).await?;
    let id = view.row.id.0;
    let (key, said, rest) = if let Some(thread) = query.thread.as_deref() {
        let thread = thread.parse::<Id>().map_err(|_| AppError::NotFound)?;
        let said = queries::thread_of(&state, id, thread.0, &wanted).await?;
        let key = said.comments.first().map(|of| of.part).ok_or(AppError::NotFound)?;
        (key, said, format!("thread={thread}"))
    } else {
        let key = PartKey::parse(&query.part).ok_or(AppError::NotFound)?;
        let said = if by_fetch(&req) {
            said_of(&state, id, Some(key)).await?
        } else {
            queries::threads_of(&state, id, Some(key), &wanted).await?
        };
        (key, said, format!("part={}", key.as_str()))
    };
    let frame = Frame::new(&state, &req, &viewer).await?;
    let mut talk = talk(&frame, &view, key, &said, from);
    if by_fetch(&req) {
        return page(&frame, &TalkFragment { f: &frame, talk });
    }
    talk.more = 0;
    if query.thread.is_some() {
        talk.threads.iter_mut().for_each(|thread| thread.more = false);
    }
    let next = said.next.map(|cursor| format!("{}/comments?{rest}&from={from}&cursor={cursor}", view.row.url));
    let (title, address) = (view.row.title, view.row.url);
    page(&frame, &TalkPage { f: &frame, title, address, faults: Vec::new(), next, talk })
}

/// Where a form of comments came from.
fn from_of(sent: &Form) -> &'static str {
    from_word(sent.get("from"))
}

/// The comments for a script, else the way back to the part.
async fn said(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    key: PartKey,
    from: &'static str,
) -> Result<HttpResponse> {
    if by_fetch(req) {
        let view = queries::study_view(state, viewer, slug, Which::Working).await?;
        let said = said_of(state, view.row.id.0, Some(key)).await?;
        let frame = Frame::new(state, req, viewer).await?;
        let talk = talk(&frame, &view, key, &said, from);
        return page(&frame, &TalkFragment { f: &frame, talk });
    }
    Ok(see_other(&format!("/case-studies/{slug}/{from}#comments-{}", key.as_str())))
}

/// `POST /case-studies/{slug}/comments`
pub async fn add(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    sent: Form,
) -> Result<HttpResponse> {
    let key = PartKey::parse(sent.get("part")).ok_or(AppError::NotFound)?;
    let parent = match sent.some("parent") {
        Some(id) => Some(id.parse::<Id>().map_err(|_| AppError::NotFound)?.0),
        None => None,
    };
    let new = NewComment {
        part: key,
        parent,
        quote: String::new(),
        body: sent.get("body").replace("\r\n", "\n"),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::add_comment(&state, &me, &path, &new).await {
        Ok(_) => said(&req, &state, &viewer, &path, key, from_of(&sent)).await,
        Err(AppError::Invalid(faults)) if !by_fetch(&req) => {
            let view = queries::study_view(&state, &viewer, &path, Which::Working).await?;
            let threads = said_of(&state, view.row.id.0, Some(key)).await?;
            let frame = Frame::new(&state, &req, &viewer).await?;
            let mut talk = talk(&frame, &view, key, &threads, from_of(&sent));
            (talk.open, talk.typed) = (true, new.body);
            let faults = faults.into_iter().map(|fault| fault.message).collect();
            let (title, address) = (view.row.title, view.row.url);
            let content = TalkPage { f: &frame, title, address, faults, next: None, talk };
            page_with_status(&frame, &content, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => Err(error),
    }
}

/// `POST /case-studies/{slug}/comments/{id}/resolve`
pub async fn resolve(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: OnePath,
    query: web::Query<ActQuery>,
    sent: Form,
) -> Result<HttpResponse> {
    let (slug, id) = path.into_inner();
    let id: Id = id.parse().map_err(|_| AppError::NotFound)?;
    let key = PartKey::parse(sent.get("part")).ok_or(AppError::NotFound)?;
    actions::set_resolved(&state, &me, &slug, id.0, query.on()).await?;
    said(&req, &state, &viewer, &slug, key, from_of(&sent)).await
}

/// `POST /case-studies/{slug}/comments/{id}/remove`
pub async fn remove(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: OnePath,
    sent: Form,
) -> Result<HttpResponse> {
    let (slug, id) = path.into_inner();
    let id: Id = id.parse().map_err(|_| AppError::NotFound)?;
    let key = PartKey::parse(sent.get("part")).ok_or(AppError::NotFound)?;
    actions::delete_comment(&state, &me, &slug, id.0).await?;
    said(&req, &state, &viewer, &slug, key, from_of(&sent)).await
}

/// One's own comment in its form.
#[derive(Template)]
#[template(path = "playbooks/templates/comment-edit.html")]
struct CommentForm<'a> {
    f: &'a Frame,
    title: String,
    address: String,
    part: String,
    key: &'static str,
    id: String,
    version: String,
    from: &'static str,
    form: Sheet,
}

/// `?from=review`: where to go afterwards.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FromQuery {
    #[serde(default)]
    from: String,
}

/// One's own comment, which is there.
async fn own(state: &AppState, viewer: &Viewer, slug: &str, id: &str) -> Result<(StudyView, CommentView)> {
    let id: Id = id.parse().map_err(|_| AppError::NotFound)?;
    let view = queries::study_view(state, viewer, slug, Which::Working).await?;
    let found = queries::find_comment(state.store.read(), &[id.0]).await?.pop();
    let (_, comment) =
        found.filter(|(study, comment)| *study == view.row.id.0 && !comment.deleted).ok_or(AppError::NotFound)?;
    if comment.author.id != viewer.require()?.id {
        return Err(AppError::Forbidden("Only its author can do this.".into()));
    }
    Ok((view, comment))
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    (view, comment): (StudyView, CommentView),
    from: &'static str,
    form: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let frame = Frame::new(state, req, viewer).await?;
    let content = CommentForm {
        f: &frame,
        title: view.row.title,
        address: view.row.url,
        part: crate::features::playbooks::parts::title(comment.part),
        key: comment.part.as_str(),
        id: comment.id.to_string(),
        version: if form.has("version") { form.value("version").to_owned() } else { comment.version.to_string() },
        from,
        form,
    };
    page_with_status(&frame, &content, status)
}

/// `GET /case-studies/{slug}/comments/{id}/edit`
pub async fn edit(
    req: HttpRequest,
    state: State,
    _me: Member,
    viewer: Viewer,
    path: OnePath,
    query: web::Query<FromQuery>,
) -> Result<HttpResponse> {
    let of = own(&state, &viewer, &path.0, &path.1).await?;
    let form = Sheet::default().with("body", &of.1.body);
    show(&req, &state, &viewer, of, from_word(&query.from), form, StatusCode::OK).await
}

/// `POST /case-studies/{slug}/comments/{id}/edit`
pub async fn save(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: OnePath,
    sent: Form,
) -> Result<HttpResponse> {
    let of = own(&state, &viewer, &path.0, &path.1).await?;
    let mut form = Sheet::typed(&sent, &["body", "version"]);
    let (id, key, from) = (of.1.id.0, of.1.part, from_of(&sent));
    let body = form.value("body").to_owned();
    let confirmed = sent.ticked("confirmed");
    match actions::edit_comment(&state, &me, &path.0, id, &body, confirmed, version_of(&sent)).await {
        Ok(_) => Ok(see_other(&format!("{}/{from}#comments-{}", of.0.row.url, key.as_str()))),
        Err(AppError::Stale) => {
            let form = form.without("version").stale("playbooks.manage.stale");
            show(&req, &state, &viewer, of, from, form, StatusCode::PRECONDITION_FAILED).await
        }
        Err(error) => {
            let status = form.refuse(error)?;
            show(&req, &state, &viewer, of, from, form, status).await
        }
    }
}
