//! The hub as one file: there and back over both databases, and beside a hub under load.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use praxis_server::app::secrets::hash_token;
use praxis_server::features::archive::tables;
use serde_json::{Value, json};

use crate::support::moving::{
    admin, answers, content, done, fill, made, manifest, number, refused, sign_in, sqlite, upload,
};
use crate::support::postgres::PostgresDatabase;
use crate::support::program::{Ended, Folder, Served, command, run};
use crate::support::{Client, hub_test, s3::S3Store};

hub_test!(async fn every_table_is_in_an_archive_or_says_why_not(hub) {
    let db = hub.state().store.read();
    let there = tables::names(db).await.unwrap();
    let taken = tables::read(db).await.unwrap();
    let left: BTreeSet<String> = tables::LEFT_OUT.iter().map(|(name, _)| (*name).to_owned()).collect();
    let names: BTreeSet<String> = taken.iter().map(|table| table.name.clone()).collect();
    assert!(names.is_disjoint(&left));
    assert_eq!(there.difference(&left).cloned().collect::<BTreeSet<_>>(), names);
    assert!(names.len() > 30 && names.contains("message") && names.contains("event"));
    for (table, _, _) in tables::LEFT_ROWS {
        assert!(names.contains(*table), "{table}");
    }
    // What lets somebody in stays behind. A new column of that kind is to be thought about: put its
    // table, or its rows, on the list, or its name here with the reason.
    let meant = [
        ("member", "password_hash"), // so that members can sign in after a move
        ("invitation", "token_hash"), // so that invitations that were sent still open; the token is not in it
    ];
    for table in &taken {
        assert!(!table.key().is_empty(), "{} has no primary key", table.name);
        for column in &table.columns {
            let secret = ["token", "secret", "password", "private_key"].iter().any(|word| column.name.contains(word));
            assert!(!secret || meant.contains(&(table.name.as_str(), column.name.as_str())), "{}.{}", table.name, column.name);
        }
    }
    // Whatever is referred to comes first.
    let at = |name: &str| taken.iter().position(|table| table.name == name).unwrap();
    assert!(at("member") < at("space") || at("member") < at("space_member"));
    assert!(at("space") < at("room") && at("room") < at("message") && at("message") < at("message_reaction"));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_moves_to_postgresql_and_back_unchanged() {
    let Some(postgres) = PostgresDatabase::make().await else { return };
    let (one, two, three) = (Folder::new(), Folder::new(), Folder::new());
    done(one.path(), &["demo"], &[]);
    admin(one.path(), "ada");
    let served = Served::start(one.path(), &[("RATE_LIMIT", "off")]);
    let addresses = fill(&served).await;
    let before = answers(&served.base, &addresses).await;
    // While it serves.
    let file = |folder: &Folder, name: &str| folder.path().join(name).display().to_string();
    let first = file(&one, "first.praxis");
    let said = done(one.path(), &["export", &first], &[]);
    assert!(said.contains(" rows of ") && said.contains("1 files"), "{said}");
    refused(&run(one.path(), &["export", &first], &[]), "choose another name");
    served.end("TERM").await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let beside: Vec<_> = std::fs::read_dir(one.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside.len(), 2, "data and the archive: {beside:?}");
    // To PostgreSQL; the same again adds nothing; a hub with members takes no other.
    let there = [("DATABASE_URL", postgres.url.as_str()), ("RATE_LIMIT", "off")];
    done(two.path(), &["import", "praxis", &first], &there);
    assert!(done(two.path(), &["import", "praxis", &first], &there).contains("loaded already"));
    let second = file(&two, "second.praxis");
    done(two.path(), &["export", &second], &there);
    let other = file(&one, "other.praxis");
    done(one.path(), &["export", &other], &[]);
    refused(&run(two.path(), &["import", "praxis", &other], &there), "has members");
    refused(&run(two.path(), &["backup", &file(&two, "b")], &there), "embedded");
    // And back.
    done(three.path(), &["import", "praxis", &second], &[]);
    let third = file(&three, "third.praxis");
    done(three.path(), &["export", &third], &[]);
    let (first, second, third) = (PathBuf::from(first), PathBuf::from(second), PathBuf::from(third));
    let moved = content(&first);
    for name in ["member", "message", "event", "stream", "post", "topic", "file", "(files)", "member_word"] {
        assert!(moved.get(name).is_some_and(|rows| !rows.is_empty()), "{name}");
    }
    for other in [&second, &third] {
        let found = content(other);
        assert_eq!(moved.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
        for (table, rows) in &moved {
            assert!(
                *rows == found[table],
                "{table}: {:?}",
                rows.symmetric_difference(&found[table]).take(4).collect::<Vec<_>>()
            );
        }
        assert_eq!(manifest(&first)["tables"]["message"]["rows"], manifest(other)["tables"]["message"]["rows"]);
    }
    for table in ["session", "refresh_token", "api_token", "one_time_token"] {
        assert!(!moved.contains_key(table) && manifest(&first)["left_out"][table].is_string(), "{table}");
    }
    // And what people are shown.
    let served = Served::start(two.path(), &there);
    assert_eq!(answers(&served.base, &addresses).await, before);
    served.end("TERM").await;
    let served = Served::start(three.path(), &[("RATE_LIMIT", "off")]);
    assert_eq!(answers(&served.base, &addresses).await, before);
    served.end("TERM").await;
    postgres.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_cut_off_is_done_by_the_same_command() {
    let one = Folder::new();
    admin(one.path(), "ada");
    let served = Served::start(one.path(), &[("RATE_LIMIT", "off")]);
    let addresses = fill(&served).await;
    let (ada, _) = sign_in(&served.base, "ada").await;
    for number in 0..4u32 {
        let bytes: String = (0..2_400_000).map(|at| char::from(b'a' + ((at * (number + 3)) % 26) as u8)).collect();
        upload(&ada, "large.txt", bytes.into_bytes()).await;
    }
    let before = answers(&served.base, &addresses).await;
    served.end("TERM").await;
    let file = one.path().join("hub.praxis").display().to_string();
    done(one.path(), &["export", &file], &[]);
    // Killed among the files, which come before the rows.
    let two = Folder::new();
    let mut child = command(two.path(), &["import", "praxis", &file], &[]).spawn().unwrap();
    let uploads = two.path().join("data/uploads");
    while std::fs::read_dir(uploads.join("file")).map_or(true, |mut files| files.next().is_none()) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let db = sqlite(&two.path().join("data/praxis.db")).await;
    assert_eq!(number(&db, "SELECT count(*) FROM member").await, 0);
    db.close().await.unwrap();
    done(two.path(), &["import", "praxis", &file], &[]);
    let served = Served::start(two.path(), &[("RATE_LIMIT", "off")]);
    assert_eq!(answers(&served.base, &addresses).await, before);
    served.end("TERM").await;
    // The store of files is away: what to do is said, and doing it is enough.
    let mut store = S3Store::start();
    let three = Folder::new();
    let import = |store: &S3Store| {
        let mut program = command(three.path(), &["import", "praxis", &file], &[]);
        for (name, value) in store.settings() {
            program.env(if name == "storage_url" { "PRAXIS_STORAGE_URL" } else { name }, value);
        }
        let ended = program.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
    };
    store.stop();
    refused(&import(&store), "run the same command again");
    store.resume();
    let ended = import(&store);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(store.files().iter().filter(|name| name.contains("hubs/one/file/")).count(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_hub_under_load_has_everything_that_was_acknowledged() {
    let one = Folder::new();
    admin(one.path(), "ada");
    let served = Served::start(one.path(), &[("RATE_LIMIT", "off")]);
    let addresses = fill(&served).await;
    let room = addresses.iter().find_map(|address| address.strip_prefix("/api/v1/rooms/")?.split('/').next()).unwrap();
    let epoch = |text: &str| serde_json::from_str::<Value>(text).unwrap()["epoch"].as_str().unwrap().to_owned();
    let (ada, refresh) = sign_in(&served.base, "ada").await;
    let first_epoch = epoch(&ada.get(&format!("/api/v1/rooms/{room}")).await.text);
    let ending = Arc::new(AtomicBool::new(false));
    let said = Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
    let mut writers = Vec::new();
    for writer in 0..4 {
        let (base, room) = (served.base.clone(), room.to_owned());
        let (ending, said) = (Arc::clone(&ending), Arc::clone(&said));
        writers.push(tokio::runtime::Handle::current().spawn(async move {
            let (ada, _) = sign_in(&base, "ada").await;
            let mut number = 0;
            while !ending.load(Ordering::Relaxed) {
                number += 1;
                let body =
                    json!({"body": format!("{writer}: {number}"), "client_id": format!("load-{writer}-{number}")});
                let id = made(&ada, &format!("/api/v1/rooms/{room}/messages"), body).await["id"].to_string();
                said.lock().unwrap().push(id);
            }
        }));
    }
    let acknowledged = || said.lock().unwrap().clone();
    while acknowledged().len() < 50 {
        crate::support::nodes::a_moment().await;
    }
    // Twice, each beside the writers.
    let mut kept = Vec::new();
    for number in 0..2 {
        let file = one.path().join(format!("backup-{number}.praxis"));
        let before = acknowledged();
        let (folder, name) = (one.path().to_owned(), file.display().to_string());
        let out = tokio::task::spawn_blocking(move || done(&folder, &["backup", &name], &[])).await.unwrap();
        assert!(out.contains("a database of "), "{out}");
        kept.push((file, before));
        let more = acknowledged().len() + 20;
        while acknowledged().len() < more {
            crate::support::nodes::a_moment().await;
        }
    }
    let last = kept.last().unwrap().0.display().to_string();
    refused(&run(one.path(), &["restore", &last], &[]), "stop it first");
    ending.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let all = acknowledged().len();
    served.end("TERM").await;
    refused(&run(one.path(), &["restore", &last], &[]), "--replace");
    for (file, before) in &kept {
        // No session, nor what proves one, nor the key that signs.
        let bytes = std::fs::read(file).unwrap();
        let key = std::fs::read(one.path().join("data/secret.key")).unwrap();
        for secret in [hash_token(&refresh).into_bytes(), key] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "a secret is in the backup");
        }
        let two = Folder::new();
        let name = file.display().to_string();
        refused(&run(two.path(), &["import", "praxis", &name], &[]), "praxis restore");
        assert!(done(two.path(), &["restore", &name], &[]).contains("members sign in again"));
        let db = sqlite(&two.path().join("data/praxis.db")).await;
        assert_eq!(number(&db, "SELECT count(*) FROM session").await, 0);
        let ids = number(&db, "SELECT count(*) FROM message WHERE client_id LIKE 'load-%'").await;
        assert!(ids >= before.len() as i64 && ids <= all as i64, "{ids} of {} to {all}", before.len());
        // The log is whole: as many events as its head says.
        let holes = "SELECT count(*) FROM stream s WHERE s.head - s.floor <> (SELECT count(*) FROM event e WHERE e.stream = s.name)";
        assert_eq!(number(&db, holes).await, 0);
        db.close().await.unwrap();
        let served = Served::start(two.path(), &[("RATE_LIMIT", "off")]);
        let (again, _) = sign_in(&served.base, "ada").await;
        // Each of them, by its id.
        let mut there = BTreeSet::new();
        let mut after = 0;
        loop {
            let page = again.get(&format!("/api/v1/rooms/{room}/messages?limit=100&after={after}")).await.json();
            let items = page["items"].as_array().unwrap().clone();
            let Some(last) = items.last() else { break };
            after = last["seq"].as_i64().unwrap();
            there.extend(items.iter().map(|item| item["id"].to_string()));
        }
        assert!(before.iter().all(|id| there.contains(id)));
        let shown = again.get(&format!("/api/v1/rooms/{room}")).await;
        assert_ne!(epoch(&shown.text), first_epoch, "history was rewound");
        for address in &addresses {
            assert_eq!(again.get(address).await.status, 200, "{address}");
        }
        let mut old = Client::new(&served.base);
        old.bearer.clone_from(&ada.bearer);
        assert_eq!(old.get("/api/v1/me").await.status, 401, "an old token lets nobody in");
        served.end("TERM").await;
    }
    // Over the hub that was there, with what it had since then gone.
    let lost = one.path().join("data/uploads/file/since-then");
    std::fs::write(&lost, "x").unwrap();
    done(one.path(), &["restore", &last, "--replace"], &[]);
    assert!(!lost.exists());
    let db = sqlite(&one.path().join("data/praxis.db")).await;
    assert!(number(&db, "SELECT count(*) FROM message WHERE client_id LIKE 'load-%'").await < all as i64);
    db.close().await.unwrap();
    // A damaged one changes nothing.
    let mut bytes = std::fs::read(&last).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(one.path().join("damaged.praxis"), bytes).unwrap();
    let before = std::fs::read(one.path().join("data/praxis.db")).unwrap();
    refused(&run(one.path(), &["restore", "damaged.praxis", "--replace"], &[]), "damaged");
    assert!(before == std::fs::read(one.path().join("data/praxis.db")).unwrap());
}
