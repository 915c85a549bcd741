//! What comes at the wrong moment: while a part of the history, a thread or a change of account is
//! under way. Nothing of it is lost, and nothing is sent by somebody else.

use serde_json::json;

use super::chat::{enter, say, scene, shows, sign_in};
use super::chat_more::{FIELD, holds, inside, menu_of, post};
use super::{Browser, Driver};
use crate::support::hub::run_with;
use crate::support::stage::{done, id};
use crate::support::{Client, Db, TestHub, hub_test};

const ENTER: &str = "\u{e007}";

/// From now on the page gets an answer that is from before now, when `open()` is called, for
/// addresses with this part in them.
async fn answer_late(browser: &Browser, path: &str, part: &str) {
    let script = format!(
        "const headers = {{'X-Requested-With': 'fetch'}}; \
         return fetch({path}, {{headers}}).then((old) => {{ \
           const real = window.fetch; \
           let open; const gate = new Promise((done) => {{ open = done; }}); \
           window.asked = 0; window.open_gate = open; \
           window.fetch = (url, options) => {{ \
             if (!String(url).includes({part}) || String(url).includes('ids=')) return real(url, options); \
             window.asked += 1; return gate.then(() => old.clone()); \
           }}; \
           return true; \
         }})",
        path = json!(path),
        part = json!(part)
    );
    assert_eq!(browser.ask(&script).await, true);
}

async fn opens(browser: &Browser) {
    browser.until("it was asked for", "return window.asked > 0").await;
    browser.ask("window.open_gate(); return true").await;
}

/// The last texts of the main column.
fn ends_with(texts: &[&str]) -> String {
    format!(
        "const all = [...document.querySelectorAll('main [data-view=\"\"] [data-log] > .msg > .msg-body')]\
         .map((body) => body.innerText.trim()); \
         return JSON.stringify(all.slice(-{})) === JSON.stringify({})",
        texts.len(),
        json!(texts)
    )
}

#[test]
fn what_comes_while_the_newest_page_is_fetched_is_shown() {
    run_with(Db::Sqlite, "late-page", &[("rate_limit", "off")], async |hub| come_late(hub).await);
}

async fn come_late(hub: &TestHub) {
    let Some(driver) = Driver::start() else { return };
    let (ada, bea, space, room) = scene(hub).await;
    let mut seqs = Vec::new();
    // Long ones on a phone: what is around a linked message is far from its ends.
    let filler = "which takes some lines where the window is narrow ".repeat(5);
    for number in 0..120 {
        let body = json!({"body": format!("Number {number} {filler}"), "client_id": number.to_string()});
        let made = done(&bea.post(&format!("/api/v1/rooms/{room}/messages"), &body).await);
        seqs.push(made["seq"].as_i64().unwrap());
    }
    let page = format!("/s/{space}/chat/ward");
    let browser = inside(&driver, hub, "ada", &format!("{page}?at={}", seqs[20]), 390).await;

    // One writes far up: the newest page is on its way, and older than what one has written.
    answer_late(&browser, &format!("{page}?fragment=messages&"), "fragment=messages&").await;
    say(&browser, "Mine").await;
    browser.until("it was asked for", "return window.asked > 0").await;
    let there = "return fetch('/api/v1/rooms/ROOM/messages?limit=1', {headers: {Accept: 'application/json'}})\
        .then((answer) => answer.json()).then((page) => page.items[0].body === 'Mine')";
    browser.until("the server has it", &there.replace("ROOM", &room)).await;
    post(&bea, &room, "And hers").await;
    let told = "return document.querySelector('[data-pill] span').textContent.includes('1 new message')";
    browser.until("the other has come too", told).await;
    browser.ask("window.open_gate(); return true").await;
    browser.until("both are there", &ends_with(&["Mine", "And hers"])).await;
    browser.until("nothing waits", "return !document.querySelector('[data-outbox]').children.length").await;

    // By scrolling to the end: the last part is older than what has come.
    enter(&browser, &format!("{page}?at={}", seqs[95])).await;
    let last = seqs[119];
    answer_late(&browser, &format!("{page}?fragment=messages&after={last}"), &format!("after={last}")).await;
    browser.ask("document.querySelector('main [data-scroll]').scrollTop = 0; return true").await;
    browser.until("it was asked for", "return window.asked > 0").await;
    post(&bea, &room, "One more").await;
    browser.until("it has come", told).await;
    opens(&browser).await;
    browser.until("it is there", &ends_with(&["Mine", "And hers", "One more"])).await;
    let listed = done(&ada.get(&format!("/api/v1/rooms/{room}/messages?limit=5")).await);
    assert_eq!(listed["items"].as_array().unwrap().iter().filter(|one| one["body"] == "Mine").count(), 1);
    browser.close().await;
}

#[test]
fn another_account_in_the_same_browser_sends_nothing_of_the_first() {
    let Some(driver) = Driver::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut hub = TestHub::start(Db::Sqlite, "two-accounts", &[]).await;
        let (_, mut bea, space, room) = scene(&hub).await;
        let page = format!("/s/{space}/chat/ward");
        let browser = inside(&driver, &hub, "ada", &page, 1280).await;
        say(&browser, "By ada").await;
        shows(&browser, "ada", &["By ada"]).await;

        // Bea signs in in another tab, without anybody having signed out.
        let first = browser.client.window().await.unwrap();
        let second = browser.client.new_window(true).await.unwrap().handle;
        browser.client.switch_to_window(second).await.unwrap();
        browser.open("/privacy").await;
        browser.client.delete_all_cookies().await.unwrap();
        sign_in(&browser, "bea").await;
        browser.client.switch_to_window(first).await.unwrap();

        // The connection is lost and comes back, now with her cookie.
        hub.settings.insert("bind".into(), hub.base.strip_prefix("http://").unwrap().to_owned());
        hub.stop().await;
        say(&browser, "Whose is this?").await;
        browser.find("[data-outbox] .is-waiting").await;
        hub.resume().await;
        bea.base.clone_from(&hub.base);
        let said = "return document.querySelector('[data-connection]').textContent.includes('Somebody else')";
        browser.until("that somebody else is signed in", said).await;
        say(&browser, "And this?").await;
        let both = "return document.querySelectorAll('[data-outbox] .is-waiting:not(.is-sent)').length === 2";
        browser.until("both wait", both).await;
        assert_eq!(browser.ask("return localStorage.getItem('outbox')").await, "1", "what waits is remembered");
        let listed = done(&bea.get(&format!("/api/v1/rooms/{room}/messages")).await);
        let texts: Vec<_> = listed["items"].as_array().unwrap().iter().map(|one| one["body"].clone()).collect();
        assert_eq!(texts, ["By ada"]);

        // Signed in again she finds it, and it goes out under her name.
        browser.client.delete_all_cookies().await.unwrap();
        sign_in(&browser, "ada").await;
        enter(&browser, &page).await;
        shows(&browser, "ada", &["By ada", "Whose is this?", "And this?"]).await;
        let authors =
            "return [...document.querySelectorAll('[data-log] > .msg')].every((one) => one.dataset.by === 'ada')";
        assert_eq!(browser.ask(authors).await, true);
        browser.close().await;
        hub.finish().await;
    });
}

/// A reply in a thread, written past the browser.
async fn reply(who: &Client, room: &str, to: &str, text: &str) {
    let body = json!({"body": text, "client_id": text, "reply_to": to});
    done(&who.post(&format!("/api/v1/rooms/{room}/messages"), &body).await);
}

/// Waits until the panel shows exactly these texts.
async fn panel(browser: &Browser, texts: &[&str]) {
    let script = format!(
        "return JSON.stringify([...document.querySelectorAll('[data-panel] [data-log] > .msg > .msg-body')]\
         .map((body) => body.innerText.trim())) === JSON.stringify({})",
        json!(texts)
    );
    browser.until(&format!("the panel shows {texts:?}"), &script).await;
}

/// Opens the thread of a message beside its room.
pub fn opener(message: &str) -> String {
    format!(
        "const more = document.querySelector('#m-{message} .msg-more'); more.focus(); \
         document.querySelector('#m-{message} > .msg-acts [data-thread-link]').click(); return true"
    )
}

hub_test!(async fn a_reply_that_comes_while_its_thread_opens_is_in_it(hub) {
    let Some(driver) = Driver::start() else { return };
    let (by_ada, by_bea, space, room) = scene(hub).await;
    let (one, other) = (id(&post(&by_ada, &room, "One").await), id(&post(&by_ada, &room, "Other").await));
    let page = format!("/s/{space}/chat/ward");
    let browser = inside(&driver, hub, "ada", &page, 1280).await;
    let path = format!("{page}/thread/{one}");
    answer_late(&browser, &format!("{path}?fragment=1"), &path).await;
    browser.ask(&opener(&one)).await;
    browser.until("it was asked for", "return window.asked > 0").await;
    reply(&by_bea, &room, &one, "Meanwhile").await;
    let told = format!("return document.querySelector('#m-{one} .msg-thread')?.innerText.includes('1 reply') === true");
    browser.until("the reply has come", &told).await;
    opens(&browser).await;
    panel(&browser, &["One", "Meanwhile"]).await;
    browser.ask("document.querySelector('[data-panel-close]').click()").await;
    let back = format!("return document.activeElement.closest('.msg')?.id === 'm-{one}'");
    browser.until("the focus is back where one came from", &back).await;

    // Two presses in a row: the second one counts, whichever answer comes first.
    enter(&browser, &page).await;
    answer_late(&browser, &format!("{path}?fragment=1"), &path).await;
    browser.ask(&opener(&one)).await;
    browser.ask(&opener(&other)).await;
    panel(&browser, &["Other"]).await;
    opens(&browser).await;
    reply(&by_bea, &room, &other, "Here").await;
    panel(&browser, &["Other", "Here"]).await;
    assert_eq!(browser.ask("return document.querySelectorAll('[data-panel] [data-view]').length").await, 1);
    browser.close().await;
});

#[test]
fn what_is_unread_further_up_stays_unread_until_it_is_seen() {
    run_with(Db::Sqlite, "unread-above", &[("rate_limit", "off")], async |hub| stay_unread(hub).await);
}

async fn stay_unread(hub: &TestHub) {
    let Some(driver) = Driver::start() else { return };
    let (ada, bea, space, room) = scene(hub).await;
    done(&ada.send(ada.request("PUT", &format!("/api/v1/rooms/{room}/follow"))).await);
    for number in 0..70 {
        post(&bea, &room, &format!("Number {number}")).await;
    }
    let page = format!("/s/{space}/chat/ward");
    let browser = inside(&driver, hub, "ada", &page, 1280).await;
    let unread = || async { done(&ada.get(&format!("/api/v1/rooms/{room}")).await)["mine"]["unread"].clone() };

    // At the end, for longer than a mark takes: the first of it has not been seen.
    browser.find(".unread-above").await;
    assert_eq!(browser.ask("return document.querySelectorAll('[data-new]').length").await, 0, "the line is not here");
    browser.ask("window.began = performance.now()").await;
    browser.until("a second", "return performance.now() - window.began > 1000").await;
    assert_eq!(unread().await, 70);

    // Reading up to the line: then it is seen, and at the end all of it is read.
    browser.ask("document.querySelector('main [data-scroll]').scrollTop = -100000").await;
    browser.until("the older ones", "return document.querySelectorAll('[data-log] > .msg').length === 70").await;
    browser.ask("document.querySelector('[data-new]').scrollIntoView()").await;
    browser.until("the way there is gone", "return !document.querySelector('.unread-above')").await;
    browser.ask("document.querySelector('main [data-scroll]').scrollTop = 0").await;
    let read = format!("return !document.querySelector('.side [data-side-room=\"{room}\"]').matches('.is-unread')");
    browser.until("all of it is read", &read).await;
    assert_eq!(unread().await, 0);

    // Or by the button.
    browser.open("/topics").await;
    for number in 0..60 {
        post(&bea, &room, &format!("Later {number}")).await;
    }
    enter(&browser, &page).await;
    browser.click(".unread-above button").await;
    browser.until("the way there is gone", "return !document.querySelector('.unread-above')").await;
    browser.until("all of it is read", &read).await;
    assert_eq!(unread().await, 0);

    // A linked message far beyond: no line where the first unread message is not.
    browser.open("/topics").await;
    let mut last = 0;
    for number in 0..120 {
        last = post(&bea, &room, &format!("Last {number}")).await["seq"].as_i64().unwrap();
    }
    enter(&browser, &format!("{page}?at={last}")).await;
    assert_eq!(browser.ask("return document.querySelectorAll('[data-new]').length").await, 0);
    browser.find(".unread-above").await;
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    browser.close().await;
}

hub_test!(async fn what_is_typed_while_one_sends_stays(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, _, space, _) = scene(hub).await;
    let browser = inside(&driver, hub, "ada", &format!("/s/{space}/chat/ward"), 390).await;

    // Twice in a row, and a letter before the first is kept.
    let twice = format!(
        "const text = document.querySelector('{FIELD}'); text.value = 'Once'; \
         text.form.requestSubmit(); text.form.requestSubmit(); text.value = 'next'; return true"
    );
    browser.ask(&twice).await;
    shows(&browser, "ada", &["Once"]).await;
    holds(&browser, "next").await;
    let held = format!(
        "const text = document.querySelector('{FIELD}'); for (const repeat of [true, true]) text.dispatchEvent( \
         new KeyboardEvent('keydown', {{key: 'Enter', repeat, bubbles: true, cancelable: true}})); return text.value"
    );
    assert_eq!(browser.ask(&held).await, "next", "a key that is held sends nothing");
    browser.find(FIELD).await.send_keys(ENTER).await.unwrap();
    shows(&browser, "ada", &["Once", "next"]).await;
    browser.close().await;
});

hub_test!(async fn an_edit_stays_open_whatever_happens_to_its_message(hub) {
    let Some(driver) = Driver::start() else { return };
    let (by_ada, by_bea, space, room) = scene(hub).await;
    let own = id(&post(&by_ada, &room, "As it was").await);
    let browser = inside(&driver, hub, "ada", &format!("/s/{space}/chat/ward"), 1280).await;
    menu_of(&browser, "[data-by=ada]").await;
    browser.click("[data-by=ada] .menu-body [data-edit]").await;
    browser.fill("[data-by=ada] .msg-edit textarea", "Half way").await;
    done(&by_bea.put(&format!("/api/v1/messages/{own}/pin")).await);
    done(&by_bea.put(&format!("/api/v1/messages/{own}/reactions/%F0%9F%8E%89")).await);
    browser.find("[data-by=ada] [data-reactions] .reaction").await;
    browser.until("the text", "return document.querySelector('.msg-edit textarea')?.value === 'Half way'").await;
    browser.click("[data-by=ada] .msg-edit .btn-quiet").await;
    browser.find("[data-by=ada] .msg-head .label").await;

    // By the keyboard alone: e opens it.
    browser.ask("const one = document.querySelector('[data-by=ada].msg'); one.tabIndex = -1; one.focus()").await;
    browser.ask("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'e', bubbles: true, cancelable: true}))").await;
    browser.find("[data-by=ada] .msg-edit textarea").await;
    browser.close().await;
});

hub_test!(async fn a_room_that_is_left_leaves_the_sidebar(hub) {
    let Some(driver) = Driver::start() else { return };
    let (by_ada, _, space, _) = scene(hub).await;
    let secret = json!({"slug": "secret", "name": "Secret", "purpose": "", "private": true});
    let secret = id(&done(&by_ada.post(&format!("/api/v1/spaces/{space}/rooms"), &secret).await));
    let browser = driver.open(&hub.base, 1280).await;
    sign_in(&browser, "bea").await;
    browser.open("/topics").await;
    let link = format!(".side [data-side-room='{secret}']");
    let loaded = "return performance.getEntriesByType('resource').some((one) => one.name.includes('side.js'))";
    browser.until("the scripts", loaded).await;
    done(&by_ada.put(&format!("/api/v1/rooms/{secret}/members/bea")).await);
    browser.find(&link).await;
    assert_eq!(browser.ask("return document.querySelectorAll('.side [data-unread]').length").await, 0);
    post(&by_ada, &secret, "Welcome").await;
    browser.find(&format!("{link} [data-unread]")).await;

    // Who leaves by the menu of the room comes to the rooms, and not to what is no longer there.
    enter(&browser, &format!("/s/{space}/chat/secret")).await;
    browser.ask("document.querySelector('[form=leave]').click()").await;
    browser.click("dialog[open] button[value=yes]").await;
    browser.until("the rooms", "return location.pathname === '/rooms' && document.readyState === 'complete'").await;
    browser.until("the scripts", loaded).await;
    done(&by_ada.put(&format!("/api/v1/rooms/{secret}/members/bea")).await);
    browser.find(&link).await;
    assert_eq!(by_ada.delete(&format!("/api/v1/rooms/{secret}/members/bea")).await.status, 204);
    browser.until("it is gone", &format!("return !document.querySelector(\"{link}\")")).await;
    browser.close().await;
});

/// The smallest PNG: one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR4nGP4DwQACfsD/fteaysAAAAASUVORK5CYII=";

hub_test!(async fn a_draft_keeps_its_files_and_text_is_pasted_as_text(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, _, space, _) = scene(hub).await;
    let page = format!("/s/{space}/chat/ward");
    let browser = inside(&driver, hub, "ada", &page, 390).await;
    let paste = |more: &str| {
        format!(
            "const bytes = Uint8Array.from(atob('{PIXEL}'), (sign) => sign.charCodeAt(0)); \
             const data = new DataTransfer(); data.items.add(new File([bytes], 'pump.png', {{type: 'image/png'}})); {more} \
             const event = new ClipboardEvent('paste', {{clipboardData: data, bubbles: true, cancelable: true}}); \
             document.querySelector('{FIELD}').dispatchEvent(event); return event.defaultPrevented"
        )
    };
    // A cell of a table comes with a picture of itself.
    let cell = "data.setData('text/plain', '5.25'); data.setData('text/html', '<b>5.25</b>');";
    assert_eq!(browser.ask(&paste(cell)).await, false, "the browser pastes the text");
    assert_eq!(browser.ask("return document.querySelector('[data-attached]').children.length").await, 0);

    assert_eq!(browser.ask(&paste("")).await, true);
    browser.find("[data-attached] > .attachment[data-markdown] img").await;
    browser.client.refresh().await.unwrap();
    browser.find("main form[data-chat][data-enhanced]").await;
    browser.find("[data-attached] > .attachment[data-markdown] img").await;
    say(&browser, "As promised").await;
    let there = "const body = document.querySelector('[data-log] > [data-by=ada] > .msg-body'); \
        return !!body?.querySelector('img[alt=\"pump.png\"]') && body.innerText.includes('As promised')";
    browser.until("both are sent", there).await;
    browser.client.refresh().await.unwrap();
    browser.find("main form[data-chat][data-enhanced]").await;
    assert_eq!(browser.ask("return document.querySelector('[data-attached]').children.length").await, 0);

    // A file that was refused stops the message, with a word.
    let refuse = "window.fetch = ((real) => (url, options) => String(url) === '/api/v1/files' \
        ? Promise.resolve(new Response('{}', {status: 413})) : real(url, options))(window.fetch)";
    browser.ask(refuse).await;
    browser.ask(&paste("")).await;
    browser.find("[data-attached] > .is-refused").await;
    say(&browser, "Without it").await;
    let told = "return document.querySelector('[data-toast]').textContent.includes('was not sent')";
    browser.until("why nothing is sent", told).await;
    holds(&browser, "Without it").await;
    browser.close().await;
});
