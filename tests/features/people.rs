//! Profiles, the directory, pictures, files, completion.

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestHub, hub_test};

/// A picture in two colours, so that squeezing and cutting are told apart.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbaImage::from_fn(width, height, |x, _| if x < width / 2 { Rgba([200, 30, 30, 255]) } else { Rgba([30, 30, 200, 255]) });
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
    assert_eq!(find("").await, ["bea", "cai", "dan", "ada"], "by name");
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
    assert_eq!(handles(&first), ["bea", "cai"]);
    let second = ada.get(&format!("/api/v1/members?limit=2&cursor={cursor}")).await;
    assert_eq!(handles(&second), ["dan", "ada"]);
    assert_eq!(second.json()["next_cursor"], Value::Null);
    assert_eq!(ada.get("/api/v1/members?cursor=%21").await.status, 422);
    // A changed name is found anew, and not by what it was.
    let dan = ada.get("/api/v1/members?q=orr").await;
    assert_eq!(handles(&dan), ["dan"]);
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
