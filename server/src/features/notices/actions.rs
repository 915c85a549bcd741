//! Telling and reading.

use crate::app::AppState;
use crate::entities::kinds::NoticeKind;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Rows of one statement.
const CHUNK: usize = 256;

/// Something that a member should know of.
#[derive(Clone, Debug)]
pub struct NewNotice {
    pub member: i64,
    pub kind: NoticeKind,
    pub actor: i64,
    /// The post, message or resource.
    pub subject: i64,
    /// Of a message.
    pub room: Option<i64>,
    /// Of a post.
    pub topic: Option<i64>,
    /// The resource itself.
    pub resource: Option<i64>,
    /// Of what happens to a case study; the subject is a comment, a line of its log or the study.
    pub study: Option<i64>,
}

/// Tells members, each once of the same thing; returns member and subject of those who had not
/// been told.
pub async fn tell(tx: &mut Tx, notices: &[NewNotice]) -> Result<Vec<(i64, i64)>> {
    let mut told = Vec::new();
    for chunk in notices.chunks(CHUNK) {
        let rows: Vec<[sea_orm::Value; 10]> = chunk
            .iter()
            .map(|of| {
                [
                    tx.id().into(),
                    of.member.into(),
                    of.kind.as_str().into(),
                    of.actor.into(),
                    of.subject.into(),
                    of.room.into(),
                    of.topic.into(),
                    of.resource.into(),
                    of.study.into(),
                    tx.now().into(),
                ]
            })
            .collect();
        let new = Sql::new(
            "INSERT INTO notice (id, member_id, kind, actor_id, subject_id, room_id, topic_id, resource_id, study_id, \
             created_at) VALUES ",
        )
        .rows(rows)
        .then(" ON CONFLICT DO NOTHING RETURNING id, member_id, actor_id, subject_id")
        .all(tx.conn())
        .await?;
        for row in new {
            let (id, member, actor): (i64, i64, i64) =
                (row.try_get("", "id")?, row.try_get("", "member_id")?, row.try_get("", "actor_id")?);
            tx.append(Stream::member(member), NewEvent::new("notice.created", id, Some(actor)));
            told.push((member, row.try_get("", "subject_id")?));
        }
    }
    Ok(told)
}

/// Marks one notice as read.
pub async fn read_one(state: &AppState, me: &Me, notice: i64) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let row = Sql::new("SELECT read_at FROM notice WHERE member_id = ")
                .bind(member)
                .then(" AND id = ")
                .bind(notice)
                .one(tx.conn())
                .await?
                .ok_or(AppError::NotFound)?;
            if row.try_get::<Option<i64>>("", "read_at")?.is_some() {
                return Ok(());
            }
            Sql::new("UPDATE notice SET read_at = ")
                .bind(tx.now())
                .then(" WHERE id = ")
                .bind(notice)
                .run(tx.conn())
                .await?;
            tx.append(Stream::member(member), NewEvent::new("notice.read", notice, Some(member)));
            Ok(())
        })
        .await
}

/// Marks all notices of a member as read.
pub async fn read_all(state: &AppState, me: &Me) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let read = Sql::new("UPDATE notice SET read_at = ")
                .bind(tx.now())
                .then(" WHERE read_at IS NULL AND member_id = ")
                .bind(member)
                .run(tx.conn())
                .await?;
            if read.rows_affected() > 0 {
                tx.append(Stream::member(member), NewEvent::new("notice.read", 0, Some(member)));
            }
            Ok(())
        })
        .await
}

/// Whoever opens a topic has read the notices of what was written there.
pub async fn read_in_topic(tx: &mut Tx, member: i64, topic: i64) -> Result<()> {
    let read = Sql::new("UPDATE notice SET read_at = ")
        .bind(tx.now())
        .then(" WHERE read_at IS NULL AND member_id = ")
        .bind(member)
        .then(" AND topic_id = ")
        .bind(topic)
        .run(tx.conn())
        .await?;
    if read.rows_affected() > 0 {
        tx.append(Stream::member(member), NewEvent::new("notice.read", 0, Some(member)));
    }
    Ok(())
}

/// Whoever opens a resource has read the notices about it. Writes only if there are some.
pub async fn read_of_resource(state: &AppState, me: &Me, resource: i64) -> Result<()> {
    let member = me.id;
    let unread = Sql::new("SELECT 1 AS one FROM notice WHERE read_at IS NULL AND member_id = ")
        .bind(member)
        .then(" AND subject_id = ")
        .bind(resource)
        .then(" LIMIT 1");
    if unread.one(state.store.read()).await?.is_none() {
        return Ok(());
    }
    state
        .store
        .write(async move |tx| {
            let read = Sql::new("UPDATE notice SET read_at = ")
                .bind(tx.now())
                .then(" WHERE read_at IS NULL AND member_id = ")
                .bind(member)
                .then(" AND resource_id = ")
                .bind(resource)
                .run(tx.conn())
                .await?;
            if read.rows_affected() > 0 {
                tx.append(Stream::member(member), NewEvent::new("notice.read", 0, Some(member)));
            }
            Ok(())
        })
        .await
}

/// Whoever opens a case study has read the notices of it.
pub async fn read_of_study(tx: &mut Tx, member: i64, study: i64) -> Result<()> {
    let read = Sql::new("UPDATE notice SET read_at = ")
        .bind(tx.now())
        .then(" WHERE read_at IS NULL AND member_id = ")
        .bind(member)
        .then(" AND study_id = ")
        .bind(study)
        .run(tx.conn())
        .await?;
    if read.rows_affected() > 0 {
        tx.append(Stream::member(member), NewEvent::new("notice.read", 0, Some(member)));
    }
    Ok(())
}

/// Whoever has read a room up to `seq` has read the notices of what was written there: the unread ones
/// of the member are looked at, each with its message, and never the messages of the room.
pub async fn read_in_room(tx: &mut Tx, member: i64, room: i64, seq: i64) -> Result<()> {
    if read_up_to(tx.now(), member, room, seq).run(tx.conn()).await?.rows_affected() > 0 {
        tx.append(Stream::member(member), NewEvent::new("notice.read", 0, Some(member)));
    }
    Ok(())
}

fn read_up_to(now: i64, member: i64, room: i64, seq: i64) -> Sql {
    Sql::new("UPDATE notice SET read_at = ")
        .bind(now)
        .then(" WHERE read_at IS NULL AND member_id = ")
        .bind(member)
        .then(" AND room_id = ")
        .bind(room)
        .then(" AND (SELECT m.seq FROM message m WHERE m.id = notice.subject_id) <= ")
        .bind(seq)
}

#[cfg(test)]
mod tests {
    use super::read_up_to;

    #[tokio::test]
    async fn reading_a_room_looks_at_ones_own_notices_alone() {
        let plan = read_up_to(1, 2, 3, 4).plan().await.unwrap();
        assert!(plan.contains("SEARCH notice USING INDEX ix_notice_member_id_read_at (member_id=?"), "{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("ux_message_room_id_seq"), "{plan}");
    }
}
