//! The forum's pages, read and used as a browser without scripts would.

use serde_json::{Value, json};

use crate::support::html::{check_fragment, check_html};
use crate::support::{Answer, Client, TestHub, hub_test};

/// Three people, a space and a question in it. Ada runs the hub, Ben asks, Cho answers.
pub(super) struct Scene {
    pub ada: Client,
    pub ben: Client,
    pub cho: Client,
    pub space: String,
    pub topic: String,
    first: String,
    pub page: String,
}

pub(super) async fn scene(hub: &TestHub) -> Scene {
    let (ada, ben, cho) = (hub.member("ada").await, hub.member("ben").await, hub.member("cho").await);
    let space = hub.space(&ada, "open").await;
    let topic = hub.topic(&ben, &space, "How do you size a cannula?").await;
    let id = topic["id"].as_str().unwrap().to_owned();
    Scene {
        page: format!("/s/{space}/t/{id}"),
        first: topic["first_post_id"].as_str().unwrap().to_owned(),
        topic: id,
        ada,
        ben,
        cho,
        space,
    }
}

async fn browser(hub: &TestHub, handle: &str) -> (Client, String) {
    let client = Client::sign_in(&hub.base, handle).await;
    let csrf = client.page("/topics").await.csrf();
    (client, csrf)
}

#[track_caller]
pub(super) fn good(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    check_html(&answer.text);
}

pub(super) fn id(of: &Value) -> String {
    of["id"].as_str().unwrap().to_owned()
}

fn by_fetch(client: &Client, method: &str, path: &str) -> reqwest::RequestBuilder {
    client.request(method, path).header("X-Requested-With", "fetch").header("Accept", "text/html")
}

hub_test!(async fn every_page_is_valid_for_whoever_may_read_it(hub) {
    let s = scene(hub).await;
    let reply = hub.reply(&s.cho, &s.topic, None, "Take the *smallest* that does it.\n\n```rust\nlet x = 1;\n```").await;
    let below = hub.reply(&s.ben, &s.topic, Some(&id(&reply)), "Thank you <b>much</b>.").await;
    s.ben.put(&format!("/api/v1/posts/{}/answer", id(&reply))).await;
    s.ben.put(&format!("/api/v1/posts/{}/endorsement", id(&reply))).await;
    s.ben.put(&format!("/api/v1/posts/{}/reactions/👍", id(&reply))).await;
    s.ben.put(&format!("/api/v1/posts/{}/bookmark", id(&reply))).await;
    s.cho.patch(&format!("/api/v1/posts/{}", id(&reply)), &json!({"body": "Take the smallest."})).await;
    let open = [
        "/".to_owned(), "/topics".into(), "/topics?sort=top&kind=question".into(), "/topics?state=unanswered".into(),
        "/topics?author=ben".into(), "/tags".into(), "/tags/icu".into(), format!("/s/{}", s.space), s.page.clone(),
        format!("{}?order=time", s.page), format!("{}?root={}", s.page, id(&reply)), format!("{}?at={}", s.page, id(&below)),
        format!("/posts/{}/history", id(&reply)),
    ];
    let ben = Client::sign_in(&hub.base, "ben").await;
    let ada = Client::sign_in(&hub.base, "ada").await;
    for path in &open {
        for client in [&hub.visitor(), &ben, &ada] {
            let answer = client.page(path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            check_html(&answer.text);
        }
    }
    let own = [
        "/bookmarks".to_owned(), format!("/s/{}/new", s.space), format!("{}/edit", s.page),
        format!("/posts/{}/menu", id(&reply)), format!("/posts/{}/edit", id(&below)),
        format!("{}?reply={}", s.page, id(&reply)), format!("{}?quote={}", s.page, id(&reply)),
    ];
    for path in &own {
        good(&ben.page(path).await);
        let visitor = hub.visitor().page(path).await;
        if path.contains('?') { good(&visitor) } else { assert_eq!(visitor.status, 303, "{path}") }
    }
    // One space to write in: no question which.
    assert_eq!(ben.page("/ask").await.header("location"), format!("/s/{}/new", s.space));
    let page = hub.visitor().page(&s.page).await.text;
    assert!(page.contains("Endorsed by 1:") && page.contains("Accepted by ben Example"), "{page}");
    assert!(!page.contains("_csrf") && !page.contains("<b>much</b>"), "{page}");
    let root = hub.visitor().page(&format!("{}?root={}", s.page, id(&reply))).await.text;
    assert!(root.contains("Thank you") && !root.contains("is-opening"));
});

hub_test!(async fn asking_and_replying_without_scripts(hub) {
    let s = scene(hub).await;
    let (ben, csrf) = browser(hub, "ben").await;
    let new = format!("/s/{}/new", s.space);
    let wrong = ben.form(&new, &csrf, &[("kind", "idea"), ("title", ""), ("body", "Kept <text>"), ("tags", "icu night-shift")]).await;
    assert_eq!(wrong.status, 422);
    check_html(&wrong.text);
    assert!(wrong.text.contains("Error:") && wrong.text.contains("href=\"#title\""));
    assert!(wrong.text.contains("Kept &#60;text&#62;") && wrong.text.contains("value=\"icu night-shift\""));
    assert!(wrong.text.contains("value=\"idea\" checked"));
    let look = ben.form(&new, &csrf, &[("kind", "idea"), ("title", "T"), ("body", "**strong**"), ("preview", "1")]).await;
    good(&look);
    assert!(look.text.contains("<strong>strong</strong>") && look.text.contains("**strong**"));
    let made = ben.form(&new, &csrf, &[("kind", "idea"), ("title", "A trolley"), ("body", "With wheels."), ("tags", "icu, #night-shift")]).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let page = made.header("location").to_owned();
    let text = ben.page(&page).await.text;
    assert!(text.contains("#night-shift") && text.contains("With wheels.") && text.contains("kind-idea"));

    let (cho, csrf) = browser(hub, "cho").await;
    let empty = cho.form(&format!("{page}/reply"), &csrf, &[("body", " "), ("parent_id", "")]).await;
    assert_eq!(empty.status, 422);
    check_html(&empty.text);
    let look = cho.form(&format!("{page}/reply"), &csrf, &[("body", "_soft_"), ("parent_id", ""), ("preview", "1")]).await;
    good(&look);
    assert!(look.text.contains("<em>soft</em>") && look.text.contains("_soft_</textarea>"));
    let sent = cho.form(&format!("{page}/reply"), &csrf, &[("body", "Good."), ("parent_id", "")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let post = sent.header("location").strip_prefix("/posts/").unwrap().to_owned();
    assert_eq!(cho.page(&format!("/posts/{post}")).await.header("location"), format!("{page}#post-{post}"));
    let deeper = cho.form(&format!("{page}/reply"), &csrf, &[("body", "Better."), ("parent_id", &post)]).await;
    assert_eq!(deeper.status, 303);
    let text = cho.page(&page).await.text;
    assert!(text.contains(&format!("data-parent=\"{post}\"")));

    // Editing, with the other version shown to whoever was overtaken.
    let edit = format!("/posts/{post}/edit");
    let saved = cho.form(&edit, &csrf, &[("version", "1"), ("body", "Very good.")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stale = cho.form(&edit, &csrf, &[("version", "1"), ("body", "My own words")]).await;
    assert_eq!(stale.status, 412);
    check_html(&stale.text);
    assert!(stale.text.contains("My own words</textarea>") && stale.text.contains("Very good."));
    let history = cho.page(&format!("/posts/{post}/history")).await;
    good(&history);
    assert!(history.text.contains("<ins>") && history.text.contains("version 2"));
    let title = s.ben.page(&format!("{page}/edit")).await;
    good(&title);
    let (ben, csrf) = browser(hub, "ben").await;
    let fields = [("version", "1"), ("kind", "win"), ("title", "A better trolley"), ("body", "With wheels."), ("tags", "icu")];
    assert_eq!(ben.form(&format!("{page}/edit"), &csrf, &fields).await.status, 303);
    assert!(ben.page(&page).await.text.contains("<h1>A better trolley</h1>"));
    // Somebody else may not.
    assert_eq!(cho.page(&format!("{page}/edit")).await.status, 403);
});

hub_test!(async fn a_long_history_is_read_by_pages(hub) {
    let s = scene(hub).await;
    let reply = id(&hub.reply(&s.cho, &s.topic, None, "Cannula 1.").await);
    for number in 2..=12 {
        let edited = s.cho.patch(&format!("/api/v1/posts/{reply}"), &json!({"body": format!("Cannula {number}.")})).await;
        assert_eq!(edited.status, 200, "{}", edited.text);
    }
    let first = s.ben.page(&format!("/posts/{reply}/history")).await;
    good(&first);
    let numbers = |page: &Answer| -> Vec<String> {
        let of = |rest: &str| rest.split('<').next().unwrap().to_owned();
        page.text.split(", version ").skip(1).map(of).collect()
    };
    assert_eq!(numbers(&first), (3..=12).rev().map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(first.text.matches("<ins>").count(), 10, "the last, too, stands against the one before");
    let next = first.text.split(&format!("/posts/{reply}/history?cursor=")).nth(1).unwrap().split('"').next().unwrap();
    let second = s.ben.page(&format!("/posts/{reply}/history?cursor={next}")).await;
    good(&second);
    assert_eq!(numbers(&second), ["2", "1"]);
    assert!(!second.text.contains("rel=\"next\""));
});

hub_test!(async fn the_small_acts_work_as_forms_and_by_fetch(hub) {
    let s = scene(hub).await;
    let reply = id(&hub.reply(&s.cho, &s.topic, None, "The small one.").await);
    let (ben, csrf) = browser(hub, "ben").await;
    for (act, shown, undone) in [
        ("answer", "Accepted by ben Example", true),
        ("endorsement", "Endorsed by 1:", true),
        ("reactions", "🎉 1", true),
    ] {
        let path = format!("/posts/{reply}/{act}");
        let answer = ben.form(&path, &csrf, &[("emoji", "🎉")]).await;
        assert_eq!(answer.status, 303, "{act}: {}", answer.text);
        let page = ben.page(&s.page).await;
        good(&page);
        assert!(page.text.contains(shown), "{act}");
        if undone {
            assert_eq!(ben.form(&format!("{path}?undo=1"), &csrf, &[("emoji", "🎉")]).await.status, 303);
            assert!(!ben.page(&s.page).await.text.contains(shown), "{act} taken back");
        }
    }
    assert_eq!(ben.form(&format!("/posts/{reply}/bookmark"), &csrf, &[]).await.status, 303);
    assert!(ben.page("/bookmarks").await.text.contains("The small one."));
    let off = ben.form(&format!("/posts/{reply}/bookmark?undo=1"), &csrf, &[("next", "/bookmarks")]).await;
    assert_eq!(off.header("location"), "/bookmarks");
    assert!(!ben.page("/bookmarks").await.text.contains("The small one."));

    // A script gets the post, or nothing, or the problem.
    let sent = by_fetch(&ben, "POST", &format!("/posts/{reply}/endorsement")).header("Origin", &hub.base).header("X-CSRF-Token", &csrf);
    let part = ben.send(sent).await;
    assert_eq!(part.status, 200, "{}", part.text);
    check_fragment(&part.text);
    assert!(part.text.contains(&format!("id=\"post-{reply}\"")) && part.text.contains("?undo=1"));
    let sent = by_fetch(&ben, "POST", &format!("/posts/{reply}/reactions")).header("Origin", &hub.base).header("X-CSRF-Token", &csrf);
    let nothing = ben.send(sent.header("Content-Type", "application/x-www-form-urlencoded").body("emoji=%F0%9F%91%8D")).await;
    assert_eq!(nothing.status, 204, "{}", nothing.text);
    let own = by_fetch(&ben, "POST", &format!("/posts/{}/endorsement", s.first)).header("Origin", &hub.base).header("X-CSRF-Token", &csrf);
    let refused = ben.send(own).await;
    assert_eq!((refused.status, refused.header("content-type")), (403, "application/problem+json"));
    let parts = ben.send(by_fetch(&ben, "GET", &format!("{}?fragment=posts&ids={reply},{}", s.page, s.first))).await;
    check_fragment(&parts.text);
    assert_eq!(parts.text.matches("<article").count(), 2);
    let head = ben.send(by_fetch(&ben, "GET", &format!("{}?fragment=head", s.page))).await;
    check_fragment(&head.text);
    assert!(head.text.contains("data-topic-head"));
    let typed = by_fetch(&ben, "POST", &format!("{}/reply", s.page)).header("Origin", &hub.base).header("X-CSRF-Token", &csrf);
    let again = ben.send(typed.header("Content-Type", "application/x-www-form-urlencoded").body("body=&parent_id=")).await;
    assert_eq!(again.status, 422);
    check_fragment(&again.text);
    assert!(again.text.contains("id=\"composer\""));
    let typed = by_fetch(&ben, "POST", &format!("{}/reply", s.page)).header("Origin", &hub.base).header("X-CSRF-Token", &csrf);
    let posted = ben.send(typed.header("Content-Type", "application/x-www-form-urlencoded").body(format!("body=By+script&parent_id={reply}"))).await;
    assert_eq!(posted.status, 200);
    check_fragment(&posted.text);
    assert!(posted.text.contains("By script") && posted.text.contains("data-depth=\"1\""));
    let typed = by_fetch(&ben, "POST", "/preview").header("Origin", &hub.base).header("X-CSRF-Token", &csrf);
    let look = ben.send(typed.header("Content-Type", "application/x-www-form-urlencoded").body(format!("body=%2A%2Ahi%2A%2A&space={}", s.space))).await;
    assert_eq!((look.status, look.text.trim()), (200, "<p><strong>hi</strong></p>"));
});

hub_test!(async fn deleting_hides_and_moderators_bring_back(hub) {
    let s = scene(hub).await;
    let reply = id(&hub.reply(&s.cho, &s.topic, None, "Words to go.").await);
    hub.reply(&s.ben, &s.topic, Some(&reply), "Something hangs on it.").await;
    let (cho, cho_csrf) = browser(hub, "cho").await;
    let (ada, ada_csrf) = browser(hub, "ada").await;
    assert_eq!(cho.form(&format!("/posts/{reply}/delete"), &cho_csrf, &[]).await.status, 303);
    let page = hub.visitor().page(&s.page).await;
    good(&page);
    assert!(!page.text.contains("Words to go.") && page.text.contains("is-stub") && page.text.contains("Something hangs on it."));
    assert_eq!(cho.form(&format!("/posts/{reply}/restore"), &cho_csrf, &[]).await.status, 403);
    assert_eq!(ada.form(&format!("/posts/{reply}/restore"), &ada_csrf, &[]).await.status, 303);
    assert!(hub.visitor().page(&s.page).await.text.contains("Words to go."));

    assert_eq!(ada.form(&format!("/topics/{}/pin", s.topic), &ada_csrf, &[]).await.status, 303);
    let space = hub.visitor().page(&format!("/s/{}", s.space)).await;
    good(&space);
    assert!(space.text.contains("Pinned"));
    assert_eq!(ada.form(&format!("/topics/{}/close", s.topic), &ada_csrf, &[]).await.status, 303);
    let closed = cho.page(&s.page).await;
    good(&closed);
    assert!(!closed.text.contains("id=\"composer\""));
    assert_eq!(cho.form(&format!("{}/reply", s.page), &cho_csrf, &[("body", "Late"), ("parent_id", "")]).await.status, 403);
    let gone = ada.form(&format!("/topics/{}/delete", s.topic), &ada_csrf, &[]).await;
    assert_eq!(gone.header("location"), s.page);
    for path in [s.page.clone(), format!("/posts/{reply}"), format!("/posts/{reply}/history")] {
        assert_eq!(hub.visitor().page(&path).await.status, 404, "{path}");
        assert_eq!(cho.page(&path).await.status, 404, "{path}");
    }
    let page = ada.page(&s.page).await;
    good(&page);
    assert!(page.text.contains("only moderators see it"));
    assert!(!hub.visitor().page("/topics").await.text.contains("size a cannula"));
    assert_eq!(ada.form(&format!("/topics/{}/restore", s.topic), &ada_csrf, &[]).await.status, 303);
    assert_eq!(hub.visitor().page(&s.page).await.status, 200);
});

hub_test!(async fn what_is_not_for_somebody_is_not_there(hub) {
    let (ada, ben) = (hub.member("ada").await, hub.member("ben").await);
    let space = hub.space(&ada, "confidential").await;
    let topic = hub.topic(&ada, &space, "Behind the curtain").await;
    let post = topic["first_post_id"].as_str().unwrap();
    for path in [
        format!("/s/{space}/t/{}", id(&topic)), format!("/s/{space}/t/{}?fragment=head", id(&topic)),
        format!("/s/{space}/t/{}?fragment=posts&ids={post}", id(&topic)), format!("/s/{space}"), format!("/posts/{post}"),
        format!("/posts/{post}/history"),
    ] {
        for client in [&hub.visitor(), &ben] {
            let answer = client.page(&path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(!answer.text.contains("curtain"), "{path}");
        }
        assert_ne!(ada.page(&path).await.status, 404, "{path}");
    }
    for path in ["/", "/topics", "/tags", "/topics?author=ada"] {
        for client in [&hub.visitor(), &ben] {
            assert!(!client.page(path).await.text.contains("curtain"), "{path}");
        }
    }
    let (ben, csrf) = browser(hub, "ben").await;
    for act in ["bookmark", "endorsement", "answer", "delete", "restore"] {
        assert_eq!(ben.form(&format!("/posts/{post}/{act}"), &csrf, &[]).await.status, 404, "{act}");
    }
    for act in ["pin", "close", "delete", "restore"] {
        assert_eq!(ben.form(&format!("/topics/{}/{act}", id(&topic)), &csrf, &[]).await.status, 404, "{act}");
    }
});
