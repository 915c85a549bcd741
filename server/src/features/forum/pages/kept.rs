//! Whole pages for visitors, kept at the heads they were read at.
//!
//! Invariant: the heads are read before the rows, so a page that is kept under them is never
//! newer than they say, and falls with the first event after them.

use std::io::Write as _;
use std::sync::Arc;

use actix_web::http::header::{ACCEPT_ENCODING, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use bytes::Bytes;

use crate::app::AppState;
use crate::app::secrets::hash_bytes;
use crate::features::forum::page_cache::Kept;
use crate::streams::Stream;
use crate::web::error::Result;
use crate::web::frame::{Frame, page};
use crate::web::viewer::Viewer;

/// Longer addresses are not kept: no page of the hub links to one.
const LONGEST: usize = 400;

/// The address a visitor's page is kept under; `None` for members, whose pages are their own.
#[must_use]
pub fn address(req: &HttpRequest, viewer: &Viewer) -> Option<String> {
    if viewer.member().is_some() {
        return None;
    }
    let theme = match req.cookie("theme").as_ref().map(actix_web::cookie::Cookie::value) {
        Some("light") => 'l',
        Some("dark") => 'd',
        _ => '-',
    };
    let path = req.uri().path_and_query().map_or("/", |path| path.as_str());
    (path.len() <= LONGEST).then(|| format!("{theme}{path}"))
}

/// The kept page, if there is one and it is still good.
#[must_use]
pub fn find(state: &AppState, req: &HttpRequest, address: Option<&str>) -> Option<HttpResponse> {
    let page = state.pages.get(state, address?)?;
    Some(respond(req, &page))
}

/// Renders a visitor's page, keeps it and answers with it.
pub fn keep(
    state: &AppState,
    req: &HttpRequest,
    frame: &Frame,
    address: String,
    heads: Vec<(Stream, i64)>,
    template: &impl Template,
) -> Result<HttpResponse> {
    keep_as(state, req, frame, address, Good { heads, changes: None }, template)
}

/// The same for a page that lists what many streams hold; `changes` was read before its rows.
pub async fn keep_list(
    state: &AppState,
    req: &HttpRequest,
    frame: &Frame,
    address: Option<String>,
    changes: u64,
    template: &impl Template,
) -> Result<HttpResponse> {
    let Some(address) = address else { return page(frame, template) };
    let hub = state.heads.current(state.store.read(), Stream::HUB).await?;
    keep_as(state, req, frame, address, Good { heads: vec![(Stream::HUB, hub)], changes: Some(changes) }, template)
}

/// While what a page is good.
struct Good {
    heads: Vec<(Stream, i64)>,
    changes: Option<u64>,
}

fn keep_as(
    state: &AppState,
    req: &HttpRequest,
    frame: &Frame,
    address: String,
    good: Good,
    template: &impl Template,
) -> Result<HttpResponse> {
    let plain = template.render()?;
    let page = Kept {
        heads: good.heads.into(),
        changes: good.changes,
        made_at: frame.now,
        etag: format!("\"{}\"", hash_bytes(plain.as_bytes()).get(..24).unwrap_or_default()).into(),
        brotli: compress(plain.as_bytes())?,
        plain: plain.into(),
    };
    let response = respond(req, &page);
    state.pages.put(address, page);
    Ok(response)
}

fn compress(plain: &[u8]) -> Result<Bytes> {
    let mut packed = Vec::with_capacity(plain.len() / 3);
    {
        let mut writer = brotli::CompressorWriter::new(&mut packed, 4096, 5, 20);
        writer.write_all(plain)?;
        writer.flush()?;
    }
    Ok(packed.into())
}

fn respond(req: &HttpRequest, page: &Kept) -> HttpResponse {
    let etag: Arc<str> = Arc::clone(&page.etag);
    let asked = |name| req.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = asked(IF_NONE_MATCH).split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag.as_ref());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(("ETag", etag.as_ref()));
    response.insert_header(("Cache-Control", "no-cache"));
    response.insert_header(("Vary", "Accept-Encoding, Cookie"));
    if known {
        return response.finish();
    }
    response.content_type("text/html; charset=utf-8");
    if takes_brotli(asked(ACCEPT_ENCODING)) {
        response.insert_header(("Content-Encoding", "br"));
        response.body(page.brotli.clone())
    } else {
        response.body(page.plain.clone())
    }
}

/// Whether `Accept-Encoding` names Brotli and does not refuse it.
fn takes_brotli(header: &str) -> bool {
    header.split(',').map(str::trim).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("br") && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}
