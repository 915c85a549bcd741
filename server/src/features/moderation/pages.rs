//! Pages to read: reports, a space's log.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::model::{ActRow, PersonView, ReportView};
use super::queries::{self, Seen, Sight};
use crate::app::AppState;
use crate::entities::kinds::ReportState;
use crate::features::spaces::SpaceInfo;
use crate::web::error::Result;
use crate::web::form::Form;
use crate::web::frame::{Frame, page, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

#[derive(Debug, Deserialize)]
pub struct ListQuery {
    state: Option<String>,
    #[serde(flatten)]
    page: PageQuery,
}

/// What a report is about, as the list shows it.
struct Line {
    /// "Post by Ada in Sepsis"
    title: String,
    author: PersonView,
    excerpt: String,
    /// The last part of the word for how it stands.
    standing: &'static str,
    /// What takes it out of sight, as `do` of the form; empty if it is.
    remove: &'static str,
    /// Where it is purged; empty if that is not the viewer's.
    purge: String,
    /// The viewer can open its page.
    opens: bool,
}

impl Line {
    fn of(f: &Frame, report: &ReportView, sight: &Sight) -> Self {
        let space = report.space_name.as_deref().unwrap_or_default();
        if let Some(post) = &report.post {
            let standing = match (post.purged, post.deleted, post.hidden) {
                (true, ..) => "purged",
                (_, true, _) => "deleted",
                (.., true) => "hidden",
                _ => "visible",
            };
            return Self {
                title: f.with(
                    "moderation.reports.post_by",
                    &[("author", post.author.display_name.as_str()), ("space", space)],
                ),
                author: post.author.clone(),
                excerpt: post.excerpt.clone(),
                standing,
                remove: if post.hidden || post.purged { "" } else { "hide" },
                purge: if post.purged { String::new() } else { format!("/posts/{}/purge", post.id) },
                opens: true,
            };
        }
        if let Some(study) = &report.case_study {
            let author = study.author.display_name.as_str();
            return Self {
                title: f.with("moderation.reports.study_by", &[("title", study.title.as_str()), ("author", author)]),
                author: study.author.clone(),
                excerpt: study.excerpt.clone(),
                standing: if study.hidden { "hidden" } else { "visible" },
                remove: if study.hidden { "" } else { "hide_study" },
                purge: String::new(),
                opens: true,
            };
        }
        let Some(message) = &report.message else {
            return Self {
                title: String::new(),
                author: PersonView::default(),
                excerpt: String::new(),
                standing: "purged",
                remove: "",
                purge: String::new(),
                opens: false,
            };
        };
        let author = message.author.display_name.as_str();
        let title = if message.direct {
            f.with1("moderation.reports.direct_by", "author", author)
        } else {
            let places = [("author", author), ("room", message.room_name.as_str()), ("space", space)];
            f.with("moderation.reports.message_by", &places)
        };
        Self {
            title,
            author: message.author.clone(),
            excerpt: message.excerpt.clone(),
            standing: if message.deleted { "deleted" } else { "visible" },
            remove: if message.deleted || !sight.removes(report) { "" } else { "remove" },
            purge: if message.open && sight.removes(report) {
                format!("/messages/{}/purge", message.id)
            } else {
                String::new()
            },
            opens: message.open,
        }
    }
}

/// The reports of one post or message that are settled together; settled ones stand alone.
struct Group<'a> {
    first: &'a ReportView,
    line: Line,
    more: Vec<&'a ReportView>,
}

impl<'a> Group<'a> {
    fn of(f: &Frame, reports: &'a [ReportView], sight: &Sight, open: bool) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for report in reports {
            match groups.iter_mut().find(|group| open && group.first.url == report.url) {
                Some(group) => group.more.push(report),
                None => groups.push(Self { first: report, line: Line::of(f, report, sight), more: Vec::new() }),
            }
        }
        groups
    }

    fn all(&self) -> impl Iterator<Item = &'a ReportView> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }

    /// Each reason once, in the order they came.
    fn reasons(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        for report in self.all() {
            if !reasons.contains(&report.reason.as_str()) {
                reasons.push(report.reason.as_str());
            }
        }
        reasons
    }
}

#[derive(Template)]
#[template(path = "moderation/templates/reports.html")]
struct ReportsPage<'a> {
    f: &'a Frame,
    groups: Vec<Group<'a>>,
    /// Whether the open ones are shown, or the settled.
    open: bool,
    open_count: i64,
    next: Option<&'a str>,
}

/// `GET /reports`
pub async fn reports(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let sight = queries::moderated(&state, &me).await?;
    let open = query.state.as_deref() != Some("settled");
    let states: &[ReportState] =
        if open { &[ReportState::Open] } else { &[ReportState::Upheld, ReportState::Dismissed] };
    let list = queries::reports(&state, &sight, states, query.page.after()?, query.page.limit()?).await?;
    let open_count = queries::open_count(&state, &sight).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    let groups = Group::of(&f, &list.items, &sight, open);
    page(&f, &ReportsPage { f: &f, groups, open, open_count, next: list.next_cursor.as_deref() })
}

#[derive(Template)]
#[template(path = "moderation/templates/log.html")]
struct LogPage<'a> {
    f: &'a Frame,
    space: &'a SpaceInfo,
    acts: &'a [ActRow],
    next: Option<&'a str>,
}

/// `GET /s/{slug}/log`
pub async fn space_log(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.moderate()?;
    let list = queries::acts_of(&state, Some(space.id), query.after()?, query.limit()?).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    page(&f, &LogPage { f: &f, space: &space, acts: &list.items, next: list.next_cursor.as_deref() })
}

/// A topic's title, or the word for one that was purged.
pub fn title_of<'a>(f: &'a Frame, seen: &'a Seen) -> &'a str {
    if seen.topic.title.is_empty() { f.t("moderation.purged_title") } else { &seen.topic.title }
}

/// Where a page's act leads: the address its form names, else `otherwise`. A script gets 204.
pub fn after_act(req: &HttpRequest, form: &Form, otherwise: &str) -> HttpResponse {
    if req.headers().get("X-Requested-With").is_some_and(|value| value == "fetch") {
        return HttpResponse::NoContent().finish();
    }
    see_other(form.some("next").unwrap_or(otherwise))
}
