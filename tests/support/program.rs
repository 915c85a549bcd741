//! The binary itself, as an operator runs it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// The same main file as `praxis`, built for the tests.
const BINARY: &str = env!("CARGO_BIN_EXE_praxis-under-test");
/// Where it is.
pub fn binary() -> PathBuf {
    PathBuf::from(BINARY)
}

/// How long anything may take on a busy machine.
const WITHIN: Duration = Duration::from_secs(60);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A folder of a test's own, gone with it.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("praxis-program-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// `praxis` in a folder, with only these settings from the environment (names without prefix).
pub fn command(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    for (name, value) in settings {
        command.env(format!("PRAXIS_{name}"), value);
    }
    command
}

/// Runs a command to its end.
pub fn run(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let output = command(folder, arguments, settings).output().unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A serving process; killed when dropped.
#[derive(Debug)]
pub struct Served {
    child: Child,
    /// `http://ADDR` from the ready line.
    pub base: String,
    /// What was printed before the ready line.
    pub before: Vec<String>,
    log: Option<JoinHandle<Vec<u8>>>,
}

impl Served {
    /// Starts it and reads until the ready line.
    pub fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = command(folder, &[], settings);
        command.env("PRAXIS_BIND", "127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::piped());
        // Held by what ends it, whatever fails from here on.
        let child = command.spawn().unwrap();
        let mut served = Self { child, base: String::new(), before: Vec::new(), log: None };
        let (lines, read) = mpsc::sync_channel(1000);
        let out = BufReader::new(served.child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        // The log has to be read, or a full pipe stops the process.
        let mut log = served.child.stderr.take().unwrap();
        served.log = Some(std::thread::spawn(move || {
            let mut all = Vec::new();
            let _ended = log.read_to_end(&mut all);
            all
        }));
        while served.base.is_empty() {
            let before = &served.before;
            let line = read.recv_timeout(WITHIN).unwrap_or_else(|_| panic!("no ready line after {before:?}"));
            match line.strip_prefix("praxis listening on ") {
                Some(base) => served.base = base.to_owned(),
                None => served.before.push(line),
            }
        }
        served
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Ends it at once, without a chance to finish anything: `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        let _ended = self.child.wait().unwrap();
    }

    /// The same; what it had logged.
    pub fn kill_for_log(mut self) -> String {
        self.child.kill().unwrap();
        let _ended = self.child.wait().unwrap();
        String::from_utf8(self.log.take().unwrap().join().unwrap()).unwrap()
    }

    /// Sends a signal (`TERM`, `INT`) and waits for the end.
    pub async fn end(self, signal: &str) -> ExitStatus {
        self.ended(signal).await.0
    }

    /// The same, for an orderly end; what it had logged.
    pub async fn end_for_log(self, signal: &str) -> String {
        let (status, mut served) = self.ended(signal).await;
        assert!(status.success(), "{status}");
        String::from_utf8(served.log.take().unwrap().join().unwrap()).unwrap()
    }

    async fn ended(mut self, signal: &str) -> (ExitStatus, Self) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let ended = tokio::task::spawn_blocking(move || (self.child.wait().unwrap(), self));
        tokio::time::timeout(WITHIN, ended).await.expect("it does not end").unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}
