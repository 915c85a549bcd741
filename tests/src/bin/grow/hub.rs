//! A hub of the tool's own: its processes, its database, its rooms.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};
use serde_json::{Value, json};

const HANDLE: &str = "grower";
const PASSWORD: &str = "an-open-password-of-the-tool";

pub struct Hub {
    program: PathBuf,
    folder: PathBuf,
    /// Administrative address and name, on PostgreSQL.
    postgres: Option<(String, String)>,
    children: Vec<Child>,
    /// Addresses of its nodes.
    bases: Vec<String>,
    asked: AtomicUsize,
    pub http: reqwest::Client,
    pub token: String,
}

impl Hub {
    /// A folder and, on PostgreSQL, a database; made if they are missing.
    pub async fn open(program: &Path, folder: &Path, postgres: Option<&str>, name: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let program = std::fs::canonicalize(program).unwrap();
        let folder = std::fs::canonicalize(folder).unwrap();
        let postgres = postgres.map(|admin| (admin.to_owned(), name.to_owned()));
        if let Some((admin, name)) = &postgres {
            let db = Database::connect(admin).await.unwrap();
            let _there_already = db.execute_unprepared(&format!("CREATE DATABASE {name}")).await;
            db.close().await.unwrap();
        }
        let http = reqwest::Client::new();
        let (children, bases, asked) = (Vec::new(), Vec::new(), AtomicUsize::new(0));
        Self { program, folder, postgres, children, bases, asked, http, token: String::new() }
    }

    pub fn database(&self) -> String {
        let store = if self.postgres.is_some() { "PostgreSQL" } else { "SQLite" };
        match self.bases.len() {
            0 | 1 => store.to_owned(),
            nodes => format!("{store}, {nodes} nodes"),
        }
    }

    /// The address of one of its nodes: by turns of a length that no number of rooms shares, so that each is
    /// asked for all of them.
    pub fn base(&self) -> &str {
        &self.bases[self.asked.fetch_add(1, Ordering::Relaxed) / 7 % self.bases.len()]
    }

    fn url(&self) -> Option<String> {
        let (admin, name) = self.postgres.as_ref()?;
        let mut url = url::Url::parse(admin).unwrap();
        url.set_path(name);
        Some(url.to_string())
    }

    pub async fn connect(&self) -> DatabaseConnection {
        let file = self.folder.join("data/praxis.db");
        Database::connect(self.url().unwrap_or_else(|| format!("sqlite://{}", file.display()))).await.unwrap()
    }

    /// Reads all data once, so that it is in memory as far as there is memory.
    pub async fn warm(&self) {
        if self.postgres.is_none() {
            let mut file = std::fs::File::open(self.folder.join("data/praxis.db")).unwrap();
            std::io::copy(&mut file, &mut std::io::sink()).unwrap();
            return;
        }
        let db = self.connect().await;
        for sql in [
            "CREATE EXTENSION IF NOT EXISTS pg_prewarm",
            "SELECT sum(pg_prewarm(oid::regclass)) FROM pg_class \
             WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace",
        ] {
            db.execute_unprepared(sql).await.unwrap();
        }
        db.close().await.unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder).env("PRAXIS_BIND", "127.0.0.1:0");
        command.env("PRAXIS_RATE_LIMIT", "off").env("PRAXIS_LOG", "error").stderr(Stdio::inherit());
        // Search is to be found where nothing is: else an index of all that was filled in would be built meanwhile.
        command.env("PRAXIS_MEILI_URL", "http://127.0.0.1:9");
        if let Some(url) = self.url() {
            command.env("PRAXIS_DATABASE_URL", url);
        }
        command
    }

    /// Starts so many nodes of the hub and signs in.
    pub async fn serve(&mut self, nodes: usize) {
        self.bases.clear();
        for _ in 0..nodes {
            let mut child = self.command(&[]).stdout(Stdio::piped()).spawn().unwrap();
            let out = BufReader::new(child.stdout.take().unwrap());
            self.children.push(child);
            let mut lines = out.lines().map_while(Result::ok);
            let base = lines.find_map(|line| line.strip_prefix("praxis listening on ").map(str::to_owned));
            self.bases.push(base.unwrap());
        }
        let answer = self.post("/api/v1/auth/login", &json!({"login": HANDLE, "password": PASSWORD})).await;
        self.token = answer["access_token"].as_str().unwrap().to_owned();
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.base())).bearer_auth(&self.token).json(body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    /// A member, a space, and rooms with one message each.
    pub async fn prepare(&mut self, rooms: i64) {
        let email = format!("{HANDLE}@example.org");
        let make = ["admin", "create", "--handle", HANDLE, "--email", &email, "--password-stdin"];
        let mut child = self.command(&make).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        assert!(child.wait().unwrap().success());
        self.serve(1).await;
        self.post(
            "/api/v1/spaces",
            &json!({"slug": "grown", "name": "Grown", "description": "", "visibility": "open"}),
        )
        .await;
        for number in 0..rooms {
            let body = json!({"slug": format!("room-{number}"), "name": format!("Room {number}"), "purpose": ""});
            let room = self.post("/api/v1/spaces/grown/rooms", &body).await["id"].as_str().unwrap().to_owned();
            let body = json!({"body": "The first message.", "client_id": "first"});
            self.post(&format!("/api/v1/rooms/{room}/messages"), &body).await;
        }
    }

    pub fn stop(&mut self) {
        for mut child in self.children.drain(..) {
            let ended = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status();
            if !ended.is_ok_and(|status| status.success()) {
                child.kill().unwrap();
            }
            child.wait().unwrap();
        }
    }

    /// Takes away what the run made.
    pub async fn remove(self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
        if let Some((admin, name)) = &self.postgres {
            let db = Database::connect(admin).await.unwrap();
            db.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
            db.close().await.unwrap();
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _gone = child.kill();
            let _ended = child.wait();
        }
    }
}
