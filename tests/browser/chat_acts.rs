//! What is done with messages, rooms and people, one of each two on a phone: topics of messages,
//! decisions, favourites, blocks.

use serde_json::{Value, json};

use super::chat::{enter, say, scene, shows, sign_in};
use super::chat_late::opener;
use super::chat_more::{inside, leads_to, lists, menu_of, post};
use super::{Browser, Driver};
use crate::support::hub_test;
use crate::support::stage::{done, id};

hub_test!(async fn chosen_messages_become_a_topic_and_leave_a_note(hub) {
    let Some(driver) = Driver::start() else { return };
    let (by_ada, by_bea, space, room) = scene(hub).await;
    let first = post(&by_ada, &room, "Which pump do you use?").await;
    post(&by_bea, &room, "Lunch?").await;
    let last = post(&by_bea, &room, "Pump B, since May").await;
    let page = format!("/s/{space}/chat/ward");
    let ada = inside(&driver, hub, "ada", &page, 1280).await;
    let bea = inside(&driver, hub, "bea", &page, 390).await;

    bea.click("[data-room-head] .head-actions summary").await;
    bea.click("[data-room-head] .menu-body [data-select]").await;
    for message in [&first, &last] {
        bea.click(&format!("#m-{} > .msg-pick", id(message))).await;
    }
    bea.send("#pick .btn-primary").await;
    lists(&bea, &["Which pump do you use?", "Pump B, since May"]).await;
    bea.fill("#title", "Which pumps we use").await;
    bea.send("main form .actions .btn-primary").await;
    let topic = bea.path().await;
    assert!(topic.starts_with(&format!("/s/{space}/t/")), "{topic}");

    // Who said it, what, and the way back to where.
    let quotes = "return [...document.querySelectorAll('.is-opening .post-body blockquote')].map((quote) => [ \
        quote.querySelector('.mention')?.getAttribute('href'), quote.querySelectorAll('p')[1]?.innerText.trim(), \
        [...quote.querySelectorAll('a')].at(-1)?.getAttribute('href')])";
    let link = |message: &Value| format!("{page}?at={}", message["seq"]);
    let expected = json!([
        ["/people/ada", "Which pump do you use?", link(&first)],
        ["/people/bea", "Pump B, since May", link(&last)],
    ]);
    assert_eq!(bea.ask(quotes).await, expected);
    bea.send(".is-opening .post-body blockquote a[href*='?at=']").await;
    leads_to(&bea, "Which pump do you use?").await;

    // The other one saw the note come, and it leads to the topic.
    let note = format!("[data-log] > [data-by=bea] .msg-body a[href='{topic}']");
    ada.find(&note).await;
    shows(&ada, "ada", &["Which pump do you use?", "Lunch?", "Pump B, since May", "Made a topic: Which pumps we use"]).await;
    ada.find(&format!(".room-about .kept a[href='{topic}']")).await;
    ada.send(&note).await;
    assert_eq!(ada.path().await, topic);
    ada.open(&format!("{page}/topics")).await;
    ada.find(&format!("main .row-title a[href='{topic}']")).await;
    ada.close().await;
    bea.close().await;
});

hub_test!(async fn a_decision_is_pinned_and_found_again(hub) {
    let Some(driver) = Driver::start() else { return };
    let (by_ada, by_bea, space, room) = scene(hub).await;
    post(&by_ada, &room, "Pump B from Monday").await;
    post(&by_bea, &room, "Agreed").await;
    let page = format!("/s/{space}/chat/ward");
    let ada = inside(&driver, hub, "ada", &page, 1280).await;
    let bea = inside(&driver, hub, "bea", &page, 390).await;

    menu_of(&bea, "[data-by=ada]").await;
    bea.click("[data-by=ada] .menu-body button[formaction$='/pin']").await;
    for (who, browser) in [("ada", &ada), ("bea", &bea)] {
        let label = "return document.querySelector('[data-by=ada] .msg-head .label')?.innerText.trim() === 'Pinned'";
        browser.until(&format!("{who} sees that it is pinned"), label).await;
    }

    // Among the decisions: by the menu on a phone, beside the room and by its tab on a wide window.
    enter(&bea, &page).await;
    bea.click("[data-room-head] .head-actions summary").await;
    bea.send("[data-room-head] .menu-body a[href$='/pins']").await;
    lists(&bea, &["Pump B from Monday"]).await;
    bea.send("main .log.is-still .msg-time").await;
    leads_to(&bea, "Pump B from Monday").await;
    enter(&ada, &page).await;
    let beside = "return [...document.querySelectorAll('.room-aside .kept a')].map((link) => link.innerText.trim())";
    assert_eq!(ada.ask(beside).await, json!(["Pump B from Monday"]));
    ada.send("[data-room-head] .room-tabs a[href$='/pins']").await;
    lists(&ada, &["Pump B from Monday"]).await;

    // Taken away again, it is no decision.
    bea.find("main form[data-chat][data-enhanced]").await;
    menu_of(&bea, "[data-by=ada]").await;
    bea.click("[data-by=ada] .menu-body button[formaction$='/pin?undo=1']").await;
    bea.until("the label is gone", "return !document.querySelector('[data-by=ada] .msg-head .label')").await;
    ada.open(&format!("{page}/pins")).await;
    lists(&ada, &[]).await;
    ada.find("main .empty").await;
    ada.close().await;
    bea.close().await;
});

hub_test!(async fn a_decision_beside_a_room_says_what_its_message_says(hub) {
    let Some(driver) = Driver::start() else { return };
    let (by_ada, _, space, room) = scene(hub).await;
    let message = format!("/api/v1/messages/{}", id(&post(&by_ada, &room, "Pump B from Monday").await));
    assert_eq!(by_ada.put(&format!("{message}/pin")).await.status, 204);
    let bea = inside(&driver, hub, "bea", &format!("/s/{space}/chat/ward"), 1280).await;
    let beside = |texts: &[&str]| {
        format!(
            "return JSON.stringify([...document.querySelectorAll('.room-aside .kept a')] \
             .map((link) => link.innerText.trim())) === JSON.stringify({})",
            json!(texts)
        )
    };
    bea.until("it stands there", &beside(&["Pump B from Monday"])).await;
    done(&by_ada.patch(&message, &json!({"body": "Pump C from Monday"})).await);
    bea.until("it says the new words", &beside(&["Pump C from Monday"])).await;
    assert_eq!(by_ada.delete(&message).await.status, 204);
    bea.until("it is gone", &beside(&[])).await;
    bea.close().await;
});

hub_test!(async fn what_is_pinned_says_so_below_another_and_a_linked_reply_is_marked(hub) {
    let Some(driver) = Driver::start() else { return };
    let (by_ada, by_bea, space, room) = scene(hub).await;
    let first = post(&by_bea, &room, "Which pump do you use?").await;
    let second = post(&by_bea, &room, "The small one, for instance").await;
    assert_eq!(by_ada.put(&format!("/api/v1/messages/{}/pin", id(&second))).await.status, 204);
    let reply = json!({"body": "The small one.", "client_id": "reply", "reply_to": id(&first)});
    let reply = done(&by_ada.post(&format!("/api/v1/rooms/{room}/messages"), &reply).await);
    let bea = inside(&driver, hub, "bea", &format!("/s/{space}/chat/ward"), 1280).await;
    let label = "return document.querySelector('main .msg.is-joined > .msg-head > .label').offsetWidth > 20";
    assert_eq!(bea.ask(label).await, true);
    bea.open(&format!("/s/{space}/chat/ward?at={}", reply["seq"])).await;
    let marked = format!("return document.querySelector('.msg:target')?.id === 'm-{}'", id(&reply));
    bea.until("the reply is the one that is marked", &marked).await;
    bea.close().await;
});

hub_test!(async fn a_favourite_comes_first_and_a_muted_room_is_quiet(hub) {
    let Some(driver) = Driver::start() else { return };
    let (by_ada, by_bea, space, room) = scene(hub).await;
    let other = json!({"slug": "alcove", "name": "Alcove", "purpose": ""});
    let other = id(&done(&by_ada.post(&format!("/api/v1/spaces/{space}/rooms"), &other).await));
    let browser = inside(&driver, hub, "ada", &format!("/s/{space}/chat/ward"), 1280).await;
    let order = "return [...document.querySelectorAll('.side [data-side-room]')].map((link) => link.dataset.sideRoom)";
    assert_eq!(browser.ask(order).await, json!([other, room]), "by name");

    browser.click("[data-room-head] button[formaction$='/favourite']").await;
    browser.find("[data-room-head] button[formaction$='/favourite?undo=1'][aria-pressed=true]").await;
    let first = format!(
        "const link = document.querySelector('.side [data-side-room]'); \
         return link.dataset.sideRoom === '{room}' && !!link.querySelector('use[href$=\"#i-star-filled\"]')"
    );
    browser.until("it goes up at once, with a star", &first).await;
    browser.click("[data-room-head] .head-actions summary").await;
    browser.click("[data-room-head] .menu-body button[formaction$='/mute']").await;
    browser.find("[data-room-head] .menu-body button[formaction$='/mute?undo=1']").await;

    browser.open("/topics").await;
    assert_eq!(browser.ask(order).await, json!([room, other]), "the favourite first");
    browser.find(&format!(".side [data-side-room='{room}'] use[href$='#i-star-filled']")).await;
    let loaded = "return performance.getEntriesByType('resource').some((one) => one.name.includes('side.js'))";
    browser.until("the socket", loaded).await;

    // Two messages, of which one names her: that one counts.
    post(&by_bea, &room, "Nobody in particular").await;
    hub.settle().await;
    post(&by_bea, &room, "@ada are you there?").await;
    let count = format!(
        "const count = document.querySelector(\".side [data-side-room='{room}'] [data-unread].is-mention\"); \
         return !!count && !count.hidden && count.querySelector('[data-n]').textContent === '1'"
    );
    browser.until("one mention", &count).await;

    // On a phone the list of rooms says it.
    browser.resize(390, 900).await;
    browser.send(".tabbar a[href='/rooms']").await;
    let rows = "return [...document.querySelectorAll('main .rows > .row')].map((row) => [ \
        row.querySelector('.row-title').innerText.trim(), \
        [...row.querySelectorAll('.row-side .label')].map((label) => label.innerText.trim()).join()])";
    assert_eq!(browser.ask(rows).await, json!([["Ward round", "Favourite,Muted"], ["Alcove", ""]]));
    browser.close().await;
});

const REASON: &str = "You cannot write to each other.";
/// Every view of the room has a reason in place of its field.
const NO_FIELD: &str = "const feet = [...document.querySelectorAll('.room-foot')]; \
    return feet.length > 0 && feet.every((foot) => foot.querySelector('.note') && !foot.querySelector('form[data-chat]')?.offsetWidth)";
const FIELD: &str = "const feet = [...document.querySelectorAll('.room-foot')]; \
    return feet.length > 0 && feet.every((foot) => !foot.querySelector('.note') && foot.querySelector('form[data-chat]')?.offsetWidth)";

hub_test!(async fn an_archived_room_takes_its_field_from_open_pages_and_gives_it_back(hub) {
    let Some(driver) = Driver::start() else { return };
    let (by_ada, by_bea, space, room) = scene(hub).await;
    let first = post(&by_bea, &room, "Which pump do you use?").await;
    let bea = inside(&driver, hub, "bea", &format!("/s/{space}/chat/ward"), 1280).await;
    bea.ask(&opener(&id(&first))).await;
    bea.find("[data-panel] form[data-chat][data-enhanced]").await;
    assert_eq!(bea.ask(FIELD).await, true);
    bea.fill("main form[data-chat] textarea", "Half a senten").await;
    let archive = async |on: bool| {
        let changed = by_ada.patch(&format!("/api/v1/rooms/{room}"), &json!({"archived": on})).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
    };
    archive(true).await;
    bea.until("the fields go", NO_FIELD).await;
    let said = bea.find("main .room-foot > .note").await.text().await.unwrap();
    assert_eq!(said, "This room is archived. It can be read, not written in.");
    archive(false).await;
    bea.until("they come back", FIELD).await;
    let typed = "return document.querySelector('main form[data-chat] textarea').value";
    assert_eq!(bea.ask(typed).await, "Half a senten");
    let renamed = by_ada.patch(&format!("/api/v1/rooms/{room}"), &json!({"name": "Evening round"})).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    let everywhere = format!(
        "return document.title.startsWith('Evening round') && [`.side [data-side-room='{room}'] > span`, 'main h1 > span', \
         'main .room-foot label'].every((css) => document.querySelector(css).textContent.includes('Evening round'))"
    );
    bea.until("its new name is everywhere", &everywhere).await;
    // So it is when the whole space is archived.
    let space_archived = async |on: bool| {
        done(&by_ada.patch(&format!("/api/v1/spaces/{space}"), &json!({"archived": on})).await);
    };
    space_archived(true).await;
    bea.until("the fields go", NO_FIELD).await;
    space_archived(false).await;
    bea.until("they come back", FIELD).await;
    // Who leaves a space where only its members write, or comes back, by another way is told at once.
    done(&by_ada.patch(&format!("/api/v1/spaces/{space}"), &json!({"visibility": "restricted"})).await);
    assert_eq!(by_bea.delete(&format!("/api/v1/spaces/{space}/members/bea")).await.status, 204);
    bea.until("the fields go", NO_FIELD).await;
    assert_eq!(by_ada.put(&format!("/api/v1/messages/{}/pin", id(&first))).await.status, 204);
    bea.until("it is pinned", "return !!document.querySelector('main [data-log] > .msg .msg-head .label')").await;
    done(&by_bea.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await);
    bea.until("they come back", FIELD).await;
    // What one may do with a message that changed meanwhile is what it was.
    let can = "return document.querySelector('main [data-log] > .msg').dataset.can.split(' ')";
    let can = bea.ask(can).await;
    for act in ["react", "unpin", "edit"] {
        assert!(can.as_array().unwrap().contains(&json!(act)), "{act}: {can}");
    }
    // Escape closes what is open on top, and then the thread.
    let escape = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', \
        {key: 'Escape', bubbles: true, cancelable: true})); \
        return [!!document.querySelector('[data-room-head] details[open]'), document.body.classList.contains('has-thread')]";
    bea.click("[data-room-head] .head-actions summary").await;
    bea.find("[data-room-head] details[open]").await;
    assert_eq!(bea.ask(escape).await, json!([false, true]));
    assert_eq!(bea.ask(escape).await, json!([false, false]));
    // A page that came while nobody could write gets its field, too.
    archive(true).await;
    bea.open(&format!("/s/{space}/chat/ward")).await;
    bea.find("main .room-foot > .note").await;
    archive(false).await;
    bea.find("main form[data-chat][data-enhanced]").await;
    bea.until("it comes", FIELD).await;
    bea.close().await;
});

/// Blocks somebody by the menu of their profile.
async fn block(browser: &Browser, handle: &str) {
    browser.open(&format!("/people/{handle}")).await;
    browser.click(".profile .menu summary").await;
    browser.click(".profile .menu-body button").await;
    let asked = browser.find("dialog[open] h2").await.text().await.unwrap();
    assert_eq!(asked, format!("Block {handle} Example?"));
    browser.send("dialog[open] button[value=yes]").await;
    let told = browser.find("main .note.is-warning").await.text().await.unwrap();
    assert_eq!(told, format!("You have blocked {handle} Example"));
    let writes = "return document.querySelectorAll('.profile form[action=\"/direct\"]').length";
    assert_eq!(browser.ask(writes).await, 0, "no way to write where it leads nowhere");
}

hub_test!(async fn a_block_ends_a_conversation_and_both_are_told_why(hub) {
    let Some(driver) = Driver::start() else { return };
    scene(hub).await;
    let (ada, bea) = (driver.open(&hub.base, 1280).await, driver.open(&hub.base, 390).await);
    sign_in(&ada, "ada").await;
    sign_in(&bea, "bea").await;
    bea.open("/people/ada").await;
    bea.send(".profile form[action='/direct'] button").await;
    bea.find("main form[data-chat][data-enhanced]").await;
    let direct = bea.path().await;
    assert!(direct.starts_with("/direct/"), "{direct}");
    say(&bea, "Only the two of us").await;
    enter(&ada, &direct).await;
    for (who, browser) in [("ada", &ada), ("bea", &bea)] {
        shows(browser, who, &["Only the two of us"]).await;
    }

    // What is written into the open page comes back with the reason.
    block(&bea, "ada").await;
    say(&ada, "Are you there?").await;
    let refused = format!(
        "return document.querySelector('[data-outbox] .is-refused [data-status] span')?.innerText.trim() === '{REASON}'"
    );
    ada.until("why it is refused", &refused).await;
    ada.click("[data-outbox] .is-refused .btn-quiet").await;
    ada.until("it is given up", "return !document.querySelector('[data-outbox]').children.length").await;
    ada.until("the field goes", NO_FIELD).await;
    assert_eq!(ada.find("main .room-foot > .note").await.text().await.unwrap(), REASON);

    // Loaded anew, the page offers nothing that could not be sent, to neither of them.
    for browser in [&ada, &bea] {
        browser.open(&direct).await;
        assert_eq!(browser.find("main .room-foot > .note").await.text().await.unwrap(), REASON);
        assert_eq!(browser.ask("return document.querySelectorAll('form[data-chat]').length").await, 0);
        shows(browser, "each", &["Only the two of us"]).await;
    }

    // The block is taken back, and they talk again.
    bea.open("/people/ada").await;
    bea.click(".profile .menu summary").await;
    bea.send(".profile .menu-body button").await;
    bea.find(".profile form[action='/direct'] button").await;
    enter(&ada, &direct).await;
    say(&ada, "Good to hear you").await;
    bea.open(&direct).await;
    shows(&bea, "bea", &["Only the two of us", "Good to hear you"]).await;
    ada.close().await;
    bea.close().await;
});

hub_test!(async fn a_blocked_member_begins_no_conversation(hub) {
    let Some(driver) = Driver::start() else { return };
    scene(hub).await;
    hub.member("cho").await;
    let (bea, cho) = (driver.open(&hub.base, 1280).await, driver.open(&hub.base, 390).await);
    sign_in(&bea, "bea").await;
    sign_in(&cho, "cho").await;
    block(&bea, "cho").await;

    // Neither by the profile nor by name; what was asked for stays in the field.
    cho.open("/people/bea").await;
    cho.send(".profile form[action='/direct'] button").await;
    bea.open("/direct").await;
    bea.fill("#handles", "cho").await;
    bea.send("main .inline-form .btn-primary").await;
    for (browser, other) in [(&cho, "bea"), (&bea, "cho")] {
        let shown = "return [location.pathname, document.querySelector('#handles-error')?.innerText.trim(), \
            document.querySelector('#handles')?.value, document.activeElement.matches('.error-summary')]";
        assert_eq!(browser.ask(shown).await, json!(["/direct", REASON, other, true]));
        let wide = browser.ask("return document.documentElement.scrollWidth <= innerWidth").await;
        assert_eq!(wide, true, "nothing is wider than the window");
    }
    cho.close().await;
    bea.close().await;
});
