//! Readiness and figures while parts of the hub are silent.

use std::time::{Duration, Instant};

use serde_json::json;

use super::starting::impostor;
use crate::support::engines::Proxy;
use crate::support::s3::S3Store;
use crate::support::{Db, TestHub};

#[test]
fn what_says_nothing_holds_up_neither_readiness_nor_figures() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = S3Store::start();
        let mut settings = store.settings();
        let endpoint = settings.iter_mut().find(|(name, _)| *name == "AWS_ENDPOINT").unwrap();
        let proxy = Proxy::to(endpoint.1.rsplit(':').next().unwrap().parse().unwrap()).await;
        endpoint.1 = format!("http://127.0.0.1:{}", proxy.port);
        settings.push(("clamd", format!("127.0.0.1:{}", impostor(b""))));
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let hub = TestHub::start(Db::Sqlite, "silent parts", &settings).await;
        proxy.cut(true);
        let asked = Instant::now();
        let ready = hub.visitor().get("/readyz").await;
        assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
        assert_eq!(ready.status, 200, "only the database fails it: {}", ready.text);
        for part in ["storage", "scanner"] {
            assert_eq!(ready.json()["components"][part], json!({"state": "down"}), "{part}");
        }
        assert_eq!(ready.json()["components"]["database"], json!({"state": "ok"}));
        let asked = Instant::now();
        let figures = hub.visitor().get("/metrics").await;
        assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
        assert!(figures.text.contains("praxis_scanner_up 0\n") && figures.text.contains("praxis_database_up 1\n"));
        proxy.cut(false);
        hub.finish().await;
    });
}

#[test]
fn methods_that_clients_make_up_count_as_one() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let hub = TestHub::start(Db::Sqlite, "made up", &[("rate_limit", "off")]).await;
        for number in 0..20 {
            let visitor = hub.visitor();
            visitor.send(visitor.request(&format!("MADEUP{number}"), "/healthz")).await;
        }
        let figures = hub.visitor().get("/metrics").await.text;
        assert!(!figures.contains("MADEUP") && figures.contains("method=\"OTHER\""), "{figures}");
        hub.finish().await;
    });
}
