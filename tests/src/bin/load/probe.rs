//! Looks at one frame of a hub, so that the floors send frames of the same size.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::drive::{Run, Target};
use super::wire::{Frame, connect, first_frame, put_text};

/// Bytes of the first `events` frame of the target's first room.
pub async fn first_frame_size(target: &Target) -> usize {
    let mut stream = connect(target.addresses[0], Run::from(0), target.tokens.first().map(String::as_str)).await;
    let mut out = Vec::new();
    let text = format!(r#"{{"type":"subscribe","stream":"room:{}","since":0}}"#, target.rooms[0]);
    put_text(&mut out, text.as_bytes());
    stream.write_all(&out).await.unwrap();
    let mut buffer = Vec::new();
    let found = async {
        loop {
            assert!(stream.read_buf(&mut buffer).await.unwrap() > 0, "the hub closed the socket");
            while let Some((frame, length)) = first_frame(&buffer) {
                if let Frame::Text(text) = frame
                    && text.starts_with(br#"{"type":"events""#)
                {
                    return text.len();
                }
                buffer.drain(..length);
            }
        }
    };
    let within = std::time::Duration::from_secs(10);
    tokio::time::timeout(within, found).await.expect("an events frame of the first message")
}
