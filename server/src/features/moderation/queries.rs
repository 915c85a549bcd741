//! Lists for moderators. Each starts from the spaces its viewer moderates.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::model::{ActRow, PersonView, ReportView, ReportedMessage, ReportedPost, ReportedStudy};
use super::policy::tends;
use crate::app::AppState;
use crate::entities::kinds::{HubRole, ReportState};
use crate::entities::{member, moderation_act, post, report, topic};
use crate::features::chat;
use crate::features::playbooks::reported::reported_views;
use crate::features::spaces::{Access, SpaceInfo, policy};
use crate::ports::clock::rfc3339;
use crate::store::Id;
use crate::text;
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, Place};
use crate::web::viewer::{Me, Viewer};

/// Characters of a reported text that the list shows.
const EXCERPT: usize = 400;

/// Whose reports a member sees.
#[derive(Clone, Debug)]
pub struct Sight {
    spaces: Vec<i64>,
    /// Slugs of those they moderate: there they take messages away.
    moderates: HashSet<String>,
    /// Of messages of direct conversations.
    direct: bool,
}

impl Sight {
    /// The spaces whose reports are seen.
    #[must_use]
    pub fn spaces(&self) -> &[i64] {
        &self.spaces
    }

    /// Whether a reported message may be taken away.
    #[must_use]
    pub fn removes(&self, report: &ReportView) -> bool {
        report.space.as_ref().map_or(self.direct, |space| self.moderates.contains(space))
    }

    fn condition(&self) -> Condition {
        let spaces = Condition::any().add(report::Column::SpaceId.is_in(self.spaces.iter().copied()));
        if self.direct { spaces.add(report::Column::SpaceId.is_null()) } else { spaces }
    }
}

/// The spaces whose reports a member sees; 403 if there are none.
pub async fn moderated(state: &AppState, me: &Me) -> Result<Sight> {
    let snapshot = state.spaces.snapshot(state).await?;
    let spaces: Vec<i64> = snapshot
        .all()
        .iter()
        .filter(|space| tends(me.hub_role, policy::of_member(me, space), space.visibility))
        .map(|space| space.id)
        .collect();
    if spaces.is_empty() && me.hub_role < HubRole::Facilitator {
        return Err(AppError::Forbidden("Only moderators can do this.".into()));
    }
    let moderates = snapshot
        .all()
        .iter()
        .filter(|space| policy::of_member(me, space) >= Access::Moderate)
        .map(|space| space.slug.clone())
        .collect();
    Ok(Sight { spaces, moderates, direct: me.hub_role == HubRole::Administrator })
}

/// The reports that are in sight, the newest first.
pub async fn reports(
    state: &AppState,
    sight: &Sight,
    states: &[ReportState],
    after: Option<Place>,
    limit: u64,
) -> Result<Page<ReportView>> {
    let mut find = report::Entity::find()
        .filter(sight.condition())
        .filter(report::Column::State.is_in(states.iter().copied()))
        .order_by_desc(report::Column::CreatedAt)
        .order_by_desc(report::Column::Id)
        .limit(limit + 1);
    if let Some(place) = after {
        find = find.filter(before(report::Column::CreatedAt, report::Column::Id, place));
    }
    let rows = find.all(state.store.read()).await?;
    let rows = Page::cut(rows, limit, |row| Place { key: row.created_at, id: row.id });
    Ok(Page { items: views(state, rows.items).await?, next_cursor: rows.next_cursor })
}

/// Rows of a list before a place, for lists that show the newest first.
fn before(key: impl ColumnTrait, id: impl ColumnTrait, place: Place) -> Condition {
    Condition::any().add(key.lt(place.key)).add(Condition::all().add(key.eq(place.key)).add(id.lt(place.id)))
}

/// One report, for its reporter and those who moderate its space; for all others there is none.
pub async fn report(state: &AppState, me: &Me, id: i64) -> Result<ReportView> {
    let row = report::Entity::find_by_id(id).one(state.store.read()).await?.ok_or(AppError::NotFound)?;
    let viewer = Viewer::Member(Arc::new(me.clone()));
    let (reads, tends) = match row.space_id {
        Some(space) => {
            let (space, access) = state.spaces.find_by_id(state, &viewer, space).await?;
            (access >= Access::Read, tends(me.hub_role, access, space.visibility))
        }
        None => (true, me.hub_role == HubRole::Administrator),
    };
    let reporter = reads && row.reporter_id == me.id;
    if !tends && !reporter {
        return Err(AppError::NotFound);
    }
    let mut view = views(state, vec![row]).await?.pop().ok_or(AppError::NotFound)?;
    if !tends {
        // The text may be hidden from its reporter by now, and who settled it is not their matter.
        if let Some(post) = &mut view.post {
            post.excerpt = String::new();
            post.topic_title = String::new();
        }
        if let Some(message) = &mut view.message {
            message.excerpt = String::new();
        }
        if let Some(study) = view.case_study.as_mut().filter(|study| study.hidden) {
            study.excerpt = String::new();
        }
        view.handled_by = None;
    }
    Ok(view)
}

/// A post that a viewer can open, where it is, and how far they get there.
#[derive(Clone, Debug)]
pub struct Seen {
    pub post: post::Model,
    pub topic: topic::Model,
    pub space: Arc<SpaceInfo>,
    pub access: Access,
    pub author: PersonView,
}

/// A post for a page about it; 404 if it does not exist for the viewer.
pub async fn seen_post(state: &AppState, viewer: &Viewer, id: i64) -> Result<Seen> {
    let db = state.store.read();
    let post = post::Entity::find_by_id(id).one(db).await?.ok_or(AppError::NotFound)?;
    let topic = topic::Entity::find_by_id(post.topic_id).one(db).await?.ok_or(AppError::NotFound)?;
    let (space, access) = state.spaces.find_by_id(state, viewer, topic.space_id).await?;
    access.read()?;
    let gone = topic.hidden_at.or(topic.deleted_at).or(post.hidden_at).or(post.deleted_at).or(post.purged_at);
    if gone.is_some() && access < Access::Moderate {
        return Err(AppError::NotFound);
    }
    let author = people(state, vec![post.author_id]).await?.remove(&post.author_id).unwrap_or_default();
    Ok(Seen { post, topic, space, access, author })
}

/// How many open reports are in sight.
pub async fn open_count(state: &AppState, sight: &Sight) -> Result<i64> {
    let count: Option<i64> = report::Entity::find()
        .select_only()
        .column_as(report::Column::Id.count(), "count")
        .filter(sight.condition())
        .filter(report::Column::State.eq(ReportState::Open))
        .into_tuple()
        .one(state.store.read())
        .await?;
    Ok(count.unwrap_or(0))
}

async fn views(state: &AppState, rows: Vec<report::Model>) -> Result<Vec<ReportView>> {
    let db = state.store.read();
    let snapshot = state.spaces.snapshot(state).await?;
    let wanted: Vec<i64> = rows.iter().filter_map(|row| row.post_id).collect();
    let posts = post::Entity::find().filter(post::Column::Id.is_in(wanted)).all(db).await?;
    let posts: HashMap<i64, post::Model> = posts.into_iter().map(|row| (row.id, row)).collect();
    let topics: Vec<(i64, String)> = topic::Entity::find()
        .select_only()
        .columns([topic::Column::Id, topic::Column::Title])
        .filter(topic::Column::Id.is_in(posts.values().map(|post| post.topic_id)))
        .into_tuple()
        .all(db)
        .await?;
    let topics: HashMap<i64, String> = topics.into_iter().collect();
    let wanted: Vec<i64> = rows.iter().filter_map(|row| row.message_id).collect();
    let messages = chat::reported_views(state, &wanted, EXCERPT).await?;
    let wanted: Vec<i64> = rows.iter().filter_map(|row| row.study_id).collect();
    let studies = reported_views(state, &wanted, EXCERPT).await?;
    let mut ids: Vec<i64> = posts.values().map(|post| post.author_id).collect();
    ids.extend(messages.values().map(|message| message.author_id));
    ids.extend(rows.iter().flat_map(|row| [Some(row.reporter_id), row.handled_by]).flatten());
    let people = people(state, ids).await?;
    let person = |id: i64| people.get(&id).cloned().unwrap_or_default();
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let space = row.space_id.map(|id| snapshot.by_id(id)).map_or(Some(None), |space| space.map(Some))?;
            let post = row.post_id.map(|id| posts.get(&id)).map_or(Some(None), |post| post.map(Some))?;
            let message = row.message_id.and_then(|id| Some((id, messages.get(&id)?)));
            let study = row.study_id.and_then(|id| studies.get(&id));
            let url = match (post, message, study) {
                (Some(post), ..) => post_url(space.map_or("", |space| &space.slug), post.topic_id, post.id),
                (_, Some((id, _)), _) => format!("/messages/{}", Id(id)),
                (.., Some(study)) => format!("/case-studies/{}", study.slug),
                _ => return None,
            };
            Some(ReportView {
                id: Id(row.id),
                space: space.map(|space| space.slug.clone()),
                space_name: space.map(|space| space.name.clone()),
                url,
                post: post.map(|post| ReportedPost {
                    id: Id(post.id),
                    topic_id: Id(post.topic_id),
                    topic_title: topics.get(&post.topic_id).cloned().unwrap_or_default(),
                    author: person(post.author_id),
                    excerpt: text::excerpt(&post.body_html, EXCERPT),
                    hidden: post.hidden_at.is_some(),
                    deleted: post.deleted_at.is_some(),
                    purged: post.purged_at.is_some(),
                }),
                message: message.map(|(id, message)| ReportedMessage {
                    id: Id(id),
                    room_name: message.room_name.clone(),
                    direct: message.direct,
                    open: message.open,
                    author: person(message.author_id),
                    excerpt: message.excerpt.clone(),
                    deleted: message.deleted,
                }),
                case_study: study.map(|study| ReportedStudy {
                    slug: study.slug.clone(),
                    title: study.title.clone(),
                    author: PersonView {
                        handle: study.author.handle.clone(),
                        display_name: study.author.display_name.clone(),
                    },
                    excerpt: study.excerpt.clone(),
                    hidden: study.hidden,
                    retired: study.retired,
                }),
                reporter: person(row.reporter_id),
                reason: row.reason,
                note: row.note,
                state: row.state,
                created_at: rfc3339(row.created_at),
                handled_by: row.handled_by.map(person),
                handled_at: row.handled_at.map(rfc3339),
                outcome: row.outcome,
                created: row.created_at,
            })
        })
        .collect())
}

/// The path of a post's page.
#[must_use]
pub fn post_url(space: &str, topic: i64, post: i64) -> String {
    format!("/s/{space}/t/{}#post-{}", Id(topic), Id(post))
}

async fn people(state: &AppState, ids: Vec<i64>) -> Result<HashMap<i64, PersonView>> {
    let rows: Vec<(i64, String, String)> = member::Entity::find()
        .select_only()
        .columns([member::Column::Id, member::Column::Handle, member::Column::DisplayName])
        .filter(member::Column::Id.is_in(ids))
        .into_tuple()
        .all(state.store.read())
        .await?;
    Ok(rows.into_iter().map(|(id, handle, display_name)| (id, PersonView { handle, display_name })).collect())
}

/// The log of a space, or of the whole hub (`None`): the newest first.
pub async fn acts_of(state: &AppState, space: Option<i64>, after: Option<Place>, limit: u64) -> Result<Page<ActRow>> {
    let mut find = moderation_act::Entity::find()
        .order_by_desc(moderation_act::Column::CreatedAt)
        .order_by_desc(moderation_act::Column::Id)
        .limit(limit + 1);
    if let Some(space) = space {
        find = find.filter(moderation_act::Column::SpaceId.eq(space));
    }
    if let Some(place) = after {
        find = find.filter(before(moderation_act::Column::CreatedAt, moderation_act::Column::Id, place));
    }
    let rows = find.all(state.store.read()).await?;
    let rows = Page::cut(rows, limit, |row| Place { key: row.created_at, id: row.id });
    let mut ids: Vec<i64> = rows.items.iter().map(|row| row.actor_id).collect();
    ids.extend(rows.items.iter().filter(|row| row.subject_kind == "member").map(|row| row.subject_id));
    let people = people(state, ids).await?;
    let posts: Vec<(i64, i64)> = post::Entity::find()
        .select_only()
        .columns([post::Column::Id, post::Column::TopicId])
        .filter(
            post::Column::Id
                .is_in(rows.items.iter().filter(|row| row.subject_kind == "post").map(|row| row.subject_id)),
        )
        .into_tuple()
        .all(state.store.read())
        .await?;
    let posts: HashMap<i64, i64> = posts.into_iter().collect();
    let wanted = rows.items.iter().filter(|row| row.subject_kind == "case_study").map(|row| row.subject_id);
    let studies = reported_views(state, &wanted.collect::<Vec<i64>>(), 0).await?;
    let snapshot = state.spaces.snapshot(state).await?;
    Ok(rows.map(|row| {
        let space = row.space_id.and_then(|id| snapshot.by_id(id));
        let slug = space.map(|space| space.slug.as_str());
        let subject = people.get(&row.subject_id).filter(|_| row.subject_kind == "member");
        let url = match (row.subject_kind.as_str(), slug) {
            ("post", Some(slug)) => posts.get(&row.subject_id).map(|topic| post_url(slug, *topic, row.subject_id)),
            ("message", _) => Some(format!("/messages/{}", Id(row.subject_id))),
            ("topic", Some(slug)) => Some(format!("/s/{slug}/t/{}", Id(row.subject_id))),
            ("case_study", _) => studies.get(&row.subject_id).map(|study| format!("/case-studies/{}", study.slug)),
            ("resource", _) => Some(format!("/resources/{}", Id(row.subject_id))),
            ("member", _) => subject.map(|person| format!("/people/{}", person.handle)),
            _ => None,
        };
        ActRow {
            actor: people.get(&row.actor_id).cloned().unwrap_or_default(),
            action: row.action,
            subject: subject.map(|person| person.display_name.clone()).unwrap_or_default(),
            subject_kind: row.subject_kind,
            url,
            space: space.map(|space| space.name.clone()),
            reason: row.reason,
            at: row.created_at,
        }
    }))
}
