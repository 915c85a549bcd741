//! Who comes into a space and how: by asking, by invitation, as an administrator; and who has to stay.

use serde_json::json;

use super::spaces::{Cast, join, leave, put, space};
use crate::support::{Client, hub_test};

hub_test!(async fn a_private_space_is_asked_and_a_moderator_answers(hub) {
    let cast = Cast::of(hub).await;
    let slug = cast.space(hub, "private").await;
    let path = format!("/api/v1/spaces/{slug}");
    let answer = cast.outsider.post(&format!("{path}/join"), &json!({"message": "I run the night clinic."})).await;
    assert_eq!((answer.status, answer.json()["state"].clone()), (202, json!("requested")));
    assert_eq!(join(&cast.outsider, &slug).await.0, 202);
    assert_eq!(cast.outsider.get(&format!("{path}/requests")).await.status, 404);
    assert_eq!(cast.member.get(&format!("{path}/requests")).await.status, 403);
    let requests = cast.moderator.get(&format!("{path}/requests")).await.json();
    let items = requests["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "asking twice is asking once");
    assert_eq!(items[0]["message"], "I run the night clinic.");
    assert_eq!(items[0]["member"]["handle"], "otto");
    let id = items[0]["id"].as_str().unwrap().to_owned();
    let answer = async |who: &Client, verb: &str| {
        who.send(who.request("POST", &format!("{path}/requests/{id}/{verb}"))).await.status
    };
    assert_eq!(answer(&cast.member, "accept").await, 403);
    assert_eq!(answer(&cast.outsider, "accept").await, 404);
    assert_eq!(answer(&cast.moderator, "accept").await, 200);
    assert_eq!(answer(&cast.owner, "accept").await, 200, "the same answer twice is one");
    assert_eq!(answer(&cast.owner, "decline").await, 409);
    assert_eq!(space(&cast.outsider, &slug).await["member_count"], 4);

    // Taken out, they may ask again, and hear no this time.
    let gone = cast.moderator.delete(&format!("{path}/members/otto")).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    assert_eq!(cast.outsider.get(&format!("{path}/members")).await.status, 404);
    assert_eq!(join(&cast.outsider, &slug).await.0, 202);
    let requests = cast.owner.get(&format!("{path}/requests")).await.json();
    let id = requests["items"][0]["id"].as_str().unwrap();
    let declined = cast.owner.send(cast.owner.request("POST", &format!("{path}/requests/{id}/decline"))).await;
    assert_eq!(declined.status, 200, "{}", declined.text);
    assert!(space(&cast.outsider, &slug).await["member_count"].is_null());

    // Giving a role to somebody who asks lets them in.
    assert_eq!(join(&cast.outsider, &slug).await.0, 202);
    assert_eq!(put(&cast.moderator, &slug, "otto", "moderator").await.0, 403);
    assert_eq!(put(&cast.moderator, &slug, "otto", "member").await.0, 200);
    assert_eq!(space(&cast.outsider, &slug).await["member_count"], 4);
});

hub_test!(async fn a_confidential_space_is_by_invitation(hub) {
    let cast = Cast::of(hub).await;
    let slug = cast.space(hub, "confidential").await;
    let absent = cast.outsider.send(cast.outsider.request("POST", "/api/v1/spaces/no-such-space/join")).await;
    let hidden = cast.outsider.send(cast.outsider.request("POST", &format!("/api/v1/spaces/{slug}/join"))).await;
    assert_eq!((hidden.status, &hidden.text), (404, &absent.text), "hidden and absent look alike");
    assert_eq!(put(&cast.member, &slug, "otto", "member").await.0, 403);
    assert_eq!(put(&cast.moderator, &slug, "nobody-here", "member").await.0, 404);
    assert_eq!(put(&cast.moderator, &slug, "otto", "owner").await.0, 403);
    assert_eq!(put(&cast.moderator, &slug, "otto", "member").await.0, 202);
    let invites = cast.outsider.get("/api/v1/me/invites").await.json();
    assert_eq!(invites["items"][0]["space"]["slug"], slug.as_str());
    assert_eq!(invites["items"][0]["invited_by"]["handle"], "moe");
    assert!(invites["items"][0]["space"]["member_count"].is_null());
    assert!(space(&cast.outsider, &slug).await["member_count"].is_null(), "the invited stand at the door");

    let declined = cast.outsider.send(cast.outsider.request("POST", &format!("/api/v1/spaces/{slug}/invites/decline"))).await;
    assert_eq!(declined.status, 200, "{}", declined.text);
    assert_eq!(join(&cast.outsider, &slug).await.0, 404);
    assert_eq!(cast.outsider.get(&format!("/api/v1/spaces/{slug}")).await.status, 404);

    assert_eq!(put(&cast.owner, &slug, "otto", "moderator").await.0, 202);
    assert_eq!(join(&cast.outsider, &slug).await.1["role"], "moderator");
    assert_eq!(cast.outsider.get("/api/v1/me/invites").await.json()["items"], json!([]));

    // An invitation is taken back.
    assert_eq!(leave(&cast.outsider, &slug).await, 200);
    assert_eq!(put(&cast.owner, &slug, "otto", "member").await.0, 202);
    assert_eq!(cast.owner.delete(&format!("/api/v1/spaces/{slug}/members/otto")).await.status, 204);
    assert_eq!(join(&cast.outsider, &slug).await.0, 404);
});

hub_test!(async fn an_administrator_enters_only_by_a_join_that_owners_are_shown(hub) {
    let cast = Cast::of(hub).await;
    for visibility in ["private", "confidential"] {
        let slug = cast.space(hub, visibility).await;
        let entries = format!("/api/v1/spaces/{slug}/entries");
        assert_eq!(cast.administrator.get(&entries).await.status, 404);
        assert_eq!(cast.owner.get(&entries).await.json()["items"], json!([]));
        assert_eq!(join(&cast.administrator, &slug).await.0, 200);
        let shown = cast.owner.get(&entries).await.json();
        assert_eq!(shown["items"].as_array().unwrap().len(), 1);
        assert_eq!(shown["items"][0]["member"]["handle"], "rhea");
        assert_eq!(cast.member.get(&entries).await.status, 403);
        assert_eq!(space(&cast.administrator, &slug).await["member_count"], 4);
    }
    let open = cast.space(hub, "open").await;
    assert_eq!(join(&cast.administrator, &open).await.0, 200);
    let shown = cast.owner.get(&format!("/api/v1/spaces/{open}/entries")).await.json();
    assert_eq!(shown["items"], json!([]), "an open space is entered by everybody");
});

hub_test!(async fn a_space_keeps_an_owner(hub) {
    let cast = Cast::of(hub).await;
    let slug = cast.space(hub, "open").await;
    let path = format!("/api/v1/spaces/{slug}/members");
    assert_eq!(leave(&cast.owner, &slug).await, 409);
    assert_eq!(cast.owner.delete(&format!("{path}/olga")).await.status, 409);
    assert_eq!(put(&cast.owner, &slug, "olga", "member").await.0, 409);
    assert_eq!(cast.administrator.delete(&format!("{path}/olga")).await.status, 409);
    assert_eq!(space(&cast.owner, &slug).await["role"], "owner");
    // Moderators run plain members only.
    assert_eq!(put(&cast.moderator, &slug, "mia", "moderator").await.0, 403);
    assert_eq!(cast.moderator.delete(&format!("{path}/olga")).await.status, 403);
    assert_eq!(cast.member.delete(&format!("{path}/moe")).await.status, 403);
    // With a second one, the first may go.
    assert_eq!(put(&cast.owner, &slug, "mia", "owner").await.0, 200);
    assert_eq!(leave(&cast.owner, &slug).await, 200);
    assert_eq!(leave(&cast.member, &slug).await, 409);
    let owners = cast.member.get(&format!("{path}?role=owner")).await.json();
    assert_eq!(owners["items"].as_array().unwrap().len(), 1);
    assert_eq!(owners["items"][0]["handle"], "mia");
    assert_eq!(cast.member.get(&format!("{path}?role=king")).await.status, 422);
});
