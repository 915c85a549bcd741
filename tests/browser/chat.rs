//! Two people in a room, in two browsers side by side: what one does the other sees, and what was
//! said while the line was down arrives once and in order.

use serde_json::{Value, json};

use super::{Browser, Driver};
use crate::support::hub::run_with;
use crate::support::stage::{done, id};
use crate::support::{Client, Db, TestHub, hub_test};

pub async fn sign_in(browser: &Browser, handle: &str) {
    browser.open("/login").await;
    browser.fill("[name=login]", handle).await;
    browser.fill("[name=password]", &crate::support::hub::password(handle)).await;
    browser.send("main form .btn-primary").await;
    browser.find(&format!("meta[name=me][content={handle}]")).await;
}

/// An open space of Ada's with a room, both joined by the other two.
pub async fn scene(hub: &TestHub) -> (Client, Client, String, String) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "open").await;
    done(&bea.send(bea.request("POST", &format!("/api/v1/spaces/{space}/join"))).await);
    let room = json!({"slug": "ward", "name": "Ward round", "purpose": "What happens today"});
    let room = id(&done(&ada.post(&format!("/api/v1/spaces/{space}/rooms"), &room).await));
    (ada, bea, space, room)
}

/// Opens a room and waits until its scripts have taken over its composer.
pub async fn enter(browser: &Browser, page: &str) {
    browser.open(page).await;
    browser.find("main form[data-chat][data-enhanced]").await;
}

pub async fn say(browser: &Browser, text: &str) {
    browser.fill("main .view:not(.thread-view) form[data-chat] textarea", text).await;
    browser.ask("document.querySelector('main form[data-chat]').requestSubmit(); return true").await;
}

/// Waits until the log shows exactly these texts, in this order.
pub async fn shows(browser: &Browser, who: &str, texts: &[&str]) {
    let script = format!(
        "return JSON.stringify([...document.querySelectorAll('main [data-log] > .msg > .msg-body')]\
         .map((body) => body.innerText.trim())) === JSON.stringify({})",
        json!(texts)
    );
    browser.until(&format!("{who} sees {texts:?}"), &script).await;
}

hub_test!(async fn two_people_talk_side_by_side(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, _, space, _) = scene(hub).await;
    let (ada, bea) = (driver.open(&hub.base, 1280).await, driver.open(&hub.base, 1280).await);
    sign_in(&ada, "ada").await;
    sign_in(&bea, "bea").await;
    let page = format!("/s/{space}/chat/ward");
    enter(&ada, &page).await;
    enter(&bea, &page).await;
    for browser in [&ada, &bea] {
        browser.ask("window.stays = true").await;
    }

    // A word, live, and who is writing.
    say(&ada, "Good **morning**").await;
    shows(&ada, "ada", &["Good morning"]).await;
    bea.find("[data-by=ada] .msg-body strong").await;
    bea.ask("document.querySelector('main form[data-chat] textarea').focus()").await;
    bea.find("main form[data-chat] textarea").await.send_keys("I").await.unwrap();
    ada.until("who is writing", "return document.querySelector('[data-typing]').textContent.includes('bea Example')").await;
    say(&bea, "Morning :)").await;
    shows(&ada, "ada", &["Good morning", "Morning :)"]).await;
    ada.until("nobody is writing", "return !document.querySelector('[data-typing]').textContent").await;

    // A reaction, shown at once and to the other.
    ada.ask("document.querySelector('[data-by=bea] .msg-more').click()").await;
    ada.click("[data-by=bea] .menu-body button[value='🎉']").await;
    for browser in [&ada, &bea] {
        browser.until("the reaction", "return document.querySelector('[data-by=bea] [data-reactions]').innerText.trim() === '🎉 1'").await;
    }

    // A thread beside the room.
    bea.ask("document.querySelector('[data-by=ada] .msg-more').focus()").await;
    bea.ask("document.querySelector('[data-by=ada] > .msg-acts [data-thread-link]').click()").await;
    bea.fill("[data-panel] form[data-chat] textarea", "About that").await;
    bea.ask("document.querySelector('[data-panel] form[data-chat]').requestSubmit()").await;
    bea.until("the reply in the thread", "return [...document.querySelectorAll('[data-panel] [data-log] .msg-body')].at(-1)?.innerText.trim() === 'About that'").await;
    ada.until("the count of replies", "return document.querySelector('[data-by=ada] .msg-thread')?.innerText.includes('1 reply')").await;
    shows(&ada, "ada", &["Good morning", "Morning :)"]).await;

    // An edit in place.
    ada.ask("document.querySelector('[data-by=ada] .msg-more').click()").await;
    ada.click("[data-by=ada] .menu-body [data-edit]").await;
    ada.fill("[data-by=ada] .msg-edit textarea", "Good evening").await;
    ada.click("[data-by=ada] .msg-edit .btn-primary").await;
    shows(&ada, "ada", &["Good evening", "Morning :)"]).await;
    bea.until("the edited text", "return document.querySelector('main [data-by=ada] .msg-body').innerText.trim() === 'Good evening'").await;
    bea.find("main [data-by=ada] .msg-edited").await;

    // Deleted: a stub in both.
    bea.ask("document.querySelector('[data-panel-close]').click()").await;
    bea.ask("document.querySelector('main [data-by=bea] .msg-more').click()").await;
    bea.click("main [data-by=bea] .menu-body [formaction$='/delete']").await;
    bea.click("dialog[open] .btn-danger").await;
    for browser in [&ada, &bea] {
        browser.find("main [data-by=bea].is-stub").await;
    }
    for (who, browser) in [("ada", &ada), ("bea", &bea)] {
        assert_eq!(browser.ask("return window.stays === true").await, true, "{who}'s page was never loaded again");
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{who}: {complaints:?}");
    }
    // Loaded again, it is the same.
    ada.open(&page).await;
    ada.find("main [data-by=bea].is-stub").await;
    assert_eq!(ada.ask("return document.querySelector('main [data-by=ada] .msg-body').innerText.trim()").await, "Good evening");
    ada.close().await;
    bea.close().await;
});

hub_test!(async fn a_mention_rings_the_bell_wherever_one_is(hub) {
    let Some(driver) = Driver::start() else { return };
    let (ada, bea, _, room) = scene(hub).await;
    done(&bea.send(bea.request("PUT", &format!("/api/v1/rooms/{room}/follow"))).await);
    let browser = driver.open(&hub.base, 1280).await;
    sign_in(&browser, "bea").await;
    browser.open("/topics").await;
    browser.find("[data-bell] [data-unread][hidden]").await;
    browser.until("the socket", "return performance.getEntriesByType('resource').some((one) => one.name.includes('side.js'))").await;
    let body = json!({"body": "@bea are you there?", "client_id": "one"});
    done(&ada.post(&format!("/api/v1/rooms/{room}/messages"), &body).await);
    browser.find("[data-bell] [data-unread]:not([hidden])").await;
    browser.until("the room in the sidebar", &format!("return document.querySelector('.side [data-side-room=\"{room}\"]').classList.contains('is-unread')")).await;
    browser.open("/notices").await;
    browser.find(".rows .is-unread .row-title a").await;
    browser.send("main .head-actions button").await;
    browser.find("[data-bell] [data-unread][hidden]").await;
    browser.close().await;
});

#[test]
fn what_is_written_without_a_connection_goes_out_once_and_in_order() {
    let Some(driver) = Driver::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut hub = TestHub::start(Db::Sqlite, "offline", &[]).await;
        let (_, mut bea, space, room) = scene(&hub).await;
        let browser = driver.open(&hub.base, 1280).await;
        sign_in(&browser, "ada").await;
        enter(&browser, &format!("/s/{space}/chat/ward")).await;
        browser.ask("window.stays = true").await;
        say(&browser, "before").await;
        shows(&browser, "ada", &["before"]).await;

        // Another tab of the same browser.
        let first = browser.client.window().await.unwrap();
        let second = browser.client.new_window(true).await.unwrap().handle;
        browser.client.switch_to_window(second.clone()).await.unwrap();
        enter(&browser, &format!("/s/{space}/chat/ward")).await;
        shows(&browser, "the other tab", &["before"]).await;
        browser.client.switch_to_window(first.clone()).await.unwrap();

        // The server is gone; three messages wait, pale, in their order, in both tabs.
        hub.settings.insert("bind".into(), hub.base.strip_prefix("http://").unwrap().to_owned());
        hub.stop().await;
        for text in ["one", "two", "three"] {
            say(&browser, text).await;
        }
        for window in [&second, &first] {
            browser.client.switch_to_window(window.clone()).await.unwrap();
            browser
                .until(
                    "three that wait",
                    "return [...document.querySelectorAll('[data-outbox] .is-waiting .msg-body')]\
                     .map((body) => body.innerText.trim()).join() === 'one,two,three'",
                )
                .await;
        }

        hub.resume().await;
        bea.base.clone_from(&hub.base);
        for window in [&second, &first] {
            browser.client.switch_to_window(window.clone()).await.unwrap();
            shows(&browser, "a tab", &["before", "one", "two", "three"]).await;
            browser.until("nothing waits", "return !document.querySelector('[data-outbox]').children.length").await;
        }
        assert_eq!(browser.ask("return window.stays === true").await, true, "never loaded again");
        let listed = done(&bea.get(&format!("/api/v1/rooms/{room}/messages")).await);
        let texts: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|one| &one["body"]).collect();
        assert_eq!(texts, ["before", "one", "two", "three"]);
        browser.close().await;
        hub.finish().await;
    });
}

/// Where a message stands in the window, in whole pixels; null if it is not in the page.
fn place_of(text: &str) -> String {
    format!(
        "const found = [...document.querySelectorAll('[data-log] > .msg')]\
         .find((one) => one.querySelector('.msg-body').innerText.trim() === {}); \
         return found ? Math.round(found.getBoundingClientRect().top) : null",
        json!(text)
    )
}

#[test]
fn history_comes_from_both_sides_and_nothing_moves() {
    run_with(Db::Sqlite, "history", &[("rate_limit", "off")], async |hub| scroll_through(hub).await);
}

async fn scroll_through(hub: &TestHub) {
    let Some(driver) = Driver::start() else { return };
    let (ada, bea, space, room) = scene(hub).await;
    let mut seqs = Vec::new();
    for number in 0..200 {
        let body = json!({"body": format!("Number {number}"), "client_id": number.to_string()});
        seqs.push(done(&bea.post(&format!("/api/v1/rooms/{room}/messages"), &body).await)["seq"].as_i64().unwrap());
    }
    let browser = driver.open(&hub.base, 1280).await;
    sign_in(&browser, "ada").await;

    // A linked message stands in sight, marked, with what is around it.
    enter(&browser, &format!("/s/{space}/chat/ward?at={}", seqs[100])).await;
    browser.find(".msg.is-target").await;
    let top = browser.ask(&place_of("Number 100")).await.as_i64().unwrap();
    assert!((100..700).contains(&top), "{top}");

    // Going up: older ones come, and what is in sight stays where it is.
    // Some of them may have come already, as the end of what is here was near.
    let top = "const texts = [...document.querySelectorAll('[data-log] > .msg .msg-body')].map((body) => body.innerText.trim());";
    let first = browser
        .ask(&format!("{top} document.querySelector('[data-scroll]').scrollTop = -100000; return texts[0]"))
        .await;
    browser.until("older messages", &format!("{top} return texts[0] !== {first}")).await;
    browser.until("an end of fetching", "return !document.querySelector('[data-log][aria-busy]')").await;
    let before = browser.ask("const log = document.querySelector('[data-scroll]').getBoundingClientRect(); \
        return [...document.querySelectorAll('[data-log] > .msg')].filter((one) => one.getBoundingClientRect().top > log.top)[0].querySelector('.msg-body').innerText.trim()").await;
    let before = before.as_str().unwrap().to_owned();
    // What stood above the first, a heading and a link, is a few messages high.
    let number = |text: &str| text.strip_prefix("Number ").unwrap().parse::<i64>().unwrap();
    let moved = number(&before) - number(first.as_str().unwrap());
    assert!((-8..=2).contains(&moved), "still there and not at the new top: {before} after {first}");

    // What is said meanwhile waits behind the pill.
    let stays = browser.ask(&place_of(&before)).await;
    done(
        &bea.post(&format!("/api/v1/rooms/{room}/messages"), &json!({"body": "The newest", "client_id": "new"})).await,
    );
    browser
        .until(
            "the pill",
            "return document.querySelector('[data-pill]:not([hidden])')?.innerText.includes('1 new message')",
        )
        .await;
    assert_eq!(browser.ask(&place_of(&before)).await, stays, "nothing moved");
    browser.click("[data-pill]").await;
    browser
        .until(
            "the newest",
            "return [...document.querySelectorAll('[data-log] .msg-body')].at(-1).innerText.trim() === 'The newest'",
        )
        .await;
    browser.until("the end", "return document.querySelector('[data-scroll]').scrollTop > -5").await;
    let most = browser.ask("return document.querySelectorAll('[data-log] > .msg').length").await;
    assert!(most.as_u64().unwrap() <= 300, "{most}");

    // What lies above this page was not seen: it is read when the reader says so.
    assert!(done(&ada.get(&format!("/api/v1/rooms/{room}")).await)["mine"]["unread"].as_i64().unwrap() > 0);
    browser.click(".unread-above button").await;
    let script =
        format!("return !document.querySelector('.side [data-side-room=\"{room}\"]').classList.contains('is-unread')");
    browser.until("nothing unread", &script).await;
    let mine = done(&ada.get(&format!("/api/v1/rooms/{room}")).await);
    assert_eq!(mine["mine"]["unread"], 0);
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    browser.close().await;
}
