//! Reports of messages: who sees them, what they show, and what those who settle them can do.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::chat::{room, say};
use crate::support::html::check_html;
use crate::support::stage::{done, file, id};
use crate::support::{Client, TestHub, hub_test};

/// Ruth runs the hub, Olive a space that Arthur and Rita have joined.
struct Scene {
    admin: Client,
    owner: Client,
    author: Client,
    reader: Client,
    space: String,
}

async fn scene(hub: &TestHub) -> Scene {
    let admin = hub.member("ruth").await;
    let (owner, author, reader) = (hub.member("olive").await, hub.member("arthur").await, hub.member("rita").await);
    let space = hub.space(&owner, "open").await;
    for who in [&author, &reader] {
        done(&who.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await);
    }
    Scene { admin, owner, author, reader, space }
}

async fn reports(who: &Client) -> Vec<Value> {
    done(&who.get("/api/v1/reports?state=open").await)["items"].as_array().unwrap().clone()
}

hub_test!(async fn a_reported_message_reaches_the_moderators_of_its_space(hub) {
    let s = scene(hub).await;
    let room = id(&room(&s.author, &s.space, "ward", false).await);
    let message = id(&say(&s.author, &room, "Something that should not stand here.").await);
    let flags = format!("/api/v1/messages/{message}/flags");
    let body = json!({"reason": "conduct", "note": "The second word."});
    assert_eq!(hub.visitor().post(&flags, &body).await.status, 401);
    let made = s.reader.post(&flags, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["message_id"], json!(message));
    assert!(made.json().get("post_id").is_none());
    assert_eq!(made.header("location"), format!("/api/v1/reports/{}", made.id()));
    let again = s.reader.post(&flags, &json!({"reason": "spam"})).await;
    assert_eq!((again.status, again.id()), (200, made.id()));
    let own = s.author.post(&flags, &body).await;
    assert_eq!((own.status, own.text.contains("your own message")), (403, true), "{}", own.text);
    assert_eq!(s.reader.post(&flags, &json!({"reason": "because"})).await.status, 422);
    assert_eq!(s.reader.post("/api/v1/messages/0000000000001/flags", &body).await.status, 404);

    let seen = reports(&s.owner).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["message"]["excerpt"], "Something that should not stand here.");
    assert_eq!((&seen[0]["message"]["room_name"], &seen[0]["space"]), (&json!("Room ward"), &json!(s.space)));
    assert_eq!(seen[0]["url"], json!(format!("/messages/{message}")));
    assert_eq!(seen[0]["reporter"]["handle"], "rita");
    assert!(seen[0].get("post").is_none());
    // Its reporter sees that it is there, and not the text again.
    let theirs = done(&s.reader.get(&format!("/api/v1/reports/{}", made.id())).await);
    assert_eq!((&theirs["message"]["excerpt"], &theirs["state"]), (&json!(""), &json!("open")));
    assert_eq!(s.author.get(&format!("/api/v1/reports/{}", made.id())).await.status, 404);
    assert_eq!(s.author.post(&format!("/api/v1/reports/{}/dismiss", made.id()), &json!({})).await.status, 404);

    let settled = s.owner.post(&format!("/api/v1/reports/{}/dismiss", made.id()), &json!({"reason": "Fine."})).await;
    assert_eq!((settled.status, &settled.json()["state"]), (200, &json!("dismissed")), "{}", settled.text);
    assert_eq!(s.owner.post(&format!("/api/v1/reports/{}/uphold", made.id()), &json!({})).await.status, 409);

    // Taking it away settles what was reported since; a message that nobody reported is not theirs.
    let second = s.reader.post(&flags, &body).await;
    assert_eq!(second.status, 201);
    let quiet = id(&say(&s.author, &room, "Nobody minds this.").await);
    assert_eq!(s.owner.post(&format!("/api/v1/messages/{quiet}/remove"), &json!({})).await.status, 404);
    let remove = format!("/api/v1/messages/{message}/remove");
    assert_eq!(s.reader.post(&remove, &json!({})).await.status, 404);
    assert_eq!(s.owner.post(&remove, &json!({"reason": "Rude."})).await.status, 204);
    let gone = done(&s.reader.get(&format!("/api/v1/messages/{message}")).await);
    assert_eq!((&gone["deleted"], &gone["body"]), (&json!(true), &json!("")));
    assert_eq!(s.reader.post(&flags, &body).await.status, 404, "what is gone is not reported");
    let report = done(&s.owner.get(&format!("/api/v1/reports/{}", second.id())).await);
    assert_eq!((&report["state"], &report["outcome"]), (&json!("upheld"), &json!("Rude.")));
    let log = Client::sign_in(&hub.base, "olive").await.page(&format!("/s/{}/log", s.space)).await;
    assert!(log.text.contains("Deleted") && log.text.contains("a message") && log.text.contains("Rude."), "{}", log.text);
});

hub_test!(async fn a_message_is_deleted_by_a_moderator_and_its_reports_are_settled(hub) {
    let s = scene(hub).await;
    let room = id(&room(&s.author, &s.space, "ward", false).await);
    for delete in [true, false] {
        let message = id(&say(&s.author, &room, &format!("Not here {delete}.")).await);
        let made = s.reader.post(&format!("/api/v1/messages/{message}/flags"), &json!({"reason": "spam"})).await;
        assert_eq!(made.status, 201);
        if delete {
            assert_eq!(s.owner.delete(&format!("/api/v1/messages/{message}")).await.status, 204);
        } else {
            let purge = s.owner.post(&format!("/api/v1/messages/{message}/purge"), &json!({"reason": "A name."})).await;
            assert_eq!(purge.status, 204);
        }
        assert_eq!(done(&s.owner.get(&format!("/api/v1/reports/{}", made.id())).await)["state"], "upheld");
    }
    assert!(reports(&s.owner).await.is_empty());
});

hub_test!(async fn what_is_said_in_private_is_shown_by_its_reporter_alone(hub) {
    let s = scene(hub).await;
    // A private room: moderators of the space settle, although they are not in it.
    let closed = id(&room(&s.author, &s.space, "closed", true).await);
    done(&s.author.put(&format!("/api/v1/rooms/{closed}/members/rita")).await);
    say(&s.author, &closed, "Not reported.").await;
    let message = id(&say(&s.author, &closed, "Reported.").await);
    let flags = format!("/api/v1/messages/{message}/flags");
    assert_eq!(s.owner.post(&flags, &json!({"reason": "spam"})).await.status, 404, "they do not see it");
    assert_eq!(s.reader.post(&flags, &json!({"reason": "spam"})).await.status, 201);
    let seen = reports(&s.owner).await;
    assert_eq!(seen[0]["message"]["excerpt"], "Reported.");
    assert_eq!(s.owner.get(&format!("/api/v1/messages/{message}")).await.status, 404);
    assert_eq!(s.owner.post(&format!("/api/v1/messages/{message}/remove"), &json!({})).await.status, 204);
    assert_eq!(done(&s.reader.get(&format!("/api/v1/messages/{message}")).await)["deleted"], json!(true));

    // A direct conversation: administrators, and nobody who runs a space.
    let direct = id(&done(&s.author.post("/api/v1/direct", &json!({"handles": ["rita"]})).await));
    let message = id(&say(&s.author, &direct, "Said to one alone.").await);
    let made = s.reader.post(&format!("/api/v1/messages/{message}/flags"), &json!({"reason": "conduct"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(reports(&s.owner).await.is_empty());
    assert_eq!(s.owner.get(&format!("/api/v1/reports/{}", made.id())).await.status, 404);
    assert_eq!(s.owner.post(&format!("/api/v1/messages/{message}/remove"), &json!({})).await.status, 404);
    let seen = reports(&s.admin).await;
    assert_eq!((&seen[0]["message"]["direct"], &seen[0]["space"]), (&json!(true), &Value::Null));
    assert_eq!(s.admin.get(&format!("/api/v1/messages/{message}")).await.status, 404, "the conversation stays closed");
    assert_eq!(s.admin.post(&format!("/api/v1/reports/{}/uphold", made.id()), &json!({})).await.status, 200);
});

hub_test!(async fn messages_are_reported_and_settled_on_pages(hub) {
    let s = scene(hub).await;
    let talk = id(&room(&s.author, &s.space, "ward", false).await);
    let message = id(&say(&s.author, &talk, "A line too many.").await);
    let reader = Client::sign_in(&hub.base, "rita").await;
    let csrf = reader.page("/rooms").await.csrf();
    let menu = reader.page(&format!("/messages/{message}/menu")).await;
    let path = format!("/messages/{message}/report");
    assert!(menu.text.contains(&format!("href=\"{path}\"")), "{}", menu.text);
    let own = Client::sign_in(&hub.base, "arthur").await.page(&format!("/messages/{message}/menu")).await;
    assert!(!own.text.contains("/report\""));
    let form = reader.page(&path).await;
    assert_eq!(form.status, 200);
    check_html(&form.text);
    assert!(form.text.contains("A line too many.") && form.text.contains("Report a message"));
    let wrong = reader.form(&path, &csrf, &[("note", "kept <b>")]).await;
    assert_eq!(wrong.status, 422);
    check_html(&wrong.text);
    assert!(wrong.text.contains("kept &#60;b&#62;"), "{}", wrong.text);
    let sent = reader.form(&path, &csrf, &[("reason", "spam"), ("note", "")]).await;
    assert!(sent.status == 200 && sent.text.contains("The moderators have your report"), "{}", sent.text);

    let owner = Client::sign_in(&hub.base, "olive").await;
    let page = owner.page("/reports").await;
    check_html(&page.text);
    assert!(page.text.contains("Message by arthur Example in Room ward"), "{}", page.text);
    let report = page.text.split("action=\"/reports/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let done = owner.form(&format!("/reports/{report}"), &page.csrf(), &[("do", "remove")]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(owner.page("/reports").await.text.contains("No open reports"));
    let settled = owner.page("/reports?state=settled").await;
    check_html(&settled.text);
    assert!(settled.text.contains("Upheld") && settled.text.contains("Deleted"));
    assert!(reader.page(&format!("/s/{}/chat/ward", s.space)).await.text.contains("This message was deleted"));
});

hub_test!(async fn a_file_is_sent_by_a_form_alone(hub) {
    let s = scene(hub).await;
    let talk = id(&room(&s.author, &s.space, "ward", false).await);
    let reader = Client::sign_in(&hub.base, "rita").await;
    let address = format!("/s/{}/chat/ward", s.space);
    let csrf = reader.page(&address).await.csrf();
    let send = async |client_id: &str, body: &str, name: &str, bytes: &'static [u8]| {
        let form = Form::new()
            .text("_csrf", csrf.clone())
            .text("client_id", client_id.to_owned())
            .text("body", body.to_owned())
            .part("file", Part::bytes(bytes).file_name(name.to_owned()));
        let request = reader.request("POST", &format!("/rooms/{talk}/messages")).header("Origin", &reader.base);
        reader.send(request.header("Accept", "text/html").multipart(form)).await
    };
    let sent = send("one", "The list:", "list.txt", b"a\nb").await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let alone = send("two", "", "alone.txt", b"c").await;
    assert_eq!(alone.status, 303, "{}", alone.text);
    let plain = send("three", "No file", "", b"").await;
    assert_eq!(plain.status, 303, "{}", plain.text);
    let refused = send("four", "Kept as typed", "x.exe", b"MZ\0\x01").await;
    assert_eq!(refused.status, 415);
    check_html(&refused.text);
    assert!(refused.text.contains("Kept as typed</textarea>"), "{}", refused.text);
    let foreign = reader.request("POST", &format!("/rooms/{talk}/messages")).header("Origin", &reader.base);
    let foreign = reader.send(foreign.multipart(Form::new().text("body", "x").text("client_id", "five"))).await;
    assert_eq!(foreign.status, 403, "without the token of the page");

    let said = done(&s.author.get(&format!("/api/v1/rooms/{talk}/messages")).await);
    let bodies: Vec<&str> = said["items"].as_array().unwrap().iter().map(|one| one["body"].as_str().unwrap()).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies[0].starts_with("The list:\n\n[list.txt](/api/v1/files/"), "{bodies:?}");
    assert!(bodies[1].starts_with("[alone.txt]("));
    let link = bodies[0].split("](").nth(1).unwrap().trim_end_matches(')');
    let read = s.author.get(link).await;
    assert_eq!((read.status, read.text.as_str()), (200, "a\nb"), "whoever reads the room reads the file");
});

hub_test!(async fn files_of_profiles_and_pinned_texts_stay(hub) {
    let s = scene(hub).await;
    let picture = |id: &str| format!("![A picture](/api/v1/files/{id})");
    let mine = file(&s.author).await;
    let changed = s.author.patch("/api/v1/me", &json!({"about": picture(&mine)})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let hidden = hub.space(&s.owner, "private").await;
    let pinned = file(&s.owner).await;
    let saved = s.owner.patch(&format!("/api/v1/spaces/{hidden}"), &json!({"pinned_body": picture(&pinned)})).await;
    assert_eq!(saved.status, 200, "{}", saved.text);
    // Linking to what is somebody else's opens nothing.
    let unused = file(&s.owner).await;
    assert_eq!(s.reader.patch("/api/v1/me", &json!({"about": picture(&unused)})).await.status, 200);

    hub.clock.advance(2 * praxis_server::ports::clock::DAY);
    praxis_server::features::people::remove_unused_files(hub.state()).await.unwrap();
    hub.settle().await;
    let (author, owner, reader) = (
        Client::sign_in(&hub.base, "arthur").await,
        Client::sign_in(&hub.base, "olive").await,
        Client::sign_in(&hub.base, "rita").await,
    );
    let read = async |who: &Client, id: &str| who.get(&format!("/api/v1/files/{id}")).await.status;
    assert_eq!([read(&author, &mine).await, read(&reader, &mine).await, read(&hub.visitor(), &mine).await], [200, 200, 404]);
    assert_eq!([read(&owner, &pinned).await, read(&reader, &pinned).await], [200, 404]);
    assert_eq!([read(&owner, &unused).await, read(&reader, &unused).await], [404, 404]);
});
