//! Writing a case study in a browser: nothing typed is lost, nothing of others overwritten unseen.

use serde_json::json;

use super::Driver;
use super::playbooks::{enter, saved, write};
use crate::support::stage::done;
use crate::support::{Client, TestHub, hub_test};

/// A study of two authors; they, its address for programs, and that of its editor.
async fn of_two(hub: &TestHub, title: &str) -> (Client, Client, String, String) {
    let (alan, olga) = (hub.member("alan").await, hub.member("olga").await);
    let new = json!({"title": title, "parts": {"aim": "Half the wait."}});
    let slug = done(&alan.post("/api/v1/case-studies", &new).await)["slug"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/case-studies/{slug}");
    done(&alan.put_json(&format!("{path}/authors/olga"), &json!({"role": "author"})).await);
    hub.settle().await;
    (alan, olga, path, format!("/case-studies/{slug}/edit"))
}

hub_test!(async fn two_writers_of_one_part_lose_nothing(hub) {
    let Some(driver) = Driver::start() else { return };
    let (alan, _, path, edit) = of_two(hub, "Two of us").await;
    let (one, two) = (enter(&driver, hub, "alan", 1280).await, enter(&driver, hub, "olga", 390).await);
    for browser in [&one, &two] {
        browser.open(&edit).await;
        browser.find("main[data-ready]").await;
    }
    one.until("who else is here", "return document.querySelector('[data-here]').innerText.includes('olga')").await;

    // Olga types; Alan saves the same part, and another that nobody is in.
    two.fill("#aim-body", "Half the wait, or less.").await;
    two.until("a draft", "return document.querySelector('#aim [data-saved]').textContent.startsWith('Draft kept')").await;
    write(&one, "scope", "Two wards.").await;
    write(&one, "aim", "A third of the wait.").await;
    two.until("the other part", "return document.querySelector('#scope-body').value === 'Two wards.'").await;
    let overtaken = "return document.querySelector('#aim [data-overtaken]').textContent";
    two.until("that she was overtaken", &format!("{overtaken}.includes('alan Example')")).await;
    // It is still said while she types on and the draft is kept.
    two.fill("#aim-body", "Half the wait, or less.").await;
    two.until("a draft", "return document.querySelector('#aim [data-saved]').textContent.startsWith('Draft kept')").await;
    assert_eq!(two.ask(&format!("{overtaken}.includes('alan Example')")).await, true);
    assert_eq!(two.ask("return document.querySelector('#aim-body').value").await, "Half the wait, or less.");
    two.click("#aim [data-overtaken] button").await;
    two.find("#aim .conflict ins").await;
    assert_eq!(two.ask(overtaken).await, "");
    assert_eq!(two.ask("return document.querySelector('#aim-body').value").await, "Half the wait, or less.");
    assert_eq!(saved(&alan, &path).await, "A third of the wait.", "nothing is saved by looking");
    write(&two, "aim", "A third of the wait, or less.").await;
    assert_eq!(saved(&alan, &path).await, "A third of the wait, or less.");
    one.until("the merged text", "return document.querySelector('#aim-body').value === 'A third of the wait, or less.' \
        || document.querySelector('#aim .part-foot').textContent.includes('olga Example')").await;
    for browser in [&one, &two] {
        let complaints = browser.complaints().await;
        // A refused save is told by its status, and by the page.
        let other: Vec<&String> = complaints.iter().filter(|line| !line.contains("412")).collect();
        assert!(other.is_empty(), "{other:?}");
    }
    one.close().await;
    two.close().await;
    hub.settle().await;
});

/// Whatever the page asks for waits until it is let go.
const HOLD: &str = "const real = window.fetch; const held = new Promise((go) => { window.letGo = go; }); \
    window.fetch = async (...asked) => { await held; return real(...asked); }; return true";

hub_test!(async fn what_is_typed_while_a_part_is_saved_stays(hub) {
    let Some(driver) = Driver::start() else { return };
    let alan = hub.member("alan").await;
    let new = json!({"title": "Typed on", "parts": {"aim": "Half the wait."}});
    let slug = done(&alan.post("/api/v1/case-studies", &new).await)["slug"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/case-studies/{slug}");
    hub.settle().await;
    let one = enter(&driver, hub, "alan", 1280).await;
    one.open(&format!("/case-studies/{slug}/edit")).await;
    one.find("main[data-ready]").await;
    one.ask(HOLD).await;
    one.fill("#aim-body", "Half the wait, or less.").await;
    one.click("#aim .part-foot .btn-primary").await;
    one.until("it is on its way", "return document.querySelector('#aim [data-saved]').textContent === 'Saving'").await;
    let typed = "const text = document.querySelector('#aim-body'); text.value += ' By May.'; \
        text.dispatchEvent(new Event('input', { bubbles: true })); const note = document.querySelector('#comment-aim'); \
        note.closest('details').open = true; note.value = 'Half typed'; return true";
    one.ask(typed).await;
    one.ask("window.letGo(); return true").await;
    one.until("it is saved", "return document.querySelector('#aim').dataset.version === '2'").await;
    assert_eq!(saved(&alan, &path).await, "Half the wait, or less.");
    let kept = "return [document.querySelector('#aim-body').value, document.querySelector('#comment-aim').value, \
        document.querySelector('#aim [name=version]').value]";
    assert_eq!(one.ask(kept).await, json!(["Half the wait, or less. By May.", "Half typed", "2"]));
    one.until("the draft", "return document.querySelector('#aim [data-saved]').textContent.startsWith('Draft kept')").await;
    let draft = done(&alan.get(&format!("{path}/parts/aim/draft")).await);
    assert_eq!((&draft["body"], &draft["behind"]), (&json!("Half the wait, or less. By May."), &json!(false)));
    write(&one, "aim", "Half the wait, or less, by May.").await;
    assert_eq!(one.ask("return document.querySelector('#comment-aim').value").await, "Half typed");
    let complaints = one.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    one.close().await;
    hub.settle().await;
});

hub_test!(async fn a_draft_that_conflicts_says_so_whenever_it_is_opened(hub) {
    let Some(driver) = Driver::start() else { return };
    let (alan, olga, path, edit) = of_two(hub, "Told again").await;
    let kept = "return document.querySelector('#aim [data-saved]').textContent.startsWith('Draft kept')";
    let two = enter(&driver, hub, "olga", 1280).await;
    two.open(&edit).await;
    two.find("main[data-ready]").await;
    two.fill("#aim-body", "Half the wait, or less.").await;
    two.until("a draft", kept).await;
    done(&alan.patch(&format!("{path}/parts/aim"), &json!({"body": "A third of the wait."})).await);
    two.click("#aim .part-foot .btn-primary").await;
    two.find("#aim .conflict ins").await;
    two.until("the draft again", kept).await;
    // She leaves and comes back, twice: the second time she has typed on.
    for text in ["Half the wait, or less.", "Half the wait, or far less."] {
        two.open(&edit).await;
        two.find("main[data-ready]").await;
        two.find("#aim .conflict ins").await;
        assert_eq!(two.ask("return document.querySelector('#aim-body').value").await, text);
        two.fill("#aim-body", "Half the wait, or far less.").await;
        two.until("a draft", kept).await;
        let draft = done(&olga.get(&format!("{path}/parts/aim/draft")).await);
        assert_eq!((&draft["base_version"], &draft["behind"]), (&json!(1), &json!(true)));
    }
    assert_eq!(saved(&alan, &path).await, "A third of the wait.", "nothing was overwritten");
    write(&two, "aim", "A third of the wait, or less.").await;
    assert_eq!(saved(&alan, &path).await, "A third of the wait, or less.");
    two.open(&edit).await;
    two.find("main[data-ready]").await;
    assert_eq!(two.ask("return document.querySelector('#aim .conflict') === null").await, true);
    let complaints = two.complaints().await;
    // A refused save is told by its status, and by the page.
    let other: Vec<&String> = complaints.iter().filter(|line| !line.contains("412")).collect();
    assert!(other.is_empty(), "{other:?}");
    two.close().await;
    hub.settle().await;
});

hub_test!(async fn what_is_typed_when_a_page_is_left_is_there_when_it_comes_again(hub) {
    let Some(driver) = Driver::start() else { return };
    let alan = hub.member("alan").await;
    let new = json!({"title": "Left early", "parts": {"aim": "Half the wait.", "challenge": "They waited."}});
    let slug = done(&alan.post("/api/v1/case-studies", &new).await)["slug"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/case-studies/{slug}");
    let edit = format!("/case-studies/{slug}/edit");
    hub.settle().await;
    let one = enter(&driver, hub, "alan", 1280).await;
    one.open(&edit).await;
    one.find("main[data-ready]").await;
    // Nothing of it reaches the server before the page is gone.
    one.ask(HOLD).await;
    one.fill("#aim-body", "Half the wait, or less.").await;
    one.fill("#challenge-body", "They waited for weeks.").await;
    one.fill("#m0-name", "Wait").await;
    one.click("#outcomes [data-more]").await;
    one.fill("#m-new-1-name", "Cost").await;
    // One of them is saved by another tab meanwhile.
    done(&alan.patch(&format!("{path}/parts/challenge"), &json!({"body": "Nobody read them."})).await);
    one.open(&edit).await;
    one.find("main[data-ready]").await;
    let there = "return [document.querySelector('#aim-body').value, document.querySelector('#challenge-body').value, \
        ...[...document.querySelectorAll('#outcomes [name=\"m.name\"]')].map((name) => name.value)]";
    assert_eq!(one.ask(there).await, json!(["Half the wait, or less.", "They waited for weeks.", "Wait", "Cost"]));
    one.find("#challenge .conflict ins").await;
    for key in ["aim", "challenge", "outcomes"] {
        let kept = format!("return sessionStorage.getItem('draft:alan:study:{slug}:{key}') === null");
        one.until("the server has it", &kept).await;
    }
    let draft = async |key: &str| done(&alan.get(&format!("{path}/parts/{key}/draft")).await);
    let (aim, challenge) = (draft("aim").await, draft("challenge").await);
    assert_eq!((&aim["body"], &aim["behind"]), (&json!("Half the wait, or less."), &json!(false)));
    assert_eq!((&challenge["body"], &challenge["behind"]), (&json!("They waited for weeks."), &json!(true)));
    assert_eq!(draft("outcomes").await["measures"].as_array().unwrap().len(), 2);
    one.open(&edit).await;
    one.find("main[data-ready]").await;
    assert_eq!(one.ask(there).await, json!(["Half the wait, or less.", "They waited for weeks.", "Wait", "Cost"]));
    let complaints = one.complaints().await;
    // What is compared is told by its status, and by the page.
    let other: Vec<&String> = complaints.iter().filter(|line| !line.contains("412")).collect();
    assert!(other.is_empty(), "{other:?}");
    one.close().await;
    hub.settle().await;
});

/// Collects what the page says at its foot, however soon it is gone.
const LISTEN: &str = "window.toasts = []; const line = document.querySelector('[data-toast]'); \
    new MutationObserver(() => { if (line.textContent) window.toasts.push(line.textContent); }) \
    .observe(line, { childList: true, characterData: true, subtree: true }); return true";

hub_test!(async fn comments_are_written_answered_and_resolved_in_the_editor(hub) {
    let Some(driver) = Driver::start() else { return };
    let alan = hub.member("alan").await;
    let new = json!({"title": "Talked over", "parts": {"aim": "Half the wait."}});
    let slug = done(&alan.post("/api/v1/case-studies", &new).await)["slug"].as_str().unwrap().to_owned();
    hub.settle().await;
    let one = enter(&driver, hub, "alan", 1280).await;
    one.open(&format!("/case-studies/{slug}/edit")).await;
    one.find("main[data-ready]").await;
    one.ask(LISTEN).await;
    let told = async |text: &str| {
        let line = "document.querySelector('[data-announce]')";
        one.until(text, &format!("return {line}.textContent === '{text}'")).await;
        one.ask(&format!("{line}.textContent = ''; return true")).await;
    };
    let focus = "const at = document.activeElement; return [at.closest('#comments-aim') !== null, at.className || at.localName, at.innerText]";
    one.click("#comments-aim .comment-new > summary").await;
    one.fill("#comment-aim", "By when?").await;
    one.click("#comments-aim .comment-new form .btn").await;
    told("Your comment is there").await;
    let at = one.ask(focus).await;
    assert!(at[0] == true && at[1] == "comment" && at[2].as_str().unwrap().contains("By when?"), "{at}");
    one.fill("#comments-aim .comment-form textarea", "By May.").await;
    one.click("#comments-aim .comment-form .btn:not(.btn-quiet)").await;
    told("Your comment is there").await;
    let at = one.ask(focus).await;
    assert!(at[0] == true && at[1] == "comment" && at[2].as_str().unwrap().contains("By May."), "{at}");
    one.click("#comments-aim [formaction$='/resolve']").await;
    told("The comments are changed").await;
    let at = one.ask(focus).await;
    assert!(at[0] == true && at[2] == "Resolved by alan Example", "{at}");
    one.click("#comments-aim .is-resolved summary").await;
    one.click("#comments-aim [formaction$='/resolve?undo=1']").await;
    told("The comments are changed").await;
    assert_eq!(one.ask("return document.querySelector('#comments-aim .is-resolved') === null").await, true);
    assert_eq!(one.ask("return window.toasts").await, json!([]));
    let complaints = one.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    one.close().await;
    hub.settle().await;
});
