//! Engines of a test's own, on ports nobody else uses: Redis, PostgreSQL, and a proxy that stops
//! forwarding when it is told to. Each ends with the test, by its process.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;

use super::port::Port;
use super::program::Folder;

/// How long an engine may take to start or stop.
const WITHIN: Duration = Duration::from_secs(30);

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !there() {
        assert!(started.elapsed() < WITHIN, "{what} within {WITHIN:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A Redis that keeps nothing.
pub struct Redis {
    folder: Folder,
    child: Option<Child>,
    pub port: u16,
    _held: Port,
    arguments: Vec<String>,
}

impl Redis {
    /// Starts one; none, which is said on one line, where there is no such program.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        let there = Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            super::not_run("a test with a Redis of its own (redis-server is not installed)");
            return None;
        }
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let held = Port::hold();
        let mut redis = Self { folder: Folder::new(), child: None, port: held.number, _held: held, arguments };
        redis.resume();
        Some(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again on its port.
    pub fn resume(&mut self) {
        assert!(self.child.is_none());
        let port = self.port.to_string();
        let child = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        wait_for("Redis answers", || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Stops it at once, as a crash does.
    pub fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        let _ended = child.wait().unwrap();
    }

    /// Sends a command; its answer as text.
    pub fn ask(&self, words: &[&str]) -> String {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_connection().unwrap();
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        let value: redis::Value = command.query(&mut connection).unwrap();
        format!("{value:?}")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _gone = child.kill();
            let _ended = child.wait();
        }
    }
}

/// A PostgreSQL of a test's own.
pub struct Postgres {
    folder: Folder,
    bin: PathBuf,
    pub port: u16,
    _held: Port,
    runs: bool,
    more: String,
}

impl Postgres {
    /// Makes and starts one; none, which is said on one line, where there are no such programs.
    pub fn start() -> Option<Self> {
        let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .filter_map(|version| Some(version.ok()?.path().join("bin")))
            .filter(|bin| bin.join("initdb").exists())
            .collect();
        found.sort();
        let Some(bin) = found.pop() else {
            super::not_run("a test with a PostgreSQL of its own (no initdb below /usr/lib/postgresql)");
            return None;
        };
        let held = Port::hold();
        let (folder, port) = (Folder::new(), held.number);
        let mut postgres = Self { folder, bin, port, _held: held, runs: false, more: String::new() };
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(postgres.folder.path()).status().unwrap();
            assert!(owned.success());
        }
        let data = postgres.data();
        postgres.call(
            "initdb",
            &[
                "--pgdata",
                &data,
                "--username",
                "postgres",
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-sync",
            ],
        );
        postgres.resume();
        Some(postgres)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn call(&self, program: &str, arguments: &[&str]) {
        let path = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["--user", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        let log = self.folder.path().join(format!("{program}.out"));
        let output = std::fs::File::create(&log).unwrap();
        // What it starts must not hold the test's own output open.
        let status = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .status()
            .unwrap();
        assert!(status.success(), "{program} {arguments:?}: {}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// Starts it again on its port and its data.
    pub fn resume(&mut self) {
        let (data, log) = (self.data(), self.folder.path().join("log").display().to_string());
        let options = format!(
            "-h 127.0.0.1 -p {} -k {} -c max_connections=100 -c fsync=off {}",
            self.port,
            self.folder.path().display(),
            self.more
        );
        self.call("pg_ctl", &["--pgdata", &data, "--log", &log, "--silent", "--wait", "--options", &options, "start"]);
        self.runs = true;
    }

    /// Stops it, cutting off whoever is connected.
    pub fn stop(&mut self) {
        let data = self.data();
        self.call("pg_ctl", &["--pgdata", &data, "--mode", "immediate", "--silent", "--wait", "stop"]);
        self.runs = false;
    }

    /// Whether it can say how it runs statements.
    pub fn can_explain(&self) -> bool {
        let of_version = self.bin.parent().unwrap().join("lib/auto_explain.so");
        of_version.exists()
    }

    /// From the next start on its log says how it runs every statement.
    pub fn explain_everything(&mut self) {
        let _fresh = std::fs::remove_file(self.folder.path().join("log"));
        // A shell reads it: what ends with a space stands in quotes.
        self.more = "-c shared_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 \
                     -c auto_explain.log_nested_statements=on -c log_line_prefix='@@ ' -c jit=off"
            .into();
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs a statement as its owner; the rows as text.
    pub async fn ask(&self, sql: &str) -> Vec<String> {
        use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
        let db = Database::connect(self.url("postgres")).await.unwrap();
        let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
        let rows = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap_or_default()).collect();
        db.close().await.unwrap();
        rows
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.runs {
            self.stop();
        }
    }
}

/// Whether this process may mount and become somebody else.
pub fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
    })
}

/// Stands between a node and an engine, and stops forwarding when it is told to: the connections
/// stay, and nothing comes through.
pub struct Proxy {
    pub port: u16,
    cut: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (cut, state) = watch::channel(false);
        #[allow(clippy::disallowed_methods, reason = "it ends with the proxy")]
        let task = tokio::spawn(async move {
            let mut ways = tokio::task::JoinSet::new();
            loop {
                let Ok((near, _)) = listener.accept().await else { return };
                let Ok(far) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                ways.spawn(forward(near_in, far_out, state.clone()));
                ways.spawn(forward(far_in, near_out, state.clone()));
            }
        });
        Self { port: own, cut, task }
    }

    /// Stops forwarding, or goes on with what was held back.
    pub fn cut(&self, cut: bool) {
        self.cut.send(cut).unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut cut: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let Ok(count) = from.read(&mut buffer).await else { return };
        if count == 0 || cut.wait_for(|cut| !*cut).await.is_err() || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// Says how long something took, past the capture of what passing tests print.
pub fn say(what: &str, started: Instant) {
    let _told = writeln!(std::io::stderr(), "\ndrill: {what}: {:.2} s", started.elapsed().as_secs_f64());
}
