//! The library: sharing, changing, versions, endorsements, who sees what.

use serde_json::{Value, json};

use crate::support::stage::{Cast, done, id};
use crate::support::{Client, Socket, TestHub, hub_test};

const DAY: i64 = 86_400_000_000;

/// The same member, signed in anew: tokens end while the clock is moved.
pub async fn again(hub: &TestHub, handle: &str) -> Client {
    let body = json!({"login": handle, "password": crate::support::hub::password(handle)});
    let pair = done(&hub.visitor().post("/api/v1/auth/login", &body).await);
    let mut client = Client::new(&hub.base);
    client.handle = handle.to_owned();
    client.bearer = pair["access_token"].as_str().map(str::to_owned);
    client
}

/// A link in a space; its JSON.
pub async fn link(who: &Client, space: &str, title: &str) -> Value {
    let body = json!({"url": "https://example.org/guide", "title": title});
    done(&who.post(&format!("/api/v1/spaces/{space}/resources"), &body).await)
}

/// A note in a space; its JSON.
pub async fn note(who: &Client, space: &str, title: &str, body: &str) -> Value {
    let body = json!({"title": title, "body": body});
    done(&who.post(&format!("/api/v1/spaces/{space}/resources"), &body).await)
}

/// Sends a file; what comes back.
pub async fn send_file(
    who: &Client,
    path: &str,
    name: &str,
    bytes: &[u8],
    fields: &[(&str, &str)],
) -> crate::support::Answer {
    let mut form = reqwest::multipart::Form::new();
    for (field, value) in fields {
        form = form.text((*field).to_owned(), (*value).to_owned());
    }
    form = form.part("file", reqwest::multipart::Part::bytes(bytes.to_vec()).file_name(name.to_owned()));
    who.send(who.request("POST", path).multipart(form)).await
}

/// A file in a space; its JSON.
pub async fn file(who: &Client, space: &str, name: &str, bytes: &[u8]) -> Value {
    done(&send_file(who, &format!("/api/v1/spaces/{space}/resources"), name, bytes, &[]).await)
}

pub async fn titles(who: &Client, path: &str) -> Vec<String> {
    let list = done(&who.get(path).await);
    list["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

hub_test!(async fn a_resource_has_its_fields_and_a_version_of_them(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let path = format!("/api/v1/spaces/{space}/resources");
    let topic = id(&hub.topic(&ada, &space, "Which pump?").await);
    let body = json!({
        "url": "https://example.org/pumps", "title": "Pumps", "summary": "Which pump for which ward.",
        "description": "With **numbers**.", "kind": "guidance", "stage": "adopt", "topics": ["Infusion", "Safety"],
        "tags": ["pumps", "#Wards"], "authors": ["Bea Example"], "organisation": "Northmere", "licence": "OGL v3",
        "source": "Northmere library", "published_on": "2026-01-31", "review_due": "2027-01-31", "topic_id": topic,
        "note": "First.",
    });
    let made = ada.post(&path, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (view, etag) = (made.json(), made.header("etag").to_owned());
    let at = made.header("location").to_owned();
    assert_eq!(at, format!("/api/v1/resources/{}", made.id()));
    for field in ["title", "summary", "description", "kind", "stage", "organisation", "licence", "source", "published_on", "review_due"] {
        assert_eq!(view[field], body[field], "{field}");
    }
    assert_eq!((&view["form"], &view["url"]), (&json!("link"), &json!("https://example.org/pumps")));
    assert_eq!((&view["topics"], &view["tags"]), (&json!(["Infusion", "Safety"]), &json!(["pumps", "wards"])));
    assert!(view["description_html"].as_str().unwrap().contains("<strong>numbers</strong>"), "{view}");
    assert_eq!((&view["current"]["number"], &view["current"]["note"]), (&json!(1), &json!("First.")));
    assert_eq!((&view["stale"], &view["version_count"], &view["download_count"]), (&json!(false), &json!(1), &json!(0)));
    let read = ada.get(&at).await;
    assert_eq!((read.header("etag"), &read.json()["topic"]["title"]), (etag.as_str(), &json!("Which pump?")));

    let patch = |etag: &str, body: Value| ada.request("PATCH", &at).header("If-Match", etag).json(&body);
    let changed = ada.send(patch(&etag, json!({"title": "All pumps", "stage": "", "tags": [], "review_due": ""}))).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let view = changed.json();
    assert_eq!((&view["title"], &view["stage"], &view["tags"]), (&json!("All pumps"), &Value::Null, &json!([])));
    assert_eq!((&view["summary"], &view["review_due"]), (&body["summary"], &Value::Null));
    assert_eq!(ada.send(patch(&etag, json!({"title": "Lost"}))).await.status, 412);
    assert_eq!(ada.get(&at).await.json()["title"], "All pumps");

    // Every fault at once, and nothing is changed by them.
    let wrong = json!({"url": "javascript:alert(1)", "title": "x".repeat(201), "summary": "x".repeat(256), "kind": "poem",
        "stage": "never", "published_on": "2026-02-30", "review_due": "soon", "topics": ["x".repeat(61)], "tags": ["a b"],
        "authors": ["x".repeat(121)], "topic_id": "nonsense"});
    let refused = ada.post(&path, &wrong).await;
    assert_eq!(refused.status, 422);
    let fields: Vec<String> =
        refused.json()["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap().to_owned()).collect();
    for field in ["title", "summary", "kind", "stage", "published_on", "review_due", "topics", "tags", "authors", "topic_id"] {
        assert!(fields.contains(&field.to_owned()), "{field} in {fields:?}");
    }
    for url in ["javascript:alert(1)", "data:text/html,x", "ftp://example.org", "example.org", "", "https://a:b@example.org/"] {
        assert_eq!(ada.post(&path, &json!({"url": url, "title": "x"})).await.status, 422, "{url}");
    }
    assert_eq!(ada.post(&path, &json!({"title": "x"})).await.status, 422, "of nothing");
    assert_eq!(ada.post(&path, &json!({"url": "https://a.example", "body": "b"})).await.status, 422, "of two things");
    assert_eq!(ada.post(&path, &json!({"body": "b"})).await.json()["errors"][0]["field"], "title");
    let other = hub.space(&ada, "open").await;
    let elsewhere = id(&hub.topic(&ada, &other, "Elsewhere").await);
    assert_eq!(ada.post(&path, &json!({"url": "https://a.example", "topic_id": elsewhere})).await.status, 422);
    assert_eq!(titles(&ada, &path).await, ["All pumps"]);
    // Without a title a link is called like its host.
    assert_eq!(ada.post(&path, &json!({"url": "https://a.example/x"})).await.json()["title"], "a.example");
});

hub_test!(async fn the_same_request_again_has_one_effect(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let path = format!("/api/v1/spaces/{space}/resources");
    let post = |body: Value| ada.request("POST", &path).header("Idempotency-Key", "k1").json(&body);
    let first = ada.send(post(json!({"url": "https://example.org/"}))).await;
    let again = ada.send(post(json!({"url": "https://example.org/"}))).await;
    assert_eq!((first.status, again.status, first.id()), (201, 201, again.id()));
    assert_eq!(ada.send(post(json!({"url": "https://example.net/"}))).await.status, 409);
    let upload = |bytes: &'static [u8]| {
        let part = reqwest::multipart::Part::bytes(bytes).file_name("a.txt");
        ada.request("POST", &path).header("Idempotency-Key", "k2").multipart(reqwest::multipart::Form::new().part("file", part))
    };
    let first = ada.send(upload(b"One.")).await;
    let again = ada.send(upload(b"One.")).await;
    assert_eq!((first.status, again.status, first.id()), (201, 201, again.id()), "{}", again.text);
    assert_eq!(ada.send(upload(b"Two.")).await.status, 409);
    assert_eq!(titles(&ada, &path).await.len(), 2);
    assert_eq!(crate::features::library_files::kept(hub), 1, "the bytes of refused and repeated uploads are gone");
});

hub_test!(async fn who_sees_what(hub) {
    let cast = Cast::of(hub).await;
    for (visibility, anonymous, outsider) in [("open", 200, 200), ("restricted", 404, 200), ("private", 404, 404), ("confidential", 404, 404)] {
        let space = cast.space(hub, visibility).await;
        let resource = id(&note(&cast.author, &space, &format!("Of {visibility}"), "Words.").await);
        let collection = json!({"title": format!("Of {visibility}")});
        let collection = id(&done(&cast.author.post(&format!("/api/v1/spaces/{space}/collections"), &collection).await));
        for path in [
            format!("/api/v1/resources/{resource}"),
            format!("/api/v1/resources/{resource}/versions"),
            format!("/api/v1/resources/{resource}/content"),
            format!("/api/v1/resources/{resource}/preview"),
            format!("/api/v1/collections/{collection}"),
            format!("/api/v1/spaces/{space}/resources"),
            format!("/api/v1/spaces/{space}/collections"),
        ] {
            assert_eq!(cast.anonymous.get(&path).await.status, anonymous, "{visibility} {path}");
            assert_eq!(cast.outsider.get(&path).await.status, outsider, "{visibility} {path}");
            assert_eq!(cast.member.get(&path).await.status, 200, "{visibility} {path}");
        }
        let listed = titles(&cast.anonymous, "/api/v1/resources").await.contains(&format!("Of {visibility}"));
        assert_eq!(listed, anonymous == 200, "{visibility}");
        let listed = titles(&cast.outsider, "/api/v1/resources").await.contains(&format!("Of {visibility}"));
        assert_eq!(listed, outsider == 200, "{visibility}");
        // Writing needs more than reading.
        let new = json!({"url": "https://example.org/"});
        let status = cast.outsider.post(&format!("/api/v1/spaces/{space}/resources"), &new).await.status;
        assert_eq!(status, match visibility { "open" => 201, "restricted" => 403, _ => 404 }, "{visibility}");
    }
});

hub_test!(async fn versions_stay_and_come_back(hub) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "open").await;
    let made = note(&bea, &space, "A note", "First.").await;
    let at = format!("/api/v1/resources/{}", id(&made));
    let second = bea.post(&format!("{at}/versions"), &json!({"body": "Second.", "note": "More words"})).await;
    assert_eq!((second.status, &second.json()["current"]["number"]), (201, &json!(2)), "{}", second.text);
    assert_eq!(bea.patch(&at, &json!({"body": "Third."})).await.json()["current"]["body"], "Third.");
    let cho = hub.member("cho").await;
    assert_eq!(cho.post(&format!("{at}/versions"), &json!({"body": "Mine."})).await.status, 403);
    assert_eq!(bea.post(&format!("{at}/versions"), &json!({"url": "https://example.org/"})).await.status, 422);
    let restored = bea.post(&format!("{at}/versions/1/restore"), &json!({})).await;
    assert_eq!(restored.status, 201, "{}", restored.text);
    let view = restored.json();
    assert_eq!((&view["current"]["number"], &view["current"]["body"], &view["current"]["restored_from"]), (&json!(4), &json!("First."), &json!(1)));
    assert_eq!(bea.post(&format!("{at}/versions/4/restore"), &json!({})).await.status, 409, "it is the newest");
    assert_eq!(bea.post(&format!("{at}/versions/9/restore"), &json!({})).await.status, 404);
    let first = done(&bea.get(&format!("{at}/versions?limit=3")).await);
    let numbers: Vec<i64> = first["items"].as_array().unwrap().iter().map(|of| of["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [4, 3, 2]);
    let rest = done(&bea.get(&format!("{at}/versions?limit=3&cursor={}", first["next_cursor"].as_str().unwrap())).await);
    assert_eq!((&rest["items"][0]["number"], &rest["next_cursor"]), (&json!(1), &Value::Null));
    let old = bea.get(&format!("{at}/content?version=2")).await;
    assert_eq!((old.status, old.text.as_str()), (200, "Second."));
    assert!(old.header("content-disposition").starts_with("attachment"));
    assert_eq!(bea.get(&at).await.json()["download_count"], 1);
});

hub_test!(async fn endorsements_carry_what_somebody_is(hub) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    assert_eq!(bea.patch("/api/v1/me", &json!({"discipline": "nurse", "headline": "Ward sister"})).await.status, 200);
    let space = hub.space(&ada, "open").await;
    let at = format!("/api/v1/resources/{}", id(&link(&ada, &space, "Pumps").await));
    assert_eq!(ada.put(&format!("{at}/endorsement")).await.status, 403, "one's own");
    for _ in 0..2 {
        assert_eq!(bea.put(&format!("{at}/endorsement")).await.status, 204);
    }
    let view = done(&ada.get(&at).await);
    assert_eq!((&view["endorsement_count"], &view["endorsements"][0]["discipline"]), (&json!(1), &json!("nurse")));
    assert_eq!((&view["endorsements"][0]["role"], &view["endorsements"][0]["handle"]), (&json!("member"), &json!("bea")));
    let etag = ada.get(&at).await.header("etag").to_owned();
    assert_eq!(bea.delete(&format!("{at}/endorsement")).await.status, 204);
    let after = ada.get(&at).await;
    assert_eq!((after.header("etag"), &after.json()["endorsement_count"]), (etag.as_str(), &json!(0)), "no version for opinions");
});

hub_test!(async fn lists_are_narrowed_sorted_and_paged(hub) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let (one, two) = (hub.space(&ada, "open").await, hub.space(&ada, "open").await);
    let share = async |who: &Client, space: &str, body: Value| {
        id(&done(&who.post(&format!("/api/v1/spaces/{space}/resources"), &body).await))
    };
    let a = share(&ada, &one, json!({"url": "https://a.example", "title": "A", "kind": "guidance", "stage": "adopt", "topics": ["Medical Imaging"], "tags": ["cxr"], "review_due": "2020-01-01"})).await;
    let b = share(&bea, &one, json!({"title": "B", "body": "Text", "kind": "report", "tags": ["cxr", "ai"]})).await;
    let c = share(&bea, &two, json!({"url": "https://c.example", "title": "C", "kind": "guidance", "topics": ["medical imaging"]})).await;
    for (query, expected) in [
        ("", "CBA"), ("kind=guidance", "CA"), ("stage=adopt", "A"), ("tag=CXR", "BA"), ("topic=MEDICAL%20imaging", "CA"),
        ("author=bea", "CB"), ("form=note", "B"), ("stale=true", "A"), ("stale=false", "CB"), ("tag=cxr&kind=report", "B"), ("tag=none", ""),
    ] {
        assert_eq!(titles(&ada, &format!("/api/v1/resources?{query}")).await.concat(), expected, "{query}");
    }
    assert_eq!(titles(&ada, &format!("/api/v1/spaces/{one}/resources")).await.concat(), "BA");
    ada.get(&format!("/api/v1/resources/{a}/content")).await;
    done(&ada.put(&format!("/api/v1/resources/{b}/endorsement")).await);
    hub.clock.advance(DAY);
    let ada = again(hub, "ada").await;
    done(&ada.patch(&format!("/api/v1/resources/{a}"), &json!({"summary": "New."})).await);
    for (sort, expected) in [("new", "CBA"), ("updated", "ACB"), ("downloads", "ACB"), ("endorsed", "BCA")] {
        let mut seen = String::new();
        let mut cursor = String::new();
        loop {
            let page = done(&ada.get(&format!("/api/v1/resources?sort={sort}&limit=1&cursor={cursor}")).await);
            seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = next.to_owned();
        }
        assert_eq!(seen, expected, "{sort}");
    }
    for wrong in ["sort=odd", "kind=odd", "stage=odd", "form=odd", "stale=odd", "limit=0", "cursor=odd"] {
        assert_eq!(ada.get(&format!("/api/v1/resources?{wrong}")).await.status, 422, "{wrong}");
    }
    assert_eq!(ada.delete(&format!("/api/v1/resources/{c}")).await.status, 204);
    assert_eq!(titles(&ada, "/api/v1/resources").await.concat(), "BA");
});

hub_test!(async fn events_of_a_space_tell_what_reading_tells(hub) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "open").await;
    let of = done(&ada.get(&format!("/api/v1/spaces/{space}")).await);
    let (stream, head) = (of["stream"].as_str().unwrap().to_owned(), of["head"].as_i64().unwrap());
    let mut live = Socket::open(&ada).await;
    live.subscribe(&stream, Some(head), None).await;
    let made = link(&bea, &space, "Pumps").await;
    let at = format!("/api/v1/resources/{}", id(&made));
    let replayed = async |seq: i64| {
        let mut socket = Socket::open(&ada).await;
        socket.subscribe(&stream, Some(seq - 1), None).await;
        socket.events(1).await.remove(0)
    };
    let row = async || {
        let list = done(&ada.get(&format!("/api/v1/spaces/{space}/resources")).await);
        let mut row = list["items"][0].clone();
        row.as_object_mut().map(|row| row.remove("stale"));
        row
    };
    let without = |event: &Value| {
        let mut data = event["data"].clone();
        data.as_object_mut().map(|data| data.remove("stale"));
        data
    };
    let created = live.events(1).await.remove(0);
    assert_eq!((created["event"].as_str(), without(&created)), (Some("resource.created"), row().await));
    assert_eq!(replayed(created["seq"].as_i64().unwrap()).await, created);
    done(&bea.patch(&at, &json!({"title": "All pumps", "tags": ["wards"]})).await);
    let changed = live.events(1).await.remove(0);
    assert_eq!((changed["event"].as_str(), without(&changed)), (Some("resource.changed"), row().await));
    done(&ada.put(&format!("{at}/endorsement")).await);
    let endorsed = live.events(1).await.remove(0);
    assert_eq!((without(&endorsed), &endorsed["data"]["endorsement_count"]), (row().await, &json!(1)));
    assert_eq!(bea.delete(&at).await.status, 204);
    let gone = live.events(1).await.remove(0);
    assert_eq!(gone["data"], json!({"id": id(&made), "deleted": true}));
    let replay = replayed(created["seq"].as_i64().unwrap()).await;
    assert_eq!(replay["data"], gone["data"], "what is deleted does not come back out of the log");
});

hub_test!(async fn what_is_reported_is_hidden_and_purged_for_good(hub) {
    let cast = Cast::of(hub).await;
    let space = cast.space(hub, "open").await;
    let made = file(&cast.author, &space, "ward.txt", b"Patient xyzzymark, bed 4.").await;
    let at = format!("/api/v1/resources/{}", id(&made));
    let flag = json!({"reason": "patient_data", "note": "Bed 4."});
    assert_eq!(cast.author.post(&format!("{at}/flags"), &flag).await.status, 403, "one's own");
    let report = cast.member.post(&format!("{at}/flags"), &flag).await;
    assert_eq!(report.status, 201, "{}", report.text);
    assert_eq!(cast.member.post(&format!("{at}/flags"), &flag).await.status, 200, "there is one");
    let open = done(&cast.moderator.get("/api/v1/resource-reports?state=open").await);
    assert_eq!((&open["items"][0]["title"], &open["items"][0]["reporter"]), (&json!("ward"), &json!("mia")));
    assert_eq!(cast.member.get("/api/v1/resource-reports").await.status, 403);
    assert_eq!(cast.moderator.post(&format!("{at}/hide"), &json!({"reason": "A patient"})).await.status, 204);
    assert_eq!(cast.member.get(&at).await.status, 404);
    assert_eq!(cast.author.get(&format!("{at}/content")).await.status, 404);
    assert_eq!(cast.moderator.get(&at).await.status, 200);
    assert!(done(&cast.moderator.get("/api/v1/resource-reports?state=open").await)["items"].as_array().unwrap().is_empty());
    let path = format!("/api/v1/resource-reports/{}/dismiss", report.id());
    assert_eq!(cast.moderator.post(&path, &json!({})).await.status, 409, "it is settled");
    assert_eq!(cast.moderator.post(&format!("{at}/unhide"), &json!({})).await.status, 204);
    assert_eq!(cast.member.get(&at).await.status, 200);
    hub.settle().await;
    assert_eq!(crate::features::library_files::kept(hub), 1);
    assert_eq!(cast.member.post(&format!("{at}/purge"), &json!({})).await.status, 403);
    assert_eq!(cast.moderator.post(&format!("{at}/purge"), &json!({"reason": "A patient"})).await.status, 204);
    hub.settle().await;
    assert_eq!(crate::features::library_files::kept(hub), 0, "its bytes are gone");
    assert_eq!(cast.author.get(&at).await.status, 404);
    let stub = done(&cast.moderator.get(&at).await);
    assert_eq!((&stub["current"], &stub["summary"]), (&Value::Null, &json!("")));
    assert!(!stub.to_string().contains("xyzzymark") && !stub.to_string().contains("ward.txt"), "{stub}");
    assert_eq!(cast.moderator.post(&format!("{at}/restore"), &json!({})).await.status, 409);
});

hub_test!(async fn a_resource_is_talked_about(hub) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "open").await;
    let at = format!("/api/v1/resources/{}", id(&link(&ada, &space, "Pumps").await));
    let opened = done(&bea.post(&format!("{at}/topic"), &json!({})).await);
    let again = done(&ada.post(&format!("{at}/topic"), &json!({})).await);
    assert_eq!(opened, again, "there is one");
    let topic = done(&ada.get(&format!("/api/v1/topics/{}", opened["topic_id"].as_str().unwrap())).await);
    assert_eq!(topic["title"], "About: Pumps");
    assert!(topic["body_html"].as_str().unwrap().contains("href=\"/resources/"), "{topic}");
    assert_eq!(done(&ada.get(&at).await)["topic"]["title"], "About: Pumps");
});

hub_test!(async fn pictures_in_descriptions_are_readable_with_them(hub) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "private").await;
    let picture = crate::support::stage::file(&ada).await;
    let path = format!("/api/v1/files/{picture}");
    note(&ada, &space, "With a picture", &format!("![one]({path})")).await;
    assert_eq!(ada.get(&path).await.status, 200);
    assert_eq!(bea.get(&path).await.status, 404);
    hub.clock.advance(3 * DAY);
    praxis_server::features::people::remove_unused_files(hub.state()).await.unwrap();
    let ada = again(hub, "ada").await;
    assert_eq!(ada.get(&path).await.status, 200, "it is used");
});

/// A hub on which lists are read with a bounded number of queries.
pub async fn queries_of(hub: &TestHub, who: &Client, path: &str) -> u32 {
    let _hub = hub;
    who.get(path).await.header("x-queries").parse().unwrap()
}

hub_test!(async fn lists_take_few_queries_however_long(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let path = format!("/api/v1/spaces/{space}/resources?limit=50");
    link(&ada, &space, "One").await;
    queries_of(hub, &ada, &path).await;
    let few = queries_of(hub, &ada, &path).await;
    for n in 0..12 {
        link(&ada, &space, &format!("Number {n}")).await;
    }
    queries_of(hub, &ada, &path).await;
    assert_eq!(queries_of(hub, &ada, &path).await, few);
    assert!(few <= 3, "{few}");
});
