//! Studies that come from elsewhere: what was read of a page becomes a study, and, if whoever
//! brings it owns the playbook, its first revision at once, as it was published where it comes
//! from.
//!
//! Nothing is lost on the way: what does not fit where it belongs is put where it does, and told.

use std::collections::BTreeMap;

use super::actions::{Imported, insert_imported};
use super::markdown::{PageIn, Person, PlaybookIn};
use super::measures::{self, MeasureInput};
use super::parts::{FieldShape, PartContent, Shape, field_title, fields, most, shape, title};
use super::terms::{MOST as MOST_TERMS, Terms, fold};
use super::texts::{end_of_day, render_parts};
use crate::app::AppState;
use crate::entities::kinds::{MemberState, PartKey, TermKind};
use crate::ports::clock::DAY;
use crate::store::Sql;
use crate::text::clean;
use crate::web::checks::{BODY, TITLE};
use crate::web::error::Result;

pub use super::actions::{find_or_make_playbook, place_imported, put_imported_cover};
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
    let mut parts = contents(page.parts, &owner, left, &mut remarks);
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

fn line(text: &str, most: usize) -> String {
    let plain = text.replace(char::is_control, " ");
    let clean = clean(&plain, usize::MAX, true).unwrap_or_default();
    clean.chars().take(most).collect::<String>().trim().to_owned()
}

fn body(text: &str, remarks: &mut Vec<String>, key: PartKey) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let text = clean(&plain, usize::MAX, false).unwrap_or_default();
    if text.chars().count() <= BODY {
        return text;
    }
    remarks.push(format!("{key} was longer than {BODY} characters and is cut"));
    clean(&text.chars().take(BODY).collect::<String>(), BODY, false).unwrap_or_default()
}

/// What the parts hold, as far as it fits.
fn contents(
    given: BTreeMap<PartKey, super::markdown::PartIn>,
    owner: &str,
    left: Vec<(PartKey, String)>,
    remarks: &mut Vec<String>,
) -> Vec<(PartKey, PartContent)> {
    let mut parts: BTreeMap<PartKey, PartContent> = BTreeMap::new();
    let mut beside: Vec<(PartKey, String)> = Vec::new();
    for (key, part) in given {
        let mut content = PartContent::default();
        match shape(key) {
            Shape::Text => content.body = described(&body(&part.body, remarks, key)),
            Shape::Line => {
                let whole = line(&part.body, usize::MAX);
                content.body = line(&whole, most(key));
                if whole.chars().count() > most(key) {
                    remarks.push(format!("{key} was longer than {} characters; the whole is in \"scope\"", most(key)));
                    beside.push((PartKey::Scope, whole));
                }
            }
            Shape::Member => {
                owner.clone_into(&mut content.body);
                if content.body.is_empty() && !part.body.trim().is_empty() {
                    beside.push((PartKey::Team, format!("{}: {}", title(key), line(&part.body, usize::MAX))));
                }
            }
            Shape::Day => {
                let day = line(&part.body, usize::MAX);
                if end_of_day(&day).is_some() {
                    content.body = day;
                } else if !day.is_empty() {
                    remarks.push(format!("{key} is no day; it is in \"scope\": {}", line(&day, 40)));
                    beside.push((PartKey::Scope, format!("{}: {day}", title(key))));
                }
            }
        }
        take_fields(key, &part.fields, &mut content, &mut beside, remarks);
        for measure in &part.measures {
            match measures::parse(std::slice::from_ref(measure)) {
                Ok(read) if content.measures.len() < measures::MOST => content.measures.extend(read),
                Ok(_) => {
                    remarks.push(format!(
                        "it has more than {} measures; in words in \"outcomes\": {}",
                        measures::MOST,
                        line(&measure.name, 80)
                    ));
                    beside.push((PartKey::Outcomes, told(measure)));
                }
                Err(_) => {
                    let name = line(&measure.name, 80);
                    remarks.push(format!("a measure that cannot be read is in words in \"outcomes\": {name}"));
                    beside.push((PartKey::Outcomes, told(measure)));
                }
            }
        }
        if !content.is_empty() {
            parts.insert(key, content);
        }
    }
    for (key, text) in beside.into_iter().chain(left) {
        let content = parts.entry(key).or_default();
        if !content.body.contains(&text) {
            content.body = body(&format!("{}\n\n{text}", content.body), remarks, key);
        }
    }
    parts.into_iter().collect()
}

/// The fields of a part; what fits none of them goes into its text.
fn take_fields(
    key: PartKey,
    given: &BTreeMap<String, String>,
    content: &mut PartContent,
    beside: &mut Vec<(PartKey, String)>,
    remarks: &mut Vec<String>,
) {
    let text = if shape(key) == Shape::Text { key } else { PartKey::WhatWeDid };
    for (name, value) in given {
        let short = line(name, 40);
        let Some(field) = fields(key).iter().find(|field| field.name == name) else {
            remarks.push(format!("{key} has no field {short}; it is in the text of {text}"));
            beside.push((text, format!("{short}: {}", body(value, remarks, key))));
            continue;
        };
        let whole = line(value, usize::MAX);
        let level = whole.parse::<u8>().is_ok_and(|level| (1..=9).contains(&level));
        match field.shape {
            _ if whole.is_empty() => {}
            FieldShape::Level if !level => {
                remarks.push(format!("{name} is no whole number from 1 to 9; it is in the text of {text}"));
                beside.push((text, format!("{}: {whole}", field_title(name))));
            }
            FieldShape::Line if whole.chars().count() > TITLE => {
                remarks.push(format!("{name} was longer than {TITLE} characters; it is in the text of {text}"));
                beside.push((text, format!("{}: {whole}", field_title(name))));
            }
            FieldShape::Text => {
                content.fields.insert(field.name.to_owned(), described(&body(value, remarks, key)));
            }
            FieldShape::Line | FieldShape::Level => {
                content.fields.insert(field.name.to_owned(), whole);
            }
        }
    }
}

/// A measure that cannot be read as one, in words.
fn told(measure: &MeasureInput) -> String {
    let value = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut words =
        vec![format!("{}: {} → {} {}", measure.name, value(&measure.before), value(&measure.after), measure.unit)];
    if !measure.n.is_null() {
        words.push(format!("n = {}", value(&measure.n)));
    }
    let more = [&measure.period, &measure.method, &measure.source];
    words.extend(more.into_iter().flatten().filter(|word| !word.trim().is_empty()).cloned());
    words.join("; ")
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

/// Figures without alternative text get that of their file's name.
fn described(body: &str) -> String {
    super::pictures::described(body, |address| {
        let file = address.rsplit('/').next().unwrap_or(address);
        file.rsplit_once('.').map_or(file, |(stem, _)| stem).replace(['-', '_'], " ")
    })
}

/// The texts of a playbook's page that fit.
#[must_use]
pub fn fitting(mut playbook: PlaybookIn) -> PlaybookIn {
    let mut nothing = Vec::new();
    playbook.title = line(&playbook.title, TITLE);
    playbook.pathway = line(&playbook.pathway, TITLE);
    playbook.summary = line(&playbook.summary, 255);
    playbook.cover_alt = line(&playbook.cover_alt, 255);
    playbook.introduction = described(&body(&playbook.introduction, &mut nothing, PartKey::Scope));
    playbook.checklist =
        playbook.checklist.iter().take(40).map(|point| line(point, 255)).filter(|point| !point.is_empty()).collect();
    for scenario in &mut playbook.scenarios {
        scenario.title = line(&scenario.title, TITLE);
        scenario.description = described(&body(&scenario.description, &mut nothing, PartKey::Scope));
        for step in &mut scenario.steps {
            *step = described(&body(step, &mut nothing, PartKey::Scope)).chars().take(4_000).collect();
        }
        scenario.steps.retain(|step| !step.is_empty());
        scenario.steps.truncate(60);
    }
    playbook.scenarios.retain(|scenario| !scenario.title.is_empty());
    playbook.scenarios.truncate(200);
    playbook
}
