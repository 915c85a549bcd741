//! Playbooks and published case studies as search finds them: a study part by part, each with the
//! fragment of its address; measures, technologies and organisations among its words.

use std::collections::HashMap;

use sea_orm::{DatabaseConnection, QueryResult};

use super::measures::Measure;
use super::model::{PartView, RevisionContent};
use super::parts::{Shape, field_title, fields, shape};
use super::rows::{LIVE_PEOPLE, kept};
use super::terms::{Terms, fold};
use crate::entities::kinds::{PartKey, PlaybookVisibility, TermKind};
use crate::search::{Audience, Document, Extent, Kind, Passage, Source, SourceAnswer, Term, Within};
use crate::store::{Id, Sql};
use crate::text::{is_tag, reading};
use crate::web::error::Result;

/// A study `c` that can be found.
const FOUND: &str = "c.published > 0 AND c.retired_at IS NULL";

#[derive(Debug)]
pub struct Playbooks;

#[derive(Debug)]
pub struct CaseStudies;

impl Source for Playbooks {
    fn kind(&self) -> Kind {
        Kind::Playbook
    }

    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(playbooks(db, ids, extent))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT id FROM playbook WHERE archived_at IS NULL AND id > ").bind(after);
        Box::pin(find.then(" ORDER BY id").limit(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        Box::pin(Sql::new("SELECT count(*) AS n FROM playbook WHERE archived_at IS NULL").number(db))
    }
}

impl Source for CaseStudies {
    fn kind(&self) -> Kind {
        Kind::CaseStudy
    }

    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(studies(db, ids, extent))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT c.id FROM case_study c WHERE ").then(FOUND).then(" AND c.id > ").bind(after);
        Box::pin(find.then(" ORDER BY c.id").limit(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        Box::pin(Sql::new("SELECT count(*) AS n FROM case_study c WHERE ").then(FOUND).number(db))
    }

    fn within<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        of: Within,
        after: i64,
        limit: u64,
    ) -> SourceAnswer<'a, Vec<i64>> {
        if of.kind != Kind::Playbook {
            return Box::pin(async { Ok(Vec::new()) });
        }
        let find =
            Sql::new("SELECT id FROM case_study WHERE playbook_id = ").bind(of.id).then(" AND id > ").bind(after);
        Box::pin(find.then(" ORDER BY id").limit(limit).ids(db))
    }
}

/// Who may find what is in a playbook.
fn audience(row: &QueryResult) -> Result<Vec<Audience>> {
    let space: Option<i64> = row.try_get("b_", "space_id")?;
    Ok(match (row.try_get::<PlaybookVisibility>("b_", "visibility")?, space) {
        (PlaybookVisibility::Open, _) => vec![Audience::Everybody],
        (PlaybookVisibility::Restricted, Some(space)) => vec![Audience::Readers(space)],
        (PlaybookVisibility::Restricted, None) => Vec::new(),
    })
}

async fn playbooks(db: &DatabaseConnection, ids: &[i64], extent: Extent<'_>) -> Result<Vec<Document>> {
    let mut scenarios = if extent == Extent::Head { HashMap::new() } else { scenarios(db, ids).await? };
    let rows = Sql::new(
        "SELECT b.id, b.slug, b.title, b.pathway, b.summary, b.intro_html, b.created_by, b.created_at, \
         b.space_id AS b_space_id, b.visibility AS b_visibility FROM playbook b WHERE b.archived_at IS NULL AND b.id IN ",
    )
    .list(ids.iter().copied())
    .all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let (id, slug): (i64, String) = (row.try_get("", "id")?, row.try_get("", "slug")?);
            let (summary, pathway): (String, String) = (row.try_get("", "summary")?, row.try_get("", "pathway")?);
            let url = format!("/playbooks/{slug}");
            let created = row.try_get("", "created_at")?;
            let mut document = Document::new(Kind::Playbook, id, row.try_get("", "title")?, url, created);
            if extent != Extent::Head {
                document.passages.push(Passage::new(summary));
                document.passages.push(Passage::new(reading(&row.try_get::<String>("", "intro_html")?)));
            }
            document.passages.extend(scenarios.remove(&id).unwrap_or_default());
            document.passages.retain(|passage| !passage.text.trim().is_empty());
            document.tags = tag(&pathway).into_iter().collect();
            document.labels = vec![slug, pathway];
            document.space = row.try_get("b_", "space_id")?;
            document.author = row.try_get("", "created_by")?;
            document.audience = audience(row)?;
            Ok(document)
        })
        .collect()
}

/// What scenarios say, by playbook and in their order.
async fn scenarios(db: &DatabaseConnection, ids: &[i64]) -> Result<HashMap<i64, Vec<Passage>>> {
    let mut scenarios: HashMap<i64, Vec<Passage>> = HashMap::new();
    let rows =
        Sql::new("SELECT id, playbook_id, title, description_html, steps_html FROM scenario WHERE playbook_id IN ")
            .list(ids.iter().copied())
            .then(" ORDER BY playbook_id, position, id")
            .all(db)
            .await?;
    for row in rows {
        let steps: Vec<String> = kept(&row.try_get::<String>("", "steps_html")?);
        let (title, description): (String, String) = (row.try_get("", "title")?, row.try_get("", "description_html")?);
        let text = format!("{title}\n{}\n{}", reading(&description), reading(&steps.join("\n")));
        let anchor = format!("#scenario-{}", Id(row.try_get("", "id")?));
        scenarios.entry(row.try_get("", "playbook_id")?).or_default().push(Passage { text, anchor: Some(anchor) });
    }
    Ok(scenarios)
}

async fn studies(db: &DatabaseConnection, ids: &[i64], extent: Extent<'_>) -> Result<Vec<Document>> {
    let rows = Sql::new(
        "SELECT c.id, c.slug, c.created_by, c.first_published_at, c.endorsement_count, r.title, r.content, \
         b.space_id AS b_space_id, b.visibility AS b_visibility FROM case_study c \
         JOIN study_revision r ON r.study_id = c.id AND r.number = c.published JOIN playbook b ON b.id = c.playbook_id WHERE ",
    )
    .then(FOUND)
    .then(" AND c.id IN ")
    .list(ids.iter().copied())
    .all(db)
    .await?;
    let mut authors = authors(db, ids).await?;
    rows.iter()
        .map(|row| {
            let (id, slug): (i64, String) = (row.try_get("", "id")?, row.try_get("", "slug")?);
            let content: RevisionContent = serde_json::from_str(&row.try_get::<String>("", "content")?)?;
            let url = format!("/case-studies/{slug}");
            let created = row.try_get::<Option<i64>>("", "first_published_at")?.unwrap_or(0);
            let mut document = Document::new(Kind::CaseStudy, id, row.try_get("", "title")?, url, created);
            if extent != Extent::Head {
                document.passages = content.parts.values().map(passage).collect();
            }
            document.labels = labels(&content.terms);
            document.labels.push(slug);
            document.tags = tags(&content.terms);
            document.terms = filed_under(&content.terms);
            document.space = row.try_get("b_", "space_id")?;
            let mut by = authors.remove(&id).unwrap_or_default().into_iter();
            document.author = by.next().or(row.try_get("", "created_by")?);
            document.co_authors = by.collect();
            document.endorsements = row.try_get("", "endorsement_count")?;
            document.accepted = true;
            document.audience = audience(row)?;
            Ok(document)
        })
        .collect()
}

/// The authors of what is published, in their order.
async fn authors(db: &DatabaseConnection, ids: &[i64]) -> Result<HashMap<i64, Vec<i64>>> {
    let rows = Sql::new("SELECT w.study_id, w.member_id FROM ")
        .then(LIVE_PEOPLE)
        .then(" WHERE w.role = 'author' AND w.study_id IN ")
        .list(ids.iter().copied())
        .then(" ORDER BY w.study_id, w.position, w.member_id")
        .all(db)
        .await?;
    let mut authors: HashMap<i64, Vec<i64>> = HashMap::new();
    for row in rows {
        authors.entry(row.try_get("", "study_id")?).or_default().push(row.try_get("", "member_id")?);
    }
    Ok(authors)
}

/// What a part says, in words.
fn passage(part: &PartView) -> Passage {
    let mut lines = vec![if shape(part.key) == Shape::Text { reading(&part.body_html) } else { part.body.clone() }];
    for field in fields(part.key) {
        if let Some(value) = part.fields.get(field.name) {
            let value = part.fields_html.get(field.name).map_or_else(|| value.clone(), |html| reading(html));
            lines.push(format!("{}: {value}", field_title(field.name)));
        }
    }
    lines.extend(part.measures.iter().map(measure));
    lines.retain(|line| !line.trim().is_empty());
    // A summary opens the page; it has no place of its own to lead to.
    let anchor = (part.key != PartKey::Summary).then(|| format!("#{}", part.key.as_str()));
    Passage { text: lines.join("\n"), anchor }
}

fn measure(of: &Measure) -> String {
    [&of.name, &of.unit, &of.period, &of.method, &of.source]
        .into_iter()
        .filter(|word| !word.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

/// Words by which a study is called: whose it is and what it is made with.
fn labels(terms: &Terms) -> Vec<String> {
    [TermKind::Technology, TermKind::Organisation, TermKind::Technique]
        .iter()
        .filter_map(|kind| terms.get(kind))
        .flatten()
        .cloned()
        .collect()
}

/// Every term with its kind.
fn filed_under(terms: &Terms) -> Vec<Term> {
    let of = terms.iter().flat_map(|(kind, labels)| labels.iter().map(|label| (*kind, label)));
    of.map(|(kind, label)| Term { kind, word: fold(label), label: label.clone() }).collect()
}

/// Every term as a tag, so that results can be narrowed down by it.
fn tags(terms: &Terms) -> Vec<String> {
    let mut tags: Vec<String> = terms.values().flatten().filter_map(|label| tag(label)).collect();
    tags.sort();
    tags.dedup();
    tags
}

/// `acute-hospital` of a term; `None` if it cannot be a tag.
fn tag(label: &str) -> Option<String> {
    let mut tag = String::new();
    for c in fold(label).chars() {
        if c.is_alphanumeric() || matches!(c, '.' | '+' | '_') {
            tag.push(c);
        } else if !tag.ends_with('-') && !tag.is_empty() {
            tag.push('-');
        }
    }
    let tag = tag.trim_end_matches('-').to_owned();
    is_tag(&tag).then_some(tag)
}
