//! The manners of pages: what somebody wrote is given back, what fails is not offered, words are true.

use serde_json::json;

use crate::support::html::check_html;
use crate::support::{Client, hub_test};

hub_test!(async fn a_refused_form_gives_back_what_was_typed(hub) {
    let (root, ada) = (hub.member("rhea").await, hub.member("ada").await);
    let space = hub.space(&root, "open").await;
    let path = format!("/s/{space}/new");
    let fields = [("title", "Which pump?"), ("body", "Three <b>pages</b> of it."), ("kind", "idea"), ("password", "sesame")];
    let browser = Client::sign_in(&hub.base, "ada").await;
    let stale = browser.form(&path, "of another session", &fields).await;
    assert_eq!(stale.status, 403);
    check_html(&stale.text);
    assert!(stale.text.contains("Three &#60;b&#62;pages") || stale.text.contains("Three &lt;b&gt;pages"), "{}", stale.text);
    assert!(stale.text.contains("Which pump?") && stale.text.contains("readonly") && !stale.text.contains("sesame"));
    assert!(stale.text.contains(&format!("href=\"{path}\"")), "the way back: {}", stale.text);

    // The session is ended elsewhere.
    let csrf = browser.page(&path).await.csrf();
    assert_eq!(ada.delete("/api/v1/me/sessions").await.status, 204);
    let ended = browser.form(&path, &csrf, &fields).await;
    assert_eq!(ended.status, 401);
    check_html(&ended.text);
    assert!(ended.text.contains("of it.</textarea>") && !ended.text.contains("sesame"), "{}", ended.text);
    assert!(ended.text.contains(&format!("/login?next=/s/{space}/new")), "{}", ended.text);
    assert_eq!(ended.text.matches("ign in first").count(), 0, "once is enough");
    // From a page that answers no GET the way back is the page the form was on.
    let form = "body=Much+work&parent_id=";
    let sent = browser.request("POST", "/s/x/t/0000000000001/reply").header("Origin", &hub.base).header("Accept", "text/html");
    let sent = sent.header("Referer", format!("{}/topics", hub.base)).header("Content-Type", "application/x-www-form-urlencoded");
    let ended = browser.send(sent.body(form)).await;
    assert!(ended.status == 401 && ended.text.contains("/login?next=/topics") && ended.text.contains("Much work"), "{}", ended.text);
    // A form that is taken is read as before.
    let visitor = hub.visitor();
    let page = visitor.page("/login").await;
    let wrong = visitor.form("/login", &page.csrf(), &[("login", "ada"), ("password", "sesame")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
});

hub_test!(async fn only_what_can_be_done_is_offered(hub) {
    let (root, ben, cho) = (hub.member("rhea").await, hub.member("ben").await, hub.member("cho").await);
    let space = hub.space(&root, "open").await;
    let topic = hub.topic(&ben, &space, "Which pump?").await["id"].as_str().unwrap().to_owned();
    let page = format!("/s/{space}/t/{topic}");
    let delete = format!("/topics/{topic}/delete");
    hub.reply(&ben, &topic, None, "I mean the small one.").await;
    let (ben, root) = (Client::sign_in(&hub.base, "ben").await, Client::sign_in(&hub.base, "rhea").await);
    assert!(ben.page(&page).await.text.contains(&delete), "one's own replies do not matter");
    let reply = hub.reply(&cho, &topic, None, "The blue one.").await["id"].as_str().unwrap().to_owned();
    assert!(!ben.page(&page).await.text.contains(&delete));
    let head = ben.request("GET", &format!("{page}?fragment=head")).header("Accept", "text/html").header("X-Requested-With", "fetch");
    assert!(!ben.send(head).await.text.contains(&delete));
    assert!(root.page(&page).await.text.contains(&delete));

    // What is pressed is said in words.
    let accept = ben.page(&page).await;
    assert!(accept.text.contains("aria-pressed=\"false\"><span class=\"off\">Accept</span>"), "{}", accept.text);
    ben.form(&format!("/posts/{reply}/answer"), &accept.csrf(), &[]).await;
    let accepted = ben.page(&page).await.text;
    assert!(accepted.contains("Accepted</span></button>") && accepted.contains("1 accepted answer"), "{accepted}");
    assert!(ben.page(&format!("/s/{space}/new")).await.text.contains("Up to 8,"));
});

hub_test!(async fn lists_and_logs_say_what_they_hold(hub) {
    let root = hub.member("rhea").await;
    let (ben, cho) = (hub.member("ben").await, hub.member("cho").await);
    let space = hub.space(&root, "open").await;
    let topic = hub.topic(&ben, &space, "Which pump?").await;
    let post = topic["first_post_id"].as_str().unwrap();
    for (path, heading) in [
        ("/topics?kind=win", "Wins"), ("/topics?sort=top", "Top topics"), ("/topics?sort=top&kind=win", "Top topics: Wins"),
        ("/topics?state=unanswered", "Unanswered questions"), ("/topics", "Topics"),
    ] {
        let page = ben.page(path).await.text;
        assert!(page.contains(&format!("<h1>{heading}</h1>")) && page.contains(&format!("<title>{heading} ")), "{path}: {page}");
    }
    let browser = Client::sign_in(&hub.base, "rhea").await;
    let csrf = browser.page("/admin/hub").await.csrf();
    let saved = browser.form("/admin/hub", &csrf, &[("name", "Northmere"), ("welcome", "")]).await;
    assert!(saved.status == 303 || saved.status == 200, "{}", saved.text);
    let log = browser.page("/admin/log").await;
    check_html(&log.text);
    assert!(log.text.contains("Changed the settings of the hub"), "{}", log.text);
    assert!(log.text.contains("<h1>Log</h1>"));

    // Two reports of one post are one row, settled together.
    let flags = format!("/api/v1/posts/{post}/flags");
    assert_eq!(cho.post(&flags, &json!({"reason": "spam"})).await.status, 201);
    assert_eq!(root.post(&flags, &json!({"reason": "conduct", "note": "Rude."})).await.status, 201);
    let reports = browser.page("/reports").await;
    check_html(&reports.text);
    assert_eq!(reports.text.matches("value=\"dismiss\"").count(), 1, "{}", reports.text);
    assert!(reports.text.contains("It advertises") && reports.text.contains("It attacks"));
    let part = |before: &str, text: &str| text.split(before).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (act, also) = (part("action=\"/reports/", &reports.text), part("name=\"also\" value=\"", &reports.text));
    let done = browser.form(&format!("/reports/{act}"), &csrf, &[("do", "dismiss"), ("also", &also)]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(browser.page("/reports").await.text.contains("No open reports"));
    assert_eq!(browser.page("/reports?state=settled").await.text.matches("class=\"row\"").count(), 2);
});

hub_test!(async fn a_file_goes_up_without_a_script(hub) {
    hub.member("ada").await;
    let ada = Client::sign_in(&hub.base, "ada").await;
    let page = ada.page("/upload").await;
    check_html(&page.text);
    let csrf = page.csrf();
    let send = async |csrf: &str, bytes: &[u8]| {
        let part = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name("notes.txt");
        let form = reqwest::multipart::Form::new().text("_csrf", csrf.to_owned()).part("file", part);
        let request = ada.request("POST", "/upload").header("Origin", &ada.base).header("Accept", "text/html");
        ada.send(request.multipart(form)).await
    };
    let stored = send(&csrf, b"Two pumps, 5 ml each.").await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    check_html(&stored.text);
    let path = stored.text.split("](").nth(1).unwrap().split(')').next().unwrap();
    assert!(stored.text.contains("[notes.txt]"), "{}", stored.text);
    assert_eq!(ada.get(path).await.text, "Two pumps, 5 ml each.");
    assert_eq!(send("wrong", b"Two pumps.").await.status, 403);
    let empty = send(&csrf, b"").await;
    assert_eq!(empty.status, 422);
    check_html(&empty.text);
});
