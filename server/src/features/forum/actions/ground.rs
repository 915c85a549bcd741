//! What an action stands on: the topic (and post) it is about, locked, with the member's rights,
//! all read in its transaction.

use sea_orm::QueryResult;

use crate::entities::kinds::{HubRole, MemberState, SpaceRole, TopicKind, Visibility};
use crate::features::forum::model::AuthorView;
use crate::features::forum::policy::Standing;
use crate::features::forum::queries::{AUTHOR, author};
use crate::store::Sql;
use crate::store::Tx;
use crate::web::error::{AppError, Result};

const STANDING: &str = "a.state AS a_state, s.visibility AS s_visibility, s.archived_at AS s_archived_at, \
    s.slug AS s_slug, s.name AS s_name, sm.role AS sm_role, ";

const TOPIC: &str = "t.id AS t_id, t.space_id AS t_space_id, t.author_id AS t_author_id, t.kind AS t_kind, \
    t.title AS t_title, t.first_post_id AS t_first_post_id, t.closed_at AS t_closed_at, t.hidden_at AS t_hidden_at, \
    t.pinned_at AS t_pinned_at, t.deleted_at AS t_deleted_at, t.version AS t_version, ";

const POST: &str = "p.id AS p_id, p.parent_id AS p_parent_id, p.author_id AS p_author_id, p.is_first AS p_is_first, \
    p.body AS p_body, p.created_at AS p_created_at, p.answer_at AS p_answer_at, p.hidden_at AS p_hidden_at, \
    p.deleted_at AS p_deleted_at, p.purged_at AS p_purged_at, p.reply_count AS p_reply_count, \
    p.revision_count AS p_revision_count, p.version AS p_version, ";

/// The member who acts and the space it happens in.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub standing: Standing,
    pub author: AuthorView,
    pub space_slug: String,
    pub space_name: String,
}

/// A topic an action is about.
#[derive(Clone, Debug)]
pub(super) struct TopicGround {
    pub actor: Actor,
    pub id: i64,
    pub space_id: i64,
    pub author_id: i64,
    pub kind: TopicKind,
    pub title: String,
    pub first_post_id: i64,
    pub closed: bool,
    pub pinned: bool,
    pub hidden: bool,
    pub deleted: bool,
    pub version: i32,
}

/// A post an action is about, with its topic.
#[derive(Clone, Debug)]
pub(super) struct PostGround {
    pub topic: TopicGround,
    pub id: i64,
    pub parent_id: Option<i64>,
    pub author_id: i64,
    pub is_first: bool,
    pub body: String,
    pub created_at: i64,
    pub accepted: bool,
    pub hidden: bool,
    pub deleted: bool,
    pub purged: bool,
    pub reply_count: i32,
    pub revision_count: i32,
    pub version: i32,
}

impl TopicGround {
    pub fn standing(&self) -> &Standing {
        &self.actor.standing
    }

    /// 404 unless the topic exists for the member.
    fn seen(self) -> Result<Self> {
        self.standing().access().read()?;
        if (self.deleted || self.hidden) && !self.standing().moderates() {
            return Err(AppError::NotFound);
        }
        Ok(self)
    }

    /// 404 for a topic that is deleted, also for those who may see it.
    pub fn living(self) -> Result<Self> {
        if self.deleted { Err(AppError::NotFound) } else { Ok(self) }
    }
}

impl PostGround {
    pub fn standing(&self) -> &Standing {
        self.topic.standing()
    }

    /// 404 for a post whose text is not shown.
    pub fn living(self) -> Result<Self> {
        if self.deleted || self.hidden || self.purged || self.topic.deleted {
            Err(AppError::NotFound)
        } else {
            Ok(self)
        }
    }
}

/// A space somebody acts in.
pub(super) async fn space(tx: &Tx, member: i64, space: i64) -> Result<Actor> {
    let row = Sql::new("SELECT ")
        .then(STANDING)
        .then(AUTHOR)
        .then(" FROM space s JOIN member a ON a.id = ")
        .bind(member)
        .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = a.id WHERE s.id = ")
        .bind(space)
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    actor(&row)
}

/// A topic, locked; 404 if it does not exist for the member.
pub(super) async fn topic(tx: &Tx, member: i64, id: i64) -> Result<TopicGround> {
    let row = Sql::new("SELECT ")
        .then(TOPIC)
        .then(STANDING)
        .then(AUTHOR)
        .then(" FROM topic t JOIN space s ON s.id = t.space_id JOIN member a ON a.id = ")
        .bind(member)
        .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = a.id WHERE t.id = ")
        .bind(id)
        .locking("t", tx.conn())
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    topic_of(&row)?.seen()
}

/// A post with its topic, both locked; 404 if it does not exist for the member.
pub(super) async fn post(tx: &Tx, member: i64, id: i64) -> Result<PostGround> {
    let row = Sql::new("SELECT ")
        .then(POST)
        .then(TOPIC)
        .then(STANDING)
        .then(AUTHOR)
        .then(
            " FROM post p JOIN topic t ON t.id = p.topic_id JOIN space s ON s.id = t.space_id JOIN member a ON a.id = ",
        )
        .bind(member)
        .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = a.id WHERE p.id = ")
        .bind(id)
        .locking("t, p", tx.conn())
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    let at = |name: &str| -> Result<bool> { Ok(row.try_get::<Option<i64>>("p_", name)?.is_some()) };
    let ground = PostGround {
        topic: topic_of(&row)?.seen()?,
        id: row.try_get("p_", "id")?,
        parent_id: row.try_get("p_", "parent_id")?,
        author_id: row.try_get("p_", "author_id")?,
        is_first: row.try_get("p_", "is_first")?,
        body: row.try_get("p_", "body")?,
        created_at: row.try_get("p_", "created_at")?,
        accepted: at("answer_at")?,
        hidden: at("hidden_at")?,
        deleted: at("deleted_at")?,
        purged: at("purged_at")?,
        reply_count: row.try_get("p_", "reply_count")?,
        revision_count: row.try_get("p_", "revision_count")?,
        version: row.try_get("p_", "version")?,
    };
    if ground.deleted && ground.reply_count == 0 && !ground.standing().moderates() {
        return Err(AppError::NotFound);
    }
    Ok(ground)
}

fn actor(row: &QueryResult) -> Result<Actor> {
    let author = author(row)?;
    Ok(Actor {
        standing: Standing {
            member: author.id,
            hub_role: row.try_get::<HubRole>("a_", "hub_role")?,
            state: row.try_get::<MemberState>("a_", "state")?,
            role: row.try_get::<Option<SpaceRole>>("sm_", "role")?,
            visibility: row.try_get::<Visibility>("s_", "visibility")?,
            archived: row.try_get::<Option<i64>>("s_", "archived_at")?.is_some(),
        },
        author,
        space_slug: row.try_get("s_", "slug")?,
        space_name: row.try_get("s_", "name")?,
    })
}

fn topic_of(row: &QueryResult) -> Result<TopicGround> {
    let at = |name: &str| -> Result<bool> { Ok(row.try_get::<Option<i64>>("t_", name)?.is_some()) };
    Ok(TopicGround {
        actor: actor(row)?,
        id: row.try_get("t_", "id")?,
        space_id: row.try_get("t_", "space_id")?,
        author_id: row.try_get("t_", "author_id")?,
        kind: row.try_get::<TopicKind>("t_", "kind")?,
        title: row.try_get("t_", "title")?,
        first_post_id: row.try_get("t_", "first_post_id")?,
        closed: at("closed_at")?,
        pinned: at("pinned_at")?,
        hidden: at("hidden_at")?,
        deleted: at("deleted_at")?,
        version: row.try_get("t_", "version")?,
    })
}
