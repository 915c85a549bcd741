//! Profiles, the directory, pictures, files, completion.

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestHub, hub_test};

/// A picture in two colours, so that squeezing and cutting are told apart.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbaImage::from_fn(width, height, |x, _| {
        if x < width / 2 { Rgba([200, 30, 30, 255]) } else { Rgba([30, 30, 200, 255]) }
    });
    let image = match format {
        ImageFormat::Jpeg => DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(image).to_rgb8()),
        _ => DynamicImage::ImageRgba8(image),
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

async fn bytes(client: &Client, path: &str) -> (u16, Vec<u8>, reqwest::header::HeaderMap) {
    let response = client.request("GET", path).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, response.bytes().await.unwrap().to_vec(), headers)
}

async fn put_avatar(client: &Client, kind: &str, body: Vec<u8>) -> Answer {
    client.send(client.request("PUT", "/api/v1/me/avatar").header("Content-Type", kind).body(body)).await
}

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
    let find = async |query: &str| handles(&ada.get(&format!("/api/v1/members?{query}")).await);
    assert_eq!(find("").await, ["ada", "bea", "cai", "dan"], "by name");
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
    let first = ada.get("/api/v1/members?limit=2").await;
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(handles(&first), ["ada", "bea"]);
    let second = ada.get(&format!("/api/v1/members?limit=2&cursor={cursor}")).await;
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
    assert_eq!(handles(&ada.get("/api/v1/members").await), expected);
    let (mut path, mut one_by_one) = ("/api/v1/members?limit=1".to_owned(), Vec::new());
    loop {
        let answer = ada.get(&path).await;
        one_by_one.extend(handles(&answer));
        let Some(cursor) = answer.json()["next_cursor"].as_str().map(str::to_owned) else { break };
        path = format!("/api/v1/members?limit=1&cursor={cursor}");
    }
    assert_eq!(one_by_one, expected);

    let (open, hidden) = (hub.space(&ada, "open").await, hub.space(&ada, "confidential").await);
    let mut ben = Client::new(&hub.base);
    let login = json!({"login": "ben", "password": crate::support::hub::password("ben")});
    ben.bearer = hub.visitor().post("/api/v1/auth/login", &login).await.json()["access_token"].as_str().map(str::to_owned);
    assert_eq!(ben.post(&format!("/api/v1/spaces/{open}/join"), &json!({})).await.status, 200);
    assert_eq!(handles(&ben.get(&format!("/api/v1/members?space={open}")).await), ["ben", "ada"]);
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

hub_test!(async fn a_picture_is_made_of_initials_until_one_is_uploaded(hub) {
    let ada = hub.member("ada").await;
    ada.patch("/api/v1/me", &json!({"display_name": "Ada <b> Love"})).await;
    let (status, drawn, headers) = bytes(&hub.visitor(), "/people/ada/avatar?v=0").await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "image/svg+xml");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let drawn = String::from_utf8(drawn).unwrap();
    assert!(drawn.contains("&#65;&#76;") && !drawn.contains("<b>") && !drawn.contains("style="), "{drawn}");
    assert_eq!(put_avatar(&ada, "image/jpeg", picture(600, 300, ImageFormat::Jpeg)).await.status, 204);
    let url = ada.get("/api/v1/me").await.json()["avatar_url"].as_str().unwrap().to_owned();
    let (status, stored, headers) = bytes(&hub.visitor(), &url).await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "image/jpeg");
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    let image = image::load_from_memory(&stored).unwrap();
    assert_eq!((image.width(), image.height()), (256, 256), "cut square, made small");
    let (left, right) = (image.to_rgb8().get_pixel(10, 128).0, image.to_rgb8().get_pixel(245, 128).0);
    assert!(left[0] > 150 && right[2] > 150, "both halves are there: {left:?} {right:?}");
    let (_, _, headers) = bytes(&hub.visitor(), "/people/ada/avatar?v=old").await;
    assert!(!headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(ada.delete("/api/v1/me/avatar").await.status, 204);
    hub.settle().await;
    let (_, _, headers) = bytes(&hub.visitor(), &url).await;
    assert_eq!(headers["content-type"], "image/svg+xml");
    assert_eq!(hub.visitor().get("/people/nobody/avatar").await.status, 404);
});

hub_test!(async fn hostile_pictures_change_nothing(hub) {
    let ada = hub.member("ada").await;
    assert_eq!(put_avatar(&ada, "image/png", picture(64, 64, ImageFormat::Png)).await.status, 204);
    let before = ada.get("/api/v1/me").await.json()["avatar_url"].clone();
    let whole = picture(400, 400, ImageFormat::Png);
    let truncated = whole[..whole.len() / 2].to_vec();
    assert_eq!(put_avatar(&ada, "image/png", truncated).await.status, 422);
    // A header that promises more pixels than anybody has memory for.
    let mut bomb = whole.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    assert_eq!(put_avatar(&ada, "image/png", bomb).await.status, 422);
    let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    assert_eq!(put_avatar(&ada, "image/svg+xml", script).await.status, 415);
    assert_eq!(put_avatar(&ada, "image/png", b"GIF, honestly".to_vec()).await.status, 415);
    assert_eq!(put_avatar(&ada, "image/png", Vec::new()).await.status, 415);
    assert_eq!(ada.get("/api/v1/me").await.json()["avatar_url"], before);
    assert_eq!(put_avatar(&hub.visitor(), "image/png", whole).await.status, 401);
});

async fn upload(client: &Client, name: &str, body: Vec<u8>) -> Answer {
    let part = reqwest::multipart::Part::bytes(body).file_name(name.to_owned());
    let form = reqwest::multipart::Form::new().part("file", part);
    client.send(client.request("POST", "/api/v1/files").multipart(form)).await
}

hub_test!(async fn a_file_is_read_by_its_uploader_and_then_where_it_was_first_used(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    let cleo = hub.member("cleo").await;
    let space = hub.space(&ben, "private").await;
    let file = upload(&ben, "scan \u{202e}é.png", picture(40, 20, ImageFormat::Png)).await;
    assert_eq!(file.status, 201, "{}", file.text);
    let json = file.json();
    assert_eq!(json["media_type"], "image/png");
    assert_eq!((json["width"].as_i64(), json["height"].as_i64()), (Some(40), Some(20)));
    let url = json["url"].as_str().unwrap().to_owned();
    assert_eq!(file.header("location"), url);
    assert_eq!(json["markdown"], format!("![scan é.png]({url})"));
    let (status, stored, headers) = bytes(&ben, &url).await;
    assert_eq!(status, 200);
    assert_eq!(image::guess_format(&stored).unwrap(), ImageFormat::Png);
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("inline;"));
    assert_eq!(headers["content-security-policy"], "sandbox; default-src 'none'");
    for other in [&ada, &cleo, &hub.visitor()] {
        assert_eq!(other.get(&url).await.status, 404, "not used anywhere yet");
    }
    // Somebody else's link makes nothing readable.
    let open = hub.space(&cleo, "open").await;
    let body = json!({"title": "Mine?", "body": json["markdown"], "kind": "discussion", "tags": []});
    assert_eq!(cleo.post(&format!("/api/v1/spaces/{open}/topics"), &body).await.status, 201);
    assert_eq!(cleo.get(&url).await.status, 404);
    let topic = ben.post(&format!("/api/v1/spaces/{space}/topics"), &body).await;
    assert_eq!(topic.status, 201, "{}", topic.text);
    assert_eq!(cleo.get(&url).await.status, 404, "the space is not hers to read");
    assert_eq!(hub.visitor().get(&url).await.status, 404);
    assert_eq!(ben.put(&format!("/api/v1/spaces/{space}/members/cleo")).await.status / 100, 4, "a role is needed");
    let request = ben.request("PUT", &format!("/api/v1/spaces/{space}/members/cleo")).json(&json!({"role": "member"}));
    let joined = ben.send(request).await;
    assert!(joined.status < 300, "{}", joined.text);
    // Whoever has to accept first does; a member reads.
    if cleo.get(&format!("/api/v1/spaces/{space}/topics")).await.status != 200 {
        assert!(cleo.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await.status < 300);
    }
    assert_eq!(cleo.get(&url).await.status, 200, "she reads where it was used");
    let id = topic.id();
    assert_eq!(ben.delete(&format!("/api/v1/topics/{id}")).await.status, 204);
    assert_eq!(cleo.get(&url).await.status, 404, "what used it is deleted");
    assert_eq!(ben.get(&url).await.status, 200, "it is still his");
});

hub_test!(async fn files_are_what_they_contain_and_nothing_active_is_shown_in_place(hub) {
    let ada = hub.member("ada").await;
    let page = upload(&ada, "page.html", b"<script>alert(1)</script>".to_vec()).await;
    assert_eq!(page.status, 201, "{}", page.text);
    let (_, _, headers) = bytes(&ada, page.json()["url"].as_str().unwrap()).await;
    assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment;"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(page.json()["markdown"], format!("[page.html]({})", page.json()["url"].as_str().unwrap()));
    assert_eq!(upload(&ada, "x.png", vec![0, 1, 2, 3]).await.status, 415);
    let whole = picture(60, 60, ImageFormat::Png);
    assert_eq!(upload(&ada, "x.png", whole[..60].to_vec()).await.status, 422);
    assert_eq!(upload(&ada, "x.png", Vec::new()).await.status, 422);
    assert_eq!(upload(&hub.visitor(), "x.png", whole.clone()).await.status, 401);
    assert_eq!(ada.post("/api/v1/files", &json!({})).await.status, 415);
    // What a camera wrote beside the pixels is gone.
    let mut photo = picture(30, 30, ImageFormat::Jpeg);
    let secret = b"\xff\xfe\x00\x10GPS 51.50,-0.12";
    photo.splice(2..2, secret[..18].iter().copied());
    let photo = upload(&ada, "p.jpg", photo).await;
    assert_eq!(photo.status, 201, "{}", photo.text);
    let (_, stored, _) = bytes(&ada, photo.json()["url"].as_str().unwrap()).await;
    assert!(!stored.windows(3).any(|window| window == b"GPS"));
    assert_eq!(ada.get("/api/v1/files/0000000000000").await.status, 404);
});

hub_test!(async fn the_same_upload_again_is_one_file(hub) {
    let ada = hub.member("ada").await;
    let send = async |text: &[u8]| {
        let part = reqwest::multipart::Part::bytes(text.to_vec()).file_name("a.txt");
        let form = reqwest::multipart::Form::new().part("file", part);
        ada.send(ada.request("POST", "/api/v1/files").header("Idempotency-Key", "k1").multipart(form)).await
    };
    let first = send(b"one").await;
    assert_eq!(first.status, 201);
    assert_eq!(send(b"one").await.id(), first.id());
    assert_eq!(send(b"two").await.status, 409);
    assert_eq!(ada.get(first.json()["url"].as_str().unwrap()).await.text, "one");
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
