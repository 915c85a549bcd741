//! Resources as search finds them: title, summary, description, and the text of a file page by page.

use std::collections::HashMap;

use sea_orm::{DatabaseConnection, QueryResult};

use crate::search::{Audience, Document, Extent, Kind, Passage, Source, SourceAnswer};
use crate::store::{Id, Sql};
use crate::text::reading;
use crate::web::error::Result;

/// A resource `r` that can be found.
const FOUND: &str = "r.deleted_at IS NULL AND r.hidden_at IS NULL AND r.purged_at IS NULL";
/// Characters of one file that are given: what is over is not indexed anyway.
const MOST_TEXT: i64 = 2_000_000;
/// Characters of one file that are looked through for the best passage; of a longer one its pages
/// with the words that are asked for come first.
const MOST_SHOWN: i64 = 200_000;
/// Words by which those pages are chosen.
const MOST_ROOTS: usize = 3;
/// Files whose pages are read in one statement.
const FILES: usize = 5;
/// Pages of a file that lie behind so many characters, or pages, are not surely in the first view of
/// it: there they are asked for by number.
const FIRST_VIEW: i64 = 20_000;
const FIRST_PAGES: i64 = 40;

#[derive(Debug)]
pub struct Resources;

impl Source for Resources {
    fn kind(&self) -> Kind {
        Kind::Resource
    }

    /// Each may have two million characters.
    fn batch(&self) -> usize {
        FILES
    }

    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(resources(db, ids, extent))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT r.id FROM resource r WHERE ").then(FOUND).then(" AND r.id > ").bind(after);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(find.then(" ORDER BY r.id").limit(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        Box::pin(Sql::new("SELECT count(*) AS n FROM resource r WHERE ").then(FOUND).number(db))
    }
}

async fn resources(db: &DatabaseConnection, ids: &[i64], extent: Extent<'_>) -> Result<Vec<Document>> {
    let rows = Sql::new(
        "SELECT r.id, r.space_id, r.author_id, r.title, r.summary, r.description_html, r.authors, r.organisation, \
         r.source, r.endorsement_count, r.created_at, v.number, f.ready_at, v.file_name, v.url, v.body_html, f.sha256 \
         FROM resource r JOIN resource_version v ON v.id = r.version_id LEFT JOIN stored_file f ON f.sha256 = v.sha256 \
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
        let pages = pages(db, files, extent).await?;
        for row in part {
            let id: i64 = row.try_get("", "id")?;
            let (topics, tags) = terms.remove(&id).unwrap_or_default();
            documents.push(document(row, id, topics, tags, &pages, extent)?);
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

/// The text of files by content, in the order of their pages, as far as it is wanted.
async fn pages(
    db: &DatabaseConnection,
    files: Vec<String>,
    extent: Extent<'_>,
) -> Result<HashMap<String, Vec<Passage>>> {
    let mut pages: HashMap<String, Vec<Passage>> = HashMap::new();
    let (most, roots) = match extent {
        Extent::Head => return Ok(pages),
        Extent::Best(roots) => (MOST_SHOWN, chosen(roots)),
        Extent::Whole => (MOST_TEXT, Vec::new()),
    };
    if files.is_empty() {
        return Ok(pages);
    }
    // Sizes first, so that no more text is read than is wanted: `upto` adds them up in the order in
    // which pages are taken.
    let mut sql = Sql::new(
        "SELECT p.sha256, p.number, p.label, p.body, w.ahead, w.place FROM stored_page p JOIN (SELECT t.sha256, \
         t.number, t.size, t.ahead, t.place, sum(t.size) OVER (PARTITION BY t.sha256 ORDER BY t.later, t.number) \
         AS upto FROM (SELECT s.sha256, s.number, s.size, s.ahead, s.place, CASE WHEN s.whole <= ",
    )
    .bind(most);
    for root in roots {
        sql = sql.then(" OR lower(s.body) LIKE ").bind(format!("%{root}%"));
    }
    let rows = sql
        .then(
            " THEN 0 ELSE 1 END AS later FROM (SELECT sha256, number, body, length(body) AS size, \
             sum(length(body)) OVER (PARTITION BY sha256) AS whole, \
             sum(length(body)) OVER (PARTITION BY sha256 ORDER BY number) - length(body) AS ahead, \
             row_number() OVER (PARTITION BY sha256 ORDER BY number) AS place FROM stored_page WHERE sha256 IN ",
        )
        .list(files)
        .then(") s) t) w ON w.sha256 = p.sha256 AND w.number = p.number WHERE w.upto - w.size < ")
        .bind(most)
        .then(" ORDER BY p.sha256, p.number")
        .all(db)
        .await?;
    for row in rows {
        let (of, number): (String, i32) = (row.try_get("", "sha256")?, row.try_get("", "number")?);
        let (label, body): (String, String) = (row.try_get("", "label")?, row.try_get("", "body")?);
        let (ahead, place): (i64, i64) = (row.try_get("", "ahead")?, row.try_get("", "place")?);
        let size = i64::try_from(body.len()).unwrap_or(i64::MAX);
        let text = if label.is_empty() || body.starts_with(&label) { body } else { format!("{label}\n{body}") };
        // Without scripts nothing else brings a later page into view.
        let later = place > 1 && (ahead.saturating_add(size) > FIRST_VIEW || place > FIRST_PAGES);
        let anchor = if later { format!("?page={number}#page-{number}") } else { format!("#page-{number}") };
        pages.entry(of).or_default().push(Passage { text: text.replace('\t', " "), anchor: Some(anchor) });
    }
    Ok(pages)
}

/// The longest of the words that are looked for, which say most; plain letters and digits alone, as
/// a page is not folded.
fn chosen(roots: &[String]) -> Vec<&String> {
    let plain = |root: &&String| root.len() > 2 && root.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut roots: Vec<&String> = roots.iter().filter(plain).collect();
    roots.sort_by_key(|root| std::cmp::Reverse(root.len()));
    roots.truncate(MOST_ROOTS);
    roots
}

fn document(
    row: &QueryResult,
    id: i64,
    topics: Vec<String>,
    tags: Vec<String>,
    pages: &HashMap<String, Vec<Passage>>,
    extent: Extent<'_>,
) -> Result<Document> {
    let url = format!("/resources/{}", Id(id));
    // What had to wait for the scanner, or for its text, is as new as the moment in which it is found.
    let first = row.try_get::<i32>("", "number")? == 1;
    let ready = row.try_get::<Option<i64>>("", "ready_at")?.filter(|_| first);
    let created = row.try_get::<i64>("", "created_at")?.max(ready.unwrap_or(0));
    let mut document = Document::new(Kind::Resource, id, row.try_get("", "title")?, url, created);
    let space: i64 = row.try_get("", "space_id")?;
    let authors: Vec<String> = serde_json::from_str(&row.try_get::<String>("", "authors")?).unwrap_or_default();
    if extent != Extent::Head {
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
