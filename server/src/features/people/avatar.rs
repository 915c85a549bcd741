//! `GET /people/{handle}/avatar`: the member's picture, else one made of their initials.
//!
//! Members see everybody's. A visitor sees the pictures of those who wrote something that visitors
//! read; for any other handle, whether or not it is somebody's, they get one and the same picture.

use std::fmt::Write as _;

use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{avatar_actions, images, queries};
use crate::app::AppState;
use crate::entities::member;
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Viewer;

/// Grounds for white letters, each with a contrast of more than 5 to 1.
const GROUNDS: [&str; 8] = ["#0b5cad", "#5b3a8c", "#0a6b47", "#7a4d00", "#a3201a", "#6b3fa0", "#006a72", "#4d5b69"];

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const A_WHILE: &str = "public, max-age=600";
/// For members alone: the same address has another picture for visitors.
const OWN_FOR_EVER: &str = "private, max-age=31536000, immutable";
const OWN_A_WHILE: &str = "private, max-age=600";
/// Somebody whom a visitor does not know.
const NEUTRAL: &str = "#4d5b69";

#[derive(Debug, Default, Deserialize)]
pub struct VersionQuery {
    v: Option<String>,
}

pub async fn serve(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<VersionQuery>,
) -> Result<HttpResponse> {
    let handle = path.to_ascii_lowercase();
    if !is_handle(&handle) {
        return Err(AppError::NotFound);
    }
    let row = queries::find_by_handle(state.store.read(), &handle).await?;
    let known = match &row {
        Some(row) => wrote_openly(&state, row.id).await?,
        None => false,
    };
    let row = match row {
        Some(row) if known || viewer.member().is_some() => row,
        _ if viewer.member().is_some() => return Err(AppError::NotFound),
        _ => return Ok(neutral(&req)),
    };
    let (for_ever, a_while) = if known { (FOR_EVER, A_WHILE) } else { (OWN_FOR_EVER, OWN_A_WHILE) };
    let Some(version) = &row.avatar else { return Ok(drawn(&req, &row, a_while)) };
    let cache = if query.v.as_deref() == Some(version) { for_ever } else { a_while };
    let etag = format!("\"{version}\"");
    if is_known(&req, &etag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((ETAG, etag))
            .insert_header(("Cache-Control", cache))
            .finish());
    }
    match state.blobs.get(&avatar_actions::key(version)).await {
        Ok(bytes) => Ok(HttpResponse::Ok()
            .content_type(images::media_type_of(&bytes))
            .insert_header(("Cache-Control", cache))
            .insert_header((ETAG, etag))
            .body(bytes)),
        // The folder of uploads may have been lost: a face is missing, the page is not.
        Err(AppError::NotFound) => Ok(drawn(&req, &row, a_while)),
        Err(error) => Err(error),
    }
}

/// `[a-z0-9][a-z0-9_-]{1,29}`
fn is_handle(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (2..=30).contains(&text.len())
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|byte| plain(byte) || matches!(byte, b'_' | b'-'))
}

/// Whether a member's name stands beside a text that visitors read.
async fn wrote_openly(state: &AppState, member: i64) -> Result<bool> {
    let open = state.spaces.readable(state, &Viewer::Anonymous).await?;
    if open.is_empty() {
        return Ok(false);
    }
    let found = Sql::new("SELECT 1 AS one FROM post p JOIN topic t ON t.id = p.topic_id WHERE p.author_id = ")
        .bind(member)
        .then(" AND p.deleted_at IS NULL AND p.hidden_at IS NULL AND p.purged_at IS NULL")
        .then(" AND t.deleted_at IS NULL AND t.hidden_at IS NULL AND t.space_id IN ")
        .list(open)
        .then(" LIMIT 1")
        .one(state.store.read())
        .await?;
    Ok(found.is_some())
}

fn neutral(req: &HttpRequest) -> HttpResponse {
    shown(req, "?", NEUTRAL, "private, max-age=60")
}

fn is_known(req: &HttpRequest, etag: &str) -> bool {
    req.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(etag))
}

fn drawn(req: &HttpRequest, row: &member::Model, cache: &'static str) -> HttpResponse {
    shown(req, &initials(&row.display_name), ground(&row.handle), cache)
}

fn shown(req: &HttpRequest, initials: &str, ground: &str, cache: &'static str) -> HttpResponse {
    let letters: String = initials.chars().map(|letter| format!("{:x}", u32::from(letter))).collect();
    let etag = format!("\"{}-{letters}\"", ground.trim_start_matches('#'));
    if is_known(req, &etag) {
        return HttpResponse::NotModified()
            .insert_header((ETAG, etag))
            .insert_header(("Cache-Control", cache))
            .finish();
    }
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("Cache-Control", cache))
        .insert_header((ETAG, etag))
        .body(svg(initials, ground))
}

fn svg(initials: &str, ground: &str) -> String {
    let mut letters = String::new();
    for letter in initials.chars() {
        // As numbers, so that no letter is markup.
        let _infallible = write!(letters, "&#{};", u32::from(letter));
    }
    let size = if initials.chars().count() > 1 { 38 } else { 46 };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"96\" height=\"96\" viewBox=\"0 0 96 96\">\
         <rect width=\"96\" height=\"96\" fill=\"{ground}\"/>\
         <text x=\"48\" y=\"48\" dy=\"0.35em\" text-anchor=\"middle\" fill=\"#ffffff\" font-size=\"{size}\" \
         font-weight=\"600\" font-family=\"system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif\">{letters}</text></svg>"
    )
}

/// The first letters of the first and the last word of a name; titles do not count.
fn initials(name: &str) -> String {
    const TITLES: [&str; 8] = ["dr", "prof", "professor", "mr", "mrs", "ms", "mx", "sir"];
    let words: Vec<&str> = name
        .split_whitespace()
        .filter(|word| !TITLES.contains(&word.trim_end_matches('.').to_lowercase().as_str()))
        .collect();
    let letter = |word: &&str| word.chars().find(|c| c.is_alphanumeric()).and_then(|c| c.to_uppercase().next());
    let first = words.first().and_then(letter);
    let last = if words.len() > 1 { words.last().and_then(letter) } else { None };
    let initials: String = first.into_iter().chain(last).collect();
    if initials.is_empty() { "?".to_owned() } else { initials }
}

/// The same handle has the same ground, always.
fn ground(handle: &str) -> &'static str {
    let sum = handle.bytes().fold(7usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    GROUNDS.get(sum % GROUNDS.len()).copied().unwrap_or("#0b5cad")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_of_names() {
        for (name, letters) in [
            ("Dr Amara Linwood", "AL"),
            ("ada", "A"),
            ("Prof. Jean-Luc de la Croix", "JC"),
            ("(Zoë)", "Z"),
            ("李 小龙", "李小"),
            ("…", "?"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn grounds_carry_white_letters() {
        for ground in GROUNDS {
            let channel = |at: usize| {
                let value = f64::from(u8::from_str_radix(&ground[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
            assert!(1.05 / (luminance + 0.05) > 5.0, "{ground}");
        }
    }
}
