//! A proxy in front of the nodes, as operators have one: it keeps connections, asks every second who is
//! ready, sends nothing to others, and repeats nothing but a GET, once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http, web};
use tokio::task::JoinHandle;

use super::crowd::Addresses;
use super::rig::spawn;
use crate::support::nodes::until;

/// How often it asks who is ready, and how long it waits for that.
const EVERY: Duration = Duration::from_secs(1);

/// What goes on to a node, and back.
const PASSED_ON: [&str; 5] = ["authorization", "content-type", "accept", "cookie", "origin"];

#[derive(Clone, Debug, Default)]
struct Node {
    base: Option<String>,
    ready: bool,
}

struct Inner {
    http: reqwest::Client,
    nodes: Mutex<Vec<Node>>,
    turn: AtomicUsize,
}

pub struct Door {
    pub base: String,
    inner: Arc<Inner>,
    addresses: Addresses,
    looking: JoinHandle<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Door {
    /// Opens before these nodes, which may come back at other addresses.
    pub fn open(addresses: &Addresses) -> Self {
        let count = addresses.lock().unwrap().len();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let nodes = Mutex::new(vec![Node::default(); count]);
        let inner = Arc::new(Inner { http, nodes, turn: AtomicUsize::new(0) });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&inner);
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::from(Arc::clone(&shared))).default_service(web::to(pass))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let looking = spawn(look(Arc::clone(&inner), Arc::clone(addresses)));
        Self { base, inner, addresses: Arc::clone(addresses), looking, serving: spawn(server) }
    }

    /// Waits until it sends requests to this node, where it is now.
    pub async fn ready(&self, node: usize) {
        until("the proxy sees that a node is ready", async || {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let seen = self.inner.nodes.lock().unwrap()[node].clone();
            seen.ready && seen.base == self.addresses.lock().unwrap()[node]
        })
        .await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.looking.abort();
        self.serving.abort();
    }
}

/// Asks every node again and again; one without an address is asked where it was.
async fn look(inner: Arc<Inner>, addresses: Addresses) {
    let http = reqwest::Client::builder().timeout(EVERY).build().unwrap();
    let probe = async |(number, address): (usize, Option<String>)| {
        let base = {
            let mut nodes = inner.nodes.lock().unwrap();
            let node = &mut nodes[number];
            if address.is_some() && address != node.base {
                *node = Node { base: address, ready: false };
            }
            node.base.clone()
        };
        let Some(base) = base else { return };
        let ready = match http.get(format!("{base}/readyz")).send().await {
            Ok(answer) => answer.status() == 200,
            // Slow once is not away.
            Err(error) if error.is_timeout() => return,
            Err(_) => false,
        };
        inner.nodes.lock().unwrap()[number].ready = ready;
    };
    loop {
        let current = addresses.lock().unwrap().clone();
        futures_util::future::join_all(current.into_iter().enumerate().map(&probe)).await;
        tokio::time::sleep(EVERY).await;
    }
}

impl Inner {
    /// The next that is ready, and is not the one that has just failed.
    fn pick(&self, failed: Option<&str>) -> Option<String> {
        let nodes = self.nodes.lock().unwrap();
        let ready: Vec<&String> =
            nodes.iter().filter(|node| node.ready).filter_map(|node| node.base.as_ref()).collect();
        let others: Vec<&String> = ready.into_iter().filter(|base| Some(base.as_str()) != failed).collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (!others.is_empty()).then(|| others[turn % others.len()].clone())
    }

    async fn ask(&self, base: &str, req: &HttpRequest, body: web::Bytes) -> reqwest::Result<HttpResponse> {
        let address = format!("{base}{}", req.uri());
        let method = reqwest::Method::from_bytes(req.method().as_str().as_bytes()).unwrap();
        let mut asked = self.http.request(method, address).body(body);
        for name in PASSED_ON {
            if let Some(value) = req.headers().get(name) {
                asked = asked.header(name, value.to_str().unwrap());
            }
        }
        let answer = asked.send().await?;
        let mut passed = HttpResponse::build(http::StatusCode::from_u16(answer.status().as_u16()).unwrap());
        if let Some(kind) = answer.headers().get("content-type") {
            passed.content_type(kind.to_str().unwrap().to_owned());
        }
        Ok(passed.body(answer.bytes().await?))
    }
}

async fn pass(req: HttpRequest, body: web::Bytes, door: web::Data<Inner>) -> HttpResponse {
    let tries = if req.method() == http::Method::GET { 2 } else { 1 };
    let mut failed: Option<String> = None;
    let mut why = "no node is ready".to_owned();
    for _ in 0..tries {
        let Some(base) = door.pick(failed.as_deref()) else { break };
        match door.ask(&base, &req, body.clone()).await {
            Ok(answer) => return answer,
            Err(error) => (failed, why) = (Some(base), format!("{error:?}")),
        }
    }
    HttpResponse::BadGateway().body(why)
}
