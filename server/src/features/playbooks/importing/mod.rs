//! Studies that come from elsewhere: what was read of a page becomes a study, and, if whoever
//! brings it owns the playbook, its first revision at once, as it was published where it comes
//! from.
//!
//! Nothing is lost on the way: what does not fit where it belongs is put where it does, and told.

mod contents;

use std::collections::BTreeMap;

use self::contents::{contents, described, kept, line};
use super::actions::{Imported, insert_imported};
use super::markdown::{PageIn, Person, PlaybookIn};
use super::terms::{MOST as MOST_TERMS, Terms, fold};
use super::texts::{end_of_day, render_parts};
use crate::app::AppState;
use crate::entities::kinds::{MemberState, PartKey, TermKind};
use crate::ports::clock::DAY;
use crate::store::Sql;
use crate::web::checks::{BODY, SUMMARY, TITLE};
use crate::web::error::Result;

pub use super::actions::{Goal, find_or_make_playbook, place_imported, put_imported_cover};
pub use super::pictures::Beside;

/// A page that has become a study.
#[derive(Clone, Debug)]
pub struct Brought {
    pub id: i64,
    pub slug: String,
    pub published: bool,
    /// What had to be put elsewhere or left out, a line each.
    pub remarks: Vec<String>,
}

/// Characters of a term.
const TERM: usize = 80;

/// A page that is to become a study.
#[derive(Clone, Debug)]
pub struct Coming {
    /// Who brings it.
    pub member: i64,
    pub playbook: i64,
    pub page: PageIn,
    pub pictures: Vec<Beside>,
    /// Members who stand for people that the page names and who cannot sign in: by the handles that
    /// it gives them.
    pub unclaimed: BTreeMap<String, Unclaimed>,
    /// It is to be readable at once.
    pub publish: bool,
}

/// A member who cannot sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    pub id: i64,
    /// Here, where another may have had it before.
    pub handle: String,
}

/// A handle as it is looked up.
#[must_use]
pub fn handle_of(text: &str) -> String {
    text.trim().trim_start_matches('@').to_lowercase()
}

/// Makes a study of a page. `keep` writes what the import has to remember, in the same
/// transaction.
pub async fn bring<F>(state: &AppState, coming: Coming, keep: F) -> Result<Brought>
where
    F: AsyncFn(&mut crate::store::Tx, i64) -> Result<()> + Send + 'static,
{
    let Coming { member, playbook, page, pictures, unclaimed, publish } = coming;
    let mut remarks = Vec::new();
    let mut authors = known(state, &page.authors, &unclaimed, &mut remarks).await?;
    let credited = known(state, &page.credited, &unclaimed, &mut remarks).await?;
    if !publish && authors.0.iter().all(|author| unclaimed.values().any(|one| one.id == *author)) {
        // Somebody has to be able to go on with it.
        authors.0.push(member);
    }
    let owner = owner(state, &page, &unclaimed, &mut remarks).await?;
    let published = page.published.as_deref().and_then(|day| past(day.trim(), state.clock.now()));
    let title = line(&page.title, TITLE);
    let mut left = left_over(&page, &title, &mut remarks);
    let terms = terms(&page, &mut remarks);
    if !authors.1.is_empty() {
        left.push((PartKey::Team, authors.1.join(", ")));
    }
    if !terms.1.is_empty() {
        left.push((PartKey::FindOutMore, terms.1.join(", ")));
    }
    let mut parts = contents(page.parts, &owner, left, &mut remarks)?;
    // A picture is its study's only if the study's first author has it.
    let first = authors.0.first().copied().unwrap_or(member);
    super::pictures::put_in(state, first, &mut parts, pictures, &mut remarks).await?;
    let parts = render_parts(state, parts).await?;
    let imported = Imported {
        title: if title.is_empty() { "Untitled".to_owned() } else { title },
        slug: page.slug,
        playbook,
        authors: authors.0,
        credited: credited.0,
        parts,
        terms: terms.0,
        published,
        url: page.source.filter(|url| is_address(url)).map(|url| line(&url, 2000)),
        publish,
    };
    let (id, slug) = state
        .store
        .write(async move |tx| {
            let made = insert_imported(tx, member, &imported).await?;
            keep(tx, made.0).await?;
            Ok(made)
        })
        .await?;
    Ok(Brought { id, slug, published: publish, remarks })
}

/// When a day began that is over.
fn past(day: &str, now: i64) -> Option<i64> {
    end_of_day(day).filter(|end| *end < now).map(|end| end + 1 - DAY)
}

fn is_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// What a page says beside its parts and no place of a study takes: where it goes instead.
fn left_over(page: &PageIn, title: &str, remarks: &mut Vec<String>) -> Vec<(PartKey, String)> {
    let mut left: Vec<(PartKey, String)> = Vec::new();
    let whole = line(&page.title, usize::MAX);
    if whole.chars().count() > title.chars().count() {
        remarks.push(format!("the title was longer than {TITLE} characters; the whole is in \"scope\""));
        left.push((PartKey::Scope, whole));
    }
    let lines: Vec<String> = page.unknown.iter().map(|unknown| format!("- {}", line(unknown, usize::MAX))).collect();
    if !lines.is_empty() {
        left.push((PartKey::WhatWeDid, lines.join("\n")));
    }
    if let Some(source) = page.source.as_deref().filter(|source| !source.trim().is_empty() && !is_address(source)) {
        remarks.push("its source is no address; it is in \"find out more\"".into());
        left.push((PartKey::FindOutMore, line(source, usize::MAX)));
    }
    left
}

/// Members among names, and the names of those who are none.
async fn known(
    state: &AppState,
    people: &[Person],
    unclaimed: &BTreeMap<String, Unclaimed>,
    remarks: &mut Vec<String>,
) -> Result<(Vec<i64>, Vec<String>)> {
    let handles: Vec<String> = people.iter().take(100).map(|person| handle_of(&person.handle)).collect();
    if handles.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let rows = Sql::new("SELECT id, handle FROM member WHERE state = ")
        .bind(MemberState::Active.as_str())
        .then(" AND handle IN ")
        .list(handles.iter().cloned())
        .all(state.store.read())
        .await?;
    let mut found: BTreeMap<String, i64> = unclaimed.iter().map(|(handle, one)| (handle.clone(), one.id)).collect();
    for row in rows {
        found.insert(row.try_get("", "handle")?, row.try_get("", "id")?);
    }
    let ids = handles.iter().filter_map(|handle| found.get(handle).copied()).collect();
    let others: Vec<String> = people
        .iter()
        .enumerate()
        .filter(|(at, _)| handles.get(*at).is_none_or(|handle| !found.contains_key(handle)))
        .map(|(_, person)| person.called().to_owned())
        .collect();
    if !others.is_empty() {
        remarks.push(format!("no members here: {}", others.join(", ")));
    }
    Ok((ids, others))
}

/// The terms that fit, and those that do not.
fn terms(page: &PageIn, remarks: &mut Vec<String>) -> (Terms, Vec<String>) {
    let (mut terms, mut over) = (Terms::new(), Vec::new());
    for (word, labels) in &page.terms {
        for label in labels {
            let label = line(label, usize::MAX);
            let Some(kind) = TermKind::parse(word).filter(|_| label.chars().count() <= TERM) else {
                over.push(label);
                continue;
            };
            let of = terms.entry(kind).or_default();
            if of.iter().any(|known| fold(known) == fold(&label)) || label.is_empty() {
                continue;
            }
            if of.len() < MOST_TERMS {
                of.push(label);
            } else {
                over.push(label);
            }
        }
    }
    if !over.is_empty() {
        remarks.push(format!("terms that do not fit are in \"find out more\": {}", over.join(", ")));
    }
    terms.retain(|_, labels| !labels.is_empty());
    (terms, over)
}

/// The handle of an owner who is a member here; empty for others.
async fn owner(
    state: &AppState,
    page: &PageIn,
    unclaimed: &BTreeMap<String, Unclaimed>,
    remarks: &mut Vec<String>,
) -> Result<String> {
    let Some(person) = page.owner() else { return Ok(String::new()) };
    let handle = handle_of(&person.handle);
    if let Some(one) = unclaimed.get(&handle) {
        return Ok(one.handle.clone());
    }
    let (found, _) = known(state, std::slice::from_ref(&person), unclaimed, remarks).await?;
    Ok(if found.is_empty() { String::new() } else { handle })
}

/// The texts of a playbook's page; what is too long is said, and nothing of it cut.
pub fn fitting(mut playbook: PlaybookIn) -> Result<PlaybookIn, String> {
    playbook.title = fits("title", line(&playbook.title, usize::MAX), TITLE)?;
    playbook.pathway = fits("pathway", line(&playbook.pathway, usize::MAX), TITLE)?;
    playbook.summary = fits("summary", line(&playbook.summary, usize::MAX), SUMMARY)?;
    playbook.cover_alt = fits("cover_alt", line(&playbook.cover_alt, usize::MAX), SUMMARY)?;
    playbook.introduction = fits("introduction", described(&kept(&playbook.introduction)), BODY)?;
    let points = playbook.checklist.iter().map(|point| fits("checklist", line(point, usize::MAX), SUMMARY));
    playbook.checklist = points.collect::<Result<Vec<String>, String>>()?;
    playbook.checklist.retain(|point| !point.is_empty());
    for scenario in &mut playbook.scenarios {
        scenario.title = fits("scenario", line(&scenario.title, usize::MAX), TITLE)?;
        scenario.description = fits("scenario", described(&kept(&scenario.description)), BODY)?;
        for step in &mut scenario.steps {
            *step = fits("scenario", described(&kept(step)), 4_000)?;
        }
        scenario.steps.retain(|step| !step.is_empty());
    }
    playbook.scenarios.retain(|scenario| !scenario.title.is_empty());
    let steps = playbook.scenarios.iter().map(|scenario| scenario.steps.len()).max().unwrap_or(0);
    for (what, count, most) in
        [("points", playbook.checklist.len(), 40), ("scenarios", playbook.scenarios.len(), 200), ("steps", steps, 60)]
    {
        if count > most {
            return Err(format!("it has more than {most} {what}"));
        }
    }
    Ok(playbook)
}

fn fits(what: &str, text: String, most: usize) -> Result<String, String> {
    if text.chars().count() <= most {
        Ok(text)
    } else {
        Err(format!("its {what} has a text of more than {most} characters"))
    }
}
