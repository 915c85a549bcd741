//! Uploaded images, decoded within limits and encoded anew: what comes out holds pixels and
//! nothing else. Pure; run it in `web::block`, holding a `slot`.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::web::error::{AppError, Result};

/// Longest side that is decoded.
const LONGEST: u32 = 8000;
/// Bytes of pixels of one image.
const MOST_PIXEL_BYTES: u64 = 256 << 20;
/// Side of a picture of a member.
const AVATAR: u32 = 256;
const QUALITY: u8 = 86;

/// Images decoded at a time: each may need much memory.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// Waits for a turn.
pub async fn slot() -> Result<SemaphorePermit<'static>> {
    SLOTS.acquire().await.map_err(|_| AppError::Unavailable(1))
}

/// An image as it is stored.
#[derive(Clone, Debug)]
pub struct Encoded {
    pub bytes: Bytes,
    pub media_type: &'static str,
    pub width: u32,
    pub height: u32,
}

/// The format of some bytes, if it is one that is taken.
#[must_use]
pub fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    image::guess_format(bytes)
        .ok()
        .filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif))
}

/// The media type that stored bytes say of themselves.
#[must_use]
pub fn media_type_of(bytes: &[u8]) -> &'static str {
    match format_of(bytes) {
        Some(ImageFormat::Png) => "image/png",
        Some(ImageFormat::Jpeg) => "image/jpeg",
        _ => "application/octet-stream",
    }
}

/// Whether a JPEG is nothing but a picture: no metadata of any kind, and nothing behind its end
/// (ITU-T T.81, B.1.1: segments are a marker and a length, which counts itself).
#[must_use]
pub fn is_bare_jpeg(bytes: &[u8]) -> bool {
    let byte = |at: usize| bytes.get(at).copied();
    if !bytes.starts_with(&[0xFF, 0xD8]) || !bytes.ends_with(&[0xFF, 0xD9]) {
        return false;
    }
    let mut at = 2;
    loop {
        let (Some(0xFF), Some(marker)) = (byte(at), byte(at + 1)) else { return false };
        let (Some(high), Some(low)) = (byte(at + 2), byte(at + 3)) else { return false };
        let length = usize::from(u16::from_be_bytes([high, low]));
        match marker {
            // The header that says it is JFIF, without a thumbnail.
            0xE0 if length == 16 && bytes.get(at + 4..at + 9) == Some(b"JFIF\0".as_slice()) => {}
            // Tables and frames.
            0xC0..=0xCF | 0xDB | 0xDD => {}
            // The scan: a marker in it is a restart or the end.
            0xDA => {
                let rest = bytes.get(at + 2 + length..).unwrap_or_default();
                let ends = rest.windows(2).position(|pair| {
                    pair.first() == Some(&0xFF) && pair.get(1).is_some_and(|next| !matches!(next, 0x00 | 0xD0..=0xD7))
                });
                return ends.is_some_and(|place| place + 2 == rest.len());
            }
            _ => return false,
        }
        at += 2 + length;
    }
}

/// A member's picture: upright, square, 256 pixels. 415 if it is no image of a type that is
/// taken, 422 if it cannot be read or is too large.
pub fn avatar(bytes: &[u8]) -> Result<Encoded> {
    let format = format_of(bytes).ok_or_else(unsupported)?;
    let image = decode(bytes, format, "avatar")?;
    encode(&image.resize_to_fill(AVATAR, AVATAR, FilterType::CatmullRom), format)
}

/// An image for use in a text: upright, at its own size, without metadata.
pub fn reencode(bytes: &[u8]) -> Result<Encoded> {
    let format = format_of(bytes).ok_or_else(unsupported)?;
    encode(&decode(bytes, format, "file")?, format)
}

fn unsupported() -> AppError {
    AppError::UnsupportedType("Send a PNG, JPEG, WebP or GIF image.".into())
}

fn decode(bytes: &[u8], format: ImageFormat, field: &'static str) -> Result<DynamicImage> {
    let broken = |_| AppError::field(field, "cannot be read as an image");
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST);
    limits.max_image_height = Some(LONGEST);
    limits.max_alloc = Some(MOST_PIXEL_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| match error {
        image::ImageError::Limits(_) => too_large(field),
        other => broken(other),
    })?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(AppError::field(field, "cannot be read as an image"));
    }
    // Not every decoder looks at its limits before it allocates.
    if width > LONGEST || height > LONGEST || decoder.total_bytes() > MOST_PIXEL_BYTES {
        return Err(too_large(field));
    }
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn too_large(field: &'static str) -> AppError {
    AppError::field(field, format!("may have {LONGEST} by {LONGEST} pixels at most"))
}

/// Photographs as JPEG, everything else, and what is see-through, as PNG.
fn encode(image: &DynamicImage, from: ImageFormat) -> Result<Encoded> {
    let lossy = matches!(from, ImageFormat::Jpeg | ImageFormat::WebP) && !image.color().has_alpha();
    let (width, height) = (image.width(), image.height());
    let mut bytes = Vec::new();
    let media_type = if lossy {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        DynamicImage::ImageRgb8(image.to_rgb8()).write_with_encoder(encoder).map_err(failed)?;
        "image/jpeg"
    } else {
        // Eight bits a channel is what screens show.
        let plain = if image.color().has_alpha() {
            DynamicImage::ImageRgba8(image.to_rgba8())
        } else {
            DynamicImage::ImageRgb8(image.to_rgb8())
        };
        plain.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).map_err(failed)?;
        "image/png"
    };
    Ok(Encoded { bytes: Bytes::from(bytes), media_type, width, height })
}

fn failed(error: image::ImageError) -> AppError {
    AppError::Internal(Box::new(error))
}
