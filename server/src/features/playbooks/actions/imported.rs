//! Writes of an import: a playbook that is missing, studies, and where they stand.

use std::collections::HashMap;

use super::books::{Prepared as BookPrepared, insert as insert_book};
use super::publish::{REVIEW_AFTER, release};
use super::scenarios::insert_rendered;
use super::studies::insert_named;
use super::study_rows::{log, set_terms};
use super::told;
use crate::app::AppState;
use crate::entities::kinds::{PartKey, PlaybookRole, PlaybookVisibility, StudyAct, Visibility};
use crate::features::playbooks::ground;
use crate::features::playbooks::markdown::PlaybookIn;
use crate::features::playbooks::pictures::{Beside, put_in_texts};
use crate::features::playbooks::queries::parts_of;
use crate::features::playbooks::sample::Book;
use crate::features::playbooks::terms::Terms;
use crate::features::playbooks::texts::{Written, render_list, render_texts};
use crate::features::spaces::model::slug as good_slug;
use crate::search::Kind;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};

/// A study that was read from a page, checked and rendered.
#[derive(Clone, Debug)]
pub(in crate::features::playbooks) struct Imported {
    pub title: String,
    /// The address that it had.
    pub slug: Option<String>,
    pub playbook: i64,
    pub authors: Vec<i64>,
    pub credited: Vec<i64>,
    pub parts: Vec<(PartKey, Written)>,
    pub terms: Terms,
    /// When it was published where it comes from.
    pub published: Option<i64>,
    pub url: Option<String>,
    pub publish: bool,
}

/// A playbook that studies are brought to.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    pub id: i64,
    /// Whoever brings them owns it.
    pub owns: bool,
    /// Anybody reads it.
    pub open: bool,
}

/// The playbook with this slug, or a new one of this member, with the pictures of its introduction.
/// What was restricted is read like the asked `space` or its own, and comes into nothing that is open
/// to anybody. Errors are one line.
pub async fn find_or_make_playbook(
    state: &AppState,
    member: i64,
    slug: &str,
    space: Option<&str>,
    given: Option<&PlaybookIn>,
    pictures: Vec<Beside>,
    remarks: &mut Vec<String>,
) -> Result<Goal, String> {
    let slug = slug.trim().to_lowercase();
    let fault = |error: AppError| format!("--playbook {slug}: the playbook could not be made ({error})");
    let restricted = given.is_some_and(|given| given.restricted);
    if let Some(found) = found(state, member, &slug).await.map_err(fault)? {
        return if found.archived {
            Err(format!("--playbook {slug}: this playbook is archived; choose another"))
        } else if restricted && found.open {
            Err(format!(
                "--playbook {slug}: this playbook is open to anybody, and playbook.md says that it is restricted; \
                 choose another, or write visibility: open into playbook.md"
            ))
        } else {
            Ok(Goal { id: found.id, owns: found.owns, open: found.open })
        };
    }
    good_slug(&slug).map_err(|_| {
        format!("--playbook {slug}: write 2 to 60 letters a to z, digits, - and _, beginning with a letter or digit")
    })?;
    let mut of = given.cloned().unwrap_or_default();
    let home = if restricted { Some(home_of(state, &slug, space, of.space.as_deref(), remarks).await?) } else { None };
    put_in_texts(state, member, vec![&mut of.introduction], pictures, remarks).await.map_err(fault)?;
    let title = if of.title.is_empty() { title_of(&slug) } else { of.title.clone() };
    let [html] = render_texts(state, [of.introduction.as_str()]).await.map_err(fault)?;
    let mut prepared = BookPrepared::imported(&slug, title, &of, html);
    if let Some(home) = home.clone() {
        prepared = prepared.inside(home);
    }
    let made = state.store.write(async move |tx| insert_book(tx, member, &prepared).await).await;
    made.map(|id| Goal { id, owns: true, open: !restricted }).map_err(|error| match (error, home) {
        (AppError::Invalid(_) | AppError::Forbidden(_) | AppError::NotFound, Some(home)) => {
            homeless(&slug, &format!("whoever brings it cannot write in the space {home}"))
        }
        (error, _) => fault(error),
    })
}

/// Why a restricted playbook is not brought.
fn homeless(slug: &str, why: &str) -> String {
    format!(
        "--playbook {slug}: playbook.md says that it is restricted, and {why}; say with --space which space's readers may read it"
    )
}

/// The space of a restricted playbook that is to be made: the one that was asked for, or the one of
/// the same address, unless everybody reads that here.
async fn home_of(
    state: &AppState,
    slug: &str,
    asked: Option<&str>,
    named: Option<&str>,
    remarks: &mut Vec<String>,
) -> Result<String, String> {
    let Some(space) = asked.or(named).map(|space| space.trim().to_lowercase()) else {
        return Err(homeless(slug, "names no space"));
    };
    let fault = |error: AppError| format!("--space {space}: the space could not be read ({error})");
    let row = Sql::new("SELECT visibility FROM space WHERE archived_at IS NULL AND slug = ")
        .bind(space.as_str())
        .one(state.store.read())
        .await
        .map_err(fault)?;
    let visibility =
        row.map(|row| -> Result<Visibility> { Ok(row.try_get("", "visibility")?) }).transpose().map_err(fault)?;
    match visibility {
        None => return Err(homeless(slug, &format!("the space {space} is not here"))),
        Some(Visibility::Open) if asked.is_none() => {
            return Err(homeless(slug, &format!("the space {space} is open to anybody here")));
        }
        Some(Visibility::Open) => remarks.push(format!("it is restricted, and anybody reads its space {space}")),
        Some(_) => {}
    }
    Ok(space)
}

/// Puts a picture of this member to the head of a playbook that has none; false if it has one.
pub async fn put_imported_cover(state: &AppState, member: i64, playbook: i64, file: i64, words: &str) -> Result<bool> {
    let words = words.to_owned();
    state
        .store
        .write(async move |tx| {
            let none = Sql::new("SELECT 1 AS one FROM playbook WHERE cover_id IS NULL AND id = ").bind(playbook);
            if none.one(tx.conn()).await?.is_none() {
                return Ok(false);
            }
            if !crate::features::people::adopt_cover(tx, member, playbook, file).await? {
                return Ok(false);
            }
            Sql::new("UPDATE playbook SET cover_id = ")
                .bind(file)
                .then(", cover_alt = ")
                .bind(words.as_str())
                .then(" WHERE id = ")
                .bind(playbook)
                .run(tx.conn())
                .await?;
            told::book_changed(tx, playbook, Some(member));
            Ok(true)
        })
        .await
}

struct Found {
    id: i64,
    owns: bool,
    archived: bool,
    open: bool,
}

async fn found(state: &AppState, member: i64, slug: &str) -> Result<Option<Found>> {
    let row = Sql::new("SELECT b.id, b.archived_at, b.visibility, p.role FROM playbook b LEFT JOIN playbook_member p ON p.playbook_id = b.id AND p.member_id = ")
        .bind(member)
        .then(" WHERE b.slug = ")
        .bind(slug)
        .one(state.store.read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Found {
        id: row.try_get("", "id")?,
        owns: row.try_get::<Option<PlaybookRole>>("", "role")? == Some(PlaybookRole::Owner),
        archived: row.try_get::<Option<i64>>("", "archived_at")?.is_some(),
        open: row.try_get::<PlaybookVisibility>("", "visibility")? == PlaybookVisibility::Open,
    }))
}

/// What a playbook is called until somebody gives it a title: the words of its address.
fn title_of(slug: &str) -> String {
    let words = slug.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Writes a study that comes from elsewhere; its id and address.
pub(in crate::features::playbooks) async fn insert_imported(
    tx: &mut Tx,
    member: i64,
    new: &Imported,
) -> Result<(i64, String)> {
    let first = new.authors.first().copied().unwrap_or(member);
    let slug = new.slug.as_deref().filter(|slug| good_slug(slug).is_ok());
    let made = insert_named(tx, first, new, slug).await?;
    set_terms(tx, made.id, &new.terms, false).await?;
    let mut revision = None;
    if new.publish {
        let ground = ground::made(tx, first, &made.slug).await?;
        let parts = parts_of(tx.conn(), made.id).await?;
        revision = Some(release(tx, &ground, parts, "").await?);
        if let Some(at) = new.published {
            date(tx, made.id, at, new.parts.iter().any(|(_, part)| part.due.is_some())).await?;
        }
    }
    log(tx, made.id, StudyAct::Imported, member, new.url.as_deref().unwrap_or_default(), &[], revision).await?;
    tx.append(Stream::case_study(made.id), NewEvent::new("state.changed", made.id, Some(member)));
    Ok((made.id, made.slug))
}

/// A published study is as old as it was where it comes from; so is its review, if no day is said.
async fn date(tx: &Tx, study: i64, at: i64, has_due: bool) -> Result<()> {
    let mut sql = Sql::new("UPDATE case_study SET published_at = ").bind(at).then(", first_published_at = ").bind(at);
    if !has_due {
        sql = sql.then(", review_due = ").bind(at + REVIEW_AFTER);
    }
    sql.then(" WHERE id = ").bind(study).run(tx.conn()).await?;
    Sql::new("UPDATE study_revision SET published_at = ")
        .bind(at)
        .then(" WHERE study_id = ")
        .bind(study)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Writes an invented study that was reviewed; its id.
pub(in crate::features::playbooks) async fn insert_sample(tx: &mut Tx, new: &Imported, reviewer: i64) -> Result<i64> {
    let first = new.authors.first().copied().unwrap_or(reviewer);
    let made = insert_named(tx, first, new, new.slug.as_deref()).await?;
    set_terms(tx, made.id, &new.terms, false).await?;
    log(tx, made.id, StudyAct::Submitted, first, "", &[], None).await?;
    let ground = ground::study(tx, first, &made.slug).await?;
    let parts = parts_of(tx.conn(), made.id).await?;
    let number = release(tx, &ground, parts, "").await?;
    log(tx, made.id, StudyAct::Published, reviewer, "", &[], Some(number)).await?;
    tx.append(Stream::case_study(made.id), NewEvent::new("state.changed", made.id, Some(reviewer)));
    Ok(made.id)
}

/// Writes an invented playbook in its space; its id.
pub(in crate::features::playbooks) async fn insert_book_row(tx: &mut Tx, of: &Book, html: String) -> Result<i64> {
    let given = PlaybookIn {
        title: of.title.clone(),
        slug: Some(of.slug.clone()),
        pathway: of.pathway.clone(),
        summary: of.summary.clone(),
        restricted: false,
        space: None,
        introduction: of.introduction.clone(),
        checklist: of.checklist.clone(),
        cover: None,
        cover_alt: String::new(),
        scenarios: Vec::new(),
    };
    let id = insert_book(tx, of.owner, &BookPrepared::imported(&of.slug, of.title.clone(), &given, html)).await?;
    Sql::new("UPDATE playbook SET space_id = ").bind(of.space).then(" WHERE id = ").bind(id).run(tx.conn()).await?;
    Ok(id)
}

/// Makes the scenarios of a playbook's page that it does not have yet, and puts the studies that
/// were brought with it into them; how many were made.
pub async fn place_imported(
    state: &AppState,
    playbook: i64,
    given: &PlaybookIn,
    studies: &HashMap<String, i64>,
) -> Result<usize> {
    let rows =
        Sql::new("SELECT title FROM scenario WHERE playbook_id = ").bind(playbook).all(state.store.read()).await?;
    let known = rows.iter().map(|row| Ok(row.try_get("", "title")?)).collect::<Result<Vec<String>>>()?;
    let mut made = 0;
    for scenario in given.scenarios.iter().filter(|scenario| !known.contains(&scenario.title)) {
        let [html] = render_texts(state, [scenario.description.as_str()]).await?;
        let steps_html = render_list(state, &scenario.steps).await?;
        let ids: Vec<i64> = scenario.studies.iter().filter_map(|slug| studies.get(slug).copied()).collect();
        let scenario = scenario.clone();
        state
            .store
            .write(async move |tx| {
                let id = insert_rendered(
                    tx,
                    playbook,
                    &scenario.title,
                    [&scenario.description, &html],
                    &scenario.steps,
                    &steps_html,
                )
                .await?;
                tx.index(Kind::Playbook, playbook);
                told::book_changed(tx, playbook, None);
                let rows = ids.iter().zip(0_i32..).map(|(study, at)| [id.into(), (*study).into(), at.into()]).collect();
                let insert = "INSERT INTO scenario_study (scenario_id, study_id, position) VALUES ";
                crate::store::insert_rows(tx.conn(), insert, rows).await
            })
            .await?;
        made += 1;
    }
    Ok(made)
}
