//! The look at Redis before the hub starts: what will never work stops the start, what is only
//! away does not: it may be back in a minute.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, ProtocolVersion,
    RedisError,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::shares::SCRIPT;
use crate::store::one_line;

/// How long the start waits for Redis.
const WITHIN: Duration = Duration::from_secs(3);
/// A Redis that ends while it is asked is asked once more after this.
const AGAIN: Duration = Duration::from_millis(500);
/// What passes by itself.
const PASSES: [&str; 5] = ["LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"];

/// Whether Redis answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    Yes,
    /// Not now; why, in one line.
    Away(String),
}

/// The address as the client takes it; the error is one line.
pub fn readable(url: &str) -> Result<ConnectionInfo, String> {
    let mend = "write it like redis://user:password@host:6379 or rediss://host";
    let good = url.starts_with("redis://") || url.starts_with("rediss://");
    let info = url.into_connection_info().ok().filter(|_| good);
    let info = info.ok_or_else(|| format!("'{}' is no address of Redis; {mend}", crate::app::config::masked(url)))?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(settings))
}

/// Asks Redis for everything that the bus will ask for; the error is one line.
pub async fn reach(url: &str, channel: &str) -> Result<Reached, String> {
    let info = readable(url)?;
    provide_tls();
    let at = info.addr().clone();
    let client = Client::open(info).map_err(|error| one_line(&format!("cannot be used ({error})")))?;
    let mut asked = tokio::time::timeout(WITHIN, ask(&client, channel)).await;
    if matches!(&asked, Ok(Err(error)) if breaks_off(error)) {
        tokio::time::sleep(AGAIN).await;
        asked = tokio::time::timeout(WITHIN, ask(&client, channel)).await;
    }
    let error = match asked {
        Ok(Ok(())) => return Ok(Reached::Yes),
        Ok(Err(error)) => Some(error).filter(|error| !error.is_timeout()),
        Err(_) => None,
    };
    let plain = if error.as_ref().is_none_or(breaks_off) { plain_answer(&at).await } else { None };
    match (error, plain) {
        (_, Some(_)) if matches!(at, ConnectionAddr::TcpTls { .. }) => {
            Err(format!("no TLS with Redis at {at} (it speaks without); write redis://, or give it a certificate"))
        }
        // It had no place for us, or is for others: it says so and hangs up.
        (Some(_), Some(said)) if said.starts_with('-') => {
            Err(format!("Redis at {at} refuses the connection ({said}); mend that there, or name another Redis"))
        }
        (Some(error), None) => judge(&error, &at),
        _ => Ok(Reached::Away(format!("Redis at {at} does not answer within {} s", WITHIN.as_secs()))),
    }
}

async fn ask(client: &Client, channel: &str) -> Result<(), RedisError> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(WITHIN)).set_response_timeout(Some(WITHIN));
    // Without somebody to push to the client takes no subscription.
    let config = config.set_push_sender(|_| Ok::<(), std::convert::Infallible>(()));
    let mut redis: MultiplexedConnection = client.get_multiplexed_async_connection_with_config(&config).await?;
    redis::cmd("PING").query_async::<()>(&mut redis).await?;
    redis.subscribe(channel).await?;
    redis::cmd("PUBLISH").arg(channel).arg("").query_async::<i64>(&mut redis).await?;
    let key = format!("{channel}:check");
    let script = redis::cmd("EVAL").arg(SCRIPT).arg(1).arg(key).arg(1_000_000).arg(10).arg(1).to_owned();
    script.query_async::<redis::Value>(&mut redis).await.map(drop)
}

/// What went wrong between here and there, if that is what an error is about.
fn io_kind(error: &RedisError) -> Option<io::ErrorKind> {
    let source = error.source()?;
    let kept = source.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>();
    let inner = kept.and_then(|kept| kept.downcast_ref::<io::Error>());
    inner.or_else(|| source.downcast_ref()).map(io::Error::kind)
}

/// Whether somebody took the connection and ended it instead of an answer.
fn breaks_off(error: &RedisError) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(io_kind(error), Some(BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
}

/// The first line of what a server says to a plain question, if it speaks as Redis does. One that TLS is
/// wrongly asked of waits for the end of a line.
async fn plain_answer(at: &ConnectionAddr) -> Option<String> {
    let (ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) = at else { return None };
    let asked = async {
        let mut stream = tokio::net::TcpStream::connect((host.as_str(), *port)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut said = [0; 200];
        let count = stream.read(&mut said).await?;
        Ok::<_, io::Error>(String::from_utf8_lossy(said.get(..count).unwrap_or_default()).into_owned())
    };
    let said = tokio::time::timeout(WITHIN, asked).await.ok()?.ok()?;
    said.starts_with(['+', '-']).then(|| one_line(said.lines().next().unwrap_or_default()))
}

/// What an error says about later tries: what passes by itself is away, all else is for the operator.
fn judge(error: &RedisError, at: &ConnectionAddr) -> Result<Reached, String> {
    let said = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    let code = error.code().unwrap_or_default();
    let line = match error.kind() {
        _ if PASSES.contains(&code) => {
            return Ok(Reached::Away(one_line(&format!("Redis at {at} does not serve us ({code} {said})"))));
        }
        ErrorKind::RESP3NotSupported => format!("Redis 6 or newer is needed at {at}; upgrade it"),
        _ if code == "NOPERM" => format!(
            "Redis at {at} lets this user do too little ({said}); grant it ~praxis:* &praxis:* +@connection +@pubsub \
             +eval +get +set +time"
        ),
        _ if code == "NOAUTH" => {
            format!("Redis at {at} needs a user or password ({said}); write redis://user:password@host:6379")
        }
        kind if code == "WRONGPASS" || kind == ErrorKind::AuthenticationFailed => {
            format!("Redis at {at} refuses user and password ({said}); correct them in the address")
        }
        ErrorKind::Parse => format!("what answers at {at} does not speak as Redis does; correct host and port"),
        ErrorKind::Io if said.contains("certificate") => {
            format!("no TLS with Redis at {at} ({said}); give it a certificate for that name, or write redis://")
        }
        ErrorKind::Io if io_kind(error) == Some(io::ErrorKind::InvalidData) => {
            format!("no TLS with Redis at {at} ({said}); correct host and port, or write redis://")
        }
        ErrorKind::Io if breaks_off(error) => format!(
            "what answers at {at} does not speak as Redis does ({said}); correct host and port, or write rediss:// if \
             it asks for TLS"
        ),
        ErrorKind::Io => {
            return Ok(Reached::Away(one_line(&format!("Redis at {at} cannot be reached ({said})"))));
        }
        ErrorKind::Server(_) if error.to_string().contains("switch database") => {
            format!("Redis at {at} has no such database ({said}); correct the number after the last / of the address")
        }
        ErrorKind::Server(_) | ErrorKind::Extension => format!(
            "Redis at {at} refuses what the hub asks for ({code} {said}); mend that there, or name another Redis"
        ),
        _ => format!("Redis at {at} cannot be used ({error}); correct the address"),
    };
    Err(one_line(&line))
}

/// The cryptography that TLS is built on; whoever comes first decides, and all decide alike.
pub fn provide_tls() {
    let _there_already = rustls::crypto::ring::default_provider().install_default();
}
