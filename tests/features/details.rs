//! Small promises that are easily broken: tags of any script, ranks, bodies that may be absent,
//! addresses that programs ask for, who sees what.

use praxis_server::entities::topic;
use praxis_server::features::imports::stackexchange::{Options, import};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::json;

use crate::support::{Client, TestHub, hub_test};

fn id(json: &serde_json::Value) -> String {
    json["id"].as_str().unwrap_or_else(|| panic!("no id: {json}")).to_owned()
}

hub_test!(async fn a_tag_is_a_word_of_any_script(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let body = json!({
        "title": "Words", "body": "On #Été and #безопасность.", "kind": "question",
        "tags": ["ÜNÏ", "E\u{301}te\u{301}", "été", "日本語"],
    });
    let made = ada.post(&format!("/api/v1/spaces/{space}/topics"), &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["tags"], json!(["été", "ünï", "日本語"]));
    let html = made.json()["body_html"].as_str().unwrap().to_owned();
    assert!(html.contains("href=\"/tags/été\"") || html.contains("href=\"/tags/%C3%A9t%C3%A9\""), "{html}");
    assert!(html.contains(">#безопасность</a>"), "{html}");
    for tag in ["%C3%A9t%C3%A9", "E%CC%81TE%CC%81"] {
        let page = hub.visitor().page(&format!("/tags/{tag}")).await;
        assert_eq!((page.status, page.text.contains("Words")), (200, true), "{tag}");
        let list = hub.visitor().get(&format!("/api/v1/topics?tag={tag}")).await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{tag}");
    }
    let offered = ada.get("/complete?kind=tag&q=%23%C3%9CN").await;
    assert!(offered.text.contains("ünï"), "{}", offered.text);
    for bad in ["a b", "-a", "a/b", "🔥"] {
        let body = json!({"title": "T", "body": "B", "kind": "idea", "tags": [bad]});
        assert_eq!(ada.post(&format!("/api/v1/spaces/{space}/topics"), &body).await.status, 422, "{bad}");
    }
});

async fn rank(hub: &TestHub) -> i32 {
    topic::Entity::find().order_by_asc(topic::Column::Id).one(hub.state().store.read()).await.unwrap().unwrap().rank
}

hub_test!(async fn a_long_talk_ranks_no_higher_than_a_good_answer(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    let space = hub.space(&ada, "open").await;
    let topic = id(&hub.topic(&ada, &space, "A question").await);
    let mut replies = Vec::new();
    for turn in 0..12 {
        replies.push(id(&hub.reply(&ben, &topic, None, &format!("Reply {turn}")).await));
    }
    assert_eq!(rank(hub).await, 10, "replies count so far and no farther");
    let post = &replies[3];
    let put = |what: &str| format!("/api/v1/posts/{post}/{what}");
    assert_eq!(ada.put(&put("answer")).await.status, 204);
    assert_eq!(ada.put(&put("endorsement")).await.status, 204);
    assert_eq!(rank(hub).await, 18);
    // Deleted and restored: accepted as before, and the counts stand as they stood.
    assert_eq!(ben.delete(&format!("/api/v1/posts/{post}")).await.status, 204);
    assert_eq!(rank(hub).await, 10);
    let gone = ada.get(&format!("/api/v1/topics/{topic}")).await.json();
    assert_eq!((gone["answer_ids"].clone(), gone["answer_count"].clone()), (json!([]), json!(0)));
    assert_eq!(ada.send(ada.request("POST", &put("restore"))).await.status, 204);
    let back = ada.get(&format!("/api/v1/topics/{topic}")).await.json();
    assert_eq!((back["answer_ids"].clone(), back["answer_count"].clone()), (json!([post]), json!(1)));
    assert_eq!(ada.get(&format!("/api/v1/posts/{post}")).await.json()["is_answer"], true);
    assert_eq!(rank(hub).await, 18);
    assert_eq!(ada.delete(&put("answer")).await.status, 204);
    assert_eq!(rank(hub).await, 13);
    hub.settle().await;
});

const SCORED: &str = "<posts>
<row Id=\"1\" PostTypeId=\"1\" CreationDate=\"2019-03-01T10:00:00\" Score=\"41\" Body=\"&lt;p&gt;Why?&lt;/p&gt;\" Title=\"Why\" OwnerUserId=\"1\" Tags=\"|été|o'neill|\" />
<row Id=\"2\" PostTypeId=\"2\" ParentId=\"1\" CreationDate=\"2019-03-01T11:00:00\" Score=\"2\" Body=\"two\" OwnerUserId=\"1\" />
<row Id=\"3\" PostTypeId=\"2\" ParentId=\"1\" CreationDate=\"2019-03-01T12:00:00\" Score=\"9\" Body=\"nine\" OwnerUserId=\"2\" />
<row Id=\"4\" PostTypeId=\"2\" ParentId=\"1\" CreationDate=\"2019-03-01T13:00:00\" Score=\"2\" Body=\"two again\" OwnerUserId=\"2\" />
<row Id=\"1\" PostTypeId=\"1\" CreationDate=\"2019-03-01T10:00:00\" Score=\"1\" Body=\"again\" Title=\"Again\" OwnerUserId=\"1\" />
<row Id=\"6\" PostTypeId=\"1\" CreationDate=\"2019-03-01T10:00:00\" Score=\"1\" Body=\" \" Title=\"\" OwnerUserId=\"1\" />
</posts>";
const NAMES: &str = "<users>
<row Id=\"1\" DisplayName=\"One\" CreationDate=\"2018-01-01T00:00:00\" />
<row DisplayName=\"Nobody\" CreationDate=\"2018-01-01T00:00:00\" />
<row Id=\"3\" DisplayName=\"Late\" CreationDate=\"some day\" />
</users>";

hub_test!(async fn every_row_that_cannot_be_used_is_counted_and_scores_sort(hub) {
    hub.member("ada").await;
    let folder = hub.data_dir.join("scored");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("Posts.xml"), SCORED).unwrap();
    std::fs::write(folder.join("Users.xml"), NAMES).unwrap();
    let options = Options { folder: folder.clone(), space: "bread".into(), owner: None, site: None, quiet: true };
    for (questions, known) in [(1, 0), (0, 4)] {
        let report = import(hub.state(), &options).await.unwrap();
        // A second question 1, one without any text, and two users.
        assert_eq!((report.questions, report.known, report.broken), (questions, known, 4), "{report:?}");
    }
    let visitor = hub.visitor();
    let topics = visitor.get("/api/v1/spaces/bread/topics?sort=top").await.json();
    let topic = &topics["items"][0];
    assert_eq!((&topic["title"], &topic["score"]), (&json!("Why"), &json!(41)));
    assert_eq!(topic["tags"], json!(["o-neill", "été"]));
    let page = visitor.page("/s/bread?sort=top").await;
    assert!(page.text.contains("41 votes"), "{}", page.text);
    let path = format!("/api/v1/topics/{}/posts?order=score&limit=2", id(topic));
    let first = visitor.get(&path).await.json();
    let bodies = |page: &serde_json::Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|post| post["body"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(bodies(&first), ["nine", "two"]);
    let rest = visitor.get(&format!("{path}&cursor={}", first["next_cursor"].as_str().unwrap())).await.json();
    assert_eq!((bodies(&rest), &rest["next_cursor"]), (vec!["two again".to_owned()], &json!(null)));
    // What can be known before a long file is read is said before.
    let unread = hub.data_dir.join("unread");
    std::fs::create_dir_all(unread.join("Posts.xml")).unwrap();
    let refused = |space: &str, owner: Option<&str>| {
        Options { folder: unread.clone(), space: space.into(), owner: owner.map(str::to_owned), site: None, quiet: true }
    };
    for (options, word) in [(refused("No Slug", None), "--space"), (refused("admin", None), "reserved"), (refused("new-one", Some("nobody")), "--as nobody")] {
        let said = import(hub.state(), &options).await.unwrap_err();
        assert!(said.contains(word), "{said}");
    }
    hub.settle().await;
});

hub_test!(async fn an_absent_body_is_the_default(hub) {
    let ada = hub.member("ada").await;
    hub.member("ben").await;
    let space = hub.space(&ada, "open").await;
    let topic = id(&hub.topic(&ada, &space, "A question").await);
    let post = id(&hub.reply(&ada, &topic, None, "A reply").await);
    for path in [
        format!("/posts/{post}/hide"), format!("/posts/{post}/unhide"), format!("/topics/{topic}/hide"),
        format!("/topics/{topic}/unhide"), "/members/ben/suspend".into(), "/members/ben/unsuspend".into(),
    ] {
        let answer = ada.send(ada.request("POST", &format!("/api/v1{path}"))).await;
        assert_eq!(answer.status, 204, "{path}: {}", answer.text);
        let typed = ada.request("POST", &format!("/api/v1{path}")).header("Content-Type", "text/plain").body("{}");
        assert_eq!(ada.send(typed).await.status, 415, "{path}");
    }
    hub.settle().await;
});

hub_test!(async fn a_form_with_a_kind_there_is_not_publishes_nothing(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let browser = Client::sign_in(&hub.base, "ada").await;
    let path = format!("/s/{space}/new");
    let csrf = browser.page(&path).await.csrf();
    let sent = browser.form(&path, &csrf, &[("title", "T"), ("body", "B"), ("kind", "zzz")]).await;
    assert_eq!(sent.status, 422, "{}", sent.text);
    assert!(sent.text.contains("The kind is question"), "{}", sent.text);
    let topics = ada.get(&format!("/api/v1/spaces/{space}/topics")).await.json();
    assert_eq!(topics["items"], json!([]));
});

hub_test!(async fn one_picture_counts_once(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    let space = hub.space(&ada, "open").await;
    let topic = id(&hub.topic(&ada, &space, "A question").await);
    let post = id(&hub.reply(&ada, &topic, None, "A reply").await);
    for (who, emoji) in [(&ada, "%E2%9C%8F"), (&ben, "%E2%9C%8F%EF%B8%8F"), (&ada, "1%E2%83%A3"), (&ben, "1%EF%B8%8F%E2%83%A3")] {
        assert_eq!(who.put(&format!("/api/v1/posts/{post}/reactions/{emoji}")).await.status, 204, "{emoji}");
    }
    let reactions = ada.get(&format!("/api/v1/posts/{post}")).await.json()["reactions"].clone();
    assert_eq!(reactions, json!([{"emoji": "✏️", "count": 2}, {"emoji": "1️⃣", "count": 2}]));
});

hub_test!(async fn programs_find_what_they_ask_for(hub) {
    let visitor = hub.visitor();
    let robots = visitor.get("/robots.txt").await;
    assert_eq!((robots.status, robots.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert!(robots.text.contains("Disallow: /api/\n") && robots.text.contains("Disallow: /login\n"), "{}", robots.text);
    let icon = visitor.get("/favicon.ico").await;
    assert_eq!(icon.status, 302);
    let svg = visitor.get(icon.header("location")).await;
    assert_eq!((svg.status, svg.header("content-type")), (200, "image/svg+xml"));
    for path in ["/", "/topics", "/api/openapi.json", icon.header("location")] {
        for encoding in ["gzip", "br", "identity"] {
            let answer = visitor.send(visitor.request("GET", path).header("Accept-Encoding", encoding)).await;
            let vary = answer.header("vary").to_lowercase();
            assert!(vary.matches("accept-encoding").count() <= 1, "{path} {encoding}: {vary}");
        }
    }
    hub.settle().await;
    let metrics = visitor.get("/metrics").await.text;
    for name in ["praxis_streams_known", "praxis_relay_compared_seconds", "# TYPE praxis_job_seconds summary"] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
});

hub_test!(async fn jobs_are_measured_by_kind(hub) {
    hub.member("ada").await;
    hub.settle().await;
    let metrics = hub.visitor().get("/metrics").await.text;
    assert!(metrics.contains("praxis_job_seconds_count{kind=\"accounts.send_mail\"} 1"), "{metrics}");
});

hub_test!(async fn an_address_of_a_hidden_space_is_like_a_reserved_word(hub) {
    hub.member("rhea").await;
    let owner = hub.member("olga").await;
    let ben = hub.member("ben").await;
    let hidden = hub.space(&owner, "confidential").await;
    let seen = hub.space(&owner, "private").await;
    let make = async |slug: &str| ben.post("/api/v1/spaces", &json!({"slug": slug, "name": "Mine"})).await;
    let (reserved, taken) = (make("admin").await, make(&hidden).await);
    assert_eq!((reserved.status, taken.status), (422, 422), "{}", taken.text);
    assert_eq!(reserved.json()["errors"], taken.json()["errors"]);
    assert_eq!(make(&seen).await.status, 409);
});

hub_test!(async fn mails_name_the_hub(hub) {
    let root = hub.member("rhea").await;
    assert_eq!(root.patch("/api/v1/admin/settings", &json!({"name": "Northmere Exchange"})).await.status, 200);
    hub.member("ben").await;
    let mails = praxis_server::entities::mail::Entity::find().all(hub.state().store.read()).await.unwrap();
    let last = mails.iter().find(|mail| mail.to_address == "ben@example.org").unwrap();
    assert_eq!(last.subject, "Confirm your address for Northmere Exchange");
    assert!(last.html.contains("Northmere Exchange"), "{}", last.html);
    hub.settle().await;
});

hub_test!(async fn facilitators_tend_open_and_restricted_spaces(hub) {
    let root = hub.member("rhea").await;
    let fay = hub.member("fay").await;
    let owner = hub.member("olga").await;
    let mia = hub.member("mia").await;
    let role = root.patch("/api/v1/admin/members/fay", &json!({"role": "facilitator"})).await;
    assert_eq!(role.status, 200, "{}", role.text);
    for (visibility, tends) in [("open", true), ("restricted", true), ("private", false), ("confidential", false)] {
        let space = hub.space(&owner, visibility).await;
        let topic = id(&hub.topic(&owner, &space, "A question").await);
        let post = id(&hub.reply(&owner, &topic, None, "Rude.").await);
        let reporter = if tends { &mia } else { &owner };
        let reported = if tends { post.clone() } else {
            let invited = owner.send(owner.request("PUT", &format!("/api/v1/spaces/{space}/members/mia")).json(&json!({"role": "member"}))).await;
            assert_eq!(invited.status, 202, "{}", invited.text);
            assert_eq!(mia.send(mia.request("POST", &format!("/api/v1/spaces/{space}/join"))).await.status, 200);
            id(&hub.reply(&mia, &topic, None, "Ruder.").await)
        };
        let flag = reporter.post(&format!("/api/v1/posts/{reported}/flags"), &json!({"reason": "conduct"})).await;
        assert_eq!(flag.status, 201, "{}", flag.text);
        let report = flag.id();
        let act = async |path: String| fay.send(fay.request("POST", &format!("/api/v1{path}"))).await.status;
        let list = fay.get("/api/v1/reports").await;
        assert_eq!((list.status, list.text.contains(&report)), (200, tends), "{visibility}");
        assert_eq!(fay.get(&format!("/api/v1/reports/{report}")).await.status, if tends { 200 } else { 404 });
        for what in ["hide", "hide", "unhide"] {
            assert_eq!(act(format!("/posts/{reported}/{what}")).await, if tends { 204 } else { 404 }, "{visibility} {what}");
            assert_eq!(act(format!("/topics/{topic}/{what}")).await, if tends { 204 } else { 404 }, "{visibility} {what}");
        }
        assert_eq!(act(format!("/posts/{reported}/purge")).await, if tends { 403 } else { 404 }, "{visibility}");
    }
    assert_eq!(fay.send(fay.request("POST", "/api/v1/members/mia/suspend")).await.status, 403);
    let invited = fay.post("/api/v1/invitations", &json!({"emails": ["new@example.org"]})).await;
    assert_eq!(invited.status, 201, "{}", invited.text);
    let page = Client::sign_in(&hub.base, "fay").await.page("/reports").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("href=\"/reports\""), "{}", page.text);
    hub.settle().await;
});

#[cfg(unix)]
hub_test!(async fn what_the_hub_makes_is_its_owners_alone(hub) {
    use std::os::unix::fs::PermissionsExt as _;
    let ada = hub.member("ada").await;
    let file = crate::support::stage::file(&ada).await;
    assert!(!file.is_empty());
    let mut folders = vec![hub.state().config.data_dir.join("uploads")];
    let mut files = Vec::new();
    if let Some(path) = hub.state().config.database().strip_prefix("sqlite://") {
        for ending in ["", "-wal", "-shm"] {
            files.push(std::path::PathBuf::from(format!("{path}{ending}")));
        }
    }
    files.push(hub.data_dir.join("secret.key"));
    folders.retain(|folder| folder.exists());
    assert!(!folders.is_empty());
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut within = Vec::new();
    assert_eq!(mode(&hub.data_dir), 0o700);
    for folder in &folders {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
        within.push(folder.clone());
    }
    let mut uploads = 0;
    while let Some(folder) = within.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { within.push(entry) } else {
                uploads += 1;
                assert_eq!(mode(&entry), 0o600, "{}", entry.display());
            }
        }
    }
    assert!(uploads > 0);
    for file in files.iter().filter(|file| file.exists()) {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
});
