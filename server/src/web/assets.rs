//! Stylesheets, modules and icons: embedded, addressed by their hash, kept by browsers for ever.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;

use super::error::{AppError, Result};
use super::words::english;
use crate::app::secrets::hash_bytes;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../assets/", $name)) as &[u8])),+]
    };
}

const FILES: &[(&str, &[u8])] = embedded!(
    "app.css",
    "icons.svg",
    "favicon.svg",
    "app.js",
    "composer.js",
    "live.js",
    "topic.js",
    "words.js",
    "dom.js",
    "complete.js",
    "drafts.js",
    "upload.js",
    "work.css",
    "chat.css",
    "socket.js",
    "side.js",
    "menu.js",
    "room.js",
    "log.js",
    "outbox.js",
    "say.js",
    "revise.js",
    "picker.js",
    "views.js",
    "view.js",
    "reading.js",
    "renew.js",
    "thread.js",
    "choose.js",
    "beside.js",
    "change.js",
    "still.js",
    "refused.js",
    "outgoing.js",
    "presence.js",
    "reactions.js",
    "find.css",
    "find.js",
    "folds.js",
    "library.css",
    "library.js",
    "playbooks.css",
    "study.js",
    "study-edit.js",
    "study-kept.js",
);

#[derive(Debug)]
struct Asset {
    media_type: &'static str,
    plain: Bytes,
    brotli: Bytes,
}

/// All assets, by name and by hashed name.
#[derive(Debug)]
pub struct Assets {
    addresses: HashMap<&'static str, String>,
    by_hashed: HashMap<String, Asset>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let mut assets = Assets { addresses: HashMap::new(), by_hashed: HashMap::new() };
    // Modules import each other by plain name; one version names them all, so that an import
    // leads to the hashed address too.
    let mut all = Vec::new();
    for (_, bytes) in FILES {
        all.extend_from_slice(bytes);
    }
    // The words that scripts show, made of the catalogue.
    let texts = Bytes::from(format!("export default {};\n", english().script()));
    all.extend_from_slice(&texts);
    let hash: String = hash_bytes(&all).chars().filter(char::is_ascii_alphanumeric).take(10).collect();
    let files = FILES.iter().map(|(name, bytes)| (*name, Bytes::from_static(bytes)));
    for (name, bytes) in files.chain([("texts.js", texts)]) {
        let hashed = format!("{hash}/{name}");
        assets.addresses.insert(name, format!("/assets/{hashed}"));
        let media_type = match name.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        let asset = Asset { media_type, brotli: compress(&bytes), plain: bytes };
        assets.by_hashed.insert(hashed, asset);
    }
    assets
});

/// The assets of this build.
#[must_use]
pub fn assets() -> &'static Assets {
    &ASSETS
}

impl Assets {
    /// `/assets/HASH/NAME`
    #[must_use]
    pub fn address<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.addresses.get(name).map(String::as_str)
    }
}

/// Brotli at a level that pays for bytes that are derived once and sent often.
#[must_use]
pub fn compress(bytes: &[u8]) -> Bytes {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 6, 20);
    if writer.write_all(bytes).is_err() {
        return Bytes::new();
    }
    Bytes::from(writer.into_inner())
}

/// Whether a request takes Brotli.
#[must_use]
pub fn takes_brotli(req: &HttpRequest) -> bool {
    req.headers()
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|part| part.trim() == "br" || part.trim().starts_with("br;q=")))
}

/// `GET /assets/{hash}/{name}`
pub async fn serve(req: HttpRequest, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (hash, name) = path.into_inner();
    let asset = ASSETS.by_hashed.get(&format!("{hash}/{name}")).ok_or(AppError::NotFound)?;
    let mut response = HttpResponse::Ok();
    response
        .content_type(asset.media_type)
        .insert_header(("Cache-Control", "public, max-age=31536000, immutable"))
        .insert_header(("Vary", "Accept-Encoding"));
    if takes_brotli(&req) && !asset.brotli.is_empty() {
        response.insert_header((CONTENT_ENCODING, "br"));
        return Ok(response.body(asset.brotli.clone()));
    }
    response.insert_header(ContentEncoding::Identity);
    Ok(response.body(asset.plain.clone()))
}
