//! Sharing a file in a browser, and another browser that sees what becomes of it.

use serde_json::json;

use super::chat::sign_in;
use super::{Browser, Driver};
use crate::support::program::Folder;
use crate::support::stage::id;
use crate::support::{TestHub, hub_test};

async fn signed_in(driver: &Driver, hub: &TestHub, handle: &str, width: u32) -> Browser {
    let browser = driver.open(&hub.base, width).await;
    sign_in(&browser, handle).await;
    browser
}

hub_test!(async fn a_file_goes_up_and_is_seen_by_others(hub) {
    let Some(driver) = Driver::start() else { return };
    let (root, _ada) = (hub.member("rhea").await, hub.member("ada").await);
    let space = hub.space(&root, "open").await;
    let (ada, bea) = (signed_in(&driver, hub, "ada", 1280).await, signed_in(&driver, hub, "rhea", 390).await);
    bea.open(&format!("/s/{space}/library")).await;
    bea.ask("window.stays = true").await;

    let folder = Folder::new();
    let path = folder.path().join("Ward alarms.pdf");
    let pages: Vec<String> = (1..=60).map(|n| format!("Alarm number {n}")).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    std::fs::write(&path, crate::features::library_hostile::pdf(&pages)).unwrap();
    ada.open(&format!("/s/{space}/library")).await;
    ada.click("main .section-head .btn-primary").await;
    ada.find("form[data-share]").await;
    ada.find("#file").await.send_keys(path.to_str().unwrap()).await.unwrap();
    ada.fill("#summary", "What rings at night.").await;
    ada.click("form[data-share] .actions .btn-primary").await;
    ada.until("the page of the resource", "return location.pathname.startsWith('/resources/')").await;
    ada.until("its text", "return !!document.querySelector('#page-1')").await;
    let at = ada.path().await;
    assert_eq!(ada.ask("return document.querySelector('h1').innerText").await, json!("Ward alarms"));

    // The other one saw it come, without loading the page again.
    bea.until("the new row", "return !!document.querySelector('[data-resource] .row-title a')").await;
    assert_eq!(bea.ask("return window.stays === true").await, true);
    bea.click("[data-resource] .row-title a").await;
    bea.find("button[formaction$='/endorsement']").await;
    bea.click("button[formaction$='/endorsement']").await;
    ada.until("the endorsement", "return document.querySelector('.endorsed')?.innerText.includes('Endorsed by 1')").await;

    // An address that names a page which the first view does not hold leads to it.
    bea.open(&format!("{at}#page-55")).await;
    bea.until("page 55", "return !!document.querySelector('#page-55') && location.search === '?page=55'").await;
    assert_eq!(bea.ask("return document.querySelector('#page-55').innerText.includes('Alarm number 55')").await, true);

    // A refused file keeps what was typed.
    let bad = folder.path().join("tool.txt");
    std::fs::write(&bad, b"MZ\x90\x00\x03\x00\x00\x00\x04").unwrap();
    ada.open(&format!("/s/{space}/library/new")).await;
    ada.find("#file").await.send_keys(bad.to_str().unwrap()).await.unwrap();
    ada.fill("#summary", "Kept words.").await;
    ada.click("form[data-share] .actions .btn-primary").await;
    ada.until("the reason", "return document.querySelector('.error-summary')?.innerText.includes('Programs are not taken')").await;
    assert_eq!(ada.ask("return document.querySelector('#summary').value").await, json!("Kept words."));
    let list = root.get(&format!("/api/v1/spaces/{space}/resources")).await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(format!("/resources/{}", id(&list["items"][0])), at);
    for (who, browser) in [("ada", &ada), ("bea", &bea)] {
        let complaints: Vec<String> =
            browser.complaints().await.into_iter().filter(|line| !line.contains("422") && !line.contains("415")).collect();
        assert!(complaints.is_empty(), "{who}: {complaints:?}");
    }
    ada.close().await;
    bea.close().await;
});
