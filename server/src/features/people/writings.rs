//! What a member wrote that a viewer may read, and the spaces the two share.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef};

use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::entities::{post, space_member, topic};
use crate::features::spaces::Snapshot;
use crate::store::{Id, Sql};
use crate::text::excerpt;
use crate::web::error::Result;
use crate::web::frame::SideSpace;
use crate::web::viewer::{Me, Viewer};

const TOPICS: u64 = 5;
const REPLIES: u64 = 10;
/// Of the newest messages of a member so many are looked at for one in an open room.
const LOOKED_AT: i64 = 1000;
/// Characters shown of a reply.
const EXCERPT: usize = 160;

/// A topic, or a reply in it.
#[derive(Clone, Debug)]
pub struct Row {
    pub kind: TopicKind,
    pub title: String,
    pub url: String,
    pub space_name: String,
    pub space_slug: String,
    pub at: i64,
    pub answer: bool,
    pub replies: i32,
    pub excerpt: String,
}

/// The newest of both, and whether they said something in rooms.
#[derive(Clone, Debug, Default)]
pub struct Writings {
    pub topics: Vec<Row>,
    pub replies: Vec<Row>,
    pub messages: bool,
}

impl Writings {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.replies.is_empty() && !self.messages
    }
}

/// The newest topics and replies of a member in the spaces that the viewer may read; messages in their open rooms.
pub async fn of_member(state: &AppState, viewer: &Viewer, member: i64) -> Result<Writings> {
    let readable = state.spaces.readable(state, viewer).await?;
    let known = state.spaces.snapshot(state).await?;
    let db = state.store.read();
    let topics = topic::Entity::find()
        .filter(topic::Column::AuthorId.eq(member))
        .filter(topic::Column::SpaceId.is_in(readable.iter().copied()))
        .filter(topic::Column::HiddenAt.is_null())
        .filter(topic::Column::DeletedAt.is_null())
        .order_by_desc(topic::Column::CreatedAt)
        .order_by_desc(topic::Column::Id)
        .limit(TOPICS)
        .all(db)
        .await?;
    let replies: Vec<(post::Model, Option<topic::Model>)> = post::Entity::find()
        .join(JoinType::InnerJoin, to_topic())
        .select_also(topic::Entity)
        .filter(post::Column::AuthorId.eq(member))
        .filter(post::Column::IsFirst.eq(false))
        .filter(post::Column::HiddenAt.is_null())
        .filter(post::Column::DeletedAt.is_null())
        .filter(post::Column::PurgedAt.is_null())
        .filter(topic::Column::SpaceId.is_in(readable.iter().copied()))
        .filter(topic::Column::HiddenAt.is_null())
        .filter(topic::Column::DeletedAt.is_null())
        .order_by_desc(post::Column::CreatedAt)
        .order_by_desc(post::Column::Id)
        .limit(REPLIES)
        .all(db)
        .await?;
    let messages =
        Sql::new("SELECT 1 AS said FROM (SELECT room_id FROM message WHERE deleted_at IS NULL AND author_id = ")
            .bind(member)
            .then(" ORDER BY created_at DESC")
            .limit(LOOKED_AT)
            .then(") m JOIN room r ON r.id = m.room_id WHERE r.kind = 'open' AND r.space_id IN ")
            .list(readable)
            .then(" LIMIT 1")
            .one(db)
            .await?
            .is_some();
    Ok(Writings {
        messages,
        topics: topics.iter().filter_map(|of| row(&known, of, None)).collect(),
        replies: replies.iter().filter_map(|(post, of)| row(&known, of.as_ref()?, Some(post))).collect(),
    })
}

fn to_topic() -> RelationDef {
    post::Entity::belongs_to(topic::Entity).from(post::Column::TopicId).to(topic::Column::Id).into()
}

fn row(known: &Snapshot, of: &topic::Model, reply: Option<&post::Model>) -> Option<Row> {
    let space = known.by_id(of.space_id)?;
    let mut url = format!("/s/{}/t/{}", space.slug, Id(of.id));
    if let Some(post) = reply {
        url = format!("{url}#post-{}", Id(post.id));
    }
    Some(Row {
        kind: of.kind,
        title: of.title.clone(),
        url,
        space_name: space.name.clone(),
        space_slug: space.slug.clone(),
        at: reply.map_or(of.created_at, |post| post.created_at),
        answer: reply.map_or(of.answer_count > 0, |post| post.answer_at.is_some()),
        replies: of.post_count,
        excerpt: reply.map(|post| excerpt(&post.body, EXCERPT)).unwrap_or_default(),
    })
}

/// The spaces that both belong to, by name.
pub async fn shared_spaces(state: &AppState, me: &Me, member: i64) -> Result<Vec<SideSpace>> {
    let ids: Vec<i64> = if me.id == member {
        me.spaces.keys().copied().collect()
    } else {
        space_member::Entity::find()
            .select_only()
            .column(space_member::Column::SpaceId)
            .filter(Expr::col(space_member::Column::MemberId).eq(member))
            .filter(space_member::Column::SpaceId.is_in(me.spaces.keys().copied()))
            .into_tuple()
            .all(state.store.read())
            .await?
    };
    let known = state.spaces.snapshot(state).await?;
    // The snapshot is sorted by name.
    Ok(known
        .all()
        .iter()
        .filter(|space| ids.contains(&space.id))
        .map(|space| SideSpace { slug: space.slug.clone(), name: space.name.clone() })
        .collect())
}
