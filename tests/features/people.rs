//! Profiles, the directory, completion.

use image::ImageFormat;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::people_files::{bytes, picture, put_avatar};
use crate::support::{Answer, Client, TestHub, hub_test};

/// Handles in a page of the directory.
fn handles(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().iter().map(|item| item["handle"].as_str().unwrap().to_owned()).collect()
}

/// Makes of a member one that an import made.
async fn unclaim(hub: &TestHub, handle: &str) {
    let handle = handle.to_owned();
    let done = hub.state().store.write(async move |tx| {
        let sql = format!("UPDATE member SET state = 'unclaimed' WHERE handle = '{handle}'");
        tx.conn().execute_unprepared(&sql).await?;
        Ok(())
    });
    done.await.unwrap();
}

hub_test!(async fn a_profile_is_edited_by_its_owner_and_guarded_by_its_version(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    let first = ben.get("/api/v1/me").await;
    assert_eq!(first.status, 200, "{}", first.text);
    let tag = first.header("etag").to_owned();
    assert_eq!(first.json()["email"], "ben@example.org");
    assert_eq!(first.json()["email_verified"], false);
    let change = json!({
        "display_name": " Dr  Ben  Okri ", "headline": "Stroke physician", "discipline": "clinician",
        "organisation": "Northmere Hospitals", "expertise": ["#Stroke", "ct-head", "stroke"],
        "about": "I ask **why**. <script>x</script>", "links": [{"label": "", "url": "https://example.org/ben"}],
        "time_zone": "Europe/London", "mail_on": false,
    });
    let request = ben.request("PATCH", "/api/v1/me").header("If-Match", &tag).json(&change);
    let changed = ben.send(request).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_ne!(changed.header("etag"), tag);
    let json = changed.json();
    assert_eq!(json["display_name"], "Dr Ben Okri");
    assert_eq!(json["expertise"], json!(["ct-head", "stroke"]));
    assert_eq!(json["links"], json!([{"label": "example.org", "url": "https://example.org/ben"}]));
    assert!(json["about_html"].as_str().unwrap().contains("<strong>why</strong>"), "{json}");
    assert!(!json["about_html"].as_str().unwrap().contains("<script"), "{json}");
    assert_eq!(json["mail_on"], false);
    // The version before is stale, and nothing was changed by it.
    let stale = ben.request("PATCH", "/api/v1/me").header("If-Match", &tag).json(&json!({"headline": "Other"}));
    assert_eq!(ben.send(stale).await.status, 412);
    assert_eq!(ben.get("/api/v1/me").await.json()["headline"], "Stroke physician");
    // A change that changes nothing is not a version.
    assert_eq!(ben.patch("/api/v1/me", &json!({"discipline": "clinician"})).await.header("etag"), changed.header("etag"));
    let seen = ada.get("/api/v1/members/BEN").await;
    assert_eq!(seen.status, 200);
    assert_eq!(seen.json()["organisation"], "Northmere Hospitals");
    assert_eq!(seen.json()["email"], Value::Null, "an address is its owner's");
    assert_eq!(seen.json()["mail_on"], Value::Null);
    assert_eq!(hub.visitor().get("/api/v1/members/ben").await.status, 401);
    assert_eq!(hub.visitor().get("/api/v1/members").await.status, 401);
    assert_eq!(hub.visitor().get("/api/v1/me").await.status, 401);
});

hub_test!(async fn a_wrong_profile_is_refused_with_every_fault_and_nothing_changes(hub) {
    let ada = hub.member("ada").await;
    let wrong = json!({
        "display_name": "  ", "headline": "x".repeat(256), "expertise": ["two words"], "time_zone": "Mars/",
        "links": [{"label": "x", "url": "javascript:alert(1)"}],
    });
    let answer = ada.patch("/api/v1/me", &wrong).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let json = answer.json();
    let mut fields: Vec<&str> = json["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["display_name", "expertise", "headline", "links", "time_zone"]);
    let many: Vec<Value> = (0..11).map(|n| json!({"label": "x", "url": format!("https://example.org/{n}")})).collect();
    assert_eq!(ada.patch("/api/v1/me", &json!({"links": many})).await.status, 422);
    assert_eq!(ada.patch("/api/v1/me", &json!({"discipline": "wizard"})).await.status, 422);
    assert_eq!(ada.get("/api/v1/me").await.json()["display_name"], "ada Example");
});

hub_test!(async fn the_directory_is_searched_by_beginnings_of_words_and_filtered(hub) {
    let ada = hub.member("ada").await;
    for (handle, name, discipline, organisation, tag) in [
        ("bea", "Beatrix Holm", "nurse", "Northmere Hospitals", "stroke"),
        ("cai", "Cai Holmström", "nurse", "Eastvale Unit", "triage"),
        ("dan", "Dan Orr", "engineer", "Northmere Hospitals", "stroke"),
    ] {
        let member = hub.member(handle).await;
        let body = json!({"display_name": name, "discipline": discipline, "organisation": organisation, "expertise": [tag]});
        assert_eq!(member.patch("/api/v1/me", &body).await.status, 200);
    }
    let find = async |query: &str| handles(&ada.get(&format!("/api/v1/members?sort=name&{query}")).await);
    assert_eq!(find("").await, ["ada", "bea", "cai", "dan"], "by name");
    assert_eq!(handles(&ada.get("/api/v1/members").await), ["dan", "cai", "bea", "ada"], "who joined last comes first");
    assert_eq!(ada.get("/api/v1/members?sort=age").await.status, 422);
    assert_eq!(find("q=hol").await, ["bea", "cai"]);
    assert_eq!(find("q=HOLMS").await, ["cai"]);
    assert_eq!(find("q=holmstr%C3%B6").await, ["cai"]);
    assert_eq!(find("q=hol+north").await, ["bea"], "all words");
    assert_eq!(find("q=olm").await, [""; 0], "the beginning of a word");
    assert_eq!(find("discipline=nurse").await, ["bea", "cai"]);
    assert_eq!(find("tag=stroke&discipline=engineer").await, ["dan"]);
    assert_eq!(find("organisation=northmere+hospitals").await, ["bea", "dan"]);
    assert_eq!(find("organisation=northmere").await, [""; 0], "the whole name");
    assert_eq!(find("role=administrator").await, ["ada"]);
    assert_eq!(ada.get("/api/v1/members?role=king").await.status, 422);
    // Pages meet without a gap.
    let first = ada.get("/api/v1/members?sort=name&limit=2").await;
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(handles(&first), ["ada", "bea"]);
    let second = ada.get(&format!("/api/v1/members?sort=name&limit=2&cursor={cursor}")).await;
    assert_eq!(handles(&second), ["cai", "dan"]);
    assert_eq!(second.json()["next_cursor"], Value::Null);
    assert_eq!(ada.get("/api/v1/members?cursor=%21").await.status, 422);
    // A changed name is found anew, and not by what it was.
    let dan = ada.get("/api/v1/members?q=orr").await;
    assert_eq!(handles(&dan), ["dan"]);
});

hub_test!(async fn the_directory_is_sorted_without_case_and_filtered_by_space(hub) {
    let ada = hub.member("ada").await;
    for (handle, name) in [("ada", "zoe"), ("ben", "Bea"), ("cleo", "amir"), ("dee", "Zack"), ("eli", "bea")] {
        let client = if handle == "ada" { None } else { Some(hub.member(handle).await) };
        let client = client.as_ref().unwrap_or(&ada);
        assert_eq!(client.patch("/api/v1/me", &json!({"display_name": name})).await.status, 200);
    }
    let expected = ["cleo", "ben", "eli", "dee", "ada"];
    assert_eq!(handles(&ada.get("/api/v1/members?sort=name").await), expected);
    let (mut path, mut one_by_one) = ("/api/v1/members?sort=name&limit=1".to_owned(), Vec::new());
    loop {
        let answer = ada.get(&path).await;
        one_by_one.extend(handles(&answer));
        let Some(cursor) = answer.json()["next_cursor"].as_str().map(str::to_owned) else { break };
        path = format!("/api/v1/members?sort=name&limit=1&cursor={cursor}");
    }
    assert_eq!(one_by_one, expected);

    let (open, hidden) = (hub.space(&ada, "open").await, hub.space(&ada, "confidential").await);
    let mut ben = Client::new(&hub.base);
    let login = json!({"login": "ben", "password": crate::support::hub::password("ben")});
    ben.bearer = hub.visitor().post("/api/v1/auth/login", &login).await.json()["access_token"].as_str().map(str::to_owned);
    assert_eq!(ben.post(&format!("/api/v1/spaces/{open}/join"), &json!({})).await.status, 200);
    assert_eq!(handles(&ben.get(&format!("/api/v1/members?space={open}&sort=name")).await), ["ben", "ada"]);
    for slug in [hidden.as_str(), "nowhere"] {
        let answer = ben.get(&format!("/api/v1/members?space={slug}")).await;
        assert_eq!(answer.status, 422, "a hidden space and none look alike");
        assert!(answer.text.contains("is not a space that you may read"), "{}", answer.text);
    }
    assert_eq!(handles(&ada.get(&format!("/api/v1/members?space={hidden}")).await), ["ada"]);
    let page = Client::sign_in(&hub.base, "ben").await.page(&format!("/people?space={open}")).await;
    assert!(page.text.contains(&format!("value=\"{open}\" selected")) && !page.text.contains("/people/cleo"), "{}", page.text);
});

hub_test!(async fn a_profile_leads_to_all_topics_of_its_author(hub) {
    let (ada, ben) = (hub.member("ada").await, hub.member("ben").await);
    let (open, secret) = (hub.space(&ada, "open").await, hub.space(&ben, "confidential").await);
    for number in 0..7 {
        hub.topic(&ben, &open, &format!("Question {number} of ben")).await;
    }
    hub.topic(&ada, &open, "Something of ada").await;
    hub.topic(&ben, &secret, "Hidden plans").await;
    let browser = Client::sign_in(&hub.base, "ada").await;
    let profile = browser.page("/people/ben").await;
    assert!(profile.text.contains("href=\"/topics?author=ben\""), "{}", profile.text);
    let list = browser.page("/topics?author=ben").await;
    for number in 0..7 {
        assert!(list.text.contains(&format!("Question {number} of ben")), "{number}");
    }
    assert!(!list.text.contains("Something of ada") && !list.text.contains("Hidden plans"));
    assert!(list.text.contains("<h1>Topics by ben Example</h1>"), "{}", list.text);
});

hub_test!(async fn who_has_not_claimed_an_account_is_not_in_the_directory(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    hub.member("cleo").await;
    unclaim(hub, "cleo").await;
    assert_eq!(handles(&ben.get("/api/v1/members?q=cleo").await), [""; 0]);
    assert_eq!(ben.get("/api/v1/members/cleo").await.status, 404);
    assert_eq!(ada.get("/api/v1/members/cleo").await.status, 200, "an administrator sees whom to claim for");
    assert_eq!(hub.visitor().get("/people/cleo/avatar").await.status, 200, "the name stands beside imported posts");
});

hub_test!(async fn visitors_cannot_try_out_who_is_a_member(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    assert_eq!(put_avatar(&ben, "image/png", picture(64, 64, ImageFormat::Png)).await.status, 204);
    let closed = hub.space(&ada, "restricted").await;
    hub.topic(&ada, &closed, "What visitors do not read").await;
    let url = ben.get("/api/v1/me").await.json()["avatar_url"].as_str().unwrap().to_owned();
    let none = bytes(&hub.visitor(), "/people/nobody/avatar").await;
    assert_eq!((none.0, none.2["content-type"].to_str().unwrap()), (200, "image/svg+xml"));
    for path in ["/people/ada/avatar", "/people/ben/avatar", url.as_str()] {
        let some = bytes(&hub.visitor(), path).await;
        assert_eq!((some.0, &some.1), (200, &none.1), "{path}");
        for name in ["content-type", "cache-control", "etag"] {
            assert_eq!(some.2.get(name), none.2.get(name), "{name} of {path}");
        }
    }
    assert_eq!(hub.visitor().get("/people/No%20Handle/avatar").await.status, 404);
    let (status, _, headers) = bytes(&ada, &url).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "image/png"));
    assert_eq!(headers["cache-control"], "private, max-age=31536000, immutable");
    assert_eq!(ada.get("/people/nobody/avatar").await.status, 404);
    let open = hub.space(&ada, "open").await;
    hub.topic(&ben, &open, "What visitors read").await;
    let (_, _, headers) = bytes(&hub.visitor(), &url).await;
    assert_eq!((&headers["content-type"], &headers["cache-control"]), (&"image/png".parse().unwrap(), &"public, max-age=31536000, immutable".parse().unwrap()));
});

/// The values that are offered.
fn values(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().iter().map(|item| item["value"].as_str().unwrap().to_owned()).collect()
}

hub_test!(async fn completion_offers_whom_and_what_one_may_see(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    hub.member("bea").await;
    hub.member("bert").await;
    unclaim(hub, "bert").await;
    assert_eq!(values(&ada.get("/complete?kind=member&q=be").await), ["bea", "ben"]);
    assert_eq!(values(&ada.get("/complete?kind=member&q=BEA").await), ["bea"]);
    assert_eq!(values(&ada.get("/complete?kind=member&q=").await), [""; 0]);
    let secret = hub.space(&ben, "confidential").await;
    assert_eq!(values(&ben.get(&format!("/complete?kind=member&q=be&space={secret}")).await), ["ben"]);
    let cleo = hub.member("cleo").await;
    assert_eq!(cleo.get(&format!("/complete?kind=member&q=be&space={secret}")).await.status, 404);
    let body = json!({"title": "Plans", "body": "Text.", "kind": "idea", "tags": ["triage-plan"]});
    assert_eq!(ben.post(&format!("/api/v1/spaces/{secret}/topics"), &body).await.status, 201);
    assert_eq!(values(&ben.get("/complete?kind=tag&q=tri").await), ["triage-plan"]);
    assert_eq!(values(&cleo.get("/complete?kind=tag&q=tri").await), [""; 0]);
    assert_eq!(hub.visitor().get("/complete?kind=member&q=be").await.status, 303, "sign in first");
});

hub_test!(async fn people_and_profiles_are_pages_for_members(hub) {
    hub.member("ada").await;
    let ben = hub.member("ben").await;
    ben.patch("/api/v1/me", &json!({"display_name": "Ben <i>Okri</i>", "expertise": ["stroke"], "about": "Hello *you*.",
        "links": [{"label": "Site", "url": "https://example.org/"}]})).await;
    let (secret, open) = (hub.space(&ben, "confidential").await, hub.space(&ben, "open").await);
    hub.topic(&ben, &secret, "Hidden plans").await;
    hub.topic(&ben, &open, "Open question").await;
    let ada = Client::sign_in(&hub.base, "ada").await;
    let people = ada.page("/people?q=okr").await;
    assert_eq!(people.status, 200, "{}", people.text);
    assert!(people.text.contains("Ben &#60;i&#62;Okri") || people.text.contains("Ben &lt;i&gt;Okri"), "{}", people.text);
    assert!(!people.text.contains("ada Example</a>"));
    assert!(people.header("x-queries").parse::<u32>().unwrap() <= 11, "{}", people.header("x-queries"));
    let profile = ada.page("/people/ben").await;
    assert_eq!(profile.status, 200);
    assert!(profile.text.contains("<em>you</em>") && profile.text.contains("Open question"));
    assert!(profile.text.contains("rel=\"nofollow ugc noopener\""));
    assert!(!profile.text.contains("Hidden plans") && !profile.text.contains(&secret), "what she may not see is not there");
    assert!(profile.header("x-queries").parse::<u32>().unwrap() <= 11, "{}", profile.header("x-queries"));
    assert_eq!(hub.visitor().page("/people").await.status, 303, "sign in first");
    assert_eq!(ada.page("/people/nobody").await.status, 404);
    unclaim(hub, "ben").await;
    let cleo = hub.member("cleo").await;
    assert_eq!(cleo.page("/people/ben").await.status, 200, "leads to what was imported under the name");
    for page in [&people, &profile] {
        assert!(!page.text.contains("people."), "a word is missing: {:?}", page.text.split_once("people.").map(|(_, rest)| &rest[..30]));
    }
});

hub_test!(async fn settings_save_a_profile_and_keep_what_was_typed_when_refused(hub) {
    hub.member("ada").await;
    let ada = Client::sign_in(&hub.base, "ada").await;
    let page = ada.page("/settings").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let csrf = page.csrf();
    let fields = |name: &'static str, version: &'static str| [
        ("display_name", name), ("headline", "Nurse"), ("discipline", "nurse"), ("organisation", "Eastvale"),
        ("expertise", "stroke, swallow-screen"), ("about", "Text"), ("links", "My site https://example.org/x\nhttps://example.com/"),
        ("time_zone", "Europe/Lisbon"), ("version", version),
    ];
    let version = page.text.split_once("name=\"version\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let refused = ada.form("/settings", &csrf, &fields(" ", "1")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Name: Write a name of 1 to 200 characters on one line."), "{}", refused.text);
    assert!(refused.text.contains("href=\"#display_name\"") && refused.text.contains("My site https://example.org/x"));
    assert_eq!(version, "1", "the first version of a profile");
    assert_eq!(ada.form("/settings", &csrf, &fields("Ada L", "1")).await.status, 303);
    let json = ada.get("/api/v1/me").await.json();
    assert_eq!((&json["display_name"], &json["discipline"]), (&json!("Ada L"), &json!("nurse")));
    assert_eq!(json["links"][0], json!({"label": "My site", "url": "https://example.org/x"}));
    assert_eq!(json["links"][1]["label"], "example.com");
    assert_eq!(json["expertise"], json!(["stroke", "swallow-screen"]));
    let stale = ada.form("/settings", &csrf, &fields("Ada M", "1")).await;
    assert_eq!(stale.status, 412);
    assert!(stale.text.contains("value=\"Ada M\"") && stale.text.contains("name=\"version\" value=\"2\""));
    assert_eq!(ada.form("/settings", "wrong", &fields("Ada N", "2")).await.status, 403);
    let picture_form = |csrf: &str, body: Vec<u8>| {
        let part = reqwest::multipart::Part::bytes(body).file_name("me.png");
        let form = reqwest::multipart::Form::new().text("_csrf", csrf.to_owned()).part("avatar", part);
        ada.request("POST", "/settings/avatar").header("Origin", &ada.base).header("Accept", "text/html").multipart(form)
    };
    let image = picture(50, 50, ImageFormat::WebP);
    assert_eq!(ada.send(picture_form("wrong", image.clone())).await.status, 403);
    assert_eq!(ada.send(picture_form(&csrf, b"no image".to_vec())).await.status, 415);
    assert_eq!(ada.send(picture_form(&csrf, Vec::new())).await.status, 422);
    assert_eq!(ada.get("/api/v1/me").await.json()["avatar_url"], "/people/ada/avatar?v=0");
    assert_eq!(ada.send(picture_form(&csrf, image)).await.status, 303);
    assert_ne!(ada.get("/api/v1/me").await.json()["avatar_url"], "/people/ada/avatar?v=0");
    assert_eq!(ada.form("/settings/avatar/remove", &csrf, &[]).await.status, 303);
    assert_eq!(ada.get("/api/v1/me").await.json()["avatar_url"], "/people/ada/avatar?v=0");
});
