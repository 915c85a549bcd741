//! From talk to page: an expert takes a forum answer to a published, endorsed, adopted and cited
//! case study, narrow and wide; and an open page hears what is new.

use serde_json::{Value, json};

use super::{Browser, Driver};
use crate::support::stage::{done, id};
use crate::support::{Client, TestHub, hub_test};

/// The rules of WCAG 2.2 A and AA on the page that is open, at both widths; and nothing is wider
/// than a narrow screen.
struct Rules(Option<String>);

const RUN: &str = "const done = arguments[arguments.length - 1]; \
    axe.run(document, {runOnly: {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}, \
    resultTypes: ['violations']}).then((found) => done(found.violations.map((one) => one.id + ': ' + one.nodes.map( \
    (node) => node.target.join(' ') + ' ' + node.failureSummary.slice(0, 200)).slice(0, 4).join(' | '))), \
    (error) => done(['axe failed: ' + error]));";

impl Rules {
    fn read() -> Self {
        let Ok(file) = std::env::var("PRAXIS_TEST_AXE") else {
            crate::support::not_run("accessibility rules of playbooks (PRAXIS_TEST_AXE is not the path of axe.min.js)");
            return Self(None);
        };
        Self(Some(std::fs::read_to_string(file).unwrap()))
    }

    async fn keep(&self, browser: &Browser, back_to: u32) {
        let Some(rules) = &self.0 else { return };
        browser.client.execute(rules, Vec::new()).await.unwrap();
        for width in [1280, 390] {
            browser.resize(width, 900).await;
            let height = browser.ask("return Math.max(900, document.documentElement.scrollHeight)").await;
            browser.resize(width, u32::try_from(height.as_u64().unwrap()).unwrap()).await;
            let found = browser.client.execute_async(RUN, Vec::new()).await.unwrap();
            assert_eq!(found, json!([]), "{} at {width} px", browser.path().await);
            let wide = browser.ask("return document.documentElement.scrollWidth").await;
            let fits = wide.as_u64().is_some_and(|wide| wide <= u64::from(width));
            assert!(fits, "{} is wider than the view: {wide}", browser.path().await);
        }
        browser.resize(back_to, 900).await;
    }
}

pub(super) async fn enter(driver: &Driver, hub: &TestHub, handle: &str, width: u32) -> Browser {
    let signed_in = Client::sign_in(&hub.base, handle).await;
    let browser = driver.open(&hub.base, width).await;
    let kept = signed_in.cookies.lock().unwrap().clone();
    for (cookie, value) in kept {
        browser.cookie(&cookie, &value).await;
    }
    browser
}

/// Types a part and saves it, as scripts do.
pub(super) async fn write(browser: &Browser, part: &str, text: &str) {
    browser.fill(&format!("#{part}-body"), text).await;
    browser.click(&format!("#{part} .part-foot .btn-primary")).await;
    browser
        .until(
            &format!("{part} is saved"),
            &format!("return document.querySelector('#{part} [data-saved]')?.textContent.startsWith('Saved at')"),
        )
        .await;
}

hub_test!(async fn an_expert_takes_an_answer_to_a_cited_study(hub) {
    let Some(driver) = Driver::start() else { return };
    let rules = Rules::read();
    let (root, eve) = (hub.member("rhea").await, hub.member("eve").await);
    hub.member("olga").await;
    hub.member("mia").await;
    let space = hub.space(&root, "open").await;
    let topic = hub.topic(&root, &space, "How do you read X-rays at night?").await["id"].as_str().unwrap().to_owned();
    let answer = id(&hub.reply(&eve, &topic, None, "We let a second reader look first.").await);
    done(&root.put(&format!("/api/v1/posts/{answer}/answer")).await);

    // Olga makes the playbook on a narrow screen.
    let olga = enter(&driver, hub, "olga", 390).await;
    olga.open("/playbooks").await;
    rules.keep(&olga, 390).await;
    olga.open("/playbooks/new").await;
    olga.fill("#title", "Chest X-rays").await;
    olga.fill("#slug", "chest-x-rays").await;
    olga.fill("#summary", "Who reads them, and how fast.").await;
    olga.fill("#checklist", "Are the figures sourced?").await;
    rules.keep(&olga, 390).await;
    olga.send("main form .actions .btn-primary").await;
    assert_eq!(olga.path().await, "/playbooks/chest-x-rays");
    olga.open("/playbooks/chest-x-rays/scenarios/new").await;
    olga.fill("#title", "I need to read X-rays faster").await;
    olga.fill("#steps", "Count the waits.").await;
    olga.fill("#steps-2", "Try it on one ward.").await;
    rules.keep(&olga, 390).await;
    olga.send("main form .actions .btn-primary").await;

    // Eve turns her answer into a study.
    let eve = enter(&driver, hub, "eve", 1280).await;
    eve.open(&format!("/s/{space}/t/{topic}")).await;
    eve.click("[data-topic-head] summary").await;
    eve.click("[data-topic-head] a[href^='/case-studies/new']").await;
    eve.find("#playbook option[value=chest-x-rays]").await.click().await.unwrap();
    eve.fill("#title", "A second reader at night").await;
    rules.keep(&eve, 1280).await;
    eve.send("main form .btn-primary").await;
    let edit = eve.path().await;
    assert!(edit.starts_with("/case-studies/") && edit.ends_with("/edit"), "{edit}");
    let page = edit.trim_end_matches("/edit").to_owned();
    eve.find("main[data-ready]").await;
    let placed = eve.ask("return document.querySelector('#what_we_did-body').value").await;
    assert!(placed.as_str().unwrap().contains("a second reader look first"), "{placed}");
    rules.keep(&eve, 1280).await;

    // What is typed is kept before it is saved.
    eve.fill("#summary-body", "A second reader found what the first had missed.").await;
    eve.until("the draft", "return document.querySelector('#summary [data-saved]').textContent.startsWith('Draft kept')").await;
    write(&eve, "summary", "A second reader halved the wait.").await;
    write(&eve, "challenge", "Nobody read them **at night**.").await;
    write(&eve, "what_did_not_work", "Reading by telephone.").await;
    write(&eve, "lessons_learned", "Begin with one ward.").await;
    eve.fill("#m0-name", "Time to report").await;
    eve.fill("#m0-before", "42").await;
    eve.fill("#m0-after", "11").await;
    eve.fill("#m0-unit", "min").await;
    eve.click("#outcomes [data-more]").await;
    eve.find("#m-new-1-name").await;
    write(&eve, "outcomes", "The wait is shorter.").await;
    eve.until("the meter", "return document.querySelector('[data-progress] progress').value === 5").await;
    assert_eq!(eve.ask("return document.querySelectorAll('#outcomes [data-measure]').length").await, 1);

    eve.open(&format!("{edit}/about")).await;
    eve.click("[name=scenario]").await;
    eve.fill("[name='terms.technology']", "U-Net\nONNX").await;
    rules.keep(&eve, 1280).await;
    eve.send("main form .actions .btn-primary").await;
    eve.open(&format!("{page}?copy=working")).await;
    rules.keep(&eve, 1280).await;
    eve.open(&format!("{page}/submit")).await;
    eve.send("main form .btn-primary").await;
    eve.find("form[action$='/withdraw']").await;

    // Olga reads, comments and publishes.
    olga.open("/playbooks/chest-x-rays/reviews").await;
    olga.click(&format!("a[href='{page}/review']")).await;
    olga.find("#decide").await;
    rules.keep(&olga, 390).await;
    olga.click("#comments-challenge .comment-new summary").await;
    olga.fill("#comment-challenge", "How many nights?").await;
    olga.send("#comments-challenge .comment-new form .btn").await;
    eve.open(&edit).await;
    eve.find("#comments-challenge article").await;
    olga.click("#decide [name=check]").await;
    olga.fill("#note", "A good one.").await;
    olga.send("#decide .btn-primary").await;
    assert_eq!(olga.path().await, page);
    hub.settle().await;

    // Mia stands behind it and uses it.
    let mia = enter(&driver, hub, "mia", 390).await;
    mia.open(&page).await;
    rules.keep(&mia, 390).await;
    mia.click("#endorse > summary").await;
    mia.fill("#endorse-reason", "I have seen it work on two wards.").await;
    mia.send("#endorse .btn-primary").await;
    mia.find("#endorsements blockquote").await;
    mia.click("#adopt > summary").await;
    mia.fill("#adopt-organisation", "Northbank").await;
    mia.fill("#adopt-site", "Ward 4").await;
    mia.click("#adopt [value=live]").await;
    mia.send("#adopt .btn-primary").await;
    mia.find("#used-at table").await;
    rules.keep(&mia, 390).await;
    let shown = mia.ask("return document.body.innerText").await;
    for what in ["I have seen it work on two wards.", "In daily use", "What did not work", "11 min", "−74%"] {
        assert!(shown.as_str().unwrap().contains(what), "{what}");
    }
    let cited = mia.ask("return document.querySelector('#cite-plain').textContent").await;
    assert!(cited.as_str().unwrap().contains("A second reader at night"), "{cited}");
    let article = mia.ask("return JSON.parse(document.querySelector('script[type=\"application/ld+json\"]').textContent)").await;
    assert_eq!((article["@type"].as_str(), article["headline"].as_str()), (Some("Article"), Some("A second reader at night")));
    assert_eq!(mia.ask("return document.querySelectorAll('svg.plot').length").await, 1);
    for address in ["/playbooks", "/playbooks/chest-x-rays", "/playbooks/chest-x-rays/users", &format!("{page}/history"), "/case-studies", "/case-studies/browse", "/adoptions", &format!("{page}/adoptions")] {
        mia.open(address).await;
        rules.keep(&mia, 390).await;
    }
    let visitor = hub.visitor();
    assert!(visitor.get("/playbooks/chest-x-rays/feed.atom").await.text.contains("A second reader at night"));
    assert!(visitor.get(&format!("{page}/cite.bib")).await.text.contains("eve Example"));
    for (who, browser) in [("olga", &olga), ("eve", &eve), ("mia", &mia)] {
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{who}: {complaints:?}");
    }
    mia.close().await;
    olga.close().await;
    eve.close().await;
    hub.settle().await;
});

hub_test!(async fn a_page_that_is_read_hears_what_is_new(hub) {
    let Some(driver) = Driver::start() else { return };
    let (olga, alan, eve) = (hub.member("olga").await, hub.member("alan").await, hub.member("eve").await);
    hub.member("mia").await;
    done(&olga.post("/api/v1/playbooks", &json!({"slug": "reads", "title": "Reads"})).await);
    let scenario = id(&done(&olga.post("/api/v1/playbooks/reads/scenarios", &json!({"title": "Faster"})).await));
    let slug = crate::support::things::study(&alan, "reads", &scenario).await;
    let path = format!("/api/v1/case-studies/{slug}");
    let publish = async || {
        done(&alan.post(&format!("{path}/submit"), &json!({})).await);
        done(&olga.post(&format!("{path}/publish"), &json!({})).await);
    };
    publish().await;
    hub.settle().await;
    let rules = Rules::read();
    let mia = enter(&driver, hub, "mia", 1280).await;
    let book = enter(&driver, hub, "mia", 390).await;
    let page = format!("/case-studies/{slug}");
    mia.open(&page).await;
    book.open("/playbooks/reads").await;
    for browser in [&mia, &book] {
        browser.find("main[data-stream]").await;
    }
    let endorse = |reason: &str| json!({"reason": reason});
    done(&eve.put_json(&format!("{path}/endorsement"), &endorse("It helped us at night.")).await);
    mia.until("an endorsement", "return document.querySelector('#endorsements').innerText.includes('It helped us at night.')").await;
    mia.until("it beside the text", "return document.querySelector('.aside').innerText.includes('It helped us at night.')").await;
    done(&eve.put_json(&format!("{path}/adoption"), &json!({"status": "piloting", "organisation": "Vale Trust"})).await);
    mia.until("an adoption", "return document.querySelector('#used-at').innerText.includes('Vale Trust')").await;
    // Who writes something keeps it, and is told.
    mia.click("#endorse > summary").await;
    mia.fill("#endorse-reason", "Half a sentence").await;
    done(&eve.put_json(&format!("{path}/endorsement"), &endorse("It still helps us.")).await);
    mia.until("the line", "return document.querySelector('[data-renew] .note') !== null").await;
    assert_eq!(mia.ask("return document.querySelector('#endorse-reason').value").await, "Half a sentence");
    mia.send("[data-renew] a").await;
    mia.until("the page anew", "return document.querySelector('#endorsements').innerText.includes('It still helps us.')").await;
    // A new revision moves nothing: it is offered.
    mia.find("main[data-stream]").await;
    done(&alan.patch(&path, &json!({"title": "A better title"})).await);
    publish().await;
    for browser in [&mia, &book] {
        browser.until("the line", "return document.querySelector('[data-renew] .note') !== null").await;
    }
    assert_ne!(mia.ask("return document.querySelector('h1').textContent").await, "A better title");
    rules.keep(&mia, 1280).await;
    rules.keep(&book, 390).await;
    mia.send("[data-renew] a").await;
    mia.until("the new title", "return document.querySelector('h1').textContent === 'A better title'").await;
    book.send("[data-renew] a").await;
    book.until("the new title", "return document.body.innerText.includes('A better title')").await;
    for browser in [&mia, &book] {
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{complaints:?}");
    }
    mia.close().await;
    book.close().await;
    hub.settle().await;
});

pub(super) async fn saved(who: &Client, path: &str) -> Value {
    who.get(&format!("{path}/parts/aim")).await.json()["body"].clone()
}
