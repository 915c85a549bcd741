//! Answers and comments become replies.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use tokio::sync::mpsc;

use super::Run;
use super::dump::{AnswerRow, CommentRow, PostRow, Written};
use super::members::Authors;
use super::posts::{self, Prepared, Standing};
use super::reading::batches;
use super::topics::askers;
use crate::entities::post;
use crate::features::imports::{refs, texts};
use crate::search;
use crate::store::Tx;
use crate::web::error::Result;

/// A reply on its way in.
#[derive(Clone, Debug)]
struct ReplyRow {
    of: Written,
    /// The question an answer belongs to, or the post a comment belongs to.
    under: i64,
    accepted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Answer,
    Comment,
}

impl Kind {
    const fn reference(self) -> &'static str {
        match self {
            Self::Answer => refs::POST,
            Self::Comment => refs::COMMENT,
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Answer => "Posts.xml",
            Self::Comment => "Comments.xml",
        }
    }
}

/// Reads the answers and adds those that are new.
pub async fn answers(run: &Run, authors: &Authors, accepted: &HashSet<i64>, passed: &Arc<HashSet<u64>>) -> Result<()> {
    let (accepted, passed) = (accepted.clone(), Arc::clone(passed));
    let take = move |row| match PostRow::parse(row) {
        Ok(PostRow::Answer(AnswerRow { of, question })) if !passed.contains(&of.number) => {
            Some(ReplyRow { accepted: accepted.contains(&of.id), under: question, of })
        }
        _ => None,
    };
    let rows = batches(run.files.posts.clone(), Arc::clone(&run.progress), take, |_, _| false);
    import(run, authors, Kind::Answer, rows).await
}

/// Reads the comments and adds those that are new.
pub async fn comments(run: &Run, authors: &Authors) -> Result<()> {
    let Some(path) = run.files.comments.clone() else { return Ok(()) };
    let take = |row| {
        let CommentRow { of, post } = CommentRow::parse(row).ok()?;
        Some(ReplyRow { of, under: post, accepted: false })
    };
    let rows = batches(path, Arc::clone(&run.progress), take, |_, _| false);
    import(run, authors, Kind::Comment, rows).await
}

async fn import(
    run: &Run,
    authors: &Authors,
    kind: Kind,
    rows: mpsc::Receiver<std::io::Result<Vec<ReplyRow>>>,
) -> Result<()> {
    let batches = futures_util::stream::unfold(rows, async |mut rows| rows.recv().await.map(|batch| (batch, rows)));
    let mut ready =
        std::pin::pin!(batches.map(|batch| async { prepare(run, authors, kind, batch?).await }).buffered(2));
    while let Some(batch) = ready.next().await {
        write(run, kind, batch?).await?;
    }
    Ok(())
}

async fn prepare(run: &Run, authors: &Authors, kind: Kind, batch: Vec<ReplyRow>) -> Result<Vec<Prepared<ReplyRow>>> {
    let db = run.state.store.read();
    let known = refs::known_numbers(db, &run.source, kind.reference(), batch.iter().map(|row| row.of.id)).await?;
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
    let convert = move |(mut row, author): (ReplyRow, _)| {
        let text = match kind {
            Kind::Answer => texts::from_html(&row.of.body, base.as_deref()),
            Kind::Comment => texts::from_markdown(&row.of.body),
        };
        row.of.body = String::new();
        Prepared { row, text, author }
    };
    texts::on_all_cores(new, convert).await
}

/// What a batch came to.
#[derive(Debug, Default)]
struct Outcome {
    added: u64,
    /// Rows whose post was not imported.
    lost: Vec<(u64, i64)>,
}

async fn write(run: &Run, kind: Kind, batch: Vec<Prepared<ReplyRow>>) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let cut = batch.iter().filter(|of| of.text.cut).count() as u64;
    let (source, site, space) = (run.source.clone(), run.site.clone(), run.space);
    let outcome =
        run.state.store.write(async move |tx| insert(tx, &source, site.as_deref(), space, kind, &batch).await).await?;
    run.progress.count(|report| {
        report.cut += cut;
        match kind {
            Kind::Answer => report.answers += outcome.added,
            Kind::Comment => report.comments += outcome.added,
        }
    });
    for (number, under) in outcome.lost {
        let reason = match kind {
            Kind::Answer => format!("its question {under} was not imported"),
            Kind::Comment => format!("its post {under} was not imported"),
        };
        run.progress.broken(kind.file(), number, &reason);
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    source: &str,
    site: Option<&str>,
    space: i64,
    kind: Kind,
    batch: &[Prepared<ReplyRow>],
) -> Result<Outcome> {
    posts::count_topics(tx, space, 0).await?;
    let mut known =
        refs::known_numbers(tx.conn(), source, kind.reference(), batch.iter().map(|of| of.row.of.id)).await?;
    let parents = parents(tx, source, batch.iter().map(|of| of.row.under)).await?;
    let askers = match kind {
        Kind::Answer => askers(tx, parents.values().map(|parent| parent.topic)).await?,
        Kind::Comment => HashMap::new(),
    };
    let (mut rows, mut kept, mut outcome) = (Vec::new(), Vec::new(), Outcome::default());
    for Prepared { row, text, author } in batch {
        if known.contains_key(&row.of.id) {
            continue;
        }
        let parent = parents.get(&row.under).filter(|parent| kind == Kind::Comment || parent.is_question);
        let Some(parent) = parent else {
            outcome.lost.push((row.of.number, row.under));
            continue;
        };
        let id = tx.id();
        known.insert(row.of.id, id);
        tx.index(search::Kind::Post, id);
        let accepted = askers.get(&parent.topic).filter(|_| row.accepted).map(|asker| (row.of.created, *asker));
        let at = Standing {
            id,
            topic: parent.topic,
            parent: (!parent.is_question).then_some(parent.id),
            first: false,
            accepted,
        };
        let url = site.map(|site| url_of(site, kind, row, parent.is_question));
        rows.push(posts::row(at, &row.of, text, author, url));
        kept.push((kind.reference(), row.of.id.to_string(), id));
    }
    outcome.added = rows.len() as u64;
    if !rows.is_empty() {
        post::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
        refs::keep(tx, source, &kept).await?;
    }
    Ok(outcome)
}

fn url_of(site: &str, kind: Kind, row: &ReplyRow, on_question: bool) -> String {
    let (id, under) = (row.of.id, row.under);
    match (kind, on_question) {
        (Kind::Answer, _) => format!("https://{site}/a/{id}"),
        (Kind::Comment, true) => format!("https://{site}/questions/{under}#comment{id}_{under}"),
        (Kind::Comment, false) => format!("https://{site}/a/{under}#comment{id}_{under}"),
    }
}

/// A post that replies belong to.
#[derive(Clone, Copy, Debug)]
struct Parent {
    id: i64,
    topic: i64,
    is_question: bool,
}

/// The posts of the dump with these ids, as far as they were imported.
async fn parents(tx: &Tx, source: &str, external: impl Iterator<Item = i64>) -> Result<HashMap<i64, Parent>> {
    let local = refs::known_numbers(tx.conn(), source, refs::POST, external).await?;
    let ids: Vec<i64> = local.values().copied().collect();
    let mut rows: HashMap<i64, (i64, bool)> = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(refs::CHUNK) {
        let found: Vec<(i64, i64, bool)> = post::Entity::find()
            .select_only()
            .column(post::Column::Id)
            .column(post::Column::TopicId)
            .column(post::Column::IsFirst)
            .filter(post::Column::Id.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(tx.conn())
            .await?;
        rows.extend(found.into_iter().map(|(id, topic, first)| (id, (topic, first))));
    }
    let parent = |(external, id): (i64, i64)| {
        let (topic, is_question) = rows.get(&id).copied()?;
        Some((external, Parent { id, topic, is_question }))
    };
    Ok(local.into_iter().filter_map(parent).collect())
}
