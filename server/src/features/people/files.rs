//! What an uploaded file is, by its content, and who may read it.

use std::fmt::Write as _;

use bytes::Bytes;
use sea_orm::EntityTrait as _;

use super::{ShownIn, images};
use crate::app::AppState;
use crate::entities::{file, post, topic};
use crate::features::spaces::Access;
use crate::text;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Viewer;

/// Where files are served; texts link to it.
pub const PREFIX: &str = "/api/v1/files/";

/// A file as it is stored.
#[derive(Clone, Debug)]
pub struct Kept {
    pub bytes: Bytes,
    pub media_type: &'static str,
    pub name: String,
    pub width: Option<i32>,
    pub height: Option<i32>,
}

/// Whether a stored type is shown in place. Only what was encoded here is.
#[must_use]
pub fn is_image(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg")
}

/// Makes of an upload what is stored: 415 for a type that is not taken, 422 for an image that
/// cannot be read. Pure and slow: for `web::block`.
pub fn prepare(name: &str, bytes: &Bytes) -> Result<Kept> {
    let name = clean_name(name);
    if images::format_of(bytes).is_some() {
        let image = images::reencode(bytes)?;
        let ending = if image.media_type == "image/png" { "png" } else { "jpg" };
        let side = |pixels: u32| i32::try_from(pixels).ok();
        return Ok(Kept {
            name: with_ending(&name, ending),
            bytes: image.bytes,
            media_type: image.media_type,
            width: side(image.width),
            height: side(image.height),
        });
    }
    let media_type = document_type(&name, bytes).ok_or_else(|| {
        AppError::UnsupportedType("Send an image, a PDF, a ZIP or office document, or plain text.".into())
    })?;
    Ok(Kept { bytes: bytes.clone(), media_type, name, width: None, height: None })
}

/// The same for a picture that an import brings. One that has no metadata and can be read stays as
/// it is: encoding a JPEG again would make it worse each time it is exported and brought back.
pub fn prepare_imported(name: &str, bytes: &Bytes) -> Result<Kept> {
    let mut kept = prepare(name, bytes)?;
    let bare = match kept.media_type {
        "image/jpeg" => images::is_bare_jpeg(bytes),
        _ => false,
    };
    if bare {
        kept.bytes = bytes.clone();
    }
    Ok(kept)
}

/// The type of a document by its first bytes; the name only tells office documents apart, which
/// are ZIP archives all of them.
fn document_type(name: &str, bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"%PDF-") {
        return Some("application/pdf");
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        return Some(match ending.as_deref() {
            Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Some("pptx") => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Some("odt") => "application/vnd.oasis.opendocument.text",
            Some("ods") => "application/vnd.oasis.opendocument.spreadsheet",
            Some("odp") => "application/vnd.oasis.opendocument.presentation",
            _ => "application/zip",
        });
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'));
    plain.then_some("text/plain; charset=utf-8")
}

/// A name without folders, control characters or tricks of direction.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let printable: String = last.chars().filter(|c| !c.is_control()).take(120).collect();
    let clean = text::clean(&printable, 120, true).unwrap_or_default();
    let clean = clean.trim_matches('.').trim();
    if clean.is_empty() { "file".to_owned() } else { clean.to_owned() }
}

fn with_ending(name: &str, ending: &str) -> String {
    let fits = |have: &str| have.eq_ignore_ascii_case(ending) || (ending == "jpg" && have.eq_ignore_ascii_case("jpeg"));
    match name.rsplit_once('.') {
        Some((_, have)) if fits(have) => name.to_owned(),
        Some((stem, _)) if !stem.is_empty() => format!("{stem}.{ending}"),
        _ => format!("{name}.{ending}"),
    }
}

/// `Content-Disposition` with the name for old and new readers (RFC 6266, RFC 8187).
#[must_use]
pub fn disposition(how: &str, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let mut coded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            coded.push(char::from(byte));
        } else {
            let _infallible = write!(coded, "%{byte:02X}");
        }
    }
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

/// A file if the viewer uploaded it or may read the text it was first used in, or a case study that
/// was made of that; else 404.
pub async fn find_readable(state: &AppState, viewer: &Viewer, id: i64) -> Result<file::Model> {
    let row = file::Entity::find_by_id(id).one(state.store.read()).await?.ok_or(AppError::NotFound)?;
    let said = row.post_id.is_some() || row.message_id.is_some();
    match used_first(state, viewer, row).await {
        Err(AppError::NotFound) if said => {
            crate::features::playbooks::shows_taken_file(state, viewer, id).await?;
            file::Entity::find_by_id(id).one(state.store.read()).await?.ok_or(AppError::NotFound)
        }
        other => other,
    }
}

/// A file that the viewer uploaded, or whose first use they may read.
async fn used_first(state: &AppState, viewer: &Viewer, row: file::Model) -> Result<file::Model> {
    let db = state.store.read();
    if viewer.member().is_some_and(|me| me.id == row.owner_id) {
        return Ok(row);
    }
    if let Some(message) = row.message_id {
        let me = viewer.member().ok_or(AppError::NotFound)?;
        crate::features::chat::shows_files(state, me, message).await?;
        return Ok(row);
    }
    if let Some(shown_in) = &row.shown_in {
        let shown_in: ShownIn = shown_in.parse().map_err(|_| AppError::NotFound)?;
        shown_in.read(state, viewer).await?;
        return Ok(row);
    }
    if let Some(resource) = row.resource_id {
        crate::features::library::queries::find(state, viewer, resource).await?;
        return Ok(row);
    }
    if let Some(study) = row.study_id {
        crate::features::playbooks::shows_study_file(state, viewer, study, row.id).await?;
        return Ok(row);
    }
    if let Some(playbook) = row.playbook_id {
        crate::features::playbooks::shows_cover(state, viewer, playbook).await?;
        return Ok(row);
    }
    let post = row.post_id.ok_or(AppError::NotFound)?;
    let post = post::Entity::find_by_id(post).one(db).await?.ok_or(AppError::NotFound)?;
    let topic = topic::Entity::find_by_id(post.topic_id).one(db).await?.ok_or(AppError::NotFound)?;
    let (_, access) = state.spaces.find_by_id(state, viewer, topic.space_id).await?;
    access.read()?;
    if post.deleted_at.is_some() || post.purged_at.is_some() || topic.deleted_at.is_some() {
        return Err(AppError::NotFound);
    }
    // What is hidden is hidden from readers; moderators have to judge it.
    if (post.hidden_at.is_some() || topic.hidden_at.is_some()) && access < Access::Moderate {
        return Err(AppError::NotFound);
    }
    Ok(row)
}

/// The files that a rendered text links to.
#[must_use]
pub fn linked_files(html: &str) -> Vec<i64> {
    let mut ids: Vec<i64> = html
        .split(PREFIX)
        .skip(1)
        .take(100)
        .filter_map(|rest| rest.get(..13)?.parse::<crate::store::Id>().ok())
        .map(|id| id.0)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_harmless() {
        assert_eq!(clean_name("C:\\x\\a\u{202e}gpj.exe"), "agpj.exe");
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("a\r\nb\0.txt"), "ab.txt");
        assert_eq!(clean_name(".."), "file");
        assert_eq!(with_ending("photo.webp", "jpg"), "photo.jpg");
        assert_eq!(with_ending("photo.JPEG", "jpg"), "photo.JPEG");
        assert_eq!(with_ending("photo", "png"), "photo.png");
        let header = disposition("attachment", "a\"é; x.txt");
        assert_eq!(header, "attachment; filename=\"a___ x.txt\"; filename*=UTF-8''a%22%C3%A9%3B%20x.txt");
    }

    #[test]
    fn types_come_from_content() {
        assert_eq!(document_type("x.exe", b"MZ\0\x01"), None);
        assert_eq!(document_type("x.txt", b"%PDF-1.7"), Some("application/pdf"));
        assert_eq!(document_type("x.docx", b"not an archive").map(|kind| kind.starts_with("text/plain")), Some(true));
        assert_eq!(document_type("x.html", b"<script>").map(|kind| kind.starts_with("text/plain")), Some(true));
        assert_eq!(document_type("x.pdf", b"PK\x03\x04"), Some("application/zip"));
    }

    #[test]
    fn links_of_a_text() {
        let id = crate::store::Id(77);
        let html = format!("<img src=\"{PREFIX}{id}\"> <a href=\"{PREFIX}{id}\">x</a> {PREFIX}short {PREFIX}");
        assert_eq!(linked_files(&html), [77]);
    }
}
