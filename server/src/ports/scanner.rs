//! The virus scanner: clamd's `INSTREAM` over TCP (clamd(8)). Without one nothing is scanned.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::web::error::Result;

/// How long the scanner may take to accept a connection, and to answer once it has everything.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it may take to say that it is there, all in all.
const READY: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(120);
/// How long one piece may take to be taken.
const WRITE: Duration = Duration::from_secs(30);
/// Bytes of an answer.
const MOST_ANSWER: u64 = 4096;

/// What the scanner says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Clean,
    /// The name of what it found.
    Infected(String),
}

/// Why a file could not be scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanFault {
    /// It does not answer.
    Away(String),
    /// It answers, and does not take this file, such as one above its own limit.
    Refused(String),
}

impl ScanFault {
    /// Why, in the scanner's words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Away(reason) | Self::Refused(reason) => reason,
        }
    }

    /// The file is larger than what the scanner takes: it will never take it.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::Refused(reason) if reason.to_ascii_lowercase().contains("size limit"))
    }
}

/// The way to the scanner, if there is one.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    address: Option<String>,
}

impl Scanner {
    /// `address`: `host:port`, checked by the configuration.
    #[must_use]
    pub const fn new(address: Option<String>) -> Self {
        Self { address }
    }

    #[must_use]
    pub const fn is_configured(&self) -> bool {
        self.address.is_some()
    }

    /// Whether the scanner answers; `None` if there is none.
    pub async fn is_ready(&self) -> Option<bool> {
        let address = self.address.as_deref()?;
        let pong = async {
            let mut socket = connect(address).await?;
            send(&mut socket, b"zPING\0").await?;
            answer(socket).await
        };
        Some(timeout(READY, pong).await.is_ok_and(|pong| pong.is_ok_and(|said| said == "PONG")))
    }

    /// Has bytes scanned. The outer error is one of the bytes' own source.
    pub async fn scan(&self, bytes: impl Stream<Item = Result<Bytes>>) -> Result<Result<Verdict, ScanFault>> {
        let Some(address) = self.address.as_deref() else { return Ok(Ok(Verdict::Clean)) };
        let mut socket = match connect(address).await {
            Ok(socket) => socket,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Err(fault) = send(&mut socket, b"zINSTREAM\0").await {
            return Ok(Err(fault));
        }
        let mut bytes = std::pin::pin!(bytes);
        while let Some(chunk) = bytes.next().await {
            // It reads a length of 32 bits before each piece.
            for piece in chunk?.chunks(1 << 18) {
                let length = u32::try_from(piece.len()).unwrap_or(0).to_be_bytes();
                let sent = match send(&mut socket, &length).await {
                    Ok(()) => send(&mut socket, piece).await,
                    fault => fault,
                };
                if let Err(fault) = sent {
                    // It says why before it hangs up, if it can.
                    return Ok(answer(socket).await.map_or(Err(fault), |said| verdict(&said)));
                }
            }
        }
        let said = match send(&mut socket, &[0; 4]).await {
            Ok(()) => answer(socket).await,
            Err(fault) => Err(fault),
        };
        Ok(said.and_then(|said| verdict(&said)))
    }
}

fn away(error: impl std::fmt::Display) -> ScanFault {
    ScanFault::Away(error.to_string())
}

async fn connect(address: &str) -> Result<TcpStream, ScanFault> {
    timeout(CONNECT, TcpStream::connect(address)).await.map_err(away)?.map_err(away)
}

async fn send(socket: &mut TcpStream, bytes: &[u8]) -> Result<(), ScanFault> {
    timeout(WRITE, socket.write_all(bytes)).await.map_err(away)?.map_err(away)
}

/// One answer, which ends with NUL.
async fn answer(socket: TcpStream) -> Result<String, ScanFault> {
    let mut said = Vec::new();
    timeout(ANSWER, socket.take(MOST_ANSWER).read_to_end(&mut said)).await.map_err(away)?.map_err(away)?;
    let said = said.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(said).trim().to_owned())
}

fn verdict(said: &str) -> Result<Verdict, ScanFault> {
    let of = said.strip_prefix("stream: ").unwrap_or(said);
    if of == "OK" {
        return Ok(Verdict::Clean);
    }
    if let Some(name) = of.strip_suffix(" FOUND") {
        return Ok(Verdict::Infected(name.chars().filter(|c| !c.is_control()).take(200).collect()));
    }
    if of.is_empty() { Err(ScanFault::Away("no answer".into())) } else { Err(ScanFault::Refused(of.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        assert_eq!(verdict("stream: OK"), Ok(Verdict::Clean));
        assert_eq!(verdict("stream: Test.Sample FOUND"), Ok(Verdict::Infected("Test.Sample".into())));
        let large = verdict("INSTREAM size limit exceeded. ERROR").unwrap_err();
        assert!(large.is_too_large(), "{large:?}");
        let other = verdict("Can't allocate memory ERROR").unwrap_err();
        assert!(matches!(other, ScanFault::Refused(_)) && !other.is_too_large());
        assert!(matches!(verdict(""), Err(ScanFault::Away(_))));
    }
}
