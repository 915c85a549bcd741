//! What every answer has, whatever it says: headers, errors in their shape, limits.

use serde_json::{Value, json};

use crate::support::hub::run_with;
use crate::support::{Answer, Client, Db, hub_test};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'";

/// An error of the API: its type, its status and the five members of RFC 9457, and nothing of ours.
fn problem(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let body = answer.json();
    assert_eq!(body["status"], status);
    assert_eq!(body["type"], "about:blank");
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()));
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    body
}

hub_test!(async fn a_new_hub_is_ready(hub) {
    let visitor = hub.visitor();
    let live = visitor.get("/healthz").await;
    assert_eq!((live.status, live.json()), (200, json!({"status": "ok"})));
    let answer = visitor.get("/readyz").await;
    assert_eq!(answer.status, 200);
    let components = answer.json()["components"].clone();
    for name in ["database", "bus", "search", "storage", "mail"] {
        assert!(components[name]["state"].is_string(), "{name} in {components}");
    }
    assert_eq!(components["database"]["state"], "ok");
});

#[test]
fn readiness_is_looked_at_once_for_all_who_ask_at_a_time() {
    use std::io::{Read as _, Write as _};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    // What says that it is a scanner, and counts how often it is asked.
    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (door.local_addr().unwrap().to_string(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut caller in door.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let _said = caller.read_exact(&mut [0; 6]).and_then(|()| caller.write_all(b"PONG\0"));
        }
    });
    run_with(Db::Sqlite, "readiness", &[("clamd", &address)], async |hub| {
        let before = asked.load(Ordering::SeqCst);
        let ask = async || hub.visitor().get("/readyz").await;
        let answers = futures_util::future::join_all((0..40).map(|_| ask())).await;
        for answer in answers {
            assert_eq!((answer.status, &answer.json()["components"]["scanner"]["state"]), (200, &json!("ok")));
        }
        let looked = asked.load(Ordering::SeqCst) - before;
        assert!((1..=10).contains(&looked), "{looked} looks for 40 who asked");
    });
}

hub_test!(async fn what_is_not_there_is_a_problem_for_programs_and_a_page_for_people(hub) {
    let answer = hub.visitor().get("/api/v1/nothing").await;
    assert_eq!(
        problem(&answer, 404),
        json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Nothing is here, or it is not for you to see."})
    );
    let page = hub.visitor().page("/nothing").await;
    assert_eq!(page.status, 404);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text.contains("<h1>"));
    assert!(page.text.contains("/login?next=%2Fnothing") || page.text.contains("/login?next=/nothing"), "{}", page.text);
    assert!(page.text.contains(page.header("x-request-id")), "the page shows the request's name");
});

hub_test!(async fn every_kind_of_answer_carries_the_security_headers(hub) {
    let visitor = hub.visitor();
    let home = visitor.page("/").await;
    let style = home.text.split("href=\"/assets/").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("0/none");
    let answers = vec![
        ("home", visitor.page("/").await),
        ("form", visitor.page("/login").await),
        ("lost page", visitor.page("/nothing").await),
        ("asset", visitor.get(&format!("/assets/{style}")).await),
        ("lost asset", visitor.get("/assets/0/none.css").await),
        ("health", visitor.get("/healthz").await),
        ("readiness", visitor.get("/readyz").await),
        ("metrics", visitor.get("/metrics").await),
        ("document", visitor.get("/api/openapi.json").await),
        ("lost route", visitor.get("/api/v1/nothing").await),
        ("refused", visitor.get("/api/v1/me").await),
        ("wrong method", visitor.delete("/healthz").await),
        ("foreign form", visitor.send(visitor.request("POST", "/login").header("Origin", "https://elsewhere.example")).await),
        ("way to sign in", visitor.page("/settings").await),
    ];
    for (what, answer) in &answers {
        assert_eq!(answer.header("content-security-policy"), POLICY, "{what}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{what}");
        assert!(answer.header("permissions-policy").contains("camera=()"), "{what}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{what}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{what}");
        assert_eq!(answer.header("x-request-id").len(), 12, "{what}");
        assert_eq!(answer.header("strict-transport-security"), "", "{what}: this hub is not on https");
        assert_eq!(answer.header("server"), "", "{what}");
    }
});

#[test]
fn a_hub_on_https_says_so_for_good_and_its_cookies_are_secure() {
    run_with(Db::Sqlite, "https", &[("base_url", "https://hub.example.org")], async |hub| {
        let answer = hub.visitor().page("/login").await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
        let cookie = answer.header("set-cookie");
        for part in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
    });
}

hub_test!(async fn a_form_needs_the_origin_of_the_hub_and_its_token(hub) {
    hub.member("ada").await;
    let ada = Client::sign_in(&hub.base, "ada").await;
    let csrf = ada.page("/nothing").await.csrf();
    assert!(csrf.len() >= 20);
    let form = |origin: Option<&str>, token: &str| {
        let mut request = ada.request("POST", "/logout").header("Content-Type", "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        request.body(format!("_csrf={token}"))
    };
    for (what, request) in [
        ("no origin", form(None, &csrf)),
        ("null origin", form(Some("null"), &csrf)),
        ("another origin", form(Some("https://elsewhere.example"), &csrf)),
        ("an origin that begins alike", form(Some(&format!("{}.elsewhere.example", hub.base)), &csrf)),
        ("no token", form(Some(&hub.base), "")),
        ("a token of one's own making", form(Some(&hub.base), "0000000000000000000000000000000000000000")),
    ] {
        assert_eq!(ada.send(request).await.status, 403, "{what}");
        assert_eq!(ada.get("/api/v1/me").await.status, 200, "{what}: still signed in");
    }
    hub.member("bob").await;
    let bob = Client::sign_in(&hub.base, "bob").await;
    let foreign = bob.page("/nothing").await.csrf();
    assert_eq!(ada.send(form(Some(&hub.base), &foreign)).await.status, 403, "somebody else's token");
    assert_eq!(ada.send(form(Some(&hub.base), &csrf)).await.status, 303);
});

hub_test!(async fn a_cookie_writes_by_the_api_only_with_origin_and_header(hub) {
    hub.member("ada").await;
    let ada = Client::sign_in(&hub.base, "ada").await;
    let csrf = ada.page("/nothing").await.csrf();
    let patch = |origin: &str, token: &str| {
        let request = ada.request("PATCH", "/api/v1/me").json(&json!({"headline": "Listens"}));
        let request = if origin.is_empty() { request } else { request.header("Origin", origin) };
        if token.is_empty() { request } else { request.header("X-CSRF-Token", token) }
    };
    problem(&ada.send(patch("", "")).await, 403);
    problem(&ada.send(patch(&hub.base, "")).await, 403);
    problem(&ada.send(patch("", &csrf)).await, 403);
    problem(&ada.send(patch("https://elsewhere.example", &csrf)).await, 403);
    problem(&ada.send(patch(&hub.base, "wrong")).await, 403);
    assert_eq!(ada.send(patch(&hub.base, &csrf)).await.status, 200);
    assert_eq!(ada.get("/api/v1/me").await.json()["headline"], "Listens");
});

hub_test!(async fn bodies_that_cannot_be_read_are_named_as_what_they_are(hub) {
    let ada = hub.member("ada").await;
    let send = async |kind: Option<&str>, body: Vec<u8>| {
        let mut request = ada.request("POST", "/api/v1/spaces").body(body);
        if let Some(kind) = kind {
            request = request.header("Content-Type", kind);
        }
        ada.send(request).await
    };
    let json = Some("application/json");
    let unread = problem(&send(json, b"{\"slug\":".to_vec()).await, 400);
    assert_eq!(
        unread,
        json!({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "The body is not JSON."})
    );
    problem(&send(json, Vec::new()).await, 400);
    let twice = b"{\"slug\":\"a-b\",\"name\":\"A\",\"description\":\"\",\"visibility\":\"open\"} {}".to_vec();
    problem(&send(json, twice).await, 400);
    problem(&send(json, vec![0xff, 0xfe, b'"']).await, 400);
    let typed = problem(&send(None, b"{}".to_vec()).await, 415);
    assert_eq!(typed["title"], "Unsupported Media Type");
    problem(&send(Some("text/plain"), b"{}".to_vec()).await, 415);
    problem(&send(Some("application/x-www-form-urlencoded"), b"slug=a".to_vec()).await, 415);
    let large = problem(&send(json, format!("{{\"slug\":\"{}\"}}", "a".repeat(2100 << 10)).into_bytes()).await, 413);
    assert_eq!(large["detail"], "The body may have 2048 kB at most.");
    let wrong = problem(&send(json, b"{\"slug\":7}".to_vec()).await, 422);
    assert_eq!(wrong["errors"], json!([{"field": "slug", "message": "is not of the right type"}]));
    let missing = problem(&send(json, b"{}".to_vec()).await, 422);
    assert_eq!(missing["errors"][0]["message"], "is needed");
    assert!(missing["errors"][0]["field"].is_string());
});

hub_test!(async fn a_form_has_limits_and_a_type(hub) {
    let visitor = hub.visitor();
    let csrf = visitor.page("/login").await.csrf();
    let large = "a".repeat((1 << 20) + 1000);
    let answer = visitor.form("/login", &csrf, &[("login", &large), ("password", "x")]).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text.contains("<h1>"));
    let typed = visitor
        .request("POST", "/login")
        .header("Origin", &hub.base)
        .header("Accept", "text/html")
        .header("Content-Type", "application/json")
        .body("{}");
    assert_eq!(visitor.send(typed).await.status, 415);
});

hub_test!(async fn a_token_that_is_not_good_is_an_error_and_not_a_visitor(hub) {
    let mut visitor = hub.visitor();
    for token in ["nonsense", "a.b.c", "pxt_0000000000000000", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."] {
        visitor.bearer = Some(token.to_owned());
        let answer = visitor.get("/api/v1/spaces").await;
        problem(&answer, 401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
});

hub_test!(async fn who_writes_too_much_waits(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let mut last = None;
    for _ in 0..200 {
        let answer = ada.patch("/api/v1/me", &json!({"headline": 7})).await;
        if answer.status == 429 {
            last = Some(answer);
            break;
        }
        assert_eq!(answer.status, 422, "{}", answer.text);
    }
    let answer = last.expect("200 writes in a row are too many");
    let body = problem(&answer, 429);
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(body["detail"], format!("Too many requests; come back in {wait} s."));
    assert_eq!(ada.get("/api/v1/me").await.status, 200, "reading goes on");
    assert_eq!(bob.patch("/api/v1/me", &json!({"headline": "b"})).await.status, 200, "others write on");
    assert_eq!(ada.get("/healthz").await.status, 200);
});

hub_test!(async fn figures_are_for_those_with_the_token(hub) {
    let visitor = hub.visitor();
    let answer = visitor.get("/metrics").await;
    assert_eq!(answer.status, 200);
    for name in ["praxis_http_request_seconds_bucket", "praxis_sockets", "praxis_jobs_dead", "praxis_database_connections"] {
        assert!(answer.text.contains(name) || name.ends_with("bucket"), "{name}");
    }
    let answer = visitor.get("/metrics").await;
    assert!(answer.text.contains("route=\"/metrics\",status=\"200\""), "{}", answer.text);
    let through = visitor.request("GET", "/metrics").header("X-Forwarded-For", "203.0.113.7");
    assert_eq!(visitor.send(through).await.status, 404, "not through a proxy");
});

#[test]
fn with_a_token_the_figures_need_it_from_everywhere() {
    run_with(Db::Sqlite, "metrics", &[("metrics_token", "sesame-sesame")], async |hub| {
        let mut visitor = hub.visitor();
        assert_eq!(visitor.get("/metrics").await.status, 401);
        visitor.bearer = Some("sesame".into());
        assert_eq!(visitor.get("/metrics").await.status, 401);
        visitor.bearer = Some("sesame-sesame".into());
        assert_eq!(visitor.get("/metrics").await.status, 200);
    });
}

/// Classes that texts are rendered with; templates use their own.
const OF_TEXTS: [&str; 8] =
    [".remote-image", ".math", ".math-display", ".diff-row", ".diff-gap", ".mention", ".hl-keyword", ".hl-comment"];

#[test]
fn the_stylesheet_is_small_and_knows_what_texts_are_made_of() {
    let css = include_str!("../../server/assets/app.css");
    assert!(css.len() < 40_000, "{} bytes", css.len());
    // Differences are shown on pages of work only.
    let both = [css, include_str!("../../server/assets/work.css")].concat();
    for class in OF_TEXTS {
        let used = both.split(class).skip(1).any(|rest| rest.starts_with([' ', ':', ',', '.', '{']));
        assert!(used, "no rule for {class}");
    }
    for rules in ["@media print", "@media (forced-colors:active)", "@media (prefers-reduced-motion:reduce)"] {
        assert!(css.contains(rules), "{rules}");
    }
}

/// Asks by a form whose body is announced and does not come, but for its beginning.
async fn trickle(client: &Client, path: &str, kind: &str, begins: &str) -> (String, std::time::Duration) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = client.base.trim_start_matches("http://");
    let bearer = client.bearer.as_ref().map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: {}\r\n{bearer}Content-Type: {kind}\r\n\
         Content-Length: 1000\r\n\r\n{begins}",
        client.base
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (asked, mut answer) = (std::time::Instant::now(), vec![0; 12]);
    tokio::time::timeout(std::time::Duration::from_secs(60), stream.read_exact(&mut answer)).await.unwrap().unwrap();
    (String::from_utf8(answer).unwrap(), asked.elapsed())
}

hub_test!(async fn a_body_that_does_not_come_is_not_waited_for(hub) {
    let form = "application/x-www-form-urlencoded";
    let parts = "multipart/form-data; boundary=x";
    let file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc";
    let (visitor, ada) = (hub.visitor(), hub.member("ada").await);
    // Refused before a handler reads it, read by a handler of JSON, and by one of files.
    let (page, json, upload) = tokio::join!(
        trickle(&visitor, "/ask", form, "title=Why"),
        trickle(&visitor, "/api/v1/auth/login", "application/json", "{\"login\":"),
        trickle(&ada, "/api/v1/files", parts, file),
    );
    for (what, (answer, took)) in [("a page", page), ("JSON", json), ("a file", upload)] {
        assert_eq!(answer, "HTTP/1.1 400", "{what}");
        assert!((15..40).contains(&took.as_secs()), "{what}: {took:?}");
    }
});
