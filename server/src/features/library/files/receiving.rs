//! A form with one file, read in a stream: nothing is kept in memory but a little of both ends.

use actix_multipart::Multipart;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::types::{HEAD, TAIL, limit_of, settle, sniff};
use crate::app::AppState;
use crate::app::secrets::random_token;
use crate::features::people::clean_name;
use crate::ports::blobs::Upload;
use crate::web::csrf;
use crate::web::error::{AppError, Result};
use crate::web::pace::paced;

/// A field beside the file may have this many bytes: 60,000 characters and some.
const MOST_FIELD: usize = 256 << 10;
const MOST_FIELDS: usize = 120;
/// Bytes of a refused file that are read past, to come to what was typed behind it.
const MOST_PASSED: usize = 512 << 20;
/// Keys of the library's bytes begin so.
pub const FOLDER: &str = "library";

/// A file that has come in; its bytes lie under a key of their own and belong to nobody yet.
#[derive(Clone, Debug)]
pub struct Received {
    pub name: String,
    pub key: String,
    pub size: i64,
    /// 64 hexadecimal digits.
    pub sha256: String,
    pub media_type: &'static str,
}

/// The fields of a form and its file.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub fields: Vec<(String, String)>,
    pub file: Option<Received>,
}

impl Form {
    /// A field's text; `None` if absent.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a form whose field `file` holds a file. `room`: bytes its sender may still keep. If this
/// fails nothing is left behind.
pub async fn read(req: &HttpRequest, payload: web::Payload, state: &AppState, room: i64) -> Result<Form> {
    read_with(req, payload, state, room, None).await
}

/// The same for a page: the CSRF field must come, and before the file. What is wrong with the file
/// alone comes beside the form, so that nothing that was typed is lost with it.
pub async fn read_page(
    req: &HttpRequest,
    payload: web::Payload,
    state: &AppState,
    room: i64,
) -> Result<(Form, Option<AppError>)> {
    let mut refused = None;
    let form = read_with(req, payload, state, room, Some(&mut refused)).await?;
    Ok((form, refused))
}

async fn read_with(
    req: &HttpRequest,
    payload: web::Payload,
    state: &AppState,
    room: i64,
    page: Option<&mut Option<AppError>>,
) -> Result<Form> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(AppError::UnsupportedType("Send multipart/form-data with `file`, or JSON.".into()));
    }
    let mut form = Form::default();
    let mut parts = Multipart::new(req.headers(), paced(payload));
    let done = read_parts(req, &mut parts, state, room, page, &mut form).await;
    if let Err(error) = done {
        if let Some(file) = &form.file {
            super::release(state, file).await;
        }
        return Err(error);
    }
    Ok(form)
}

async fn read_parts(
    req: &HttpRequest,
    parts: &mut Multipart,
    state: &AppState,
    room: i64,
    mut page: Option<&mut Option<AppError>>,
    form: &mut Form,
) -> Result<()> {
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(broken)?;
        let name = part.name().unwrap_or_default().to_owned();
        if name == "file" {
            if page.is_some() {
                csrf::require(req, form.field(csrf::FIELD)).await?;
            }
            let said = part.content_disposition().and_then(|said| said.get_filename()).unwrap_or_default().to_owned();
            if form.file.is_some() {
                return Err(AppError::BadRequest("The form has more than one file.".into()));
            }
            // Asked again after its end, a part panics.
            let mut pieces = part.map(|chunk| chunk.map_err(broken)).fuse();
            match (receive(state, &said, room, &mut pieces).await, page.as_deref_mut()) {
                (Ok(file), _) => form.file = file,
                (Err(error), Some(refused)) if refused.is_none() && error.status().is_client_error() => {
                    pass(&mut pieces).await?;
                    *refused = Some(error);
                }
                (Err(error), _) => return Err(error),
            }
            continue;
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(broken)?;
            if bytes.len() + chunk.len() > MOST_FIELD {
                return Err(AppError::TooLarge("A field of the form is too long.".into()));
            }
            bytes.extend_from_slice(&chunk);
        }
        if form.fields.len() >= MOST_FIELDS {
            return Err(AppError::BadRequest("The form has too many fields.".into()));
        }
        form.fields.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    if page.is_some() { csrf::require(req, form.field(csrf::FIELD)).await } else { Ok(()) }
}

/// Reads past the rest of a file: a browser sends all of it before it reads an answer.
async fn pass(pieces: &mut (impl Stream<Item = Result<Bytes>> + Unpin)) -> Result<()> {
    let mut passed = 0;
    while let Some(chunk) = pieces.next().await {
        passed += chunk?.len();
        if passed > MOST_PASSED {
            return Err(AppError::TooLarge("The file is far too large.".into()));
        }
    }
    Ok(())
}

/// One file into the store, piece by piece; `None` for the empty one without a name that a browser
/// sends where none was chosen. `room`: bytes that may come.
pub async fn receive(
    state: &AppState,
    said: &str,
    room: i64,
    mut pieces: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Option<Received>> {
    let mut ends = Ends::default();
    let mut sink = Sink::new(state);
    let taken = async {
        while let Some(chunk) = pieces.next().await {
            let chunk = chunk?;
            ends.see(&chunk);
            if let Some(media_type) = ends.kind(said, false)? {
                too_large(media_type, ends.size, room)?;
            }
            sink.write(chunk).await?;
        }
        if ends.size == 0 {
            return Ok(None);
        }
        let media_type = ends.kind(said, true)?.unwrap_or("application/octet-stream");
        let media_type = settle(media_type, &ends.head, &ends.tail);
        too_large(media_type, ends.size, room)?;
        Ok(Some(media_type))
    }
    .await;
    match taken {
        Ok(Some(media_type)) => {
            let (key, sha256) = sink.finish().await?;
            let size = i64::try_from(ends.size).unwrap_or(i64::MAX);
            Ok(Some(Received { name: clean_name(said), key, size, sha256, media_type }))
        }
        Ok(None) if said.is_empty() => {
            sink.abandon().await;
            Ok(None)
        }
        Ok(None) => {
            sink.abandon().await;
            Err(AppError::field("file", "is empty"))
        }
        Err(error) => {
            sink.abandon().await;
            Err(error)
        }
    }
}

fn too_large(media_type: &str, size: usize, room: i64) -> Result<()> {
    let limit = limit_of(media_type);
    if size > limit {
        return Err(AppError::TooLarge(format!("A file of this type may have {} MB at most.", limit >> 20).into()));
    }
    if i64::try_from(size).unwrap_or(i64::MAX) > room {
        return Err(AppError::TooLarge("This is more than what is left of the space for your files.".into()));
    }
    Ok(())
}

/// The two ends of a file while it goes by.
#[derive(Debug, Default)]
struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
    size: usize,
    kind: Option<&'static str>,
}

impl Ends {
    fn see(&mut self, chunk: &[u8]) {
        self.size += chunk.len();
        if self.head.len() < HEAD {
            let some = chunk.len().min(HEAD - self.head.len());
            self.head.extend_from_slice(chunk.get(..some).unwrap_or_default());
        }
        self.tail.extend_from_slice(chunk.get(chunk.len().saturating_sub(TAIL)..).unwrap_or_default());
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
    }

    /// The type, once enough was seen to tell.
    fn kind(&mut self, name: &str, ended: bool) -> Result<Option<&'static str>> {
        if self.kind.is_none() && (ended || self.head.len() >= HEAD) {
            self.kind = Some(sniff(name, &self.head)?);
        }
        Ok(self.kind)
    }
}

fn broken<E>(_error: E) -> AppError {
    AppError::BadRequest("The form cannot be read: it is not multipart/form-data, or it broke off.".into())
}

/// Bytes on their way into the store.
struct Sink {
    upload: Upload,
    key: String,
}

impl Sink {
    fn new(state: &AppState) -> Self {
        let key = format!("{FOLDER}/{}", random_token());
        Self { upload: state.blobs.upload(&key), key }
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.upload.write(chunk).await
    }

    /// The key and the SHA-256.
    async fn finish(self) -> Result<(String, String)> {
        let stored = self.upload.finish().await?;
        Ok((self.key, hex_of(&stored.sha256)?))
    }

    async fn abandon(self) {
        if let Err(error) = self.upload.give_up().await {
            tracing::warn!(%error, "an upload that was refused left parts behind");
        }
    }
}

/// Hexadecimal digits of a hash that the store writes in base 64.
fn hex_of(sha256: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(sha256).map_err(|_| AppError::internal("a hash is none"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
