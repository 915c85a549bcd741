//! Reports reach those who moderate, and what they do holds: hidden, shut out, gone for good.

use praxis_server::app::AppState;
use praxis_server::entities::kinds::MailState;
use praxis_server::entities::{file, mail, member};
use praxis_server::store::Id;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement};
use serde_json::{Value, json};

use crate::support::{Client, Socket, TestHub, hub_test};

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_else(|| panic!("no {key}: {json}"))
}

/// An administrator, an author, a reader, a space of the author's and a topic with a reply in it.
struct Scene {
    admin: Client,
    owner: Client,
    author: Client,
    reader: Client,
    space: String,
    topic: String,
    post: String,
}

async fn scene(hub: &TestHub) -> Scene {
    let admin = hub.member("ruth").await;
    let owner = hub.member("olive").await;
    let author = hub.member("arthur").await;
    let reader = hub.member("rita").await;
    let space = hub.space(&owner, "open").await;
    let topic = hub.topic(&owner, &space, "How do you start?").await;
    let topic = text(&topic, "id").to_owned();
    let reply = hub.reply(&author, &topic, None, "Something that should not stand here.").await;
    let post = text(&reply, "id").to_owned();
    Scene { admin, owner, author, reader, space, topic, post }
}

async fn posts(client: &Client, topic: &str) -> Vec<Value> {
    let answer = client.get(&format!("/api/v1/topics/{topic}/posts")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

hub_test!(async fn a_report_reaches_the_moderators_of_its_space_and_nobody_else(hub) {
    let s = scene(hub).await;
    let path = format!("/api/v1/posts/{}/flags", s.post);
    let body = json!({"reason": "conduct", "note": "Look at the second line."});
    assert_eq!(hub.visitor().post(&path, &body).await.status, 401);
    let made = s.reader.post(&path, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.id();
    assert_eq!(made.header("location"), format!("/api/v1/reports/{id}"));
    let own = s.author.post(&path, &body).await;
    assert_eq!((own.status, own.text.contains("your own post")), (403, true), "{}", own.text);
    // One open report for a member and a post.
    let again = s.reader.post(&path, &json!({"reason": "spam"})).await;
    assert_eq!((again.status, again.id()), (200, id.clone()));
    assert_eq!(s.reader.post(&path, &json!({"reason": "because"})).await.status, 422);
    assert_eq!(s.reader.post("/api/v1/posts/0000000000000/flags", &body).await.status, 404);

    let list = s.owner.get("/api/v1/reports?state=open").await;
    assert_eq!(list.status, 200, "{}", list.text);
    let report = &list.json()["items"][0];
    assert_eq!(text(report, "id"), id);
    assert_eq!(report["post"]["excerpt"], "Something that should not stand here.");
    assert_eq!(report["reporter"]["handle"], "rita");
    assert_eq!(report["note"], "Look at the second line.");
    assert_eq!(s.admin.get("/api/v1/reports").await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(s.reader.get("/api/v1/reports").await.status, 403);
    assert_eq!(hub.visitor().get("/api/v1/reports").await.status, 401);
    // Who moderates elsewhere sees nothing of it.
    let other = hub.space(&s.author, "open").await;
    assert!(!other.is_empty());
    let theirs = s.author.get("/api/v1/reports").await;
    assert_eq!((theirs.status, theirs.json()["items"].as_array().unwrap().len()), (200, 0));
    assert_eq!(s.author.get(&format!("/api/v1/reports/{id}")).await.status, 404);
    assert_eq!(s.author.post(&format!("/api/v1/reports/{id}/dismiss"), &json!({})).await.status, 404);

    let settled = s.owner.post(&format!("/api/v1/reports/{id}/dismiss"), &json!({"reason": "It is fine."})).await;
    assert_eq!((settled.status, settled.json()["state"].as_str()), (200, Some("dismissed")));
    assert_eq!(s.owner.post(&format!("/api/v1/reports/{id}/uphold"), &json!({})).await.status, 409);
    // A settled report leaves room for a new one.
    assert_eq!(s.reader.post(&path, &body).await.status, 201);
    assert_eq!(s.owner.get("/api/v1/reports?state=dismissed").await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(s.owner.get("/api/v1/reports?state=lost").await.status, 422);
});

hub_test!(async fn a_report_from_a_private_space_does_not_exist_outside(hub) {
    let s = scene(hub).await;
    let space = hub.space(&s.owner, "private").await;
    let topic = hub.topic(&s.owner, &space, "Behind the door").await;
    let first = text(&topic, "first_post_id").to_owned();
    let path = format!("/api/v1/posts/{first}/flags");
    assert_eq!(s.reader.post(&path, &json!({"reason": "spam"})).await.status, 404);
    let invite = s.owner.request("PUT", &format!("/api/v1/spaces/{space}/members/arthur"));
    assert_eq!(s.owner.send(invite.json(&json!({"role": "member"}))).await.status, 202);
    assert_eq!(s.author.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await.status, 200);
    let made = s.author.post(&path, &json!({"reason": "spam"})).await;
    assert_eq!(made.status, 201);
    assert_eq!(s.admin.get("/api/v1/reports").await.json()["items"].as_array().unwrap().len(), 0);
    assert_eq!(s.admin.post(&format!("/api/v1/posts/{first}/hide"), &json!({})).await.status, 404);
    assert_eq!(s.admin.post(&format!("/api/v1/posts/{first}/purge"), &json!({})).await.status, 404);
});

hub_test!(async fn a_hidden_post_is_a_stub_for_others_and_settles_its_reports(hub) {
    let s = scene(hub).await;
    let flagged = s.reader.post(&format!("/api/v1/posts/{}/flags", s.post), &json!({"reason": "spam"})).await;
    let hide = format!("/api/v1/posts/{}/hide", s.post);
    assert_eq!(hub.visitor().post(&hide, &json!({})).await.status, 401);
    assert_eq!(s.author.post(&hide, &json!({})).await.status, 403);
    let done = s.owner.post(&hide, &json!({"reason": "Advertising"})).await;
    assert_eq!(done.status, 204, "{}", done.text);
    for client in [&s.reader, &hub.visitor()] {
        let post = posts(client, &s.topic).await.remove(0);
        assert_eq!((post["hidden"].as_bool(), post["body"].as_str(), post["body_html"].as_str()), (Some(true), Some(""), Some("")));
    }
    let report = s.owner.get(&format!("/api/v1/reports/{}", flagged.id())).await.json();
    assert_eq!((report["state"].as_str(), report["handled_by"]["handle"].as_str()), (Some("upheld"), Some("olive")));
    assert_eq!(s.owner.post(&format!("/api/v1/posts/{}/unhide", s.post), &json!({})).await.status, 204);
    assert_eq!(posts(&s.reader, &s.topic).await[0]["body"], "Something that should not stand here.");

    let log = Client::sign_in(&hub.base, "olive").await.page(&format!("/s/{}/log", s.space)).await;
    assert_eq!(log.status, 200, "{}", log.text);
    assert!(log.text.contains("Advertising") && log.text.contains("Hid"));
    assert!(!log.text.contains("should not stand"));
    assert_eq!(Client::sign_in(&hub.base, "rita").await.page(&format!("/s/{}/log", s.space)).await.status, 403);
});

hub_test!(async fn a_hidden_topic_is_there_for_moderators_only(hub) {
    let s = scene(hub).await;
    let (path, list) = (format!("/api/v1/topics/{}", s.topic), format!("/api/v1/spaces/{}/topics", s.space));
    assert_eq!(s.reader.post(&format!("{path}/hide"), &json!({})).await.status, 403);
    assert_eq!(s.owner.post(&format!("{path}/hide"), &json!({"reason": "Off topic"})).await.status, 204);
    assert_eq!(s.reader.get(&path).await.status, 404);
    assert_eq!(hub.visitor().get(&path).await.status, 404);
    assert!(s.reader.get(&list).await.json()["items"].as_array().unwrap().is_empty());
    assert_eq!(s.owner.get(&path).await.status, 200);
    // What is not there can be reported by nobody.
    assert_eq!(s.reader.post(&format!("/api/v1/posts/{}/flags", s.post), &json!({"reason": "spam"})).await.status, 404);
    assert_eq!(s.owner.post(&format!("{path}/unhide"), &json!({})).await.status, 204);
    assert_eq!(s.reader.get(&path).await.status, 200);
});

hub_test!(async fn a_suspended_member_is_out_at_once_everywhere(hub) {
    let s = scene(hub).await;
    let browser = Client::sign_in(&hub.base, "arthur").await;
    let mut socket = Socket::open(&s.author).await;
    let path = "/api/v1/members/arthur/suspend";
    assert_eq!(hub.visitor().post(path, &json!({})).await.status, 401);
    assert_eq!(s.owner.post(path, &json!({})).await.status, 403);
    assert_eq!(s.admin.post("/api/v1/members/nobody-here/suspend", &json!({})).await.status, 404);
    assert_eq!(s.admin.post("/api/v1/members/ruth/suspend", &json!({})).await.status, 409);
    let done = s.admin.post(path, &json!({"reason": "Repeated advertising"})).await;
    assert_eq!(done.status, 204, "{}", done.text);

    assert_eq!(s.author.post(&format!("/api/v1/topics/{}/posts", s.topic), &json!({"body": "Still here"})).await.status, 401);
    let page = browser.page("/reports").await;
    assert_eq!((page.status, page.header("location").starts_with("/login")), (303, true));
    loop {
        let frame = socket.next().await;
        if frame["type"] == "close" {
            assert_eq!(frame["code"], 4403);
            break;
        }
    }
    let login = json!({"login": "arthur", "password": crate::support::hub::password("arthur")});
    assert!(hub.visitor().post("/api/v1/auth/login", &login).await.status >= 400);
    // What they wrote stays.
    assert_eq!(posts(&s.reader, &s.topic).await[0]["body"], "Something that should not stand here.");

    assert_eq!(s.admin.post("/api/v1/members/arthur/unsuspend", &json!({})).await.status, 204);
    assert_eq!(hub.visitor().post("/api/v1/auth/login", &login).await.status, 200);
    // The old session stays ended.
    assert_eq!(s.author.post(&format!("/api/v1/topics/{}/posts", s.topic), &json!({"body": "Back"})).await.status, 401);
});

/// Every text column that holds a word, as `table.column`.
async fn where_is(state: &AppState, word: &str) -> Vec<String> {
    let db = state.store.read();
    let backend = db.get_database_backend();
    let columns = match backend {
        DbBackend::Sqlite => {
            "SELECT m.name AS t, p.name AS c FROM sqlite_master m JOIN pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
        _ => {
            "SELECT table_name::text AS t, column_name::text AS c FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let rows = db.query_all_raw(Statement::from_string(backend, columns)).await.unwrap();
    assert!(rows.len() > 100, "the columns were not found");
    let mut found = Vec::new();
    for row in rows {
        let (table, column): (String, String) = (row.try_get("", "t").unwrap(), row.try_get("", "c").unwrap());
        let sql =
            format!("SELECT 1 AS one FROM \"{table}\" WHERE lower(CAST(\"{column}\" AS TEXT)) LIKE '%{word}%' LIMIT 1");
        if db.query_one_raw(Statement::from_string(backend, sql)).await.unwrap().is_some() {
            found.push(format!("{table}.{column}"));
        }
    }
    found
}

/// A mail and a file that belong to a post.
async fn add_mail_and_file(state: &AppState, post: &str, word: &str) -> String {
    let post = post.parse::<Id>().unwrap().0;
    let owner =
        member::Entity::find().filter(member::Column::Handle.eq("arthur")).one(state.store.read()).await.unwrap();
    let (owner, word) = (owner.unwrap().id, word.to_owned());
    let key = format!("test/{post}");
    state.blobs.put(&key, word.clone().into_bytes().into()).await.unwrap();
    let stored = key.clone();
    state
        .store
        .write(async move |tx| {
            for state in [MailState::Held, MailState::Sent] {
                let row = mail::ActiveModel {
                    id: Set(tx.id()),
                    kind: Set("reply".into()),
                    member_id: Set(Some(owner)),
                    to_address: Set("somebody@example.org".into()),
                    subject: Set(format!("About {word}")),
                    text: Set(word.clone()),
                    html: Set(word.clone()),
                    state: Set(state),
                    created_at: Set(tx.now()),
                    sent_at: Set(None),
                    error: Set(None),
                    subject_id: Set(Some(post)),
                };
                mail::Entity::insert(row).exec_without_returning(tx.conn()).await?;
            }
            let row = file::ActiveModel {
                id: Set(tx.id()),
                owner_id: Set(owner),
                storage_key: Set(stored.clone()),
                sha256: Set(String::new()),
                size: Set(1),
                media_type: Set("text/plain".into()),
                name: Set(format!("{word}.txt")),
                width: Set(None),
                height: Set(None),
                post_id: Set(Some(post)),
                message_id: Set(None),
                shown_in: Set(None),
                resource_id: Set(None),
                study_id: Set(None),
                playbook_id: Set(None),
                created_at: Set(tx.now()),
            };
            file::Entity::insert(row).exec_without_returning(tx.conn()).await?;
            Ok(())
        })
        .await
        .unwrap();
    key
}

hub_test!(async fn a_purged_reply_is_nowhere_any_more(hub) {
    let s = scene(hub).await;
    let write = async || {
        let request = s.author.request("POST", &format!("/api/v1/topics/{}/posts", s.topic));
        let body = json!({"body": "Patient xyzzymark, born in spring."});
        s.author.send(request.header("Idempotency-Key", "once").json(&body)).await
    };
    let made = write().await;
    assert_eq!(made.status, 201, "{}", made.text);
    let post = made.id();
    assert_eq!(write().await.id(), post);
    let path = format!("/api/v1/posts/{post}");
    assert_eq!(s.author.patch(&path, &json!({"body": "Patient xyzzymark, born in March."})).await.status, 200);
    let mut socket = Socket::open(&s.reader).await;
    let stream = format!("topic:{}", s.topic);
    assert_eq!(socket.subscribe(&stream, None, None).await["type"], "subscribed");
    let blob = add_mail_and_file(hub.state(), &post, "xyzzymark").await;
    assert!(where_is(hub.state(), "xyzzymark").await.len() > 6, "the word was never there");

    assert_eq!(s.author.post(&format!("{path}/purge"), &json!({})).await.status, 403);
    let purged = s.owner.post(&format!("{path}/purge"), &json!({"reason": "Patient data"})).await;
    assert_eq!(purged.status, 204, "{}", purged.text);
    hub.settle().await;

    assert_eq!(where_is(hub.state(), "xyzzymark").await, Vec::<String>::new());
    assert!(hub.state().blobs.get(&blob).await.is_err(), "the file's bytes are still there");
    // Its stub stands, also for those who come later.
    let listed = posts(&s.reader, &s.topic).await;
    let stub = listed.iter().find(|one| one["id"] == post.as_str()).expect("a stub");
    assert_eq!((stub["body"].as_str(), stub["body_html"].as_str()), (Some(""), Some("")));
    for client in [&s.reader, &s.author, &s.owner] {
        for path in [format!("/api/v1/topics/{}", s.topic), format!("{path}/revisions"), format!("/api/v1/topics/{}/posts?order=time", s.topic)] {
            assert!(!client.get(&path).await.text.contains("xyzzymark"), "{path}");
        }
    }
    // Live readers are told, and a replay of the whole log does not bring it back.
    let told = socket.events(1).await.remove(0);
    assert_eq!((told["event"].as_str(), told["data"]["id"].as_str()), (Some("post.deleted"), Some(post.as_str())));
    let mut late = Socket::open(&s.reader).await;
    let head = late.subscribe(&stream, Some(0), None).await["head"].as_u64().unwrap();
    let replay = late.events(usize::try_from(head).unwrap()).await;
    assert!(!json!(replay).to_string().contains("xyzzymark"));
    // Nothing brings it back: not an edit, not a restore, and the key is a new request.
    assert!(s.author.patch(&path, &json!({"body": "again"})).await.status >= 400);
    assert_ne!(write().await.id(), post);
    // The act is in the log, the text is not.
    let log = Client::sign_in(&hub.base, "olive").await.page(&format!("/s/{}/log", s.space)).await;
    assert!(log.text.contains("Patient data") && !log.text.contains("xyzzymark"));
});

hub_test!(async fn purging_an_opening_takes_title_and_tags_with_it(hub) {
    let s = scene(hub).await;
    let request = s.author.request("POST", &format!("/api/v1/spaces/{}/topics", s.space)).header("Idempotency-Key", "t");
    let body = json!({"title": "The case of xyzzymark", "body": "About xyzzymark.", "kind": "question", "tags": ["xyzzymark"]});
    let made = s.author.send(request.json(&body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (topic, first) = (made.id(), text(&made.json(), "first_post_id").to_owned());
    hub.reply(&s.reader, &topic, None, "A reply that stays.").await;
    assert_eq!(s.author.patch(&format!("/api/v1/topics/{topic}"), &json!({"title": "Another xyzzymark"})).await.status, 200);
    assert!(where_is(hub.state(), "xyzzymark").await.len() > 4);

    let owner = Client::sign_in(&hub.base, "olive").await;
    let ask = owner.page(&format!("/posts/{first}/purge")).await;
    assert_eq!(ask.status, 200, "{}", ask.text);
    assert!(ask.text.contains("About xyzzymark."));
    // Without the confirmation nothing happens but the question.
    let asked = owner.form(&format!("/posts/{first}/purge"), &ask.csrf(), &[]).await;
    assert_eq!(asked.status, 200);
    assert!(!where_is(hub.state(), "xyzzymark").await.is_empty());
    let done = owner.form(&format!("/posts/{first}/purge"), &ask.csrf(), &[("sure", "yes"), ("reason", "Patient data")]).await;
    assert_eq!(done.status, 303, "{}", done.text);

    assert_eq!(where_is(hub.state(), "xyzzymark").await, Vec::<String>::new());
    let now = s.reader.get(&format!("/api/v1/topics/{topic}")).await;
    assert_eq!(now.status, 200, "{}", now.text);
    assert!(!now.text.contains("xyzzymark"));
    assert_eq!(posts(&s.reader, &topic).await[0]["body"], "A reply that stays.");
});

hub_test!(async fn reporting_and_settling_work_on_pages_without_scripts(hub) {
    let s = scene(hub).await;
    let reader = Client::sign_in(&hub.base, "rita").await;
    let path = format!("/posts/{}/report", s.post);
    assert_eq!(hub.visitor().page(&path).await.header("location"), format!("/login?next=%2Fposts%2F{}%2Freport", s.post));
    let form = reader.page(&path).await;
    assert_eq!(form.status, 200, "{}", form.text);
    assert!(form.text.contains("Something that should not stand here."));
    let bad = reader.form(&path, &form.csrf(), &[("note", "My <b>note</b> stays")]).await;
    assert_eq!(bad.status, 422);
    assert!(bad.text.contains("error-summary") && bad.text.contains("My &#60;b&#62;note&#60;/b&#62; stays"), "{}", bad.text);
    assert_eq!(reader.form(&path, "wrong", &[("reason", "spam")]).await.status, 403);
    let sent = reader.form(&path, &form.csrf(), &[("reason", "unsafe_advice"), ("note", "Dose")]).await;
    assert_eq!(sent.status, 200, "{}", sent.text);

    assert_eq!(reader.page("/reports").await.status, 403);
    let owner = Client::sign_in(&hub.base, "olive").await;
    let list = owner.page("/reports").await;
    assert_eq!(list.status, 200, "{}", list.text);
    assert!(list.text.contains("It is dangerous advice") && list.text.contains("Dose"));
    let id = list.text.split_once("action=\"/reports/").unwrap().1.split('"').next().unwrap().to_owned();
    let hidden = owner.form(&format!("/reports/{id}"), &list.csrf(), &[("do", "hide"), ("next", "/reports")]).await;
    assert_eq!((hidden.status, hidden.header("location")), (303, "/reports"));
    assert_eq!(posts(&s.reader, &s.topic).await[0]["hidden"], true);
    assert!(owner.page("/reports?state=settled").await.text.contains("It is dangerous advice"));
    let out = owner.form(&format!("/posts/{}/unhide", s.post), &list.csrf(), &[("next", "https://elsewhere.example/")]).await;
    assert_eq!((out.status, out.header("location")), (303, "/"));
    assert_eq!(posts(&s.reader, &s.topic).await[0]["hidden"], false);
});
