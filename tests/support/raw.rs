//! A socket of `praxis.v1` on bare TCP, for readers that do not read and senders that do not stop.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::Client;

const WITHIN: Duration = Duration::from_secs(30);

/// What a server sends.
#[derive(Debug, PartialEq)]
pub enum Frame {
    Text(Value),
    Close(u16),
}

pub struct RawSocket {
    pub stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes that were read after the handshake.
    pub read: usize,
}

impl RawSocket {
    /// Opens a socket with the client's bearer token; the kernel keeps about `kept` unread bytes
    /// of it, if said.
    pub async fn open(client: &Client, kept: Option<u32>) -> Self {
        let address = client.base.trim_start_matches("http://");
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(kept) = kept {
            socket.set_recv_buffer_size(kept).unwrap();
        }
        let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
        let bearer = client.bearer.as_deref().expect("a client with a bearer token");
        let request = format!(
            "GET /api/v1/ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: praxis.v1\r\nAuthorization: Bearer {bearer}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        let mut socket = Self { stream, buffer: Vec::new(), read: 0 };
        assert!(matches!(socket.next().await, Frame::Text(frame) if frame["type"] == "ready"));
        socket
    }

    /// The next frame of any kind.
    pub async fn next(&mut self) -> Frame {
        loop {
            if let Some((frame, length)) = first(&self.buffer) {
                self.buffer.drain(..length);
                return frame;
            }
            let read = tokio::time::timeout(WITHIN, self.stream.read_buf(&mut self.buffer)).await;
            let read = read.expect("a frame in time").unwrap();
            assert!(read > 0, "closed without a close frame");
            self.read += read;
        }
    }

    /// The code it is closed with; what comes before is passed over.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Frame::Close(code) = self.next().await {
                return code;
            }
        }
    }

    pub async fn send(&mut self, text: &Value) {
        let frame = text_frame(&text.to_string());
        self.stream.write_all(&frame).await.unwrap();
    }
}

/// A client's text frame, masked with zeros.
pub fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(text.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | u8::try_from(length).unwrap()),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => panic!("too long for this"),
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

fn first(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (start, length) = match *bytes {
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        [_, 127, ref rest @ ..] => (10, usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).unwrap()),
        [_, short, ..] if short < 126 => (2, usize::from(short)),
        _ => return None,
    };
    let payload = bytes.get(start..start + length)?;
    let frame = match bytes[0] {
        0x81 => Frame::Text(serde_json::from_slice(payload).unwrap()),
        0x88 => Frame::Close(u16::from_be_bytes(*payload.first_chunk().unwrap())),
        other => panic!("a frame that begins with {other:#x}"),
    };
    Some((frame, start + length))
}
