//! Resources as search finds them: title, summary, description, and the text of a file page by page.

use std::collections::HashMap;

use sea_orm::{DatabaseConnection, QueryResult};

use crate::search::{Audience, Document, Kind, Passage, Source, SourceAnswer};
use crate::store::{Id, Sql};
use crate::text::reading;
use crate::web::error::Result;

/// A resource `r` that can be found.
const FOUND: &str = "r.deleted_at IS NULL AND r.hidden_at IS NULL AND r.purged_at IS NULL";
/// Bytes of one document that are given: what is over is not indexed anyway.
const MOST_TEXT: usize = 2_000_000;
/// Files whose pages are read in one statement.
const FILES: usize = 20;

#[derive(Debug)]
pub struct Resources;

impl Source for Resources {
    fn kind(&self) -> Kind {
        Kind::Resource
    }

    fn documents<'a>(&'a self, db: &'a DatabaseConnection, ids: &'a [i64]) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(resources(db, ids))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT r.id FROM resource r WHERE ").then(FOUND).then(" AND r.id > ").bind(after);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(find.then(" ORDER BY r.id LIMIT ").bind(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        Box::pin(Sql::new("SELECT count(*) AS n FROM resource r WHERE ").then(FOUND).number(db))
    }
}

async fn resources(db: &DatabaseConnection, ids: &[i64]) -> Result<Vec<Document>> {
    let rows = Sql::new(
        "SELECT r.id, r.space_id, r.author_id, r.title, r.summary, r.description_html, r.authors, r.organisation, \
         r.source, r.endorsement_count, r.created_at, v.file_name, v.url, v.body_html, f.sha256 FROM resource r \
         JOIN resource_version v ON v.id = r.version_id LEFT JOIN stored_file f ON f.sha256 = v.sha256 \
         AND f.scan_state IN ('off', 'clean') WHERE ",
    )
    .then(FOUND)
    .then(" AND r.id IN ")
    .list(ids.iter().copied())
    .all(db)
    .await?;
    let mut terms = terms(db, ids).await?;
    let mut documents = Vec::with_capacity(rows.len());
    for part in rows.chunks(FILES) {
        let files: Vec<String> = part
            .iter()
            .map(|row| row.try_get::<Option<String>>("", "sha256"))
            .filter_map(|of| of.transpose())
            .collect::<Result<_, _>>()?;
        let pages = pages(db, files).await?;
        for row in part {
            let id: i64 = row.try_get("", "id")?;
            let (topics, tags) = terms.remove(&id).unwrap_or_default();
            documents.push(document(row, id, topics, tags, &pages)?);
        }
    }
    Ok(documents)
}

/// Topics as shown and tags as folded, by resource.
async fn terms(db: &DatabaseConnection, ids: &[i64]) -> Result<HashMap<i64, (Vec<String>, Vec<String>)>> {
    let rows = Sql::new("SELECT resource_id, vocabulary, term, folded FROM resource_term WHERE resource_id IN ")
        .list(ids.iter().copied())
        .all(db)
        .await?;
    let mut terms: HashMap<i64, (Vec<String>, Vec<String>)> = HashMap::new();
    for row in rows {
        let (topics, tags) = terms.entry(row.try_get("", "resource_id")?).or_default();
        if row.try_get::<String>("", "vocabulary")? == "topic" {
            topics.push(row.try_get("", "term")?);
        } else {
            tags.push(row.try_get("", "folded")?);
        }
    }
    Ok(terms)
}

/// The text of files by content, in the order of their pages, as far as it is indexed.
async fn pages(db: &DatabaseConnection, files: Vec<String>) -> Result<HashMap<String, Vec<Passage>>> {
    let mut pages: HashMap<String, Vec<Passage>> = HashMap::new();
    let mut sizes: HashMap<String, usize> = HashMap::new();
    if files.is_empty() {
        return Ok(pages);
    }
    let rows = Sql::new("SELECT sha256, number, label, body FROM stored_page WHERE sha256 IN ")
        .list(files)
        .then(" ORDER BY sha256, number")
        .all(db)
        .await?;
    for row in rows {
        let of: String = row.try_get("", "sha256")?;
        let size = sizes.entry(of.clone()).or_default();
        if *size > MOST_TEXT {
            continue;
        }
        let (label, body): (String, String) = (row.try_get("", "label")?, row.try_get("", "body")?);
        *size += body.len();
        let text = if label.is_empty() || body.starts_with(&label) { body } else { format!("{label}\n{body}") };
        let anchor = Some(format!("page-{}", row.try_get::<i32>("", "number")?));
        pages.entry(of).or_default().push(Passage { text: text.replace('\t', " "), anchor });
    }
    Ok(pages)
}

fn document(
    row: &QueryResult,
    id: i64,
    topics: Vec<String>,
    tags: Vec<String>,
    pages: &HashMap<String, Vec<Passage>>,
) -> Result<Document> {
    let url = format!("/resources/{}", Id(id));
    let mut document =
        Document::new(Kind::Resource, id, row.try_get("", "title")?, url, row.try_get("", "created_at")?);
    let space: i64 = row.try_get("", "space_id")?;
    let authors: Vec<String> = serde_json::from_str(&row.try_get::<String>("", "authors")?).unwrap_or_default();
    let mut about: Vec<String> =
        vec![row.try_get("", "summary")?, reading(&row.try_get::<String>("", "description_html")?)];
    about.extend(authors);
    about.push(row.try_get("", "organisation")?);
    about.push(row.try_get("", "source")?);
    about.retain(|text| !text.is_empty());
    if !about.is_empty() {
        document.passages.push(Passage::new(about.join("\n")));
    }
    if let Some(html) = row.try_get::<Option<String>>("", "body_html")? {
        document.passages.push(Passage::new(reading(&html)));
    }
    if let Some(of) = row.try_get::<Option<String>>("", "sha256")?
        && let Some(pages) = pages.get(&of)
    {
        document.passages.extend(pages.iter().cloned());
    }
    document.labels = topics;
    document.labels.extend(row.try_get::<Option<String>>("", "file_name")?);
    document.labels.extend(row.try_get::<Option<String>>("", "url")?);
    document.tags = tags;
    document.space = Some(space);
    document.author = Some(row.try_get("", "author_id")?);
    document.endorsements = row.try_get("", "endorsement_count")?;
    document.audience = vec![Audience::Readers(space)];
    Ok(document)
}
