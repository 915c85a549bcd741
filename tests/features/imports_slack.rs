//! Slack exports: a small one of our own, with every oddity that real ones have.

use std::collections::BTreeMap;
use std::path::PathBuf;

use praxis_server::entities::kinds::{MemberState, RoomKind};
use praxis_server::entities::{event, member, message, message_reaction, room, room_member};
use praxis_server::features::imports::Report;
use praxis_server::features::imports::slack::{Options, import};
use praxis_server::ports::clock::parse_rfc3339;
use praxis_server::streams::{Stream, log_head};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use crate::support::program::{Folder, run as program};
use crate::support::{TestHub, hub_test};

const USERS: &str = r#"[
  {"id": "U01", "team_id": "T9", "name": "olaf", "deleted": false, "profile": {"real_name": "Ólaf Crumb", "email": "olaf@example.org"}},
  {"id": "U02", "team_id": "T9", "name": "mara", "deleted": true, "real_name": "Mara Crust", "profile": {}},
  {"name": "has no id"}
]"#;

const CHANNELS: &str = r##"[
  {"id": "C01", "name": "sourdough", "created": 1546300800, "creator": "U01", "is_archived": false, "members": ["U01", "U02"],
   "topic": {"value": "Rye this week"}, "purpose": {"value": "Everything &amp; nothing about starters"},
   "pins": [{"id": "1551434400.000100", "created": 1551440000, "user": "U02"}]},
  {"id": "C02", "name": "old_ovens", "created": "1546300801", "creator": "U77", "is_archived": true, "members": []}
]"##;

const GROUPS: &str =
    r#"[{"id": "G01", "name": "bakers-only", "created": 1546300802, "creator": "U02", "members": ["U02", "U03"]}]"#;

const FIRST: &str = r##"[
  {"type": "message", "user": "U02", "text": "It *needs* <https://flour.example/a_b?x=1&amp;y=2|better flour>, <@U01>.", "ts": "1551434460.000200",
   "thread_ts": "1551434400.000100", "edited": {"user": "U02", "ts": "1551434500.000000"}},
  {"type": "message", "user": "U01", "text": "Why does my _starter_ sink? :tada:", "ts": "1551434400.000100", "thread_ts": "1551434400.000100", "reply_count": 2,
   "reactions": [{"name": "+1", "users": ["U02", "U02", "U55"], "count": 2}, {"name": "our_logo", "users": ["U02"], "count": 1}, {"name": "thumbsup", "users": ["U01"], "count": 1}]},
  {"type": "message", "subtype": "channel_join", "user": "U02", "text": "<@U02> has joined the channel", "ts": "1551434399.000000"},
  {"type": "message", "subtype": "bot_message", "username": "oven watch", "bot_id": "B1", "text": "", "attachments": [{"title": "Oven 3", "title_link": "https://ovens.example/3", "text": "is at 230 &lt;hot&gt;"}], "ts": "1551434470.000000"},
  {"type": "message", "user": "U01", "text": "no time", "ts": "yesterday"},
  ["not a message"]
]"##;

const SECOND: &str = r##"[
  {"type": "message", "user": "U55", "user_profile": {"real_name": "Nia New"}, "text": "See <#C02|old_ovens>", "ts": "1551520800.000000",
   "files": [{"id": "F1", "name": "crumb.jpg", "title": "My [crumb]", "permalink": "https://files.example/crumb.jpg"}]},
  {"type": "message", "subtype": "thread_broadcast", "user": "U66", "text": "Feed it twice.", "ts": "1551520860.000000", "thread_ts": "1551434400.000100"},
  {"type": "message", "user": "U01", "text": "Its beginning is gone.", "ts": "1551520900.000000", "thread_ts": "1500000000.000000"}
]"##;

/// An export in a folder of its own below the hub's data.
fn export(hub: &TestHub) -> PathBuf {
    let folder = hub.data_dir.join("export");
    for (name, text) in [
        ("users.json", USERS),
        ("channels.json", CHANNELS),
        ("groups.json", GROUPS),
        ("dms.json", r#"[{"id": "D01", "members": ["U01", "U02"]}]"#),
        ("sourdough/2019-03-01.json", FIRST),
        ("sourdough/2019-03-02.json", SECOND),
        ("sourdough/2019-03-03.json", "[{\"ts\": \"1551600000.000000\""),
        ("bakers-only/2019-03-01.json", r#"[{"user": "U03", "text": "Between us.", "ts": "1551434400.000000"}]"#),
    ] {
        put(&folder.join(name), text);
    }
    folder
}

fn put(path: &std::path::Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

async fn run(hub: &TestHub, folder: &std::path::Path) -> Report {
    let options = Options { folder: folder.to_owned(), space: "bakers".into(), owner: None, quiet: true };
    import(hub.state(), &options).await.unwrap()
}

async fn rooms(hub: &TestHub) -> Vec<room::Model> {
    room::Entity::find().order_by_asc(room::Column::CreatedAt).all(hub.state().store.read()).await.unwrap()
}

async fn messages(hub: &TestHub, room: &room::Model) -> Vec<message::Model> {
    message::Entity::find()
        .filter(message::Column::RoomId.eq(room.id))
        .order_by_asc(message::Column::Seq)
        .all(hub.state().store.read())
        .await
        .unwrap()
}

async fn people(hub: &TestHub) -> BTreeMap<i64, member::Model> {
    let all = member::Entity::find().all(hub.state().store.read()).await.unwrap();
    all.into_iter().map(|member| (member.id, member)).collect()
}

hub_test!(async fn channels_become_rooms_with_their_messages(hub) {
    hub.member("ada").await;
    let report = run(hub, &export(hub)).await;
    assert_eq!((report.rooms, report.messages, report.reactions), (3, 7, 3));
    assert_eq!((report.skipped, report.unknown, report.direct), (1, 1, 1));
    // A person without an id, a ts that is no time, a row that is a list, a file that does not end.
    assert_eq!(report.broken, 4);
    let who = people(hub).await;
    let imported = who.values().filter(|member| member.state == MemberState::Unclaimed);
    let mut made: Vec<_> = imported.map(|member| (member.handle.as_str(), member.display_name.as_str())).collect();
    made.sort_unstable();
    assert_eq!(made, [
        ("former-member-u03-u03", "Former member U03"),
        ("former-member-u66-u66", "Former member U66"),
        ("former-member-u77-u77", "Former member U77"),
        ("laf-crumb-u01", "Ólaf Crumb"),
        ("mara-crust-u02", "Mara Crust"),
        ("nia-new-u55", "Nia New"),
        ("oven-watch-former", "oven watch"),
    ]);
    assert_eq!(report.members, 7);

    let rooms = rooms(hub).await;
    let [bread, ovens, private] = rooms.as_slice() else { panic!("{rooms:?}") };
    assert_eq!((bread.slug.as_deref(), bread.kind, bread.archived_at), (Some("sourdough"), RoomKind::Open, None));
    assert_eq!(bread.purpose, "Everything & nothing about starters · Rye this week");
    assert_eq!((ovens.slug.as_deref(), ovens.archived_at.is_some()), (Some("old_ovens"), true));
    assert_eq!((private.kind, private.message_count), (RoomKind::Private, 1));
    let db = hub.state().store.read();
    let told = event::Entity::find().filter(event::Column::Kind.eq("room.created")).count(db).await.unwrap();
    assert_eq!(told, 2, "who reads the space hears of its open rooms alone");
    let inside = room_member::Entity::find().filter(room_member::Column::RoomId.eq(private.id)).count(db).await.unwrap();
    assert_eq!(inside, 2);

    let said = messages(hub, bread).await;
    let told: Vec<(i64, i64, &str, &str)> = said
        .iter()
        .map(|of| (of.seq, of.number, who[&of.author_id].display_name.as_str(), of.body.as_str()))
        .collect();
    assert_eq!(told, [
        (1, 1, "Ólaf Crumb", "Why does my _starter_ sink? 🎉"),
        (2, 2, "Mara Crust", "It **needs** [better flour](<https://flour.example/a_b?x=1&y=2>), @Ólaf Crumb."),
        (3, 3, "oven watch", "[Oven 3](<https://ovens.example/3>)\nis at 230 &lt;hot>"),
        (4, 4, "Nia New", "See [#old\\_ovens](/s/bakers/chat/old_ovens)\n\n[My \\[crumb\\]](<https://files.example/crumb.jpg>)"),
        (5, 5, "Former member U66", "Feed it twice."),
        (6, 6, "Ólaf Crumb", "Its beginning is gone."),
    ]);
    // Whose names stand there have a page that leads to what they said, and are in no directory.
    let reader = hub.member("bea").await;
    let page = reader.get("/people/laf-crumb-u01").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("/search?kind=message&amp;author=laf-crumb-u01"), "{}", page.text);
    assert_eq!(reader.get("/people/former-member-u03-u03").await.status, 404, "who said nothing that one may read");
    assert!(said[1].body_html.contains("<strong>needs</strong>"), "{}", said[1].body_html);
    assert!(said[3].body_html.contains("href=\"/s/bakers/chat/old_ovens\""), "{}", said[3].body_html);
    assert_eq!(said[0].created_at, parse_rfc3339("2019-03-01T10:00:00.0001Z").unwrap());
    assert_eq!(said[1].edited_at, parse_rfc3339("2019-03-01T10:01:40Z"));
    let root = &said[0];
    assert_eq!((root.thread_id, root.reply_count, root.last_reply_at), (None, 2, Some(said[4].created_at)));
    assert_eq!((said[1].thread_id, said[1].reply_to, said[4].thread_id), (Some(root.id), Some(root.id), Some(root.id)));
    assert_eq!((said[5].thread_id, said[5].reply_to), (None, None));
    assert_eq!(root.pinned_at, parse_rfc3339("2019-03-01T11:33:20Z"));
    assert_eq!(who[&root.pinned_by.unwrap()].display_name, "Mara Crust");
    assert_eq!(root.reactions, r#"[{"emoji":"👍","count":3}]"#);
    assert_eq!(message_reaction::Entity::find().count(db).await.unwrap(), 3);
    assert_eq!((bread.message_count, bread.last_message_at), (6, Some(said[5].created_at)));

    // The stream is that of any room: one event a message, no hole.
    let stream = Stream::room(bread.id);
    assert_eq!(log_head(db, stream).await.unwrap().head, 6);
    let events = event::Entity::find()
        .filter(event::Column::Stream.eq(stream.to_string()))
        .order_by_asc(event::Column::Seq)
        .all(db)
        .await
        .unwrap();
    let events: Vec<(i64, &str, i64)> = events.iter().map(|of| (of.seq, of.kind.as_str(), of.subject_id)).collect();
    let posted: Vec<(i64, &str, i64)> = said.iter().map(|of| (of.seq, "message.posted", of.id)).collect();
    assert_eq!(events, posted);
});

hub_test!(async fn a_later_run_appends_what_is_newer_and_names_what_is_older(hub) {
    hub.member("ada").await;
    let folder = export(hub);
    let first = run(hub, &folder).await;
    let again = run(hub, &folder).await;
    assert_eq!((again.rooms, again.messages, again.reactions, again.members), (0, 0, 0, 0));
    assert_eq!((again.known, again.older), (first.messages, 0));

    // The broken day was mended, a forgotten morning turned up, and people went on talking.
    put(&folder.join("sourdough/2019-03-03.json"), r#"[
        {"user": "U02", "text": "It rose!", "ts": "1551600000.000000", "thread_ts": "1551434400.000100"},
        {"user": "U02", "text": "It rose!", "ts": "1551600000.000000", "thread_ts": "1551434400.000100"}
    ]"#);
    put(&folder.join("sourdough/2019-02-28.json"), r#"[{"user": "U01", "text": "Before all that.", "ts": "1551348000.000000"}]"#);
    let later = run(hub, &folder).await;
    assert_eq!((later.messages, later.older, later.members, later.broken), (1, 1, 0, 3));
    let rooms = rooms(hub).await;
    let said = messages(hub, &rooms[0]).await;
    let last = said.last().unwrap();
    assert_eq!((said.len(), last.body.as_str(), last.seq, last.number), (7, "It rose!", 7, 7));
    assert_eq!((said[0].reply_count, said[0].last_reply_at), (3, Some(last.created_at)));
    assert_eq!(rooms[0].message_count, 7);
});

#[test]
fn the_program_imports_an_export_and_says_what_it_did() {
    let folder = Folder::new();
    let inside = |name: &str| folder.path().join("export").join(name);
    put(&inside("channels.json"), r#"[{"id": "C1", "name": "general", "created": 1546300800}]"#);
    put(&inside("general/2019-01-02.json"), r#"[{"user": "U1", "text": "Hello.", "ts": "1546387200.000001"}]"#);
    let refused = program(folder.path(), &["import", "slack", "export", "--space", "talk"], &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("make an administrator first"), "{refused:?}");
    let absent = program(folder.path(), &["import", "slack", "elsewhere", "--space", "talk"], &[]);
    assert!(absent.code == Some(2) && absent.err.contains("elsewhere: no such folder"), "{absent:?}");
}
