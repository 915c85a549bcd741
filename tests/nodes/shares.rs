//! Limits that all nodes have in common, and each its own while Redis is away.

use serde_json::json;

use crate::support::engines::Redis;
use crate::support::hub::password;
use crate::support::nodes::{Nodes, Through, through_redis, until};
use praxis_server::realtime::bus::BusState;

#[test]
fn writing_on_two_nodes_takes_from_one_share() {
    through_redis("shares", &[], async |nodes, _| {
        let ada = nodes.first.member("ada").await;
        let there = nodes.there(&ada);
        let mut allowed = 0;
        let refused = loop {
            let client = if allowed % 2 == 0 { &ada } else { &there };
            let answer = client.patch("/api/v1/me", &json!({"headline": 7})).await;
            if answer.status == 429 {
                break answer;
            }
            assert_eq!(answer.status, 422, "{}", answer.text);
            allowed += 1;
            assert!(allowed < 200, "nobody counts");
        };
        // A share of 60, and two a second come back.
        assert!((60..100).contains(&allowed), "{allowed} writes on two nodes");
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=2).contains(&wait), "{wait}");
        for client in [&ada, &there] {
            let answer = client.patch("/api/v1/me", &json!({"headline": 7})).await;
            assert!(matches!(answer.status, 429 | 422), "{}", answer.status);
        }
        assert_eq!(there.get("/api/v1/me").await.status, 200, "reading goes on");
    });
}

#[test]
fn wrong_passwords_on_one_node_slow_the_pair_on_the_other() {
    through_redis("slow down", &[], async |nodes, _| {
        nodes.first.member("ada").await;
        let there = crate::support::Client::new(&nodes.second_base);
        let guess = json!({"login": "ada", "password": "not it at all"});
        for _ in 0..5 {
            assert_eq!(nodes.first.visitor().post("/api/v1/auth/login", &guess).await.status, 401);
        }
        until("the other node has heard of it", async || there.post("/api/v1/auth/login", &guess).await.status == 429)
            .await;
        nodes.first.clock.advance(900_000_000);
        let right = json!({"login": "ada", "password": password("ada")});
        assert_eq!(there.post("/api/v1/auth/login", &right).await.status, 200);
    });
}

#[test]
fn without_redis_each_node_counts_alone_and_the_hub_serves_on() {
    if std::env::var("PRAXIS_TEST_POSTGRES_URL").is_err() {
        crate::support::not_run("a test of several nodes (PRAXIS_TEST_POSTGRES_URL is not set)");
        return;
    }
    let Some(mut redis) = Redis::start(&[]) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let nodes = Nodes::start("alone", &Through::Redis(redis.url()), &[]).await;
        let ada = nodes.first.member("ada").await;
        redis.stop();
        until("the bus is away", async || {
            nodes.states().iter().all(|state| matches!(state.bus.state(), BusState::Degraded(_)))
        })
        .await;
        let ready = ada.get("/readyz").await;
        assert_eq!(ready.status, 200, "a lost Redis never fails it");
        let bus = ready.json()["components"]["bus"].clone();
        assert_eq!(bus["state"], "degraded");
        assert!(bus["since"].as_str().unwrap().ends_with('Z'), "{bus}");
        assert!(ada.get("/metrics").await.text.contains("praxis_bus_connected 0\n"));
        let mut refused = 0;
        for _ in 0..100 {
            let answer = ada.patch("/api/v1/me", &json!({"headline": 7})).await;
            refused += usize::from(answer.status == 429);
            assert!(matches!(answer.status, 422 | 429), "{}", answer.text);
        }
        assert!(refused > 0, "a node alone still counts");
        redis.resume();
        nodes.hear_each_other().await;
        assert!(nodes.states().iter().all(|state| state.bus.figures().unwrap().returned >= 2));
        nodes.finish().await;
    });
}
