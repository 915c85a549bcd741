//! Pages of spaces: made, joined, asked, run and archived by forms, without scripts.

use serde_json::json;

use crate::support::hub::run_with;
use crate::support::{Client, Db, TestHub, hub_test};

/// A browser of a new member, and the CSRF token of its session.
async fn browser(hub: &TestHub, handle: &str) -> (Client, String) {
    hub.member(handle).await;
    let client = Client::sign_in(&hub.base, handle).await;
    let csrf = client.page("/spaces").await.csrf();
    assert!(!csrf.is_empty());
    (client, csrf)
}

hub_test!(async fn a_space_is_made_by_a_form_that_keeps_what_was_typed(hub) {
    let (ada, csrf) = browser(hub, "ada").await;
    assert!(ada.page("/spaces").await.text.contains("href=\"/spaces/new\""));
    let form = ada.page("/spaces/new").await;
    assert_eq!(form.status, 200);
    let wrong = [("name", ""), ("slug", "no good"), ("description", "<Nights & days>"), ("visibility", "private")];
    let again = ada.form("/spaces/new", &csrf, &wrong).await;
    assert_eq!(again.status, 422);
    for part in ["error-summary", "href=\"#name\"", "href=\"#slug\"", "value=\"no good\"", "value=\"private\" checked", "<title>Error:"] {
        assert!(again.text.contains(part), "{part}: {}", again.text);
    }
    assert!(again.text.contains("Nights") && !again.text.contains("<Nights"), "kept and escaped");
    let good = [("name", "Nights"), ("slug", "nights"), ("description", "After dark"), ("visibility", "private")];
    let made = ada.form("/spaces/new", &csrf, &good).await;
    assert_eq!((made.status, made.header("location")), (303, "/s/nights"));
    let taken = ada.form("/spaces/new", &csrf, &good).await;
    assert_eq!(taken.status, 409);
    assert!(taken.text.contains("href=\"#slug\"") && taken.text.contains("value=\"Nights\""), "{}", taken.text);
    assert_eq!(ada.form("/spaces/new", "wrong", &good).await.status, 403);
    let visitor = hub.visitor().page("/spaces/new").await;
    assert_eq!((visitor.status, visitor.header("location")), (303, "/login?next=%2Fspaces%2Fnew"));
});

hub_test!(async fn the_list_shows_each_viewer_their_spaces(hub) {
    hub.member("rhea").await;
    let owner = hub.member("olga").await;
    let (otto, csrf) = browser(hub, "otto").await;
    let open = hub.space(&owner, "open").await;
    let private = hub.space(&owner, "private").await;
    let hidden = hub.space(&owner, "confidential").await;
    let page = otto.page("/spaces").await;
    let has = |page: &str, slug: &str| page.contains(&format!("href=\"/s/{slug}\""));
    assert!(has(&page.text, &open) && has(&page.text, &private) && !has(&page.text, &hidden), "{}", page.text);
    let visitor = hub.visitor().page("/spaces").await.text;
    assert!(has(&visitor, &open) && !has(&visitor, &private) && !has(&visitor, &hidden));
    // Invited, they are told; answered, it is over.
    let put = |slug: &str| {
        let path = format!("/api/v1/spaces/{slug}/members/otto");
        owner.send(owner.request("PUT", &path).json(&json!({"role": "member"})))
    };
    assert_eq!(put(&hidden).await.status, 202);
    let page = otto.page("/spaces").await.text;
    assert!(page.contains(&format!("/s/{hidden}/invites/decline")) && page.contains("Invited by olga Example"), "{page}");
    let joined = otto.form(&format!("/s/{hidden}/join"), &csrf, &[]).await;
    assert_eq!((joined.status, joined.header("location").to_owned()), (303, format!("/s/{hidden}")));
    let page = otto.page("/spaces").await.text;
    assert!(has(&page, &hidden) && !page.contains("invites/decline"));
    assert_eq!(otto.form(&format!("/s/{hidden}/leave"), &csrf, &[]).await.status, 303);
    assert!(!has(&otto.page("/spaces").await.text, &hidden));
});

hub_test!(async fn members_are_asked_in_let_in_and_taken_out_on_their_page(hub) {
    hub.member("rhea").await;
    let (olga, csrf) = browser(hub, "olga").await;
    let (otto, otto_csrf) = browser(hub, "otto").await;
    hub.member("nia").await;
    let fields = [("name", "Ward"), ("slug", "ward"), ("description", ""), ("visibility", "private")];
    assert_eq!(olga.form("/spaces/new", &csrf, &fields).await.status, 303);
    assert_eq!(otto.page("/s/ward/members").await.status, 404);
    let long = "x".repeat(300);
    let wrong = otto.form("/s/ward/join", &otto_csrf, &[("message", &long)]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains(&long) && wrong.text.contains("href=\"#message\""));
    assert_eq!(otto.form("/s/ward/join", &otto_csrf, &[("message", "I know <b>Olga</b>.")]).await.status, 303);
    let page = olga.page("/s/ward/members").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("1 person asks to join") && page.text.contains("I know &#60;b&#62;Olga"), "{}", page.text);
    let action = page.text.split("action=\"/s/ward/requests/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let request = format!("/s/ward/requests/{action}");
    assert_eq!(otto.form(&request, &otto_csrf, &[("answer", "yes")]).await.status, 404);
    assert_eq!(olga.form(&request, &csrf, &[("answer", "yes")]).await.status, 303);
    let page = otto.page("/s/ward/members").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("2 members") && !page.text.contains("name=\"who\""), "members invite nobody");

    let bad = olga.form("/s/ward/members", &csrf, &[("who", "@nia\nnobody-at-all")]).await;
    assert_eq!(bad.status, 422);
    assert!(bad.text.contains("nobody-at-all is neither") && bad.text.contains("@nia\nnobody-at-all"), "{}", bad.text);
    assert!(!olga.page("/s/ward/members").await.text.contains("Take back"), "all or nobody");
    let good = olga.form("/s/ward/members", &csrf, &[("who", "@nia, otto\nNew <new@example.org>")]).await;
    assert_eq!((good.status, good.header("location")), (303, "/s/ward/members?said=invited"), "{}", good.text);
    let page = olga.page("/s/ward/members?said=invited").await;
    assert!(page.text.contains("on their way") && page.text.contains("Take back the invitation of nia Example"));
    assert_eq!(otto.form("/s/ward/members", &otto_csrf, &[("who", "rhea")]).await.status, 403);

    assert_eq!(olga.form("/s/ward/members/otto", &csrf, &[("role", "moderator")]).await.status, 303);
    assert!(otto.page("/s/ward/members").await.text.contains("name=\"who\""), "moderators do");
    assert_eq!(olga.form("/s/ward/members/otto", &csrf, &[("remove", "1")]).await.status, 303);
    assert_eq!(otto.page("/s/ward/members").await.status, 404);
    hub.settle().await;
});

hub_test!(async fn owners_change_and_archive_a_space_on_its_page(hub) {
    let (ada, csrf) = browser(hub, "ada").await;
    let (ben, ben_csrf) = browser(hub, "ben").await;
    let fields = [("name", "Ward"), ("slug", "ward"), ("description", ""), ("visibility", "open")];
    assert_eq!(ada.form("/spaces/new", &csrf, &fields).await.status, 303);
    assert_eq!(ben.page("/s/ward/settings").await.status, 403);
    let page = ada.page("/s/ward/settings").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("name=\"version\" value=\"1\""));
    let save = |version: &'static str, name: &'static str| {
        let fields = [("version", version), ("name", name), ("description", "D"), ("visibility", "restricted"), ("pinned_body", "Hello **you**")];
        let (ada, csrf) = (&ada, &csrf);
        async move { ada.form("/s/ward/settings", csrf, &fields).await }
    };
    assert_eq!(save("1", "Ward 7").await.status, 303);
    let stale = save("1", "Ward 8").await;
    assert_eq!(stale.status, 412);
    assert!(stale.text.contains("value=\"Ward 8\"") && stale.text.contains("name=\"version\" value=\"2\""), "{}", stale.text);
    assert_eq!(save("2", "").await.status, 422);
    let seen = ada.get("/api/v1/spaces/ward").await.json();
    assert_eq!((&seen["name"], &seen["visibility"]), (&json!("Ward 7"), &json!("restricted")));
    assert_eq!(ben.form("/s/ward/settings", &ben_csrf, &[("name", "Mine")]).await.status, 403);
    assert_eq!(ben.form("/s/ward/archive", &ben_csrf, &[("archived", "yes")]).await.status, 403);
    assert_eq!(ada.form("/s/ward/archive", &csrf, &[("archived", "yes")]).await.status, 303);
    let page = ada.page("/s/ward/settings").await.text;
    assert!(page.contains("This space is archived") && !page.contains("name=\"pinned_body\""), "{page}");
    assert_eq!(save("3", "Ward 9").await.status, 403);
    assert_eq!(ada.form("/s/ward/archive", &csrf, &[("archived", "no")]).await.status, 303);
    assert_eq!(save("4", "Ward 9").await.status, 303);
});

hub_test!(async fn whom_a_hidden_space_asks_in_finds_its_door_and_nobody_else_does(hub) {
    hub.member("rhea").await;
    let owner = hub.member("olga").await;
    let (otto, csrf) = browser(hub, "otto").await;
    let (mia, _) = browser(hub, "mia").await;
    let hidden = hub.space(&owner, "confidential").await;
    let topic = hub.topic(&owner, &hidden, "Plans").await["id"].as_str().unwrap().to_owned();
    let path = format!("/s/{hidden}");
    assert_eq!(otto.page(&path).await.status, 404);
    let ask = async || {
        let request = owner.request("PUT", &format!("/api/v1/spaces/{hidden}/members/otto"));
        assert_eq!(owner.send(request.json(&json!({"role": "member"}))).await.status, 202);
    };
    ask().await;
    let door = otto.page(&path).await;
    assert_eq!(door.status, 200, "{}", door.text);
    for part in [format!("action=\"{path}/join\""), format!("formaction=\"{path}/invites/decline\"")] {
        assert!(door.text.contains(&part), "{part}: {}", door.text);
    }
    assert!(!door.text.contains("Plans"));
    assert_eq!(otto.page(&format!("{path}/t/{topic}")).await.status, 404, "the inside stays inside");
    assert_eq!(mia.page(&path).await.status, 404);
    assert_eq!(hub.visitor().page(&path).await.status, 404);
    assert_eq!(otto.form(&format!("{path}/invites/decline"), &csrf, &[]).await.status, 303);
    assert_eq!(otto.page(&path).await.status, 404, "who declined is a stranger again");
    ask().await;
    assert_eq!(otto.form(&format!("{path}/join"), &csrf, &[]).await.status, 303);
    assert!(otto.page(&path).await.text.contains("Plans"));
});

/// Slugs of the cards on a page, in their order.
fn cards(page: &str) -> Vec<String> {
    let links = page.split("<main").nth(1).unwrap().split("href=\"/s/").skip(1);
    let mut slugs: Vec<String> = links.map(|rest| rest.split(['"', '/']).next().unwrap().to_owned()).collect();
    slugs.dedup();
    slugs
}

async fn leaf_through(hub: &TestHub) {
    let owner = hub.member("olga").await;
    for number in 0..63 {
        // Every other one is written in capitals: case does not count.
        let name = if number % 2 == 0 { format!("WARD {number:02}") } else { format!("ward {number:02}") };
        let body = json!({"slug": format!("w{number:02}"), "name": name, "description": "", "visibility": "open"});
        assert_eq!(owner.post("/api/v1/spaces", &body).await.status, 201);
    }
    let visitor = hub.visitor();
    let first = visitor.page("/spaces").await;
    let next = first.text.split_once("rel=\"next\" href=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let second = visitor.page(&next).await;
    assert!(!second.text.contains("rel=\"next\""), "two pages");
    let (mut all, rest) = (cards(&first.text), cards(&second.text));
    assert_eq!((all.len(), rest.len()), (60, 3));
    all.extend(rest);
    assert_eq!(all, (0..63).map(|number| format!("w{number:02}")).collect::<Vec<_>>());
    assert_eq!(visitor.page("/spaces?cursor=nonsense").await.status, 422);
}

#[test]
fn many_spaces_are_several_pages_by_name() {
    for db in [Db::Sqlite, Db::Postgres] {
        run_with(db, "many spaces", &[("rate_limit", "off")], leaf_through);
    }
}
