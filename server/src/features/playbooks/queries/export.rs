//! Studies and playbooks as they are written out.

use std::collections::HashMap;

use super::figures::{self, Pictures};
use super::{Which, study_view};
use crate::app::AppState;
use crate::entities::kinds::{PartKey, PlaybookVisibility, StudySource};
use crate::features::playbooks::archive::Archive;
use crate::features::playbooks::markdown::{
    Person, PlaybookOut, ScenarioOut, StudyOut, playbook_markdown, study_markdown,
};
use crate::features::playbooks::model::{NameView, PartView, RevisionContent, StudyRow, StudyView};
use crate::features::playbooks::parts::PartContent;
use crate::features::playbooks::rows::{LIVE_PEOPLE, STUDY, day, study};
use crate::ports::blobs::Reading;
use crate::store::Sql;
use crate::web::error::Result;
use crate::web::viewer::Viewer;

/// Studies read at once.
const BATCH: i64 = 50;
/// Studies of one archive.
const MOST: usize = 5_000;

impl PartView {
    /// What a part holds, without what was made of it.
    #[must_use]
    pub fn content(&self) -> PartContent {
        PartContent { body: self.body.clone(), fields: self.fields.clone(), measures: self.measures.clone() }
    }
}

fn named(people: &[NameView]) -> Vec<Person> {
    people.iter().map(|one| Person { handle: one.handle.clone(), name: one.display_name.clone() }).collect()
}

/// What an owner is called, if they are the one whom the part names.
fn owner_name(part: Option<&PartView>, handle: &str, name: &str) -> String {
    let same = part.is_some_and(|part| part.body.trim_start_matches('@').to_lowercase() == handle);
    if same { name.to_owned() } else { String::new() }
}

/// A study as Markdown with front matter.
#[must_use]
pub fn study_export(view: &StudyView) -> String {
    study_markdown(&study_out(view))
}

fn study_out(view: &StudyView) -> StudyOut {
    StudyOut {
        title: view.row.title.clone(),
        slug: view.row.slug.clone(),
        authors: named(&view.row.authors),
        credited: named(&view.credited),
        owner_name: view
            .owner
            .as_ref()
            .map(|owner| owner_name(view.parts.get(&PartKey::Owner), &owner.handle, &owner.display_name))
            .unwrap_or_default(),
        state: view.row.state.as_str().to_owned(),
        published: view.row.published.map(day),
        restricted: view.restricted,
        source: view.source.as_ref().filter(|of| of.kind == StudySource::Import).and_then(|of| of.url.clone()),
        terms: view.row.terms.clone(),
        parts: view
            .parts
            .iter()
            .map(|(key, part)| (*key, part.content()))
            .filter(|(_, part)| !part.is_empty())
            .collect(),
    }
}

/// A ZIP archive as that of a playbook, of one study: `studies/SLUG.md` and its pictures in `figures/`.
pub async fn study_archive(state: &AppState, viewer: &Viewer, slug: &str, which: Which) -> Result<Reading> {
    let view = study_view(state, viewer, slug, which).await?;
    let shown = figures::of_copy(state, &view).await?;
    let mut out = study_out(&view);
    let mut archive = Archive::begin(state).await?;
    let mut pictures = Pictures::default();
    for picture in &shown {
        if pictures.put(state, &mut archive, picture).await? {
            picture.place(&mut out);
        }
    }
    archive.add(format!("studies/{}.md", out.slug), study_markdown(&out)).await?;
    archive.finish().await
}

/// A ZIP archive: `playbook.md`, and `studies/SLUG.md` for what is published in a playbook, with its
/// pictures and those of the introduction in `figures/`.
pub async fn playbook_export(state: &AppState, viewer: &Viewer, slug: &str) -> Result<Reading> {
    let book = super::playbook_view(state, viewer, slug).await?;
    let mut placed = placed(state, book.row.id.0).await?;
    let scenarios = book
        .scenarios
        .iter()
        .map(|scenario| ScenarioOut {
            title: scenario.title.clone(),
            description: scenario.description.clone(),
            steps: scenario.steps.clone(),
            studies: placed.remove(&scenario.id.0).unwrap_or_default(),
        })
        .collect();
    let mut archive = Archive::begin(state).await?;
    let mut pictures = Pictures::default();
    let mut cover = None;
    if let Some(picture) = figures::cover_of(state, book.row.id.0).await?
        && pictures.put(state, &mut archive, &picture).await?
    {
        cover = Some((picture.name, book.row.cover_alt.clone()));
    }
    let mut introduction = book.introduction.clone();
    for picture in figures::of_playbook(state, book.row.id.0, &book.introduction_html).await? {
        if pictures.put(state, &mut archive, &picture).await? {
            picture.place_in(&mut introduction, "");
        }
    }
    let page = playbook_markdown(&PlaybookOut {
        cover,
        slug: book.row.slug.clone(),
        title: book.row.title.clone(),
        pathway: book.row.pathway.clone(),
        summary: book.row.summary.clone(),
        visibility: book.row.visibility.as_str().to_owned(),
        space: book.row.space.clone(),
        introduction,
        checklist: book.checklist.clone(),
        scenarios,
    });
    archive.add("playbook.md".to_owned(), page).await?;
    let (mut after, mut count) = (0, 0);
    loop {
        let batch = batch(state, book.row.id.0, after, BATCH).await?;
        let Some((last, _)) = batch.last() else { break };
        after = *last;
        count += batch.len();
        let shown = figures::of_studies(state, &batch.iter().map(|(id, _)| *id).collect::<Vec<_>>()).await?;
        for (id, mut out) in batch {
            for picture in shown.get(&id).into_iter().flatten() {
                if pictures.put(state, &mut archive, picture).await? {
                    picture.place(&mut out);
                }
            }
            archive.add(format!("studies/{}.md", out.slug), study_markdown(&out)).await?;
        }
        if count >= MOST {
            break;
        }
    }
    archive.finish().await
}

/// A published study of a playbook as its exports write it: the page alone, and with its pictures
/// beside it; nothing for one that readers do not get.
pub async fn exported(state: &AppState, playbook: i64, study: i64) -> Result<Vec<String>> {
    let found = batch(state, playbook, study - 1, 1).await?;
    let Some((_, mut out)) = found.into_iter().find(|(id, _)| *id == study) else { return Ok(Vec::new()) };
    let alone = study_markdown(&out);
    for picture in figures::of_studies(state, &[study]).await?.get(&study).into_iter().flatten() {
        picture.place(&mut out);
    }
    Ok(vec![alone, study_markdown(&out)])
}

/// The addresses of the studies in each scenario of a playbook, of its own studies.
async fn placed(state: &AppState, playbook: i64) -> Result<HashMap<i64, Vec<String>>> {
    let rows = Sql::new(
        "SELECT x.scenario_id, c.slug FROM scenario_study x JOIN scenario n ON n.id = x.scenario_id \
         JOIN case_study c ON c.id = x.study_id AND c.playbook_id = n.playbook_id \
         WHERE c.published > 0 AND c.retired_at IS NULL AND n.playbook_id = ",
    )
    .bind(playbook)
    .then(" ORDER BY x.scenario_id, x.position, x.study_id LIMIT 20000")
    .all(state.store.read())
    .await?;
    let mut placed: HashMap<i64, Vec<String>> = HashMap::new();
    for row in rows {
        placed.entry(row.try_get("", "scenario_id")?).or_default().push(row.try_get("", "slug")?);
    }
    Ok(placed)
}

/// Published studies of a playbook after an id.
async fn batch(state: &AppState, playbook: i64, after: i64, most: i64) -> Result<Vec<(i64, StudyOut)>> {
    let db = state.store.read();
    let rows = Sql::new("SELECT r.content AS r_content, c.source_url AS c_source_url, o.handle AS o_handle, o.display_name AS o_name, b.visibility AS b_visibility, NULL AS b_slug, NULL AS b_title, ")
        .then(STUDY)
        .then(" FROM case_study c JOIN study_revision r ON r.study_id = c.id AND r.number = c.published JOIN playbook b ON b.id = c.playbook_id LEFT JOIN member o ON o.id = c.owner_id WHERE c.retired_at IS NULL AND c.playbook_id = ")
        .bind(playbook)
        .then(" AND c.id > ")
        .bind(after)
        .then(" ORDER BY c.id")
        .limit(most)
        .all(db)
        .await?;
    let (mut found, mut contents) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    let mut beside: Vec<(Option<String>, String, bool)> = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(study(row, false, 0)?);
        let content = serde_json::from_str::<RevisionContent>(&row.try_get::<String>("r_", "content")?)?;
        let handle = row.try_get::<Option<String>>("o_", "handle")?.unwrap_or_default();
        let name = row.try_get::<Option<String>>("o_", "name")?.unwrap_or_default();
        let owner = owner_name(content.parts.get(&PartKey::Owner), &handle, &name);
        let restricted = row.try_get::<PlaybookVisibility>("b_", "visibility")? == PlaybookVisibility::Restricted;
        beside.push((row.try_get("c_", "source_url")?, owner, restricted));
        contents.push(content);
    }
    let found = super::with_names(db, found, true).await?;
    let mut credited = credited(state, &found).await?;
    let outs =
        found.into_iter().zip(contents).zip(beside).map(move |((row, content), (source, owner_name, restricted))| {
            let out = StudyOut {
                title: content.title,
                slug: row.slug,
                authors: named(&row.authors),
                credited: credited.remove(&row.id.0).unwrap_or_default(),
                owner_name,
                state: "published".to_owned(),
                published: row.published.map(day),
                restricted,
                source,
                terms: content.terms,
                parts: content.parts.iter().map(|(key, part)| (*key, part.content())).collect(),
            };
            (row.id.0, out)
        });
    Ok(outs.collect())
}

/// Those who are thanked in studies.
async fn credited(state: &AppState, studies: &[StudyRow]) -> Result<HashMap<i64, Vec<Person>>> {
    let rows = Sql::new("SELECT w.study_id, m.handle, m.display_name FROM ")
        .then(LIVE_PEOPLE)
        .then(" JOIN member m ON m.id = w.member_id WHERE w.role = 'credited' AND w.study_id IN ")
        .list(studies.iter().map(|study| study.id.0))
        .then(" ORDER BY w.study_id, w.position, w.member_id")
        .all(state.store.read())
        .await?;
    let mut credited: HashMap<i64, Vec<Person>> = HashMap::new();
    for row in rows {
        let person = Person { handle: row.try_get("", "handle")?, name: row.try_get("", "display_name")? };
        credited.entry(row.try_get("", "study_id")?).or_default().push(person);
    }
    Ok(credited)
}
