//! Playbooks and their scenarios.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::ConnectionTrait;

use super::shelf::{Shelf, shelf_of};
use crate::app::AppState;
use crate::entities::kinds::{HubRole, PlaybookRole};
use crate::features::forum::{AUTHOR, author};
use crate::features::playbooks::model::{NameView, PlaybookPerson, PlaybookRow, PlaybookView, ScenarioView, StudyRow};
use crate::features::playbooks::policy::BookStanding;
use crate::features::playbooks::rows::{BOOK, BOOK_JOINS, STANDING, STUDY, address, book, book_standing, kept, study};
use crate::features::playbooks::terms::fold;
use crate::store::{Id, Sql};
use crate::streams::Stream;
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::Viewer;

/// Studies of a scenario that its playbook shows at once.
const SHOWN: i64 = 12;

/// A playbook that its viewer may read.
#[derive(Clone, Debug)]
pub struct Book {
    pub id: i64,
    pub row: PlaybookRow,
    pub standing: BookStanding,
    pub introduction: String,
    pub introduction_html: String,
    pub checklist: Vec<String>,
    waiting: i64,
}

/// Appends the condition that a viewer may read playbook `b`.
pub(super) async fn readable(sql: Sql, state: &AppState, viewer: &Viewer) -> Result<Sql> {
    let spaces = state.spaces.readable(state, viewer).await?;
    let sql = sql.then("(b.visibility = 'open' OR b.space_id IN ").list(spaces);
    Ok(match viewer.member() {
        None => sql.then(")"),
        Some(me) if me.hub_role == HubRole::Administrator => sql.then(" OR b.space_id IS NULL)"),
        Some(me) => sql
            .then(" OR (b.space_id IS NULL AND EXISTS (SELECT 1 FROM playbook_member pm WHERE pm.playbook_id = b.id AND pm.member_id = ")
            .bind(me.id)
            .then(")))"),
    })
}

/// For whom studies are selected.
#[derive(Clone, Copy, Debug)]
pub(super) enum Eyes<'a> {
    /// What this viewer may read.
    Of(&'a Viewer),
    /// What everybody who may read this playbook may read, too: its own, and those of open ones.
    AnyReader(i64),
}

impl Eyes<'_> {
    /// Appends the condition that they may read playbook `b`.
    pub(super) async fn may_read(self, sql: Sql, state: &AppState) -> Result<Sql> {
        match self {
            Self::Of(viewer) => readable(sql, state, viewer).await,
            Self::AnyReader(playbook) => Ok(sql.then("(b.visibility = 'open' OR b.id = ").bind(playbook).then(")")),
        }
    }
}

/// The slug of a playbook's space, if the viewer may know of it.
pub(super) async fn with_space(state: &AppState, viewer: &Viewer, mut row: PlaybookRow) -> Result<PlaybookRow> {
    if let Some(space) = row.space_id {
        row.space = match state.spaces.find_by_id(state, viewer, space).await {
            Ok((space, _)) => Some(space.slug.clone()),
            Err(AppError::NotFound) => None,
            Err(error) => return Err(error),
        };
    }
    Ok(row)
}

/// A playbook by its address, if it is there for the viewer; one statement.
pub async fn find_playbook(state: &AppState, viewer: &Viewer, slug: &str) -> Result<Book> {
    let of = find_in(state.store.read(), state, viewer, slug).await?;
    state.addresses.learn(&of.row.slug, of.id);
    Ok(of)
}

async fn find_in(db: &impl ConnectionTrait, state: &AppState, viewer: &Viewer, slug: &str) -> Result<Book> {
    let me = viewer.member().map_or(0, |me| me.id);
    let row = Sql::new("SELECT ")
        .then(BOOK)
        .then(", ")
        .then(STANDING)
        .then(
            ", b.intro AS b_intro, b.intro_html AS b_intro_html, b.checklist AS b_checklist, \
             (SELECT count(*) FROM case_study c WHERE c.playbook_id = b.id AND c.state = 'submitted') AS b_waiting \
             FROM playbook b LEFT JOIN member a ON a.id = ",
        )
        .bind(me)
        .then(BOOK_JOINS)
        .then(" WHERE b.slug = ")
        .bind(address(slug)?)
        .one(db)
        .await?
        .ok_or(AppError::NotFound)?;
    let standing = book_standing(&row)?;
    standing.read()?;
    let id: i64 = row.try_get("b_", "id")?;
    Ok(Book {
        id,
        row: with_space(state, viewer, book(&row)?).await?,
        standing,
        introduction: row.try_get("b_", "intro")?,
        introduction_html: row.try_get("b_", "intro_html")?,
        checklist: kept(&row.try_get::<String>("b_", "checklist")?),
        waiting: row.try_get("b_", "waiting")?,
    })
}

/// The heads of what a playbook's page is made from; read before the page's rows. It says nothing
/// of who may see it.
pub async fn playbook_heads(db: &impl ConnectionTrait, state: &AppState, slug: &str) -> Result<Vec<(Stream, i64)>> {
    let slug = address(slug)?;
    let id = match state.addresses.get(&slug) {
        Some(id) => id,
        None => {
            let row = Sql::new("SELECT id FROM playbook WHERE slug = ").bind(slug.as_str()).one(db).await?;
            row.ok_or(AppError::NotFound)?.try_get("", "id")?
        }
    };
    state.heads.current_of(db, &[Stream::playbook(id), Stream::HUB]).await
}

/// A playbook with its scenarios and the first studies of each: six statements, and one for heads
/// that are not in mind.
pub async fn playbook_view(state: &AppState, viewer: &Viewer, slug: &str) -> Result<PlaybookView> {
    let view = playbook_view_in(state.store.read(), state, viewer, slug).await?;
    // Not by an action: what it reads may never be committed.
    state.addresses.learn(&view.row.slug, view.row.id.0);
    Ok(view)
}

/// A playbook, without its scenarios, and what stands in it: two statements, four more for a shelf that
/// is not in mind, and one for such heads.
pub async fn playbook_and_shelf(state: &AppState, viewer: &Viewer, slug: &str) -> Result<(PlaybookView, Arc<Shelf>)> {
    let view = bare_view(state.store.read(), state, viewer, slug).await?;
    state.addresses.learn(&view.row.slug, view.row.id.0);
    let shelf = shelf_of(state, viewer, view.row.id.0, &view.heads).await?;
    Ok((view, shelf))
}

/// The same on a connection, so that an action can answer with what it has written.
pub(in crate::features::playbooks) async fn playbook_view_in(
    db: &impl ConnectionTrait,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
) -> Result<PlaybookView> {
    let mut view = bare_view(db, state, viewer, slug).await?;
    view.scenarios = scenarios_of(db, state, viewer, view.row.id.0).await?;
    Ok(view)
}

async fn bare_view(db: &impl ConnectionTrait, state: &AppState, viewer: &Viewer, slug: &str) -> Result<PlaybookView> {
    let heads = playbook_heads(db, state, slug).await?;
    let of = find_in(db, state, viewer, slug).await?;
    let stream = Stream::playbook(of.id);
    let people = people_of(db, of.id).await?;
    let reviews = of.standing.reviews();
    Ok(PlaybookView {
        owners: people
            .iter()
            .filter(|person| person.playbook_role == PlaybookRole::Owner)
            .map(|person| NameView::of(&person.person))
            .collect(),
        introduction: of.introduction,
        introduction_html: of.introduction_html,
        checklist: of.checklist,
        scenarios: Vec::new(),
        may_edit: of.standing.owns(),
        may_review: reviews,
        waiting: if reviews { of.waiting } else { 0 },
        stream: stream.to_string(),
        head: heads.iter().find(|(of, _)| *of == stream).map_or(0, |(_, head)| *head),
        epoch: state.epoch.to_string(),
        people,
        heads,
        row: of.row,
    })
}

/// Owners, then reviewers, each in the order of their coming; at most 100.
pub async fn people_of(db: &impl ConnectionTrait, playbook: i64) -> Result<Vec<PlaybookPerson>> {
    let rows = Sql::new("SELECT p.role AS p_role, ")
        .then(AUTHOR)
        .then(" FROM playbook_member p JOIN member a ON a.id = p.member_id WHERE p.playbook_id = ")
        .bind(playbook)
        .then(" ORDER BY CASE WHEN p.role = 'owner' THEN 0 ELSE 1 END, p.added_at, p.member_id LIMIT 100")
        .all(db)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(PlaybookPerson { person: author(row)?, playbook_role: row.try_get::<PlaybookRole>("p_", "role")? })
        })
        .collect()
}

const SCENARIO: &str = "SELECT n.id, n.title, n.description, n.description_html, n.steps, n.steps_html, n.position, \
    n.version, EXISTS (SELECT 1 FROM scenario_study x JOIN case_study c ON c.id = x.study_id JOIN playbook o \
    ON o.id = c.playbook_id WHERE x.scenario_id = n.id AND o.id <> n.playbook_id AND o.visibility <> 'open') AS differs \
    FROM scenario n WHERE ";

/// The scenarios of a playbook in their order, with the first studies of each: three statements.
async fn scenarios_of(
    db: &impl ConnectionTrait,
    state: &AppState,
    viewer: &Viewer,
    playbook: i64,
) -> Result<Vec<ScenarioView>> {
    let (scenarios, _) = bare_scenarios(db, playbook).await?;
    filled(db, state, Eyes::Of(viewer), scenarios).await
}

/// The scenarios of a playbook without their studies, and whether readers of the playbook see different
/// ones in them.
pub(super) async fn bare_scenarios(db: &impl ConnectionTrait, playbook: i64) -> Result<(Vec<ScenarioView>, bool)> {
    let sql = Sql::new(SCENARIO).then("n.playbook_id = ").bind(playbook).then(" ORDER BY n.position, n.id LIMIT 200");
    load(db, sql).await
}

/// One scenario of a playbook, as in its list; 404 if it is none of it.
pub async fn scenario_view(
    db: &impl ConnectionTrait,
    state: &AppState,
    viewer: &Viewer,
    playbook: i64,
    scenario: i64,
) -> Result<ScenarioView> {
    let sql = Sql::new(SCENARIO).then("n.playbook_id = ").bind(playbook).then(" AND n.id = ").bind(scenario);
    let (scenarios, _) = load(db, sql).await?;
    filled(db, state, Eyes::Of(viewer), scenarios).await?.pop().ok_or(AppError::NotFound)
}

async fn load(db: &impl ConnectionTrait, sql: Sql) -> Result<(Vec<ScenarioView>, bool)> {
    let (mut scenarios, mut differs) = (Vec::new(), false);
    for row in sql.all(db).await? {
        differs |= row.try_get::<bool>("", "differs")?;
        scenarios.push(ScenarioView {
            id: Id(row.try_get("", "id")?),
            title: row.try_get("", "title")?,
            description: row.try_get("", "description")?,
            description_html: row.try_get("", "description_html")?,
            steps: kept(&row.try_get::<String>("", "steps")?),
            steps_html: kept(&row.try_get::<String>("", "steps_html")?),
            position: row.try_get("", "position")?,
            study_count: 0,
            studies: Vec::new(),
            version: row.try_get("", "version")?,
        });
    }
    Ok((scenarios, differs))
}

/// Scenarios with their first studies: two statements.
pub(super) async fn filled(
    db: &impl ConnectionTrait,
    state: &AppState,
    eyes: Eyes<'_>,
    mut scenarios: Vec<ScenarioView>,
) -> Result<Vec<ScenarioView>> {
    let ids: Vec<i64> = scenarios.iter().map(|scenario| scenario.id.0).collect();
    let (mut studies, counts) = studies_of(db, state, eyes, &ids).await?;
    for scenario in &mut scenarios {
        scenario.studies = studies.remove(&scenario.id.0).unwrap_or_default();
        scenario.study_count = counts.get(&scenario.id.0).copied().unwrap_or(0);
    }
    Ok(scenarios)
}

type Studies = (HashMap<i64, Vec<StudyRow>>, HashMap<i64, i64>);

/// The first published studies of scenarios, and how many each has.
async fn studies_of(db: &impl ConnectionTrait, state: &AppState, eyes: Eyes<'_>, scenarios: &[i64]) -> Result<Studies> {
    if scenarios.is_empty() {
        return Ok(Studies::default());
    }
    let sql = Sql::new("SELECT * FROM (SELECT x.scenario_id AS x_scenario_id, ")
        .then(STUDY)
        .then(", b.slug AS b_slug, b.title AS b_title, ")
        .then("count(*) OVER (PARTITION BY x.scenario_id) AS x_count, ")
        .then("row_number() OVER (PARTITION BY x.scenario_id ORDER BY x.position, x.study_id) AS x_row ")
        .then("FROM scenario_study x JOIN case_study c ON c.id = x.study_id JOIN playbook b ON b.id = c.playbook_id ")
        .then("WHERE c.published > 0 AND c.retired_at IS NULL AND x.scenario_id IN ")
        .list(scenarios.iter().copied())
        .then(" AND ");
    let rows = eyes
        .may_read(sql, state)
        .await?
        .then(") x WHERE x_row <= ")
        .bind(SHOWN)
        .then(" ORDER BY x_scenario_id, x_row")
        .all(db)
        .await?;
    let (mut found, mut counts) = (Vec::with_capacity(rows.len()), HashMap::new());
    let mut places = Vec::with_capacity(rows.len());
    for row in &rows {
        let scenario: i64 = row.try_get("x_", "scenario_id")?;
        counts.insert(scenario, row.try_get("x_", "count")?);
        places.push(scenario);
        found.push(study(row, false, state.clock.now())?);
    }
    let found = super::with_names(db, found, true).await?;
    let mut studies: HashMap<i64, Vec<StudyRow>> = HashMap::new();
    for (scenario, study) in places.into_iter().zip(found) {
        studies.entry(scenario).or_default().push(study);
    }
    Ok((studies, counts))
}

/// Pathways that are looked at.
const MOST_PATHWAYS: i64 = 2_000;

/// A pathway as playbooks write it, in whatever case: SQLite knows only that of a to z.
async fn written(state: &AppState, pathway: &str) -> Result<Vec<String>> {
    let rows = Sql::new("SELECT DISTINCT pathway FROM playbook WHERE pathway <> ''")
        .limit(MOST_PATHWAYS)
        .all(state.store.read())
        .await?;
    let all = rows.iter().map(|row| Ok(row.try_get("", "pathway")?)).collect::<Result<Vec<String>>>()?;
    Ok(all.into_iter().filter(|of| fold(of) == fold(pathway)).collect())
}

/// Playbooks that a viewer may read, the newest first; archived ones only if they are asked for.
pub async fn list_playbooks(
    state: &AppState,
    viewer: &Viewer,
    space: Option<i64>,
    pathway: Option<&str>,
    archived: bool,
    page: &PageQuery,
) -> Result<Page<PlaybookRow>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let sql = Sql::new("SELECT ").then(BOOK).then(" FROM playbook b WHERE ");
    let mut sql = readable(sql, state, viewer).await?;
    if !archived {
        sql = sql.then(" AND b.archived_at IS NULL");
    }
    if let Some(space) = space {
        sql = sql.then(" AND b.space_id = ").bind(space);
    }
    if let Some(pathway) = pathway.filter(|pathway| !pathway.contains('\0')) {
        sql = sql.then(" AND b.pathway IN ").list(written(state, pathway).await?);
    }
    if let Some(place) = after {
        sql = sql.then(" AND (b.created_at, b.id) < (").bind(place.key).then(", ").bind(place.id).then(")");
    }
    let sql = sql.then(" ORDER BY b.created_at DESC, b.id DESC");
    let rows = sql.limit(limit + 1).all(state.store.read()).await?;
    let rows = rows.iter().map(book).collect::<Result<Vec<_>>>()?;
    let mut page = Page::cut(rows, limit, |row| Place { key: row.created, id: row.id.0 });
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        // In memory: no statement each.
        items.push(with_space(state, viewer, row).await?);
    }
    page.items = items;
    Ok(page)
}
