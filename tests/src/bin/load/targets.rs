//! What is measured: a hub, filled by its API with what a run needs, and the floors beside it.

use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Args;
use super::drive::Target;

/// Members whose sockets these are.
const MEMBERS: usize = 8;
/// A token lives for 15 minutes.
const RENEW_AFTER: Duration = Duration::from_secs(8 * 60);

/// A running hub with a space of the tool's own.
pub struct Hub {
    pub bases: Vec<String>,
    addresses: Vec<SocketAddr>,
    pids: Vec<u32>,
    /// Started by the tool, and ended with it.
    children: Vec<Child>,
    data: Option<PathBuf>,
    program: Option<PathBuf>,
    http: reqwest::Client,
    run: String,
    space: String,
    tokens: Vec<String>,
    renewed: Instant,
    rooms: usize,
}

impl Hub {
    pub async fn open(args: &Args) -> Self {
        let (mut bases, mut pids, mut children, mut data) = (args.bases.clone(), args.pids.clone(), Vec::new(), None);
        if let Some(program) = &args.serve {
            // A folder of its own in the one that was named: it is removed at the end.
            let folder = args.data.clone().unwrap_or_else(|| "target".into());
            let folder = folder.join(format!("load-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            (bases, pids, data) = (Vec::new(), Vec::new(), Some(folder.clone()));
            for _ in 0..args.nodes {
                let (started, ready) = serve(program, &folder);
                bases.push(ready);
                pids.push(started.id());
                children.push(started);
            }
        }
        let addresses: Vec<SocketAddr> = bases.iter().map(|base| address_of(base)).collect();
        if addresses.iter().any(|address| !address.ip().is_loopback()) {
            super::refuse("only a hub on this machine is driven: --base http://127.x.x.x:PORT");
        }
        #[allow(clippy::disallowed_methods, reason = "names of its own for every run")]
        let unique = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let mut hub = Self {
            bases,
            addresses,
            pids,
            children,
            data,
            program: args.serve.clone(),
            http: {
                praxis_tests::tls();
                reqwest::Client::new()
            },
            run: format!("{:x}", unique & 0xfff_ffff_ffff),
            space: String::new(),
            tokens: Vec::new(),
            renewed: Instant::now(),
            rooms: 0,
        };
        hub.people(args).await;
        hub
    }

    fn handle(&self, number: usize) -> String {
        format!("load-{}-{number}", self.run)
    }

    /// Members, the first of whom, or who was named, owns the space.
    async fn people(&mut self, args: &Args) {
        let mut tokens = Vec::new();
        for number in 0..MEMBERS {
            let handle = self.handle(number);
            let body = json!({
                "handle": handle,
                "display_name": format!("Load {number}"),
                "email": format!("{handle}@example.org"),
                "password": password(&handle),
            });
            let made = self.call("POST", "/auth/register", None, Some(&body)).await;
            tokens.push(made["access_token"].as_str().expect("a token").to_owned());
        }
        let owner = match &args.login {
            Some((login, password)) => self.sign_in(login, password).await,
            None => tokens[0].clone(),
        };
        self.space = format!("load-{}", self.run);
        let body =
            json!({"slug": self.space, "name": "Load", "description": "Made by the load tool.", "visibility": "open"});
        self.call("POST", "/spaces", Some(&owner), Some(&body)).await;
        for token in &tokens {
            self.call("POST", &format!("/spaces/{}/join", self.space), Some(token), Some(&json!({}))).await;
        }
        self.tokens = tokens;
    }

    async fn sign_in(&self, login: &str, password: &str) -> String {
        let body = json!({"login": login, "password": password});
        let answer = self.call("POST", "/auth/login", None, Some(&body)).await;
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// The same with a program that has just started, if it is the tool's own: what setting up
    /// left in memory would hide what sockets need.
    pub async fn fresh_target(&mut self, rooms: usize) -> Target {
        let target = self.target(rooms).await;
        let (Some(data), Some(program)) = (&self.data, &self.program) else { return target };
        for (node, child) in self.children.iter_mut().enumerate() {
            let _gone = child.kill();
            let _ended = child.wait();
            let (started, base) = serve(program, data);
            (self.addresses[node], self.pids[node]) = (address_of(&base), started.id());
            (self.bases[node], *child) = (base, started);
        }
        Target { addresses: self.addresses.clone(), pids: self.pids.clone(), ..target }
    }

    /// The hub with so many new rooms.
    pub async fn target(&mut self, rooms: usize) -> Target {
        if self.renewed.elapsed() > RENEW_AFTER {
            for number in 0..MEMBERS {
                let handle = self.handle(number);
                self.tokens[number] = self.sign_in(&handle, &password(&handle)).await;
            }
            self.renewed = Instant::now();
        }
        let mut ids = Vec::with_capacity(rooms);
        for _ in 0..rooms {
            self.rooms += 1;
            let name = format!("room-{}", self.rooms);
            let body = json!({"slug": name, "name": name, "purpose": "", "private": false});
            let path = format!("/spaces/{}/rooms", self.space);
            let room = self.call("POST", &path, Some(&self.tokens[0]), Some(&body)).await;
            ids.push(room["id"].as_str().expect("an id").to_owned());
        }
        Target { addresses: self.addresses.clone(), pids: self.pids.clone(), tokens: self.tokens.clone(), rooms: ids }
    }

    /// Bytes of an `events` frame with one message of this size.
    pub async fn frame_size(&mut self, size: usize) -> usize {
        let target = self.target(1).await;
        let path = format!("/rooms/{}/messages", target.rooms[0]);
        let body = json!({"body": "t".repeat(size), "client_id": "00000000-0000-4000-8000-000000000000"});
        self.call("POST", &path, Some(&target.tokens[1]), Some(&body)).await;
        super::probe::first_frame_size(&target).await
    }

    async fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Value {
        let url = format!("{}/api/v1{path}", self.bases[0].trim_end_matches('/'));
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
        assert!(
            status.is_success(),
            "{method} {path}: {status} {text} (set PRAXIS_RATE_LIMIT=off; on a hub in use say --login HANDLE \
             --password PASSWORD of an administrator)"
        );
        serde_json::from_str(&text).unwrap_or_default()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _gone = child.kill();
            let _ended = child.wait();
        }
        if let Some(data) = self.data.as_ref().filter(|_| !self.children.is_empty()) {
            let _removed = std::fs::remove_dir_all(data);
        }
    }
}

/// A bare room in a process of its own.
pub struct Floor {
    child: Child,
    address: SocketAddr,
}

impl Floor {
    /// Where its program is, beside this one.
    pub fn program() -> PathBuf {
        std::env::current_exe().unwrap().with_file_name("floor")
    }

    pub fn start(kind: &str, frame: usize) -> Self {
        let mut command = Command::new(Self::program());
        // It ends when its standard input does, so that it never outlives the tool.
        command.args([kind, "--frame", &frame.to_string()]).stdin(Stdio::piped());
        let (child, address) = start(&mut command, |line| Some(line.to_owned()));
        Self { child, address: address.parse().unwrap() }
    }

    pub fn target(&self, rooms: usize) -> Target {
        let rooms = (0..rooms).map(|room| format!("{room:013}")).collect();
        Target { addresses: vec![self.address], pids: vec![self.child.id()], tokens: Vec::new(), rooms }
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn serve(program: &Path, data: &Path) -> (Child, String) {
    let mut command = Command::new(program);
    command.env("PRAXIS_BIND", "127.0.0.1:0").env("PRAXIS_DATA_DIR", data);
    command.env("PRAXIS_RATE_LIMIT", "off").env("PRAXIS_LOG", "error");
    start(&mut command, |line| line.strip_prefix("praxis listening on ").map(str::to_owned))
}

fn address_of(base: &str) -> SocketAddr {
    let address = base.trim_start_matches("http://").trim_end_matches('/').parse();
    address.unwrap_or_else(|_| super::refuse("--base is an address such as http://127.0.0.1:8080"))
}

fn password(handle: &str) -> String {
    format!("correct-{handle}-battery-staple")
}

/// Starts a program and reads its lines until the one that is looked for.
fn start(command: &mut Command, find: impl Fn(&str) -> Option<String>) -> (Child, String) {
    let program = command.get_program().to_owned();
    let fault = |what: &str| -> ! { super::refuse(&format!("{}: {what}", program.display())) };
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| fault(&error.to_string()));
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let Some(Ok(line)) = lines.next() else {
            let _ended = child.wait();
            fault("it ended before it was ready")
        };
        if let Some(found) = find(&line) {
            // What it prints later is thrown away, so that it never waits for a reader.
            std::thread::spawn(move || lines.for_each(drop));
            return (child, found);
        }
    }
}
