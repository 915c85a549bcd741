//! `multipart/form-data`: one file and the short fields around it, read within limits.

use actix_multipart::Multipart;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::{AppError, Result};
use super::pace::paced;

/// A field beside the file may have this many bytes: a message of 8,000 characters, and some.
const MOST_FIELD: usize = 64 << 10;
const MOST_FIELDS: usize = 20;
/// Kilobytes of files that are in memory at a time, of all forms together: ten of the largest.
const MOST_HELD: usize = 256 << 10;

static ROOM: Semaphore = Semaphore::const_new(MOST_HELD);

/// A file in memory. Its room is free again when its last reader has dropped it.
struct Held {
    bytes: BytesMut,
    room: SemaphorePermit<'static>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Held {
    fn new() -> Result<Self> {
        let room = ROOM.try_acquire_many(0).map_err(|_| AppError::Unavailable(2))?;
        Ok(Self { bytes: BytesMut::new(), room })
    }

    /// Adds a piece, or says 503: whoever waited for room while holding some would wait for others
    /// who do the same.
    fn add(&mut self, piece: &[u8]) -> Result<()> {
        let needed = (self.bytes.len() + piece.len()).div_ceil(1 << 10);
        let more = needed.saturating_sub(self.room.num_permits());
        let more = ROOM.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX));
        self.room.merge(more.map_err(|_| AppError::Unavailable(2))?);
        self.bytes.extend_from_slice(piece);
        Ok(())
    }
}

/// What came with a form that holds a file.
#[derive(Clone, Debug, Default)]
pub struct Upload {
    fields: Vec<(String, String)>,
    /// The file's name as sent, and its bytes. Both are anybody's word.
    pub file: Option<(String, Bytes)>,
}

impl Upload {
    /// The fields, in their order.
    #[must_use]
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// A field's text; `None` if absent.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a form whose field `file_field` holds a file of at most `most` bytes.
pub async fn read(req: &HttpRequest, payload: web::Payload, file_field: &str, most: usize) -> Result<Upload> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(AppError::UnsupportedType("Send multipart/form-data.".into()));
    }
    let mut upload = Upload::default();
    let mut form = Multipart::new(req.headers(), paced(payload));
    while let Some(part) = form.next().await {
        let mut part = part.map_err(broken)?;
        let name = part.name().unwrap_or_default().to_owned();
        let file_name =
            part.content_disposition().and_then(|disposition| disposition.get_filename()).map(str::to_owned);
        let is_file = name == file_field;
        let limit = if is_file { most } else { MOST_FIELD };
        let mut held = Held::new()?;
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(broken)?;
            if held.bytes.len() + chunk.len() > limit {
                let text = if is_file {
                    format!("The file may have {} MB at most.", most >> 20)
                } else {
                    "A field of the form is too long.".to_owned()
                };
                return Err(AppError::TooLarge(text.into()));
            }
            held.add(&chunk)?;
        }
        if is_file {
            // A browser sends an empty part where no file was chosen.
            if upload.file.is_none() && !held.bytes.is_empty() {
                upload.file = Some((file_name.unwrap_or_default(), Bytes::from_owner(held)));
            }
        } else if upload.fields.len() < MOST_FIELDS {
            upload.fields.push((name, String::from_utf8_lossy(&held.bytes).into_owned()));
        } else {
            return Err(AppError::BadRequest("The form has too many fields.".into()));
        }
    }
    Ok(upload)
}

fn broken<E>(_error: E) -> AppError {
    AppError::BadRequest("The form cannot be read: it is not multipart/form-data, or it broke off.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_has_room_and_gives_it_back() {
        let mut held = Held::new().unwrap();
        held.add(&[7; 1000]).unwrap();
        held.add(&[7; 2000]).unwrap();
        assert_eq!(ROOM.available_permits(), MOST_HELD - 3);
        let bytes = Bytes::from_owner(held);
        let reader = bytes.slice(1..2);
        drop(bytes);
        assert_eq!(ROOM.available_permits(), MOST_HELD - 3, "somebody reads it still");
        drop(reader);
        assert_eq!(ROOM.available_permits(), MOST_HELD);

        let others = ROOM.try_acquire_many(u32::try_from(MOST_HELD - 1).unwrap()).unwrap();
        let mut late = Held::new().unwrap();
        late.add(&[7; 1024]).unwrap();
        assert!(matches!(late.add(&[7]), Err(AppError::Unavailable(_))));
        drop((others, late));
        assert_eq!(ROOM.available_permits(), MOST_HELD);
    }
}
