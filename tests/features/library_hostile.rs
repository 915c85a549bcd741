//! Files that mean harm, or are broken: a clear answer, in bounded time and memory, and the hub goes on.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::library::{file, note};
use crate::features::library_files::settled;
use crate::support::program::binary;
use crate::support::{TestHub, hub_test};

/// A PDF with a page for each text.
pub fn pdf(texts: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..texts.len()).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} /MediaBox [0 0 595 842] >>", kids.join(" "), texts.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (n, text) in texts.iter().enumerate() {
        let content = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * n
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut bytes = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        places.push(bytes.len());
        let _infallible = write!(bytes, "{} 0 obj\n{object}\nendobj\n", n + 1);
    }
    let start = bytes.len();
    let _infallible = write!(bytes, "xref\n0 {}\n0000000000 65535 f \n", places.len() + 1);
    for place in places {
        let _infallible = writeln!(bytes, "{place:010} 00000 n ");
    }
    let _infallible =
        write!(bytes, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    bytes.into_bytes()
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

const TYPES: &[u8] =
    b"<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";

/// A Word document with this in its body.
pub fn docx(body: &str) -> Vec<u8> {
    let xml = format!(
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
    );
    archive(&[("[Content_Types].xml", TYPES), ("word/document.xml", xml.as_bytes())])
}

/// Bytes of a part that unpacks to far more than anybody takes.
fn bomb(before: &str, size: usize) -> Vec<u8> {
    let mut part = before.as_bytes().to_vec();
    part.resize(size, b' ');
    part
}

type Case = (&'static str, Vec<u8>, &'static [&'static str]);

fn case(kind: &'static str, bytes: Vec<u8>, said: &'static [&'static str]) -> Case {
    (kind, bytes, said)
}

/// Files with their kind and what is said of them.
fn hostile() -> Vec<Case> {
    let head = "<?xml version=\"1.0\"?>";
    let entities = format!(
        "{head}<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><w:document><w:body><w:p><w:r><w:t>&c;</w:t></w:r></w:p></w:body></w:document>"
    );
    let external = format!(
        "{head}<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\"><!ENTITY h SYSTEM \"http://127.0.0.1:9/x\">]><w:document><w:body><w:p><w:r><w:t>&f;&h;</w:t></w:r></w:p></w:body></w:document>"
    );
    let deep = format!("{head}<w:document>{}", "<w:p>".repeat(200_000));
    let whole = pdf(&["Pumps on wards", "Alarms at night"]);
    let locked = String::from_utf8(pdf(&["Secret"])).unwrap().replace(
        "/Root 1 0 R",
        "/Root 1 0 R /Encrypt << /Filter /Standard /V 1 /R 2 /O (00000000000000000000000000000000) /U (11111111111111111111111111111111) /P -4 >> /ID [(0123456789abcdef) (0123456789abcdef)]",
    );
    let nested = String::from_utf8(whole.clone())
        .unwrap()
        .replace("/Type /Catalog", &format!("/Type /Catalog /X {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    let endless = String::from_utf8(whole.clone()).unwrap().replace("[4 0 R 6 0 R]", "[2 0 R 2 0 R 2 0 R]");
    let word = |xml: &[u8]| archive(&[("[Content_Types].xml", TYPES), ("word/document.xml", xml)]);
    let slides = archive(&[
        ("ppt/presentation.xml", format!("{head}<p:x xmlns:r=\"r\"><p:sldId id=\"1\" r:id=\"a\"/></p:x>").as_bytes()),
        (
            "ppt/_rels/presentation.xml.rels",
            format!("{head}<R><Relationship Id=\"a\" Target=\"../../../../etc/passwd\"/></R>").as_bytes(),
        ),
    ]);
    vec![
        case("docx", word(&bomb("<w:document><w:p><w:t>", 120 << 20)), &["large"]),
        case("docx", word(entities.as_bytes()), &["damaged"]),
        case("docx", word(external.as_bytes()), &["damaged"]),
        case("docx", word(deep.as_bytes()), &["damaged"]),
        case("docx", word(b"<w:document><w:p></w:document>"), &["damaged"]),
        case("docx", archive(&[("nothing.txt", b"x")]), &["damaged"]),
        case(
            "docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old container, as one with a password is".to_vec(),
            &["encrypted"],
        ),
        case("pptx", slides, &["damaged", "empty"]),
        case(
            "odf",
            archive(&[("META-INF/manifest.xml", b"<m><encryption-data/></m>"), ("content.xml", b"xx")]),
            &["encrypted"],
        ),
        case(
            "sheet",
            archive(&[("xl/workbook.xml", &bomb("<workbook>", 120 << 20))]),
            &["damaged", "memory", "slow", "large"],
        ),
        case("pdf", whole[..whole.len() / 2].to_vec(), &["damaged", "none"]),
        case("pdf", locked.into_bytes(), &["encrypted"]),
        case("pdf", nested.into_bytes(), &["damaged", "memory", "slow", "none"]),
        case("pdf", endless.into_bytes(), &["damaged", "memory", "slow", "empty"]),
        case("pdf", b"%PDF-1.7\n%%EOF".to_vec(), &["damaged"]),
        case("csv", b"\"".repeat(1 << 20), &["damaged", "large", "empty", "none"]),
        case("html", "<div>".repeat(500_000).into_bytes(), &["damaged", "memory", "slow", "empty", "large", "none"]),
        case("text", vec![b'x'; 20 << 20], &["large"]),
    ]
}

/// What the process says of a file at its end; `none`: it is whole.
fn said(kind: &str, bytes: &[u8]) -> String {
    let mut child = Command::new(binary())
        .args(["extract", kind])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let sent = bytes.to_vec();
    let sending = std::thread::spawn(move || {
        let _whole = stdin.write_all(&sent);
    });
    let output = child.wait_with_output().unwrap();
    sending.join().unwrap();
    assert!(output.stdout.len() < 30 << 20, "{kind}: {} bytes", output.stdout.len());
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(!out.contains("root:"), "{kind} read a file of this machine");
    match out.lines().last().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
        Some(line) if line.get("end").is_some() => line["end"]["reason"].as_str().unwrap_or("none").to_owned(),
        // It was stopped by its limits; the hub says which by the signal.
        _ => "memory".to_owned(),
    }
}

#[test]
fn the_process_that_reads_stays_within_its_limits() {
    for (kind, bytes, expected) in hostile() {
        let started = Instant::now();
        let reason = said(kind, &bytes);
        let took = started.elapsed();
        let beginning: String = String::from_utf8_lossy(&bytes).chars().take(40).collect();
        assert!(expected.contains(&reason.as_str()), "{kind} {beginning}: {reason} and not {expected:?}");
        assert!(took < Duration::from_secs(120), "{kind} {beginning}: {took:?}");
    }
}

hub_test!(async fn a_hostile_file_stays_and_says_why_it_is_not_read(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let state = async |hub: &TestHub, name: &str, bytes: &[u8]| {
        let made = file(&ada, &space, name, bytes).await;
        let view = settled(hub, &ada, &made).await;
        let of = &view["current"]["file"];
        assert_eq!(ada.get(view["content_url"].as_str().unwrap()).await.status, 200, "{name} stays");
        (of["text"].as_str().unwrap().to_owned(), of["text_reason"].as_str().unwrap_or_default().to_owned())
    };
    let whole = pdf(&["Pumps"]);
    let (reached, reason) = state(hub, "cut.pdf", &whole[..whole.len() / 3]).await;
    assert_eq!((reached.as_str(), reason.as_str()), ("failed", "damaged"));
    let locked = String::from_utf8(whole).unwrap().replace(
        "/Root 1 0 R",
        "/Root 1 0 R /Encrypt << /Filter /Standard /V 1 /R 2 /O (00000000000000000000000000000000) /U (11111111111111111111111111111111) /P -4 >> /ID [(0123456789abcdef) (0123456789abcdef)]",
    );
    assert_eq!(state(hub, "locked.pdf", locked.as_bytes()).await, ("failed".into(), "encrypted".into()));
    let external = archive(&[
        ("[Content_Types].xml", TYPES),
        ("word/document.xml", b"<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><w:document><w:t>&f;</w:t></w:document>"),
    ]);
    assert_eq!(state(hub, "external.docx", &external).await, ("failed".into(), "damaged".into()));
    let lie = archive(&[("[Content_Types].xml", TYPES), ("word/document.xml", b"no xml")]);
    assert_eq!(state(hub, "lie.docx", &lie).await.0, "failed");
    assert_eq!(state(hub, "scan.pdf", &pdf(&[""])).await, ("failed".into(), "empty".into()));
    // The page says so.
    let list = ada.page(&format!("/s/{space}/library")).await.text;
    assert!(list.contains("scan"), "{list}");
    note(&ada, &space, "The hub goes on", "As before.").await;
});
