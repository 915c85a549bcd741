//! Every select of the forum, each from what its viewer may see.
//!
//! Invariant: a page takes a fixed number of statements, whatever its topic's size, and starts at
//! a place in an index, never at an offset.

mod history;
mod lists;
mod mine;
mod posts;
mod rows;
mod topics;

pub use history::{revisions, tags};
pub use lists::{Filter, Sort, TopicState, list_topics, pinned_topics};
pub use mine::{bookmarks, mark_read, marks};
pub(super) use posts::posts_by_ids;
pub use posts::{From, Order, PostsPage, find_post, posts_page};
pub use rows::{AUTHOR, author};
pub use topics::{Seen, find_topic, topic_view, topics_by_ids};
pub(super) use topics::{answer_ids, tags_of};
