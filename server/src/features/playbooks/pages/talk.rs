//! Comments on a part, as the editor and the reviewer see them.

use crate::entities::kinds::PartKey;
use crate::features::playbooks::model::{CommentView, StudyView};
use crate::features::playbooks::parts;
use crate::features::playbooks::queries::Threads;
use crate::store::Id;
use crate::web::frame::Frame;

/// What somebody said.
pub struct Said {
    pub id: Id,
    pub name: String,
    pub at: i64,
    pub html: String,
    /// It is the viewer's own: they may change it.
    pub own: bool,
    /// The viewer may take it away.
    pub removable: bool,
    pub edited: bool,
}

/// A comment with what was answered.
pub struct Thread {
    pub id: Id,
    pub quote: String,
    pub resolved: bool,
    pub resolved_by: String,
    pub said: Vec<Said>,
    /// All replies, of which the last are here.
    pub replies: i32,
    /// Earlier ones are on the page of the thread.
    pub more: bool,
}

/// The comments on one part.
pub struct Talk {
    /// Of the study.
    pub address: String,
    pub key: &'static str,
    pub title: String,
    pub threads: Vec<Thread>,
    /// All threads on it, if not all of them are here.
    pub more: i64,
    pub may: bool,
    /// `edit` or `review`: where its forms lead back to.
    pub from: &'static str,
    /// The form for a new one is open, with what was typed.
    pub open: bool,
    pub typed: String,
}

/// What is said of a part: open threads first, the newest first.
#[must_use]
pub fn talk(f: &Frame, view: &StudyView, key: PartKey, said: &Threads, from: &'static str) -> Talk {
    let threads = threads(f, view, said, key);
    let total = said.totals.get(&key).copied().unwrap_or(0);
    Talk {
        address: view.row.url.clone(),
        key: key.as_str(),
        title: parts::title(key),
        more: if usize::try_from(total).unwrap_or(usize::MAX) > threads.len() { total } else { 0 },
        threads,
        may: view.may.comment,
        from,
        open: false,
        typed: String::new(),
    }
}

fn threads(f: &Frame, view: &StudyView, of: &Threads, key: PartKey) -> Vec<Thread> {
    let me = f.me.as_ref().map(|me| me.handle.as_str()).unwrap_or_default();
    let said = |of: &CommentView| {
        let own = view.may.comment && !of.deleted && of.author.handle == me;
        Said {
            id: of.id,
            name: of.author.display_name.clone(),
            at: of.created,
            html: if of.deleted { format!("<p>{}</p>", f.t("playbooks.comment.gone")) } else { of.body_html.clone() },
            own,
            removable: own || (view.reviews && !of.deleted),
            edited: of.edited_at.is_some() && !of.deleted,
        }
    };
    let mut threads: Vec<Thread> = Vec::new();
    for of in of.comments.iter().filter(|of| of.part == key) {
        match of.parent_id.and_then(|parent| threads.iter_mut().find(|thread| thread.id == parent)) {
            Some(thread) => thread.said.push(said(of)),
            None if of.parent_id.is_some() => {}
            None => threads.push(Thread {
                id: of.id,
                quote: of.quote.clone(),
                resolved: of.resolved,
                resolved_by: of.resolved_by_name.clone().unwrap_or_default(),
                said: vec![said(of)],
                replies: of.reply_count,
                more: false,
            }),
        }
    }
    for thread in &mut threads {
        thread.more = usize::try_from(thread.replies).unwrap_or(0) >= thread.said.len();
    }
    threads
}
