//! Questions become topics.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue::Set, EntityTrait as _};

use super::Run;
use super::dump::{PostRow, QuestionRow};
use super::members::Authors;
use super::posts::{self, Prepared, Standing};
use super::reading::batches;
use super::rows::Row;
use crate::entities::kinds::TopicKind;
use crate::entities::{post, tag, topic, topic_tag};
use crate::features::imports::{refs, texts};
use crate::search::Kind;
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::web::checks::TITLE;
use crate::web::error::Result;

/// Reads the questions and adds those that are new.
pub async fn import(run: &Run, authors: &Authors, passed: &Arc<HashSet<u64>>) -> Result<()> {
    let passed = Arc::clone(passed);
    let take = move |row: Row| match PostRow::parse(row) {
        Ok(PostRow::Question(question)) if !passed.contains(&question.of.number) => Some(question),
        _ => None,
    };
    let rows = batches(run.files.posts.clone(), Arc::clone(&run.progress), take, |_, _| false);
    let batches = futures_util::stream::unfold(rows, async |mut rows| rows.recv().await.map(|batch| (batch, rows)));
    // Texts of the next batch are converted while one is written.
    let mut ready = std::pin::pin!(batches.map(|batch| async { prepare(run, authors, batch?).await }).buffered(2));
    while let Some(batch) = ready.next().await {
        write(run, batch?).await?;
    }
    Ok(())
}

async fn prepare(run: &Run, authors: &Authors, batch: Vec<QuestionRow>) -> Result<Vec<Prepared<QuestionRow>>> {
    let ids = batch.iter().map(|row| row.of.id);
    let known = refs::known_numbers(run.state.store.read(), &run.source, refs::TOPIC, ids).await?;
    let new: Vec<_> = batch
        .into_iter()
        .filter(|row| {
            let is_new = !known.contains_key(&row.of.id);
            run.progress.count(|report| report.known += u64::from(!is_new));
            is_new
        })
        .filter_map(|row| authors.of(&row.of.writer).map(|author| (row, author)))
        .collect();
    let base = run.base();
    let convert = move |(mut row, author): (QuestionRow, _)| {
        let text = texts::from_html(&row.of.body, base.as_deref());
        row.of.body = String::new();
        row.title = title_of(&row.title, &text.body);
        Prepared { row, text, author }
    };
    texts::on_all_cores(new, convert).await
}

/// The title; for a question without one, its first words.
fn title_of(title: &str, body: &str) -> String {
    let title = texts::fitting_line(title, TITLE);
    if !title.is_empty() {
        return title;
    }
    let words = crate::text::excerpt(body, 80);
    if words.trim().is_empty() { "…".into() } else { words }
}

async fn write(run: &Run, batch: Vec<Prepared<QuestionRow>>) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let cut = batch.iter().filter(|of| of.text.cut).count() as u64;
    let (source, site, space) = (run.source.clone(), run.site.clone(), run.space);
    let added =
        run.state.store.write(async move |tx| insert(tx, &source, site.as_deref(), space, &batch).await).await?;
    run.progress.count(|report| {
        report.questions += added as u64;
        report.cut += cut;
    });
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    source: &str,
    site: Option<&str>,
    space: i64,
    batch: &[Prepared<QuestionRow>],
) -> Result<usize> {
    posts::count_topics(tx, space, 0).await?;
    // Twice in one file, or another import beside this one.
    let mut known = refs::known_numbers(tx.conn(), source, refs::TOPIC, batch.iter().map(|of| of.row.of.id)).await?;
    let (mut topics, mut openings, mut tags, mut kept) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut uses: BTreeMap<&str, i32> = BTreeMap::new();
    for Prepared { row, text, author } in batch {
        if known.contains_key(&row.of.id) {
            continue;
        }
        let (topic_id, post_id) = (tx.id(), tx.id());
        known.insert(row.of.id, topic_id);
        tx.index(Kind::Topic, topic_id);
        topics.push(topic_row(topic_id, post_id, space, row, author.id));
        let at = Standing { id: post_id, topic: topic_id, parent: None, first: true, accepted: None };
        let url = site.map(|site| format!("https://{site}/questions/{}", row.of.id));
        openings.push(posts::row(at, &row.of, text, author, url));
        for name in &row.tags {
            tags.push(topic_tag::ActiveModel { topic_id: Set(topic_id), tag: Set(name.clone()) });
            *uses.entry(name).or_default() += 1;
        }
        kept.push((refs::TOPIC, row.of.id.to_string(), topic_id));
        kept.push((refs::POST, row.of.id.to_string(), post_id));
    }
    let count = topics.len();
    if count == 0 {
        return Ok(0);
    }
    posts::count_topics(tx, space, count).await?;
    topic::Entity::insert_many(topics).exec_without_returning(tx.conn()).await?;
    post::Entity::insert_many(openings).exec_without_returning(tx.conn()).await?;
    for chunk in tags.chunks(refs::CHUNK) {
        topic_tag::Entity::insert_many(chunk.to_vec()).exec_without_returning(tx.conn()).await?;
    }
    count_tags(tx, space, &uses).await?;
    refs::keep(tx, source, &kept).await?;
    tx.append(Stream::space(space), NewEvent::new("space.changed", space, None));
    Ok(count)
}

fn topic_row(id: i64, first_post: i64, space: i64, row: &QuestionRow, author: i64) -> topic::ActiveModel {
    topic::ActiveModel {
        id: Set(id),
        space_id: Set(space),
        author_id: Set(author),
        kind: Set(TopicKind::Question),
        title: Set(row.title.clone()),
        first_post_id: Set(first_post),
        post_count: Set(0),
        answer_count: Set(0),
        score: Set(row.of.score),
        rank: Set(row.of.score),
        created_at: Set(row.of.created),
        activity_at: Set(row.of.created),
        last_post_id: Set(None),
        last_author_id: Set(None),
        pinned_at: Set(None),
        closed_at: Set(row.closed),
        closed_by: Set(None),
        hidden_at: Set(None),
        deleted_at: Set(None),
        deleted_by: Set(None),
        version: Set(1),
    }
}

/// Adds uses of tags to the counts of a space.
pub async fn count_tags(tx: &Tx, space: i64, uses: &BTreeMap<&str, i32>) -> Result<()> {
    let rows: Vec<tag::ActiveModel> = uses
        .iter()
        .map(|(name, count)| tag::ActiveModel {
            space_id: Set(space),
            name: Set((*name).to_owned()),
            topic_count: Set(*count),
        })
        .collect();
    for chunk in rows.chunks(refs::CHUNK) {
        let more = Expr::col((tag::Entity, tag::Column::TopicCount)).add(Expr::cust("excluded.topic_count"));
        let add = OnConflict::columns([tag::Column::SpaceId, tag::Column::Name])
            .value(tag::Column::TopicCount, more)
            .to_owned();
        tag::Entity::insert_many(chunk.to_vec()).on_conflict(add).exec_without_returning(tx.conn()).await?;
    }
    Ok(())
}

/// Who asked, by topic: accepted answers are accepted by them.
pub async fn askers(tx: &Tx, topics: impl IntoIterator<Item = i64>) -> Result<HashMap<i64, i64>> {
    use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};
    let mut ids: Vec<i64> = topics.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut askers = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(refs::CHUNK) {
        let rows: Vec<(i64, i64)> = topic::Entity::find()
            .select_only()
            .column(topic::Column::Id)
            .column(topic::Column::AuthorId)
            .filter(topic::Column::Id.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(tx.conn())
            .await?;
        askers.extend(rows);
    }
    Ok(askers)
}
