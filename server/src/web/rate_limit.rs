//! Rate limits: per member and per address, with `Retry-After`.
//!
//! A hospital may sit behind one address, so the address's share is large; what guards an
//! account is the pair of address and account.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::error::{AppError, Result};
use super::viewer::identify;
use crate::app::AppState;

/// What is limited apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Reading, by address: visitors and members behind it.
    Read,
    /// Messages by socket, by member.
    Send,
    /// Writing, by member.
    Write,
    /// Sign-in attempts and other guesses, by address.
    Guess,
    /// New accounts, by address.
    Register,
    /// Mail that a request causes, by member or by address and account.
    Mail,
}

type Keyed = DefaultKeyedRateLimiter<String>;

/// The limiters of this process.
#[derive(Debug)]
pub struct Limits {
    on: bool,
    read: Keyed,
    send: Keyed,
    write: Keyed,
    guess: Keyed,
    register: Keyed,
    mail: Keyed,
}

impl Limits {
    #[must_use]
    pub fn new(on: bool) -> Self {
        let every = |per_minute: u32, burst: u32| {
            let pause = Duration::from_secs(60) / per_minute;
            let quota = Quota::with_period(pause).unwrap_or(Quota::per_second(NonZeroU32::MIN));
            RateLimiter::keyed(quota.allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN)))
        };
        Self {
            on,
            read: every(18_000, 3000),
            // An outbox that was offline for a day comes back with all of it.
            send: every(300, 300),
            write: every(120, 60),
            guess: every(240, 120),
            register: every(60, 60),
            mail: every(6, 10),
        }
    }

    /// Whether there are limits at all.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.on
    }

    /// Takes one of a key's share, or says when there is one again.
    pub fn take(&self, what: What, key: &str) -> Result<()> {
        if !self.on {
            return Ok(());
        }
        let limiter = match what {
            What::Read => &self.read,
            What::Send => &self.send,
            What::Write => &self.write,
            What::Guess => &self.guess,
            What::Register => &self.register,
            What::Mail => &self.mail,
        };
        limiter.check_key(&key.to_owned()).map_err(|wait| {
            let wait = wait.wait_time_from(DefaultClock::default().now());
            AppError::TooMany(wait.as_secs() + 1)
        })
    }

    /// Forgets keys whose share is full again; called by the schedule.
    pub fn tidy(&self) {
        for limiter in [&self.read, &self.send, &self.write, &self.guess, &self.register, &self.mail] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// The address a request comes from: the peer, or what a trusted proxy says of it.
#[must_use]
pub fn client_address(req: &HttpRequest, state: &AppState) -> IpAddr {
    let peer = req.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
    let trusted = &state.config.trusted_proxies;
    if !trusted.contains(&peer) {
        return peer;
    }
    // The last address that is not a proxy of ours; those before it are anybody's word.
    req.headers()
        .get_all("X-Forwarded-For")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|part| part.trim().parse::<IpAddr>().ok())
        .filter(|address| !trusted.contains(address))
        .last()
        .unwrap_or(peer)
}

/// Every request takes from its address's share, writes from their member's too.
pub async fn guard(req: &HttpRequest) -> Result<()> {
    let Some(state) = req.app_data::<web::Data<AppState>>().filter(|state| state.limits.on) else { return Ok(()) };
    if matches!(req.path(), "/healthz" | "/readyz" | "/metrics") || req.path().starts_with("/assets/") {
        return Ok(());
    }
    let address = client_address(req, state);
    state.limits.take(What::Read, &address.to_string())?;
    if !matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        && let Some(me) = identify(req).await?.member()
    {
        state.limits.take(What::Write, &me.id.to_string())?;
    }
    Ok(())
}
