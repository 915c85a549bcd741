//! An archive that is damaged in every way that a file can be.

use praxis_server::features::archive;
use sha2::Digest as _;

use crate::support::moving::{admin, config, done, entries, fill, number, sqlite};
use crate::support::program::{Folder, Served};

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
