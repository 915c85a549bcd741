//! Search through Meilisearch, beside the suite that both engines pass: a server that is away, wiped,
//! or shared by several nodes, and settings that are wrong.

use serde_json::json;

use super::search::{search, settle};
use crate::support::hub::run_with;
use crate::support::program::{Folder, run};
use crate::support::{Client, Db, TestHub, meili};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

async fn total(hub: &TestHub, who: &Client, q: &str) -> i64 {
    settle(hub).await;
    search(who, &[("q", q)]).await["total"].as_i64().unwrap()
}

/// Runs a test with the server of the tests, if there is one.
fn with_server(name: &str, body: impl AsyncFn(&mut TestHub)) {
    let Some(settings) = meili::settings() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut hub = TestHub::start(Db::Sqlite, name, &meili::as_pairs(&settings)).await;
        body(&mut hub).await;
        hub.finish().await;
    });
}

#[test]
fn a_server_that_is_away_takes_only_search_along() {
    run_with(Db::Sqlite, "away", &[("meili_url", NOWHERE), ("meili_key", "some-key")], async |hub| {
        let ada = hub.member("ada").await;
        let space = hub.space(&ada, "open").await;
        hub.topic(&ada, &space, "Nightjar").await;
        for at in ["/api/v1/search?q=nightjar", "/api/v1/search/suggest?q=night"] {
            let answer = ada.get(at).await;
            assert_eq!(answer.status, 503, "{at}: {}", answer.text);
            assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|after| after > 0), "{at}");
            assert!(!answer.text.contains("127.0.0.1"), "{}", answer.text);
        }
        assert_eq!(ada.page("/search?q=nightjar").await.status, 503);
        assert_eq!(ada.get(&format!("/api/v1/spaces/{space}/topics")).await.status, 200);
        let ready = hub.visitor().get("/readyz").await;
        assert_eq!(ready.status, 200, "it degrades the hub and does not fail it: {}", ready.text);
        let search = ready.json()["components"]["search"].clone();
        assert_eq!(search["kind"], "meilisearch");
        assert!(search["state"] == "down" || search["state"] == "off", "{search}");
        assert!(hub.visitor().get("/metrics").await.text.contains("praxis_search_up 0"));
    });
}

#[test]
fn settings_that_cannot_be_stop_the_start() {
    let folder = Folder::new();
    for (settings, said) in [
        (&[("MEILI_URL", "127.0.0.1:7700")][..], "write it like http://127.0.0.1:7700"),
        (&[("MEILI_URL", "ftp://127.0.0.1")], "write it like http://127.0.0.1:7700"),
        (&[("MEILI_URL", "http://user:secret-word@127.0.0.1:7700")], "with the key in PRAXIS_MEILI_KEY"),
        (
            &[("MEILI_URL", "http://127.0.0.1:7700"), ("MEILI_KEY", "secret-word with blanks")],
            "PRAXIS_MEILI_KEY has signs",
        ),
        (&[("MEILI_KEY", "secret-word")], "set PRAXIS_MEILI_URL as well"),
    ] {
        for arguments in [&["config"][..], &[]] {
            let ended = run(folder.path(), arguments, settings);
            assert_eq!((ended.code, ended.err.lines().count()), (Some(2), 1), "{settings:?}: {ended:?}");
            assert!(ended.err.starts_with("praxis: PRAXIS_MEILI_") && ended.err.contains(said), "{ended:?}");
            assert!(!ended.err.contains("secret-word"), "{ended:?}");
        }
    }
    let shown = run(folder.path(), &["config"], &[("MEILI_URL", NOWHERE), ("MEILI_KEY", "secret-word")]);
    assert!(shown.out.contains(NOWHERE) && !shown.out.contains("secret-word"), "{shown:?}");
}

#[test]
fn a_wrong_key_stops_the_start() {
    let Some(settings) = meili::settings().filter(|settings| settings.len() > 1) else { return };
    let folder = Folder::new();
    let url = settings[0].1.as_str();
    let ended = run(folder.path(), &[], &[("MEILI_URL", url), ("MEILI_KEY", "secret-word"), ("BIND", "127.0.0.1:0")]);
    assert_eq!((ended.code, ended.err.lines().count()), (Some(2), 1), "{ended:?}");
    assert!(ended.err.starts_with("praxis: PRAXIS_MEILI_KEY: ") && ended.err.contains("refuses it"), "{ended:?}");
    assert!(!ended.err.contains("secret-word"), "{ended:?}");
}

#[test]
fn a_restart_goes_on_and_a_wiped_server_is_filled_again() {
    with_server("wiped", async |hub| {
        let mut ada = hub.member("ada").await;
        let space = hub.space(&ada, "open").await;
        hub.topic(&ada, &space, "Before capercaillie").await;
        assert_eq!(total(hub, &ada, "capercaillie").await, 1);
        let generation = hub.state().search.current().unwrap().generation();
        hub.restart().await;
        ada.base.clone_from(&hub.base);
        assert_eq!(total(hub, &ada, "capercaillie").await, 1);
        assert_eq!(hub.state().search.current().unwrap().generation(), generation, "the same index goes on");
        let name = format!("praxis-{}", hub.state().epoch);
        meili::remove(&hub.settings, &name).await;
        hub.topic(&ada, &space, "After capercaillie").await;
        // Until it is seen that the index is gone, nothing is lost and nothing is promised.
        let filled = async {
            while hub.state().search.current().is_none_or(|index| index.generation() == generation) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        // The server does one task after the other, those of other tests among them.
        tokio::time::timeout(std::time::Duration::from_secs(120), filled).await.unwrap();
        assert_eq!(total(hub, &ada, "capercaillie").await, 2);
        assert_eq!(hub.state().search.check().await.unwrap(), 0);
    });
}

#[test]
fn two_nodes_share_one_index_and_one_takes_over() {
    with_server("two nodes", async |hub| {
        let mut ada = hub.member("ada").await;
        let space = hub.space(&ada, "open").await;
        assert_eq!(total(hub, &ada, "avocet").await, 0, "the first writes");
        let config = praxis_server::app::Config::from_values(&hub.settings).unwrap();
        let second = praxis_server::app::start(config, hub.clock.clone()).await.unwrap();
        let mut there = hub.member("bea").await;
        there.base = format!("http://{}", second.address);
        hub.topic(&ada, &space, "Written on the first avocet").await;
        hub.topic(&there, &space, "Written on the second avocet").await;
        second.state.search.settle().await.unwrap();
        assert_eq!(search(&there, &[("q", "avocet")]).await["total"], 2);
        assert_eq!(total(hub, &ada, "avocet").await, 2);
        let generation = hub.state().search.current().unwrap().generation();
        assert_eq!(second.state.search.current().unwrap().generation(), generation);
        // Whoever wrote goes; the other goes on.
        hub.stop().await;
        hub.topic(&there, &space, "Written after the avocet").await;
        second.state.search.settle().await.unwrap();
        assert_eq!(search(&there, &[("q", "avocet")]).await["total"], 3);
        second.stop().await;
        hub.resume().await;
        ada.base.clone_from(&hub.base);
        assert_eq!(total(hub, &ada, "avocet").await, 3);
        assert_eq!(hub.state().search.current().unwrap().generation(), generation, "nothing was built again");
    });
}

#[test]
fn a_tag_ends_no_filter() {
    with_server("tags", async |hub| {
        let ada = hub.member("ada").await;
        let space = hub.space(&ada, "open").await;
        let body = json!({"title": "Dunlin", "body": "text", "kind": "question", "tags": ["c++"]});
        assert_eq!(ada.post(&format!("/api/v1/spaces/{space}/topics"), &body).await.status, 201);
        settle(hub).await;
        let found = search(&ada, &[("q", "dunlin")]).await;
        let tag = found["facets"]["tag"].as_object().unwrap().keys().next().unwrap().clone();
        assert_eq!(search(&ada, &[("q", "dunlin"), ("tag", &tag)]).await["total"], 1, "{found}");
        for wrong in ["x\" OR kind = \"topic", "x\\", "\\\" OR tags EXISTS"] {
            assert_eq!(search(&ada, &[("q", "dunlin"), ("tag", wrong)]).await["total"], 0, "{wrong}");
        }
    });
}
