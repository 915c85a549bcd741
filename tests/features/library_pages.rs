//! The library's pages without scripts: sharing, finding, changing, reviewing.

use super::library::{file, link};
use crate::support::html::check_html;
use crate::support::stage::{done, id};
use crate::support::{Answer, Client, hub_test};

/// Sends a form with a file, as a browser would.
async fn send(who: &Client, path: &str, csrf: &str, fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Answer {
    let mut form = reqwest::multipart::Form::new().text("_csrf", csrf.to_owned());
    for (name, value) in fields {
        form = form.text((*name).to_owned(), (*value).to_owned());
    }
    if let Some((name, bytes)) = file {
        form = form.part("file", reqwest::multipart::Part::bytes(bytes.to_vec()).file_name(name.to_owned()));
    }
    let request = who.request("POST", path).header("Origin", &who.base).header("Accept", "text/html");
    who.send(request.multipart(form)).await
}

hub_test!(async fn somebody_shares_and_others_find_it(hub) {
    let (root, _ben) = (hub.member("rhea").await, hub.member("ben").await);
    let space = hub.space(&root, "open").await;
    let ben = Client::sign_in(&hub.base, "ben").await;
    let new = format!("/s/{space}/library/new");
    let page = ben.page(&new).await;
    check_html(&page.text);
    let csrf = page.csrf();
    let fields = [("form", "file"), ("title", ""), ("summary", "What we counted."), ("kind", "dataset"), ("tags", "alerts wards"), ("topics", "Alert fatigue, Wards")];
    let sent = send(&ben, &new, &csrf, &fields, Some(("Alert_counts.csv", b"Ward,Alerts\nA,12\n"))).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let at = sent.header("location").to_owned();
    hub.settle().await;
    let shown = hub.visitor().page(&at).await;
    check_html(&shown.text);
    for words in ["<h1>Alert counts</h1>", "What we counted.", "Dataset", "#alerts", "Alert fatigue", "id=\"page-1\"", "<td>12</td>", "Download"] {
        assert!(shown.text.contains(words), "{words} in {}", shown.text);
    }
    for path in ["/library".to_owned(), format!("/s/{space}/library"), "/library?tag=alerts".into(), "/library?kind=dataset&topic=wards".into()] {
        let list = hub.visitor().page(&path).await;
        check_html(&list.text);
        assert!(list.text.contains(&format!("href=\"{at}\"")), "{path}: {}", list.text);
    }
    assert!(!hub.visitor().page("/library?kind=policy").await.text.contains(&at));

    // A refused form gives back what was typed.
    let wrong = send(&ben, &new, &csrf, &[("form", "link"), ("url", "javascript:alert(1)"), ("title", "Kept title"), ("kind", "other")], None).await;
    assert_eq!(wrong.status, 422);
    check_html(&wrong.text);
    assert!(wrong.text.contains("Kept title") && wrong.text.contains("error-summary"), "{}", wrong.text);
    assert_eq!(send(&ben, &new, &csrf, &[("form", "file")], Some(("a.txt", b""))).await.status, 422);
    assert_eq!(send(&ben, &new, "wrong", &[("form", "file")], Some(("a.txt", b"Words"))).await.status, 403);
    assert_eq!(send(&ben, &new, "wrong", &[("form", "link"), ("url", "https://example.org/x")], None).await.status, 403, "no file, no token");
    assert_eq!(crate::features::library_files::kept(hub), 1);
    for (form, field, value) in [("link", "url", "https://example.org/guide"), ("note", "body", "# Begin\n\nA *note*.\n\n### Then")] {
        let made = send(&ben, &new, &csrf, &[("form", form), (field, value), ("title", form), ("kind", "guidance")], None).await;
        assert_eq!(made.status, 303, "{}", made.text);
        let page = hub.visitor().page(made.header("location")).await.text;
        check_html(&page);
        // Headings of a note come below one of the page, and leave no level out.
        let levels = ["<h2 class=\"sr\" id=\"h-note\">", "<h3>Begin</h3>", "<h4>Then</h4>"];
        assert!(form != "note" || levels.iter().all(|heading| page.contains(heading)), "{page}");
    }

    // Details and versions.
    let edit = ben.page(&format!("{at}/edit")).await;
    check_html(&edit.text);
    let version = edit.text.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let saved = ben.form(&format!("{at}/edit"), &csrf, &[("title", "Counts"), ("kind", "report"), ("version", &version), ("review_due", "2020-01-01")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stale = ben.form(&format!("{at}/edit"), &csrf, &[("title", "Lost"), ("kind", "report"), ("version", &version)]).await;
    assert_eq!(stale.status, 412);
    check_html(&stale.text);
    assert!(stale.text.contains("Lost"), "what was typed is there");
    let next = send(&ben, &format!("{at}/versions"), &csrf, &[("note", "New week")], Some(("counts.csv", b"Ward,Alerts\nB,7\n"))).await;
    assert_eq!(next.status, 303, "{}", next.text);
    let versions = ben.page(&format!("{at}/versions")).await;
    check_html(&versions.text);
    assert!(versions.text.contains("New week") && versions.text.contains("versions/1/restore"), "{}", versions.text);
    assert_eq!(ben.form(&format!("{at}/versions/1/restore"), &csrf, &[]).await.status, 303);

    // The review.
    let queue = ben.page("/library/reviews").await;
    check_html(&queue.text);
    assert!(queue.text.contains("Counts"), "{}", queue.text);
    assert_eq!(ben.form(&format!("{at}/reviewed"), &csrf, &[("next", "/library/reviews")]).await.header("location"), "/library/reviews");
    assert!(!ben.page("/library/reviews").await.text.contains("Counts"));
    assert_eq!(ben.form(&format!("{at}/delete"), &csrf, &[]).await.header("location"), format!("/s/{space}/library"));
    assert_eq!(ben.page(&at).await.status, 404);
});

hub_test!(async fn a_refused_file_takes_nothing_typed_with_it(hub) {
    let _first = hub.member("rhea").await;
    let root = Client::sign_in(&hub.base, "rhea").await;
    let space = hub.space(&hub.member("ben").await, "open").await;
    let new = format!("/s/{space}/library/new");
    let csrf = root.page(&new).await.csrf();
    // In the order of the page: the file comes before what is typed below it.
    let large = vec![b'a'; (25 << 20) + 1];
    for (name, bytes) in [("a.pdf", b"MZ\x90\x00\x03\x00\x00\x00".as_slice()), ("a.txt", large.as_slice()), ("a.txt", b"".as_slice())] {
        let part = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name(name);
        let form = reqwest::multipart::Form::new().text("_csrf", csrf.clone()).text("form", "file").part("file", part);
        let form = form.text("title", "Typed title").text("summary", "Typed summary").text("tags", "one two");
        let form = form.text("description", "Typed\r\ndescription").text("kind", "report").text("licence", "Typed licence");
        let request = root.request("POST", &new).header("Origin", &root.base).header("Accept", "text/html");
        let answer = root.send(request.multipart(form)).await;
        assert_eq!(answer.status, 422, "{name}: {}", answer.text);
        check_html(&answer.text);
        for kept in ["Typed title", "Typed summary", "one two", "Typed\ndescription", "Typed licence", "value=\"report\" selected"] {
            assert!(answer.text.contains(kept), "{name}, {kept}: {}", answer.text);
        }
        assert!(answer.text.contains("id=\"file-error\""), "{name}: {}", answer.text);
    }
    assert_eq!(crate::features::library_files::kept(hub), 0);
});

hub_test!(async fn collections_are_made_and_ordered_without_scripts(hub) {
    let root = hub.member("rhea").await;
    let space = hub.space(&root, "open").await;
    let (a, b) = (id(&link(&root, &space, "First guide").await), id(&link(&root, &space, "Second guide").await));
    let browser = Client::sign_in(&hub.base, "rhea").await;
    let csrf = browser.page(&format!("/s/{space}/collections/new")).await.csrf();
    let made = browser.form(&format!("/s/{space}/collections/new"), &csrf, &[("title", "To begin with"), ("introduction", "Read these.")]).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let at = made.header("location").to_owned();
    for one in [&a, &b] {
        let collection = at.rsplit('/').next().unwrap();
        assert_eq!(browser.form(&format!("/resources/{one}/collect"), &csrf, &[("collection", collection)]).await.status, 303);
    }
    let before = browser.page(&at).await.text;
    assert!(before.find("First guide") < before.find("Second guide"), "{before}");
    let place = |one: &str| format!("place-{one}");
    let saved = browser
        .form(&format!("{at}/edit"), &csrf, &[("title", "To begin with"), ("introduction", ""), ("item", &a), ("item", &b), (&place(&a), "2"), (&place(&b), "1")])
        .await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let after = browser.page(&at).await.text;
    check_html(&after);
    assert!(after.find("Second guide") < after.find("First guide"), "{after}");
    assert!(browser.page(&format!("/s/{space}/library")).await.text.contains("To begin with"));
    assert_eq!(browser.form(&format!("{at}/delete"), &csrf, &[]).await.status, 303);
});

hub_test!(async fn a_text_that_somebody_else_saved_is_not_written_over_unseen(hub) {
    let root = hub.member("rhea").await;
    let space = hub.space(&root, "open").await;
    let made = crate::features::library::note(&root, &space, "Pumps", "The first text.").await;
    let browser = Client::sign_in(&hub.base, "rhea").await;
    let at = format!("/resources/{}/versions", id(&made));
    let form = browser.page(&at).await;
    let version = |text: &str| text.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (csrf, old) = (form.csrf(), version(&form.text));
    let theirs = browser.form(&at, &csrf, &[("body", "Their text."), ("version", &old)]).await;
    assert_eq!(theirs.status, 303, "{}", theirs.text);
    let mine = browser.form(&at, &csrf, &[("body", "My text."), ("note", "Mine"), ("version", &old)]).await;
    assert_eq!(mine.status, 412);
    check_html(&mine.text);
    assert!(mine.text.contains("My text.") && mine.text.contains("value=\"Mine\""), "{}", mine.text);
    let over = browser.form(&at, &csrf, &[("body", "My text."), ("version", &version(&mine.text))]).await;
    assert_eq!(over.status, 303, "{}", over.text);
    let page = browser.page(&format!("/resources/{}", id(&made))).await.text;
    assert!(page.contains("<span class=\"kind\">") && page.contains("Note</span>") && !page.contains(">Other<"), "{page}");
});

hub_test!(async fn who_hides_a_resource_shows_it_again(hub) {
    let root = hub.member("rhea").await;
    let _finn = hub.member("finn").await;
    assert_eq!(root.patch("/api/v1/admin/members/finn", &serde_json::json!({"role": "facilitator"})).await.status, 200);
    let space = hub.space(&root, "open").await;
    let at = format!("/resources/{}", id(&link(&root, &space, "A guide").await));
    let finn = Client::sign_in(&hub.base, "finn").await;
    let csrf = finn.page(&at).await.csrf();
    assert_eq!(finn.form(&format!("{at}/hide"), &csrf, &[]).await.header("location"), at);
    let hidden = finn.page(&at).await;
    assert!(hidden.status == 200 && hidden.text.contains("hide?undo=1"), "{}", hidden.text);
    assert_eq!(hub.visitor().page(&at).await.status, 404);
    assert_eq!(finn.form(&format!("{at}/hide?undo=1"), &csrf, &[]).await.status, 303);
    assert_eq!(hub.visitor().page(&at).await.status, 200);
});

hub_test!(async fn what_is_hidden_keeps_its_place_in_a_collection(hub) {
    let root = hub.member("rhea").await;
    let space = hub.space(&root, "open").await;
    let mut guides = Vec::new();
    for name in ["First", "Second", "Third", "Fourth"] {
        guides.push(id(&link(&root, &space, name).await));
    }
    let made = root.post(&format!("/api/v1/spaces/{space}/collections"), &serde_json::json!({"title": "To begin with"})).await;
    let at = format!("/api/v1/collections/{}", made.id());
    let order = async || {
        let of = done(&root.get(&at).await);
        of["resources"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    done(&root.patch(&at, &serde_json::json!({"resources": guides})).await);
    let act = async |number: usize, act: &str| {
        done(&root.post(&format!("/api/v1/resources/{}/{act}", guides[number]), &serde_json::json!({"reason": "x"})).await);
    };
    act(1, "hide").await;
    done(&root.delete(&format!("/api/v1/resources/{}", guides[2])).await);
    assert_eq!(order().await, ["First", "Fourth"]);
    // Whoever turns round what they see knows nothing of the other two.
    done(&root.patch(&at, &serde_json::json!({"resources": [guides[3], guides[0]]})).await);
    assert_eq!(order().await, ["Fourth", "First"]);
    act(1, "unhide").await;
    act(2, "restore").await;
    assert_eq!(order().await, ["Fourth", "Second", "Third", "First"]);
    done(&root.patch(&at, &serde_json::json!({"resources": [guides[0]]})).await);
    assert_eq!(order().await, ["First"], "what is seen and left out is out");
});

hub_test!(async fn reports_of_resources_are_settled_on_their_page(hub) {
    let (root, ben) = (hub.member("rhea").await, hub.member("ben").await);
    let space = hub.space(&root, "open").await;
    let resource = id(&file(&root, &space, "a.txt", b"Words.").await);
    hub.settle().await;
    let browser = Client::sign_in(&hub.base, "ben").await;
    let form = browser.page(&format!("/resources/{resource}/report")).await;
    check_html(&form.text);
    assert_eq!(browser.form(&format!("/resources/{resource}/report"), &form.csrf(), &[("note", "x")]).await.status, 422);
    let sent = browser.form(&format!("/resources/{resource}/report"), &form.csrf(), &[("reason", "spam"), ("note", "Look")]).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    check_html(&sent.text);
    let moderator = Client::sign_in(&hub.base, "rhea").await;
    let list = moderator.page("/reports/library").await;
    check_html(&list.text);
    let report = list.text.split("action=\"/reports/library/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(moderator.form(&format!("/reports/library/{report}"), &list.csrf(), &[("do", "hide")]).await.status, 303);
    assert_eq!(ben.get(&format!("/api/v1/resources/{resource}")).await.status, 404);
    assert!(moderator.page("/admin/log").await.text.contains("a resource"));
    let hidden = moderator.page(&format!("/resources/{resource}")).await;
    check_html(&hidden.text);
    assert_eq!(moderator.form(&format!("/resources/{resource}/hide?undo=1"), &list.csrf(), &[]).await.status, 303);
    done(&ben.get(&format!("/api/v1/resources/{resource}")).await);
    let purge = moderator.page(&format!("/resources/{resource}/purge")).await;
    check_html(&purge.text);
    assert_eq!(moderator.form(&format!("/resources/{resource}/purge"), &purge.csrf(), &[("sure", "1"), ("reason", "x")]).await.status, 303);
    assert_eq!(ben.get(&format!("/api/v1/resources/{resource}")).await.status, 404);
    check_html(&moderator.page(&format!("/resources/{resource}")).await.text);
});
