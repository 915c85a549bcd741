//! No hit, no count and no word of what somebody may not see: random spaces, roles, rooms and
//! withdrawals, and what search says compared with what the pages of the things themselves say.

use serde_json::{Value, json};

use super::chat::{room, say};
use super::search::{search, settle};
use crate::support::stage::id;
use crate::support::{Client, search_test};

/// Something with a word that nothing else has.
struct Thing {
    word: String,
    /// Answers 200 to those who may see it.
    at: String,
    space: String,
}

/// A word of letters alone that is two faults and more from every other.
fn word_of(number: usize) -> String {
    let letters = [b'b', b'd', b'f', b'g', b'k', b'l', b'm', b'p'];
    let (first, second) = (letters[number % 8] as char, letters[number / 8 % 8] as char);
    format!("zu{first}{first}{first}o{second}{second}{second}ex")
}

async fn check(viewers: &[Client], things: &[Thing], when: &str) {
    for viewer in viewers {
        let mut seen = Vec::new();
        for thing in things {
            seen.push(viewer.get(&thing.at).await.status == 200);
        }
        for (thing, visible) in things.iter().zip(&seen) {
            let told = format!("{when}: {} asks for {} in {}", viewer.handle, thing.word, thing.space);
            let found = search(viewer, &[("q", &thing.word)]).await;
            let count = i64::from(*visible);
            assert_eq!(found["total"], count, "{told}: {found}");
            assert_eq!(found["items"].as_array().unwrap().len(), usize::from(*visible), "{told}");
            let counted: i64 = found["facets"]["kind"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
            assert_eq!(counted, count, "{told}: {found}");
            if !visible {
                let none = json!({
                    "kind": {}, "space": {}, "tag": {}, "author": {}, "pathway": {}, "setting": {}, "technique": {},
                    "data_type": {}, "stage": {}, "country": {}, "organisation": {}, "technology": {},
                });
                assert_eq!(found["facets"], none, "{told}");
                assert_eq!(found["did_you_mean"], Value::Null, "{told}");
            }
            // A fault in the word: it is only put right for who may see the word.
            let faulty = format!("{}a ", &thing.word[..thing.word.len() - 1]);
            let found = search(viewer, &[("q", &faulty)]).await;
            assert_eq!(found["did_you_mean"].as_str() == Some(&thing.word), *visible, "{told}: {found}");
            assert_eq!(found["total"], count, "{told}, with a fault");
            let beginning = search(viewer, &[("q", &thing.word[..7])]).await;
            let expected =
                things.iter().zip(&seen).filter(|(of, seen)| **seen && of.word.starts_with(&thing.word[..7])).count();
            assert_eq!(beginning["total"], expected, "{told}, its beginning: {beginning}");
            let suggested = viewer.get(&format!("/api/v1/search/suggest?q={}", thing.word)).await.json();
            assert!(*visible || suggested["items"] == json!([]), "{told}: {suggested}");
            let page = viewer.page(&format!("/search?q={}", thing.word)).await;
            assert_eq!(page.text.contains("<mark>"), *visible, "{told}, on the page");
        }
        // Everything at once: totals and facets are those of what is visible.
        let all = search(viewer, &[("q", "corncrake"), ("limit", "100")]).await;
        let visible = seen.iter().filter(|seen| **seen).count();
        assert_eq!(all["total"], visible, "{when}: {} of all", viewer.handle);
        let counted: i64 = all["facets"]["kind"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
        assert_eq!(usize::try_from(counted).unwrap(), visible, "{when}");
    }
}

search_test!(async fn nothing_leaks(hub) {
    let rhea = hub.member("rhea").await;
    let mut members = Vec::new();
    for handle in ["ann", "ben", "cal"] {
        members.push(hub.member(handle).await);
    }
    let mut seed = u64::try_from(hub.clock.now()).unwrap();
    println!("seed {seed}");
    let mut chance = |of: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % of
    };
    let (mut things, mut inside) = (Vec::new(), Vec::new());
    for number in 0..4usize {
        let visibility = ["open", "restricted", "private", "confidential"][number];
        let owner = &members[usize::try_from(chance(3)).unwrap()];
        let slug = hub.space(owner, visibility).await;
        for member in &members {
            if member.handle != owner.handle && chance(2) == 0 {
                let put = owner.request("PUT", &format!("/api/v1/spaces/{slug}/members/{}", member.handle));
                owner.send(put.json(&json!({"role": "member"}))).await;
                let joined = member.post(&format!("/api/v1/spaces/{slug}/join"), &json!({})).await;
                assert!(joined.status < 400, "{}", joined.text);
                inside.push((owner.handle.clone(), member.handle.clone(), slug.clone()));
            }
        }
        let word = word_of(things.len());
        let title = format!("corncrake {word}");
        let topic = hub.topic(owner, &slug, &title).await;
        things.push(Thing { word, at: format!("/api/v1/topics/{}", id(&topic)), space: format!("{visibility} {slug}") });
        let word = word_of(things.len());
        let reply = hub.reply(owner, &id(&topic), None, &format!("corncrake {word}")).await;
        things.push(Thing { word, at: format!("/api/v1/posts/{}", id(&reply)), space: format!("{visibility} {slug}") });
        for private in [false, true] {
            let chat = room(owner, &slug, if private { "secret" } else { "talk" }, private).await;
            if private && chance(2) == 0 {
                for member in &members {
                    owner.put(&format!("/api/v1/rooms/{}/members/{}", id(&chat), member.handle)).await;
                }
            }
            let word = word_of(things.len());
            let said = say(owner, &id(&chat), &format!("corncrake {word}")).await;
            things.push(Thing { word, at: format!("/api/v1/messages/{}", id(&said)), space: format!("room of {visibility} {slug}") });
        }
    }
    let direct = members[0].post("/api/v1/direct", &json!({"handles": ["ben"]})).await;
    let word = word_of(things.len());
    let said = say(&members[0], &direct.id(), &format!("corncrake {word}")).await;
    things.push(Thing { word, at: format!("/api/v1/messages/{}", id(&said)), space: "direct".into() });
    settle(hub).await;
    let mut viewers = vec![hub.visitor(), rhea];
    viewers.append(&mut members);
    check(&viewers, &things, "at first").await;
    // Withdrawn one by one, and nobody waits for the index: what counts are the rows.
    for (owner, member, slug) in inside {
        let owner = viewers.iter().find(|of| of.handle == owner).unwrap();
        let gone = owner.delete(&format!("/api/v1/spaces/{slug}/members/{member}")).await;
        assert!(matches!(gone.status, 200 | 204 | 404), "{}", gone.text);
    }
    check(&viewers, &things, "after withdrawals").await;
});

search_test!(async fn a_room_that_becomes_private_takes_its_messages_along(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let chat = room(&ada, &space, "talk", false).await;
    say(&ada, &id(&chat), "a wheatear on the roof").await;
    let at = format!("/api/v1/rooms/{}", id(&chat));
    let answers = async |who: &Client, when: &str, count: i64| {
        settle(hub).await;
        let found = search(who, &[("q", "wheatear")]).await;
        assert_eq!(found["total"], count, "{when}: {found}");
        let counted = if count > 0 { json!({"message": count}) } else { json!({}) };
        assert_eq!(found["facets"]["kind"], counted, "{when}");
        let faulty = search(who, &[("q", "wheateer ")]).await;
        assert_eq!(faulty["did_you_mean"].as_str(), (count > 0).then_some("wheatear"), "{when}: {faulty}");
        assert_eq!(faulty["total"], count, "{when}");
    };
    answers(&bob, "while it is open", 1).await;
    for (private, count) in [(true, 0), (false, 1), (true, 0)] {
        let changed = ada.patch(&at, &json!({"private": private})).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        answers(&bob, if private { "private" } else { "open again" }, count).await;
        answers(&ada, "for who made it", 1).await;
    }
    // Another address: the way to a hit is the new one.
    assert_eq!(ada.patch(&at, &json!({"slug": "elsewhere"})).await.status, 200);
    settle(hub).await;
    let found = search(&ada, &[("q", "wheatear")]).await;
    assert!(found["items"][0]["url"].as_str().unwrap().starts_with(&format!("/s/{space}/chat/elsewhere?at=")), "{found}");
});

search_test!(async fn what_is_open_tells_nothing_of_a_confidential_space(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "confidential").await;
    let body = json!({"slug": "auks", "title": "Razorbill", "pathway": "Radiology", "summary": "What worked.",
        "visibility": "open", "space": space});
    let made = ada.post("/api/v1/playbooks", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    settle(hub).await;
    for (who, knows) in [(&ada, true), (&bob, false), (&hub.visitor(), false)] {
        let shown = if knows { json!(space) } else { Value::Null };
        let found = search(who, &[("q", "razorbill")]).await;
        assert_eq!((&found["total"], &found["items"][0]["space"]), (&json!(1), &shown), "{found}");
        let suggested = who.get("/api/v1/search/suggest?q=razor").await.json();
        assert_eq!(suggested["items"][0]["space"], shown, "{suggested}");
        let page = who.page("/search?q=razorbill").await.text;
        for text in [found.to_string(), suggested.to_string(), page] {
            assert_eq!(text.contains(&*space), knows, "{}: {text}", who.handle);
        }
    }
});
