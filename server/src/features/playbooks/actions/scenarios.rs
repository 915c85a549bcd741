//! The scenarios of a playbook, and which studies stand in them.

use actix_web::HttpResponse;

use super::told;
use crate::app::AppState;
use crate::features::playbooks::ground::{self, BookGround};
use crate::features::playbooks::model::ScenarioView;
use crate::features::playbooks::queries::scenario_view;
use crate::features::playbooks::texts::{check_figures, render_list, render_texts};
use crate::search::Kind;
use crate::store::{Sql, Tx};
use crate::web::checks::{self, BODY, TITLE, Text};
use crate::web::error::{AppError, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::{Me, Viewer};

/// Scenarios of a playbook.
const MOST: i64 = 200;
/// Steps of a scenario.
const MOST_STEPS: usize = 60;
/// Characters of a step.
const STEP: usize = 4_000;
/// Studies that stand in one scenario.
const MOST_STUDIES: i64 = 2_000;

/// A scenario to be added.
#[derive(Clone, Debug, Default)]
pub struct NewScenario {
    pub title: String,
    /// Markdown.
    pub description: String,
    /// Markdown each, in order.
    pub steps: Vec<String>,
    pub confirmed: bool,
}

/// What of a scenario becomes new; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ScenarioChange {
    pub title: Option<String>,
    pub description: Option<String>,
    pub steps: Option<Vec<String>>,
    /// From 0: where it stands among the others.
    pub position: Option<i32>,
    pub confirmed: bool,
}

#[derive(Clone, Debug, Default)]
struct Steps {
    texts: Vec<String>,
    html: Vec<String>,
}

async fn steps(state: &AppState, given: &[String], confirmed: bool) -> Result<Steps> {
    if given.len() > MOST_STEPS {
        return Err(AppError::field("steps", format!("has {MOST_STEPS} steps at most")));
    }
    let mut texts = Vec::with_capacity(given.len());
    for step in given {
        let checked = checks::check(&[Text::body("steps", step, STEP)], confirmed)?;
        check_figures("steps", checked.get("steps"))?;
        if !checked.get("steps").is_empty() {
            texts.push(checked.get("steps").to_owned());
        }
    }
    let html = render_list(state, &texts).await?;
    Ok(Steps { texts, html })
}

#[derive(Clone, Debug)]
struct Prepared {
    title: String,
    description: String,
    html: String,
    steps: Steps,
}

async fn prepare(state: &AppState, new: &NewScenario) -> Result<Prepared> {
    let texts = [Text::line("title", &new.title, TITLE).required(), Text::body("description", &new.description, BODY)];
    let checked = checks::check(&texts, new.confirmed)?;
    check_figures("description", checked.get("description"))?;
    let [html] = render_texts(state, [checked.get("description")]).await?;
    Ok(Prepared {
        title: checked.get("title").to_owned(),
        description: checked.get("description").to_owned(),
        html,
        steps: steps(state, &new.steps, new.confirmed).await?,
    })
}

/// Adds a scenario at the end of a playbook: its owners.
pub async fn add_scenario(state: &AppState, me: &Me, slug: &str, new: &NewScenario) -> Result<ScenarioView> {
    let prepared = prepare(state, new).await?;
    let (owned, viewer) = (state.clone(), Viewer::Member(std::sync::Arc::new(me.clone())));
    let (member, slug) = (me.id, slug.to_owned());
    state.store.write(async move |tx| insert(tx, &owned, &viewer, member, &slug, &prepared).await).await
}

/// The same for a request that may come again.
pub async fn add_scenario_once(
    state: &AppState,
    me: &Me,
    slug: &str,
    new: &NewScenario,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let prepared = prepare(state, new).await?;
    let (owned, viewer) = (state.clone(), Viewer::Member(std::sync::Arc::new(me.clone())));
    let (member, slug) = (me.id, slug.to_owned());
    write_once(state, member, once, async move |tx| {
        let view = insert(tx, &owned, &viewer, member, &slug, &prepared).await?;
        let place = format!("/api/v1/playbooks/{slug}/scenarios/{}", view.id);
        Ok(Answer::created(place, &view, Some(view.id.0))?.with_etag(of_version(view.version)))
    })
    .await
}

async fn insert(
    tx: &mut Tx,
    state: &AppState,
    viewer: &Viewer,
    member: i64,
    slug: &str,
    new: &Prepared,
) -> Result<ScenarioView> {
    let book = owned(tx, member, slug).await?;
    let row = Sql::new("SELECT count(*) AS scenarios FROM scenario WHERE playbook_id = ")
        .bind(book.id)
        .one(tx.conn())
        .await?
        .ok_or_else(|| AppError::internal("a count did not come back"))?;
    if row.try_get::<i64>("", "scenarios")? >= MOST {
        return Err(AppError::Conflict(format!("A playbook has {MOST} scenarios at most.").into()));
    }
    let texts = [new.description.as_str(), new.html.as_str()];
    let id = insert_rendered(tx, book.id, &new.title, texts, &new.steps.texts, &new.steps.html).await?;
    let html = format!("{} {}", new.html, new.steps.html.join(" "));
    crate::features::people::adopt_into_playbook(tx, member, book.id, &html).await?;
    stir(tx, &book).await?;
    scenario_view(tx.conn(), state, viewer, book.id, id).await
}

/// Writes a scenario at the end of its playbook; `texts` are its description and that one's HTML.
pub(in crate::features::playbooks) async fn insert_rendered(
    tx: &Tx,
    playbook: i64,
    title: &str,
    texts: [&str; 2],
    steps: &[String],
    steps_html: &[String],
) -> Result<i64> {
    let row = Sql::new("SELECT COALESCE(max(position) + 1, 0) AS next FROM scenario WHERE playbook_id = ")
        .bind(playbook)
        .one(tx.conn())
        .await?
        .ok_or_else(|| AppError::internal("a place did not come back"))?;
    let (id, next): (i64, i32) = (tx.id(), row.try_get("", "next")?);
    let [description, html] = texts;
    Sql::new("INSERT INTO scenario (id, playbook_id, position, title, description, description_html, steps, steps_html, created_at, updated_at, version) VALUES ")
        .rows([[
            id.into(),
            playbook.into(),
            next.into(),
            title.into(),
            description.into(),
            html.into(),
            serde_json::to_string(steps)?.into(),
            serde_json::to_string(steps_html)?.into(),
            tx.now().into(),
            tx.now().into(),
            1.into(),
        ]])
        .run(tx.conn())
        .await?;
    Ok(id)
}

async fn owned(tx: &Tx, member: i64, slug: &str) -> Result<BookGround> {
    let book = ground::playbook(tx, member, slug).await?;
    book.standing.own()?;
    Ok(book)
}

/// A playbook is not what it was: the index and its readers hear of it.
async fn stir(tx: &mut Tx, book: &BookGround) -> Result<()> {
    tx.index(Kind::Playbook, book.id);
    told::book_changed(tx, book.id, Some(book.actor.id));
    Sql::new("UPDATE playbook SET updated_at = ")
        .bind(tx.now())
        .then(" WHERE id = ")
        .bind(book.id)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Changes a scenario: owners of its playbook.
pub async fn edit_scenario(
    state: &AppState,
    me: &Me,
    slug: &str,
    scenario: i64,
    change: &ScenarioChange,
    if_match: IfMatch,
) -> Result<()> {
    let mut texts = Vec::new();
    texts.extend(change.title.as_deref().map(|text| Text::line("title", text, TITLE).required()));
    texts.extend(change.description.as_deref().map(|text| Text::body("description", text, BODY)));
    let checked = checks::check(&texts, change.confirmed)?;
    check_figures("description", checked.get("description"))?;
    let [html] = render_texts(state, [checked.get("description")]).await?;
    let new_steps = match &change.steps {
        Some(given) => Some(steps(state, given, change.confirmed).await?),
        None => None,
    };
    let (member, slug, change) = (me.id, slug.to_owned(), change.clone());
    state
        .store
        .write(async move |tx| {
            let book = owned(tx, member, &slug).await?;
            let row = Sql::new("SELECT position, version FROM scenario WHERE playbook_id = ")
                .bind(book.id)
                .then(" AND id = ")
                .bind(scenario)
                .one(tx.conn())
                .await?
                .ok_or(AppError::NotFound)?;
            if_match.check(row.try_get("", "version")?)?;
            let mut sql = Sql::new("UPDATE scenario SET version = version + 1, updated_at = ").bind(tx.now());
            if change.title.is_some() {
                sql = sql.then(", title = ").bind(checked.get("title"));
            }
            if change.description.is_some() {
                sql = sql.then(", description = ").bind(checked.get("description"));
                sql = sql.then(", description_html = ").bind(html.clone());
            }
            if let Some(steps) = &new_steps {
                sql = sql.then(", steps = ").bind(serde_json::to_string(&steps.texts)?);
                sql = sql.then(", steps_html = ").bind(serde_json::to_string(&steps.html)?);
            }
            sql.then(" WHERE id = ").bind(scenario).run(tx.conn()).await?;
            let steps_html = new_steps.as_ref().map(|steps| steps.html.join(" ")).unwrap_or_default();
            let shown = format!("{html} {steps_html}");
            crate::features::people::adopt_into_playbook(tx, member, book.id, &shown).await?;
            if let Some(position) = change.position {
                reorder(tx, book.id, scenario, position).await?;
            }
            stir(tx, &book).await
        })
        .await
}

/// Puts a scenario at a place among the others, which close up.
async fn reorder(tx: &Tx, book: i64, scenario: i64, position: i32) -> Result<()> {
    let mut order = order_of(tx, book).await?;
    order.retain(|id| *id != scenario);
    let place = usize::try_from(position.max(0)).unwrap_or(0).min(order.len());
    order.insert(place, scenario);
    number(tx, book, &order).await
}

async fn order_of(tx: &Tx, book: i64) -> Result<Vec<i64>> {
    let rows = Sql::new("SELECT id FROM scenario WHERE playbook_id = ")
        .bind(book)
        .then(" ORDER BY position, id")
        .all(tx.conn())
        .await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Numbers the scenarios of a playbook in an order, from 0 and without a hole.
async fn number(tx: &Tx, book: i64, order: &[i64]) -> Result<()> {
    if order.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("UPDATE scenario SET position = CASE id");
    for (id, place) in order.iter().zip(0_i32..) {
        sql = sql.then(" WHEN ").bind(*id).then(" THEN ").then(&place.to_string());
    }
    sql.then(" ELSE position END WHERE playbook_id = ").bind(book).run(tx.conn()).await?;
    Ok(())
}

/// Takes a scenario out of its playbook; its studies stay in the playbook.
pub async fn remove_scenario(state: &AppState, me: &Me, slug: &str, scenario: i64, if_match: IfMatch) -> Result<()> {
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let book = owned(tx, member, &slug).await?;
            let row = Sql::new("SELECT version FROM scenario WHERE playbook_id = ")
                .bind(book.id)
                .then(" AND id = ")
                .bind(scenario)
                .one(tx.conn())
                .await?
                .ok_or(AppError::NotFound)?;
            if_match.check(row.try_get("", "version")?)?;
            Sql::new("DELETE FROM scenario_study WHERE scenario_id = ").bind(scenario).run(tx.conn()).await?;
            Sql::new("DELETE FROM scenario WHERE id = ").bind(scenario).run(tx.conn()).await?;
            number(tx, book.id, &order_of(tx, book.id).await?).await?;
            stir(tx, &book).await
        })
        .await
}

/// Puts a published study into a scenario (`on`), or takes one out: owners of the playbook. It may
/// be one of another playbook.
pub async fn place_study(state: &AppState, me: &Me, slug: &str, scenario: i64, study: &str, on: bool) -> Result<()> {
    let (member, slug, study) = (me.id, slug.to_owned(), study.to_owned());
    state
        .store
        .write(async move |tx| {
            let book = owned(tx, member, &slug).await?;
            let there = Sql::new("SELECT (SELECT count(*) FROM scenario_study x WHERE x.scenario_id = n.id) AS studies FROM scenario n WHERE n.playbook_id = ")
                .bind(book.id)
                .then(" AND n.id = ")
                .bind(scenario)
                .one(tx.conn())
                .await?
                .ok_or(AppError::NotFound)?;
            let studies: i64 = there.try_get("", "studies")?;
            let study = ground::study(tx, member, &study).await?;
            if !on {
                Sql::new("DELETE FROM scenario_study WHERE scenario_id = ")
                    .bind(scenario)
                    .then(" AND study_id = ")
                    .bind(study.id)
                    .run(tx.conn())
                    .await?;
                return stir(tx, &book).await;
            }
            if !study.standing.reads_published() {
                return Err(AppError::Conflict("Only published case studies stand in a scenario.".into()));
            }
            if studies >= MOST_STUDIES {
                return Err(AppError::Conflict(format!("A scenario has {MOST_STUDIES} case studies at most.").into()));
            }
            Sql::new("INSERT INTO scenario_study (scenario_id, study_id, position) VALUES ")
                .rows([[scenario.into(), study.id.into(), i32::try_from(studies).unwrap_or(0).into()]])
                .then(" ON CONFLICT DO NOTHING")
                .run(tx.conn())
                .await?;
            stir(tx, &book).await
        })
        .await
}
