//! The pages of chat, read and used as a browser without scripts would.

use serde_json::json;

use super::chat::{room, say};
use crate::support::html::{check_fragment, check_html};
use crate::support::hub::run_with;
use crate::support::stage::{done, id};
use crate::support::{Answer, Client, Db, TestHub, hub_test};

/// Ada owns a space, Ben has joined it; a room, and both as browsers.
struct Scene {
    ada: Client,
    ben: Client,
    space: String,
    room: String,
    page: String,
    browser: Client,
    csrf: String,
}

async fn scene(hub: &TestHub) -> Scene {
    let (ada, ben) = (hub.member("ada").await, hub.member("ben").await);
    let space = hub.space(&ada, "open").await;
    done(&ben.send(ben.request("POST", &format!("/api/v1/spaces/{space}/join"))).await);
    let room = id(&room(&ada, &space, "ward", false).await);
    let browser = Client::sign_in(&hub.base, "ben").await;
    let csrf = browser.page("/rooms").await.csrf();
    Scene { ada, ben, page: format!("/s/{space}/chat/ward"), space, room, browser, csrf }
}

#[track_caller]
fn good(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    check_html(&answer.text);
}

fn part(client: &Client, path: &str) -> reqwest::RequestBuilder {
    client.request("GET", path).header("X-Requested-With", "fetch").header("Accept", "text/html")
}

hub_test!(async fn a_room_is_made_and_used_by_forms_alone(hub) {
    let s = scene(hub).await;
    let chat = format!("/s/{}/chat", s.space);
    let wrong = s.browser.form(&chat, &s.csrf, &[("name", ""), ("slug", "b b"), ("purpose", "kept <b>")]).await;
    assert_eq!(wrong.status, 422);
    check_html(&wrong.text);
    assert!(wrong.text.contains("kept &#60;b&#62;"), "{}", wrong.text);
    let taken = s.browser.form(&chat, &s.csrf, &[("name", "Ward"), ("slug", "ward"), ("purpose", "")]).await;
    assert_eq!(taken.status, 409);
    check_html(&taken.text);
    let made = s.browser.form(&chat, &s.csrf, &[("name", "Night shift"), ("slug", "nights"), ("purpose", "Who is awake")]).await;
    assert_eq!((made.status, made.header("location")), (303, format!("{chat}/nights").as_str()), "{}", made.text);
    let page = s.browser.page(&format!("{chat}/nights")).await;
    good(&page);
    assert!(page.text.contains("Who is awake") && page.text.contains("This is where Night shift begins"));
    good(&s.browser.page(&chat).await);

    // What is written comes back; the same form twice posts once.
    let page = s.browser.page(&s.page).await;
    let act = format!("/rooms/{}/messages", s.room);
    let client = page.text.split("name=\"client_id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let empty = s.browser.form(&act, &s.csrf, &[("client_id", &client), ("body", " ")]).await;
    assert_eq!(empty.status, 422);
    check_html(&empty.text);
    for _ in 0..2 {
        let sent = s.browser.form(&act, &s.csrf, &[("client_id", &client), ("body", "Good *morning*\r\nall")]).await;
        assert_eq!(sent.status, 303, "{}", sent.text);
        assert!(sent.header("location").starts_with(&format!("{}#m-", s.page)), "{}", sent.header("location"));
    }
    let page = s.browser.page(&s.page).await;
    good(&page);
    assert_eq!(page.text.matches("<em>morning</em>").count(), 1);
    let message = page.text.split("<article class=\"msg\" id=\"m-").nth(1).unwrap().split('"').next().unwrap().to_owned();

    // Everything that scripts do is a page or a form.
    good(&s.browser.page(&format!("/messages/{message}/menu")).await);
    let at = |act: &str| format!("/messages/{message}/{act}");
    for (act, fields) in [("reactions", [("emoji", "🎉")]), ("pin", [("x", "")])] {
        let done = s.browser.form(&at(act), &s.csrf, &fields).await;
        assert_eq!((done.status, done.header("location")), (303, format!("/messages/{message}").as_str()), "{}", done.text);
    }
    let page = s.browser.page(&s.page).await.text;
    assert!(page.contains("🎉 1") && page.contains("?undo=1") && page.contains("Pinned"));
    let pins = s.browser.page(&format!("{}/pins", s.page)).await;
    good(&pins);
    assert!(pins.text.contains("<em>morning</em>"));
    let saved = s.browser.form(&at("edit"), &s.csrf, &[("version", "1"), ("body", "Good evening")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stale = s.browser.form(&at("edit"), &s.csrf, &[("version", "1"), ("body", "My own words")]).await;
    assert_eq!(stale.status, 412);
    check_html(&stale.text);
    assert!(stale.text.contains("My own words</textarea>") && stale.text.contains("Good evening"));
    let history = s.browser.page(&at("history")).await;
    good(&history);
    assert!(history.text.contains("<ins>") && history.text.contains("<del>"));
    for number in 3..=12 {
        let body = json!({"body": format!("Good evening {number}")});
        assert_eq!(s.ben.patch(&format!("/api/v1/messages/{message}"), &body).await.status, 200);
    }
    let history = s.browser.page(&at("history")).await;
    good(&history);
    assert_eq!((history.text.matches("<ins>").count(), history.text.contains("version 2<")), (10, false));
    let next = history.text.split("href=\"?cursor=").nth(1).unwrap().split('"').next().unwrap();
    let older = s.browser.page(&format!("{}?cursor={next}", at("history"))).await;
    good(&older);
    assert!(older.text.contains("version 2<") && older.text.contains("version 1<"));
    let back = s.ben.patch(&format!("/api/v1/messages/{message}"), &json!({"body": "Good evening"})).await;
    assert_eq!(back.status, 200);
    let thread = format!("{}/thread/{message}", s.page);
    good(&s.browser.page(&thread).await);
    let replied = s.browser.form(&act, &s.csrf, &[("client_id", "r"), ("reply_to", &message), ("body", "Below it")]).await;
    assert!(replied.header("location").starts_with(&format!("{thread}#m-")), "{}", replied.text);
    assert!(s.browser.page(&thread).await.text.contains("Below it"));
    let page = s.browser.page(&s.page).await.text;
    assert!(page.contains("1 reply") && !page.contains("Below it"), "threads stand apart");

    // A topic of it.
    let make = format!("{}/make-topic", s.page);
    good(&s.browser.page(&format!("{}?select=1", s.page)).await);
    let form = s.browser.page(&format!("{make}?m={message}")).await;
    good(&form);
    assert!(form.text.contains("Good evening"));
    let untitled = s.browser.form(&make, &s.csrf, &[("m", &message), ("kind", "idea"), ("title", ""), ("tags", "")]).await;
    assert_eq!(untitled.status, 422);
    check_html(&untitled.text);
    let topic = s.browser.form(&make, &s.csrf, &[("m", &message), ("kind", "idea"), ("title", "Evenings"), ("tags", "icu")]).await;
    assert_eq!(topic.status, 303, "{}", topic.text);
    assert!(s.browser.page(topic.header("location")).await.text.contains("Good evening"));
    assert!(s.browser.page(&format!("{}/topics", s.page)).await.text.contains("Evenings"));

    let deleted = s.browser.form(&at("delete"), &s.csrf, &[]).await;
    assert_eq!(deleted.status, 303);
    let page = s.browser.page(&s.page).await;
    good(&page);
    assert!(page.text.contains("This message was deleted") && !page.text.contains("Good evening</p>"));
});

#[test]
fn a_long_room_is_read_from_every_side() {
    run_with(Db::Sqlite, "long-room", &[("rate_limit", "off")], async |hub| read_a_long_room(hub).await);
}

async fn read_a_long_room(hub: &TestHub) {
    let s = scene(hub).await;
    let mut seqs = Vec::new();
    for number in 1..=120 {
        let body = json!({"body": format!("Number {number}."), "client_id": number.to_string()});
        let made = done(&s.ada.post(&format!("/api/v1/rooms/{}/messages", s.room), &body).await);
        seqs.push(made["seq"].as_i64().unwrap());
    }
    let newest = s.browser.page(&s.page).await;
    good(&newest);
    assert!(
        newest.text.contains("Number 120.")
            && newest.text.contains("Number 71.")
            && !newest.text.contains("Number 70.")
    );
    assert!(newest.text.len() < 150_000, "{}", newest.text.len());
    let count: u32 = newest.header("x-queries").parse().unwrap();
    assert!(count <= 20, "{count} queries");
    let older = format!("?before={}", seqs[70]);
    assert!(newest.text.contains(&older), "a link to what is older");
    let before = s.browser.page(&format!("{}{older}", s.page)).await;
    good(&before);
    assert!(
        before.text.contains("Number 70.") && before.text.contains("Number 21.") && !before.text.contains("Number 71.")
    );
    assert!(before.text.contains(&format!("?after={}", seqs[69])));
    let linked = s.browser.page(&format!("{}?at={}", s.page, seqs[9])).await;
    good(&linked);
    assert!(
        linked.text.contains("is-target") && linked.text.contains("Number 10.") && linked.text.contains("Number 1.")
    );
    let fragment = s.browser.send(part(&s.browser, &format!("{}?fragment=messages&before={}", s.page, seqs[20]))).await;
    assert_eq!(fragment.status, 200);
    check_fragment(&fragment.text);
    assert!(fragment.text.contains("Number 20.") && fragment.text.contains("data-older=\"\""));
    for wrong in ["?at=x", "?before=-", "?fragment=messages&after=é"] {
        assert_eq!(s.browser.page(&format!("{}{wrong}", s.page)).await.status, 404, "{wrong}");
    }
    // The day has them all, each with the way to its place.
    let to = s.browser.page(&format!("{}/day", s.page)).await;
    assert_eq!(to.status, 303);
    let day = s.browser.page(to.header("location")).await;
    good(&day);
    assert!(
        day.text.contains("Number 1.")
            && day.text.contains("120 messages")
            && day.text.contains(&format!("?at={}", seqs[0]))
    );
    assert_eq!(s.browser.page(&format!("{}/day/2026-02-31", s.page)).await.status, 404);
    let none = s.browser.page(&format!("{}/day/2001-01-01", s.page)).await;
    good(&none);
    assert!(none.text.contains("Nothing was said on this day"));
}

hub_test!(async fn what_is_new_is_counted_marked_and_read(hub) {
    let s = scene(hub).await;
    // Opening the page follows the room.
    good(&s.browser.page(&s.page).await);
    say(&s.ada, &s.room, "One").await;
    say(&s.ada, &s.room, "@ben two").await;
    hub.settle().await;
    let home = s.browser.page("/topics").await.text;
    let side = home.split("data-side-room").nth(1).unwrap();
    assert!(side.contains("<span data-n>1</span>") && side.contains("unread mention"), "{side}");
    assert!(home.contains("is-mention"));
    let page = s.browser.page(&s.page).await.text;
    let new = page.find("data-new>").expect("the line above what is new");
    assert!(new < page.find("One</p>").unwrap() && page.contains("data-new-after"));
    let list = s.browser.page("/rooms").await;
    good(&list);
    assert!(list.text.contains("is-unread"));
    let notices = s.browser.page("/notices").await;
    good(&notices);
    assert!(notices.text.contains("ada Example mentioned you") && notices.text.contains("1 unread notice"));
    let read = s.browser.form(&format!("/rooms/{}/read", s.room), &s.csrf, &[]).await;
    assert_eq!((read.status, read.header("location")), (303, s.page.as_str()));
    assert!(!s.browser.page(&s.page).await.text.contains("data-new>"));
    assert!(!s.browser.page("/rooms").await.text.contains("row is-tight is-unread"));

    // Muted, a favourite, left.
    for act in ["mute", "favourite"] {
        let set = s.browser.form(&format!("/rooms/{}/{act}", s.room), &s.csrf, &[("next", "settings")]).await;
        assert_eq!(set.header("location"), format!("{}/settings", s.page), "{}", set.text);
    }
    say(&s.ada, &s.room, "Three").await;
    let list = s.browser.page("/rooms").await.text;
    assert!(list.contains("Muted") && list.contains("Favourite") && !list.contains("row is-tight is-unread"));
    good(&s.browser.page(&format!("{}/settings", s.page)).await);
    assert_eq!(s.browser.form(&format!("/rooms/{}/leave", s.room), &s.csrf, &[]).await.header("location"), "/rooms");
    assert!(!s.browser.page("/rooms").await.text.contains("Room ward"));
});

hub_test!(async fn conversations_begin_by_form_and_end_with_a_block(hub) {
    let s = scene(hub).await;
    for (handles, status) in [("", 422), ("nobody-here", 422), ("@ada, ", 303)] {
        let opened = s.browser.form("/direct", &s.csrf, &[("handles", handles)]).await;
        assert!(opened.status == status || (status == 422 && opened.status == 404), "{handles}: {} {}", opened.status, opened.text);
        if opened.status == 422 {
            check_html(&opened.text);
        }
    }
    let opened = s.browser.form("/direct", &s.csrf, &[("handles", "ada")]).await;
    let page = opened.header("location").to_owned();
    assert!(page.starts_with("/direct/"), "{}", opened.text);
    let room = page.strip_prefix("/direct/").unwrap().to_owned();
    let sent = s.browser.form(&format!("/rooms/{room}/messages"), &s.csrf, &[("client_id", "1"), ("body", "Only us")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let shown = s.browser.page(&page).await;
    good(&shown);
    assert!(shown.text.contains("Only us") && shown.text.contains("<span>ada Example</span>"));
    good(&s.browser.page("/direct").await);
    good(&s.browser.page(&format!("{page}/settings")).await);
    let profile = s.browser.page("/people/ada").await;
    good(&profile);
    assert!(profile.text.contains("/people/ada/block"));
    assert_eq!(s.browser.form("/people/ada/block", &s.csrf, &[]).await.header("location"), "/people/ada");
    assert!(s.browser.page("/people/ada").await.text.contains("You have blocked ada Example"));
    let closed = s.browser.page(&page).await;
    good(&closed);
    assert!(closed.text.contains("You cannot write to each other.") && !closed.text.contains("data-chat"));
    assert_eq!(s.browser.form("/people/ada/block?undo=1", &s.csrf, &[]).await.status, 303);
    assert!(s.browser.page(&page).await.text.contains("data-chat"));
    let away = s.browser.form("/settings/availability", &s.csrf, &[("availability", "away"), ("next", "/rooms")]).await;
    assert_eq!(away.header("location"), "/rooms");
    let rooms = s.browser.page("/rooms").await.text;
    assert!(rooms.contains("value=\"away\" aria-pressed=\"true\""), "{rooms}");
    // A room of others does not exist.
    let eve = hub.member("eve").await;
    drop(eve);
    let eve = Client::sign_in(&hub.base, "eve").await;
    assert_eq!(eve.page(&page).await.status, 404);
    assert_eq!(s.ben.get("/api/v1/direct").await.status, 200);
});

#[test]
fn the_page_of_a_full_room_is_light() {
    run_with(Db::Sqlite, "light-room", &[("rate_limit", "off")], async |hub| weigh(hub).await);
}

async fn weigh(hub: &TestHub) {
    let s = scene(hub).await;
    for number in 0..20 {
        let other = id(&room(&s.ada, &s.space, &format!("room-{number}"), false).await);
        done(&s.ben.send(s.ben.request("PUT", &format!("/api/v1/rooms/{other}/follow"))).await);
    }
    let mut texts = 0;
    for number in 1..=50 {
        let who = if number % 6 < 3 { &s.ada } else { &s.ben };
        let text = format!("Number {number} of those that weigh the page.");
        texts += text.len();
        let body = json!({"body": text, "client_id": number.to_string()});
        done(&who.post(&format!("/api/v1/rooms/{}/messages", s.room), &body).await);
    }
    let page = s.browser.page(&s.page).await;
    good(&page);
    let weight = page.text.len() - texts;
    assert!(weight < 45_000, "{weight} bytes without what was said");
    for part in ["message-menu", "id=\"words\"", "hidden><span data-n>0</span><span class=\"sr\"> unread message"] {
        assert!(!page.text.contains(part), "{part} comes when it is needed");
    }
    // Each part that an open page asks for is that part alone.
    for (query, holds) in [("head", "data-room-head"), ("beside", "room-about"), ("menu", "id=\"message-menu\"")] {
        let answer = s.browser.send(part(&s.browser, &format!("{}?fragment={query}", s.page))).await;
        assert_eq!(answer.status, 200);
        check_fragment(&answer.text);
        assert!(answer.text.contains(holds) && !answer.text.contains("data-side-room"), "{query}: {}", answer.text);
    }
}
