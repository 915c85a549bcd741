//! `GET /people/{handle}/avatar`: the member's picture, else one made of their initials.
//!
//! Anybody may see it, as names stand beside texts that anybody may read.

use std::fmt::Write as _;

use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{avatar_actions, images, queries};
use crate::app::AppState;
use crate::entities::member;
use crate::web::error::{AppError, Result};

/// Grounds for white letters, each with a contrast of more than 5 to 1.
const GROUNDS: [&str; 8] = ["#0b5cad", "#5b3a8c", "#0a6b47", "#7a4d00", "#a3201a", "#6b3fa0", "#006a72", "#4d5b69"];

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const A_WHILE: &str = "public, max-age=600";

#[derive(Debug, Default, Deserialize)]
pub struct VersionQuery {
    v: Option<String>,
}

pub async fn serve(
    state: web::Data<AppState>,
    req: HttpRequest,
    path: web::Path<String>,
    query: web::Query<VersionQuery>,
) -> Result<HttpResponse> {
    let row = queries::find_by_handle(state.store.read(), &path).await?.ok_or(AppError::NotFound)?;
    let Some(version) = &row.avatar else { return Ok(drawn(&req, &row)) };
    let cache = if query.v.as_deref() == Some(version) { FOR_EVER } else { A_WHILE };
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
        Err(AppError::NotFound) => Ok(drawn(&req, &row)),
        Err(error) => Err(error),
    }
}

fn is_known(req: &HttpRequest, etag: &str) -> bool {
    req.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(etag))
}

fn drawn(req: &HttpRequest, row: &member::Model) -> HttpResponse {
    let initials = initials(&row.display_name);
    let ground = ground(&row.handle);
    let letters: String = initials.chars().map(|letter| format!("{:x}", u32::from(letter))).collect();
    let etag = format!("\"{}-{letters}\"", ground.trim_start_matches('#'));
    if is_known(req, &etag) {
        return HttpResponse::NotModified()
            .insert_header((ETAG, etag))
            .insert_header(("Cache-Control", A_WHILE))
            .finish();
    }
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("Cache-Control", A_WHILE))
        .insert_header((ETAG, etag))
        .body(svg(&initials, ground))
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
