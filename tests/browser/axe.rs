//! The rules of WCAG 2.2 A and AA, on every page, light and dark, narrow and wide.

use serde_json::{Value, json};

use super::{Browser, Driver};
use crate::support::hub::run_with;
use crate::support::pages::{PAGES, browser_of};
use crate::support::stage::{Cast, VIEWERS};
use crate::support::things::Things;
use crate::support::{Db, TestHub};

const RULES: &str = "const done = arguments[arguments.length - 1]; \
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']; \
    axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}).then( \
    (found) => done(found.violations.map((one) => one.id + ': ' + one.nodes.map( \
    (node) => node.target.join(' ') + ' [' + node.failureSummary.replace(/\\s+/g, ' ').slice(0, 220) + ']').slice(0, 5).join(' | '))), \
    (error) => done(['axe failed: ' + error]));";

/// Until what scripts do with a new size is done and drawn.
const DRAWN: &str = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));";

#[test]
fn every_page_keeps_the_rules_in_the_light() {
    run_with(Db::Sqlite, "axe", &[("rate_limit", "off")], async |hub| walk(hub, "light").await);
}

#[test]
fn every_page_keeps_the_rules_in_the_dark() {
    run_with(Db::Sqlite, "axe", &[("rate_limit", "off")], async |hub| walk(hub, "dark").await);
}

async fn walk(hub: &TestHub, theme: &str) {
    let Ok(file) = std::env::var("PRAXIS_TEST_AXE") else {
        crate::support::not_run("accessibility rules (PRAXIS_TEST_AXE is not the path of axe.min.js)");
        return;
    };
    let rules = std::fs::read_to_string(file).unwrap();
    let Some(driver) = Driver::start() else { return };
    let cast = Cast::of(hub).await;
    let things = Things::of(hub, &cast, "open").await;
    let closed = cast.space(hub, "private").await;
    let browser = driver.open(&hub.base, 1280).await;
    let mut wrong = Vec::new();
    for name in VIEWERS {
        let signed_in = browser_of(hub, cast.viewer(name)).await;
        browser.devtools("Network.clearBrowserCookies", json!({})).await;
        let kept = signed_in.cookies.lock().unwrap().clone();
        for (cookie, value) in kept {
            browser.cookie(&cookie, &value).await;
        }
        browser.cookie("theme", theme).await;
        let mut addresses: Vec<String> = Vec::new();
        for (template, statuses) in PAGES {
            // Each page once as the one who sees most of it, once as a visitor; refusals once.
            let best = if statuses[4] != 200 && statuses[5] == 200 { 5 } else { 4 };
            let here = name == VIEWERS[best] || name == "anonymous";
            let plain = [
                "/people/{handle}/avatar",
                "/logo",
                "/complete",
                "/posts/{id}",
                "/robots.txt",
                "/favicon.ico",
                "/playbooks/{slug}/feed.atom",
                "/case-studies/{slug}/cite.{format}",
            ];
            if here && !plain.contains(template) {
                addresses.push(things.address(template));
            }
        }
        if name == "outsider" {
            addresses.extend([format!("/s/{closed}"), "/nothing".into(), "/admin".into(), things.address("/s/{slug}")]);
        }
        if name == "moderator" {
            addresses.push(things.address("/s/{slug}/t/{id}?order=time"));
        }
        for address in addresses {
            look(&browser, &rules, &address, theme, name, &mut wrong).await;
        }
    }
    browser.close().await;
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

async fn look(browser: &Browser, rules: &str, address: &str, theme: &str, name: &str, wrong: &mut Vec<String>) {
    browser.resize(1280, 900).await;
    browser.open(address).await;
    browser.client.execute(rules, Vec::new()).await.unwrap();
    for width in [1280, 390] {
        browser.resize(width, 900).await;
        // As tall as the page, so that nothing lies under what is fixed to the edges of the view.
        // What is as tall as a part of the view grows with it.
        let mut tall = 900;
        for _ in 0..8 {
            browser.client.execute_async(DRAWN, Vec::new()).await.unwrap();
            let height = browser.ask("return document.documentElement.scrollHeight").await;
            let height = u32::try_from(height.as_u64().unwrap()).unwrap();
            if height <= tall {
                break;
            }
            tall = height;
            browser.resize(width, tall).await;
        }
        let found = browser.client.execute_async(RULES, Vec::new()).await.unwrap();
        for fault in found.as_array().unwrap() {
            wrong.push(format!("{address} as {name}, {theme}, {width} px: {}", fault.as_str().unwrap_or_default()));
        }
    }
    browser.resize(320, 900).await;
    let wider = browser.ask("return document.documentElement.scrollWidth").await;
    if wider.as_u64().is_none_or(|wide| wide > 320) {
        wrong.push(format!("{address} as {name} is {wider} px wide where there are 320"));
    }
    for complaint in browser.complaints().await {
        // The page itself is not there or not for this viewer: that is what is looked at.
        let refused = complaint.contains(&format!("{address} - Failed to load resource"));
        if !refused {
            wrong.push(format!("{address} as {name}: the console says {complaint}"));
        }
    }
}

/// A sheet that scripts open keeps the rules too.
#[test]
fn menus_and_sheets_keep_the_rules() {
    run_with(Db::Sqlite, "axe-open", &[("rate_limit", "off")], async |hub| open_parts(hub).await);
}

async fn open_parts(hub: &TestHub) {
    let (Ok(file), Some(driver)) = (std::env::var("PRAXIS_TEST_AXE"), Driver::start()) else { return };
    let rules = std::fs::read_to_string(file).unwrap();
    let cast = Cast::of(hub).await;
    let things = Things::of(hub, &cast, "open").await;
    let signed_in = browser_of(hub, &cast.owner).await;
    let browser = driver.open(&hub.base, 1280).await;
    let kept = signed_in.cookies.lock().unwrap().clone();
    for (cookie, value) in kept {
        browser.cookie(&cookie, &value).await;
    }
    let mut wrong: Vec<Value> = Vec::new();
    const TOPIC: &str = "/s/{slug}/t/{id}";
    const ROOM: &str = "/s/{slug}/chat/{room}";
    for (address, what, open, shown) in [
        (TOPIC, "the menu of a post", "document.querySelector('article [data-more]').click()", "article .menu-body"),
        (
            TOPIC,
            "one's own menu",
            "document.querySelector('details.menu').open = true",
            "details.menu[open] .menu-body",
        ),
        (
            ROOM,
            "the menu of a message",
            "document.querySelector('[data-log] > .msg > .msg-more').click()",
            ".msg .menu-body",
        ),
        (ROOM, "the emoji", "document.querySelector('[data-emoji]').click()", "dialog.picker[open] .reaction"),
        (ROOM, "a thread beside its room", "document.querySelector('.msg-thread').click()", "[data-panel] [data-view]"),
        (ROOM, "messages to choose from", "document.querySelector('[data-select]').click()", ".is-selecting .msg-pick"),
        (
            TOPIC,
            "the sheet of shortcuts",
            "document.dispatchEvent(new KeyboardEvent('keydown', {key: '?', bubbles: true}))",
            "dialog[open]",
        ),
    ] {
        // So high that nothing of a thread is half behind an edge of its log.
        browser.resize(1280, if address == ROOM { 2600 } else { 900 }).await;
        browser.open(&things.address(address)).await;
        if address == ROOM {
            // Its scripts have taken over.
            browser.find("form[data-chat][data-enhanced]").await;
        }
        browser.client.execute(&rules, Vec::new()).await.unwrap();
        browser.ask(open).await;
        browser.find(shown).await;
        let found = browser.client.execute_async(RULES, Vec::new()).await.unwrap();
        wrong.extend(found.as_array().unwrap().iter().map(|fault| json!([what, fault])));
    }
    browser.close().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}
