//! The hub as one file: there and back over both databases, beside a hub under load, and damaged in
//! every way that a file can be.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use praxis_server::app::secrets::hash_token;
use praxis_server::features::archive::{self, tables};
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::support::moving::{
    admin, answers, config, content, done, entries, fill, made, manifest, number, refused, sign_in, sqlite, upload,
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

/// A tar header that no honest tool writes.
fn header(name: &str, size: u64, kind: u8) -> [u8; 512] {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o600);
    let bytes = header.as_mut_bytes();
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes[156] = kind;
    header.set_cksum();
    *header.as_bytes()
}

fn written(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, data) in entries {
        bytes.extend(header(name, data.len() as u64, b'0'));
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.extend([0; 1024]);
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_archive_is_refused_and_nothing_is_written() {
    let one = Folder::new();
    admin(one.path(), "ada");
    let served = Served::start(one.path(), &[("RATE_LIMIT", "off")]);
    fill(&served).await;
    served.end("TERM").await;
    let good = one.path().join("good.praxis");
    done(one.path(), &["export", &good.display().to_string()], &[]);
    let (bytes, parts) = (std::fs::read(&good).unwrap(), entries(&good));
    let text = |name: &str| parts.iter().find(|(of, _)| of.starts_with(name)).unwrap().clone();
    let changed = |name: &str, change: &dyn Fn(String) -> String| {
        let mut parts = parts.clone();
        let (_, data) = parts.iter_mut().find(|(of, _)| of.starts_with(name)).unwrap();
        *data = change(String::from_utf8(data.clone()).unwrap()).into_bytes();
        written(&parts)
    };
    // The manifest says something else, and its sum agrees.
    let said = |change: &dyn Fn(String) -> String| {
        let mut parts = parts.clone();
        let at = parts.len() - 2;
        parts[at].1 = change(String::from_utf8(parts[at].1.clone()).unwrap()).into_bytes();
        let sum: String = sha2::Sha256::digest(&parts[at].1).iter().map(|byte| format!("{byte:02x}")).collect();
        parts[at + 1].1 = format!("{sum}  manifest.json\n").into_bytes();
        written(&parts)
    };
    let with = |at: usize, entry: (&str, Vec<u8>)| {
        let mut parts = parts.clone();
        parts.insert(at, (entry.0.to_owned(), entry.1));
        written(&parts)
    };
    assert!(written(&parts).len() <= bytes.len(), "what is built here is an archive too");
    let mut damaged: Vec<(String, Vec<u8>)> = Vec::new();
    // Any byte that is another.
    for at in (0..bytes.len()).step_by(bytes.len() / 60 + 1) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x20;
        damaged.push((format!("byte {at}"), bytes));
    }
    for left in [0, 100, 512, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1500, bytes.len() - 1] {
        damaged.push((format!("cut to {left}"), bytes[..left].to_vec()));
    }
    // Every entry that is missing.
    for at in 0..parts.len() {
        let mut parts = parts.clone();
        let (name, _) = parts.remove(at);
        damaged.push((format!("without {name}"), written(&parts)));
    }
    let message = text("tables/message/").1;
    let row = String::from_utf8(message).unwrap().lines().next().unwrap().to_owned();
    damaged.extend([
        ("a row twice".into(), changed("tables/message/", &|text| text.clone() + &text)),
        (
            "a row less".into(),
            changed("tables/message/", &|text| text.lines().skip(1).map(|l| format!("{l}\n")).collect()),
        ),
        ("another count".into(), said(&|text| text.replacen("\"rows\": 1", "\"rows\": 2", 1))),
        ("another column".into(), changed("tables/member/", &|text| text.replace("\"handle\"", "\"handel\""))),
        ("another number of files".into(), said(&|text| text.replacen("\"count\": 1", "\"count\": 0", 1))),
        ("a table that is not there".into(), said(&|text| text.replacen("\"member\": {", "\"nember\": {", 1))),
        ("an unknown table".into(), with(2, ("tables/passwd/000001.jsonl", b"{}\n".to_vec()))),
        ("a session".into(), with(2, ("tables/session/000001.jsonl", b"{}\n".to_vec()))),
        ("a part too many".into(), with(parts.len() - 2, ("tables/message/000002.jsonl", row.into_bytes()))),
        ("a newer format".into(), changed("praxis.json", &|text| text.replace("\"version\": 1", "\"version\": 2"))),
        ("a newer schema".into(), changed("praxis.json", &|text| text.replacen("\"m2", "\"m9", 1))),
        ("another entry".into(), with(3, ("readme.txt", b"hello".to_vec()))),
        ("a way up".into(), with(parts.len() - 3, ("blobs/../../evil", b"evil".to_vec()))),
        ("from the root".into(), with(parts.len() - 3, ("blobs//etc/evil", b"evil".to_vec()))),
        ("a hidden file".into(), with(parts.len() - 3, ("blobs/file/.evil", b"evil".to_vec()))),
        ("an unlisted file".into(), with(parts.len() - 3, ("blobs/file/more", b"more".to_vec()))),
        ("after the end".into(), with(parts.len(), ("tables/message/000002.jsonl", b"{}\n".to_vec()))),
        ("not an archive".into(), b"PK\x03\x04 something else".repeat(100)),
        ("a pile of nothing".into(), vec![0; 10_000]),
    ]);
    let begin = written(&parts[..1]);
    for (what, head) in [
        ("a huge entry", header("tables/message/000001.jsonl", 1 << 40, b'0')),
        ("a link", header("blobs/file/link", 0, b'2')),
        ("a folder", header("blobs/file/", 0, b'5')),
        ("a long name", header("././@LongLink", 1 << 30, b'L')),
    ] {
        let mut bytes = begin[..begin.len() - 1024].to_vec();
        bytes.extend(head);
        bytes.resize(bytes.len() + 4096, b'x');
        damaged.push((what.into(), bytes));
    }
    let empty = Folder::new();
    let data = empty.path().display().to_string();
    let config = config(&[("data_dir", &data)]);
    let wrong = one.path().join("wrong.praxis");
    for (what, bytes) in damaged {
        std::fs::write(&wrong, bytes).unwrap();
        let line = archive::load(&config, &wrong).await.err().unwrap_or_else(|| panic!("{what} was loaded"));
        assert!(line.contains("wrong.praxis") && line.lines().count() == 1 && line.len() < 500, "{what}: {line}");
    }
    assert!(std::fs::read_dir(empty.path().join("uploads")).map_or(true, |mut dir| dir.next().is_none()));
    assert!(!empty.path().join("praxis.db").exists(), "no table was made");
    // The same place takes the good one.
    std::fs::write(&wrong, written(&parts)).unwrap();
    archive::load(&config, &wrong).await.unwrap();
    let db = sqlite(&empty.path().join("praxis.db")).await;
    assert_eq!(number(&db, "SELECT count(*) FROM message").await, 40);
    db.close().await.unwrap();
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
        tokio::task::yield_now().await;
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
            tokio::task::yield_now().await;
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
