//! Where files lie: a folder, or a bucket of a real S3 server with real signatures.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use praxis_server::app::secrets::hash_bytes;
use praxis_server::ports::blobs::{Aws, Blobs, Place};
use praxis_server::web::error::AppError;
use reqwest::multipart::{Form, Part};
use sea_orm::{EntityTrait as _, PaginatorTrait as _};

use crate::support::hub::run_with;
use crate::support::program::{Folder, command};
use crate::support::s3::{BUCKET, S3Store};
use crate::support::{Answer, Client, Db, not_run};

const MIB: usize = 1 << 20;

fn open(settings: &[(&str, String)]) -> Blobs {
    let values: BTreeMap<String, String> = settings.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    let place = Place::parse(&values["storage_url"]).unwrap();
    Blobs::open(&place, &Aws::of(values)).unwrap()
}

fn folder(path: &Path) -> Blobs {
    open(&[("storage_url", format!("file://{}", path.display()))])
}

/// Bytes that compress badly and repeat late.
fn bytes(count: usize) -> Bytes {
    (0..count as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect::<Vec<u8>>().into()
}

async fn read(blobs: &Blobs, key: &str, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let reading = blobs.read(key, range).await.unwrap();
    let parts: Vec<Bytes> = reading.bytes.try_collect().await.unwrap();
    assert!(parts.len() > 1 || reading.size < 2 * MIB as u64 || reading.range.end - reading.range.start < 300_000);
    parts.concat()
}

async fn keys(blobs: &Blobs) -> Vec<(String, u64)> {
    let mut items: Vec<_> = blobs.list().map(|item| item.map(|item| (item.key, item.size)).unwrap()).collect().await;
    items.sort();
    items
}

/// What every store does.
async fn suite(blobs: &Blobs) {
    blobs.prove().await.unwrap();
    assert!(blobs.is_ready().await);
    assert_eq!(keys(blobs).await, []);
    // Small, at once and in parts; the same key again replaces.
    blobs.put("file/one", Bytes::from_static(b"first")).await.unwrap();
    blobs.put("file/one", Bytes::from_static(b"second")).await.unwrap();
    assert_eq!(blobs.get("file/one").await.unwrap(), "second");
    let mut upload = blobs.upload("file/empty");
    upload.write(Bytes::new()).await.unwrap();
    let stored = upload.finish().await.unwrap();
    assert_eq!((stored.size, stored.sha256), (0, hash_bytes(b"")));
    assert_eq!(read(blobs, "file/empty", None).await, b"");
    // Large, in parts of uneven sizes.
    let large = bytes(21 * MIB + 12_345);
    let mut upload = blobs.upload("library/large");
    let mut at = 0;
    for size in (1..).map(|n: usize| (n * 77_777) % 700_001 + 1) {
        if at == large.len() {
            break;
        }
        let end = (at + size).min(large.len());
        upload.write(large.slice(at..end)).await.unwrap();
        at = end;
        assert_eq!(upload.size(), at as u64);
    }
    assert_eq!(blobs.size("library/large").await.unwrap(), None, "nothing is there before the end");
    let stored = upload.finish().await.unwrap();
    assert_eq!((stored.size, stored.sha256), (large.len() as u64, hash_bytes(&large)));
    assert_eq!(blobs.size("library/large").await.unwrap(), Some(large.len() as u64));
    assert!(read(blobs, "library/large", None).await == large);
    for range in [0..1, 5..6, 1_000_000..9_000_001, large.len() as u64 - 1..large.len() as u64] {
        let part = read(blobs, "library/large", Some(range.clone())).await;
        assert!(part == large[range.start as usize..range.end as usize], "{range:?}");
    }
    let beyond = blobs.read("library/large", Some(10..large.len() as u64 + 5000)).await.unwrap();
    assert_eq!((beyond.range, beyond.size), (10..large.len() as u64, large.len() as u64));
    // What is given up, and what is dropped, was never there.
    let mut upload = blobs.upload("library/given-up");
    upload.write(large.clone()).await.unwrap();
    upload.give_up().await.unwrap();
    let mut upload = blobs.upload("library/dropped");
    upload.write(large.clone()).await.unwrap();
    drop(upload);
    assert_eq!(
        keys(blobs).await,
        [("file/empty".into(), 0), ("file/one".into(), 6), ("library/large".into(), large.len() as u64)]
    );
    for key in ["file/one", "file/one", "file/empty", "library/large", "library/never"] {
        blobs.delete(key).await.unwrap();
    }
    assert!(matches!(blobs.get("file/one").await, Err(AppError::NotFound)));
    assert!(matches!(blobs.read("file/one", Some(0..1)).await, Err(AppError::NotFound)));
    assert_eq!(keys(blobs).await, []);
}

/// Waits until no half-written object is left.
async fn until_clean(left: impl Fn() -> Vec<String>) {
    let cleaned = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while !left().is_empty() {
            crate::support::nodes::a_moment().await;
        }
    });
    assert!(cleaned.await.is_ok(), "{:?}", left());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_keeps_files() {
    let place = Folder::new();
    suite(&folder(place.path())).await;
    let left = || {
        let mut names = Vec::new();
        for sub in ["", "file", "library"] {
            for entry in std::fs::read_dir(place.path().join(sub)).unwrap().map(Result::unwrap) {
                if entry.path().is_file() {
                    names.push(entry.path().display().to_string());
                }
            }
        }
        names
    };
    until_clean(left).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_keeps_files() {
    let store = S3Store::start();
    suite(&open(&store.settings())).await;
    // All below the prefix, and no part of an unfinished upload.
    let of_us = format!("{BUCKET}/hubs/one/");
    until_clean(|| {
        let names = store.files().into_iter().filter(|name| !name.contains(".internal.") && !name.contains(".bucket-"));
        names.filter(|name| *name != format!("{of_us}ready")).collect()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dying_process_left_in_a_folder_goes_after_a_while() {
    let place = Folder::new();
    let blobs = folder(place.path());
    blobs.put("file/whole", Bytes::from_static(b"whole")).await.unwrap();
    let half = place.path().join("file/half#1");
    std::fs::write(&half, "hal").unwrap();
    assert_eq!(keys(&blobs).await, [("file/whole".into(), 5)]);
    blobs.remove_cut_off(1).await.unwrap();
    assert!(half.exists(), "it may still be written");
    blobs.remove_cut_off(i64::MAX).await.unwrap();
    assert!(!half.exists() && place.path().join("file/whole").exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_leaves_no_half_object() {
    let place = Folder::new();
    let mount = |arguments: &[&str]| {
        let ended = std::process::Command::new(arguments[0]).args(&arguments[1..]).arg(place.path()).output();
        ended.is_ok_and(|ended| ended.status.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=12m", "none"]) {
        not_run("a full disk for uploads (this user may not mount a small one)");
        return;
    }
    let blobs = folder(place.path());
    let small = blobs.put("file/small", bytes(MIB)).await;
    let at_once = blobs.put("file/at-once", bytes(13 * MIB)).await;
    let mut upload = blobs.upload("file/in-parts");
    let mut in_parts = Ok(());
    for _ in 0..40 {
        in_parts = upload.write(bytes(MIB)).await;
        if in_parts.is_err() {
            break;
        }
    }
    let in_parts = match in_parts {
        Ok(()) => upload.finish().await.map(|_| ()),
        Err(error) => upload.give_up().await.and(Err(error)),
    };
    let left = keys(&blobs).await;
    let again = blobs.put("file/again", bytes(9 * MIB)).await;
    assert!(mount(&["umount"]));
    assert!(small.is_ok());
    assert!(matches!(at_once, Err(AppError::Unavailable(60))), "{at_once:?}");
    assert!(matches!(in_parts, Err(AppError::Unavailable(60))), "{in_parts:?}");
    assert_eq!(left, [("file/small".into(), MIB as u64)]);
    assert!(again.is_ok(), "what did not fit is gone: {again:?}");
}

async fn post(client: &Client, name: &str, body: Vec<u8>) -> Answer {
    let form = Form::new().part("file", Part::bytes(body).file_name(name.to_owned()));
    client.send(client.request("POST", "/api/v1/files").multipart(form)).await
}

async fn with_range(client: &Client, url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client.request("GET", url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request).await
}

async fn rows(hub: &crate::support::TestHub) -> u64 {
    praxis_server::entities::file::Entity::find().count(hub.state().store.read()).await.unwrap()
}

/// Uploads, ranges and what caches ask, by HTTP.
async fn files_by_http(hub: &crate::support::TestHub) {
    let ada = hub.member("ada").await;
    let text: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
    let made = post(&ada, "notes.txt", text.clone().into_bytes()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let url = made.json()["url"].as_str().unwrap().to_owned();
    let whole = ada.get(&url).await;
    assert_eq!((whole.status, whole.text.as_str()), (200, text.as_str()));
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(whole.header("content-length"), text.len().to_string());
    let etag = whole.header("etag").to_owned();
    let part = with_range(&ada, &url, &[("Range", "bytes=5-1004"), ("Accept-Encoding", "gzip, br")]).await;
    assert_eq!((part.status, part.text.as_str()), (206, &text[5..1005]));
    assert_eq!(part.header("content-range"), format!("bytes 5-1004/{}", text.len()));
    assert_eq!(part.header("content-length"), "1000");
    let last = with_range(&ada, &url, &[("Range", "bytes=-7"), ("If-Range", &etag)]).await;
    assert_eq!((last.status, last.text.as_str()), (206, &text[text.len() - 7..]));
    let stale = with_range(&ada, &url, &[("Range", "bytes=-7"), ("If-Range", "\"other\"")]).await;
    assert_eq!((stale.status, stale.text.len()), (200, text.len()));
    let several = with_range(&ada, &url, &[("Range", "bytes=0-1,9-10")]).await;
    assert_eq!((several.status, several.text.len()), (200, text.len()));
    let after = with_range(&ada, &url, &[("Range", &format!("bytes={}-", text.len()))]).await;
    assert_eq!((after.status, after.json()["status"].as_u64()), (416, Some(416)));
    assert_eq!(after.header("content-range"), format!("bytes */{}", text.len()));
    assert_eq!(with_range(&ada, &url, &[("If-None-Match", &etag)]).await.status, 304);
    assert_eq!(ada.send(ada.request("HEAD", &url)).await.header("content-length"), text.len().to_string());
    assert_eq!(hub.visitor().get(&url).await.status, 404);
    let ready = ada.get("/readyz").await;
    assert_eq!(ready.json()["components"]["storage"]["state"], "ok", "{}", ready.text);
}

crate::support::hub_test!(async fn files_come_whole_and_in_ranges(hub) {
    files_by_http(hub).await;
});

#[test]
fn a_hub_keeps_its_files_in_a_bucket_and_says_when_it_is_away() {
    let store = std::sync::Mutex::new(S3Store::start());
    let settings = store.lock().unwrap().settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    run_with(Db::Sqlite, "bucket", &settings, async |hub| {
        files_by_http(hub).await;
        assert!(!hub.data_dir.join("uploads").exists(), "nothing lies in the folder");
        let made = store.lock().unwrap().files().into_iter().any(|name| name.contains("hubs/one/file/"));
        assert!(made);
        let ada = Client::sign_in(&hub.base, "ada").await;
        let bea = hub.member("bea").await;
        let picture = image::DynamicImage::new_rgb8(40, 40);
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        let shown = post(&bea, "plan.png", png.into_inner()).await.json();
        let url = shown["url"].as_str().unwrap().to_owned();
        assert_eq!(bea.get(&url).await.header("content-type"), "image/png");
        // Away.
        store.lock().unwrap().stop();
        let refused = post(&bea, "a.txt", b"text".to_vec()).await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, "10"), "{}", refused.text);
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert_eq!(bea.get(&url).await.status, 503);
        let down = async || {
            let ready = ada.get("/readyz").await;
            assert_eq!(ready.status, 200, "{}", ready.text);
            ready.json()["components"]["storage"]["state"] == "down"
        };
        crate::support::nodes::until("it is said to be down", down).await;
        assert_eq!(rows(hub).await, 2);
        // Back.
        store.lock().unwrap().resume();
        assert_eq!(bea.get(&url).await.status, 200);
        assert_eq!(post(&bea, "a.txt", b"text".to_vec()).await.status, 201);
        assert_eq!(rows(hub).await, 3);
    });
}

/// A start that should be refused and is not would never end.
fn within_a_minute(mut program: std::process::Command) -> std::process::Output {
    use std::process::Stdio;
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > std::time::Duration::from_secs(60) {
            child.kill().unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn a_wrong_store_stops_the_start_with_one_line() {
    let mut store = S3Store::start();
    let right = store.settings();
    let refused = |changed: &[(&str, &str)], names: &str| {
        let place = Folder::new();
        let mut program = command(place.path(), &[], &[("BIND", "127.0.0.1:0")]);
        for (name, value) in &right {
            program.env(if *name == "storage_url" { "PRAXIS_STORAGE_URL" } else { name }, value);
        }
        for (name, value) in changed {
            program.env(name, value);
        }
        let ended = within_a_minute(program);
        let said = String::from_utf8(ended.stderr).unwrap();
        let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("praxis: ")).collect();
        assert_eq!((ended.status.code(), lines.len()), (Some(2), 1), "{changed:?}: {said}");
        assert!(lines[0].contains(names) && !lines[0].contains("secret-of"), "{changed:?}: {said}");
        assert!(!place.path().join("data/praxis.db").exists(), "{changed:?}: half a start");
    };
    refused(&[("AWS_SECRET_ACCESS_KEY", "another-secret-of-somebody")], "AWS_SECRET_ACCESS_KEY");
    refused(&[("PRAXIS_STORAGE_URL", "s3://no-such-bucket/hubs")], "no such bucket");
    refused(&[("AWS_ENDPOINT", "storage")], "AWS_ENDPOINT");
    refused(&[("AWS_SECRET_ACCESS_KEY", "")], "AWS_SECRET_ACCESS_KEY");
    store.stop();
    refused(&[], "AWS_ENDPOINT");
}
