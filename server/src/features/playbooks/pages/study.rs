//! A case study as readers get it, and as its authors and reviewers will see it published.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::cards::{Figure, MeasureCard, PartCard, Person, Row, Said, elsewhere, figures};
use super::forms::Sheet;
use super::manage::spaces_to_write_in;
use crate::app::AppState;
use crate::entities::kinds::{AdoptionStatus, PartKey, StudySource, StudyState, TermKind};
use crate::features::forum::kept;
use crate::features::playbooks::citation::Cited;
use crate::features::playbooks::model::{AdoptionView, Copy, StudyView};
use crate::features::playbooks::queries::{self, Which};
use crate::web::error::Result;
use crate::web::frame::{Frame, page, page_with_status};
use crate::web::viewer::Viewer;

/// Endorsements beside the text; all stand below it.
const FEW: usize = 3;

/// `?copy=working`: what is not published yet.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct StudyQuery {
    copy: Option<String>,
}

/// The two forms at the end of the page.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub endorse: Option<Sheet>,
    pub adopt: Option<Sheet>,
}

/// A site that uses a study.
pub struct UsedAt {
    pub organisation: String,
    pub site: String,
    pub status: &'static str,
    pub tone: &'static str,
    pub why: String,
    pub contact: String,
    pub handle: String,
    pub name: String,
}

impl UsedAt {
    pub fn of(view: &AdoptionView) -> Self {
        let tone = match view.status {
            AdoptionStatus::Live => "success",
            AdoptionStatus::Piloting => "primary",
            AdoptionStatus::Stopped => "warning",
            AdoptionStatus::Considering => "plain",
        };
        Self {
            organisation: view.organisation.clone(),
            site: view.site.clone(),
            status: view.status.as_str(),
            tone,
            why: view.why.clone(),
            contact: view.contact.clone(),
            handle: view.handle.clone(),
            name: view.display_name.clone(),
        }
    }
}

/// How it is cited.
pub struct Cite {
    pub url: String,
    pub plain: String,
    pub bibtex: String,
    pub block: String,
}

/// Everything the page shows.
#[expect(clippy::struct_excessive_bools, reason = "what the viewer may do and has done")]
pub struct Shown<'a> {
    pub id: String,
    /// Of its playbook, which tells readers what is new; empty for a draft without one.
    pub stream: String,
    pub head: i64,
    pub epoch: String,
    pub address: String,
    pub title: String,
    pub summary: String,
    pub by: String,
    pub organisation: String,
    pub playbook: Option<(String, String)>,
    /// What has to be said of its state; empty for a published study.
    pub notice: &'static str,
    pub notice_tone: &'static str,
    pub notice_icon: &'static str,
    pub published_at: Option<i64>,
    pub version: i32,
    pub overdue: bool,
    pub endorsement_count: i32,
    /// More than the page shows.
    pub endorsed_more: bool,
    pub used_more: bool,
    pub adoption_count: i32,
    pub authors: Vec<Person>,
    pub credited: Vec<Person>,
    pub owner: Option<Person>,
    /// The account of its owner is not in use.
    pub owner_gone: bool,
    pub figures: Vec<Figure>,
    pub parts: Vec<PartCard>,
    /// What follows the parts in the contents.
    pub after: Vec<(&'static str, &'a str)>,
    pub measures: Vec<MeasureCard>,
    pub plotted: bool,
    pub endorsements: Vec<Said>,
    pub endorsements_few: Vec<Said>,
    pub used: Vec<UsedAt>,
    pub used_by: Vec<(&'static str, Vec<UsedAt>)>,
    pub dates: Vec<(&'static str, i64)>,
    pub glance: Vec<(&'static str, Vec<(String, String)>)>,
    pub scenarios: Vec<(String, String)>,
    pub topic: Option<(String, String)>,
    pub origin: Option<(String, String)>,
    pub related: Vec<Row>,
    pub cite: Option<Cite>,
    pub export: String,
    /// The same with its pictures.
    pub archive: String,
    pub public: bool,
    pub edit: bool,
    pub review: bool,
    pub retire: bool,
    pub following: bool,
    pub endorsed: bool,
    pub adopted: bool,
    pub may_endorse: bool,
    pub may_adopt: bool,
    /// Spaces in which a discussion could be opened, if there is none.
    pub discuss_in: Vec<(String, String)>,
    pub endorse: Sheet,
    pub adopt: Sheet,
}

#[derive(Template)]
#[template(path = "playbooks/templates/study.html")]
struct StudyPage<'a> {
    f: &'a Frame,
    s: Shown<'a>,
}

/// `GET /case-studies/{slug}`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<StudyQuery>,
) -> Result<HttpResponse> {
    let address = kept::address(&req, &viewer);
    if let Some(page) = kept::find(&state, &req, address.as_deref()) {
        return Ok(page);
    }
    let which = match Which::parse(query.copy.as_deref())? {
        Which::Best => Which::Published,
        which => which,
    };
    let view = queries::study_view(&state, &viewer, &path, which).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let content = study_page(&frame, &state, &viewer, &view, Answers::default()).await?;
    match address {
        Some(address) => kept::keep(&state, &req, &frame, address, view.heads, &content),
        None => page(&frame, &content),
    }
}

/// The page, with its forms as they come back.
pub async fn render(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    which: Which,
    answers: Answers,
    status: StatusCode,
) -> Result<HttpResponse> {
    let view = queries::study_view(state, viewer, slug, which).await?;
    let frame = Frame::new(state, req, viewer).await?;
    page_with_status(&frame, &study_page(&frame, state, viewer, &view, answers).await?, status)
}

async fn study_page<'a>(
    frame: &'a Frame,
    state: &AppState,
    viewer: &Viewer,
    view: &StudyView,
    answers: Answers,
) -> Result<StudyPage<'a>> {
    let related =
        if view.row.published.is_some() { queries::related(state, viewer, view.row.id.0).await? } else { Vec::new() };
    let related = related.iter().map(|row| Row::of(frame, row)).collect();
    let open = view.copy == Copy::Published && view.may.respond && view.discussion.is_none();
    let discuss_in = if open { spaces_to_write_in(state, viewer).await? } else { Vec::new() };
    Ok(StudyPage { f: frame, s: shown(frame, view, related, discuss_in, answers) })
}

/// What has to be said above a study that is not simply published.
const fn notice(view: &StudyView) -> (&'static str, &'static str, &'static str) {
    match (view.copy, view.row.state) {
        (Copy::Working, StudyState::Submitted) => ("submitted", "info", "time"),
        (Copy::Working, StudyState::Returned) => ("returned", "warning", "edit"),
        (Copy::Working, _) if view.row.published.is_some() => ("preview", "info", "eye"),
        (Copy::Working, _) => ("draft", "info", "edit"),
        (Copy::Published, StudyState::Retired) => ("retired", "warning", "warning"),
        (Copy::Published, StudyState::Revised | StudyState::Submitted | StudyState::Returned) if view.inside => {
            ("revised", "info", "edit")
        }
        (Copy::Published, _) if view.row.overdue => ("overdue", "warning", "time"),
        _ => ("", "", ""),
    }
}

fn shown<'a>(
    f: &'a Frame,
    view: &StudyView,
    related: Vec<Row>,
    discuss_in: Vec<(String, String)>,
    answers: Answers,
) -> Shown<'a> {
    let row = &view.row;
    let public = view.copy == Copy::Published && row.published.is_some();
    let (notice, notice_tone, notice_icon) = notice(view);
    let order = PartKey::ALL.iter().filter_map(|key| view.parts.get(key));
    let parts: Vec<PartCard> =
        order.filter(|part| !part.is_empty() && !elsewhere(part.key)).map(PartCard::of).collect();
    let measures: Vec<MeasureCard> =
        view.measures.iter().enumerate().map(|(at, measure)| MeasureCard::of(f, at, measure)).collect();
    let endorsements: Vec<Said> = view.endorsements.iter().map(|each| Said::of(f, each)).collect();
    let used = |status: AdoptionStatus| {
        let of: Vec<UsedAt> = view.adoptions.iter().filter(|each| each.status == status).map(UsedAt::of).collect();
        (!of.is_empty()).then(|| (status.as_str(), of))
    };
    let order = [AdoptionStatus::Live, AdoptionStatus::Piloting, AdoptionStatus::Considering, AdoptionStatus::Stopped];
    let mut after = Vec::new();
    if public {
        after.push(("endorsements", f.t("playbooks.endorse.title")));
        after.push(("used-at", f.t("playbooks.adopt.title")));
        after.push(("cite", f.t("playbooks.study.cite")));
    }
    if !related.is_empty() {
        after.push(("related", f.t("playbooks.study.related")));
    }
    let dates = [
        ("published", row.first_published),
        ("reviewed", row.published.filter(|at| row.first_published != Some(*at))),
        ("due", row.due),
    ];
    let names: Vec<&str> = row.authors.iter().map(|who| who.display_name.as_str()).collect();
    let (stream, head) = view.reading.clone().filter(|_| public).unwrap_or_default();
    Shown {
        id: row.id.to_string(),
        stream,
        head,
        epoch: view.epoch.clone(),
        address: row.url.clone(),
        title: row.title.clone(),
        summary: row.summary.clone(),
        by: names.join(", "),
        organisation: row.terms.get(&TermKind::Organisation).map(|of| of.join(", ")).unwrap_or_default(),
        playbook: row.playbook.as_ref().map(|of| (of.slug.clone(), of.title.clone())),
        notice,
        notice_tone,
        notice_icon,
        published_at: row.published.filter(|_| public),
        version: row.revision,
        overdue: row.overdue,
        endorsement_count: row.endorsement_count,
        endorsed_more: usize::try_from(row.endorsement_count).is_ok_and(|all| all > view.endorsements.len()),
        used_more: usize::try_from(row.adoption_count).is_ok_and(|all| all > view.adoptions.len()),
        adoption_count: row.adoption_count,
        authors: view.authors_full.iter().map(|who| Person::of(f, who)).collect(),
        credited: view.credited.iter().map(Person::named).collect(),
        owner: view.owner.as_ref().map(Person::named),
        owner_gone: view.owner_gone,
        figures: figures(f, &view.measures),
        parts,
        after,
        plotted: measures.iter().any(|measure| measure.plot.is_some()),
        measures,
        endorsements_few: endorsements.iter().take(FEW).cloned().collect(),
        endorsements,
        used: view.adoptions.iter().map(UsedAt::of).collect(),
        used_by: order.into_iter().filter_map(used).collect(),
        dates: dates.into_iter().filter_map(|(word, at)| at.map(|at| (word, at))).collect(),
        glance: glance(view),
        scenarios: view
            .scenarios
            .iter()
            .map(|of| (format!("/playbooks/{}#scenario-{}", of.playbook, of.id), of.title.clone()))
            .collect(),
        topic: view.discussion.as_ref().map(|of| (of.url.clone(), f.n("playbooks.study.replies", &of.post_count))),
        origin: view.source.as_ref().filter(|of| of.kind != StudySource::Written).and_then(|of| {
            let title =
                if of.title.is_empty() { f.of("playbooks.study.origin", of.kind.as_str()) } else { of.title.clone() };
            of.url.clone().map(|url| (url, title))
        }),
        related,
        cite: public.then(|| cite(f, view)),
        export: format!("/api/v1{}/export.md", row.url),
        archive: format!("/api/v1{}/export", row.url),
        public,
        edit: view.may.edit,
        review: view.may.review,
        retire: view.may.retire,
        following: view.mine.following,
        endorsed: view.mine.endorsed,
        adopted: view.mine.adopted,
        may_endorse: public && view.may.respond && !view.may.edit,
        may_adopt: public && view.may.respond,
        discuss_in,
        endorse: answers.endorse.unwrap_or_else(|| own_endorsement(f, view)).prefixed("endorse-"),
        adopt: answers.adopt.unwrap_or_else(|| own_adoption(f, view)).prefixed("adopt-"),
    }
}

/// The terms, each with the studies of the playbook that share it.
fn glance(view: &StudyView) -> Vec<(&'static str, Vec<(String, String)>)> {
    let home = view.row.playbook.as_ref().map(|of| of.slug.as_str());
    let shown = view.row.terms.iter().filter(|(_, terms)| !terms.is_empty());
    shown
        .map(|(kind, terms)| {
            let links = terms.iter().map(|term| {
                let query: String = url::form_urlencoded::byte_serialize(term.as_bytes()).collect();
                let href = home.map_or_else(
                    || format!("/search?kind=case_study&q={query}"),
                    |slug| format!("/playbooks/{slug}?{}={query}", kind.as_str()),
                );
                (term.clone(), href)
            });
            (kind.as_str(), links.collect())
        })
        .collect()
}

fn cite(f: &Frame, view: &StudyView) -> Cite {
    let url = format!("{}{}", f.origin, view.row.url);
    let cited = Cited::of(view, &f.hub_name, &f.origin, &url);
    Cite { plain: cited.plain(), bibtex: cited.bibtex(), block: cited.json_ld_block(), url: url.clone() }
}

fn own_endorsement(f: &Frame, view: &StudyView) -> Sheet {
    let me = f.me.as_ref().map(|me| me.handle.as_str()).unwrap_or_default();
    let own = view.endorsements.iter().find(|each| each.handle == me);
    Sheet::default()
        .with("reason", own.map(|own| own.reason.clone()).unwrap_or_default())
        .with("role", own.map(|own| own.role.clone()).unwrap_or_default())
        .with("organisation", own.map(|own| own.organisation.clone()).unwrap_or_default())
}

fn own_adoption(f: &Frame, view: &StudyView) -> Sheet {
    let me = f.me.as_ref().map(|me| me.handle.as_str()).unwrap_or_default();
    let own = view.adoptions.iter().find(|each| each.handle == me);
    Sheet::default()
        .with("organisation", own.map(|own| own.organisation.clone()).unwrap_or_default())
        .with("site", own.map(|own| own.site.clone()).unwrap_or_default())
        .with("status", own.map_or("considering", |own| own.status.as_str()))
        .with("why", own.map(|own| own.why.clone()).unwrap_or_default())
        .with("contact", own.map(|own| own.contact.clone()).unwrap_or_default())
}
