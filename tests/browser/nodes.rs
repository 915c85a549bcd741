//! Two nodes, a browser on each: one live hub.

use serde_json::json;

use super::Driver;
use super::chat::{enter, say, shows, sign_in};
use crate::support::nodes::on_two_nodes;
use crate::support::stage::done;

#[test]
fn two_browsers_on_two_nodes_show_one_live_hub() {
    on_two_nodes("browsers", async |nodes, _| {
        let Some(driver) = Driver::start() else { return };
        let hub = &nodes.first;
        let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
        let space = hub.space(&ada, "open").await;
        done(&bea.send(bea.request("POST", &format!("/api/v1/spaces/{space}/join"))).await);
        let room = json!({"slug": "ward", "name": "Ward round", "purpose": "What happens today"});
        done(&ada.post(&format!("/api/v1/spaces/{space}/rooms"), &room).await);
        let topic = hub.topic(&ada, &space, "Who is on call?").await;
        let (here, there) = (driver.open(&hub.base, 1280).await, driver.open(&nodes.second_base, 1280).await);
        sign_in(&here, "ada").await;
        sign_in(&there, "bea").await;
        let page = format!("/s/{space}/chat/ward");
        enter(&here, &page).await;
        enter(&there, &page).await;
        for browser in [&here, &there] {
            browser.ask("window.stays = true").await;
        }
        say(&here, "Good morning from here").await;
        shows(&there, "bea", &["Good morning from here"]).await;
        say(&there, "And from there").await;
        shows(&here, "ada", &["Good morning from here", "And from there"]).await;
        here.ask("document.querySelector('[data-by=bea] .msg-more').click()").await;
        here.click("[data-by=bea] .menu-body button[value='🎉']").await;
        let reaction = "return document.querySelector('[data-by=bea] [data-reactions]')?.innerText.trim() === '🎉 1'";
        there.until("the reaction of the other node", reaction).await;
        for browser in [&here, &there] {
            browser.until("the page was never loaded anew", "return window.stays === true").await;
        }
        // A reply written on one node shows itself on the topic's page of the other.
        let topic_page = format!("/s/{space}/t/{}", topic["id"].as_str().unwrap());
        there.open(&topic_page).await;
        there.until("it is live", "return document.documentElement.dataset.live !== undefined || !!document.querySelector('main[data-head]')").await;
        hub.reply(&ada, topic["id"].as_str().unwrap(), None, "I am, until noon.").await;
        there
            .until(
                "the reply, or the pill that leads to it",
                "return /until noon|1 new/i.test(document.querySelector('main').innerText)",
            )
            .await;
    });
}
