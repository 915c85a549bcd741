//! Topics and replies as search finds them: a topic with its opening text, each reply on its own.

use std::collections::HashMap;

use sea_orm::{DatabaseConnection, QueryResult};

use super::queries::tags_of;
use crate::search::{Audience, Document, Extent, Kind, Passage, Source, SourceAnswer, Within};
use crate::store::{Id, Sql};
use crate::text::reading;
use crate::web::error::Result;

/// A topic `t` that can be found; one without a title was purged.
const FOUND_TOPIC: &str = "t.deleted_at IS NULL AND t.hidden_at IS NULL AND t.title <> ''";
/// A reply `p` of `t` that can be found.
const FOUND_POST: &str = "NOT p.is_first AND p.deleted_at IS NULL AND p.hidden_at IS NULL AND p.purged_at IS NULL \
    AND t.deleted_at IS NULL AND t.hidden_at IS NULL";
const COLUMNS: &str = "t.id AS t_id, t.title, t.space_id, t.author_id AS t_author_id, t.created_at AS t_created_at, \
    t.answer_count, s.slug, p.id AS p_id, p.author_id, p.created_at, p.body_html, p.answer_at, p.endorsement_count, \
    p.hidden_at, p.purged_at, p.deleted_at";

#[derive(Debug)]
pub struct Topics;

#[derive(Debug)]
pub struct Posts;

impl Source for Topics {
    fn kind(&self) -> Kind {
        Kind::Topic
    }

    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(topics(db, ids, extent))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT t.id FROM topic t WHERE ").then(FOUND_TOPIC).then(" AND t.id > ").bind(after);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(find.then(" ORDER BY t.id").limit(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        Box::pin(Sql::new("SELECT count(*) AS n FROM topic t WHERE ").then(FOUND_TOPIC).number(db))
    }
}

impl Source for Posts {
    fn kind(&self) -> Kind {
        Kind::Post
    }

    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(posts(db, ids, extent))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT p.id FROM post p JOIN topic t ON t.id = p.topic_id WHERE ").then(FOUND_POST);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(find.then(" AND p.id > ").bind(after).then(" ORDER BY p.id").limit(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        let count = Sql::new("SELECT count(*) AS n FROM post p JOIN topic t ON t.id = p.topic_id WHERE ");
        Box::pin(count.then(FOUND_POST).number(db))
    }

    fn within<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        of: Within,
        after: i64,
        limit: u64,
    ) -> SourceAnswer<'a, Vec<i64>> {
        if of.kind != Kind::Topic {
            return Box::pin(async { Ok(Vec::new()) });
        }
        let find = Sql::new("SELECT id FROM post WHERE NOT is_first AND topic_id = ").bind(of.id).then(" AND id > ");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(find.bind(after).then(" ORDER BY id").limit(limit).ids(db))
    }
}

async fn topics(db: &DatabaseConnection, ids: &[i64], extent: Extent<'_>) -> Result<Vec<Document>> {
    let rows = Sql::new("SELECT ")
        .then(COLUMNS)
        .then(" FROM topic t JOIN space s ON s.id = t.space_id JOIN post p ON p.id = t.first_post_id WHERE ")
        .then(FOUND_TOPIC)
        .then(" AND t.id IN ")
        .list(ids.iter().copied())
        .all(db)
        .await?;
    let mut tags: HashMap<i64, Vec<String>> = tags_of(db, ids).await?;
    rows.iter()
        .map(|row| {
            let id: i64 = row.try_get("", "t_id")?;
            let url = format!("/s/{}/t/{}", row.try_get::<String>("", "slug")?, Id(id));
            let mut document =
                Document::new(Kind::Topic, id, row.try_get("", "title")?, url, row.try_get("", "t_created_at")?);
            fill(&mut document, row, extent)?;
            document.author = row.try_get("", "t_author_id")?;
            document.tags = tags.remove(&id).unwrap_or_default();
            document.accepted = row.try_get::<i32>("", "answer_count")? > 0;
            // The opening can be hidden and the topic stay.
            let gone = |column: &str| -> Result<bool> { Ok(row.try_get::<Option<i64>>("", column)?.is_some()) };
            if gone("hidden_at")? || gone("purged_at")? || gone("deleted_at")? {
                document.passages.clear();
            }
            Ok(document)
        })
        .collect()
}

async fn posts(db: &DatabaseConnection, ids: &[i64], extent: Extent<'_>) -> Result<Vec<Document>> {
    let rows = Sql::new("SELECT ")
        .then(COLUMNS)
        .then(" FROM post p JOIN topic t ON t.id = p.topic_id JOIN space s ON s.id = t.space_id WHERE ")
        .then(FOUND_POST)
        .then(" AND p.id IN ")
        .list(ids.iter().copied())
        .all(db)
        .await?;
    rows.iter()
        .map(|row| {
            let (topic, id): (i64, i64) = (row.try_get("", "t_id")?, row.try_get("", "p_id")?);
            let url = format!("/s/{}/t/{}#post-{}", row.try_get::<String>("", "slug")?, Id(topic), Id(id));
            let mut document =
                Document::new(Kind::Post, id, row.try_get("", "title")?, url, row.try_get("", "created_at")?);
            fill(&mut document, row, extent)?;
            document.title_is_borrowed = true;
            document.accepted = row.try_get::<Option<i64>>("", "answer_at")?.is_some();
            Ok(document)
        })
        .collect()
}

fn fill(document: &mut Document, row: &QueryResult, extent: Extent<'_>) -> Result<()> {
    let space: i64 = row.try_get("", "space_id")?;
    document.space = Some(space);
    document.author = row.try_get("", "author_id")?;
    document.endorsements = row.try_get("", "endorsement_count")?;
    if extent != Extent::Head {
        document.passages = vec![Passage::new(reading(&row.try_get::<String>("", "body_html")?))];
    }
    document.audience = vec![Audience::Readers(space)];
    Ok(())
}
