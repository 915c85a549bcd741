//! Pages of Markdown that become case studies, and what is taken away and brought again.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use praxis_server::features::imports::Report;
use praxis_server::features::imports::markdown::{Options, import};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::playbooks::{at, playbook, step, study, whole};
use crate::support::program::{Folder, run as program};
use crate::support::stage::{done, id};
use crate::support::{Client, TestHub, hub_test};

const STUDY: &str = "---\ntitle: 'Sorting referrals'\nsummary: 'A small model that sorts referrals'\ncategory: 'CaseStudies'\n---\n\n\
    <Tags title=\"\" tags={['nlp','triage']} />\n\n## Info\nFirst told [here](https://elsewhere.example/sorting).\n\n## Case Study\nTold before all.\n\n\
    **The challenge**  \nReferrals waited for *weeks*.\n\n### Overview\nWho we are.\n\n### What we did\nWe sorted.\n\n<figure>\n![](images/queue-length.png)\n\
    <figcaption align = \"center\">Figure 1: the queue.</figcaption>\n</figure>\n\n### Outcomes and lessons learned\nShorter.\n\n### What next?\nMore.\n";

const PROJECT: &str = "---\ntitle: 'A project'\ncategory: 'Projects'\nsummary: 'x'\n---\n\nPlain words.\n\n## Results\n\nOutput|Link\n---|---\nCode|[here](https://code.example)\n";

const TEAM: &str =
    "# Team\n\n<TeamMember name=\"Ann Other\" role=\"Lead\" bio={`\n  She <b>leads</b>.<br/><br/>\n  Well.\n`} />\n";

pub fn pages(hub: &TestHub, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = hub.data_dir.join(name);
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

async fn bring(hub: &TestHub, folder: &Path, playbook: &str, owner: &str) -> Result<Report, String> {
    let options = Options {
        folder: folder.to_owned(),
        playbook: playbook.into(),
        space: None,
        owner: Some(owner.into()),
        quiet: true,
    };
    import(hub.state(), &options).await
}

async fn text(who: &Client, path: &str) -> String {
    let answer = who.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

hub_test!(async fn pages_become_case_studies_and_nothing_is_lost(hub) {
    let (_rhea, ada, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("eve").await);
    let files = [("casestudy-sorting.mdx", STUDY), ("projects/one.mdx", PROJECT), ("team.mdx", TEAM), ("broken.md", "---\ntitle: [\n---\nx"),
        ("template-casestudy.mdx", STUDY), ("notes.txt", "not a page")];
    let folder = pages(hub, "pages", &files);
    let report = bring(hub, &folder, "referrals", "ada").await.unwrap();
    let told = report.to_string();
    for line in ["casestudy-sorting.mdx → /case-studies/sorting-referrals", "projects/one.mdx → /case-studies/a-project", "team.mdx → /case-studies/team",
        "broken.md: its front matter cannot be read", "casestudy-sorting.mdx: \"Overview\" is in \"what we did\"", "of its front matter, now in \"what we did\": category: Projects",
        "casestudy-sorting.mdx: the figure images/queue-length.png is shown by its words",
        "published            1", "drafts               3", "broken               1"] {
        assert!(told.contains(line), "{line} in\n{told}");
    }
    let made = done(&eve.get("/api/v1/case-studies/sorting-referrals").await);
    assert_eq!((&made["state"], &made["playbook"]["slug"], &made["authors"][0]["handle"]), (&json!("published"), &json!("referrals"), &json!("ada")));
    let body = |key: &str| made["parts"][key]["body"].as_str().unwrap_or_default().to_owned();
    assert_eq!((body("summary"), body("challenge")), ("A small model that sorts referrals".into(), "Referrals waited for *weeks*.".into()));
    assert_eq!(body("what_we_did"), "Told before all.\n\n### Overview\nWho we are.\n\nWe sorted.\n\n![queue length](images/queue-length.png)\n\nFigure 1: the queue.");
    let html = made["parts"]["what_we_did"]["body_html"].as_str().unwrap();
    assert!(html.contains("<h3>Overview</h3>"), "right below the heading of its part: {html}");
    assert_eq!((body("outcomes"), body("what_next")), ("*Outcomes and lessons learned*\n\nShorter.".into(), "More.".into()));
    assert_eq!(body("find_out_more"), "First told [here](https://elsewhere.example/sorting).");
    assert_eq!(made["terms"]["technique"], json!(["nlp", "triage"]));
    assert_eq!(made["completeness"]["missing"], json!(["lessons_learned"]), "what it lacks is shown");
    let mine = done(&ada.get("/api/v1/me/case-studies").await);
    assert_eq!(mine["items"].as_array().unwrap().len(), 4);
    let team = done(&ada.get("/api/v1/case-studies/team").await);
    assert_eq!(team["parts"]["team"]["body"], "**Ann Other**\n\nLead\n\nShe **leads**.\n\nWell.");
    let log = done(&ada.get("/api/v1/case-studies/sorting-referrals/log").await);
    assert_eq!((&log["items"][0]["kind"], &log["items"][0]["revision"]), (&json!("imported"), &json!(1)));
    // Twice adds nothing twice.
    let again = bring(hub, &folder, "referrals", "ada").await.unwrap();
    assert_eq!((again.known, done(&ada.get("/api/v1/me/case-studies").await)["items"].as_array().unwrap().len()), (4, 4));
    // Whoever does not own the playbook brings drafts.
    let other = pages(hub, "others", &[("casestudy-more.mdx", STUDY)]);
    assert!(bring(hub, &other, "referrals", "eve").await.unwrap().to_string().contains("drafts               1"));
    assert!(bring(hub, &other, "Not A Slug", "eve").await.unwrap_err().contains("--playbook"));
    assert!(bring(hub, &other, "referrals", "nobody").await.unwrap_err().contains("--as nobody"));
    assert!(bring(hub, &hub.data_dir.join("none"), "referrals", "ada").await.unwrap_err().contains("cannot be read"));
    hub.settle().await;
});

/// The files of an archive.
fn unpacked(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

pub async fn archive(who: &Client, slug: &str) -> BTreeMap<String, String> {
    let request = who.request("GET", &format!("/api/v1/playbooks/{slug}/export"));
    let response = request.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
        (200, "application/zip")
    );
    unpacked(&response.bytes().await.unwrap())
}

hub_test!(async fn what_is_taken_away_is_brought_again_unchanged(hub) {
    let (rhea, ada) = (hub.member("rhea").await, hub.member("ada").await);
    playbook(&ada, "reads", None).await;
    done(&ada.patch("/api/v1/playbooks/reads", &json!({"introduction": "# Read me\n\n---\n\n\"Quoted\": yes", "checklist": ["One: two"]})).await);
    let scenario = json!({"title": "I need \"speed\"", "description": "Because: *waits*\n\n- a\n- b", "steps": ["Do\n\nthis", "Then that"]});
    let scenario = id(&done(&ada.post("/api/v1/playbooks/reads/scenarios", &scenario).await));
    let mut body = whole("Odd: \"title\" # 1", "reads");
    body["parts"]["what_we_did"] = json!("    code first\n\n## Outcomes\n\n<!-- part: aim -->\n\n```\n---\n```\n\nÜber 数据 <b>x</b>");
    body["parts"]["costs"] = json!({"body": "All in all.", "fields": {"bought": "A server: £5k\nand a rack", "hidden": "- time"}});
    body["parts"]["team"] = json!({"body": "", "fields": {"clinician": "Dr Example", "engineer": "Eve \\ Co"}});
    body["parts"]["licence"] = json!("OGL v3");
    body["scenarios"] = json!([scenario]);
    let slug = done(&ada.post("/api/v1/case-studies", &body).await)["slug"].as_str().unwrap().to_owned();
    done(&step(&ada, &slug, "submit", &json!({})).await);
    let ticked = json!({"checklist": ["One: two"]});
    done(&step(&rhea, &slug, "publish", &ticked).await);
    let another = study(&ada, "Another", "reads").await;
    done(&step(&ada, &another, "submit", &json!({})).await);
    done(&step(&rhea, &another, "publish", &ticked).await);
    let before = archive(&rhea, "reads").await;
    assert_eq!(before.keys().map(String::as_str).collect::<Vec<_>>(), ["playbook.md", "studies/another.md", "studies/odd-title-1.md"]);
    let single = text(&hub.visitor(), &format!("/api/v1/case-studies/{slug}/export.md")).await;
    assert_eq!(single, before["studies/odd-title-1.md"]);
    let files: Vec<(&str, &str)> = before.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = pages(hub, "taken", &files);
    let told = bring(hub, &folder, "again", "ada").await.unwrap().to_string();
    assert!(told.contains("published            2") && told.contains("scenarios            1") && !told.contains("to look at"), "{told}");
    // The same but for the addresses, which were taken.
    let after = archive(&rhea, "again").await;
    let same = |text: &str| text.replace("odd-title-1-2", "odd-title-1").replace("another-2", "another").replace("slug: \"again\"", "slug: \"reads\"");
    let after: BTreeMap<String, String> = after.iter().map(|(name, text)| (same(name), same(text))).collect();
    assert_eq!(after, before);
    let was = done(&rhea.get(&format!("/api/v1/case-studies/{slug}")).await);
    let now = done(&rhea.get(&format!("/api/v1/case-studies/{slug}-2")).await);
    let plain = |view: &Value| {
        let parts: BTreeMap<String, Value> = view["parts"].as_object().unwrap().iter()
            .map(|(key, part)| (key.clone(), json!([part["body"], part["body_html"], part["fields"], part["fields_html"], part["measures"]]))).collect();
        (parts, view["measures"].clone(), view["terms"].clone())
    };
    assert_eq!(plain(&now), plain(&was));
    hub.settle().await;
});

#[test]
fn the_program_says_what_it_needs() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path().join("pages")).unwrap();
    std::fs::write(folder.path().join("pages/casestudy-sorting.mdx"), STUDY).unwrap();
    std::fs::create_dir_all(folder.path().join("…")).unwrap();
    let unnamed = program(folder.path(), &["import", "markdown", "…"], &[]);
    assert!(unnamed.code == Some(2) && unnamed.err.contains("--playbook is missing"), "{unnamed:?}");
    let nobody = program(folder.path(), &["import", "markdown", "pages", "--playbook", "referrals"], &[]);
    assert!(nobody.code == Some(2) && nobody.err.contains("make an administrator first"), "{nobody:?}");
}

/// A picture as somebody's program writes it.
fn picture(format: image::ImageFormat, shade: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_fn(48, 32, |x, y| {
        image::Rgb([shade, u8::try_from(x * 5).unwrap(), u8::try_from(y * 7).unwrap()])
    });
    image::DynamicImage::ImageRgb8(image).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Every file of an archive by its name.
fn bytes_of(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

async fn export(who: &Client, slug: &str) -> Vec<u8> {
    let response = who.request("GET", &format!("/api/v1/playbooks/{slug}/export")).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    response.bytes().await.unwrap().to_vec()
}

hub_test!(async fn two_archives_are_built_at_a_time_and_nothing_of_them_stays(hub) {
    let ada = hub.member("ada").await;
    playbook(&ada, "reads", None).await;
    let exports = hub.state().exports.clone();
    let held = (exports.turn().await.unwrap(), exports.turn().await.unwrap());
    let refused = hub.visitor().get("/api/v1/playbooks/reads/export").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"), "{}", refused.text);
    assert_eq!(hub.visitor().get("/api/v1/playbooks/none/export").await.status, 404, "who gets nothing does not wait");
    drop(held);
    // Each gives its turn back, also one whose archive nobody reads.
    for _ in 0..3 {
        let unread = hub.visitor().request("GET", "/api/v1/playbooks/reads/export").send().await.unwrap();
        assert_eq!(unread.headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap(), export(&ada, "reads").await.len());
    }
    let left = std::fs::read_dir(&hub.data_dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.starts_with("export-")).collect();
    assert!(left.is_empty(), "{left:?}");
    hub.settle().await;
});

hub_test!(async fn pictures_come_with_their_pages_and_go_with_their_playbook(hub) {
    let (_rhea, _ada, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("eve").await);
    let page = "---\ntitle: \"With pictures\"\ncategory: CaseStudies\nsummary: \"Seen\"\n---\n\n## The challenge\n\nIt was slow.\n\n\
        ![The queue](images/the%20queue.png \"By week\")\n\n![](<../shared/scan.jpg>)\n\n## What we did\n\n![Gone](images/gone.png)\n\n![Fake](images/fake.png)\n\n\
        ![Out](../../secret.png)\n\n![Elsewhere](https://elsewhere.example/x.png)\n";
    let folder = pages(hub, "pictures/in", &[("studies/one.md", page), ("studies/images/fake.png", "no picture"), ("playbook.md",
        "---\ntype: playbook\ntitle: \"Seen\"\nslug: seen\ncover: \"shared/scan.jpg\"\ncover_alt: \"A scan\"\n---\n")]);
    std::fs::write(folder.parent().unwrap().join("secret.png"), picture(image::ImageFormat::Png, 1)).unwrap();
    std::fs::write(folder.join("studies/images/the queue.png"), picture(image::ImageFormat::Png, 90)).unwrap();
    std::fs::create_dir_all(folder.join("shared")).unwrap();
    std::fs::write(folder.join("shared/scan.jpg"), picture(image::ImageFormat::Jpeg, 200)).unwrap();
    let told = bring(hub, &folder, "seen", "ada").await.unwrap().to_string();
    for line in [
        "published            1",
        "the figure images/gone.png is shown by its words: it is not beside the page",
        "the figure images/fake.png is shown by its words: it is no PNG, JPEG, GIF or WebP picture",
        "the figure ../../secret.png is shown by its words: it would lie outside of the folder",
    ] {
        assert!(told.contains(line), "{line} in\n{told}");
    }
    assert!(!told.contains("the queue") && !told.contains("scan.jpg"), "{told}");
    hub.settle().await;
    let made = done(&eve.get("/api/v1/case-studies/with-pictures").await);
    let challenge = made["parts"]["challenge"]["body"].as_str().unwrap();
    assert!(challenge.contains("![The queue](/api/v1/files/") && challenge.contains("![scan](</api/v1/files/") && challenge.contains("\"By week\""), "{challenge}");
    let what = made["parts"]["what_we_did"]["body"].as_str().unwrap();
    assert!(what.contains("![Gone](images/gone.png)") && what.contains("![Out](../../secret.png)"), "{what}");
    let html = made["parts"]["challenge"]["body_html"].as_str().unwrap();
    let visitor = hub.visitor();
    let mut seen = 0;
    for address in html.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert_eq!(visitor.get(address).await.status, 200, "{address}");
        seen += 1;
    }
    assert_eq!(seen, 2, "{html}");
    let cover = done(&visitor.get("/api/v1/playbooks/seen").await);
    assert_eq!((cover["cover_url"].is_string(), &cover["cover_alt"]), (true, &json!("A scan")));

    // The archive has them, and reads itself again: as a file, and unpacked.
    let taken = export(&visitor, "seen").await;
    let before = bytes_of(&taken);
    let names: Vec<&str> = before.keys().map(String::as_str).collect();
    assert_eq!((names.len(), names.iter().filter(|name| name.starts_with("figures/")).count()), (4, 2), "{names:?}");
    let text = std::str::from_utf8(&before["studies/with-pictures.md"]).unwrap();
    assert!(text.contains("](../figures/") && !text.contains("/api/v1/files/"), "{text}");
    let file = hub.data_dir.join("seen.zip");
    std::fs::write(&file, &taken).unwrap();
    let told = bring(hub, &file, "again", "ada").await.unwrap().to_string();
    assert!(told.contains("published            1") && told.contains("gone.png") && !told.contains("figures/"), "{told}");
    hub.settle().await;
    let after = bytes_of(&export(&visitor, "again").await);
    let pictures = |files: &BTreeMap<String, Vec<u8>>| -> Vec<(String, Vec<u8>)> {
        files.iter().filter(|(name, _)| name.starts_with("figures/")).map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    };
    assert_eq!(pictures(&after), pictures(&before), "to the byte");
    let again = std::str::from_utf8(&after["studies/with-pictures-2.md"]).unwrap();
    assert_eq!(again.replace("with-pictures-2", "with-pictures"), text);
    // Twice adds nothing twice.
    assert_eq!(bring(hub, &file, "again", "ada").await.unwrap().known, 1);

    // What is no archive, or no good one, is told in a line.
    for (name, bytes, said) in [("plain.zip", b"not packed".to_vec(), "no folder and no ZIP"), ("cut.zip", taken.get(..taken.len() / 2).unwrap().to_vec(), "damaged")] {
        let file = hub.data_dir.join(name);
        std::fs::write(&file, bytes).unwrap();
        let refused = bring(hub, &file, "again", "ada").await.unwrap_err();
        assert!(refused.contains(said) && !refused.contains('\n'), "{refused}");
    }
    // Names that lead out of an archive are none, and one that unpacks to too much is not unpacked.
    let mut hostile = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in [("../out.md", STUDY.as_bytes()), ("ok/casestudy-ok.md", STUDY.as_bytes()), ("ok/large.md", &vec![b' '; 5 << 20])] {
        hostile.start_file(name, options).unwrap();
        std::io::Write::write_all(&mut hostile, text).unwrap();
    }
    let file = hub.data_dir.join("hostile.zip");
    std::fs::write(&file, hostile.finish().unwrap().into_inner()).unwrap();
    let told = bring(hub, &file, "hostile", "ada").await.unwrap().to_string();
    assert!(told.contains("large.md: it has more than 4 MB") && told.contains("case studies         1") && !told.contains("out.md"), "{told}");
    hub.settle().await;
});

/// A picture that a member uploaded; its id.
async fn uploaded(who: &Client, shade: u8) -> String {
    let bytes = picture(image::ImageFormat::Png, shade);
    let part = Part::bytes(bytes).file_name("shown.png").mime_str("image/png").unwrap();
    let request = who.request("POST", "/api/v1/files").multipart(Form::new().part("file", part));
    id(&done(&who.send(request).await))
}

/// The figures of an archive.
fn figures(files: &BTreeMap<String, Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    let of = files.iter().filter(|(name, _)| name.starts_with("figures/"));
    of.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

hub_test!(async fn a_study_goes_with_its_pictures_and_a_playbook_with_those_of_its_introduction(hub) {
    let (rhea, ada) = (hub.member("rhea").await, hub.member("ada").await);
    playbook(&ada, "reads", None).await;
    let (start, queue, later) = (uploaded(&ada, 10).await, uploaded(&ada, 90).await, uploaded(&ada, 200).await);
    let introduction = format!("Look:\n\n![Where to start](/api/v1/files/{start} \"Here\")");
    done(&ada.patch("/api/v1/playbooks/reads", &json!({"introduction": introduction})).await);
    let mut body = whole("Seen", "reads");
    body["parts"]["challenge"] = json!(format!("![The queue](/api/v1/files/{queue})"));
    let slug = done(&ada.post("/api/v1/case-studies", &body).await)["slug"].as_str().unwrap().to_owned();
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&rhea, &slug, "publish", &json!({})).await);
    let unseen = json!({"body": format!("![Not yet](/api/v1/files/{later})")});
    done(&ada.patch(&format!("{}/parts/what_we_did", at(&slug)), &unseen).await);
    hub.settle().await;
    let visitor = hub.visitor();
    let taken = |who: Client, query: &'static str| {
        let path = format!("{}/export{query}", at(&slug));
        async move {
            let response = who.request("GET", &path).send().await.unwrap();
            assert_eq!((response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()), (200, "application/zip"));
            response.bytes().await.unwrap().to_vec()
        }
    };
    let zip = taken(hub.visitor(), "").await;
    let readers = bytes_of(&zip);
    assert_eq!((readers.len(), figures(&readers).len()), (2, 1), "{:?}", readers.keys());
    let text = std::str::from_utf8(&readers["studies/seen.md"]).unwrap();
    assert!(text.contains("![The queue](../figures/") && !text.contains("/api/v1/files/") && !text.contains("Not yet"), "{text}");
    let writers = bytes_of(&taken(Client::sign_in(&hub.base, "ada").await, "").await);
    assert_eq!((writers.len(), figures(&writers).len()), (3, 2), "{:?}", writers.keys());
    let published = bytes_of(&taken(Client::sign_in(&hub.base, "ada").await, "?copy=published").await);
    assert_eq!(figures(&published), figures(&readers));
    // The page alone stays as it was.
    let single = self::text(&visitor, &format!("{}/export.md", at(&slug))).await;
    assert!(single.contains(&format!("![The queue](/api/v1/files/{queue})")), "{single}");

    let shown = |html: String| html.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned).unwrap();
    let file = hub.data_dir.join("seen.zip");
    std::fs::write(&file, &zip).unwrap();
    let told = bring(hub, &file, "again", "ada").await.unwrap().to_string();
    assert!(told.contains("published            1") && !told.contains("figures/"), "{told}");
    hub.settle().await;
    let made = done(&visitor.get("/api/v1/case-studies/seen-2").await);
    let address = shown(made["parts"]["challenge"]["body_html"].as_str().unwrap().to_owned());
    assert!(!address.contains(&queue) && visitor.get(&address).await.status == 200, "{address}");

    let whole = export(&visitor, "reads").await;
    let before = bytes_of(&whole);
    let page = std::str::from_utf8(&before["playbook.md"]).unwrap();
    assert!(page.contains("![Where to start](figures/") && page.contains("\"Here\"") && !page.contains("/api/v1/files/"), "{page}");
    assert_eq!(figures(&before).len(), 2, "{:?}", before.keys());
    let file = hub.data_dir.join("reads.zip");
    std::fs::write(&file, &whole).unwrap();
    let told = bring(hub, &file, "third", "ada").await.unwrap().to_string();
    assert!(!told.contains("figures/"), "{told}");
    hub.settle().await;
    let third = done(&visitor.get("/api/v1/playbooks/third").await);
    let address = shown(third["introduction_html"].as_str().unwrap().to_owned());
    assert!(!address.contains(&start) && visitor.get(&address).await.status == 200, "{address}");
    assert_eq!(figures(&bytes_of(&export(&visitor, "third").await)), figures(&before), "to the byte");
});
