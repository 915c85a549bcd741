//! Passes over the files: one that looks, then one for each kind of row, in bounded batches.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::dump::{self, AnswerRow, CommentRow, Files, HistoryRow, PostRow, QuestionRow, UserRow, Writer};
use super::rows::{Row, Rows};
use crate::features::imports::ahead::read_ahead;
use crate::features::imports::report::Progress;

/// Rows that are written in one transaction.
const BATCH: usize = 200;
/// Bytes of the file that a batch may hold; long texts make short batches.
const BATCH_BYTES: u64 = 2 << 20;

/// What the first pass learned: ids and names, no texts.
#[derive(Debug, Default)]
pub struct Survey {
    pub users: HashSet<i64>,
    pub former: HashSet<String>,
    pub accepted: HashSet<i64>,
    /// Numbers of rows of `Posts.xml` that can be read and are passed over all the same.
    pub passed: Arc<HashSet<u64>>,
    sites: HashMap<String, u64>,
}

impl Survey {
    fn wrote(&mut self, writer: Writer) {
        match writer {
            Writer::User(id) => {
                self.users.insert(id);
            }
            Writer::Former(name) => {
                self.former.insert(name);
            }
        }
    }

    /// The site that the texts link to most.
    #[must_use]
    pub fn site(&self) -> Option<String> {
        let most = self.sites.iter().max_by_key(|(site, count)| (**count, std::cmp::Reverse(*site)));
        most.map(|(site, _)| site.clone())
    }
}

/// Looks at every row once; reports those that cannot be read. `sites`: whether to count links.
pub fn survey(files: &Files, sites: bool, progress: &Progress) -> std::io::Result<Survey> {
    let mut survey = Survey::default();
    // Ids alone: some 20 bytes a post.
    let (mut ids, mut passed) = (HashSet::new(), HashSet::new());
    each(&files.posts, progress, |rows, row| {
        match row.and_then(PostRow::parse) {
            Ok(PostRow::Question(QuestionRow { of, .. }) | PostRow::Answer(AnswerRow { of, .. }))
                if !ids.insert(of.id) =>
            {
                passed.insert(of.number);
                progress.broken("Posts.xml", of.number, &format!("there was a post with Id {} before", of.id));
            }
            Ok(PostRow::Question(question)) => {
                survey.accepted.extend(question.accepted);
                survey.wrote(question.of.writer);
            }
            Ok(PostRow::Answer(answer)) => survey.wrote(answer.of.writer),
            Ok(PostRow::Other) => progress.count(|report| report.skipped += 1),
            Err(reason) => progress.broken("Posts.xml", rows.number(), &reason),
        }
        if sites {
            dump::count_sites(rows.raw(), &mut survey.sites);
        }
    })?;
    survey.passed = Arc::new(passed);
    if let Some(path) = &files.users {
        each(path, progress, |rows, row| {
            if let Err(reason) = row.and_then(UserRow::parse) {
                progress.broken("Users.xml", rows.number(), &reason);
            }
        })?;
    }
    if let Some(path) = &files.comments {
        each(path, progress, |rows, row| match row.and_then(CommentRow::parse) {
            Ok(comment) => survey.wrote(comment.of.writer),
            Err(reason) => progress.broken("Comments.xml", rows.number(), &reason),
        })?;
    }
    if let Some(path) = &files.history {
        each(path, progress, |rows, row| match row.and_then(HistoryRow::parse) {
            Ok(Some(edit)) => survey.wrote(edit.writer),
            Ok(None) => {}
            Err(reason) => progress.broken("PostHistory.xml", rows.number(), &reason),
        })?;
    }
    Ok(survey)
}

fn each(path: &Path, progress: &Progress, mut look: impl FnMut(&Rows, Result<Row, String>)) -> std::io::Result<()> {
    let mut rows = Rows::open(path)?;
    let mut seen = 0;
    while let Some(row) = rows.next_row()? {
        look(&rows, row.map_err(|broken| broken.reason));
        if rows.read() - seen > 1 << 20 {
            progress.advance(rows.read() - seen);
            seen = rows.read();
        }
    }
    progress.advance(rows.read() - seen);
    Ok(())
}

/// Reads a file in its own thread; batches come as fast as they are taken. Rows that cannot be
/// read are left out: the survey has reported them. `together`: whether a row belongs into the
/// batch of the row before it.
pub fn batches<T: Send + 'static>(
    path: PathBuf,
    progress: Arc<Progress>,
    parse: impl Fn(Row) -> Option<T> + Send + 'static,
    together: impl Fn(&T, &T) -> bool + Send + 'static,
) -> mpsc::Receiver<std::io::Result<Vec<T>>> {
    read_ahead(move |sender| {
        let mut rows = Rows::open(&path)?;
        let mut batch: Vec<T> = Vec::with_capacity(BATCH);
        let mut seen = 0;
        while let Some(row) = rows.next_row()? {
            let Some(item) = row.ok().and_then(&parse) else { continue };
            let full = batch.len() >= BATCH || rows.read() - seen > BATCH_BYTES;
            if full && batch.last().is_some_and(|last| !together(last, &item)) {
                progress.advance(rows.read() - seen);
                seen = rows.read();
                let done = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                if sender.blocking_send(Ok(done)).is_err() {
                    return Ok(());
                }
            }
            batch.push(item);
        }
        progress.advance(rows.read() - seen);
        // Whoever took the batches may have stopped; then nobody misses the last.
        let _taken = batch.is_empty() || sender.blocking_send(Ok(batch)).is_ok();
        Ok(())
    })
}
