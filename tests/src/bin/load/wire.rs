//! As much of WebSocket as the tool needs: the handshake, frames out, frames in without a copy.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Opens a socket from a loopback address of its own and shakes hands.
pub async fn connect(to: SocketAddr, from: IpAddr, token: Option<&str>) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    let mut stream = socket.connect(to).await.unwrap_or_else(|error| panic!("no connection to {to}: {error}"));
    stream.set_nodelay(true).unwrap();
    let bearer = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bG9hZCB0b29sIG9mIGh1Yg==\r\n\
         Sec-WebSocket-Protocol: praxis.v1\r\n{bearer}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    // Byte by byte: what follows the head belongs to the reader.
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        assert!(head.len() < 8192, "the handshake's answer does not end");
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) => panic!("the handshake failed: {error}: {}", String::from_utf8_lossy(&head)),
        }
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "no handshake: {}", String::from_utf8_lossy(&head));
    stream
}

/// Appends a text frame. Its mask is zero, which leaves the payload as it is: the tool shares
/// the machine with what it measures.
pub fn put_text(out: &mut Vec<u8>, payload: &[u8]) {
    put_frame(out, 0x81, payload);
}

/// The answer to a ping of the protocol.
pub fn put_pong(out: &mut Vec<u8>, payload: &[u8]) {
    put_frame(out, 0x8A, payload);
}

fn put_frame(out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    out.push(first);
    match u16::try_from(payload.len()) {
        Ok(length) if length < 126 => out.push(0x80 | length as u8),
        Ok(length) => {
            out.push(0x80 | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => panic!("a frame of {} bytes", payload.len()),
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// A frame of the server.
pub enum Frame<'a> {
    Text(&'a [u8]),
    Ping(&'a [u8]),
    Pong,
    /// With its code.
    Close(u16),
}

/// The first frame of these bytes and how many it takes; `None` if more bytes are needed.
pub fn first_frame(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let (start, length) = match *bytes {
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        [_, 127, ref rest @ ..] => {
            let eight = rest.first_chunk::<8>()?;
            (10, usize::try_from(u64::from_be_bytes(*eight)).unwrap())
        }
        [_, short, ..] if short < 126 => (2, usize::from(short)),
        _ => return None,
    };
    let payload = bytes.get(start..start + length)?;
    let frame = match bytes[0] {
        0x81 => Frame::Text(payload),
        0x88 => Frame::Close(payload.first_chunk::<2>().map_or(1005, |code| u16::from_be_bytes(*code))),
        0x89 => Frame::Ping(payload),
        0x8A => Frame::Pong,
        other => panic!("a frame that begins with {other:#x}"),
    };
    Some((frame, start + length))
}
