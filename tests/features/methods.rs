//! Methods: a known address says which it takes.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Answer, hub_test};

fn allowed(answer: &Answer) -> BTreeSet<String> {
    answer.header("allow").split(", ").map(str::to_owned).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

hub_test!(async fn a_wrong_method_is_told_the_right_ones(hub) {
    let ada = hub.member("ada").await;
    for (method, path, right) in [
        ("DELETE", "/api/v1/spaces", &["GET", "HEAD", "OPTIONS", "POST"][..]),
        ("PUT", "/api/v1/topics/0000000000000", &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH"]),
        ("GET", "/api/v1/auth/login", &["OPTIONS", "POST"]),
        ("PATCH", "/api/v1/posts/0000000000000/answer", &["DELETE", "OPTIONS", "PUT"]),
        ("POST", "/healthz", &["GET", "HEAD", "OPTIONS"]),
    ] {
        let answer = ada.send(ada.request(method, path)).await;
        assert_eq!((answer.status, answer.header("content-type")), (405, "application/problem+json"), "{method} {path}");
        assert_eq!(answer.json()["status"], json!(405));
        assert_eq!(allowed(&answer), set(right), "{method} {path}");
    }
    let visitor = hub.visitor();
    let page = |method, path| {
        visitor.send(visitor.request(method, path).header("Origin", &visitor.base).header("Accept", "text/html"))
    };
    for (method, path, right) in [
        ("DELETE", "/people", &["GET", "HEAD", "OPTIONS"][..]),
        ("GET", "/logout", &["OPTIONS", "POST"]),
        ("PUT", "/login", &["GET", "HEAD", "OPTIONS", "POST"]),
    ] {
        let answer = page(method, path).await;
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text);
        assert!(answer.text.contains("<h1>") && answer.text.contains("does not take that method"), "{}", answer.text);
        assert_eq!(allowed(&answer), set(right), "{method} {path}");
    }
    for answer in [page("DELETE", "/nothing").await, ada.delete("/api/v1/nothing").await] {
        assert_eq!((answer.status, answer.header("allow")), (404, ""), "an unknown address stays unknown");
    }
});

hub_test!(async fn head_is_get_without_a_body_and_options_names_the_methods(hub) {
    let ada = hub.member("ada").await;
    for path in ["/api/v1/spaces", "/login", "/healthz", "/people/nobody", "/api/v1/nothing"] {
        let (get, head) = (ada.get(path).await, ada.send(ada.request("HEAD", path)).await);
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
    assert_eq!(ada.send(ada.request("HEAD", "/api/v1/auth/login")).await.status, 405);
    for (path, right) in [
        ("/api/v1/spaces", &["GET", "HEAD", "OPTIONS", "POST"][..]),
        ("/login", &["GET", "HEAD", "OPTIONS", "POST"]),
    ] {
        let answer = hub.visitor().send(hub.visitor().request("OPTIONS", path)).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{path}");
        assert_eq!(allowed(&answer), set(right));
        assert_eq!(answer.header("access-control-allow-origin"), "", "other sites are allowed nothing");
    }
    assert_eq!(hub.visitor().send(hub.visitor().request("OPTIONS", "/nothing")).await.status, 404);
});
