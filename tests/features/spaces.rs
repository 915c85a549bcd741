//! Spaces: who sees what, and who may change it.

use serde_json::{Value, json};

use crate::support::{Client, Socket, TestHub, hub_test};

/// The people of a test: an administrator of the hub and four members of it.
pub(super) struct Cast {
    pub administrator: Client,
    pub owner: Client,
    pub moderator: Client,
    pub member: Client,
    pub outsider: Client,
}

impl Cast {
    pub async fn of(hub: &TestHub) -> Self {
        Self {
            administrator: hub.member("rhea").await,
            owner: hub.member("olga").await,
            moderator: hub.member("moe").await,
            member: hub.member("mia").await,
            outsider: hub.member("otto").await,
        }
    }

    /// A space with its people: everybody but the outsider and the administrator.
    pub async fn space(&self, hub: &TestHub, visibility: &str) -> String {
        let slug = hub.space(&self.owner, visibility).await;
        bring(&self.owner, &slug, &self.moderator, "moderator").await;
        bring(&self.owner, &slug, &self.member, "member").await;
        slug
    }
}

/// Invites somebody, who comes.
async fn bring(owner: &Client, slug: &str, guest: &Client, role: &str) {
    let answer = put(owner, slug, &guest.handle, role).await;
    assert_eq!(answer.0, 202, "{}", answer.1);
    let answer = join(guest, slug).await;
    assert_eq!(answer.0, 200, "{}", answer.1);
    assert_eq!(answer.1["role"], role);
}

pub(super) async fn put(who: &Client, slug: &str, handle: &str, role: &str) -> (u16, Value) {
    let request = who.request("PUT", &format!("/api/v1/spaces/{slug}/members/{handle}")).json(&json!({"role": role}));
    let answer = who.send(request).await;
    (answer.status, answer.json())
}

pub(super) async fn join(who: &Client, slug: &str) -> (u16, Value) {
    let answer = who.send(who.request("POST", &format!("/api/v1/spaces/{slug}/join"))).await;
    (answer.status, answer.json())
}

pub(super) async fn leave(who: &Client, slug: &str) -> u16 {
    who.send(who.request("POST", &format!("/api/v1/spaces/{slug}/leave"))).await.status
}

pub(super) async fn space(who: &Client, slug: &str) -> Value {
    let answer = who.get(&format!("/api/v1/spaces/{slug}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn listed(who: &Client, slug: &str) -> bool {
    let answer = who.get("/api/v1/spaces?limit=100").await.json();
    answer["items"].as_array().unwrap().iter().any(|item| item["slug"] == slug)
}

hub_test!(async fn each_visibility_shows_each_viewer_what_is_theirs(hub) {
    let cast = Cast::of(hub).await;
    let visitor = hub.visitor();
    // What a viewer gets of the space itself, and of its members: 200 in full, `door` without
    // what lies inside, or 404.
    type Row<'a> = (&'a str, [(&'a Client, &'a str, u16); 6]);
    let table: [Row<'_>; 4] = [
        ("open", [
            (&visitor, "full", 401), (&cast.outsider, "full", 200), (&cast.member, "full", 200),
            (&cast.moderator, "full", 200), (&cast.owner, "full", 200), (&cast.administrator, "full", 200),
        ]),
        ("restricted", [
            (&visitor, "none", 401), (&cast.outsider, "full", 200), (&cast.member, "full", 200),
            (&cast.moderator, "full", 200), (&cast.owner, "full", 200), (&cast.administrator, "full", 200),
        ]),
        ("private", [
            (&visitor, "none", 401), (&cast.outsider, "door", 404), (&cast.member, "full", 200),
            (&cast.moderator, "full", 200), (&cast.owner, "full", 200), (&cast.administrator, "door", 404),
        ]),
        ("confidential", [
            (&visitor, "none", 401), (&cast.outsider, "none", 404), (&cast.member, "full", 200),
            (&cast.moderator, "full", 200), (&cast.owner, "full", 200), (&cast.administrator, "door", 404),
        ]),
    ];
    for (visibility, rows) in table {
        let slug = cast.space(hub, visibility).await;
        for (viewer, seen, members) in rows {
            let case = format!("{visibility} for {:?}", viewer.handle);
            let answer = viewer.get(&format!("/api/v1/spaces/{slug}")).await;
            assert_eq!(answer.status, if seen == "none" { 404 } else { 200 }, "{case}");
            assert_eq!(listed(viewer, &slug).await, seen != "none", "listed: {case}");
            if seen == "none" {
                assert!(!answer.text.contains(&slug), "{case}");
            } else {
                let json = answer.json();
                assert_eq!(json["visibility"], visibility);
                assert_eq!(json["member_count"].is_null(), seen == "door", "{case}: {json}");
                assert_eq!(json["stream"].is_null(), seen == "door", "{case}: {json}");
                assert_eq!(json["pinned_body"].is_null(), seen == "door", "{case}: {json}");
            }
            let answer = viewer.get(&format!("/api/v1/spaces/{slug}/members")).await;
            assert_eq!(answer.status, members, "members: {case}");
        }
        // Who may change it.
        for (viewer, status) in [
            (&visitor, 401),
            (&cast.outsider, if matches!(visibility, "open" | "restricted") { 403 } else { 404 }),
            (&cast.member, 403),
            (&cast.moderator, 403),
            (&cast.owner, 200),
            (&cast.administrator, if matches!(visibility, "open" | "restricted") { 200 } else { 404 }),
        ] {
            let body = json!({"description": format!("as {} says", viewer.handle)});
            let answer = viewer.patch(&format!("/api/v1/spaces/{slug}"), &body).await;
            assert_eq!(answer.status, status, "{visibility} changed by {:?}: {}", viewer.handle, answer.text);
        }
    }
});

hub_test!(async fn making_a_space_takes_a_good_and_free_address(hub) {
    let _administrator = hub.member("rhea").await;
    let ada = hub.member("ada").await;
    let body = json!({"slug": "ward-7", "name": " Ward 7 ", "description": "Nights", "visibility": "open"});
    let answer = ada.post("/api/v1/spaces", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.header("location"), "/api/v1/spaces/ward-7");
    assert_eq!(answer.header("etag"), "\"v1\"");
    let made = answer.json();
    assert_eq!((&made["name"], &made["role"], &made["member_count"]), (&json!("Ward 7"), &json!("owner"), &json!(1)));
    assert_eq!(space(&ada, "ward-7").await, made);
    assert_eq!(space(&ada, "WARD-7").await, made);
    assert_eq!(ada.post("/api/v1/spaces", &body).await.status, 409);
    for bad in ["", "a", "-ab", "_ab", "a b", "ä-b", "a/b", &"a".repeat(61)] {
        let answer = ada.post("/api/v1/spaces", &json!({"slug": bad, "name": "", "description": "", "visibility": "open"})).await;
        assert_eq!(answer.status, 422, "{bad}");
        let fields: Vec<Value> = answer.json()["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
        assert_eq!(fields, ["slug", "name"], "every fault at once");
    }
    for good in ["Ab", "0-_", &"a".repeat(60)] {
        let answer = ada.post("/api/v1/spaces", &json!({"slug": good, "name": "N", "description": "", "visibility": "private"})).await;
        assert_eq!(answer.status, 201, "{good}");
    }
    let answer = ada.post("/api/v1/spaces", &json!({"slug": "other", "name": "N", "visibility": "secret"})).await;
    assert_eq!((answer.status, answer.json()["errors"][0]["field"].clone()), (422, json!("visibility")));
    assert_eq!(hub.visitor().post("/api/v1/spaces", &body).await.status, 401);
});

hub_test!(async fn a_repeated_creation_with_its_key_makes_one_space(hub) {
    let ada = hub.member("ada").await;
    let body = json!({"slug": "once", "name": "Once", "description": "", "visibility": "open"});
    let send = || ada.send(ada.request("POST", "/api/v1/spaces").header("Idempotency-Key", "k1").json(&body));
    let (first, second) = (send().await, send().await);
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.text, second.text);
});

hub_test!(async fn open_and_restricted_spaces_are_joined_at_once_and_counted(hub) {
    let cast = Cast::of(hub).await;
    for visibility in ["open", "restricted"] {
        let slug = hub.space(&cast.owner, visibility).await;
        let (status, standing) = join(&cast.outsider, &slug).await;
        assert_eq!((status, &standing["state"], &standing["role"]), (200, &json!("member"), &json!("member")));
        assert_eq!(join(&cast.outsider, &slug).await.0, 200, "joining twice is joining");
        let seen = space(&cast.outsider, &slug).await;
        assert_eq!((&seen["member_count"], &seen["role"]), (&json!(2), &json!("member")));
        assert_eq!(leave(&cast.outsider, &slug).await, 200);
        assert_eq!(leave(&cast.outsider, &slug).await, 200, "leaving twice is leaving");
        let seen = space(&cast.outsider, &slug).await;
        assert_eq!((&seen["member_count"], &seen["role"]), (&json!(1), &Value::Null));
    }
});

hub_test!(async fn an_archived_space_is_read_and_can_be_left(hub) {
    let cast = Cast::of(hub).await;
    let slug = cast.space(hub, "open").await;
    let path = format!("/api/v1/spaces/{slug}");
    let archived = cast.owner.patch(&path, &json!({"archived": true})).await;
    assert_eq!((archived.status, archived.json()["archived"].clone()), (200, json!(true)));
    assert_eq!(space(&cast.outsider, &slug).await["archived"], true);
    assert_eq!(join(&cast.outsider, &slug).await.0, 403);
    assert_eq!(put(&cast.owner, &slug, "otto", "member").await.0, 403);
    assert_eq!(cast.owner.patch(&path, &json!({"name": "Other"})).await.status, 403);
    assert_eq!(leave(&cast.member, &slug).await, 200);
    let back = cast.owner.patch(&path, &json!({"archived": false, "name": "Back"})).await;
    assert_eq!((back.status, back.json()["name"].clone()), (200, json!("Back")));
    assert_eq!(join(&cast.outsider, &slug).await.0, 200);
});

hub_test!(async fn a_lost_update_is_refused_and_joining_is_none(hub) {
    let cast = Cast::of(hub).await;
    let slug = hub.space(&cast.owner, "open").await;
    let path = format!("/api/v1/spaces/{slug}");
    let etag = cast.owner.get(&path).await.header("etag").to_owned();
    assert_eq!(join(&cast.member, &slug).await.0, 200);
    let change = |tag: String, text: &'static str| {
        cast.owner.send(cast.owner.request("PATCH", &path).header("If-Match", tag).json(&json!({"pinned_body": text})))
    };
    let first = change(etag.clone(), "Welcome, **all**. <script>alert(1)</script>").await;
    assert_eq!(first.status, 200, "joining leaves the version alone: {}", first.text);
    let html = first.json()["pinned_html"].as_str().unwrap().to_owned();
    assert!(html.contains("<strong>all</strong>") && !html.contains("<script"), "{html}");
    assert_eq!(change(etag, "Later").await.status, 412);
    assert_eq!(space(&cast.member, &slug).await["pinned_html"], html.as_str());
    let now = first.header("etag").to_owned();
    assert_eq!(change(now, "Later").await.status, 200);
    assert_eq!(cast.owner.patch(&path, &json!({"name": "  "})).await.status, 422);
    assert_eq!(cast.owner.patch(&path, &json!({"description": "x".repeat(256)})).await.status, 422);
});

hub_test!(async fn lists_go_on_where_the_page_before_ended(hub) {
    let ada = hub.member("ada").await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(hub.space(&ada, "open").await);
    }
    made.reverse();
    let first = ada.get("/api/v1/spaces?limit=2").await.json();
    // What arrives meanwhile shifts nothing.
    let late = hub.space(&ada, "open").await;
    let mut seen: Vec<String> = Vec::new();
    let take = |page: &Value, seen: &mut Vec<String>| {
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["slug"].as_str().unwrap().to_owned()));
        page["next_cursor"].clone()
    };
    let mut page = first;
    loop {
        let cursor = take(&page, &mut seen);
        let Some(next) = cursor.as_str() else { break };
        page = ada.get(&format!("/api/v1/spaces?limit=2&cursor={next}")).await.json();
    }
    assert_eq!(seen, made);
    assert!(listed(&ada, &late).await);
    for bad in ["limit=0", "limit=101", "limit=x", "cursor=%21"] {
        assert_eq!(ada.get(&format!("/api/v1/spaces?{bad}")).await.status, 422, "{bad}");
    }

    let slug = &made[0];
    for handle in ["ben", "cleo", "dan"] {
        assert_eq!(join(&hub.member(handle).await, slug).await.0, 200);
    }
    let path = format!("/api/v1/spaces/{slug}/members");
    let first = ada.get(&format!("{path}?limit=3")).await.json();
    let handles = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["handle"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(handles(&first), ["dan", "cleo", "ben"]);
    let rest = ada.get(&format!("{path}?limit=3&cursor={}", first["next_cursor"].as_str().unwrap())).await.json();
    assert_eq!((handles(&rest), &rest["next_cursor"]), (vec!["ada".to_owned()], &Value::Null));
    assert_eq!(handles(&ada.get(&format!("{path}?q=CLE")).await.json()), ["cleo"]);
    assert_eq!(handles(&ada.get(&format!("{path}?q=%25")).await.json()), [""; 0], "a percent sign is a letter");
});

hub_test!(async fn who_is_taken_out_stops_hearing_at_once(hub) {
    let cast = Cast::of(hub).await;
    let slug = cast.space(hub, "private").await;
    let seen = space(&cast.member, &slug).await;
    let (stream, head) = (seen["stream"].as_str().unwrap().to_owned(), seen["head"].as_i64().unwrap());
    let mut outsider = Socket::open(&cast.outsider).await;
    assert_eq!(outsider.subscribe(&stream, None, None).await["code"], "not_found");

    let mut member = Socket::open(&cast.member).await;
    let answer = member.subscribe(&stream, Some(0), seen["epoch"].as_str()).await;
    assert_eq!((&answer["type"], &answer["head"]), (&json!("subscribed"), &json!(head)));
    let events = member.events(usize::try_from(head).unwrap()).await;
    let told: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event["event"].as_str().unwrap(), event["data"]["handle"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("member.joined", "olga"), ("member.joined", "moe"), ("member.joined", "mia")]);

    let changed = cast.owner.patch(&format!("/api/v1/spaces/{slug}"), &json!({"description": "New"})).await;
    assert_eq!(changed.status, 200);
    let event = member.events(1).await.remove(0);
    assert_eq!((&event["event"], &event["data"]["description"]), (&json!("space.changed"), &json!("New")));
    assert!(event["data"].get("role").is_none(), "an event says the same to every reader");

    let gone = cast.owner.delete(&format!("/api/v1/spaces/{slug}/members/mia")).await;
    assert_eq!(gone.status, 204);
    let ended = member.next_of("unsubscribed").await;
    assert_eq!((&ended["stream"], &ended["code"]), (&json!(stream), &json!("forbidden")));
    assert_eq!(member.subscribe(&stream, None, None).await["code"], "not_found");
});

hub_test!(async fn a_space_that_closes_its_doors_ends_what_outsiders_hear(hub) {
    let cast = Cast::of(hub).await;
    let slug = hub.space(&cast.owner, "restricted").await;
    let stream = space(&cast.outsider, &slug).await["stream"].as_str().unwrap().to_owned();
    let mut outsider = Socket::open(&cast.outsider).await;
    assert_eq!(outsider.subscribe(&stream, None, None).await["type"], "subscribed");
    let answer = cast.owner.patch(&format!("/api/v1/spaces/{slug}"), &json!({"visibility": "confidential"})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(outsider.next_of("unsubscribed").await["code"], "forbidden");
    assert_eq!(cast.outsider.get(&format!("/api/v1/spaces/{slug}")).await.status, 404);
    assert!(!listed(&cast.outsider, &slug).await);
});
