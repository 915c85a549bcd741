//! Searching in a browser: by keyboard alone, from everywhere.

use super::Driver;
use super::chat::sign_in;
use crate::features::search::settle;
use crate::support::hub_test;

hub_test!(async fn whoever_types_is_led_there(hub) {
    let Some(driver) = Driver::start() else { return };
    let (root, _ada) = (hub.member("rhea").await, hub.member("ada").await);
    let space = hub.space(&root, "open").await;
    let topic = hub.topic(&root, &space, "Hyacinth macaw").await["id"].as_str().unwrap().to_owned();
    settle(hub).await;
    let browser = driver.open(&hub.base, 1280).await;
    sign_in(&browser, "ada").await;
    browser.open("/spaces").await;
    browser.find("[data-find] [role=combobox]").await;
    let press = |key: &str, more: &str| {
        format!(
            "const at = document.activeElement ?? document.body; \
             at.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true, cancelable: true{more}}}))"
        )
    };
    browser.ask(&press("/", "")).await;
    browser.until("the box", "return document.activeElement.id === 'bar-q'").await;
    browser.fill("#bar-q", "hyac").await;
    browser.find("[data-find] [role=option]").await;
    let said = browser.ask("return document.querySelector('[data-find] [role=option]').innerText").await;
    assert!(said.as_str().unwrap().contains("Hyacinth macaw"), "{said}");
    browser.ask(&press("ArrowDown", "")).await;
    let marked = "const field = document.querySelector('#bar-q'); \
        return document.getElementById(field.getAttribute('aria-activedescendant'))?.getAttribute('aria-selected') === 'true' \
        && field.getAttribute('aria-expanded') === 'true'";
    assert_eq!(browser.ask(marked).await, true);
    browser.ask(&press("Enter", "")).await;
    browser.until("the topic", &format!("return location.pathname === '/s/{space}/t/{topic}'")).await;

    // The quick switcher.
    browser.find("[data-find] [role=combobox]").await;
    browser.ask(&press("k", ", ctrlKey: true")).await;
    browser.find("dialog.switcher[open] input[role=combobox]").await;
    browser.fill("#switch-q", &space).await;
    browser.find("dialog.switcher [role=option][aria-selected=true]").await;
    browser.ask("document.querySelector('#switch-q').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}))").await;
    browser.until("the space", &format!("return location.pathname === '/s/{space}'")).await;
    browser.close().await;
});
