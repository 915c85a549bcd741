//! What was taken away comes again as it was: to its readers alone, once, with its people, whole.

use std::path::{Path, PathBuf};

use praxis_server::features::imports::Report;
use praxis_server::features::imports::markdown::{Options, import};
use serde_json::json;

use super::playbooks::{at, playbook, published, put, step, whole};
use super::playbooks_import::{archive, pages};
use crate::support::stage::done;
use crate::support::{Client, TestHub, hub_test};

/// A playbook's export in a folder.
async fn taken(hub: &TestHub, who: &Client, slug: &str, name: &str) -> PathBuf {
    let files = archive(who, slug).await;
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    pages(hub, name, &files)
}

async fn bring(
    hub: &TestHub,
    folder: &Path,
    playbook: &str,
    space: Option<&str>,
    owner: &str,
) -> Result<Report, String> {
    let (space, owner) = (space.map(str::to_owned), Some(owner.to_owned()));
    let options = Options { folder: folder.to_owned(), playbook: playbook.into(), space, owner, quiet: true };
    import(hub.state(), &options).await
}

/// One file of a folder, with one thing said otherwise.
fn reworded(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} in\n{text}");
    std::fs::write(&path, text.replace(from, to)).unwrap();
}

hub_test!(async fn what_was_restricted_is_not_opened_by_an_import(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "private").await;
    put(&ada, &format!("/api/v1/spaces/{space}/members/bob"), &json!({"role": "moderator"})).await;
    bob.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await;
    playbook(&ada, "inside", Some(&space)).await;
    published(&ada, &bob, "Inside only", "inside").await;
    let folder = taken(hub, &ada, "inside", "inside").await;
    let page = std::fs::read_to_string(folder.join("playbook.md")).unwrap();
    assert!(page.contains("visibility: \"restricted\"") && page.contains(&format!("space: \"{space}\"")), "{page}");

    // Its own space is here.
    bring(hub, &folder, "again", None, "ada").await.unwrap();
    let made = done(&ada.get("/api/v1/playbooks/again").await);
    assert_eq!((&made["visibility"], &made["space"]), (&json!("restricted"), &json!(space)));
    assert_eq!(ada.get(&at("inside-only-2")).await.status, 200);
    for path in ["/api/v1/playbooks/again", &at("inside-only-2")] {
        assert_eq!(hub.visitor().get(path).await.status, 404, "{path}");
    }
    // Nor does it come into a playbook that anybody reads, or into a space that its bringer is not in.
    playbook(&bob, "open", None).await;
    let refused = bring(hub, &folder, "open", None, "bob").await.unwrap_err();
    assert!(refused.contains("open to anybody") && !refused.contains('\n'), "{refused}");
    hub.member("eve").await;
    let refused = bring(hub, &folder, "evil", None, "eve").await.unwrap_err();
    assert!(refused.contains("cannot write in the space") && refused.contains("--space"), "{refused}");
    // Nor does a case study by itself.
    let alone = ada.get(&format!("{}/export.md?copy=published", at("inside-only"))).await.text;
    assert_eq!(alone, std::fs::read_to_string(folder.join("studies/inside-only.md")).unwrap());
    let single = pages(hub, "single", &[("inside-only.md", alone.as_str())]);
    let told = bring(hub, &single, "open", None, "bob").await.unwrap().to_string();
    assert!(told.contains("drafts               1") && told.contains("inside-only.md: it was restricted"), "{told}");
    assert_eq!(hub.visitor().get(&at("inside-only-3")).await.status, 404);
    // Where its space is not here, or is everybody's, somebody has to say which one.
    let wide = hub.space(&ada, "open").await;
    let named = format!("space: \"{space}\"");
    for (space, said) in [("gone", "the space gone is not here"), (wide.as_str(), "is open to anybody here")] {
        let folder = taken(hub, &ada, "inside", space).await;
        reworded(&folder, "playbook.md", &named, &format!("space: \"{space}\""));
        let refused = bring(hub, &folder, "third", None, "ada").await.unwrap_err();
        assert!(refused.contains(said) && refused.contains("--space"), "{refused}");
        assert_eq!(ada.get("/api/v1/playbooks/third").await.status, 404, "nothing is made");
    }
    bring(hub, &hub.data_dir.join("gone"), "third", Some(&space), "ada").await.unwrap();
    assert_eq!(done(&ada.get("/api/v1/playbooks/third").await)["space"], json!(space));
    assert_eq!(hub.visitor().get("/api/v1/playbooks/third").await.status, 404);
    hub.settle().await;
});

hub_test!(async fn its_own_export_adds_nothing_to_a_playbook(hub) {
    let (rhea, ada) = (hub.member("rhea").await, hub.member("ada").await);
    playbook(&ada, "reads", None).await;
    for title in ["Same", "Changed", "Hidden"] {
        published(&ada, &rhea, title, "reads").await;
    }
    let folder = taken(hub, &rhea, "reads", "own").await;
    reworded(&folder, "studies/changed.md", "We measured.", "We guessed.");
    let hide = rhea.post(&format!("{}/hide", at("hidden")), &json!({"reason": "It names a patient."})).await;
    assert_eq!(hide.status, 204, "{}", hide.text);
    let told = bring(hub, &folder, "reads", None, "ada").await.unwrap().to_string();
    for line in ["already here         3", "case studies         0", "studies/changed.md: /case-studies/changed", "studies/hidden.md: /case-studies/hidden"] {
        assert!(told.contains(line), "{line} in\n{told}");
    }
    assert!(!told.contains("studies/same.md"), "{told}");
    let visitor = hub.visitor();
    for slug in ["same-2", "changed-2", "hidden", "hidden-2"] {
        assert_eq!(visitor.get(&at(slug)).await.status, 404, "{slug}");
    }
    assert_eq!(done(&visitor.get(&at("changed")).await)["parts"]["what_we_did"]["body"], "We measured.");
    // Into another playbook what was hidden comes as a draft.
    let told = bring(hub, &folder, "other", None, "ada").await.unwrap().to_string();
    assert!(told.contains("published            2") && told.contains("studies/hidden.md: moderators have hidden"), "{told}");
    assert_eq!(visitor.get(&at("hidden-2")).await.status, 404);
    hub.settle().await;
});

hub_test!(async fn a_case_study_of_another_hub_keeps_its_people_and_days(hub) {
    let (rhea, ada, _bea) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bea").await);
    playbook(&ada, "reads", None).await;
    let mut body = whole("Faster", "reads");
    body["parts"]["owner"] = json!("ada");
    body["parts"]["review_due"] = json!("2099-01-31");
    let slug = done(&ada.post("/api/v1/case-studies", &body).await)["slug"].as_str().unwrap().to_owned();
    for (handle, role) in [("bea", "author"), ("rhea", "credited")] {
        let answer = put(&ada, &format!("{}/authors/{handle}", at(&slug)), &json!({"role": role})).await;
        assert!((200..300).contains(&answer.status), "{}", answer.text);
    }
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&rhea, &slug, "publish", &json!({})).await);
    let text = archive(&rhea, "reads").await.remove("studies/faster.md").unwrap();
    assert!(text.contains("authors: [{handle: \"ada\", name: \"ada Example\"}, {handle: \"bea\", name: \"bea Example\"}]"), "{text}");
    // As a hub would write it whose members are not here.
    let published = text.lines().find(|line| line.starts_with("published: ")).unwrap().to_owned();
    let elsewhere = text
        .replace("\"ada\"", "\"priya\"").replace("ada Example", "Priya Example").replace("\"bea\"", "\"liam\"").replace("bea Example", "Liam Éxample")
        .replace("\"rhea\"", "\"noor\"").replace("slug: \"faster\"", "slug: \"faster-elsewhere\"").replace(&published, "published: \"2024-03-01\"");
    let folder = pages(hub, "elsewhere", &[("studies/faster-elsewhere.md", elsewhere.as_str())]);
    let told = bring(hub, &folder, "fresh", None, "ada").await.unwrap().to_string();
    assert!(told.contains("published            1") && !told.contains("to look at"), "{told}");
    let again = archive(&rhea, "fresh").await.remove("studies/faster-elsewhere.md").unwrap();
    assert_eq!(again, elsewhere, "to the byte");
    let made = done(&hub.visitor().get(&at("faster-elsewhere")).await);
    assert_eq!((&made["owner"]["handle"], &made["authors"][1]["display_name"]), (&json!("priya"), &json!("Liam Éxample")));
    assert!(made["published_at"].as_str().unwrap().starts_with("2024-03-01") && made["parts"]["team"].is_null(), "{made}");
    // The same people are no others in another playbook; handles alone are read as ever.
    let other = elsewhere.replace("faster-elsewhere", "faster-third").replace(", name: \"Liam Éxample\"", "").replace("{handle: \"liam\"}", "\"liam\"");
    let folder = pages(hub, "third", &[("studies/faster-third.md", other.as_str())]);
    bring(hub, &folder, "third", None, "ada").await.unwrap();
    let third = done(&hub.visitor().get(&at("faster-third")).await);
    assert_eq!(third["authors"], made["authors"]);
    // A draft of theirs is also whose who brings it.
    let draft = elsewhere.replace("faster-elsewhere", "draft").replace("state: \"published\"", "state: \"draft\"");
    let folder = pages(hub, "draft", &[("draft.md", draft.as_str())]);
    bring(hub, &folder, "third", None, "ada").await.unwrap();
    assert_eq!(done(&ada.get(&at("draft")).await)["authors"][2]["handle"], "ada");
    hub.settle().await;
});

hub_test!(async fn a_text_that_is_too_long_for_its_part_goes_on_in_another(hub) {
    let _ada = hub.member("ada").await;
    let paragraphs = |count: usize| (0..count).map(|at| format!("{at}: {}", "word ".repeat(99).trim_end())).collect::<Vec<_>>().join("\n\n");
    let page = |text: &str| format!("---\ntype: case_study\ntitle: Long\nsummary: Much\n---\n\n## What we did\n\n{text}\n\n## Find out more\n\nElsewhere.\n");
    let (long, huge) = (paragraphs(150), paragraphs(3_000));
    assert!(long.len() > 60_000 && huge.len() > 23 * 60_000);
    let folder = pages(hub, "long", &[("long.md", page(&long).as_str()), ("huge.md", page(&huge).as_str())]);
    let told = bring(hub, &folder, "reads", None, "ada").await.unwrap().to_string();
    for line in ["long.md: what_we_did is longer than 60000 characters: more of it is in find_out_more", "huge.md: page has more text than a case study has room for",
        "published            1", "broken               1"] {
        assert!(told.contains(line), "{line} in\n{told}");
    }
    let made = done(&hub.visitor().get(&at("long")).await);
    let part = |key: &str| made["parts"][key]["body"].as_str().unwrap().to_owned();
    let (begin, more) = (part("what_we_did"), part("find_out_more"));
    assert!(begin.chars().count() <= 60_000 && more.starts_with("Elsewhere.\n\n"), "{more}");
    assert_eq!(format!("{begin}\n\n{}", more.trim_start_matches("Elsewhere.\n\n")), long);
    // A playbook's own page is refused before anything is made.
    let folder = pages(hub, "front", &[("playbook.md", format!("---\ntype: playbook\ntitle: Front\n---\n\n{long}\n").as_str()), ("long.md", page("Short.").as_str())]);
    let refused = bring(hub, &folder, "front", None, "ada").await.unwrap_err();
    assert!(refused.contains("playbook.md: its introduction has a text of more than 60000 characters"), "{refused}");
    assert_eq!(hub.visitor().get("/api/v1/playbooks/front").await.status, 404);
    hub.settle().await;
});
