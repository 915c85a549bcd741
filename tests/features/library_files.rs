//! Files of the library: known by their content, kept once, given out whole or in parts, never run.

use serde_json::json;

use super::library::{file, send_file};
use crate::support::stage::{done, id};
use crate::support::{Client, TestHub, hub_test};

/// Contents that are kept.
pub fn kept(hub: &TestHub) -> usize {
    std::fs::read_dir(hub.data_dir.join("uploads/library")).map_or(0, Iterator::count)
}

hub_test!(async fn types_come_from_content_and_nothing_runs(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let png: &[u8] = &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R'];
    for (name, bytes, kind, served, inline) in [
        ("a.png", png, "image/png", "image/png", true),
        ("a.pdf", b"<html><script>alert(1)</script>".as_slice(), "text/html", "application/octet-stream", false),
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml", "application/octet-stream", false),
        ("a.html", b"Just words.", "text/html", "application/octet-stream", false),
        ("a.exe.txt", b"Just words too.", "text/plain", "text/plain", false),
        ("a.txt", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf", "application/pdf", false),
        ("data", b"\x00\x01\x02\x03\xff\xfe", "application/octet-stream", "application/octet-stream", false),
    ] {
        let made = file(&ada, &space, name, bytes).await;
        assert_eq!(made["current"]["file"]["media_type"], kind, "{name}");
        let got = ada.get(made["content_url"].as_str().unwrap()).await;
        assert_eq!((got.status, got.header("content-type"), got.header("x-content-type-options")), (200, served, "nosniff"), "{name}");
        let how = got.header("content-disposition").split(';').next().unwrap().to_owned();
        assert_eq!(how, if inline { "inline" } else { "attachment" }, "{name}");
        assert_eq!(got.header("content-security-policy"), "sandbox; default-src 'none'", "{name}");
    }
    for (name, bytes) in [("a.pdf", b"MZ\x90\x00\x03\x00\x00\x00".as_slice()), ("a.txt", b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")] {
        let refused = send_file(&ada, &format!("/api/v1/spaces/{space}/resources"), name, bytes, &[]).await;
        assert_eq!(refused.status, 415, "{name}: {}", refused.text);
    }
    hub.settle().await;
    assert_eq!(kept(hub), 7, "nothing is left of what was refused");
});

hub_test!(async fn bytes_come_whole_or_in_parts(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let bytes: Vec<u8> = (0..300_000u32).map(|n| b'a' + u8::try_from(n % 26).unwrap()).collect();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let made = file(&ada, &space, "letters.txt", &bytes).await;
    let path = made["content_url"].as_str().unwrap().to_owned();
    assert_eq!(made["current"]["file"]["size"], 300_000);
    let get = async |headers: &[(&str, &str)]| {
        let mut request = ada.request("GET", &path).header("Accept-Encoding", "br, gzip");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        ada.send(request).await
    };
    let whole = get(&[]).await;
    let etag = whole.header("etag").to_owned();
    assert_eq!((whole.status, whole.text.len(), whole.header("accept-ranges")), (200, 300_000, "bytes"));
    assert_eq!(etag, format!("\"{}\"", made["current"]["file"]["sha256"].as_str().unwrap()));
    assert_eq!(get(&[("If-None-Match", etag.as_str())]).await.status, 304);
    for (range, from, last) in [("bytes=0-9", 0, 9), ("bytes=299990-", 299_990, 299_999), ("bytes=-5", 299_995, 299_999), ("bytes=299000-999999", 299_000, 299_999)] {
        let part = get(&[("Range", range)]).await;
        assert_eq!((part.status, part.text.as_str()), (206, &text[from..=last]), "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {from}-{last}/300000"));
        assert!(matches!(part.header("content-encoding"), "" | "identity"), "{range}");
    }
    let beyond = get(&[("Range", "bytes=300000-")]).await;
    assert_eq!((beyond.status, beyond.header("content-range"), beyond.header("content-type")), (416, "bytes */300000", "application/problem+json"));
    assert_eq!(get(&[("Range", "bytes=0-9"), ("If-Range", "\"other\"")]).await.status, 200);
    assert_eq!(get(&[("Range", "bytes=0-9"), ("If-Range", etag.as_str())]).await.status, 206);
    assert_eq!(get(&[("Range", "bytes=0-1,5-6")]).await.status, 200);
    let head = ada.send(ada.request("HEAD", &path)).await;
    assert_eq!((head.status, head.header("content-length"), head.text.as_str()), (200, "300000", ""));
    // Whole ones count, beginnings once, other parts and questions do not.
    let count = done(&ada.get(&format!("/api/v1/resources/{}", id(&made))).await)["download_count"].as_i64().unwrap();
    assert_eq!(count, 4);
});

hub_test!(async fn the_same_content_is_kept_once(hub) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "open").await;
    let first = file(&ada, &space, "one.txt", b"The same words.").await;
    let second = file(&bea, &space, "two.txt", b"The same words.").await;
    hub.settle().await;
    assert_eq!(kept(hub), 1);
    assert_eq!(first["current"]["file"]["sha256"], second["current"]["file"]["sha256"]);
    assert_eq!(second["current"]["file"]["name"], "two.txt");
    // The text is known to the second one too.
    let view = done(&bea.get(&format!("/api/v1/resources/{}", id(&second))).await);
    assert_eq!(view["current"]["file"]["text"], "done");
    assert_eq!(ada.post(&format!("/api/v1/resources/{}/purge", id(&first)), &json!({})).await.status, 204);
    hub.settle().await;
    assert_eq!(kept(hub), 1, "the other one still needs it");
    assert_eq!(bea.get(second["content_url"].as_str().unwrap()).await.text, "The same words.");
    assert_eq!(ada.post(&format!("/api/v1/resources/{}/purge", id(&second)), &json!({})).await.status, 204);
    hub.settle().await;
    assert_eq!(kept(hub), 0);
});

hub_test!(async fn bytes_that_nobody_names_go_after_a_day(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let made = file(&ada, &space, "one.txt", b"Words that stay.").await;
    hub.settle().await;
    let state = hub.state();
    state.blobs.put("library/nobody", bytes::Bytes::from_static(b"Cut off before its row.")).await.unwrap();
    praxis_server::features::library::remove_orphans(state).await.unwrap();
    assert_eq!(kept(hub), 2, "its row may be on its way");
    hub.clock.advance(25 * praxis_server::ports::clock::HOUR);
    praxis_server::features::library::remove_orphans(state).await.unwrap();
    assert_eq!(kept(hub), 1);
    assert_eq!(hub.visitor().get(made["content_url"].as_str().unwrap()).await.text, "Words that stay.");
});

hub_test!(async fn a_text_whose_job_was_given_up_is_taken_out_later(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let made = file(&ada, &space, "one.txt", b"Words of the first reading.").await;
    hub.settle().await;
    let state = hub.state();
    // As if all attempts had failed: it waits, and nothing is going to run.
    let given_up = state.store.write(async |tx| {
        for text in ["DELETE FROM stored_page", "UPDATE stored_file SET text_state = 'waiting', page_count = 0"] {
            praxis_server::store::Sql::new(text).run(tx.conn()).await?;
        }
        Ok(())
    });
    given_up.await.unwrap();
    let view = async || done(&hub.visitor().get(&format!("/api/v1/resources/{}", id(&made))).await);
    praxis_server::features::library::requeue_waiting(state).await.unwrap();
    assert_eq!(view().await["current"]["file"]["text"], "waiting", "its own job may still come");
    hub.clock.advance(3 * praxis_server::ports::clock::MINUTE);
    praxis_server::features::library::requeue_waiting(state).await.unwrap();
    hub.settle().await;
    assert_eq!(view().await["current"]["file"]["text"], "done");
});

hub_test!(async fn names_are_harmless(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let path = format!("/api/v1/spaces/{space}/resources");
    for (name, clean) in [
        ("../../etc/passwd", "passwd"), ("C:\\x\\notes.txt", "notes.txt"), ("a\u{202e}gpj.exe", "agpj.exe"), ("..", "file"),
        ("été à Noël.txt", "été à Noël.txt"),
    ] {
        let made = send_file(&ada, &path, name, format!("Words of {name}").as_bytes(), &[]).await;
        assert_eq!(made.status, 201, "{name}: {}", made.text);
        assert_eq!(made.json()["current"]["file"]["name"], clean, "{name}");
        let got = ada.get(made.json()["content_url"].as_str().unwrap()).await;
        assert!(got.header("content-disposition").is_ascii() && !got.header("content-disposition").contains('\n'));
    }
    let long = send_file(&ada, &path, &format!("{}.txt", "x".repeat(4000)), b"Long.", &[]).await;
    assert_eq!(long.status, 201, "{}", long.text);
    assert!(long.json()["current"]["file"]["name"].as_str().unwrap().chars().count() <= 120);
    assert!(long.json()["title"].as_str().unwrap().chars().count() <= 200);
    // A name with a line break ends the header: the form is refused or the name is cleaned.
    let raw = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\u{1}\tb.txt\"\r\n\r\nWords\r\n--x--\r\n";
    let request = ada.request("POST", &path).header("Content-Type", "multipart/form-data; boundary=x").body(raw);
    let answer = ada.send(request).await;
    assert!(matches!(answer.status, 201 | 400), "{}", answer.text);
});

hub_test!(async fn forms_that_are_none_leave_nothing(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let path = format!("/api/v1/spaces/{space}/resources");
    let raw = async |kind: &str, body: String| {
        ada.send(ada.request("POST", &path).header("Content-Type", kind.to_owned()).body(body)).await.status
    };
    let part = |name: &str, text: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.txt\"\r\n\r\n{text}\r\n");
    let form = "multipart/form-data; boundary=x";
    assert_eq!(raw(form, format!("{}--x--\r\n", part("file", ""))).await, 422, "empty");
    assert_eq!(raw(form, format!("{}{}--x--\r\n", part("file", "One."), part("file", "Two."))).await, 400, "two files");
    assert_eq!(raw(form, part("file", "It breaks off")).await, 400);
    assert_eq!(raw(form, format!("{}--x--\r\n", part("other", "One."))).await, 422, "no file");
    assert_eq!(raw("multipart/form-data", part("file", "One.")).await, 400, "no boundary");
    assert_eq!(raw("text/plain", "One.".into()).await, 415);
    let wrong = send_file(&ada, &path, "a.txt", b"One.", &[("kind", "poem")]).await;
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["field"]), (422, &json!("kind")));
    let large = vec![b'a'; (25 << 20) + 1];
    let refused = send_file(&ada, &path, "a.txt", &large, &[]).await;
    assert_eq!((refused.status, &refused.json()["detail"]), (413, &json!("A file of this type may have 25 MB at most.")));
    assert_eq!(kept(hub), 0);
    assert!(done(&ada.get(&path).await)["items"].as_array().unwrap().is_empty());
});

/// Waits until all is read, and gives the resource.
pub async fn settled(hub: &TestHub, who: &Client, made: &serde_json::Value) -> serde_json::Value {
    hub.settle().await;
    done(&who.get(&format!("/api/v1/resources/{}", id(made))).await)
}

hub_test!(async fn the_text_of_files_is_known_by_page(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let pages = async |name: &str, bytes: &[u8]| {
        let made = file(&ada, &space, name, bytes).await;
        let view = settled(hub, &ada, &made).await;
        let list = done(&ada.get(&format!("/api/v1/resources/{}/preview", id(&made))).await);
        let texts: Vec<(i64, bool, String)> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|page| (page["number"].as_i64().unwrap(), page["table"].as_bool().unwrap(), page["text"].as_str().unwrap().to_owned()))
            .collect();
        (view["current"]["file"]["text"].as_str().unwrap().to_owned(), texts)
    };
    let (state, texts) = pages("a.pdf", &crate::features::library_hostile::pdf(&["Pumps on wards", "Alarms at night"])).await;
    assert_eq!(state, "done", "{texts:?}");
    assert_eq!(texts.len(), 2);
    assert!(texts[0].2.contains("Pumps on wards") && texts[1].2.contains("Alarms at night"), "{texts:?}");
    assert_eq!((texts[0].0, texts[1].0), (1, 2));
    let word = crate::features::library_hostile::docx("<w:p><w:r><w:t>Pumps &amp; wards</w:t></w:r></w:p><w:p><w:r><w:br w:type=\"page\"/><w:t>Second page</w:t></w:r></w:p>");
    assert_eq!(pages("a.docx", &word).await, ("done".into(), vec![(1, false, "Pumps & wards".into()), (2, false, "Second page".into())]));
    assert_eq!(pages("a.csv", b"Ward,Alerts\nA,12\n").await, ("done".into(), vec![(1, true, "Ward\tAlerts\nA\t12".into())]));
    assert_eq!(pages("a.md", b"# Pumps\n\nTwo.").await, ("done".into(), vec![(1, false, "# Pumps\n\nTwo.".into())]));
    let (state, texts) = pages("a.html", b"<!doctype html><h1>Pumps</h1><p>Two of them.").await;
    assert!(state == "done" && texts[0].2.contains("Two of them."), "{texts:?}");
    assert_eq!(pages("a.bin", b"\x00\x01\x02").await, ("none".into(), vec![]));
    let page = done(&ada.get("/api/v1/resources?limit=1").await);
    let at = format!("/api/v1/resources/{}/preview", page["items"][0]["id"].as_str().unwrap());
    assert_eq!(ada.get(&format!("{at}?page=x")).await.status, 422);
});
