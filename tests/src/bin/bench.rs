//! Requests a second of a running hub, beside a bare route that returns a body of the same size.
//!
//! `bench --base http://127.0.0.1:8080 --login HANDLE --password PASSWORD [--pid PID] [--seconds N]`
//! against a hub with `PRAXIS_RATE_LIMIT=off`; `docs/BENCHMARKS.md` says how to set it up.
//! `--pages /playbooks/SLUG,/case-studies/SLUG` asks for those, too. `bench --studies DIR` writes 500 invented case
//! studies of one playbook, one of them of 100 kB, as `praxis import markdown` takes them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One measured thing.
struct Figure {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    bytes: usize,
    bad: u64,
}

#[tokio::main]
async fn main() {
    praxis_tests::tls();
    let args: BTreeMap<String, String> = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?.trim_start_matches('-').to_owned(), pair.get(1)?.clone())))
        .collect();
    if let Some(size) = args.get("floor") {
        floor(size.parse().unwrap()).await;
        return;
    }
    if let Some(dir) = args.get("studies") {
        write_studies(std::path::Path::new(dir)).unwrap();
        return;
    }
    let base = args.get("base").map_or("http://127.0.0.1:8080", String::as_str).trim_end_matches('/').to_owned();
    let (Some(login), Some(password)) = (args.get("login"), args.get("password")) else {
        eprintln!("bench: give --login HANDLE and --password PASSWORD of a member of the hub");
        std::process::exit(2);
    };
    let seconds: f64 = args.get("seconds").map_or(4.0, |text| text.parse().unwrap());
    let hub = Hub::open(&base, login, password).await;
    println!("hub {base}, {seconds} s each; topic {} with {} replies\n", hub.topic, hub.replies);
    println!(
        "{:<34} {:>5} {:>10} {:>10} {:>10} {:>8} {:>6} {:>7}",
        "what", "conns", "per s", "p50 ms", "p99 ms", "bytes", "bad", "floor/"
    );
    let get = |path: &str, cookie: bool| hub.request("GET", path, cookie, None);
    let topic = format!("/s/{}/t/{}", hub.space, hub.topic);
    let list = format!("/s/{}", hub.space);
    let api = format!("/api/v1/spaces/{}/topics", hub.space);
    // Further pages, such as those of playbooks, with commas between: each for a visitor and a member.
    let more: Vec<&str> = args.get("pages").map(|pages| pages.split(',').collect()).unwrap_or_default();
    let more: Vec<(String, &str, bool)> = more
        .into_iter()
        .flat_map(|path| [(format!("{path}, visitor"), path, false), (format!("{path}, member"), path, true)])
        .collect();
    let more = more.iter().map(|(name, path, cookie)| (name.as_str(), *path, *cookie));
    let known = [
        ("topic page, visitor", topic.as_str(), false),
        ("topic page, member", topic.as_str(), true),
        ("topic list, visitor", list.as_str(), false),
        ("topic list, member", list.as_str(), true),
        ("home, visitor", "/", false),
        ("home, member", "/", true),
        ("API list, visitor", api.as_str(), false),
    ];
    for (name, path, cookie) in known.into_iter().chain(more) {
        let request = get(path, cookie);
        for connections in [1, 32] {
            let figure = drive(&hub.address, connections, seconds, |_| request.clone()).await;
            let floor = Floor::start(figure.bytes);
            let bare = drive(&floor.address, connections, seconds / 2.0, |_| {
                format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", floor.address).into_bytes()
            })
            .await;
            print(name, connections, &figure, Some(bare.per_second));
        }
    }
    let path = format!("/api/v1/topics/{}/posts", hub.scratch);
    for connections in [1, 32] {
        let figure = drive(&hub.address, connections, seconds, |number| {
            let body = json!({"body": format!("A reply to measure, number {number}: short, plain and *rendered*.")});
            hub.request("POST", &path, false, Some(&body))
        })
        .await;
        print("create reply", connections, &figure, None);
    }
    grow(&hub, &path).await;
    for (name, id) in [("topic of 30 replies, member", &hub.small), ("topic of 10,000 replies, member", &hub.scratch)] {
        let request = get(&format!("/s/{}/t/{id}", hub.space), true);
        let figure = drive(&hub.address, 32, seconds, |_| request.clone()).await;
        print(name, 32, &figure, None);
    }
    if let Some(pid) = args.get("pid") {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let resident = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or("VmRSS unknown");
        println!("\nserver memory after the run: {resident}");
    }
}

fn print(name: &str, connections: usize, figure: &Figure, floor: Option<f64>) {
    let ratio = floor.map_or_else(String::new, |floor| format!("{:.1}", floor / figure.per_second));
    println!(
        "{name:<34} {connections:>5} {:>10.0} {:>10.2} {:>10.2} {:>8} {:>6} {ratio:>7}",
        figure.per_second,
        figure.p50.as_secs_f64() * 1000.0,
        figure.p99.as_secs_f64() * 1000.0,
        figure.bytes,
        figure.bad,
    );
}

/// What is measured, found by the API.
struct Hub {
    address: String,
    cookie: String,
    bearer: String,
    space: String,
    topic: String,
    replies: i64,
    small: String,
    scratch: String,
}

impl Hub {
    async fn open(base: &str, login: &str, password: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = http
            .post(format!("{base}/api/v1/auth/login"))
            .json(&json!({"login": login, "password": password}))
            .send()
            .await
            .unwrap();
        let bearer: Value = answer.json().await.unwrap();
        let bearer = bearer["access_token"].as_str().expect("signing in").to_owned();
        let cookie = browser_session(&http, base, login, password).await;
        let list: Value =
            http.get(format!("{base}/api/v1/topics?sort=top&limit=100")).send().await.unwrap().json().await.unwrap();
        // The topic whose page is nearest to a full one of 30 posts.
        let best = list["items"]
            .as_array()
            .expect("topics")
            .iter()
            .min_by_key(|topic| (topic["post_count"].as_i64().unwrap_or(0) - 30).abs())
            .expect("a hub with topics")
            .clone();
        let space = best["space"].as_str().unwrap().to_owned();
        let mut made = Vec::new();
        for title in ["Small topic of the benchmark", "Large topic of the benchmark"] {
            let topic: Value = http
                .post(format!("{base}/api/v1/spaces/{space}/topics"))
                .bearer_auth(&bearer)
                .json(&json!({"title": title, "body": "Made by the benchmark.", "kind": "discussion", "tags": []}))
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            made.push(topic["id"].as_str().expect("a topic").to_owned());
        }
        for number in 0..30 {
            let body = json!({"body": format!("Reply {number} of thirty.")});
            let url = format!("{base}/api/v1/topics/{}/posts", made[0]);
            http.post(url).bearer_auth(&bearer).json(&body).send().await.unwrap();
        }
        Self {
            address: base.trim_start_matches("http://").to_owned(),
            cookie,
            bearer,
            space,
            topic: best["id"].as_str().unwrap().to_owned(),
            replies: best["post_count"].as_i64().unwrap_or(0),
            scratch: made.pop().unwrap(),
            small: made.pop().unwrap(),
        }
    }

    fn request(&self, method: &str, path: &str, cookie: bool, body: Option<&Value>) -> Vec<u8> {
        let mut text =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: text/html, application/json\r\n", self.address);
        if cookie {
            text.push_str(&format!("Cookie: {}\r\n", self.cookie));
        }
        match body {
            Some(body) => {
                let body = body.to_string();
                text.push_str(&format!(
                    "Authorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    self.bearer,
                    body.len()
                ));
            }
            None => text.push_str("\r\n"),
        }
        text.into_bytes()
    }
}

async fn browser_session(http: &reqwest::Client, base: &str, login: &str, password: &str) -> String {
    let page = http.get(format!("{base}/login")).send().await.unwrap();
    let visitor = cookies(&page);
    let text = page.text().await.unwrap();
    let csrf = text.split_once("name=\"_csrf\" value=\"").expect("a form").1.split('"').next().unwrap().to_owned();
    let body: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("_csrf", csrf.as_str()), ("login", login), ("password", password)])
        .finish();
    let answer = http
        .post(format!("{base}/login"))
        .header("Origin", base)
        .header("Cookie", visitor)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    cookies(&answer)
}

fn cookies(answer: &reqwest::Response) -> String {
    answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next().map(str::to_owned))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Fills the large topic up to 10,000 replies.
async fn grow(hub: &Hub, path: &str) {
    let mut there = 0;
    while there < 10_000 {
        let http = reqwest::Client::new();
        let url = format!("http://{}/api/v1/topics/{}", hub.address, hub.scratch);
        let topic: Value = http.get(url).bearer_auth(&hub.bearer).send().await.unwrap().json().await.unwrap();
        there = topic["post_count"].as_i64().unwrap();
        if there < 10_000 {
            drive(&hub.address, 32, 1.0, |number| {
                hub.request("POST", path, false, Some(&json!({"body": format!("Filling, number {number}.")})))
            })
            .await;
        }
    }
}

/// Sends requests over keep-alive connections for some seconds.
async fn drive(address: &str, connections: usize, seconds: f64, request: impl Fn(u64) -> Vec<u8>) -> Figure {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let request = &request;
    let runs = (0..connections as u64).map(|worker| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut buffer = Vec::with_capacity(256 << 10);
        let (mut times, mut bytes, mut bad, mut number) = (Vec::new(), 0, 0, worker << 32);
        while Instant::now() < until {
            number += 1;
            let message = request(number);
            let started = Instant::now();
            stream.write_all(&message).await.unwrap();
            let (status, length) = read_answer(&mut stream, &mut buffer).await;
            times.push(started.elapsed());
            bytes = length;
            bad += u64::from(!(200..300).contains(&status));
        }
        (times, bytes, bad)
    });
    let started = Instant::now();
    let done = futures_util::future::join_all(runs).await;
    let took = started.elapsed().as_secs_f64();
    let bytes = done.first().map_or(0, |run| run.1);
    let bad = done.iter().map(|run| run.2).sum();
    let mut times: Vec<Duration> = done.into_iter().flat_map(|run| run.0).collect();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Figure { per_second: times.len() as f64 / took, p50: at(0.5), p99: at(0.99), bytes, bad }
}

/// Reads one answer with a Content-Length; its status and the length of its body.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> (u16, usize) {
    buffer.clear();
    let (mut head, mut length, mut status) = (0, 0, 0);
    loop {
        if stream.read_buf(buffer).await.unwrap() == 0 {
            panic!("the connection was closed");
        }
        if head == 0
            && let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n")
        {
            head = end + 4;
            let text = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
            length = text
                .split_once("content-length:")
                .and_then(|(_, rest)| rest.split("\r\n").next()?.trim().parse().ok())
                .unwrap_or(0);
        }
        if head > 0 && buffer.len() >= head + length {
            return (status, length);
        }
    }
}

/// The bare route, in a process of its own.
struct Floor {
    child: std::process::Child,
    address: String,
}

impl Floor {
    fn start(size: usize) -> Self {
        use std::io::BufRead as _;
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--floor", &size.to_string()])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().to_owned() }
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

async fn floor(size: usize) {
    let body = bytes::Bytes::from(vec![b'x'; size]);
    let server = HttpServer::new(move || {
        let body = body.clone();
        App::new().route(
            "/",
            web::get().to(move || {
                let body = body.clone();
                async move { HttpResponse::Ok().content_type("text/html; charset=utf-8").body(body) }
            }),
        )
    })
    .bind("127.0.0.1:0")
    .unwrap();
    println!("{}", server.addrs()[0]);
    server.run().await.unwrap();
}

/// The studies of a large playbook, in twenty scenarios; each has two measures, and terms of every kind.
fn write_studies(dir: &std::path::Path) -> std::io::Result<()> {
    const STUDIES: usize = 500;
    const SCENARIOS: usize = 20;
    std::fs::create_dir_all(dir)?;
    let mut front = String::from(
        "---\ntype: playbook\ntitle: Imaging, invented\nslug: imaging\npathway: radiology\nsummary: Invented studies to measure with.\nscenarios:\n",
    );
    for scenario in 0..SCENARIOS {
        let of: Vec<String> = (scenario..STUDIES).step_by(SCENARIOS).map(|at| format!("\"invented-{at}\"")).collect();
        front.push_str(&format!(
            "  - title: \"Read sooner, way {scenario}\"\n    description: \"Images wait too long on ward {scenario}.\"\n    steps: [\"Count what waits\", \"Choose a tool\", \"Try it\"]\n    studies: [{}]\n",
            of.join(", "),
        ));
    }
    std::fs::write(dir.join("playbook.md"), front + "---\n\nAn invented playbook.\n")?;
    for at in 0..STUDIES {
        let paragraph = format!("Site {at} read {} images a week and wrote down **what it saw**.", 40 + at % 60);
        let paragraphs = |count: usize| vec![paragraph.as_str(); count].join("\n\n");
        // The first one has 100 kB: its parts are as long as parts may be, and one more.
        let (did, learned) = if at == 0 { (780, 680) } else { (6, 3) };
        let text = format!(
            "---\ntype: case_study\ntitle: \"Invented study {at}\"\nslug: invented-{at}\nstate: published\nsummary: \"What site {at} did.\"\n\
             terms:\n  setting: [\"Hospital {}\"]\n  technique: [\"Technique {}\"]\n  country: [\"Country {}\"]\n  technology: [\"Tool {}\"]\n\
             measures:\n  - name: \"Time to report\"\n    unit: \"h\"\n    before: {}\n    after: {}\n    n: {}\n  - name: \"Missed\"\n    unit: \"%\"\n    before: 4\n    after: 3\n---\n\n\
             ## Challenge\n\nImages waited.\n\n## What we did\n\n{}\n\n## Outcomes\n\nSooner.\n\n## Lessons learned\n\n{}\n",
            at % 40,
            at % 12,
            at % 9,
            at % 30,
            30 + at % 20,
            10 + at % 9,
            100 + at,
            paragraphs(did),
            paragraphs(learned),
        );
        std::fs::write(dir.join(format!("invented-{at}.md")), text)?;
    }
    Ok(())
}
