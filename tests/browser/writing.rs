//! Writing in a browser: nothing typed is lost, files go into the text, what one answers stays in sight.

use serde_json::json;

use super::Driver;
use super::chat::sign_in;
use crate::support::hub_test;

const BODY: &str = "return document.querySelector('#body').value";

hub_test!(async fn a_draft_outlives_a_refusal_and_ends_with_its_topic(hub) {
    let Some(driver) = Driver::start() else { return };
    let (root, _ada) = (hub.member("rhea").await, hub.member("ada").await);
    let space = hub.space(&root, "open").await;
    let new = format!("/s/{space}/new");
    let browser = driver.open(&hub.base, 1280).await;
    sign_in(&browser, "ada").await;
    browser.open(&new).await;
    browser.find("form[data-enhanced]").await;
    browser.fill("#title", "Which pump do you use?").await;
    browser.fill("#body", "Three pages of it.").await;
    browser.ask("document.querySelector('main form [name=_csrf]').value = 'of another session'").await;
    browser.send("main form .actions .btn-primary").await;
    let kept = browser.ask("return document.querySelector('#kept-body').value").await;
    assert_eq!(kept, "Three pages of it.");
    browser.open(&new).await;
    browser.until("the draft", "return document.querySelector('#body').value === 'Three pages of it.'").await;
    assert_eq!(browser.ask("return document.querySelector('#title').value").await, "Which pump do you use?");

    // A file that is dropped stands in the text.
    let drop = "const data = new DataTransfer(); data.items.add(new File(['5 ml'], 'pumps.txt', {type: 'text/plain'}));\
        document.querySelector('.write').dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}))";
    browser.ask(drop).await;
    browser.until("the file's line", "return /\\[pumps.txt\\]\\(\\/api\\/v1\\/files\\//.test(document.querySelector('#body').value)").await;
    browser.find(".write-tools button[aria-label='Add a file']").await;

    browser.send("main form .actions .btn-primary").await;
    browser.find(".is-opening .post-body a[href^='/api/v1/files/']").await;
    browser.open(&new).await;
    browser.find("form[data-enhanced]").await;
    assert_eq!(browser.ask(BODY).await, "", "the draft went with its topic");
    browser.close().await;
});

hub_test!(async fn an_accepted_answer_rises_and_the_answered_post_stays_in_sight(hub) {
    let Some(driver) = Driver::start() else { return };
    let (root, ben, cho) = (hub.member("rhea").await, hub.member("ben").await, hub.member("cho").await);
    let space = hub.space(&root, "open").await;
    let topic = hub.topic(&ben, &space, "Which pump?").await["id"].as_str().unwrap().to_owned();
    let mut last = String::new();
    for turn in 0..6 {
        let text = format!("Reply {turn}.\n\nA few\n\nlines\n\nto read.");
        last = hub.reply(&cho, &topic, None, &text).await["id"].as_str().unwrap().to_owned();
    }
    let browser = driver.open(&hub.base, 1280).await;
    sign_in(&browser, "cho").await;
    browser.open(&format!("/s/{space}/t/{topic}")).await;
    browser.find("form#composer[data-enhanced]").await;
    browser.ask("window.stays = true").await;

    browser.ask(&format!("document.querySelector('#post-{last} [data-reply]').click()")).await;
    browser
        .until(
            "the post above the composer",
            &format!(
                "return document.querySelector('#post-{last}').getBoundingClientRect().bottom <= \
                 document.querySelector('.dock').getBoundingClientRect().top + 1 \
                 && document.activeElement.matches('#composer textarea')"
            ),
        )
        .await;
    // The toast about a lost connection goes when it is back.
    browser.network(false).await;
    browser.ask("document.querySelector('.is-opening button[formaction*=endorsement]').click()").await;
    browser
        .until(
            "the toast that there is no connection, and its end",
            "const line = document.querySelector('[data-toast]'); if (!line.textContent) return false; \
             dispatchEvent(new Event('online')); return line.textContent === ''",
        )
        .await;
    browser.network(true).await;

    let accepted = ben.put(&format!("/api/v1/posts/{last}/answer")).await;
    assert!(accepted.status < 300, "{}", accepted.text);
    browser.find(&format!("[data-answers] #post-{last}.is-answer")).await;
    assert_eq!(browser.ask(&format!("return document.querySelectorAll('#post-{last}').length")).await, 1);
    assert!(browser.ask("return document.querySelector('#h-answers').innerText").await.as_str().unwrap().contains("1 accepted"));
    let flags = json!([true, true]);
    let now = "return [window.stays === true, document.querySelector('#composer [name=parent_id]').value !== '']";
    assert_eq!(browser.ask(now).await, flags, "neither loaded again nor forgotten whom the reply answers");
    browser.close().await;
});
