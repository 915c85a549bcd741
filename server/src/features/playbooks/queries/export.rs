//! Studies and playbooks as they are written out.

use std::collections::{HashMap, HashSet};

use crate::app::AppState;
use crate::entities::kinds::StudySource;
use crate::features::playbooks::archive::Archive;
use crate::features::playbooks::markdown::{PlaybookOut, ScenarioOut, StudyOut, playbook_markdown, study_markdown};
use crate::features::playbooks::model::{NameView, PartView, RevisionContent, StudyRow, StudyView};
use crate::features::playbooks::parts::PartContent;
use crate::features::playbooks::pictures::readdressed;
use crate::features::playbooks::rows::{STUDY, day, study};
use crate::ports::blobs::Reading;
use crate::store::{Id, Sql};
use crate::web::error::{AppError, Result};
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

fn handles(people: &[NameView]) -> Vec<String> {
    people.iter().map(|person| person.handle.clone()).collect()
}

/// A study as Markdown with front matter.
#[must_use]
pub fn study_export(view: &StudyView) -> String {
    study_markdown(&StudyOut {
        title: view.row.title.clone(),
        slug: view.row.slug.clone(),
        authors: handles(&view.row.authors),
        credited: handles(&view.credited),
        state: view.row.state.as_str().to_owned(),
        published: view.row.published.map(day),
        source: view.source.as_ref().filter(|of| of.kind == StudySource::Import).and_then(|of| of.url.clone()),
        terms: view.row.terms.clone(),
        parts: view
            .parts
            .iter()
            .map(|(key, part)| (*key, part.content()))
            .filter(|(_, part)| !part.is_empty())
            .collect(),
    })
}

/// A ZIP archive: `playbook.md`, and `studies/SLUG.md` for what is published in a playbook, with its
/// pictures in `figures/`.
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
    if let Some(picture) = cover_of(state, book.row.id.0).await?
        && pictures.put(state, &mut archive, &picture).await?
    {
        cover = Some((picture.name, book.row.cover_alt.clone()));
    }
    let page = playbook_markdown(&PlaybookOut {
        cover,
        slug: book.row.slug.clone(),
        title: book.row.title.clone(),
        pathway: book.row.pathway.clone(),
        summary: book.row.summary.clone(),
        introduction: book.introduction.clone(),
        checklist: book.checklist.clone(),
        scenarios,
    });
    archive.add("playbook.md".to_owned(), page).await?;
    let (mut after, mut count) = (0, 0);
    loop {
        let batch = batch(state, book.row.id.0, after).await?;
        let Some((last, _)) = batch.last() else { break };
        after = *last;
        count += batch.len();
        let shown = pictures.of(state, &batch.iter().map(|(id, _)| *id).collect::<Vec<_>>()).await?;
        for (id, mut out) in batch {
            for picture in shown.get(&id).into_iter().flatten() {
                if pictures.put(state, &mut archive, picture).await? {
                    place(&mut out, picture);
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
async fn batch(state: &AppState, playbook: i64, after: i64) -> Result<Vec<(i64, StudyOut)>> {
    let db = state.store.read();
    let rows = Sql::new("SELECT r.content AS r_content, c.source_url AS c_source_url, NULL AS b_slug, NULL AS b_title, ")
        .then(STUDY)
        .then(" FROM case_study c JOIN study_revision r ON r.study_id = c.id AND r.number = c.published WHERE c.retired_at IS NULL AND c.playbook_id = ")
        .bind(playbook)
        .then(" AND c.id > ")
        .bind(after)
        .then(" ORDER BY c.id LIMIT ")
        .bind(BATCH)
        .all(db)
        .await?;
    let (mut found, mut contents) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    let mut sources: Vec<Option<String>> = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(study(row, false, 0)?);
        sources.push(row.try_get("c_", "source_url")?);
        contents.push(serde_json::from_str::<RevisionContent>(&row.try_get::<String>("r_", "content")?)?);
    }
    let found = super::with_names(db, found, true).await?;
    let mut credited = credited(state, &found).await?;
    let outs = found.into_iter().zip(contents).zip(sources).map(move |((row, content), source)| {
        let out = StudyOut {
            title: content.title,
            slug: row.slug,
            authors: handles(&row.authors),
            credited: credited.remove(&row.id.0).unwrap_or_default(),
            state: "published".to_owned(),
            published: row.published.map(day),
            source,
            terms: content.terms,
            parts: content.parts.iter().map(|(key, part)| (*key, part.content())).collect(),
        };
        (row.id.0, out)
    });
    Ok(outs.collect())
}

/// The handles of those who are thanked in studies.
async fn credited(state: &AppState, studies: &[StudyRow]) -> Result<HashMap<i64, Vec<String>>> {
    let rows = Sql::new("SELECT w.study_id, m.handle FROM study_author w JOIN member m ON m.id = w.member_id WHERE w.role = 'credited' AND w.study_id IN ")
        .list(studies.iter().map(|study| study.id.0))
        .then(" ORDER BY w.study_id, w.position, w.member_id")
        .all(state.store.read())
        .await?;
    let mut credited: HashMap<i64, Vec<String>> = HashMap::new();
    for row in rows {
        credited.entry(row.try_get("", "study_id")?).or_default().push(row.try_get("", "handle")?);
    }
    Ok(credited)
}

/// Bytes of all pictures of one archive.
const MOST_PICTURES: i64 = 128 << 20;

/// A picture that a study shows its readers.
struct Picture {
    id: i64,
    key: String,
    size: i64,
    /// In the archive: called by its content, so that the same picture has the same name wherever
    /// and whenever it is exported.
    name: String,
}

impl Picture {
    fn read(row: &sea_orm::QueryResult) -> Result<Self> {
        let (sha256, media): (String, String) = (row.try_get("", "sha256")?, row.try_get("", "media_type")?);
        let ending = if media == "image/png" { "png" } else { "jpg" };
        Ok(Self {
            id: row.try_get("", "id")?,
            key: row.try_get("", "storage_key")?,
            size: row.try_get("", "size")?,
            name: format!("figures/{}.{ending}", sha256.get(..20).unwrap_or(&sha256)),
        })
    }
}

async fn cover_of(state: &AppState, playbook: i64) -> Result<Option<Picture>> {
    let row = Sql::new(
        "SELECT f.id, f.storage_key, f.sha256, f.size, f.media_type FROM playbook b JOIN file f ON f.id = b.cover_id \
         WHERE b.id = ",
    )
    .bind(playbook)
    .one(state.store.read())
    .await?;
    row.map(|row| Picture::read(&row)).transpose()
}

/// Pictures that are in an archive.
#[derive(Default)]
struct Pictures {
    names: HashSet<String>,
    bytes: i64,
}

impl Pictures {
    /// The pictures that published studies show, and no other files.
    async fn of(&self, state: &AppState, studies: &[i64]) -> Result<HashMap<i64, Vec<Picture>>> {
        let rows = Sql::new(
            "SELECT x.study_id, f.id, f.storage_key, f.sha256, f.size, f.media_type FROM study_figure x \
             JOIN file f ON f.id = x.file_id WHERE f.media_type IN ('image/png', 'image/jpeg') AND x.study_id IN ",
        )
        .list(studies.iter().copied())
        .then(" ORDER BY x.study_id, f.id")
        .all(state.store.read())
        .await?;
        let mut found: HashMap<i64, Vec<Picture>> = HashMap::new();
        for row in rows {
            found.entry(row.try_get("", "study_id")?).or_default().push(Picture::read(&row)?);
        }
        Ok(found)
    }

    /// Puts a picture into an archive, once; false if it has no room or is lost.
    async fn put(&mut self, state: &AppState, archive: &mut Archive, picture: &Picture) -> Result<bool> {
        if self.names.contains(&picture.name) {
            return Ok(true);
        }
        if self.bytes + picture.size > MOST_PICTURES {
            return Ok(false);
        }
        let bytes = match state.blobs.get(&picture.key).await {
            Ok(bytes) => bytes,
            Err(AppError::NotFound) => return Ok(false),
            Err(error) => return Err(error),
        };
        archive.add(picture.name.clone(), bytes).await?;
        self.names.insert(picture.name.clone());
        self.bytes += picture.size;
        Ok(true)
    }
}

/// Leads from a study's page in an archive to a picture beside it.
fn place(out: &mut StudyOut, picture: &Picture) {
    let (from, to) = (format!("/api/v1/files/{}", Id(picture.id)), format!("../{}", picture.name));
    for part in out.parts.values_mut() {
        for text in std::iter::once(&mut part.body).chain(part.fields.values_mut()) {
            if let Some(new) = readdressed(text, &from, &to) {
                *text = new;
            }
        }
    }
}
