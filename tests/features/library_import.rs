//! `praxis import documents`: a folder becomes resources, once.

use praxis_server::features::imports::documents::{Options, import};
use serde_json::{Value, json};

use crate::support::program::Folder;
use crate::support::stage::{done, id};
use crate::support::{Client, TestHub, hub_test};

async fn run(hub: &TestHub, folder: &Folder) -> praxis_server::features::imports::Report {
    let options = Options { folder: folder.path().to_owned(), space: "guides".into(), owner: None, quiet: true };
    let report = import(hub.state(), &options).await.unwrap_or_else(|line| panic!("{line}"));
    hub.settle().await;
    report
}

async fn all(who: &Client) -> Vec<Value> {
    done(&who.get("/api/v1/spaces/guides/resources?limit=100").await)["items"].as_array().unwrap().clone()
}

hub_test!(async fn a_folder_becomes_a_library_and_twice_is_once(hub) {
    let ada = hub.member("ada").await;
    let folder = Folder::new();
    let put = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("a/pumps.md", b"---\ntitle: Pumps on wards\ndescription: Which one.\ntags: [pumps, Ward Safety]\nauthor: Bea Example\n---\n# Other\n\nThe **text**.\n");
    put("a/counts.csv", b"Ward,Alerts\nA,1\n");
    put("plain", b"Words without an ending.");
    put("empty.txt", b"");
    put(".hidden/secret.md", b"# Secret");
    put("program.pdf", b"MZ\x90\x00\x03\x00");
    let first = run(hub, &folder).await;
    assert_eq!((first.resources, first.known, first.skipped, first.broken), (3, 0, 1, 1));
    let rows = all(&ada).await;
    assert_eq!(rows.len(), 3);
    let pumps = rows.iter().find(|row| row["title"] == "Pumps on wards").unwrap();
    assert_eq!((&pumps["form"], &pumps["summary"]), (&json!("note"), &json!("Which one.")));
    assert_eq!((&pumps["tags"], &pumps["authors"]), (&json!(["pumps", "ward-safety"]), &json!(["Bea Example"])));
    let view = done(&ada.get(&format!("/api/v1/resources/{}", id(pumps))).await);
    assert!(view["current"]["body_html"].as_str().unwrap().contains("<strong>text</strong>"), "{view}");
    assert!(!view["current"]["body"].as_str().unwrap().contains("title:"));
    let counts = rows.iter().find(|row| row["title"] == "counts").unwrap();
    let view = done(&ada.get(&format!("/api/v1/resources/{}", id(counts))).await);
    assert_eq!((&view["current"]["file"]["text"], &view["kind"]), (&json!("done"), &json!("dataset")));

    let second = run(hub, &folder).await;
    assert_eq!((second.resources, second.known, second.changed), (0, 3, 0));
    assert_eq!(all(&ada).await.len(), 3);
    assert_eq!(crate::features::library_files::kept(hub), 2, "nothing is kept twice");
    put("a/counts.csv", b"Ward,Alerts\nA,2\n");
    put("a/pumps.md", b"---\ntitle: Pumps on wards\n---\nNew text.\n");
    let third = run(hub, &folder).await;
    assert_eq!((third.resources, third.known, third.changed), (0, 1, 2));
    let view = done(&ada.get(&format!("/api/v1/resources/{}", id(pumps))).await);
    assert_eq!((&view["version_count"], &view["current"]["body"]), (&json!(2), &json!("New text.")));
    // What was deleted here does not come back.
    done(&ada.delete(&format!("/api/v1/resources/{}", id(counts))).await);
    assert_eq!(run(hub, &folder).await.known, 3);
    assert_eq!(all(&ada).await.len(), 2);
});

hub_test!(async fn what_a_file_says_of_itself_is_taken_when_it_changes(hub) {
    let ada = hub.member("ada").await;
    let folder = Folder::new();
    let put = |text: &str| std::fs::write(folder.path().join("pumps.md"), text).unwrap();
    put("---\ntitle: Pumps\nlicense: OGL\n---\nThe text.\n");
    assert_eq!(run(hub, &folder).await.resources, 1);
    let at = format!("/api/v1/resources/{}", id(&all(&ada).await[0]));
    done(&ada.patch(&at, &json!({"summary": "Written here."})).await);
    assert_eq!(run(hub, &folder).await.known, 1, "what was written here stays");
    put("---\ntitle: Pumps on wards\nlicense: OGL\n---\nThe text.\n");
    let told = run(hub, &folder).await;
    assert_eq!((told.changed, told.known), (1, 0));
    let view = done(&ada.get(&at).await);
    assert_eq!((&view["title"], &view["version_count"]), (&json!("Pumps on wards"), &json!(1)));
    assert_eq!((&view["summary"], &view["licence"]), (&json!("Written here."), &json!("OGL")));
    assert_eq!(run(hub, &folder).await.known, 1);
});

hub_test!(async fn two_folders_of_one_name_are_two_and_one_author_stops_nothing(hub) {
    let (ada, _bea) = (hub.member("ada").await, hub.member("bea").await);
    let (one, two) = (Folder::new(), Folder::new());
    let docs = |of: &Folder, text: &str| {
        let docs = of.path().join("docs");
        std::fs::create_dir_all(&docs).unwrap();
        std::fs::write(docs.join("a.txt"), text).unwrap();
        docs
    };
    let import_from = async |folder: std::path::PathBuf, owner: Option<&str>| {
        let options = Options { folder, space: "guides".into(), owner: owner.map(str::to_owned), quiet: true };
        let report = import(hub.state(), &options).await.unwrap_or_else(|line| panic!("{line}"));
        hub.settle().await;
        report
    };
    assert_eq!(import_from(docs(&one, "Of the first."), Some("bea")).await.resources, 1);
    assert_eq!(import_from(docs(&two, "Of the second."), None).await.resources, 1);
    assert_eq!(all(&ada).await.len(), 2);
    for folder in [&one, &two] {
        let again = import_from(folder.path().join("docs"), None).await;
        assert_eq!((again.resources, again.known), (0, 1));
        assert_eq!(again.texts, [("files read".to_owned(), 1)], "{again}");
    }
    // Who shared it may no longer change it: that is said, and the rest goes on.
    done(&ada.post("/api/v1/members/bea/suspend", &json!({"reason": "Checked."})).await);
    std::fs::write(one.path().join("docs/b.txt"), "Another.").unwrap();
    let third = import_from(docs(&one, "Of the first, changed."), None).await;
    assert_eq!((third.broken, third.resources), (1, 1), "{third}");
});

#[test]
fn what_cannot_be_imported_is_one_line() {
    let folder = Folder::new();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "x").unwrap();
    for path in ["nothing-here", file.to_str().unwrap()] {
        let ended =
            crate::support::program::run(folder.path(), &["import", "documents", path, "--space", "guides"], &[]);
        assert_eq!(ended.code, Some(2), "{}", ended.err);
        assert_eq!(ended.err.trim().lines().count(), 1, "{}", ended.err);
    }
}
