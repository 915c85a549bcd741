//! The look at Redis before the hub starts: what will never work stops the start, what is only
//! away does not: it may be back in a minute.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, ProtocolVersion, RedisError,
};

use super::shares::SCRIPT;
use crate::store::one_line;

/// How long the start waits for Redis.
const WITHIN: Duration = Duration::from_secs(3);

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
    let address = info.addr().to_string();
    let client = Client::open(info).map_err(|error| one_line(&format!("cannot be used ({error})")))?;
    match tokio::time::timeout(WITHIN, ask(&client, channel)).await {
        Ok(Ok(())) => Ok(Reached::Yes),
        Ok(Err(error)) => judge(&error, &address),
        Err(_) => Ok(Reached::Away(format!("Redis at {address} does not answer within {} s", WITHIN.as_secs()))),
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

/// What an error says about later tries.
fn judge(error: &RedisError, address: &str) -> Result<Reached, String> {
    let said = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    let code = error.code().unwrap_or_default();
    let line = match error.kind() {
        ErrorKind::RESP3NotSupported => format!("Redis 6 or newer is needed at {address}; upgrade it"),
        _ if code == "NOPERM" => format!(
            "Redis at {address} lets this user do too little ({said}); grant it ~praxis:* &praxis:* +@connection \
             +@pubsub +eval +get +set +time"
        ),
        _ if code == "NOAUTH" => {
            format!("Redis at {address} needs a user or password ({said}); write redis://user:password@host:6379")
        }
        kind if code == "WRONGPASS" || kind == ErrorKind::AuthenticationFailed => {
            format!("Redis at {address} refuses user and password ({said}); correct them in the address")
        }
        ErrorKind::Parse => format!("what answers at {address} does not speak as Redis does; correct host and port"),
        ErrorKind::Io if said.contains("certificate") || said.contains("InvalidCertificate") => {
            format!("no TLS with Redis at {address} ({said}); give it a certificate for that name, or write redis://")
        }
        ErrorKind::Io | ErrorKind::Server(_) => {
            return Ok(Reached::Away(one_line(&format!("Redis at {address} does not serve us ({said})"))));
        }
        _ => format!("Redis at {address} cannot be used ({error}); correct the address"),
    };
    Err(one_line(&line))
}

/// The cryptography that TLS is built on; whoever comes first decides, and all decide alike.
pub fn provide_tls() {
    let _there_already = rustls::crypto::ring::default_provider().install_default();
}
