//! What happens on one node arrives on the other: at once by the bus, within two seconds by the
//! log, and in the same order.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::features::chat::{room, say};
use crate::support::nodes::{Nodes, Through, on_two_nodes, through_redis, until};
use crate::support::stage::{done, id};
use crate::support::{Client, Socket};

/// What the log alone may take: a comparison twice a second, and a busy machine.
const BY_THE_LOG: Duration = Duration::from_secs(2);

/// A room in an open space: its id and its stream.
async fn open_room(nodes: &Nodes, who: &Client) -> (String, String) {
    let space = nodes.first.space(who, "open").await;
    let made = room(who, &space, "talk", false).await;
    (id(&made), made["stream"].as_str().unwrap().to_owned())
}

/// The seqs and texts of messages.
fn texts(events: &[Value]) -> Vec<(i64, String)> {
    let of = |event: &Value| (event["seq"].as_i64().unwrap(), event["data"]["body"].as_str().unwrap_or("").to_owned());
    events.iter().map(of).collect()
}

#[test]
fn messages_of_both_nodes_reach_readers_of_both_in_one_order() {
    on_two_nodes("messages cross", async |nodes, through| {
        let (ada, bob) = (nodes.first.member("ada").await, nodes.first.member("bob").await);
        let (room, stream) = open_room(nodes, &ada).await;
        let (ada_there, bob_there) = (nodes.there(&ada), nodes.there(&bob));
        let (mut here, mut there) = (Socket::open(&bob).await, Socket::open(&bob_there).await);
        here.subscribe(&stream, Some(0), None).await;
        there.subscribe(&stream, Some(0), None).await;
        let before = nodes.states().map(|state| state.relay.from_log());
        for number in 0..20 {
            say(if number % 2 == 0 { &ada } else { &ada_there }, &room, &format!("number {number}")).await;
        }
        let expected: Vec<(i64, String)> = (0..20).map(|number| (number + 1, format!("number {number}"))).collect();
        assert_eq!(texts(&here.events(20).await), expected);
        assert_eq!(texts(&there.events(20).await), expected);
        if matches!(through, Through::Redis(_)) {
            let found = nodes.states().map(|state| state.relay.from_log());
            assert!(found.iter().zip(before).all(|(now, before)| now - before < 20), "the bus was faster than the log");
            let figures = nodes.states().map(|state| state.bus.figures().unwrap());
            assert!(figures.iter().all(|figures| figures.sent > 0 && figures.received > 0), "{figures:?}");
        }
    });
}

#[test]
fn an_event_that_no_row_tells_anew_crosses_as_the_log_has_it() {
    on_two_nodes("kinds cross", async |nodes, _| {
        let ada = nodes.first.member("ada").await;
        let (room, stream) = open_room(nodes, &ada).await;
        let mut there = Socket::open(&nodes.there(&ada)).await;
        there.subscribe(&stream, Some(0), None).await;
        let said = say(&ada, &room, "*one*").await;
        let at = format!("/api/v1/messages/{}", id(&said));
        assert_eq!(ada.put(&format!("{at}/reactions/%F0%9F%8E%89")).await.status, 204);
        assert_eq!(ada.patch(&at, &json!({"body": "two"})).await.status, 200);
        assert_eq!(ada.delete(&at).await.status, 204);
        let live = there.events(4).await;
        let mut late = Socket::open(&ada).await;
        late.subscribe(&stream, Some(0), None).await;
        let replayed = late.events(4).await;
        let kinds = |events: &[Value]| events.iter().map(|event| event["event"].clone()).collect::<Vec<_>>();
        assert_eq!(kinds(&live), ["message.posted", "reaction.added", "message.edited", "message.deleted"]);
        assert_eq!(kinds(&live), kinds(&replayed));
        assert_eq!(live[1]["data"]["emoji"], replayed[1]["data"]["emoji"]);
        assert_eq!(live[3], replayed[3]);
    });
}

#[test]
fn who_signs_out_or_is_suspended_is_out_on_every_node() {
    on_two_nodes("sessions cross", async |nodes, through| {
        let (ada, bob, eve) =
            (nodes.first.member("ada").await, nodes.first.member("bob").await, nodes.first.member("eve").await);
        let (bob_there, eve_there) = (nodes.there(&bob), nodes.there(&eve));
        let (mut bobs, mut eves) = (Socket::open(&bob_there).await, Socket::open(&eve_there).await);
        // Both are in the other node's memory now.
        assert_eq!(bob_there.get("/api/v1/me").await.status, 200);
        assert_eq!(eve_there.get("/api/v1/me").await.status, 200);
        let started = Instant::now();
        assert_eq!(bob.post("/api/v1/auth/logout", &json!({})).await.status, 204);
        assert_eq!(ada.post("/api/v1/members/eve/suspend", &json!({"reason": "A test."})).await.status, 204);
        assert_eq!(bobs.closed().await, json!({"type": "close", "code": 4401}));
        assert_eq!(eves.closed().await, json!({"type": "close", "code": 4403}));
        assert!(started.elapsed() < BY_THE_LOG + Duration::from_secs(1), "{:?} through {through:?}", started.elapsed());
        assert_eq!(bob_there.get("/api/v1/me").await.status, 401);
        assert_eq!(eve_there.get("/api/v1/me").await.status, 401);
    });
}

#[test]
fn who_is_taken_out_of_a_private_room_reads_no_more_of_it_anywhere() {
    on_two_nodes("membership crosses", async |nodes, _| {
        let (ada, bob) = (nodes.first.member("ada").await, nodes.first.member("bob").await);
        let space = nodes.first.space(&ada, "open").await;
        assert!(bob.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await.status < 300);
        let made = room(&ada, &space, "closed", true).await;
        let (room, stream) = (id(&made), made["stream"].as_str().unwrap().to_owned());
        let member = format!("/api/v1/rooms/{room}/members/bob");
        assert!(ada.put(&member).await.status < 300);
        let mut there = Socket::open(&nodes.there(&bob)).await;
        assert_eq!(there.subscribe(&stream, Some(0), None).await["type"], "subscribed");
        say(&ada, &room, "for both").await;
        until_text(&mut there, "for both").await;
        assert!(ada.delete(&member).await.status < 300);
        let ended = loop {
            let frame = there.next_lasting().await;
            if frame["type"] == "unsubscribed" {
                break frame;
            }
        };
        assert_eq!((&ended["stream"], &ended["code"]), (&json!(stream), &json!("forbidden")));
        assert_eq!(nodes.there(&bob).get(&format!("/api/v1/rooms/{room}/messages")).await.status, 404);
    });
}

/// Reads events until one has this text.
async fn until_text(socket: &mut Socket, text: &str) {
    while socket.events(1).await.iter().all(|event| event["data"]["body"] != text) {}
}

#[test]
fn what_every_page_shows_changes_on_every_node() {
    on_two_nodes("pages cross", async |nodes, through| {
        let ada = nodes.first.member("ada").await;
        let space = nodes.first.space(&ada, "open").await;
        let there = Client::new(&nodes.second_base);
        let page = format!("/s/{space}");
        assert!(there.page(&page).await.text.contains(&format!("Space {space}")));
        let started = Instant::now();
        assert_eq!(ada.patch(&format!("/api/v1/spaces/{space}"), &json!({"name": "Renamed here"})).await.status, 200);
        until("the other node shows the new name", async || there.page(&page).await.text.contains("Renamed here"))
            .await;
        assert!(started.elapsed() < BY_THE_LOG + Duration::from_secs(2), "{:?} through {through:?}", started.elapsed());
        let topic = nodes.first.topic(&ada, &space, "Is it there?").await;
        let address = format!("/s/{space}/t/{}", topic["id"].as_str().unwrap());
        assert_eq!(there.page(&address).await.status, 200);
        nodes.first.reply(&ada, topic["id"].as_str().unwrap(), None, "An answer from here.").await;
        until("the kept page falls", async || there.page(&address).await.text.contains("An answer from here.")).await;
    });
}

#[test]
fn who_is_there_who_types_and_which_rooms_have_news_crosses() {
    through_redis("presence crosses", &[], async |nodes, _| {
        let (ada, bob) = (nodes.first.member("ada").await, nodes.first.member("bob").await);
        let (room, stream) = open_room(nodes, &ada).await;
        let bob_there = nodes.there(&bob);
        let (mut here, mut there) = (Socket::open(&ada).await, Socket::open(&bob_there).await);
        here.subscribe(&stream, None, None).await;
        there.subscribe(&stream, None, None).await;
        online(&mut here, &["ada", "bob"]).await;
        online(&mut there, &["ada", "bob"]).await;
        there.send(&json!({"type": "typing", "room": room})).await;
        assert_eq!(here.next_of("typing").await["member"]["handle"], "bob");
        let hidden = bob.request("PUT", "/api/v1/me/availability").json(&json!({"availability": "do_not_disturb"}));
        assert_eq!(bob.send(hidden).await.status, 204);
        // Whoever changed it did so on the first node; the second one's readers see it too.
        loop {
            let presence = there.next_of("presence").await;
            if presence["online"][1]["availability"] == "do_not_disturb" {
                break;
            }
        }
        // Bob follows the room from the first node on; his socket on the second hears of its news.
        let own = format!("member:{}", done(&bob.get("/api/v1/me").await)["id"].as_str().unwrap());
        let mut bell = Socket::open(&bob_there).await;
        bell.subscribe(&own, None, None).await;
        say(&bob, &room, "I follow from now on").await;
        let news = async {
            for number in 0.. {
                say(&ada, &room, &format!("news {number}")).await;
                let rung = tokio::time::timeout(Duration::from_millis(1500), bell.next_of("activity")).await;
                if rung.is_ok_and(|rung| rung["room"] == json!(room)) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), news).await.expect("the other node's bell rings");
        drop((there, bell));
        online(&mut here, &["ada"]).await;
    });
}

/// Reads until these are there, and nobody else.
async fn online(socket: &mut Socket, handles: &[&str]) {
    loop {
        let presence = socket.next_of("presence").await;
        let there: Vec<&str> =
            presence["online"].as_array().unwrap().iter().map(|one| one["handle"].as_str().unwrap()).collect();
        if there == handles {
            return;
        }
    }
}

#[test]
fn readiness_and_figures_say_how_the_bus_is() {
    on_two_nodes("bus state", async |nodes, through| {
        let there = Client::new(&nodes.second_base);
        for client in [&nodes.first.visitor(), &there] {
            let ready = client.get("/readyz").await;
            assert_eq!(ready.status, 200);
            let bus = ready.json()["components"]["bus"].clone();
            let figures = client.get("/metrics").await.text;
            match through {
                Through::Log => {
                    assert_eq!(bus, json!({"state": "memory"}));
                    assert!(!figures.contains("praxis_bus_connected"));
                }
                Through::Redis(_) => {
                    assert_eq!(bus, json!({"state": "connected", "others": 1}));
                    assert!(figures.contains("praxis_bus_connected 1\n"), "{figures}");
                }
            }
            assert!(figures.contains("praxis_database_up 1\n"));
        }
    });
}
