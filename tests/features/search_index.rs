//! The index itself: it loses nothing, whatever happens to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use praxis_server::search::log;
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};

use super::search::{search, settle};
use crate::support::hub::run_with;
use crate::support::{Db, TestHub, hub_test, search_test};

async fn total(hub: &TestHub, who: &crate::support::Client, q: &str) -> i64 {
    settle(hub).await;
    search(who, &[("q", q)]).await["total"].as_i64().unwrap()
}

fn index_of(hub: &TestHub) -> PathBuf {
    hub.state().search.current().unwrap().embedded().unwrap().dir().to_owned()
}

fn generation_of(hub: &TestHub) -> String {
    hub.state().search.current().unwrap().generation()
}

fn in_turn(name: &str, body: impl AsyncFn(&mut TestHub)) {
    for db in [Db::Sqlite, Db::Postgres] {
        if db == Db::Postgres && std::env::var("PRAXIS_TEST_POSTGRES_URL").is_err() {
            crate::support::not_run(name);
            continue;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut hub = TestHub::start(db, name, &[]).await;
            body(&mut hub).await;
            hub.finish().await;
        });
    }
}

#[test]
fn a_restart_goes_on_and_a_wiped_index_is_built_again() {
    in_turn("a restart goes on", async |hub| {
        let mut ada = hub.member("ada").await;
        let space = hub.space(&ada, "open").await;
        hub.topic(&ada, &space, "Before capercaillie").await;
        assert_eq!(total(hub, &ada, "capercaillie").await, 1);
        let folder = index_of(hub);
        hub.restart().await;
        ada.base.clone_from(&hub.base);
        assert_eq!(total(hub, &ada, "capercaillie").await, 1);
        assert_eq!(index_of(hub), folder, "the same index goes on");
        // What another process writes while no server runs is found when one does: the mark is in
        // the database.
        hub.stop().await;
        std::fs::remove_dir_all(folder.parent().unwrap()).unwrap();
        hub.resume().await;
        ada.base.clone_from(&hub.base);
        assert_eq!(total(hub, &ada, "capercaillie").await, 1, "wiped");
        // Taken away under a running server.
        std::fs::remove_dir_all(index_of(hub)).unwrap();
        hub.topic(&ada, &space, "After capercaillie").await;
        assert_eq!(total(hub, &ada, "capercaillie").await, 2);
    });
}

search_test!(async fn a_request_builds_the_index_again_without_a_gap(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    hub.topic(&ada, &space, "Ptarmigan").await;
    assert_eq!(total(hub, &ada, "ptarmigan").await, 1);
    let before = generation_of(hub);
    let asked = praxis_server::search::requests::reindex(hub.state());
    let watched = async {
        // Whenever one looks, everything is there.
        for _ in 0..200 {
            assert_eq!(search(&ada, &[("q", "ptarmigan")]).await["total"], 1);
            if generation_of(hub) != before {
                break;
            }
        }
    };
    let (done, ()) = tokio::join!(asked, watched);
    assert!(done.unwrap().contains("built again"));
    assert_ne!(generation_of(hub), before);
    assert_eq!(total(hub, &ada, "ptarmigan").await, 1);
});

search_test!(async fn the_self_check_puts_right_what_differs(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    hub.topic(&ada, &space, "Dotterel").await;
    settle(hub).await;
    // The comparison that every start makes is behind us.
    assert_eq!(hub.state().search.check().await.unwrap(), 0);
    // Behind the log's back, as a fault would.
    let db = hub.state().store.clone();
    db.write(async |tx| {
        tx.conn().execute_unprepared("UPDATE topic SET hidden_at = 1").await?;
        Ok(())
    }).await.unwrap();
    assert_eq!(search(&ada, &[("q", "dotterel")]).await["items"], serde_json::json!([]), "the rows are asked once more");
    assert_eq!(hub.state().search.check().await.unwrap(), 1);
    assert_eq!(search(&ada, &[("q", "dotterel")]).await["total"], 0);
    db.write(async |tx| {
        tx.conn().execute_unprepared("UPDATE topic SET hidden_at = NULL").await?;
        Ok(())
    }).await.unwrap();
    assert_eq!(hub.state().search.check().await.unwrap(), 1);
    assert_eq!(search(&ada, &[("q", "dotterel")]).await["total"], 1);
    assert_eq!(hub.state().search.check().await.unwrap(), 0);
    let ready = hub.visitor().get("/readyz").await.json();
    assert_eq!(ready["components"]["search"]["state"], "ok", "{ready}");
    let metrics = hub.visitor().get("/metrics").await.text;
    assert!(metrics.contains("praxis_search_repaired 2") && metrics.contains("praxis_search_up 1"), "{metrics}");
});

hub_test!(async fn the_log_is_cut_and_who_is_behind_knows(hub) {
    let state = hub.state();
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let start = log::end(state.store.read()).await.unwrap();
    hub.topic(&ada, &space, "One").await;
    hub.topic(&ada, &space, "Two").await;
    let read = log::read(state.store.read(), &start).await.unwrap().unwrap();
    assert_eq!((read.marks.len(), read.more), (2, false));
    let nothing = log::read(state.store.read(), &read.next).await.unwrap().unwrap();
    assert!(nothing.marks.is_empty());
    settle(hub).await;
    let trim = async || state.store.write(async |tx| log::trim(tx.conn(), tx.now() + 1, tx.now()).await).await.unwrap();
    let mut cut = trim().await;
    if state.store.read().get_database_backend() == DbBackend::Postgres {
        // Whoever else writes on the same server may hold up the rest for a moment.
        let rest = async {
            while log::read(state.store.read(), &start).await.unwrap().is_some() {
                cut += trim().await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), rest).await.is_ok(), "it is never cut");
    }
    assert!(cut >= 2, "{cut}");
    assert!(log::read(state.store.read(), &start).await.unwrap().is_none(), "it cannot go on from there");
    hub.topic(&ada, &space, "Three").await;
    assert_eq!(total(hub, &ada, "three").await, 1, "who was not behind goes on");
});

/// A transaction that stays open, of another program on the same PostgreSQL, holds up cutting, and no index.
#[test]
fn what_is_newer_than_an_open_transaction_is_not_cut() {
    run_with(Db::Postgres, "a transaction stays open", &[], async |hub| {
        let state = hub.state();
        let trim =
            async || state.store.write(async |tx| log::trim(tx.conn(), tx.now() + 1, tx.now()).await).await.unwrap();
        let ada = hub.member("ada").await;
        let space = hub.space(&ada, "open").await;
        let open = state.store.read().begin().await.unwrap();
        open.execute_unprepared("SELECT pg_current_xact_id()").await.unwrap();
        hub.topic(&ada, &space, "Newer than whimbrels").await;
        trim().await;
        let kept = Statement::from_string(open.get_database_backend(), "SELECT id FROM index_change");
        assert!(!open.query_all_raw(kept).await.unwrap().is_empty(), "its marks are still there");
        hub.topic(&ada, &space, "After whimbrels").await;
        assert_eq!(total(hub, &ada, "whimbrels").await, 2, "the index goes on");
        praxis_server::search::requests::reindex(state).await.unwrap();
        assert_eq!(total(hub, &ada, "whimbrels").await, 2, "and can be built");
        open.commit().await.unwrap();
    });
}

/// Several writers commit out of the order of their numbers: none of their marks is passed by.
#[test]
fn marks_of_writers_that_overtake_each_other_are_not_lost() {
    run_with(Db::Postgres, "marks of writers", &[], async |hub| {
        let db = hub.state().store.read();
        let mark = |id: i64| {
            let text =
                format!("INSERT INTO index_change (kind, subject_id, deep, at) VALUES ('topic', {id}, false, 1)");
            Statement::from_string(db.get_database_backend(), text)
        };
        let start = log::end(db).await.unwrap();
        let slow = db.begin().await.unwrap();
        slow.execute_raw(mark(1)).await.unwrap();
        let quick = db.begin().await.unwrap();
        quick.execute_raw(mark(2)).await.unwrap();
        quick.commit().await.unwrap();
        let first = log::read(db, &start).await.unwrap().unwrap();
        let ids = |read: &log::Read| read.marks.iter().map(|mark| mark.id).collect::<Vec<_>>();
        assert_eq!(ids(&first), [2], "nobody waits for the slow one");
        slow.commit().await.unwrap();
        let second = log::read(db, &first.next).await.unwrap().unwrap();
        assert_eq!(ids(&second), [1], "and it is not lost");
        let lost = db.begin().await.unwrap();
        lost.execute_raw(mark(3)).await.unwrap();
        lost.rollback().await.unwrap();
        let third = log::read(db, &second.next).await.unwrap().unwrap();
        assert!(third.marks.is_empty());
    });
}

#[test]
fn two_nodes_on_one_database_both_find_everything() {
    run_with(Db::Sqlite, "two nodes", &[], async |hub| {
        let ada = hub.member("ada").await;
        let space = hub.space(&ada, "open").await;
        let config = praxis_server::app::Config::from_values(&hub.settings).unwrap();
        let second = praxis_server::app::start(config, hub.clock.clone()).await.unwrap();
        let mut there = hub.member("bea").await;
        there.base = format!("http://{}", second.address);
        hub.topic(&ada, &space, "Written on the first avocet").await;
        hub.topic(&there, &space, "Written on the second avocet").await;
        second.state.search.settle().await.unwrap();
        assert_eq!(search(&there, &[("q", "avocet")]).await["total"], 2);
        assert_eq!(total(hub, &ada, "avocet").await, 2);
        let folders = |of: &Path| of.parent().unwrap().to_owned();
        assert_ne!(folders(&index_of(hub)), folders(second.state.search.current().unwrap().embedded().unwrap().dir()));
        second.stop().await;
    });
}

hub_test!(async fn words_that_are_gone_leave_the_disk(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let topic = hub.topic(&ada, &space, "Names").await;
    let reply = hub.reply(&ada, &crate::support::stage::id(&topic), None, "Patient xyzzymark, bed 4.").await;
    settle(hub).await;
    hub.reply(&ada, &crate::support::stage::id(&topic), None, "This stays.").await;
    settle(hub).await;
    let index = std::sync::Arc::clone(hub.state().search.current().unwrap().embedded().unwrap());
    let at = format!("/api/v1/posts/{}/purge", crate::support::stage::id(&reply));
    let purged = ada.post(&at, &serde_json::json!({"reason": "Patient data"})).await;
    assert_eq!(purged.status, 204, "{}", purged.text);
    assert_eq!(total(hub, &ada, "xyzzymark").await, 0);
    tokio::task::spawn_blocking(move || {
        index.expunge().unwrap();
        let left: u32 = index.searcher().segment_readers().iter().map(|segment| segment.num_deleted_docs()).sum();
        assert_eq!(left, 0, "its words are in no segment");
    }).await.unwrap();
    assert_eq!(total(hub, &ada, "names").await, 1);
});

hub_test!(async fn a_fault_that_passes_costs_no_index(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    hub.topic(&ada, &space, "Before the godwit").await;
    assert_eq!(total(hub, &ada, "godwit").await, 1);
    let folder = index_of(hub);
    let change = async |text: &'static str| {
        let done = hub.state().store.write(async move |tx| {
            tx.conn().execute_unprepared(text).await?;
            Ok(())
        });
        done.await.unwrap();
    };
    // The log cannot be read: as when the database is away.
    change("ALTER TABLE index_change RENAME TO index_change_away").await;
    let noticed = tokio::time::timeout(Duration::from_secs(20), async {
        while hub.state().search.status().condition != praxis_server::search::Condition::Down {
            crate::support::nodes::a_moment().await;
        }
    });
    assert!(noticed.await.is_ok(), "it says so");
    assert_eq!(search(&ada, &[("q", "godwit")]).await["total"], 1, "and answers with what it has");
    change("ALTER TABLE index_change_away RENAME TO index_change").await;
    hub.topic(&ada, &space, "After the godwit").await;
    assert_eq!(total(hub, &ada, "godwit").await, 2);
    assert_eq!(index_of(hub), folder, "the same index goes on");
});
