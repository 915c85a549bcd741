//! The pictures that exports take along: those that their readers see, and no other files.

use std::collections::{HashMap, HashSet};

use sea_orm::QueryResult;

use crate::app::AppState;
use crate::features::people::linked_files;
use crate::features::playbooks::archive::Archive;
use crate::features::playbooks::markdown::StudyOut;
use crate::features::playbooks::model::{Copy, StudyView};
use crate::features::playbooks::pictures::readdressed;
use crate::store::{Id, Sql};
use crate::web::error::{AppError, Result};

/// Bytes of all pictures of one archive.
const MOST: i64 = 128 << 20;
/// Files that one study links to and that are looked for.
const MOST_LINKED: usize = 1_000;

const COLUMNS: &str = "f.id, f.storage_key, f.sha256, f.size, f.media_type";
/// Pictures that a study shows, also those of the talk it was made of while they are shown there.
const SHOWN: &str = " LEFT JOIN post p ON p.id = f.post_id LEFT JOIN message m ON m.id = f.message_id \
    WHERE f.media_type IN ('image/png', 'image/jpeg') AND p.deleted_at IS NULL AND p.hidden_at IS NULL \
    AND m.deleted_at IS NULL";

/// A picture that is shown to readers.
pub(super) struct Picture {
    id: i64,
    key: String,
    size: i64,
    /// In the archive: called by its content, so that the same picture has the same name wherever
    /// and whenever it is exported.
    pub name: String,
}

impl Picture {
    fn read(row: &QueryResult) -> Result<Self> {
        let (sha256, media): (String, String) = (row.try_get("", "sha256")?, row.try_get("", "media_type")?);
        let ending = if media == "image/png" { "png" } else { "jpg" };
        Ok(Self {
            id: row.try_get("", "id")?,
            key: row.try_get("", "storage_key")?,
            size: row.try_get("", "size")?,
            name: format!("figures/{}.{ending}", sha256.get(..20).unwrap_or(&sha256)),
        })
    }

    /// Leads from a study's page in an archive to the picture beside it.
    pub fn place(&self, out: &mut StudyOut) {
        for part in out.parts.values_mut() {
            for text in std::iter::once(&mut part.body).chain(part.fields.values_mut()) {
                self.place_in(text, "../");
            }
        }
    }

    /// The same for one text; `up` leads to the archive's own folder.
    pub fn place_in(&self, text: &mut String, up: &str) {
        let (from, to) = (format!("/api/v1/files/{}", Id(self.id)), format!("{up}{}", self.name));
        if let Some(new) = readdressed(text, &from, &to) {
            *text = new;
        }
    }
}

pub(super) async fn cover_of(state: &AppState, playbook: i64) -> Result<Option<Picture>> {
    let row = Sql::new("SELECT ")
        .then(COLUMNS)
        .then(" FROM playbook b JOIN file f ON f.id = b.cover_id WHERE b.id = ")
        .bind(playbook)
        .one(state.store.read())
        .await?;
    row.map(|row| Picture::read(&row)).transpose()
}

/// The pictures of a playbook that a text of it shows.
pub(super) async fn of_playbook(state: &AppState, playbook: i64, html: &str) -> Result<Vec<Picture>> {
    let rows = Sql::new("SELECT ")
        .then(COLUMNS)
        .then(" FROM file f WHERE f.media_type IN ('image/png', 'image/jpeg') AND f.playbook_id = ")
        .bind(playbook)
        .then(" AND f.id IN ")
        .list(linked_files(html))
        .then(" ORDER BY f.id")
        .all(state.store.read())
        .await?;
    rows.iter().map(Picture::read).collect()
}

/// The pictures that published studies show.
pub(super) async fn of_studies(state: &AppState, studies: &[i64]) -> Result<HashMap<i64, Vec<Picture>>> {
    let rows = Sql::new("SELECT x.study_id, ")
        .then(COLUMNS)
        .then(" FROM study_figure x JOIN file f ON f.id = x.file_id")
        .then(SHOWN)
        .then(" AND x.study_id IN ")
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

/// The pictures of one copy of a study: what is published shows its figures alone, the working copy
/// whatever was put into the study.
pub(super) async fn of_copy(state: &AppState, view: &StudyView) -> Result<Vec<Picture>> {
    let study = view.row.id.0;
    let html = view.parts.values().flat_map(|part| std::iter::once(&part.body_html).chain(part.fields_html.values()));
    let mut linked: Vec<i64> = html.flat_map(|html| linked_files(html)).collect();
    linked.sort_unstable();
    linked.dedup();
    linked.truncate(MOST_LINKED);
    let mut sql = Sql::new("SELECT ")
        .then(COLUMNS)
        .then(" FROM file f")
        .then(SHOWN)
        .then(" AND (EXISTS (SELECT 1 FROM study_figure x WHERE x.file_id = f.id AND x.study_id = ")
        .bind(study)
        .then(")");
    if view.copy == Copy::Working {
        sql = sql.then(" OR f.study_id = ").bind(study);
    }
    let rows = sql.then(") AND f.id IN ").list(linked).then(" ORDER BY f.id").all(state.store.read()).await?;
    rows.iter().map(Picture::read).collect()
}

/// Pictures that are in an archive.
#[derive(Default)]
pub(super) struct Pictures {
    names: HashSet<String>,
    bytes: i64,
}

impl Pictures {
    /// Puts a picture into an archive, once; false if it has no room or is lost.
    pub async fn put(&mut self, state: &AppState, archive: &mut Archive, picture: &Picture) -> Result<bool> {
        if self.names.contains(&picture.name) {
            return Ok(true);
        }
        if self.bytes + picture.size > MOST {
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
