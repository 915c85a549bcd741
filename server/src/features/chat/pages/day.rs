//! The archive of a room: everything that was said on one day, UTC, threads too.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use time::macros::format_description;

use super::cards::{Around, Entry, Marks, day_key, entries};
use super::head::RoomHead;
use super::room_of;
use crate::app::AppState;
use crate::features::chat::queries;
use crate::ports::clock::{DAY, parse_rfc3339};
use crate::web::error::{AppError, Result};
use crate::web::frame::{Frame, date, page, see_other};
use crate::web::viewer::{Member, Viewer};

/// Messages of a page; a fuller day goes on on the next.
const PAGE: usize = 200;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct DayQuery {
    day: Option<String>,
    after: Option<i64>,
}

#[derive(Template)]
#[template(path = "chat/templates/day.html")]
struct DayPage<'a> {
    f: &'a Frame,
    head: RoomHead,
    page: String,
    heading: String,
    day: String,
    today: String,
    count: String,
    entries: Vec<Entry>,
    in_thread: bool,
    before: Option<(String, String)>,
    after: Option<(String, String)>,
}

/// The first microsecond of a day such as `2026-11-22`.
fn start_of(day: &str) -> Option<i64> {
    let format = format_description!("[year]-[month]-[day]");
    let valid = day.len() == 10 && time::Date::parse(day, format).is_ok();
    valid.then(|| parse_rfc3339(&format!("{day}T00:00:00Z"))).flatten()
}

/// `GET …/day?day=`: to the page of that day; without one, the newest.
pub async fn choose(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<DayQuery>,
) -> Result<HttpResponse> {
    let room = room_of(&state, &me, &req).await?;
    let path = queries::view_of(&state, &room).await?.path();
    let asked = query.day.as_deref().filter(|day| start_of(day).is_some()).map(str::to_owned);
    let newest = room.ground.last_message_at.unwrap_or_else(|| state.clock.now());
    Ok(see_other(&format!("{path}/day/{}", asked.unwrap_or_else(|| day_key(newest)))))
}

/// `GET …/day/{day}`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<DayQuery>,
) -> Result<HttpResponse> {
    let day = req.match_info().get("day").unwrap_or_default().to_owned();
    let from = start_of(&day).ok_or(AppError::NotFound)?;
    let room = room_of(&state, &me, &req).await?;
    let frame = Frame::new(&state, &req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let head = RoomHead::of(&state, &room, "day").await?;
    let address = head.page.clone();
    let limit = u64::try_from(PAGE).unwrap_or(u64::MAX);
    let mut views = queries::day(&state, room.ground.id, from, from + DAY, query.after.unwrap_or(0), limit).await?;
    let more = views.len() > PAGE;
    views.truncate(PAGE);
    let ids: Vec<i64> = views.iter().map(|view| view.id.0).collect();
    let mine = queries::my_reactions(&state, &me, &ids).await?;
    let around = Around { picks: false, ..Around::new(&me, &room, &address) };
    let mut lines = entries(&frame, &views, &around, &mine, Marks::default());
    lines.retain(|line| matches!(line, Entry::Message(_)));
    let before = queries::last_before(&state, room.ground.id, from).await?;
    let next = match views.last().filter(|_| more) {
        Some(last) => Some((format!("{address}/day/{day}?after={}", last.seq), frame.t("chat.room.newer").to_owned())),
        None => queries::seq_at(&state, room.ground.id, from + DAY)
            .await?
            .map(|(_, at)| (format!("{address}/day/{}", day_key(at)), date(at))),
    };
    let count = i64::try_from(views.len()).unwrap_or(i64::MAX);
    let content = DayPage {
        f: &frame,
        page: address.clone(),
        heading: date(from),
        today: day_key(frame.now),
        count: if views.is_empty() || more { String::new() } else { frame.n("chat.day.count", &count) },
        day,
        entries: lines,
        in_thread: false,
        before: before.map(|at| (format!("{address}/day/{}", day_key(at)), date(at))),
        after: next,
        head,
    };
    page(&frame, &content)
}

#[cfg(test)]
mod tests {
    use super::start_of;

    #[test]
    fn a_day_is_a_date_and_nothing_else() {
        assert_eq!(start_of("1970-01-02"), Some(86_400_000_000));
        for wrong in ["", "2026-13-01", "2026-02-30", "2026-1-1", "22-11-2026", "2026-11-22T", "+2026-11-2"] {
            assert_eq!(start_of(wrong), None, "{wrong}");
        }
    }
}
