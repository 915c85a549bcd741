//! Redis goes and comes: writes go on, readers of the same node see them at once and those of
//! other nodes by the log, and nothing is lost, doubled or reordered when it is back.

use std::time::{Duration, Instant};

use super::rig::{Rig, drill};
use crate::support::engines::{Postgres, Proxy, Redis, say};
use crate::support::nodes::until;

/// What the promise gives the log: two seconds, and this machine has other work too.
const BY_THE_LOG: Duration = Duration::from_secs(2);
/// Nodes look into the log twice a second: what is there in a quarter of that did not wait for it.
const AT_ONCE: Duration = Duration::from_millis(125);

#[test]
fn redis_is_killed_restarted_and_its_clients_are_cut() {
    drill(async {
        let (Some(mut redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let settings = [("DATABASE_URL", &*postgres.url("postgres")), ("REDIS_URL", &*redis.url())];
        let mut rig = Rig::start(2, &settings, None).await;
        rig.full_service("two nodes start", Instant::now(), true).await;
        rig.written(100).await;
        for kind in ["normal", "pubsub", "normal"] {
            let since = Instant::now();
            redis.ask(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]);
            rig.written(30).await;
            rig.full_service(&format!("CLIENT KILL TYPE {kind}"), since, true).await;
        }
        let since = Instant::now();
        redis.stop();
        until("both nodes know", async || rig.bus(0).await == "degraded" && rig.bus(1).await == "degraded").await;
        say("a lost Redis is noticed after", since);
        rig.written(50).await;
        let slowest = rig.slowest_across(5).await;
        assert!(slowest < BY_THE_LOG, "a message took {slowest:?} to another node without Redis");
        let mut here = Vec::new();
        for number in 0..9 {
            here.push(rig.crossing(number % 2, number % 2).await);
        }
        here.sort_unstable();
        assert!(here[4] < AT_ONCE, "messages took {here:?} to readers of the same node without Redis");
        rig.full_service("service without Redis", Instant::now(), false).await;
        redis.resume();
        let since = Instant::now();
        rig.full_service("Redis restarted", since, true).await;
        rig.written(100).await;
        rig.compare().await;
    });
}

#[test]
fn a_node_is_cut_off_from_redis() {
    drill(async {
        let (Some(redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let proxy = Proxy::to(redis.port).await;
        let (direct, cut) = (redis.url(), format!("redis://127.0.0.1:{}", proxy.port));
        let settings = [("DATABASE_URL", &*postgres.url("postgres")), ("REDIS_URL", &*direct)];
        let mut rig = Rig::start(2, &settings, None).await;
        rig.end(1).await;
        rig.launch(1, &[("REDIS_URL", &cut)]);
        rig.full_service("a node behind a proxy", Instant::now(), true).await;
        rig.written(100).await;
        let since = Instant::now();
        proxy.cut(true);
        assert_eq!(rig.bus(1).await, "connected", "it does not know yet");
        for (from, to) in [(0, 1), (1, 0)] {
            let took = rig.crossing(from, to).await;
            assert!(took < BY_THE_LOG, "a message took {took:?} from {from} to {to} as a partition began");
        }
        until("the node that is cut off knows", async || rig.bus(1).await == "degraded").await;
        say("a partition from Redis is noticed after", since);
        assert_eq!(rig.bus(0).await, "connected");
        rig.written(50).await;
        let slowest = rig.slowest_across(5).await;
        assert!(slowest < BY_THE_LOG, "a message took {slowest:?} to another node in a partition");
        proxy.cut(false);
        let since = Instant::now();
        rig.full_service("the partition ends", since, true).await;
        rig.written(100).await;
        rig.compare().await;
    });
}
