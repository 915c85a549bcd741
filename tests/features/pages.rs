//! Every page: who gets it, that its HTML is valid, that no word is missing in it.

use std::collections::BTreeSet;
use std::path::Path;

use praxis_server::web::words::english;

use crate::support::hub::run_with;
use crate::support::pages::{PAGES, browser_of};
use crate::support::stage::{Cast, VIEWERS};
use crate::support::things::Things;
use crate::support::{Db, TestHub, html};

#[test]
fn everybody_gets_the_pages_that_the_table_says_and_all_are_valid() {
    run_with(Db::Sqlite, "pages", &[("rate_limit", "off")], async |hub| walk(hub).await);
}

async fn walk(hub: &TestHub) {
    let cast = Cast::of(hub).await;
    let things = Things::of(hub, &cast, "private").await;
    // The tag has to be somewhere where everybody sees it.
    let _open = Things::of(hub, &cast, "open").await;
    let mut wrong = Vec::new();
    for (at, name) in VIEWERS.iter().enumerate() {
        let browser = browser_of(hub, cast.viewer(name)).await;
        for (template, expected) in PAGES {
            let address = things.address(template);
            let answer = browser.page(&address).await;
            if answer.status != expected[at] {
                let text: String = answer.text.chars().take(80).collect();
                wrong.push(format!("{template} as {name}: {} and not {}: {text}", answer.status, expected[at]));
            }
            if answer.status == 303
                && expected[at] == 303
                && *name == "anonymous"
                && !answer.header("location").starts_with("/login?next=")
            {
                wrong.push(format!("{template} as {name} leads to {}", answer.header("location")));
            }
            if answer.header("content-type").starts_with("text/html") {
                for fault in html::faults(&answer.text) {
                    wrong.push(format!("{template} as {name}: {fault}"));
                }
                for key in bare_keys(&answer.text) {
                    wrong.push(format!("{template} as {name} shows the key {key}"));
                }
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Words that look like keys of the catalogue, where a text should be.
fn bare_keys(page: &str) -> Vec<String> {
    let features: BTreeSet<&str> = english().keys().filter_map(|key| key.split('.').next()).collect();
    page.split(|one: char| !(one.is_ascii_alphanumeric() || "._/".contains(one)))
        .filter(|word| {
            let mut parts = word.split('.');
            let first = parts.next().unwrap_or_default();
            let rest: Vec<&str> = parts.collect();
            features.contains(first)
                && !rest.is_empty()
                && rest
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
                && !["css", "js", "svg", "html"].contains(rest.last().unwrap_or(&""))
        })
        .map(str::to_owned)
        .collect()
}

/// The addresses that pages are routed by, read from where they are routed.
fn routed() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src/features"), &mut found);
    found
}

fn gather(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "api" {
            gather(&path, found);
        } else if name.ends_with(".rs") && !name.starts_with("api") {
            let text = std::fs::read_to_string(&path).unwrap();
            for mark in [".route(\"", "resource(\""] {
                for (at, _) in text.match_indices(mark) {
                    let function = text[..at].rsplit("fn ").next().unwrap_or_default();
                    let rest = &text[at + mark.len()..];
                    let address = rest.split('"').next().unwrap_or_default();
                    // As far as the next route: is it read?
                    let until = [".route(\"", "resource(\"", "\n}"].iter().filter_map(|end| rest.find(end)).min();
                    let of_it = &rest[..until.unwrap_or(rest.len())];
                    if !function.starts_with("configure_api")
                        && (of_it.contains("web::get()") || of_it.contains(".get("))
                    {
                        found.insert(address.to_owned());
                    }
                }
            }
        }
    }
}

#[test]
fn every_page_has_a_row() {
    let rows: BTreeSet<String> = PAGES.iter().map(|(path, _)| (*path).to_owned()).collect();
    let routed = routed();
    let missing: Vec<&String> = routed.difference(&rows).collect();
    assert!(missing.is_empty(), "without a row: {missing:#?}");
    assert!(routed.len() > 30, "{routed:?}");
}
