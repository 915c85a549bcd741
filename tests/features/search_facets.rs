//! Case studies among what search finds, narrowed down by what they are filed under.

use serde_json::{Value, json};

use super::playbooks::{playbook, put, step, whole};
use super::search::{search, settle};
use crate::support::stage::done;
use crate::support::{Client, search_test};

/// A published study with these terms alone.
async fn filed(author: &Client, reviewer: &Client, title: &str, playbook: &str, terms: Value) {
    let mut body = whole(title, playbook);
    body["terms"] = terms;
    let slug = done(&author.post("/api/v1/case-studies", &body).await)["slug"].as_str().unwrap().to_owned();
    done(&step(author, &slug, "submit", &json!({})).await);
    done(&step(reviewer, &slug, "publish", &json!({})).await);
}

search_test!(async fn case_studies_are_narrowed_down_by_what_they_are_filed_under(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "private").await;
    put(&ada, &format!("/api/v1/spaces/{space}/members/bob"), &json!({"role": "moderator"})).await;
    bob.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await;
    playbook(&bob, "reads", None).await;
    playbook(&ada, "inside", Some(&space)).await;
    filed(&ada, &bob, "Curlew wader one", "reads", json!({"technology": ["U-Net", "ONNX"], "country": ["Wales"]})).await;
    filed(&ada, &bob, "Curlew wader two", "reads", json!({"technology": ["u-net"], "country": ["England"]})).await;
    filed(&ada, &bob, "Curlew wader three", "reads", json!({"technology": ["ONNX"], "country": ["Wales"], "data_type": ["Chest \"X-ray\""]})).await;
    filed(&ada, &bob, "Curlew wader four", "inside", json!({"technology": ["U-Net", "Hidden engine"], "country": ["France"]})).await;
    let open = hub.space(&ada, "open").await;
    hub.topic(&ada, &open, "Curlew wader five").await;
    hub.settle().await;
    settle(hub).await;
    let visitor = hub.visitor();
    // One word and several are answered on two ways.
    for words in ["curlew", "curlew wader "] {
        let ask = async |who: &Client, more: &[(&str, &str)]| {
            let mut query = vec![("q", words)];
            query.extend_from_slice(more);
            search(who, &query).await
        };
        let all = ask(&visitor, &[]).await;
        assert_eq!((&all["total"], &all["facets"]["kind"]), (&json!(4), &json!({"case_study": 3, "topic": 1})), "{all}");
        let (technologies, countries) = (json!({"U-Net": 2, "ONNX": 2}), json!({"Wales": 2, "England": 1}));
        assert_eq!((&all["facets"]["technology"], &all["facets"]["country"]), (&technologies, &countries), "{all}");
        assert_eq!((&all["facets"]["data_type"], &all["facets"]["setting"]), (&json!({"Chest \"X-ray\"": 1}), &json!({})));
        let one = ask(&visitor, &[("technology", " u-NET")]).await;
        assert_eq!((&one["total"], &one["facets"]["kind"]), (&json!(2), &json!({"case_study": 2})), "{one}");
        assert_eq!(one["facets"]["technology"], technologies, "as if its own filter were not set");
        assert_eq!(one["facets"]["country"], json!({"Wales": 1, "England": 1}));
        let two = ask(&visitor, &[("technology", "onnx"), ("country", "wales"), ("kind", "case_study")]).await;
        assert_eq!((&two["total"], &two["facets"]["technology"]), (&json!(2), &json!({"U-Net": 1, "ONNX": 2})), "{two}");
        assert_eq!((&two["facets"]["country"], &two["facets"]["data_type"]), (&json!({"Wales": 2}), &json!({"Chest \"X-ray\"": 1})));
        assert_eq!(ask(&visitor, &[("data_type", "chest \"x-ray\"")]).await["total"], 1);
        let none = ask(&visitor, &[("technology", "ZZZ"), ("kind", "case_study")]).await;
        assert_eq!((&none["total"], &none["facets"]["technology"]), (&json!(0), &technologies), "{none}");
        assert_eq!(ask(&visitor, &[("technology", "onnx"), ("kind", "topic")]).await["total"], 0);
        // What is inside a space counts for its people alone.
        assert_eq!(ask(&visitor, &[("technology", "hidden engine")]).await["total"], 0);
        let inside = ask(&bob, &[]).await;
        assert_eq!(inside["facets"]["technology"], json!({"U-Net": 3, "ONNX": 2, "Hidden engine": 1}), "{inside}");
        assert_eq!(ask(&bob, &[("technology", "hidden engine"), ("country", "France")]).await["total"], 1);
    }
    let answer = visitor.get(&format!("/api/v1/search?q=curlew&technology={}", "x".repeat(201))).await;
    assert_eq!((answer.status, answer.json()["errors"][0]["field"].as_str()), (422, Some("technology")), "{}", answer.text);
    assert_eq!(visitor.get("/api/v1/search?q=curlew&technology=a%00b").await.status, 400);
    let page = visitor.page("/search?q=curlew&kind=case_study&technology=u-net").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("<h2>Technology</h2>") && page.text.contains("<h2>Country</h2>"), "{}", page.text);
    assert!(!page.text.contains("<h2>Setting</h2>") && !page.text.contains("<h2>Tags</h2>"), "{}", page.text);
    assert!(page.text.contains("aria-current=\"true\"><span>U-Net</span>") && page.text.contains("country=Wales"), "{}", page.text);
    assert!(page.text.contains("name=\"technology\" value=\"u-net\"") && page.text.contains("#i-study"), "{}", page.text);
});
