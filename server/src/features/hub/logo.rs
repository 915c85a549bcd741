//! The hub's logo: decoded within limits and encoded anew, so that what is served holds pixels only.

use std::io::Cursor;

use actix_web::{HttpResponse, web};
use bytes::Bytes;
use image::{ImageFormat, ImageReader, Limits};

use crate::app::AppState;
use crate::app::secrets::hash_bytes;
use crate::web::error::{AppError, Result};

/// Bytes of an upload.
pub const MOST: usize = 2 << 20;
/// Longest side of what is served.
const SIDE: u32 = 256;
const LONGEST: u32 = 6000;

/// The address of a logo in the settings begins so; its version follows.
const ADDRESS: &str = "/logo?v=";

/// Encodes and keeps a logo; returns its address for the settings.
pub async fn keep(state: &AppState, upload: Bytes) -> Result<String> {
    let png = web::block(move || encode(&upload)).await??;
    let version: String = hash_bytes(&png).chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    state.blobs.put(&key(&version), png).await?;
    Ok(format!("{ADDRESS}{version}"))
}

/// Forgets the bytes of a logo that is no longer shown.
pub async fn forget(state: &AppState, address: Option<&str>) {
    let Some(version) = address.and_then(|address| address.strip_prefix(ADDRESS)) else { return };
    if let Err(error) = state.blobs.delete(&key(version)).await {
        tracing::warn!(%error, "an old logo was not removed");
    }
}

fn key(version: &str) -> String {
    format!("hub/logo-{version}.png")
}

fn encode(upload: &[u8]) -> Result<Bytes> {
    let format = image::guess_format(upload)
        .ok()
        .filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif))
        .ok_or_else(|| AppError::field("logo", "is a PNG, JPEG, WebP or GIF image"))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST);
    limits.max_image_height = Some(LONGEST);
    limits.max_alloc = Some(128 << 20);
    let mut reader = ImageReader::with_format(Cursor::new(upload), format);
    reader.limits(limits);
    let image = reader.decode().map_err(|_| AppError::field("logo", "cannot be read as an image, or is too large"))?;
    let small = if image.width() > SIDE || image.height() > SIDE { image.thumbnail(SIDE, SIDE) } else { image };
    let mut png = Vec::new();
    image::DynamicImage::ImageRgba8(small.to_rgba8())
        .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
        .map_err(|error| AppError::Internal(Box::new(error)))?;
    Ok(Bytes::from(png))
}

/// `GET /logo`: the current logo; the version in the address is for caches only.
pub async fn serve(state: web::Data<AppState>) -> Result<HttpResponse> {
    let settings = state.settings.current(&state).await?;
    let version = settings.logo.as_deref().and_then(|logo| logo.strip_prefix(ADDRESS)).ok_or(AppError::NotFound)?;
    let bytes = state.blobs.get(&key(version)).await?;
    Ok(HttpResponse::Ok()
        .content_type("image/png")
        .insert_header(("Cache-Control", "public, max-age=86400"))
        .body(bytes))
}
