//! A room in a narrow window and under a finger: all of it is within the window and can be pressed.

use serde_json::json;

use super::chat::{enter, scene};
use super::chat_more::{FIELD, SEND, holds, in_sight, inside, post, suggestion};
use super::{Browser, Driver};
use crate::support::hub_test;

/// Whether a press in the middle of an element reaches it.
fn reachable(css: &str) -> String {
    format!(
        "const one = document.querySelector({}); const box = one?.getBoundingClientRect(); \
         return !!box && one.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2))",
        json!(css)
    )
}

/// Whether every act of the open menu can be pressed, after scrolling if need be.
const WHOLE: &str = "const acts = [...document.querySelectorAll('.msg .menu-body :is(a, button)')]; \
    return acts.length > 5 && acts.every((act) => { act.scrollIntoView({block: 'nearest'}); \
    const box = act.getBoundingClientRect(); \
    return act.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)); })";

/// Whether neither the page nor the log can be moved sideways.
const NARROW: &str = "const log = document.querySelector('main [data-scroll]'); \
    return document.documentElement.scrollWidth <= innerWidth && log.scrollWidth <= log.clientWidth";

/// A window under a finger, which cannot hover.
async fn touched(browser: &Browser) {
    let touch = json!({"enabled": true, "maxTouchPoints": 1});
    browser.devtools("Emulation.setTouchEmulationEnabled", touch).await;
    browser.until("a window without a mouse", "return matchMedia('(hover: none)').matches").await;
}

hub_test!(async fn a_room_fits_a_phone(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, by_bea, space, room) = scene(hub).await;
    post(&by_bea, &room, &format!("https://example.org/{}", "a".repeat(300))).await;
    post(&by_bea, &room, &format!("```\n{}\n```", "let pumps = pumps + 1; ".repeat(20))).await;
    post(&by_bea, &room, "Good morning").await;
    let page = format!("/s/{space}/chat/ward");
    let browser = inside(&driver, hub, "ada", &page, 390).await;
    touched(&browser).await;
    shown_whole(&browser).await;

    // The keyboard takes half of the window: the field stays in what is left.
    browser.resize(390, 500).await;
    shown_whole(&browser).await;
    in_sight(&browser, "[data-log] > .msg:last-child").await;
    browser.resize(390, 900).await;

    // The acts of a message: a button in sight that a finger hits, and a menu of such buttons.
    let more = "[data-log] > .msg:last-child .msg-more";
    browser.until("the button of the menu", &reachable(more)).await;
    let seen = format!(
        "const more = document.querySelector('{more}'); const box = more.getBoundingClientRect(); \
         return box.width >= 24 && box.height >= 24 && getComputedStyle(more).opacity === '1'"
    );
    assert_eq!(browser.ask(&seen).await, true, "the button is there before it is touched");
    browser.click(more).await;
    browser.until("the whole menu", WHOLE).await;
    let large = "return [...document.querySelectorAll('.msg .menu-body :is(a, button)')] \
        .every((act) => act.getBoundingClientRect().height >= 43.5)";
    assert_eq!(browser.ask(large).await, true, "large enough for a finger");

    // In the place of a sidebar: the bar at the bottom, the list of rooms, and back.
    assert_eq!(browser.ask("return document.querySelector('.side').checkVisibility()").await, false);
    browser.send(".tabbar a[href='/rooms']").await;
    browser.send(&format!("main .row-title a[href='{page}']")).await;
    browser.find("main form[data-chat][data-enhanced]").await;
    browser.close().await;
});

/// Waits until the composer stands above the bar at the bottom, reachable, and nothing is too wide.
async fn shown_whole(browser: &Browser) {
    browser.until("nothing is too wide", NARROW).await;
    browser.until("the field", &reachable(FIELD)).await;
    browser.until("the button to send", &reachable(SEND)).await;
    let within = "const box = document.querySelector('main form[data-chat]').getBoundingClientRect(); \
        return box.left >= 0 && box.right <= innerWidth && box.top >= 0 \
        && box.bottom <= document.querySelector('.tabbar').getBoundingClientRect().top";
    assert_eq!(browser.ask(within).await, true, "the composer is within the window");
}

hub_test!(async fn the_menu_of_every_message_is_whole_in_a_small_window(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, by_bea, space, room) = scene(hub).await;
    for number in 0..14 {
        post(&by_bea, &room, &format!("Number {number}")).await;
    }
    let page = format!("/s/{space}/chat/ward");
    let browser = inside(&driver, hub, "ada", &page, 390).await;
    browser.resize(390, 600).await;
    enter(&browser, &page).await;
    let mut opened = 0;
    for number in 0..14 {
        // Those in sight, from the end of the room.
        let open = format!(
            "const scroll = document.querySelector('main [data-scroll]'); scroll.scrollTop = 0; \
             const more = document.querySelectorAll('[data-log] > .msg .msg-more')[{number}]; \
             if (more.getBoundingClientRect().top < scroll.getBoundingClientRect().top) return false; \
             more.click(); return true"
        );
        if browser.ask(&open).await == true {
            browser.until(&format!("the whole menu of message {number}"), WHOLE).await;
            opened += 1;
        }
    }
    assert!(opened > 5, "{opened}");
    browser.close().await;
});

hub_test!(async fn a_suggestion_is_in_sight_above_the_bar_of_a_phone(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, _, space, _) = scene(hub).await;
    let browser = inside(&driver, hub, "ada", &format!("/s/{space}/chat/ward"), 390).await;
    browser.find(FIELD).await.send_keys("@be").await.unwrap();
    browser.until("one name, to be pressed", &reachable(&suggestion("bea"))).await;
    browser.click(&suggestion("bea")).await;
    holds(&browser, "@bea ").await;
    browser.close().await;
});

hub_test!(async fn a_wide_table_is_moved_by_itself(hub) {
    let Some(driver) = Driver::start() else { return };
    let (_, by_bea, space, room) = scene(hub).await;
    let row = |cell: &str| format!("|{}\n", format!(" {cell} |").repeat(14));
    let table = format!("{}{}{}", row("Concentration"), row("---"), row("5.25"));
    post(&by_bea, &room, &table).await;
    let browser = inside(&driver, hub, "ada", &format!("/s/{space}/chat/ward"), 390).await;
    browser.find("[data-log] > .msg .table-wrap td").await;
    browser.until("the log stays where it is", NARROW).await;
    browser.close().await;
});
