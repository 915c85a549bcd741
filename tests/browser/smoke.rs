use super::Driver;
use crate::support::hub_test;

hub_test!(async fn smoke(hub) {
    let Some(driver) = Driver::start() else { return };
    let browser = driver.open(&hub.base, 390).await;
    browser.open("/nothing").await;
    assert_eq!(browser.ask("return innerWidth").await, 390);
    browser.find("h1").await;
    eprintln!("{:?}", browser.complaints().await);
    browser.cookie("theme", "dark").await;
    browser.open("/nothing").await;
    assert_eq!(browser.ask("return document.documentElement.dataset.theme").await, "dark");
    drop(browser);
});
