//! What nobody needs is gone: uploads without a text, and purged words in the database's files.

use std::time::Duration;

use praxis_server::entities::file;
use praxis_server::features::people::remove_unused_files;
use sea_orm::EntityTrait;
use serde_json::json;

use crate::support::stage;
use crate::support::{Db, TestHub, hub_test, run};

const HOUR: i64 = 3_600_000_000;

async fn ids(hub: &TestHub) -> Vec<String> {
    let rows = file::Entity::find().all(hub.state().store.read()).await.unwrap();
    rows.iter().map(|row| praxis_server::store::Id(row.id).to_string()).collect()
}

fn blobs(hub: &TestHub) -> usize {
    std::fs::read_dir(hub.data_dir.join("uploads/file")).unwrap().count()
}

hub_test!(async fn an_upload_that_no_text_uses_is_gone_after_a_day(hub) {
    let ada = hub.member("ada").await;
    let (used, unused) = (stage::file(&ada).await, stage::file(&ada).await);
    let space = hub.space(&ada, "open").await;
    let topic = hub.topic(&ada, &space, "A picture").await["id"].as_str().unwrap().to_owned();
    hub.reply(&ada, &topic, None, &format!("![one](/api/v1/files/{used})")).await;
    assert_eq!((ids(hub).await.len(), blobs(hub)), (2, 2));
    hub.clock.advance(23 * HOUR);
    remove_unused_files(hub.state()).await.unwrap();
    assert!(ids(hub).await.contains(&unused), "it may still be used");
    hub.clock.advance(2 * HOUR);
    // Nobody calls it now: it comes round.
    let gone = tokio::time::timeout(Duration::from_secs(20), async {
        while ids(hub).await.contains(&unused) {
            crate::support::nodes::a_moment().await;
        }
    });
    assert!(gone.await.is_ok(), "it is still there");
    hub.settle().await;
    assert_eq!((ids(hub).await, blobs(hub)), (vec![used], 1));
});

/// Files of the database that hold these bytes.
fn holding(hub: &TestHub, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&hub.data_dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("praxis.db")
            && std::fs::read(&path).unwrap().windows(word.len()).any(|part| part == word.as_bytes())
        {
            found.push(name);
        }
    }
    found
}

#[test]
fn purged_words_are_not_left_in_the_files_of_the_database() {
    run(Db::Sqlite, "purged bytes", async |hub| {
        let ada = hub.member("ada").await;
        let space = hub.space(&ada, "open").await;
        let topic = hub.topic(&ada, &space, "Night alerts").await["id"].as_str().unwrap().to_owned();
        // Short ones share a page, a long one fills several.
        let long = "Patient xyzzymark was seen on the ward. ".repeat(400);
        let mut posts = Vec::new();
        for text in ["Patient xyzzymark, bed 4.", &long, "Patient xyzzymark again."] {
            let post = hub.reply(&ada, &topic, None, text).await["id"].as_str().unwrap().to_owned();
            hub.reply(&ada, &topic, Some(&post), "Another text, which stays.").await;
            let edit = json!({"body": format!("Edited: {text}")});
            assert_eq!(ada.patch(&format!("/api/v1/posts/{post}"), &edit).await.status, 200);
            posts.push(post);
        }
        assert!(!holding(hub, "xyzzymark").is_empty(), "the words were never there");
        for post in posts {
            let purged = ada.post(&format!("/api/v1/posts/{post}/purge"), &json!({"reason": "Patient data"})).await;
            assert_eq!(purged.status, 204, "{}", purged.text);
        }
        hub.settle().await;
        assert_eq!(holding(hub, "xyzzymark"), Vec::<String>::new());
        assert!(!holding(hub, "which stays").is_empty(), "the rest is there");
    });
}
