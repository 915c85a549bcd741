//! Invented content for a look around, written as if it had gone its way.

use std::collections::{BTreeMap, HashSet};

use super::actions::{Imported, insert_book_row, insert_rendered, insert_sample};
use super::ground;
use super::measures::Measure;
use super::parts::{FieldShape, PartContent, fields};
use super::terms::{Terms, fold};
use super::texts::{Written, render};
use crate::entities::kinds::{AdoptionStatus, PartKey};
use crate::ports::clock::DAY;
use crate::store::{Sql, Tx, insert_rows};
use crate::web::error::Result;

/// A playbook.
#[derive(Clone, Debug)]
pub struct Book {
    pub slug: String,
    pub title: String,
    pub pathway: String,
    pub summary: String,
    pub introduction: String,
    pub checklist: Vec<String>,
    pub space: i64,
    pub owner: i64,
    pub reviewers: Vec<i64>,
}

/// A published study.
#[derive(Clone, Debug)]
pub struct Study {
    pub slug: String,
    pub title: String,
    pub authors: Vec<i64>,
    pub credited: Vec<i64>,
    pub scenarios: Vec<i64>,
    /// When, microseconds.
    pub published: i64,
    pub reviewer: i64,
    pub terms: Terms,
    pub parts: BTreeMap<PartKey, String>,
    pub fields: BTreeMap<PartKey, BTreeMap<String, String>>,
    pub measures: Vec<Measure>,
}

/// Somebody stands behind a study.
#[derive(Clone, Debug)]
pub struct Opinion {
    pub by: i64,
    pub reason: String,
}

/// A site uses a study.
#[derive(Clone, Debug)]
pub struct Use {
    pub by: i64,
    pub status: AdoptionStatus,
    pub site: String,
    pub why: String,
    pub contact: String,
}

/// Markdown to HTML, with the invented members known.
pub type Render<'a> = dyn Fn(&str) -> String + Send + Sync + 'a;

/// Writes an open playbook with its people; its id.
pub async fn playbook(tx: &mut Tx, of: &Book, html: &Render<'_>) -> Result<i64> {
    let id = insert_book_row(tx, of, html(&of.introduction)).await?;
    let rows = of.reviewers.iter().map(|who| [id.into(), (*who).into(), "reviewer".into(), tx.now().into()]).collect();
    insert_rows(tx.conn(), "INSERT INTO playbook_member (playbook_id, member_id, role, added_at) VALUES ", rows)
        .await?;
    Ok(id)
}

/// Writes a scenario; its id.
pub async fn scenario(
    tx: &Tx,
    playbook: i64,
    title: &str,
    description: &str,
    steps: &[String],
    html: &Render<'_>,
) -> Result<i64> {
    let steps_html: Vec<String> = steps.iter().map(|step| html(step)).collect();
    insert_rendered(tx, playbook, title, [description, &html(description)], steps, &steps_html).await
}

/// Writes a published study with what others say to it.
pub async fn study(
    tx: &mut Tx,
    playbook: i64,
    of: &Study,
    opinions: &[Opinion],
    uses: &[Use],
    html: &Render<'_>,
) -> Result<()> {
    let mut contents: BTreeMap<PartKey, PartContent> = BTreeMap::new();
    for (key, body) in &of.parts {
        body.trim().clone_into(&mut contents.entry(*key).or_default().body);
    }
    for (key, values) in &of.fields {
        contents.entry(*key).or_default().fields.clone_from(values);
    }
    contents.entry(PartKey::Outcomes).or_default().measures.clone_from(&of.measures);
    let parts = contents.into_iter().map(|(key, content)| (key, written(key, content, html))).collect();
    let imported = Imported {
        title: of.title.clone(),
        slug: Some(of.slug.clone()),
        playbook,
        authors: of.authors.clone(),
        credited: of.credited.clone(),
        parts,
        terms: of.terms.clone(),
        published: None,
        url: None,
        publish: true,
    };
    let id = insert_sample(tx, &imported, of.reviewer).await?;
    let rows = of.scenarios.iter().map(|scenario| [(*scenario).into(), id.into(), 0.into()]).collect();
    insert_rows(tx.conn(), "INSERT INTO scenario_study (scenario_id, study_id, position) VALUES ", rows).await?;
    endorse(tx, id, of.published, opinions).await?;
    adopt(tx, id, of.published, uses).await?;
    Sql::new("UPDATE case_study SET source = 'written', created_at = ")
        .bind(of.published - 20 * DAY)
        .then(", updated_at = ")
        .bind(of.published)
        .then(", published_at = ")
        .bind(of.published)
        .then(", first_published_at = ")
        .bind(of.published)
        .then(", review_due = ")
        .bind(of.published + 365 * DAY)
        .then(", endorsement_count = ")
        .bind(i32::try_from(opinions.len()).unwrap_or(0))
        .then(", adoption_count = ")
        .bind(i32::try_from(uses.len()).unwrap_or(0))
        .then(" WHERE id = ")
        .bind(id)
        .run(tx.conn())
        .await?;
    Sql::new("UPDATE study_revision SET published_at = ")
        .bind(of.published)
        .then(" WHERE study_id = ")
        .bind(id)
        .run(tx.conn())
        .await?;
    Ok(())
}

fn written(key: PartKey, content: PartContent, html: &Render<'_>) -> Written {
    let nobody = HashSet::new();
    let mut written = render("", key, content, &nobody);
    if !written.html.is_empty() {
        written.html = html(&written.content.body);
    }
    for field in fields(key).iter().filter(|field| field.shape == FieldShape::Text) {
        if let Some(value) = written.content.fields.get(field.name) {
            written.fields_html.insert(field.name.to_owned(), html(value));
        }
    }
    written
}

async fn endorse(tx: &Tx, study: i64, since: i64, opinions: &[Opinion]) -> Result<()> {
    let mut rows = Vec::with_capacity(opinions.len());
    for (opinion, days) in opinions.iter().zip(1_i64..) {
        let who = ground::actor(tx, opinion.by).await?;
        rows.push([
            study.into(),
            opinion.by.into(),
            who.discipline.as_str().into(),
            who.headline.into(),
            who.organisation.into(),
            opinion.reason.clone().into(),
            (since + days * DAY).into(),
        ]);
    }
    let insert = "INSERT INTO study_endorsement (study_id, member_id, discipline, role, organisation, reason, created_at) VALUES ";
    insert_rows(tx.conn(), insert, rows).await
}

async fn adopt(tx: &Tx, study: i64, since: i64, uses: &[Use]) -> Result<()> {
    let mut rows = Vec::with_capacity(uses.len());
    for (one, days) in uses.iter().zip(2_i64..) {
        let who = ground::actor(tx, one.by).await?;
        rows.push([
            tx.id().into(),
            study.into(),
            one.by.into(),
            who.organisation.clone().into(),
            fold(&who.organisation).into(),
            one.site.clone().into(),
            one.status.as_str().into(),
            one.why.clone().into(),
            one.contact.clone().into(),
            (since + days * DAY).into(),
            (since + days * DAY).into(),
        ]);
    }
    let insert = "INSERT INTO study_adoption (id, study_id, member_id, organisation, organisation_key, site, status, why, contact, created_at, updated_at) VALUES ";
    insert_rows(tx.conn(), insert, rows).await
}
