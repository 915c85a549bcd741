//! From rows to views: the columns every select of posts and topics has, and how they are read.

use sea_orm::QueryResult;

use crate::entities::kinds::{Discipline, HubRole, TopicKind};
use crate::features::forum::model::{AuthorView, PostView, ReactionView, SourceView, TopicRow};
use crate::ports::clock::{DAY, rfc3339};
use crate::store::Id;
use crate::web::error::Result;

/// A topic the viewer has never opened counts as unread for so long.
const NEWS: i64 = 14 * DAY;

/// Columns of a member `a`, for [`author`].
pub const AUTHOR: &str = "a.id AS a_id, a.handle AS a_handle, \
    a.display_name AS a_display_name, a.headline AS a_headline, a.discipline AS a_discipline, \
    a.organisation AS a_organisation, a.hub_role AS a_hub_role, a.avatar AS a_avatar";

/// Columns of a post `p` whose acceptance is by `b`, for [`post`].
pub(super) const POST: &str = "p.id, p.topic_id, p.parent_id, p.is_first, p.depth, p.tree_pos, p.body, p.body_html, \
    p.score, p.created_at, p.edited_at, p.answer_at, p.hidden_at, p.deleted_at, p.purged_at, p.reactions, \
    p.endorsement_count, p.reply_count, p.revision_count, p.source_url, p.source_author, p.version, b.handle AS b_handle";

pub(super) const POST_FROM: &str =
    " FROM post p JOIN member a ON a.id = p.author_id LEFT JOIN member b ON b.id = p.answer_by";

/// Columns of a topic `t` in `s` whose newest reply is by `l`, for [`topic`].
pub(super) const TOPIC: &str = "t.id, t.space_id, t.kind, t.title, t.first_post_id, t.post_count, t.answer_count, \
    t.score, t.rank, t.created_at, t.activity_at, t.pinned_at, t.closed_at, t.hidden_at, t.deleted_at, t.version, \
    s.slug AS s_slug, s.name AS s_name, l.id AS l_id, l.handle AS l_handle, l.display_name AS l_display_name";

pub(super) const TOPIC_FROM: &str = " FROM topic t JOIN space s ON s.id = t.space_id \
    JOIN member a ON a.id = t.author_id LEFT JOIN member l ON l.id = t.last_author_id";

/// A member beside what they wrote.
pub fn author(row: &QueryResult) -> Result<AuthorView> {
    Ok(AuthorView {
        id: row.try_get("a_", "id")?,
        handle: row.try_get("a_", "handle")?,
        display_name: row.try_get("a_", "display_name")?,
        headline: row.try_get("a_", "headline")?,
        discipline: row.try_get::<Discipline>("a_", "discipline")?,
        organisation: row.try_get("a_", "organisation")?,
        role: row.try_get::<HubRole>("a_", "hub_role")?,
        avatar: row.try_get("a_", "avatar")?,
    })
}

/// A post without its endorsements, and how many it has.
pub(super) fn post(row: &QueryResult) -> Result<(PostView, i32)> {
    let deleted = row.try_get::<Option<i64>>("", "deleted_at")?.is_some();
    let hidden = row.try_get::<Option<i64>>("", "hidden_at")?.is_some();
    let purged = row.try_get::<Option<i64>>("", "purged_at")?.is_some();
    let shown = !deleted && !hidden && !purged;
    let created: i64 = row.try_get("", "created_at")?;
    let edited: Option<i64> = row.try_get("", "edited_at")?;
    let (url, by): (Option<String>, Option<String>) =
        (row.try_get("", "source_url")?, row.try_get("", "source_author")?);
    let score = row.try_get("", "score")?;
    let source = (url.is_some() || by.is_some()).then_some(SourceView { url, author: by, score });
    let reactions: String = row.try_get("", "reactions")?;
    let endorsed: i32 = row.try_get("", "endorsement_count")?;
    let view = PostView {
        id: Id(row.try_get("", "id")?),
        topic_id: Id(row.try_get("", "topic_id")?),
        parent_id: row.try_get::<Option<i64>>("", "parent_id")?.map(Id),
        depth: row.try_get("", "depth")?,
        author: author(row)?,
        body: if shown { row.try_get("", "body")? } else { String::new() },
        body_html: if shown { row.try_get("", "body_html")? } else { String::new() },
        created_at: rfc3339(created),
        edited_at: edited.map(rfc3339),
        deleted,
        hidden,
        reactions: if shown { reactions_of(&reactions) } else { Vec::new() },
        endorsements: Vec::new(),
        is_answer: row.try_get::<Option<i64>>("", "answer_at")?.is_some(),
        answer_by: row.try_get("b_", "handle")?,
        reply_count: row.try_get("", "reply_count")?,
        source: source.filter(|_| shown),
        version: row.try_get("", "version")?,
        created,
        edited,
        tree_pos: row.try_get("", "tree_pos")?,
        purged,
        is_first: row.try_get("", "is_first")?,
        revision_count: row.try_get("", "revision_count")?,
    };
    Ok((view, if shown { endorsed } else { 0 }))
}

/// The reactions cached with a post.
fn reactions_of(json: &str) -> Vec<ReactionView> {
    serde_json::from_str(json).unwrap_or_default()
}

/// A topic without its tags. `r_read_at` must be among the columns; `me` and `now` say what is
/// unread for a member.
pub(super) fn topic(row: &QueryResult, me: Option<i64>, now: i64) -> Result<TopicRow> {
    let author = author(row)?;
    let (created, activity): (i64, i64) = (row.try_get("", "created_at")?, row.try_get("", "activity_at")?);
    let last: Option<i64> = row.try_get("l_", "id")?;
    let last_handle: Option<String> = row.try_get("l_", "handle")?;
    let last_name: Option<String> = row.try_get("l_", "display_name")?;
    let unread = match me {
        None => false,
        Some(me) if last.unwrap_or(author.id) == me => false,
        Some(_) => match row.try_get::<Option<i64>>("r_", "read_at")? {
            Some(read_at) => activity > read_at,
            None => activity > now - NEWS,
        },
    };
    Ok(TopicRow {
        id: Id(row.try_get("", "id")?),
        space: row.try_get("s_", "slug")?,
        space_name: row.try_get("s_", "name")?,
        kind: row.try_get::<TopicKind>("", "kind")?,
        title: shown_title(row.try_get("", "title")?),
        tags: Vec::new(),
        post_count: row.try_get("", "post_count")?,
        answer_count: row.try_get("", "answer_count")?,
        score: row.try_get("", "score")?,
        created_at: rfc3339(created),
        activity_at: rfc3339(activity),
        pinned: row.try_get::<Option<i64>>("", "pinned_at")?.is_some(),
        closed: row.try_get::<Option<i64>>("", "closed_at")?.is_some(),
        created,
        activity,
        rank: row.try_get("", "rank")?,
        space_id: row.try_get("", "space_id")?,
        last_handle: last_handle.unwrap_or_else(|| author.handle.clone()),
        last_name: last_name.unwrap_or_else(|| author.display_name.clone()),
        deleted: row.try_get::<Option<i64>>("", "deleted_at")?.is_some(),
        hidden: row.try_get::<Option<i64>>("", "hidden_at")?.is_some(),
        author,
        unread,
    })
}

/// A purged topic has no title left; its place has a name all the same.
fn shown_title(title: String) -> String {
    if title.is_empty() { crate::web::words::english().t("moderation.purged_title").to_owned() } else { title }
}
