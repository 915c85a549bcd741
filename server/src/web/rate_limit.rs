//! Rate limits: per member and per address (of IPv6: per network), with `Retry-After`.
//!
//! A hospital may sit behind one address, so the address's share is large; what guards an
//! account is the pair of address and account.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::error::{AppError, Result};
use super::viewer::identify;
use crate::app::AppState;
use crate::locks::locked;
use crate::realtime::Bus;
use crate::realtime::bus::Share;

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

/// Keys of which this node holds a part of the common share.
const HELD: usize = 20_000;
/// How long such a part is good.
const HELD_FOR: Duration = Duration::from_secs(10);

/// One kind's limit.
#[derive(Debug)]
struct Limit {
    name: &'static str,
    share: Share,
    /// How many are taken from the common share at once: what comes often asks Redis seldom.
    at_once: u32,
    /// What this node allows by itself while Redis is away.
    alone: Keyed,
    held: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Limit {
    fn new(name: &'static str, per_minute: u32, burst: u32, at_once: u32) -> Self {
        let period = Duration::from_secs(60) / per_minute;
        let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let quota = quota.allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN));
        Self { name, share: Share { period, burst }, at_once, alone: RateLimiter::keyed(quota), held: Mutex::default() }
    }

    /// Uses one of what this node has taken already.
    fn use_held(&self, key: &str) -> bool {
        let mut held = locked(&self.held);
        match held.get_mut(key) {
            Some((left, until)) if *left > 0 && *until > Instant::now() => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    fn hold(&self, key: &str, left: u32) {
        let mut held = locked(&self.held);
        let now = Instant::now();
        if held.len() >= HELD {
            held.retain(|_, (left, until)| *left > 0 && *until > now);
        }
        if held.len() < HELD {
            held.insert(key.to_owned(), (left, now + HELD_FOR));
        }
    }

    fn take_alone(&self, key: &str) -> Result<()> {
        self.alone.check_key(&key.to_owned()).map_err(|wait| {
            let wait = wait.wait_time_from(DefaultClock::default().now());
            AppError::TooMany(wait.as_secs() + 1)
        })
    }
}

/// The limits: one share for all nodes while Redis answers, one for this node while it does not.
#[derive(Debug)]
pub struct Limits {
    on: bool,
    bus: Bus,
    read: Limit,
    send: Limit,
    write: Limit,
    guess: Limit,
    register: Limit,
    mail: Limit,
}

impl Limits {
    #[must_use]
    pub fn new(on: bool, bus: Bus) -> Self {
        Self {
            on,
            bus,
            read: Limit::new("read", 18_000, 3000, 64),
            // An outbox that was offline for a day comes back with all of it.
            send: Limit::new("send", 300, 300, 8),
            write: Limit::new("write", 120, 60, 1),
            guess: Limit::new("guess", 240, 120, 1),
            register: Limit::new("register", 60, 60, 1),
            mail: Limit::new("mail", 6, 10, 1),
        }
    }

    /// Whether there are limits at all.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.on
    }

    /// Takes one of a key's share, or says when there is one again.
    pub async fn take(&self, what: What, key: &str) -> Result<()> {
        if !self.on {
            return Ok(());
        }
        let limit = match what {
            What::Read => &self.read,
            What::Send => &self.send,
            What::Write => &self.write,
            What::Guess => &self.guess,
            What::Register => &self.register,
            What::Mail => &self.mail,
        };
        if !self.bus.is_shared() {
            return limit.take_alone(key);
        }
        if limit.at_once > 1 && limit.use_held(key) {
            return Ok(());
        }
        match self.bus.take(&format!("{} {key}", limit.name), limit.share, limit.at_once).await {
            None => limit.take_alone(key),
            Some(Err(wait)) => Err(AppError::TooMany(wait.as_secs() + 1)),
            Some(Ok(taken)) => {
                if taken > 1 {
                    limit.hold(key, taken - 1);
                }
                Ok(())
            }
        }
    }

    /// Forgets keys whose share is full again; called by the schedule.
    pub fn tidy(&self) {
        let now = Instant::now();
        for limit in [&self.read, &self.send, &self.write, &self.guess, &self.register, &self.mail] {
            limit.alone.retain_recent();
            limit.alone.shrink_to_fit();
            locked(&limit.held).retain(|_, (left, until)| *left > 0 && *until > now);
        }
    }
}

/// The address a request comes from: the peer, or what a trusted proxy says of it.
#[must_use]
pub fn client_address(req: &HttpRequest, state: &AppState) -> IpAddr {
    let peer = req.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
    let said: Vec<&[u8]> = req.headers().get_all("X-Forwarded-For").map(|value| value.as_bytes()).collect();
    behind(peer, &state.config.trusted_proxies, &said)
}

/// What is counted together of a request's address: see [`share_of`].
#[must_use]
pub fn client_share(req: &HttpRequest, state: &AppState) -> String {
    share_of(client_address(req, state))
}

/// An address of IPv4; of IPv6 the network of 64 bits it is in. That is what one line or one rented
/// machine gets, and whoever has it asks from another of its addresses each time.
fn share_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{}/64", Ipv6Addr::from(u128::from(address) & (u128::MAX << 64))),
    }
}

/// The client behind proxies of ours, from the values of `X-Forwarded-For` in their order. Each
/// proxy adds whom it heard on the right, so they are read from there: past our proxies comes the
/// client, and what stands left of it is anybody's word. Where one cannot be read, whatever is left
/// of it is nobody's word either, and the last proxy of ours stands for its clients.
fn behind(peer: IpAddr, trusted: &[IpAddr], said: &[&[u8]]) -> IpAddr {
    let ours = |address: IpAddr| trusted.iter().any(|proxy| proxy.to_canonical() == address);
    let mut hop = peer.to_canonical();
    for part in said.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
        if !ours(hop) {
            break;
        }
        let Some(before) = address_in(part) else { break };
        hop = before;
    }
    hop
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn address_in(part: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(part).ok()?.trim();
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6))?;
    Some(address.to_canonical())
}

/// Every request takes from its address's share, writes from their member's too.
pub async fn guard(req: &HttpRequest) -> Result<()> {
    let Some(state) = req.app_data::<web::Data<AppState>>().filter(|state| state.limits.on) else { return Ok(()) };
    if matches!(req.path(), "/healthz" | "/readyz" | "/metrics") || req.path().starts_with("/assets/") {
        return Ok(());
    }
    state.limits.take(What::Read, &client_share(req, state)).await?;
    if matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    match identify(req).await {
        Ok(viewer) => match viewer.member() {
            Some(me) => state.limits.take(What::Write, &me.id.to_string()).await,
            None => Ok(()),
        },
        // Whoever comes with a token that is over may still ask for a new one.
        Err(AppError::Unauthenticated) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{behind, share_of};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The client of a request from 10.0.0.1, a proxy of ours as 10.0.0.2 and fd00::2 are.
    fn client(said: &[&str]) -> IpAddr {
        let said: Vec<&[u8]> = said.iter().map(|value| value.as_bytes()).collect();
        behind(ip("10.0.0.1"), &[ip("10.0.0.1"), ip("10.0.0.2"), ip("fd00::2")], &said)
    }

    #[test]
    fn the_client_is_the_first_from_the_right_that_is_no_proxy_of_ours() {
        assert_eq!(client(&[]), ip("10.0.0.1"));
        assert_eq!(client(&["203.0.113.7"]), ip("203.0.113.7"));
        assert_eq!(client(&["198.51.100.1, 203.0.113.7, 10.0.0.2"]), ip("203.0.113.7"));
        assert_eq!(client(&["198.51.100.1", "203.0.113.7", "fd00::2,10.0.0.2"]), ip("203.0.113.7"));
        assert_eq!(client(&["10.0.0.2"]), ip("10.0.0.2"), "a proxy that asks by itself");
        let stranger = behind(ip("192.0.2.9"), &[ip("10.0.0.1")], &[b"203.0.113.7"]);
        assert_eq!(stranger, ip("192.0.2.9"), "nobody believes it");
        let mapped = behind(ip("::ffff:10.0.0.1"), &[ip("10.0.0.1")], &[b"203.0.113.7"]);
        assert_eq!(mapped, ip("203.0.113.7"), "a socket for both families writes IPv4 so");
    }

    #[test]
    fn addresses_have_ports_and_brackets() {
        for said in ["203.0.113.7:4711", " 203.0.113.7 ", "::ffff:203.0.113.7", "203.0.113.7:80, [fd00::2]:443"] {
            assert_eq!(client(&[said]), ip("203.0.113.7"), "{said}");
        }
        for said in ["2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:4711"] {
            assert_eq!(client(&[said]), ip("2001:db8::7"), "{said}");
        }
    }

    #[test]
    fn what_is_left_of_an_unreadable_one_is_not_believed() {
        for last in ["unknown", "", "_hidden", "10.0.0.2:port", "[fd00::2", "203.0.113.999"] {
            assert_eq!(client(&[&format!("198.51.100.1, {last}")]), ip("10.0.0.1"), "{last}");
            assert_eq!(client(&["198.51.100.1", last]), ip("10.0.0.1"), "{last}");
            assert_eq!(client(&[&format!("198.51.100.1, {last}, 10.0.0.2")]), ip("10.0.0.2"), "{last}");
        }
        let said: [&[u8]; 1] = [b"\xff\xfe, 203.0.113.7"];
        assert_eq!(behind(ip("10.0.0.1"), &[ip("10.0.0.1")], &said), ip("203.0.113.7"), "read from the right");
    }

    #[test]
    fn a_network_of_ipv6_has_one_share() {
        assert_eq!(share_of(ip("203.0.113.7")), "203.0.113.7");
        assert_eq!(share_of(ip("::ffff:203.0.113.7")), "203.0.113.7");
        assert_eq!(share_of(ip("2001:db8:1:2:3:4:5:6")), "2001:db8:1:2::/64");
        assert_eq!(share_of(ip("2001:db8:1:2::1")), share_of(ip("2001:db8:1:2:ffff:ffff:ffff:ffff")));
        assert_ne!(share_of(ip("2001:db8:1:2::1")), share_of(ip("2001:db8:1:3::1")));
    }
}
