//! One case study, whole.

use super::around::around;
use super::facets::terms_of;
use super::parts::parts_of;
use super::which::Which;
use sea_orm::ConnectionTrait;

use crate::app::AppState;
use crate::entities::kinds::{MemberState, PartKey, RoomKind, StudySource};
use crate::features::playbooks::model::{
    Copy, DiscussionView, NameView, RevisionContent, ScenarioRef, SourceView, StudyMarks, StudyRow, StudyView,
};
use crate::features::playbooks::parts::completeness;
use crate::features::playbooks::policy::StudyStanding;
use crate::features::playbooks::rows::{
    BOOK, BOOK_JOINS, STANDING, STUDY, WRITER, address, day, kept, study, study_standing,
};
use crate::features::playbooks::texts::end_of_day;
use crate::features::spaces::Access;
use crate::store::{Id, Sql};
use crate::streams::Stream;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Viewer;

/// A study that its viewer may see, without its texts.
#[derive(Clone, Debug)]
pub struct Seen {
    pub id: i64,
    /// Of the working copy if the viewer may read that.
    pub row: StudyRow,
    pub standing: StudyStanding,
    pub playbook_id: Option<i64>,
    pub space_id: Option<i64>,
    pub checklist: Vec<String>,
    pub version: i32,
    pub revision_count: i32,
    /// The last revision that moderators took from its readers; 0 for none, and for those who read
    /// the working copy.
    pub hidden_upto: i32,
    pub marks: StudyMarks,
    pub owner: Option<NameView>,
    /// The account of its owner is not in use.
    pub owner_gone: bool,
    /// Of the published copy.
    pub live_title: String,
    pub live_summary: String,
    discussion: Option<(i64, i64, i32)>,
    source: Source,
}

#[derive(Clone, Debug)]
struct Source {
    kind: StudySource,
    url: Option<String>,
    /// Topic, its title and its space.
    topic: Option<(i64, String, i64)>,
    /// Slug and name of an open room, its space, and where in it.
    room: Option<(String, String, i64, i64)>,
}

const MORE: &str = ", b.checklist AS b_checklist, o.id AS o_id, o.handle AS o_handle, \
    o.display_name AS o_display_name, o.state AS o_state, t.id AS t_id, t.space_id AS t_space_id, t.post_count AS t_post_count, \
    q.id AS q_id, q.title AS q_title, q.space_id AS q_space_id, r.slug AS r_slug, r.name AS r_name, r.kind AS r_kind, \
    r.space_id AS r_space_id, c.source AS c_source, c.source_url AS c_source_url, c.source_seq AS c_source_seq, \
    c.hidden_upto AS c_hidden_upto, \
    (SELECT count(*) FROM study_follow f WHERE f.study_id = c.id AND f.member_id = a.id) AS m_follows, \
    (SELECT count(*) FROM study_endorsement e WHERE e.study_id = c.id AND e.member_id = a.id) AS m_endorsed, \
    (SELECT count(*) FROM study_adoption d WHERE d.study_id = c.id AND d.member_id = a.id) AS m_adopted";

const MORE_JOINS: &str = " LEFT JOIN study_author sa ON sa.study_id = c.id AND sa.member_id = a.id \
    LEFT JOIN member o ON o.id = c.owner_id \
    LEFT JOIN topic t ON t.id = c.topic_id AND t.deleted_at IS NULL AND t.hidden_at IS NULL \
    LEFT JOIN topic q ON q.id = c.source_topic_id AND q.deleted_at IS NULL AND q.hidden_at IS NULL \
    LEFT JOIN room r ON r.id = c.source_room_id";

/// A study by its address, if it is there for the viewer; one statement.
pub async fn find_study(state: &AppState, viewer: &Viewer, slug: &str) -> Result<Seen> {
    Ok(find_in(state.store.read(), state, viewer, slug, false).await?.0)
}

/// What a view of a study is made of: the streams that move with it. It says nothing of who may
/// see the study, and is read before everything else, so that their heads are never too new.
async fn streams_of(db: &impl ConnectionTrait, slug: &str) -> Result<Vec<Stream>> {
    let row = Sql::new("SELECT id, playbook_id, topic_id, source_topic_id FROM case_study WHERE slug = ")
        .bind(address(slug)?)
        .one(db)
        .await?
        .ok_or(AppError::NotFound)?;
    let mut streams = vec![Stream::HUB, Stream::case_study(row.try_get("", "id")?)];
    streams.extend(row.try_get::<Option<i64>>("", "playbook_id")?.map(Stream::playbook));
    streams.extend(row.try_get::<Option<i64>>("", "topic_id")?.map(Stream::topic));
    streams.extend(row.try_get::<Option<i64>>("", "source_topic_id")?.map(Stream::topic));
    Ok(streams)
}

/// The study, and if it is asked for what its published revision holds, as stored.
async fn find_in(
    db: &impl ConnectionTrait,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    content: bool,
) -> Result<(Seen, Option<String>)> {
    let me = viewer.member().map_or(0, |me| me.id);
    let (column, join) = if content {
        (", v.content AS v_content", " LEFT JOIN study_revision v ON v.study_id = c.id AND v.number = c.published")
    } else {
        ("", "")
    };
    let row = Sql::new("SELECT ")
        .then(STUDY)
        .then(", ")
        .then(BOOK)
        .then(", ")
        .then(STANDING)
        .then(", ")
        .then(WRITER)
        .then(MORE)
        .then(column)
        .then(" FROM case_study c LEFT JOIN playbook b ON b.id = c.playbook_id LEFT JOIN member a ON a.id = ")
        .bind(me)
        .then(BOOK_JOINS)
        .then(MORE_JOINS)
        .then(join)
        .then(" WHERE c.slug = ")
        .bind(address(slug)?)
        .one(db)
        .await?
        .ok_or(AppError::NotFound)?;
    let standing = study_standing(&row)?;
    standing.read()?;
    let count = |name: &str| -> Result<bool> { Ok(row.try_get::<i64>("m_", name)? > 0) };
    let owner: Option<i64> = row.try_get("o_", "id")?;
    let (topic, source_topic): (Option<i64>, Option<i64>) = (row.try_get("t_", "id")?, row.try_get("q_", "id")?);
    let open_room = row.try_get::<Option<RoomKind>>("r_", "kind")? == Some(RoomKind::Open);
    let content = if content { row.try_get::<Option<String>>("v_", "content")? } else { None };
    let seen = Seen {
        id: row.try_get("c_", "id")?,
        row: study(&row, standing.reads_working(), state.clock.now())?,
        standing,
        live_title: row.try_get("c_", "live_title")?,
        live_summary: row.try_get("c_", "live_summary")?,
        playbook_id: row.try_get("c_", "playbook_id")?,
        space_id: row.try_get("b_", "space_id")?,
        checklist: kept(row.try_get::<Option<String>>("b_", "checklist")?.as_deref().unwrap_or_default()),
        version: row.try_get("c_", "version")?,
        revision_count: row.try_get("c_", "revision_count")?,
        hidden_upto: if standing.reads_working() {
            0
        } else {
            row.try_get::<Option<i32>>("c_", "hidden_upto")?.unwrap_or(0)
        },
        marks: StudyMarks { following: count("follows")?, endorsed: count("endorsed")?, adopted: count("adopted")? },
        owner: match owner {
            Some(id) => Some(NameView {
                id,
                handle: row.try_get("o_", "handle")?,
                display_name: row.try_get("o_", "display_name")?,
            }),
            None => None,
        },
        owner_gone: row
            .try_get::<Option<MemberState>>("o_", "state")?
            .is_some_and(|state| state != MemberState::Active),
        discussion: match topic {
            Some(id) => Some((id, row.try_get("t_", "space_id")?, row.try_get("t_", "post_count")?)),
            None => None,
        },
        source: Source {
            kind: row.try_get::<StudySource>("c_", "source")?,
            url: row.try_get("c_", "source_url")?,
            topic: match source_topic {
                Some(id) => Some((id, row.try_get("q_", "title")?, row.try_get("q_", "space_id")?)),
                None => None,
            },
            room: match (open_room, row.try_get::<Option<i64>>("r_", "space_id")?) {
                (true, Some(space)) => Some((
                    row.try_get::<Option<String>>("r_", "slug")?.unwrap_or_default(),
                    row.try_get::<Option<String>>("r_", "name")?.unwrap_or_default(),
                    space,
                    row.try_get::<Option<i64>>("c_", "source_seq")?.unwrap_or(0),
                )),
                _ => None,
            },
        },
    };
    Ok((seen, content))
}

/// A study with its texts and what stands around it: four statements, and one for heads that are not
/// in mind. The head is read before the rows, so that events after it lead from here to the present.
pub async fn study_view(state: &AppState, viewer: &Viewer, slug: &str, which: Which) -> Result<StudyView> {
    study_view_in(state.store.read(), state, viewer, slug, which).await
}

/// The working copy for whoever may write it; 403 for others who see it.
pub async fn study_to_edit(state: &AppState, viewer: &Viewer, slug: &str) -> Result<StudyView> {
    let view = study_view(state, viewer, slug, Which::Working).await?;
    if view.may.edit {
        Ok(view)
    } else {
        Err(AppError::Forbidden("Only authors of this case study can do this.".into()))
    }
}

/// [`study_view`] on a connection, so that an action can answer with what it has written.
pub(in crate::features::playbooks) async fn study_view_in(
    db: &impl ConnectionTrait,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    which: Which,
) -> Result<StudyView> {
    let streams = streams_of(db, slug).await?;
    let heads = state.heads.current_of(db, &streams).await?;
    let (seen, content) = find_in(db, state, viewer, slug, which != Which::Working).await?;
    let inside = seen.standing.reads_working();
    let copy = match which {
        Which::Working => {
            seen.standing.read_working()?;
            Copy::Working
        }
        Which::Best if inside => Copy::Working,
        Which::Published if !seen.standing.reads_published() => Copy::Working,
        Which::Best | Which::Published => Copy::Published,
    };
    let head_of = |of: Stream| heads.iter().find(|(stream, _)| *stream == of).map_or(0, |(_, head)| *head);
    let stream = Stream::case_study(seen.id);
    let head = head_of(stream);
    let reading = seen.playbook_id.map(Stream::playbook).map(|of| (of.to_string(), head_of(of)));
    let mut content = match copy {
        Copy::Published => serde_json::from_str::<RevisionContent>(&content.ok_or(AppError::NotFound)?)?,
        Copy::Working => RevisionContent {
            title: seen.row.title.clone(),
            parts: parts_of(db, seen.id).await?,
            terms: terms_of(db, &[seen.id], false).await?.remove(&seen.id).unwrap_or_default(),
            ..RevisionContent::default()
        },
    };
    let (live, me) = (copy == Copy::Published, viewer.member().map(|me| me.id));
    let around = around(db, seen.id, live, me.is_some(), me).await?;
    let scenarios = scenarios_of(db, state, viewer, seen.id).await?;
    let measures = content.parts.get(&PartKey::Outcomes).map(|part| part.measures.clone()).unwrap_or_default();
    let mut row = seen.row.clone();
    row.title = std::mem::take(&mut content.title);
    if let Some(summary) = content.parts.get(&PartKey::Summary) {
        row.summary.clone_from(&summary.body);
    }
    row.terms = content.terms;
    row.figure = measures.first().cloned();
    row.authors = around.authors.iter().map(NameView::of).collect();
    let (mut owner, mut owner_gone) = (seen.owner.clone(), seen.owner_gone);
    if copy == Copy::Working && seen.standing.published {
        // What the next revision will say of them; readers have what the last one said.
        let said = |key: PartKey| content.parts.get(&key).map(|part| part.body.as_str()).unwrap_or_default();
        if let Some(due) = end_of_day(said(PartKey::ReviewDue)) {
            (row.due, row.review_due) = (Some(due), Some(day(due)));
        }
        (owner, owner_gone) = next_owner(db, owner, owner_gone, said(PartKey::Owner)).await?;
    }
    let has = |key: PartKey| content.parts.get(&key).is_some_and(|part| !part.is_empty());
    Ok(StudyView {
        copy,
        completeness: completeness(has),
        measures,
        credited: around.credited,
        owner,
        owner_gone,
        scenarios,
        source: source(state, viewer, &seen.source).await?,
        discussion: discussion(state, viewer, seen.discussion).await?,
        endorsements: around.endorsements,
        adoptions: around.adoptions,
        may: seen.standing.rights(),
        mine: seen.marks.clone(),
        open_comments: if inside { row.open_comments } else { 0 },
        stream: stream.to_string(),
        head,
        epoch: state.epoch.to_string(),
        version: seen.version,
        authors_full: around.authors,
        checklist: if inside { seen.checklist } else { Vec::new() },
        reviews: viewer.member().is_some() && seen.standing.review().is_ok(),
        restricted: seen.standing.book.is_some_and(|book| book.is_restricted()),
        inside,
        reading,
        heads,
        parts: content.parts,
        row,
    })
}

/// The member who is named by handle, if it is another than who keeps the study now, and whether their
/// account is not in use.
async fn next_owner(
    db: &impl ConnectionTrait,
    now: Option<NameView>,
    gone: bool,
    handle: &str,
) -> Result<(Option<NameView>, bool)> {
    let handle = handle.trim_start_matches('@').to_lowercase();
    if handle.is_empty() {
        return Ok((None, false));
    }
    if now.as_ref().is_some_and(|owner| owner.handle == handle) {
        return Ok((now, gone));
    }
    let found = Sql::new("SELECT id, handle, display_name, state FROM member WHERE handle = ").bind(handle);
    let Some(row) = found.one(db).await? else { return Ok((None, false)) };
    let name = NameView {
        id: row.try_get("", "id")?,
        handle: row.try_get("", "handle")?,
        display_name: row.try_get("", "display_name")?,
    };
    Ok((Some(name), row.try_get::<MemberState>("", "state")? != MemberState::Active))
}

/// The scenarios that a study stands in and the viewer may read, those of its home first.
async fn scenarios_of(
    db: &impl ConnectionTrait,
    state: &AppState,
    viewer: &Viewer,
    study: i64,
) -> Result<Vec<ScenarioRef>> {
    let sql = Sql::new(
        "SELECT n.id, n.title, b.slug FROM scenario_study x JOIN scenario n ON n.id = x.scenario_id \
         JOIN playbook b ON b.id = n.playbook_id WHERE x.study_id = ",
    )
    .bind(study)
    .then(" AND ");
    let rows = super::books::readable(sql, state, viewer)
        .await?
        .then(" ORDER BY b.id, n.position, n.id LIMIT 50")
        .all(db)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ScenarioRef {
                id: Id(row.try_get("", "id")?),
                title: row.try_get("", "title")?,
                playbook: row.try_get("", "slug")?,
            })
        })
        .collect()
}

/// A space that the viewer may read, by id.
async fn readable_space(state: &AppState, viewer: &Viewer, space: i64) -> Result<Option<String>> {
    match state.spaces.find_by_id(state, viewer, space).await {
        Ok((space, access)) if access >= Access::Read => Ok(Some(space.slug.clone())),
        Ok(_) | Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn discussion(
    state: &AppState,
    viewer: &Viewer,
    topic: Option<(i64, i64, i32)>,
) -> Result<Option<DiscussionView>> {
    let Some((id, space, post_count)) = topic else { return Ok(None) };
    let space = readable_space(state, viewer, space).await?;
    Ok(space.map(|space| DiscussionView {
        topic_id: Id(id),
        url: format!("/s/{space}/t/{}", Id(id)),
        space,
        post_count,
    }))
}

async fn source(state: &AppState, viewer: &Viewer, source: &Source) -> Result<Option<SourceView>> {
    let view = |url: Option<String>, title: &str| Some(SourceView { kind: source.kind, url, title: title.to_owned() });
    match source.kind {
        StudySource::Written => Ok(None),
        StudySource::Import => Ok(view(source.url.clone(), "")),
        StudySource::Topic => {
            let Some((id, title, space)) = &source.topic else { return Ok(None) };
            let space = readable_space(state, viewer, *space).await?;
            Ok(space.and_then(|space| view(Some(format!("/s/{space}/t/{}", Id(*id))), title)))
        }
        StudySource::Messages => {
            let Some((slug, name, space, seq)) = &source.room else { return Ok(None) };
            // Rooms are for members alone.
            if viewer.member().is_none() {
                return Ok(None);
            }
            let space = readable_space(state, viewer, *space).await?;
            Ok(space.and_then(|space| view(Some(format!("/s/{space}/chat/{slug}?at={seq}")), name)))
        }
    }
}
