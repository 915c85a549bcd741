//! Writing a case study together: two in one part, and what each sees of the others.

use serde_json::json;

use super::playbooks::{at, notices, playbook, published, put, step, study};
use crate::support::stage::{done, id};
use crate::support::{Client, Socket, hub_test};

hub_test!(async fn two_who_write_the_same_part_lose_nothing(hub) {
    let (_rhea, ada, bea, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bea").await, hub.member("eve").await);
    playbook(&eve, "reads", None).await;
    let slug = study(&ada, "Together", "reads").await;
    let (path, part) = (at(&slug), format!("{}/parts/challenge", at(&slug)));
    assert_eq!(bea.get(&path).await.status, 404);
    assert_eq!(put(&ada, &format!("{path}/authors/bea"), &json!({})).await.status, 204);
    hub.settle().await;
    assert_eq!(notices(&bea).await, [format!("study_shared /case-studies/{slug}/edit")]);
    let read = bea.get(&part).await;
    assert_eq!((read.status, read.header("etag"), &read.json()["version"]), (200, "\"v1\"", &json!(1)));
    // Both begin from version 1; drafts are each one's own.
    let typed = json!({"body": "Bea types", "base_version": 1});
    assert_eq!(done(&put(&bea, &format!("{part}/draft"), &typed).await)["behind"], false);
    assert_eq!(ada.get(&format!("{part}/draft")).await.status, 404);
    let save = |who: &Client, body: &str, tag: &str| who.request("PATCH", &part).header("If-Match", tag).json(&json!({"body": body}));
    let first = ada.send(save(&ada, "Ada's text.", "\"v1\"")).await;
    assert_eq!((first.status, first.header("etag")), (200, "\"v2\""), "{}", first.text);
    assert_eq!(done(&bea.get(&format!("{part}/draft")).await)["behind"], true, "she can see it before she saves");
    let second = bea.send(save(&bea, "Bea's text.", "\"v1\"")).await;
    assert_eq!((second.status, second.header("content-type"), second.header("etag")), (412, "application/problem+json", "\"v2\""));
    let answer = second.json();
    assert_eq!((&answer["status"], &answer["current"]["body"], &answer["current"]["updated_by"]), (&json!(412), &json!("Ada's text."), &json!("ada")));
    let kept = done(&bea.get(&format!("{part}/draft")).await);
    assert_eq!((&kept["body"], &kept["base_version"], &kept["behind"]), (&json!("Bea's text."), &json!(1), &json!(true)), "what she sent is not lost");
    assert_eq!(done(&bea.get(&format!("{path}/drafts")).await)["items"].as_array().unwrap().len(), 1);
    let merged = bea.send(save(&bea, "Ada's text. Bea's text.", "\"v2\"")).await;
    assert_eq!(merged.status, 200);
    assert_eq!(bea.get(&format!("{part}/draft")).await.status, 404, "saved: the draft is done with");
    for tag in ["\"nonsense\"", "W/\"v3\"", "\"v99\""] {
        assert_eq!(bea.send(save(&bea, "x", tag)).await.status, 412, "{tag}");
    }
    // The others' words are in the history.
    let saved = done(&ada.get(&format!("{part}/revisions")).await);
    let texts: Vec<&str> = saved["items"].as_array().unwrap().iter().map(|of| of["body"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Ada's text. Bea's text.", "Ada's text.", "It was *slow*."]);
    // A study keeps an author.
    assert_eq!(ada.delete(&format!("{path}/authors/ada")).await.status, 204);
    assert_eq!(bea.delete(&format!("{path}/authors/bea")).await.status, 409);
    assert_eq!(ada.get(&path).await.status, 404);
    hub.settle().await;
});

hub_test!(async fn writers_see_each_other_and_what_happens(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let slug = published(&ada, &bob, "Live", "reads").await;
    hub.settle().await;
    let view = done(&ada.get(&at(&slug)).await);
    let (stream, head) = (view["stream"].as_str().unwrap().to_owned(), view["head"].as_i64().unwrap());
    let (mut hers, mut his, mut readers) = (Socket::open(&ada).await, Socket::open(&bob).await, Socket::open(&eve).await);
    assert_eq!(readers.subscribe(&stream, None, None).await["code"], "forbidden", "readers see what is published, not the writing");
    assert_eq!(hers.subscribe(&stream, None, None).await["type"], "subscribed");
    assert_eq!(his.subscribe(&stream, None, None).await["type"], "subscribed");
    let there = loop {
        let frame = hers.next_of("presence").await;
        if frame["online"].as_array().unwrap().len() == 2 {
            break frame;
        }
    };
    assert_eq!((&there["stream"], &there["online"][0]["handle"]), (&json!(stream), &json!("ada")));
    done(&ada.patch(&format!("{}/parts/aim", at(&slug)), &json!({"body": "To be *fast*."})).await);
    let comment = done(&bob.post(&format!("{}/comments", at(&slug)), &json!({"part": "aim", "body": "How **fast**?", "quote": "fast"})).await);
    let reply = json!({"part": "aim", "body": "Very.", "parent_id": id(&comment)});
    done(&ada.post(&format!("{}/comments", at(&slug)), &reply).await);
    done(&put(&ada, &format!("{}/comments/{}/resolved", at(&slug), id(&comment)), &json!({})).await);
    done(&step(&ada, &slug, "submit", &json!({})).await);
    let events = his.events(6).await;
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["state.changed", "part.edited", "comment.created", "comment.created", "comment.changed", "state.changed"]);
    let seqs: Vec<i64> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (head + 1..=head + 6).collect::<Vec<_>>());
    // A replay tells of the same, as it now is.
    let mut again = Socket::open(&bob).await;
    assert_eq!(again.subscribe(&stream, Some(head), view["epoch"].as_str()).await["type"], "subscribed");
    let replayed = again.events(6).await;
    for (live, replay) in events.iter().zip(&replayed) {
        assert_eq!((&live["seq"], &live["event"]), (&replay["seq"], &replay["event"]));
    }
    let of = |at: usize, field: &str| replayed[at]["data"][field].clone();
    assert_eq!((of(0, "state"), of(5, "state")), (json!("submitted"), json!("submitted")));
    assert_eq!((of(1, "key"), of(1, "body"), of(1, "version")), (json!("aim"), json!("To be *fast*."), json!(1)));
    assert_eq!((of(2, "body"), of(2, "resolved")), (json!("How **fast**?"), json!(true)));
    assert_eq!(of(3, "parent_id"), json!(id(&comment)));
    let listed = done(&ada.get(&format!("{}/comments?part=aim", at(&slug))).await);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(done(&ada.get(&format!("{}/comments?open=true", at(&slug))).await)["items"], json!([]));
    assert_eq!(eve.get(&format!("{}/comments", at(&slug))).await.status, 403);
    assert_eq!(ada.patch(&format!("{}/comments/{}", at(&slug), id(&comment)), &json!({"body": "x"})).await.status, 403);
    done(&ada.post(&format!("{}/comments", at(&slug)), &reply).await);
    assert_eq!(done(&ada.get(&at(&slug)).await)["open_comments"], 1, "a reply opens it again");
    assert_eq!(bob.delete(&format!("{}/comments/{}", at(&slug), id(&comment))).await.status, 204);
    let stub = done(&ada.get(&format!("{}/comments", at(&slug))).await);
    assert_eq!((&stub["items"][0]["deleted"], &stub["items"][0]["body"]), (&json!(true), &json!("")));
    // Whoever writes no longer reads the stream.
    assert_eq!(put(&ada, &format!("{}/authors/eve", at(&slug)), &json!({"role": "author"})).await.status, 204);
    assert_eq!(readers.subscribe(&stream, None, None).await["type"], "subscribed");
    assert_eq!(ada.delete(&format!("{}/authors/eve", at(&slug))).await.status, 204);
    let cut = readers.next_of("unsubscribed").await;
    assert_eq!((&cut["stream"], &cut["code"]), (&json!(stream), &json!("forbidden")));
    hub.settle().await;
});

hub_test!(async fn who_changed_the_title_or_the_terms_wrote_the_study(hub) {
    let (rhea, ada, bob, cleo) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("cleo").await);
    playbook(&bob, "reads", None).await;
    done(&put(&bob, "/api/v1/playbooks/reads/people/cleo", &json!({"role": "reviewer"})).await);
    let slug = published(&ada, &rhea, "Ours", "reads").await;
    let path = at(&slug);
    let changes = [(&bob, "bob", json!({"title": "Bob's words"})), (&cleo, "cleo", json!({"terms": {"technology": ["Cleo's network"]}}))];
    for (who, handle, change) in &changes {
        done(&put(&ada, &format!("{path}/authors/{handle}"), &json!({"role": "author"})).await);
        let before = ada.get(&path).await.header("etag").to_owned();
        done(&who.patch(&path, change).await);
        let now = ada.get(&path).await;
        assert_ne!(now.header("etag"), before, "{handle}");
        assert_eq!(now.json()["state"], "revised", "{handle}");
        // Written again as it is, nothing was written.
        let before = now.header("etag").to_owned();
        done(&who.patch(&path, change).await);
        assert_eq!(ada.get(&path).await.header("etag"), before, "{handle}");
        done(&who.delete(&format!("{path}/authors/{handle}")).await);
    }
    done(&step(&ada, &slug, "submit", &json!({})).await);
    for (who, handle, _) in &changes {
        assert_eq!(step(who, &slug, "publish", &json!({})).await.status, 403, "{handle}");
        assert_eq!(done(&who.get(&path).await)["may"]["review"], json!(false), "{handle}");
        assert_eq!(put(who, &format!("{path}/endorsement"), &json!({"reason": "Mine"})).await.status, 403, "{handle}");
    }
    done(&step(&rhea, &slug, "publish", &json!({})).await);
    assert_eq!(done(&hub.visitor().get(&path).await)["title"], "Bob's words");
    hub.settle().await;
});
