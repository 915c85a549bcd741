//! Search in the text of files: however long they are, and when they become findable.

use super::library::file;
use super::search::{search, settle};
use crate::support::search_test;
use crate::support::stage::id;

search_test!(async fn the_end_of_a_long_file_is_found_and_opened_where_it_is(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    // 100,000 words: more than Meilisearch counts in one attribute, and many views of the page.
    let mut text = "A plain line of words.\n".repeat(20_000);
    text.push_str("Here stands the turnstone at last.\n");
    let made = file(&ada, &space, "long.txt", text.as_bytes()).await;
    hub.settle().await;
    settle(hub).await;
    let found = search(&ada, &[("q", "turnstone")]).await;
    assert_eq!(found["total"], 1, "{found}");
    let item = &found["items"][0];
    assert!(item["snippet_html"].as_str().unwrap().contains("Here stands the <mark>turnstone</mark> at last."), "{item}");
    let url = item["url"].as_str().unwrap();
    let (path, fragment) = url.split_once('#').unwrap();
    assert!(path.starts_with(&format!("/resources/{}?page=", id(&made))), "{url}");
    let page = hub.visitor().page(path).await;
    assert!(page.text.contains(&format!("id=\"{fragment}\"")) && page.text.contains("turnstone"), "{url}, without scripts");
    let begins = search(&ada, &[("q", "plain line")]).await;
    let url = begins["items"][0]["url"].as_str().unwrap();
    assert_eq!(url, format!("/resources/{}#page-1", id(&made)), "the first view begins there");
    let suggested = ada.get("/api/v1/search/suggest?q=long").await.json();
    assert_eq!(suggested["items"][0]["title"], "long", "{suggested}");
});
