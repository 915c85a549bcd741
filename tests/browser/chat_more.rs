//! Writing and finding in a room, mostly on a phone: files, drafts, quotations and suggestions go in
//! from the keyboard and by hand; days, links and what is new lead to where it was said.

use praxis_server::ports::clock::DAY;
use serde_json::{Value, json};

use super::chat::{enter, say, scene, shows, sign_in};
use super::{Browser, Driver};
use crate::support::hub::run_with;
use crate::support::stage::done;
use crate::support::{Client, Db, TestHub, hub_test};

/// The text of the composer, and what sends it.
pub const FIELD: &str = "main form[data-chat] textarea";
pub const SEND: &str = "main form[data-chat] .say-tools .btn-primary";

/// Keys as the driver spells them.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// The smallest PNG: one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR4nGP4DwQACfsD/fteaysAAAAASUVORK5CYII=";

/// A message, written past the browser; its JSON.
pub async fn post(who: &Client, room: &str, text: &str) -> Value {
    let client: String = text.chars().filter(|c| c.is_alphanumeric()).take(60).collect();
    let body = json!({"body": text, "client_id": client});
    done(&who.post(&format!("/api/v1/rooms/{room}/messages"), &body).await)
}

/// A browser of a member, in a room whose scripts have taken over.
pub async fn inside(driver: &Driver, hub: &TestHub, handle: &str, page: &str, width: u32) -> Browser {
    let browser = driver.open(&hub.base, width).await;
    sign_in(&browser, handle).await;
    enter(&browser, page).await;
    browser
}

/// Opens the menu of a message by its own button, which comes into sight with the pointer.
pub async fn menu_of(browser: &Browser, message: &str) {
    browser.ask(&format!("document.querySelector(\"{message} .msg-more\").click()")).await;
    browser.find(&format!("{message} .menu-body")).await;
}

/// Waits until the composer holds exactly this.
pub async fn holds(browser: &Browser, text: &str) {
    let script = format!("return document.querySelector('{FIELD}').value === {}", json!(text));
    browser.until(&format!("the composer holds {text:?}"), &script).await;
}

/// Waits until an element stands within the part of the log that is in sight.
pub async fn in_sight(browser: &Browser, css: &str) {
    let script = format!(
        "const log = document.querySelector('main [data-scroll]').getBoundingClientRect(); \
         const box = document.querySelector({})?.getBoundingClientRect(); \
         return !!box && box.top >= log.top - 1 && box.bottom <= log.bottom + 1",
        json!(css)
    );
    browser.until(&format!("{css} is in sight"), &script).await;
}

/// Waits until one message is marked as the one that was linked: this one, in sight.
pub async fn leads_to(browser: &Browser, text: &str) {
    let script = format!(
        "const found = [...document.querySelectorAll('[data-log] > .msg.is-target > .msg-body')]; \
         return found.length === 1 && found[0].innerText.trim() === {}",
        json!(text)
    );
    browser.until(&format!("{text:?} is marked"), &script).await;
    in_sight(browser, "[data-log] > .msg.is-target").await;
}

/// Waits until a list of messages that stay as they are shows exactly these.
pub async fn lists(browser: &Browser, texts: &[&str]) {
    let script = format!(
        "return JSON.stringify([...document.querySelectorAll('main .log.is-still > .msg > .msg-body')]\
         .map((body) => body.innerText.trim())) === JSON.stringify({})",
        json!(texts)
    );
    browser.until(&format!("the list shows {texts:?}"), &script).await;
}

hub_test!(async fn pasted_and_dropped_files_go_out_with_the_message(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, _, space, _) = scene(hub).await;
    let page = format!("/s/{space}/chat/ward");
    let ada = inside(&driver, hub, "ada", &page, 390).await;
    let bea = inside(&driver, hub, "bea", &page, 1280).await;

    let paste = format!(
        "const bytes = Uint8Array.from(atob('{PIXEL}'), (sign) => sign.charCodeAt(0)); \
         const data = new DataTransfer(); data.items.add(new File([bytes], 'pump.png', {{type: 'image/png'}})); \
         document.querySelector('{FIELD}').dispatchEvent( \
         new ClipboardEvent('paste', {{clipboardData: data, bubbles: true, cancelable: true}}))"
    );
    ada.ask(&paste).await;
    let drop = "const data = new DataTransfer(); \
        data.items.add(new File(['5 ml an hour'], 'rates.txt', {type: 'text/plain'})); \
        const log = document.querySelector('main [data-scroll]'); \
        for (const name of ['dragover', 'drop']) log.dispatchEvent( \
        new DragEvent(name, {dataTransfer: data, bubbles: true, cancelable: true}))";
    ada.ask(drop).await;
    let both = "const chips = [...document.querySelectorAll('[data-attached] > .attachment')]; \
        const image = chips[0]?.querySelector('img'); \
        return chips.length === 2 && !chips.some((chip) => chip.matches('.is-loading, .is-refused')) \
        && !!image?.complete && image.naturalWidth > 0 && chips[1].innerText.includes('rates.txt')";
    ada.until("the preview of both", both).await;

    say(&ada, "The new pump and its rates").await;
    let shown = "const body = document.querySelector('[data-log] > [data-by=ada] > .msg-body'); \
        const image = body?.querySelector('img[alt=\"pump.png\"]'); \
        return !!image?.complete && image.naturalWidth > 0 && body.innerText.includes('The new pump and its rates') \
        && body.querySelector(\"a[href^='/api/v1/files/']\")?.innerText === 'rates.txt'";
    for (who, browser) in [("ada", &ada), ("bea", &bea)] {
        browser.until(&format!("{who} sees the picture and the file"), shown).await;
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{who}: {complaints:?}");
    }
    ada.until("nothing is left to send", "return !document.querySelector('[data-attached]').children.length").await;
    ada.close().await;
    bea.close().await;
});

/// Goes to a room as one does on a phone: by the bar at the bottom and the list of rooms.
async fn walk(browser: &Browser, page: &str) {
    browser.send(".tabbar a[href='/rooms']").await;
    browser.send(&format!("main .row-title a[href='{page}']")).await;
    browser.find("main form[data-chat][data-enhanced]").await;
}

hub_test!(async fn each_room_keeps_its_draft_until_it_is_sent(hub) {
    let Some(driver) = Driver::start() else { return };
    let (ada, _, space, _) = scene(hub).await;
    let lounge = json!({"slug": "lounge", "name": "Lounge", "purpose": ""});
    done(&ada.post(&format!("/api/v1/spaces/{space}/rooms"), &lounge).await);
    let (ward, lounge) = (format!("/s/{space}/chat/ward"), format!("/s/{space}/chat/lounge"));
    let browser = inside(&driver, hub, "ada", &ward, 390).await;

    browser.fill(FIELD, "Half a thought").await;
    walk(&browser, &lounge).await;
    holds(&browser, "").await;
    browser.fill(FIELD, "Another one").await;
    walk(&browser, &ward).await;
    holds(&browser, "Half a thought").await;
    browser.client.refresh().await.unwrap();
    browser.find("main form[data-chat][data-enhanced]").await;
    holds(&browser, "Half a thought").await;

    browser.click(SEND).await;
    shows(&browser, "ada", &["Half a thought"]).await;
    holds(&browser, "").await;
    browser.client.refresh().await.unwrap();
    browser.find("main form[data-chat][data-enhanced]").await;
    shows(&browser, "ada", &["Half a thought"]).await;
    holds(&browser, "").await;
    walk(&browser, &lounge).await;
    holds(&browser, "Another one").await;
    browser.close().await;
});

hub_test!(async fn a_message_is_quoted_into_the_composer(hub) {
    let Some(driver) = Driver::start() else { return };
    let (ada, _, space, room) = scene(hub).await;
    post(&ada, &room, "Shall we **meet** at noon?").await;
    let browser = inside(&driver, hub, "bea", &format!("/s/{space}/chat/ward"), 390).await;

    menu_of(&browser, "[data-by=ada]").await;
    browser.click("[data-by=ada] .menu-body [data-quote]").await;
    holds(&browser, "@ada\n> Shall we meet at noon?\n\n").await;
    let focused = format!("return document.activeElement.matches('{FIELD}')");
    assert_eq!(browser.ask(&focused).await, true, "one goes on writing below it");
    browser.until("the menu is gone", "return !document.querySelector('.msg .menu-body')").await;
    browser.find(FIELD).await.send_keys("Yes").await.unwrap();
    browser.click(SEND).await;
    browser.find("[data-log] > [data-by=bea] blockquote").await;
    let parts = "const body = document.querySelector('[data-log] > [data-by=bea] > .msg-body'); \
        return [body.querySelector('.mention').innerText, body.querySelector('blockquote').innerText.trim(), \
        body.lastElementChild.innerText.trim()]";
    assert_eq!(browser.ask(parts).await, json!(["@ada", "Shall we meet at noon?", "Yes"]));
    browser.close().await;
});

/// What a key would take of the suggestions under the composer.
pub fn suggestion(value: &str) -> String {
    format!("main form[data-chat] [role=listbox]:not([hidden]) [aria-selected=true][data-value='{value}']")
}

hub_test!(async fn names_and_emoji_are_completed_by_keyboard(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, _, space, _) = scene(hub).await;
    let browser = inside(&driver, hub, "ada", &format!("/s/{space}/chat/ward"), 390).await;
    let field = browser.find(FIELD).await;

    field.send_keys(":tad").await.unwrap();
    browser.find(&suggestion("🎉")).await;
    field.send_keys(TAB).await.unwrap();
    holds(&browser, "🎉 ").await;
    field.send_keys("@be").await.unwrap();
    browser.find(&suggestion("bea")).await;
    field.send_keys(ENTER).await.unwrap();
    holds(&browser, "🎉 @bea ").await;
    let said = "return document.querySelectorAll('main .view .msg').length";
    assert_eq!(browser.ask(said).await, 0, "the key took the suggestion and sent nothing");
    field.send_keys("is here").await.unwrap();
    browser.click(SEND).await;
    shows(&browser, "ada", &["🎉 @bea is here"]).await;
    browser.find("[data-log] > [data-by=ada] a.mention[href='/people/bea']").await;
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    browser.close().await;
});

hub_test!(async fn a_day_is_chosen_and_leads_to_its_message(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, bea, space, room) = scene(hub).await;
    let first = post(&bea, &room, "Said on the first day").await;
    let day = first["created_at"].as_str().unwrap()[..10].to_owned();
    hub.clock.advance(DAY);
    let page = format!("/s/{space}/chat/ward");
    let browser = inside(&driver, hub, "ada", &page, 390).await;
    say(&browser, "Said a day later").await;
    shows(&browser, "ada", &["Said on the first day", "Said a day later"]).await;

    // The newest day, by the menu of the room.
    browser.click("[data-room-head] .head-actions summary").await;
    browser.send("[data-room-head] .menu-body a[href$='/day']").await;
    lists(&browser, &["Said a day later"]).await;

    // Another one, typed and by the step back from the newest.
    browser.ask(&format!("document.querySelector('#day').value = '{day}'")).await;
    browser.send("main .inline-form .btn").await;
    assert_eq!(browser.path().await, format!("{page}/day/{day}"));
    lists(&browser, &["Said on the first day"]).await;
    browser.send("main .pager a[rel=next]").await;
    lists(&browser, &["Said a day later"]).await;
    browser.send("main .pager a[rel=prev]").await;
    lists(&browser, &["Said on the first day"]).await;

    // From there to where it was said.
    browser.send("main .log.is-still .msg-time").await;
    assert_eq!(browser.path().await, page);
    leads_to(&browser, "Said on the first day").await;
    browser.close().await;
});

#[test]
fn what_is_new_and_what_is_linked_is_found() {
    run_with(Db::Sqlite, "found-again", &[("rate_limit", "off")], async |hub| find_again(hub).await);
}

async fn find_again(hub: &TestHub) {
    let Some(driver) = Driver::start() else { return };
    let (_, bea, space, room) = scene(hub).await;
    let mut ids = Vec::new();
    for number in 0..70 {
        ids.push(crate::support::stage::id(&post(&bea, &room, &format!("Number {number}")).await));
    }
    let page = format!("/s/{space}/chat/ward");
    let browser = driver.open(&hub.base, 390).await;
    sign_in(&browser, "ada").await;

    // More is new than a page holds: the first of it is one step away.
    browser.open(&page).await;
    let told = "return !!document.querySelector('.unread-above a')?.innerText.includes('70 new messages')";
    browser.until("how much is new", told).await;
    browser.send(".unread-above a").await;
    let first = "return document.querySelector('[data-log] > [data-new]')?.nextElementSibling \
        ?.querySelector('.msg-body')?.innerText.trim() === 'Number 0'";
    browser.until("the line above the first of it", first).await;
    in_sight(&browser, "[data-log] > #new").await;

    // At the end all of it is read.
    browser.find("main form[data-chat][data-enhanced]").await;
    browser.click("[data-pill]").await;
    in_sight(&browser, "[data-log] > .msg:last-child").await;
    let read =
        format!("return !document.querySelector('.side [data-side-room=\"{room}\"]').classList.contains('is-unread')");
    browser.until("nothing is unread", &read).await;

    // What came meanwhile stands below a line, and one begins to read there.
    browser.open("/topics").await;
    for number in 0..30 {
        post(&bea, &room, &format!("Later {number}")).await;
    }
    enter(&browser, &page).await;
    let line = "const lines = document.querySelectorAll('[data-log] > [data-new]'); return lines.length === 1 \
        && lines[0].nextElementSibling?.querySelector('.msg-body')?.innerText.trim() === 'Later 0'";
    browser.until("the line above what is new", line).await;
    in_sight(&browser, "[data-log] > [data-new]").await;

    // The link of a message that is far back.
    browser.open(&format!("/messages/{}", ids[10])).await;
    assert_eq!(browser.path().await, page);
    leads_to(&browser, "Number 10").await;
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    browser.close().await;
}
