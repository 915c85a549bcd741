//! The invented playbook with its case studies.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Html, Ids, id_of};
use crate::entities::kinds::{AdoptionStatus, PartKey};
use crate::features::playbooks::measures::Measure;
use crate::features::playbooks::sample::{self, Book, Opinion, Study, Use};
use crate::features::playbooks::terms::Terms;
use crate::ports::clock::DAY;
use crate::store::Tx;
use crate::web::error::Result;

/// The playbook as it is written down.
#[derive(Clone, Debug, Deserialize)]
pub struct Playbook {
    slug: String,
    title: String,
    pathway: String,
    summary: String,
    space: String,
    owner: String,
    reviewers: Vec<String>,
    checklist: Vec<String>,
    introduction: String,
    scenario: Vec<Scenario>,
    pub study: Vec<CaseStudy>,
}

#[derive(Clone, Debug, Deserialize)]
struct Scenario {
    title: String,
    description: String,
    steps: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CaseStudy {
    slug: String,
    title: String,
    authors: Vec<String>,
    credited: Vec<String>,
    /// Places of its scenarios.
    scenarios: Vec<usize>,
    /// How long ago it was published.
    days: i64,
    owner: String,
    summary: String,
    terms: Terms,
    parts: BTreeMap<PartKey, String>,
    #[serde(default)]
    fields: BTreeMap<PartKey, BTreeMap<String, String>>,
    #[serde(default)]
    measure: Vec<Measure>,
    #[serde(default)]
    endorsement: Vec<Endorsement>,
    #[serde(default)]
    adoption: Vec<Adoption>,
}

#[derive(Clone, Debug, Deserialize)]
struct Endorsement {
    by: String,
    reason: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Adoption {
    by: String,
    status: AdoptionStatus,
    site: String,
    why: String,
    contact: String,
}

/// Reads the file that is part of the program.
pub fn read() -> Result<Playbook, toml::de::Error> {
    toml::from_str(include_str!("playbook.toml"))
}

/// Writes the playbook, published and in use.
pub async fn write(tx: &mut Tx, of: &Playbook, html: &Html, members: &Ids, spaces: &Ids) -> Result<()> {
    let ids =
        |handles: &[String]| -> Result<Vec<i64>> { handles.iter().map(|handle| id_of(members, handle)).collect() };
    let book = Book {
        slug: of.slug.clone(),
        title: of.title.clone(),
        pathway: of.pathway.clone(),
        summary: of.summary.clone(),
        introduction: of.introduction.trim().to_owned(),
        checklist: of.checklist.clone(),
        space: id_of(spaces, &of.space)?,
        owner: id_of(members, &of.owner)?,
        reviewers: ids(&of.reviewers)?,
    };
    let render = |text: &str| html.of(text);
    let playbook = sample::playbook(tx, &book, &render).await?;
    let mut scenarios = Vec::with_capacity(of.scenario.len());
    for scenario in &of.scenario {
        scenarios.push(
            sample::scenario(tx, playbook, &scenario.title, &scenario.description, &scenario.steps, &render).await?,
        );
    }
    for study in &of.study {
        let mut parts = study.parts.clone();
        parts.insert(PartKey::Summary, study.summary.clone());
        parts.insert(PartKey::Owner, study.owner.clone());
        let new = Study {
            slug: study.slug.clone(),
            title: study.title.clone(),
            authors: ids(&study.authors)?,
            credited: ids(&study.credited)?,
            scenarios: study.scenarios.iter().filter_map(|at| scenarios.get(*at).copied()).collect(),
            published: tx.now() - study.days * DAY,
            reviewer: id_of(members, of.reviewers.first().unwrap_or(&of.owner))?,
            terms: study.terms.clone(),
            parts,
            fields: study.fields.clone(),
            measures: study.measure.clone(),
        };
        let opinions = study
            .endorsement
            .iter()
            .map(|one| Ok(Opinion { by: id_of(members, &one.by)?, reason: one.reason.clone() }))
            .collect::<Result<Vec<_>>>()?;
        let uses = study
            .adoption
            .iter()
            .map(|one| {
                Ok(Use {
                    by: id_of(members, &one.by)?,
                    status: one.status,
                    site: one.site.clone(),
                    why: one.why.clone(),
                    contact: one.contact.clone(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        sample::study(tx, playbook, &new, &opinions, &uses, &render).await?;
    }
    Ok(())
}
