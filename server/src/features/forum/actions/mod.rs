//! Every write of the forum: one transaction each, with the rights read inside it.

mod create_topic;
mod edit;
mod ground;
mod opinions;
mod order;
mod remove;
mod tags;
mod texts;
mod visibility;
mod write_reply;

pub use create_topic::{NewTopic, PreparedTopic, create_topic, create_topic_once, insert_topic, prepare_topic};
pub use edit::{PostChange, TopicChange, edit_post, edit_topic};
pub use opinions::{set_answer, set_bookmark, set_endorsement, set_reaction};
pub use order::{set_closed, set_pinned};
pub use remove::{delete_post, delete_topic, restore_post, restore_post_once, restore_topic, restore_topic_once};
pub use texts::{preview, preview_section};
pub use write_reply::{NewReply, reply, reply_once};

use sea_orm::ActiveValue::{NotSet, Set};

use super::model::{AuthorView, PostView};
use crate::entities::post;
use crate::store::Id;
use texts::Written;

/// A post of now with nothing to it yet; what differs is set over it.
fn blank_post() -> post::ActiveModel {
    post::ActiveModel {
        id: NotSet,
        topic_id: NotSet,
        parent_id: NotSet,
        author_id: NotSet,
        is_first: NotSet,
        depth: NotSet,
        tree_pos: NotSet,
        body: NotSet,
        body_html: NotSet,
        created_at: NotSet,
        score: Set(0),
        edited_at: Set(None),
        answer_at: Set(None),
        answer_by: Set(None),
        hidden_at: Set(None),
        deleted_at: Set(None),
        deleted_by: Set(None),
        purged_at: Set(None),
        reactions: Set("[]".to_owned()),
        endorsement_count: Set(0),
        reply_count: Set(0),
        revision_count: Set(0),
        source_url: Set(None),
        source_author: Set(None),
        version: Set(1),
    }
}

/// The view of a post that was just written.
fn new_post_view(id: i64, topic: i64, author: &AuthorView, now: i64, at: String, written: &Written) -> PostView {
    PostView {
        id: Id(id),
        topic_id: Id(topic),
        parent_id: None,
        depth: 0,
        author: author.clone(),
        body: written.body.clone(),
        body_html: written.rendered.html.clone(),
        created_at: at,
        edited_at: None,
        deleted: false,
        hidden: false,
        reactions: Vec::new(),
        endorsements: Vec::new(),
        is_answer: false,
        answer_by: None,
        reply_count: 0,
        source: None,
        version: 1,
        created: now,
        edited: None,
        tree_pos: 0,
        purged: false,
        is_first: false,
        revision_count: 0,
    }
}
