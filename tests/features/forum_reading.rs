//! The forum's pages as they are read: kept, in parts, and what waits on the first.

use serde_json::json;

use super::forum_pages::{good, id, scene};
use crate::support::{Answer, hub_test};

hub_test!(async fn a_kept_page_falls_with_what_it_shows(hub) {
    let s = scene(hub).await;
    let visitor = hub.visitor();
    let first = visitor.page(&s.page).await;
    good(&first);
    let etag = first.header("etag").to_owned();
    assert!(!etag.is_empty());
    let again = visitor.page(&s.page).await;
    assert_eq!((again.header("etag"), again.header("x-queries")), (etag.as_str(), "0"), "kept");
    let same = visitor.send(visitor.request("GET", &s.page).header("Accept", "text/html").header("If-None-Match", &etag)).await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    let packed = visitor.send(visitor.request("GET", &s.page).header("Accept", "text/html").header("Accept-Encoding", "gzip, br")).await;
    assert_eq!(packed.header("content-encoding"), "br");
    // Dark is another page.
    let dark = visitor.send(visitor.request("GET", &s.page).header("Accept", "text/html").header("Cookie", "theme=dark")).await;
    assert!(dark.text.contains("data-theme=\"dark\""));

    let reply = id(&hub.reply(&s.cho, &s.topic, None, "Fresh words.").await);
    assert!(visitor.page(&s.page).await.text.contains("Fresh words."), "a reply");
    s.ben.put(&format!("/api/v1/posts/{reply}/reactions/👍")).await;
    assert!(visitor.page(&s.page).await.text.contains("👍 1"), "a reaction");
    s.cho.patch(&format!("/api/v1/posts/{reply}"), &json!({"body": "Other words."})).await;
    assert!(visitor.page(&s.page).await.text.contains("Other words."), "an edit");
    let renamed = s.cho.patch("/api/v1/me", &json!({"display_name": "Cho the Second"})).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    assert!(visitor.page(&s.page).await.text.contains("Cho the Second"), "a new name");
    let closed = s.ada.patch(&format!("/api/v1/spaces/{}", s.space), &json!({"visibility": "private"})).await;
    assert_eq!(closed.status, 200, "{}", closed.text);
    assert_eq!(visitor.page(&s.page).await.status, 404, "a space that is closed");
});

hub_test!(async fn a_long_thread_is_read_page_by_page_with_few_queries(hub) {
    let s = scene(hub).await;
    let mut ids = Vec::new();
    let mut parent: Option<String> = None;
    for n in 0..49 {
        // Every seventh begins a new branch, so that some stand deeper than a page shows.
        if n % 7 == 0 {
            parent = None;
        }
        let made = id(&hub.reply(&s.cho, &s.topic, parent.as_deref(), &format!("Reply number {n}.")).await);
        parent = Some(made.clone());
        ids.push(made);
    }
    s.ben.put(&format!("/api/v1/posts/{}/answer", ids[0])).await;
    s.ben.put(&format!("/api/v1/posts/{}/endorsement", ids[7])).await;
    let few = |answer: &Answer, path: &str| {
        let count: u32 = answer.header("x-queries").parse().unwrap();
        assert!(count <= 11, "{path}: {count} queries");
    };
    for order in ["", "?order=time"] {
        let mut next = format!("{}{order}", s.page);
        let mut seen: Vec<String> = Vec::new();
        let mut pages = 0;
        while !next.is_empty() {
            let answer = hub.visitor().page(&next).await;
            good(&answer);
            few(&answer, &next);
            let member = s.ben.page(&next).await;
            good(&member);
            few(&member, &next);
            let thread = answer.text.split("data-thread=").nth(1).unwrap();
            seen.extend(thread.split("data-post=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
            pages += 1;
            let link = answer.text.split("rel=\"next\"").next().filter(|before| before.len() < answer.text.len());
            next = link.map_or_else(String::new, |before| before.rsplit("href=\"").next().unwrap().split('"').next().unwrap().replace("&#38;", "&"));
        }
        assert_eq!(pages, 2, "{order}");
        if order.is_empty() {
            // The accepted one and what hangs on it directly stand above; what is deeper than four levels on its branch.
            let expected: Vec<&String> = ids.iter().enumerate().filter(|(n, _)| n % 7 <= 4 && *n > 1).map(|(_, id)| id).collect();
            assert_eq!(seen.iter().collect::<Vec<_>>(), expected);
        } else {
            assert_eq!(seen.len(), 48, "the accepted one stands above");
        }
    }
    // Every post has an address that leads to where it is shown.
    for post in [&ids[0], &ids[3], &ids[6], &ids[41], &ids[38]] {
        let link = hub.visitor().page(&format!("/posts/{post}")).await.header("location").to_owned();
        let (path, anchor) = link.split_once('#').unwrap();
        let page = hub.visitor().page(path).await;
        good(&page);
        assert!(page.text.contains(&format!("id=\"{anchor}\"")), "{link}");
    }
    for path in ["/", "/topics", "/tags", "/bookmarks", &format!("/s/{}", s.space), &format!("/posts/{}/menu", ids[7]), &format!("/posts/{}/history", ids[7])] {
        let answer = s.ben.page(path).await;
        good(&answer);
        few(&answer, path);
    }
});

hub_test!(async fn home_says_what_waits(hub) {
    let s = scene(hub).await;
    let guest = hub.visitor().page("/").await;
    good(&guest);
    assert!(guest.text.contains("size a cannula") && guest.text.contains("/register"));
    let reply = id(&hub.reply(&s.cho, &s.topic, None, "For Ben alone.").await);
    s.ben.put(&format!("/api/v1/posts/{reply}/answer")).await;
    // He is told of it by a job.
    hub.settle().await;
    let home = s.ben.page("/").await;
    good(&home);
    assert!(home.text.contains("cho Example replied to you") && home.text.contains("For Ben alone."));
    assert!(!s.cho.page("/").await.text.contains("replied to you"));
    // Reading it is enough.
    hub.clock.advance(1_000_000);
    good(&s.ben.page(&s.page).await);
    assert!(!s.ben.page("/").await.text.contains("replied to you"));
    assert!(hub.visitor().page("/").await.text.contains("Newly answered"));
    let win = json!({"title": "Ten minutes saved", "body": "By a list.", "kind": "win", "tags": []});
    s.cho.post(&format!("/api/v1/spaces/{}/topics", s.space), &win).await;
    let home = s.ada.page("/").await;
    good(&home);
    assert!(home.text.contains("This week’s wins") && home.text.contains("Ten minutes saved"));
});
