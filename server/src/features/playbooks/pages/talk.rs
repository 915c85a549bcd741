//! Comments on a part, as the editor and the reviewer see them.

use crate::entities::kinds::PartKey;
use crate::features::playbooks::model::CommentView;
use crate::store::Id;
use crate::web::frame::Frame;

/// What somebody said.
pub struct Said {
    pub name: String,
    pub at: i64,
    pub html: String,
}

/// A comment with what was answered.
pub struct Thread {
    pub id: Id,
    pub quote: String,
    pub resolved: bool,
    pub resolved_by: String,
    pub said: Vec<Said>,
}

/// The comments on one part.
pub struct Talk {
    /// Of the study.
    pub address: String,
    pub key: &'static str,
    pub title: String,
    pub threads: Vec<Thread>,
    pub may: bool,
    /// `edit` or `review`: where its forms lead back to.
    pub from: &'static str,
    /// The form for a new one is open, with what was typed.
    pub open: bool,
    pub typed: String,
}

/// The threads on a part, the oldest first, resolved ones last.
#[must_use]
pub fn threads(f: &Frame, comments: &[CommentView], key: PartKey) -> Vec<Thread> {
    let said = |of: &CommentView| Said {
        name: of.author.display_name.clone(),
        at: of.created,
        html: if of.deleted { format!("<p>{}</p>", f.t("playbooks.comment.gone")) } else { of.body_html.clone() },
    };
    let mut threads: Vec<Thread> = Vec::new();
    for of in comments.iter().filter(|of| of.part == key) {
        match of.parent_id.and_then(|parent| threads.iter_mut().find(|thread| thread.id == parent)) {
            Some(thread) => thread.said.push(said(of)),
            None if of.parent_id.is_some() => {}
            None => threads.push(Thread {
                id: of.id,
                quote: of.quote.clone(),
                resolved: of.resolved,
                resolved_by: of.resolved_by.clone().unwrap_or_default(),
                said: vec![said(of)],
            }),
        }
    }
    threads.sort_by_key(|thread| thread.resolved);
    threads
}
