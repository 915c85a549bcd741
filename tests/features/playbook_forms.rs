//! The forms of case studies where something in them is wrong, and what pages of studies tell of
//! themselves, as a browser without scripts reads them.

use serde_json::json;

use super::playbook_pages::version;
use super::playbooks::{step, whole};
use crate::support::html::check_html;
use crate::support::stage::{done, id};
use crate::support::things::study;
use crate::support::{Client, TestHub, hub_test};

/// Olga runs the playbook `reads`, Alan writes a study in it; its slug, and both as they sign in.
async fn scene(hub: &TestHub) -> (Client, Client, String) {
    let (olga, alan) = (hub.member("olga").await, hub.member("alan").await);
    done(&olga.post("/api/v1/playbooks", &json!({"slug": "reads", "title": "Reads"})).await);
    let scenario = id(&done(&olga.post("/api/v1/playbooks/reads/scenarios", &json!({"title": "Faster"})).await));
    let slug = study(&alan, "reads", &scenario).await;
    (olga, alan, slug)
}

/// The tag that begins so.
fn tag<'a>(page: &'a str, begins: &str) -> &'a str {
    let at = page.find(begins).unwrap_or_else(|| panic!("no {begins} in {page}"));
    page[at..].split('>').next().unwrap()
}

hub_test!(async fn a_measure_that_is_no_number_is_said_of_its_own_field(hub) {
    let (_olga, _alan, slug) = scene(hub).await;
    let alan = Client::sign_in(&hub.base, "alan").await;
    let outcomes = format!("/case-studies/{slug}/edit/outcomes");
    let open = alan.page(&outcomes).await;
    let version = version(&open);
    let row = |name: &'static str, before: &'static str, after: &'static str| {
        [
            ("m.name", name), ("m.before", before), ("m.after", after), ("m.unit", "min"), ("m.n", ""),
            ("m.period", ""), ("m.method", ""), ("m.source", ""),
        ]
    };
    let mut fields = vec![("version", version.as_str()), ("body", "Shorter.")];
    fields.extend(row("Wait", "90", "30"));
    fields.extend(row("Reads", "many", "more"));
    let wrong = alan.form(&outcomes, &open.csrf(), &fields).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    check_html(&wrong.text);
    assert!(!tag(&wrong.text, "<textarea id=\"outcomes-body\"").contains("aria-invalid"), "{}", wrong.text);
    assert_eq!(wrong.text.matches("aria-invalid").count(), 2, "{}", wrong.text);
    for (field, error) in [("m1-before", "outcomes-error"), ("m1-after", "outcomes-error-2")] {
        let field = tag(&wrong.text, &format!("<input id=\"{field}\""));
        assert!(field.contains(&format!("aria-invalid=\"true\" aria-describedby=\"{error}\"")), "{field}");
        assert!(tag(&wrong.text, &format!("<p class=\"error part-said\" data-notice id=\"{error}\"")).contains("alert"));
    }
    // A fault of the text itself is said of the text.
    let long = "x".repeat(200_000);
    let fields = [("version", version.as_str()), ("body", long.as_str())];
    let wrong = alan.form(&outcomes, &open.csrf(), &fields).await;
    assert_eq!(wrong.status, 422);
    assert!(tag(&wrong.text, "<textarea id=\"outcomes-body\"").contains("outcomes-error\" aria-invalid"));
    hub.settle().await;
});

hub_test!(async fn every_landmark_of_a_study_and_of_the_register_has_a_name_of_its_own(hub) {
    let (olga, alan, slug) = scene(hub).await;
    let path = format!("/api/v1/case-studies/{slug}");
    done(&alan.post(&format!("{path}/submit"), &json!({})).await);
    done(&olga.post(&format!("{path}/publish"), &json!({})).await);
    let (vera, nora) = (hub.member("vera").await, hub.member("nora").await);
    for (who, organisation) in [(&vera, "Vale Trust"), (&nora, "Northbank")] {
        done(&who.put_json(&format!("{path}/adoption"), &json!({"status": "live", "organisation": organisation})).await);
    }
    hub.settle().await;
    let study = format!("/case-studies/{slug}");
    for page in [study.as_str(), &format!("{study}/adoptions"), "/playbooks/reads/users", "/adoptions"] {
        let answer = hub.visitor().page(page).await;
        assert_eq!(answer.status, 200, "{page}: {}", answer.text);
        check_html(&answer.text);
        let mut names: Vec<&str> = Vec::new();
        for tag in answer.text.split('<').filter(|tag| tag.starts_with("section") || tag.contains("role=\"region\"")) {
            let tag = tag.split('>').next().unwrap();
            // Without a name a section is no landmark.
            names.extend(tag.split_once("aria-label").map(|(_, name)| name));
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert!(all > 0 && names.len() == all, "{page}: {names:?}");
    }
});

hub_test!(async fn measures_with_long_values_and_across_zero_are_told_as_they_are(hub) {
    let (olga, alan, _slug) = scene(hub).await;
    let mut body = whole("Long and below zero", "reads");
    body["measures"] = json!([
        {"name": "Balance", "unit": "points of the score", "before": -5, "after": 3},
        {"name": "Cost", "unit": "£", "before": 123_456_789.12, "after": 42},
    ]);
    let slug = done(&alan.post("/api/v1/case-studies", &body).await)["slug"].as_str().unwrap().to_owned();
    done(&step(&alan, &slug, "submit", &json!({})).await);
    done(&step(&olga, &slug, "publish", &json!({})).await);
    hub.settle().await;
    let page = hub.visitor().page(&format!("/case-studies/{slug}")).await;
    assert_eq!(page.status, 200);
    check_html(&page.text);
    for there in [
        "<td>+8 points of the score</td>",
        "<td><span class=\"nowrap\">123,456,789.12</span> £</td>",
        // No room beside the bar.
        "x=\"100%\" y=\"14\" text-anchor=\"end\" fill=\"currentColor\" font-size=\"15\" font-weight=\"650\">123,456,789.12<tspan font-size=\"13\" font-weight=\"400\"> £</tspan></text>",
        "x=\"100%\" y=\"58\" text-anchor=\"end\"",
        // What stands in the text, too, is told apart from the rest of the side.
        "<section class=\"panel used is-twice\">",
    ] {
        assert!(page.text.contains(there), "{there}: {}", page.text);
    }
    assert!(!page.text.contains("160%"), "{}", page.text);
});
