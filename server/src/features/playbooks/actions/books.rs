//! Making and changing a playbook.

use actix_web::HttpResponse;

use super::{gather, told};
use crate::app::AppState;
use crate::entities::kinds::{HubRole, PlaybookVisibility};
use crate::features::playbooks::ground;
use crate::features::playbooks::markdown::PlaybookIn;
use crate::features::playbooks::model::PlaybookView;
use crate::features::playbooks::queries::playbook_view_in;
use crate::features::playbooks::rows::address;
use crate::features::playbooks::texts::{check_figures, render_texts};
use crate::features::spaces::policy::not_archived;
use crate::features::spaces::{access_by_slug, model as spaces};
use crate::search::Kind;
use crate::store::{Sql, Tx};
use crate::web::checks::{self, BODY, SUMMARY, TITLE, Text};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::{Me, Viewer};

/// Points of a checklist.
const MOST_POINTS: usize = 40;

/// A playbook to be made.
#[derive(Clone, Debug)]
pub struct NewPlaybook {
    pub slug: String,
    pub title: String,
    pub pathway: String,
    pub summary: String,
    /// Markdown.
    pub introduction: String,
    pub visibility: PlaybookVisibility,
    /// Slug of its space.
    pub space: Option<String>,
    pub checklist: Vec<String>,
    pub confirmed: bool,
}

/// The image at the head of a playbook, an upload of the member.
#[derive(Clone, Debug)]
pub struct Cover {
    pub file: i64,
    /// What it shows.
    pub alternative: String,
}

/// What of a playbook becomes new; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct PlaybookChange {
    pub title: Option<String>,
    pub pathway: Option<String>,
    pub summary: Option<String>,
    pub introduction: Option<String>,
    pub visibility: Option<PlaybookVisibility>,
    /// Slug of its space; `Some(None)` takes it out of the one it has.
    pub space: Option<Option<String>>,
    /// `Some(None)` takes it away.
    pub cover: Option<Option<Cover>>,
    pub checklist: Option<Vec<String>>,
    pub archived: Option<bool>,
    pub confirmed: bool,
}

/// Checked and rendered.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    slug: String,
    title: String,
    pathway: String,
    summary: String,
    introduction: String,
    html: String,
    visibility: PlaybookVisibility,
    space: Option<String>,
    checklist: Vec<String>,
    members_make: bool,
}

impl Prepared {
    /// An open playbook from elsewhere, whose texts fit.
    pub(super) fn imported(slug: &str, title: String, of: &PlaybookIn, html: String) -> Self {
        Self {
            slug: slug.to_owned(),
            title,
            pathway: of.pathway.clone(),
            summary: of.summary.clone(),
            introduction: of.introduction.clone(),
            html,
            visibility: PlaybookVisibility::Open,
            space: None,
            checklist: of.checklist.clone(),
            members_make: true,
        }
    }

    /// The same, read like a space.
    pub(super) fn inside(self, space: String) -> Self {
        Self { visibility: PlaybookVisibility::Restricted, space: Some(space), ..self }
    }
}

/// Makes a playbook; its maker becomes its owner. In a space: those who write there.
pub async fn create_playbook(state: &AppState, me: &Me, new: &NewPlaybook) -> Result<PlaybookView> {
    let prepared = prepare(state, new).await?;
    let (owned, viewer) = (state.clone(), Viewer::Member(std::sync::Arc::new(me.clone())));
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            insert(tx, member, &prepared).await?;
            playbook_view_in(tx.conn(), &owned, &viewer, &prepared.slug).await
        })
        .await
}

/// The same for a request that may come again.
pub async fn create_playbook_once(
    state: &AppState,
    me: &Me,
    new: &NewPlaybook,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let prepared = prepare(state, new).await?;
    let (owned, viewer) = (state.clone(), Viewer::Member(std::sync::Arc::new(me.clone())));
    let member = me.id;
    write_once(state, member, once, async move |tx| {
        let id = insert(tx, member, &prepared).await?;
        let view = playbook_view_in(tx.conn(), &owned, &viewer, &prepared.slug).await?;
        let answer = Answer::created(format!("/api/v1/playbooks/{}", prepared.slug), &view, Some(id))?;
        Ok(answer.with_etag(of_version(1)))
    })
    .await
}

async fn prepare(state: &AppState, new: &NewPlaybook) -> Result<Prepared> {
    let mut faults = Vec::new();
    let slug = gather(&mut faults, spaces::slug(&new.slug))?;
    let texts = [
        Text::line("title", &new.title, TITLE).required(),
        Text::line("pathway", &new.pathway, TITLE),
        Text::line("summary", &new.summary, SUMMARY),
        Text::body("introduction", &new.introduction, BODY),
    ];
    let checked = gather(&mut faults, checks::check(&texts, new.confirmed))?;
    let checklist = gather(&mut faults, points(&new.checklist, new.confirmed))?;
    gather(&mut faults, check_figures("introduction", &new.introduction))?;
    if slug.as_deref().is_some_and(|slug| matches!(slug, "new" | "adoptions" | "mine")) {
        faults.push(FieldError { field: "slug".into(), message: "cannot be used; choose another".into() });
    }
    let space = new.space.clone().filter(|slug| !slug.is_empty());
    if new.visibility == PlaybookVisibility::Restricted && space.is_none() {
        faults.push(FieldError {
            field: "space".into(),
            message: "is needed: a restricted playbook is read by those who may read its space".into(),
        });
    }
    let (Some(slug), Some(checked), Some(checklist), true) = (slug, checked, checklist, faults.is_empty()) else {
        return Err(AppError::Invalid(faults));
    };
    let [html] = render_texts(state, [checked.get("introduction")]).await?;
    Ok(Prepared {
        slug,
        title: checked.get("title").to_owned(),
        pathway: checked.get("pathway").to_owned(),
        summary: checked.get("summary").to_owned(),
        introduction: checked.get("introduction").to_owned(),
        html,
        visibility: new.visibility,
        space,
        checklist,
        members_make: state.settings.current(state).await?.members_make_spaces,
    })
}

/// The points of a checklist, without empty ones.
fn points(given: &[String], confirmed: bool) -> Result<Vec<String>> {
    if given.len() > MOST_POINTS {
        return Err(AppError::field("checklist", format!("has {MOST_POINTS} points at most")));
    }
    let mut points = Vec::with_capacity(given.len());
    for point in given {
        let checked = checks::check(&[Text::line("checklist", point, SUMMARY)], confirmed)?;
        if !checked.get("checklist").is_empty() {
            points.push(checked.get("checklist").to_owned());
        }
    }
    Ok(points)
}

/// The id of a space that a member may put a playbook into.
async fn space(tx: &Tx, member: i64, slug: &str) -> Result<i64> {
    let none = || AppError::field("space", "is the address of a space that you can read");
    let slug = address(slug).map_err(|_| none())?;
    let inside = access_by_slug(tx.conn(), member, &slug).await.map_err(|error| match error {
        AppError::NotFound => none(),
        other => other,
    })?;
    if inside.access.read().is_err() {
        return Err(none());
    }
    not_archived(inside.space.archived_at.is_some())?;
    inside.write()?;
    Ok(inside.space.id)
}

pub(super) async fn insert(tx: &mut Tx, member: i64, new: &Prepared) -> Result<i64> {
    let actor = ground::actor(tx, member).await?;
    if !new.members_make && actor.role == HubRole::Member {
        return Err(AppError::Forbidden("Only experts, facilitators and administrators make playbooks here.".into()));
    }
    let space = match &new.space {
        Some(slug) => Some(space(tx, member, slug).await?),
        None => None,
    };
    let id = tx.id();
    let made = Sql::new(
        "INSERT INTO playbook (id, slug, title, pathway, summary, intro, intro_html, visibility, space_id, cover_alt, \
         checklist, study_count, created_by, created_at, updated_at, version) VALUES ",
    )
    .rows([[
        id.into(),
        new.slug.clone().into(),
        new.title.clone().into(),
        new.pathway.clone().into(),
        new.summary.clone().into(),
        new.introduction.clone().into(),
        new.html.clone().into(),
        new.visibility.as_str().into(),
        space.into(),
        "".into(),
        serde_json::to_string(&new.checklist)?.into(),
        0.into(),
        member.into(),
        tx.now().into(),
        tx.now().into(),
        1.into(),
    ]])
    .then(" ON CONFLICT (slug) DO NOTHING")
    .run(tx.conn())
    .await?;
    if made.rows_affected() == 0 {
        return Err(AppError::Conflict("This address is taken; choose another.".into()));
    }
    Sql::new("INSERT INTO playbook_member (playbook_id, member_id, role, added_at) VALUES ")
        .rows([[id.into(), member.into(), "owner".into(), tx.now().into()]])
        .run(tx.conn())
        .await?;
    crate::features::people::adopt_into_playbook(tx, member, id, &new.html).await?;
    tx.index(Kind::Playbook, id);
    Ok(id)
}

/// Changes a playbook: its owners.
pub async fn edit_playbook(
    state: &AppState,
    me: &Me,
    slug: &str,
    change: &PlaybookChange,
    if_match: IfMatch,
) -> Result<()> {
    let mut faults = Vec::new();
    let mut texts = Vec::new();
    texts.extend(change.title.as_deref().map(|text| Text::line("title", text, TITLE).required()));
    texts.extend(change.pathway.as_deref().map(|text| Text::line("pathway", text, TITLE)));
    texts.extend(change.summary.as_deref().map(|text| Text::line("summary", text, SUMMARY)));
    texts.extend(change.introduction.as_deref().map(|text| Text::body("introduction", text, BODY)));
    if let Some(Some(cover)) = &change.cover {
        texts.push(Text::line("cover_alt", &cover.alternative, SUMMARY).required());
    }
    let checked = gather(&mut faults, checks::check(&texts, change.confirmed))?;
    gather(&mut faults, check_figures("introduction", change.introduction.as_deref().unwrap_or_default()))?;
    let checklist = change.checklist.as_ref().map(|given| gather(&mut faults, points(given, change.confirmed)));
    let checklist = checklist.transpose()?.flatten();
    let (Some(checked), true) = (checked, faults.is_empty()) else { return Err(AppError::Invalid(faults)) };
    let [html] = render_texts(state, [checked.get("introduction")]).await?;
    let (member, slug, change) = (me.id, slug.to_owned(), change.clone());
    state
        .store
        .write(async move |tx| {
            let book = ground::playbook(tx, member, &slug).await?;
            book.standing.own()?;
            if_match.check(book.version)?;
            let mut sql = Sql::new("UPDATE playbook SET version = version + 1, updated_at = ").bind(tx.now());
            let fields = [
                ("title", change.title.is_some(), "title"),
                ("pathway", change.pathway.is_some(), "pathway"),
                ("summary", change.summary.is_some(), "summary"),
                ("introduction", change.introduction.is_some(), "intro"),
            ];
            for (field, _, column) in fields.into_iter().filter(|(_, given, _)| *given) {
                sql = sql.then(", ").then(column).then(" = ").bind(checked.get(field));
            }
            if change.introduction.is_some() {
                sql = sql.then(", intro_html = ").bind(html.clone());
                crate::features::people::adopt_into_playbook(tx, member, book.id, &html).await?;
            }
            let mut home = book.space_id;
            if let Some(wanted) = &change.space {
                home = match wanted.as_deref().filter(|slug| !slug.is_empty()) {
                    Some(slug) => Some(space(tx, member, slug).await?),
                    None => None,
                };
                sql = sql.then(", space_id = ").bind(home);
            }
            let visibility = change.visibility.unwrap_or(book.standing.visibility);
            if visibility == PlaybookVisibility::Restricted && home.is_none() {
                return Err(AppError::field(
                    "space",
                    "is needed: a restricted playbook is read by those who may read its space",
                ));
            }
            sql = sql.then(", visibility = ").bind(visibility.as_str());
            if let Some(cover) = &change.cover {
                if let Some(cover) = cover
                    && !crate::features::people::adopt_cover(tx, member, book.id, cover.file).await?
                {
                    return Err(AppError::field("cover", "is an image that you have uploaded for it"));
                }
                sql = sql.then(", cover_id = ").bind(cover.as_ref().map(|cover| cover.file));
                let alternative = if cover.is_some() { checked.get("cover_alt") } else { "" };
                sql = sql.then(", cover_alt = ").bind(alternative);
            }
            if let Some(checklist) = &checklist {
                sql = sql.then(", checklist = ").bind(serde_json::to_string(checklist)?);
            }
            if let Some(archived) = change.archived {
                let at = archived.then(|| tx.now());
                sql = sql.then(", archived_at = ").bind(at);
            }
            sql.then(" WHERE id = ").bind(book.id).run(tx.conn()).await?;
            tx.index_with_inside(Kind::Playbook, book.id);
            told::book_changed(tx, book.id, Some(member));
            if visibility != book.standing.visibility || home != book.space_id || change.archived.is_some() {
                told::narrowed(tx, book.id, member);
            }
            if visibility != book.standing.visibility || home != book.space_id {
                // Who may read its studies has changed: streams that are read are looked at again.
                tx.after(crate::store::After::SpaceAccess(home.or(book.space_id).unwrap_or(0)));
            }
            Ok(())
        })
        .await
}
