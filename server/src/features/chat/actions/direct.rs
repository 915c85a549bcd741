//! Direct conversations: one for each set of people.

use actix_web::HttpResponse;

use crate::app::AppState;
use crate::entities::kinds::{MemberState, RoomKind};
use crate::features::chat::model::GROUP;
use crate::features::chat::queries::{room_in, view_in};
use crate::store::{After, Id, Sql, Tx, insert_rows};
use crate::web::error::{AppError, Result};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// The conversation of a member with these people, made if there is none: its id, and whether it
/// is new.
pub async fn open_direct(state: &AppState, me: &Me, handles: &[String]) -> Result<(i64, bool)> {
    let (member, handles) = (me.id, clean(me, handles)?);
    state.store.write(async move |tx| open(tx, member, &handles).await).await
}

/// The same for a request that may come again.
pub async fn open_direct_once(
    state: &AppState,
    me: &Me,
    handles: &[String],
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (member, handles, epoch) = (me.id, clean(me, handles)?, state.epoch.clone());
    write_once(state, member, once, async move |tx| {
        let (id, new) = open(tx, member, &handles).await?;
        let view = view_in(tx.conn(), &epoch, &room_in(tx.conn(), member, id).await?).await?;
        let mut answer = Answer::created(format!("/api/v1/rooms/{}", Id(id)), &view, None)?;
        answer.status = if new { 201 } else { 200 };
        Ok(answer)
    })
    .await
}

fn clean(me: &Me, handles: &[String]) -> Result<Vec<String>> {
    let mut clean: Vec<String> = handles.iter().map(|handle| handle.trim().to_lowercase()).collect();
    clean.retain(|handle| *handle != me.handle);
    clean.sort();
    clean.dedup();
    if clean.is_empty() || clean.len() >= GROUP {
        return Err(AppError::field("handles", format!("names 1 to {} others", GROUP - 1)));
    }
    if clean.iter().any(|handle| handle.len() > 64 || handle.contains('\0')) {
        return Err(AppError::field("handles", "names members of this hub"));
    }
    Ok(clean)
}

async fn open(tx: &mut Tx, member: i64, handles: &[String]) -> Result<(i64, bool)> {
    let rows =
        Sql::new("SELECT id, state FROM member WHERE handle IN ").list(handles.iter().cloned()).all(tx.conn()).await?;
    let mut people = vec![member];
    let mut all_active = true;
    for row in &rows {
        all_active &= row.try_get::<MemberState>("", "state")? == MemberState::Active;
        people.push(row.try_get("", "id")?);
    }
    if rows.len() != handles.len() {
        return Err(AppError::field("handles", "names members of this hub"));
    }
    people.sort_unstable();
    let key = people.iter().map(i64::to_string).collect::<Vec<_>>().join("-");
    if let Some(known) = find(tx, &key).await? {
        return Ok((known, false));
    }
    if !all_active {
        return Err(AppError::field("handles", "names members of this hub"));
    }
    if blocked(tx, member, &people).await? {
        return Err(AppError::Forbidden("You cannot write to each other.".into()));
    }
    let (id, now) = (tx.id(), tx.now());
    let made = Sql::new(
        "INSERT INTO room (id, kind, name, purpose, direct_key, message_count, created_by, created_at, version) VALUES ",
    )
    .rows([[
        id.into(),
        RoomKind::Direct.as_str().into(),
        "".into(),
        "".into(),
        key.clone().into(),
        0i64.into(),
        member.into(),
        now.into(),
        1i32.into(),
    ]])
    .then(" ON CONFLICT DO NOTHING")
    .run(tx.conn())
    .await?;
    if made.rows_affected() == 0 {
        // Another of them was quicker.
        return Ok((find(tx, &key).await?.ok_or_else(|| AppError::internal("a conversation vanished"))?, false));
    }
    let insert = "INSERT INTO room_member (member_id, room_id, read_seq, read_count, mention_count, muted, favourite, \
         joined_at) VALUES ";
    let rows = people.iter().map(|person| {
        let (zero, no) = (0i64, false);
        [(*person).into(), id.into(), zero.into(), zero.into(), 0i32.into(), no.into(), no.into(), now.into()]
    });
    insert_rows(tx.conn(), insert, rows.collect()).await?;
    people.into_iter().for_each(|person| tx.after(After::Follows(person)));
    Ok((id, true))
}

async fn find(tx: &Tx, key: &str) -> Result<Option<i64>> {
    let row = Sql::new("SELECT id FROM room WHERE direct_key = ").bind(key).one(tx.conn()).await?;
    row.map_or(Ok(None), |row| Ok(Some(row.try_get("", "id")?)))
}

/// Whether one of these has blocked the member, or the member one of them.
async fn blocked(tx: &Tx, member: i64, people: &[i64]) -> Result<bool> {
    let row = Sql::new("SELECT 1 AS one FROM member_block WHERE (member_id = ")
        .bind(member)
        .then(" AND blocked_id IN ")
        .list(people.iter().copied())
        .then(") OR (blocked_id = ")
        .bind(member)
        .then(" AND member_id IN ")
        .list(people.iter().copied())
        .then(") LIMIT 1")
        .one(tx.conn())
        .await?;
    Ok(row.is_some())
}
