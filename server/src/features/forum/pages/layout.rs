//! A topic's posts, laid out for its page: opening, accepted answers, then the thread.

use std::collections::HashMap;

use askama::Template;

use super::cards::{DEEPEST, EMOJIS, PostCard, Rights};
use super::threads::Thread;
use super::topic::{Composer, Head};
use crate::features::forum::model::{AuthorView, Marks, PostView};
use crate::store::Id;
use crate::web::frame::Frame;

/// A line of the thread.
#[expect(clippy::large_enum_variant, reason = "a page holds some thirty, once, on its way to the template")]
pub enum Entry<'a> {
    Card(PostCard<'a>),
    /// An accepted answer that stands above: id and author.
    Above(Id, &'a str),
}

#[derive(Template)]
#[template(path = "forum/templates/topic.html")]
pub(super) struct TopicPage<'a> {
    f: &'a Frame,
    head: &'a Head,
    opening: Option<PostCard<'a>>,
    root: Option<Id>,
    answers: Vec<Vec<PostCard<'a>>>,
    entries: Vec<Entry<'a>>,
    order: &'static str,
    prev: Option<String>,
    next: Option<String>,
    first: String,
    composer: Option<Composer>,
    no_reply: &'static str,
    people: Vec<&'a AuthorView>,
    emojis: [(&'static str, &'static str); 6],
}

/// Everything that is known when the posts are laid out.
pub(super) struct Layout<'a> {
    pub(super) f: &'a Frame,
    pub(super) thread: &'a Thread,
    pub(super) rights: &'a Rights<'a>,
    pub(super) head: &'a Head,
    pub(super) marks: &'a HashMap<i64, Marks>,
    pub(super) time: bool,
}

impl<'a> Layout<'a> {
    fn card(&self, post: &'a PostView, names: &HashMap<&str, &str>) -> PostCard<'a> {
        let marks = self.marks.get(&post.id.0).cloned().unwrap_or_default();
        let by =
            post.answer_by.as_deref().map(|handle| names.get(handle).copied().unwrap_or(handle)).unwrap_or_default();
        PostCard::new(self.f, post, post.is_first, marks, self.rights, &self.head.address, by)
    }

    pub(super) fn page(&self, composer: Option<Composer>, no_reply: &'static str) -> TopicPage<'a> {
        let thread = self.thread;
        let names = thread.names();
        let base = thread.root.as_ref().map_or(0, |root| root.depth);
        let above = thread.above();
        let mut shown: Vec<&'a PostView> = Vec::new();
        shown.extend(thread.root.as_ref());
        shown.extend(&thread.page.items);
        let children = children(&shown);
        let by_id: HashMap<Id, &PostView> = thread.posts().map(|post| (post.id, post)).collect();
        let mut entries = Vec::with_capacity(shown.len());
        for (index, post) in shown.iter().enumerate() {
            if thread.answers_first && post.is_answer && above.contains(&post.id) {
                entries.push(Entry::Above(post.id, &post.author.display_name));
                continue;
            }
            if above.contains(&post.id) {
                continue;
            }
            let mut card = self.card(post, &names);
            let parent =
                post.parent_id.and_then(|id| by_id.get(&id)).filter(|parent| !parent.deleted && !parent.hidden);
            if self.time {
                card.depth = 0;
                card.to = parent.map(|parent| (parent.id.to_string(), parent.author.display_name.clone()));
            } else {
                card.depth = (post.depth - base).clamp(0, DEEPEST);
                card.folds = children.get(index).copied().unwrap_or(0);
                if post.depth - base >= DEEPEST {
                    card.continues = i64::from(post.reply_count);
                }
                // At the beginning of a later page the place does not tell whom a reply answers.
                let told = index > 0 || thread.page.before.is_none() || thread.root.is_some();
                if !told {
                    card.to = parent.map(|parent| (parent.id.to_string(), parent.author.display_name.clone()));
                }
            }
            entries.push(Entry::Card(card));
        }
        TopicPage {
            f: self.f,
            head: self.head,
            opening: thread
                .topic
                .opening
                .as_deref()
                .filter(|_| thread.root.is_none())
                .map(|post| self.card(post, &names)),
            root: thread.root.as_ref().map(|post| post.id),
            answers: self.answers(&names),
            entries,
            order: if self.time { "time" } else { "tree" },
            prev: thread.page.before.map(|id| self.link("before", id)),
            next: thread.page.after.map(|id| self.link("after", id)),
            first: self.start(),
            composer,
            no_reply,
            people: thread.people(8),
            emojis: EMOJIS,
        }
    }

    /// The accepted answers, each with its replies.
    fn answers(&self, names: &HashMap<&str, &str>) -> Vec<Vec<PostCard<'a>>> {
        if !self.thread.answers_first {
            return Vec::new();
        }
        let mut blocks = Vec::new();
        for answer in &self.thread.topic.answers {
            let below: Vec<&PostView> =
                self.thread.below.iter().filter(|post| post.parent_id == Some(answer.id)).collect();
            let mut card = self.card(answer, names);
            card.depth = 0;
            card.folds = i64::try_from(below.len()).unwrap_or(0);
            if below.is_empty() && !self.time {
                card.continues = i64::from(answer.reply_count);
            }
            let mut block = vec![card];
            for post in below {
                let mut card = self.card(post, names);
                card.depth = 1;
                card.continues = i64::from(post.reply_count);
                block.push(card);
            }
            blocks.push(block);
        }
        blocks
    }

    fn start(&self) -> String {
        match (self.time, &self.thread.root) {
            (true, _) => format!("{}?order=time", self.head.address),
            (false, Some(root)) => format!("{}?root={}", self.head.address, root.id),
            (false, None) => self.head.address.clone(),
        }
    }

    fn link(&self, what: &str, id: Id) -> String {
        let start = self.start();
        let sign = if start.contains('?') { '&' } else { '?' };
        format!("{start}{sign}{what}={id}")
    }
}

/// For each post how many of the following ones hang on it, in a depth-first list.
fn children(posts: &[&PostView]) -> Vec<i64> {
    let mut counts = vec![0; posts.len()];
    let mut open: Vec<(usize, i32)> = Vec::new();
    for (index, post) in posts.iter().enumerate() {
        while open.last().is_some_and(|(_, depth)| *depth >= post.depth) {
            open.pop();
        }
        for (above, _) in &open {
            if let Some(count) = counts.get_mut(*above) {
                *count += 1;
            }
        }
        open.push((index, post.depth));
    }
    counts
}
