//! Two people in two browsers: one asks, the other answers, and each sees it happen.

use serde_json::json;

use super::chat::sign_in;
use super::{Browser, Driver};
use crate::support::{Db, TestHub, hub_test};

async fn register(browser: &Browser, handle: &str, name: &str) {
    browser.open("/register").await;
    browser.fill("#display_name", name).await;
    browser.fill("#handle", handle).await;
    browser.fill("#email", &format!("{handle}@example.org")).await;
    browser.fill("#password", &crate::support::hub::password(handle)).await;
    browser.click("#conduct").await;
    browser.send("main form .btn-primary").await;
    browser.find(&format!("meta[name=me][content={handle}]")).await;
}

hub_test!(async fn two_people_meet_in_a_topic(hub) {
    let Some(driver) = Driver::start() else { return };
    // The hub's administrator; the two come later and by the page.
    hub.member("rhea").await;
    let (ada, bea) = (driver.open(&hub.base, 1280).await, driver.open(&hub.base, 390).await);
    register(&ada, "ada", "Ada Example").await;

    ada.open("/spaces/new").await;
    ada.fill("#name", "Alerts on wards").await;
    ada.fill("#slug", "alerts").await;
    ada.fill("#description", "What wakes us at night").await;
    ada.send("main form .btn-primary").await;
    assert_eq!(ada.path().await, "/s/alerts");

    ada.open("/s/alerts/new").await;
    ada.fill("#title", "Which alerts do you switch off?").await;
    ada.fill("#body", "We have **too many** of them.").await;
    ada.send("main form .actions .btn-primary").await;
    let topic = ada.path().await;
    assert!(topic.starts_with("/s/alerts/t/"), "{topic}");
    ada.find("article.is-opening .post-body strong").await;
    // Gone if the page is loaded again.
    ada.ask("window.stays = true").await;

    register(&bea, "bea", "Bea Example").await;
    bea.open(&topic).await;
    bea.fill("#composer textarea", "Those for *low* battery.").await;
    bea.click("#composer .btn-primary").await;
    bea.find("article[data-by=bea] .post-body em").await;

    // Behind the pill, counted in the title, and not yet in the way.
    ada.until("the pill", "return !!document.querySelector('[data-new-replies]:not([hidden])')").await;
    ada.until("the count in the title", "return document.title.startsWith('(1) ')").await;
    assert_eq!(ada.ask("return document.querySelectorAll('article[data-by=bea]').length").await, 0);
    ada.click("[data-new-replies]").await;
    ada.find("article[data-by=bea] .post-body em").await;
    ada.until("the title as before", "return !document.title.startsWith('(')").await;

    ada.click("article[data-by=bea] button[formaction$='/answer']").await;
    ada.find("article[data-by=bea].is-answer").await;
    bea.find("article[data-by=bea].is-answer").await;

    bea.click("article[data-by=bea] [data-edit]").await;
    bea.find("main form [name=version]").await;
    bea.fill("main textarea", "Those for low battery, and *all* on silent pumps.").await;
    bea.send("main form .actions .btn-primary").await;
    ada.until(
        "the edited text",
        "return !!document.querySelector('article[data-by=bea]')?.innerText.includes('silent pumps')",
    )
    .await;
    assert_eq!(ada.ask("return window.stays === true").await, true, "the page was never loaded again");
    for (who, browser) in [("ada", &ada), ("bea", &bea)] {
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{who}: {complaints:?}");
    }
    ada.close().await;
    bea.close().await;
});

#[test]
fn a_page_comes_back_after_a_restart_and_has_lost_nothing() {
    let Some(driver) = Driver::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut hub = TestHub::start(Db::Sqlite, "restart", &[]).await;
        let ada = hub.member("ada").await;
        let mut bea = hub.member("bea").await;
        let space = hub.space(&ada, "open").await;
        let topic = hub.topic(&ada, &space, "Who is awake?").await["id"].as_str().unwrap().to_owned();
        let browser = driver.open(&hub.base, 1280).await;
        sign_in(&browser, "ada").await;
        browser.open(&format!("/s/{space}/t/{topic}")).await;
        browser.ask("window.stays = true").await;

        // The same address again, as after an update of the server.
        let address = hub.base.strip_prefix("http://").unwrap().to_owned();
        hub.settings.insert("bind".into(), address);
        hub.restart().await;
        bea.base.clone_from(&hub.base);
        let answer = bea.post(&format!("/api/v1/topics/{topic}/posts"), &json!({"body": "I am."})).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        browser.until("the pill", "return !!document.querySelector('[data-new-replies]:not([hidden])')").await;
        browser.click("[data-new-replies]").await;
        browser.find("article[data-by=bea]").await;
        assert_eq!(browser.ask("return window.stays === true").await, true);
        browser.close().await;
        hub.finish().await;
    });
}

hub_test!(async fn a_script_that_did_not_come_is_asked_for_again(hub) {
    let Some(driver) = Driver::start() else { return };
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "open").await;
    let topic = hub.topic(&ada, &space, "Who is awake?").await["id"].as_str().unwrap().to_owned();
    let browser = driver.open(&hub.base, 1280).await;
    sign_in(&browser, "ada").await;
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": ["*/folds.js"]})).await;
    browser.open(&format!("/s/{space}/t/{topic}")).await;
    let tried = "return performance.getEntriesByType('resource').some((each) => each.name.endsWith('/folds.js'))";
    browser.until("the script that is held back", tried).await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": []})).await;
    hub.reply(&bea, &topic, None, "I am.").await;
    browser.until("the pill", "return !!document.querySelector('[data-new-replies]:not([hidden])')").await;
    browser.close().await;
});

hub_test!(async fn a_page_says_why_it_is_live_no_more(hub) {
    let Some(driver) = Driver::start() else { return };
    let (root, ada) = (hub.member("rhea").await, hub.member("ada").await);
    let space = hub.space(&root, "open").await;
    let topic = hub.topic(&root, &space, "Who is awake?").await["id"].as_str().unwrap().to_owned();
    let path = format!("/s/{space}/t/{topic}");
    let open = async || {
        let browser = driver.open(&hub.base, 1280).await;
        sign_in(&browser, "ada").await;
        browser.open(&path).await;
        browser
    };
    let until_live = async |browser: &Browser, text: &str| {
        hub.reply(&root, &topic, None, text).await;
        browser.until("the pill", "return !!document.querySelector('[data-new-replies]:not([hidden])')").await;
    };
    let browser = open().await;
    until_live(&browser, "First.").await;
    // All sessions but the one of the test itself.
    assert_eq!(ada.delete("/api/v1/me/sessions").await.status, 204);
    browser.find("[data-connection] a[href^='/login?next=']").await;
    browser.close().await;

    let browser = open().await;
    until_live(&browser, "Second.").await;
    let answer = root.post("/api/v1/members/ada/suspend", &json!({"reason": "A test"})).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    let said = "return document.querySelector('[data-connection]').innerText.includes('suspended')";
    browser.until("the reason", said).await;
    browser.close().await;
});
