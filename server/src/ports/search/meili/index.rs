//! One index on the server: writing to it, how far it is, what it holds.
//!
//! Invariant: a document `progress`, which belongs to no audience, says how far the index has come;
//! it is in the last task of what it tells of, after those before it were seen to succeed.

use std::collections::{BTreeMap, HashSet};

use meilisearch_sdk::documents::DocumentsQuery;
use meilisearch_sdk::indexes::Index;
use meilisearch_sdk::search::{SearchQuery, Selectors};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entry::{Entry, key};
use super::http::Http;
use super::server::{Server, fault, is_absent};
use crate::ports::search::{Change, EngineError, EngineResult, Progress};
use crate::search::Kind;

/// The key of the document that says how far the index is.
const MARKER: &str = "progress";
/// Bytes of documents in one task.
const MOST_AT_ONCE: usize = 24 << 20;
/// Ids read at once.
const PAGE: usize = 1000;

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    key: String,
    generation: String,
    /// As text, so that no part of it becomes a field.
    progress: String,
}

/// An index. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MeiliIndex {
    pub(super) server: Server,
    pub(super) index: Index<Http>,
    generation: String,
}

impl MeiliIndex {
    pub(super) fn new(server: &Server, uid: &str, generation: String) -> Self {
        Self { server: server.clone(), index: server.client.index(uid), generation }
    }

    /// What is there under a name, and how far it is; `None` if there is nothing.
    pub(super) async fn find(server: &Server, uid: &str) -> EngineResult<Option<(Self, Progress)>> {
        let found = server.client.index(uid).get_document::<Marker>(MARKER).await;
        let marker = match found {
            Ok(marker) => marker,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(fault(error)),
        };
        // One that cannot be read is of another time.
        let progress = serde_json::from_str(&marker.progress).ok();
        Ok(progress.map(|progress| (Self::new(server, uid, marker.generation), progress)))
    }

    /// Another one replaces it under its name.
    #[must_use]
    pub fn generation(&self) -> &str {
        &self.generation
    }

    /// Writes changes and how far they bring the index; returns once they can be found.
    pub async fn write(&self, changes: Vec<Change>, progress: &Progress) -> EngineResult<()> {
        let (mut gone, mut batch, mut size) = (Vec::new(), Vec::new(), 0);
        for change in changes {
            match change {
                Change::Remove(kind, id) => gone.push(key(kind, id)),
                Change::Put(document) => {
                    let entry = Entry::of(&document);
                    if size > 0 && size + entry.size() > MOST_AT_ONCE {
                        self.add(&std::mem::take(&mut batch)).await?;
                        size = 0;
                    }
                    size += entry.size();
                    batch.push(value(&entry)?);
                }
            }
        }
        if !gone.is_empty() {
            let task = self.index.delete_documents(&gone).await.map_err(fault)?;
            self.server.done(task).await?;
        }
        let progress = serde_json::to_string(progress).map_err(|error| EngineError(error.to_string()))?;
        batch.push(value(&Marker { key: MARKER.to_owned(), generation: self.generation.clone(), progress })?);
        self.add(&batch).await
    }

    async fn add(&self, documents: &[Value]) -> EngineResult<()> {
        let task = self.index.add_or_replace(documents, Some("key")).await.map_err(fault)?;
        self.server.done(task).await
    }

    /// How many documents of each kind it holds.
    pub async fn counts(&self) -> EngineResult<BTreeMap<Kind, u64>> {
        let mut query = SearchQuery::new(&self.index);
        query.with_page(1).with_hits_per_page(0).with_facets(Selectors::Some(&["kind"]));
        let found = query.execute::<Value>().await.map_err(fault)?;
        let counts = found.facet_distribution.and_then(|mut all| all.remove("kind")).unwrap_or_default();
        Ok(counts.into_iter().filter_map(|(kind, count)| Some((Kind::parse(&kind)?, count as u64))).collect())
    }

    /// The ids of a kind that it holds.
    pub async fn ids(&self, of: Kind) -> EngineResult<HashSet<i64>> {
        let filter = format!("kind = \"{of}\"");
        let mut ids = HashSet::new();
        for page in 0.. {
            let mut query = DocumentsQuery::new(&self.index);
            query.with_filter(&filter).with_fields(["id"]).with_limit(PAGE).with_offset(page * PAGE);
            let found = self.index.get_documents_with::<Value>(&query).await.map_err(fault)?;
            let count = found.results.len();
            let id = |row: &Value| row.get("id")?.as_str()?.parse::<i64>().ok();
            ids.extend(found.results.iter().filter_map(id));
            if count < PAGE {
                break;
            }
        }
        Ok(ids)
    }

    /// Takes it off the server.
    pub async fn delete(self) -> EngineResult<()> {
        let task = self.index.delete().await.map_err(fault)?;
        self.server.done(task).await
    }

    /// Documents and bytes of them.
    pub async fn size(&self) -> EngineResult<(u64, u64)> {
        let stats = self.index.get_stats().await.map_err(fault)?;
        Ok((stats.number_of_documents.saturating_sub(1) as u64, stats.raw_document_db_size as u64))
    }
}

fn value(of: &impl Serialize) -> EngineResult<Value> {
    serde_json::to_value(of).map_err(|error| EngineError(error.to_string()))
}
