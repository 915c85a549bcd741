//! What an import says: while it runs, and at its end.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::locks::locked;
use crate::web::error::AppError;

/// Rows that are named one by one; the rest is counted.
const NAMED: usize = 50;
/// How often plain progress is said where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// What a run added, left out and could not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub questions: u64,
    pub answers: u64,
    pub comments: u64,
    pub members: u64,
    pub revisions: u64,
    pub rooms: u64,
    pub messages: u64,
    pub reactions: u64,
    pub resources: u64,
    /// Resources whose file had changed since an earlier run: new versions.
    pub changed: u64,
    /// Messages that are older than what an earlier run added: they would stand out of order.
    pub older: u64,
    /// Reactions with pictures that are no emoji.
    pub unknown: u64,
    /// Conversations that were left where they are, between those who had them.
    pub direct: u64,
    /// Rows that an earlier run had added.
    pub known: u64,
    /// Rows that are no posts of a forum, such as tag wikis; or no messages, such as joins.
    pub skipped: u64,
    /// Files by what is known of their texts.
    pub texts: Vec<(String, u64)>,
    /// Rows that could not be read, or that belong to nothing that was imported.
    pub broken: u64,
    /// Texts that were longer than the hub takes.
    pub cut: u64,
    /// Where links back lead.
    pub site: Option<String>,
    pub seconds: f64,
    /// It was a chat that was imported, not a forum.
    pub chat: bool,
    /// It was a folder of documents.
    pub documents: bool,
    /// The whole of it in its own words, of an import that tells neither of a forum nor of a chat.
    pub told: Option<String>,
}

impl Report {
    /// Questions, answers and comments.
    #[must_use]
    pub const fn posts(&self) -> u64 {
        self.questions + self.answers + self.comments
    }

    fn fmt_documents(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "resources    {:>9}", self.resources)?;
        writeln!(f, "new versions {:>9}", self.changed)?;
        writeln!(f, "already here {:>9}", self.known)?;
        writeln!(f, "skipped      {:>9}  (empty files)", self.skipped)?;
        writeln!(f, "broken files {:>9}", self.broken)?;
        for (what, count) in &self.texts {
            writeln!(f, "             {count:>9}  {what}")?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
        let rate = self.resources as f64 / self.seconds.max(0.001);
        write!(
            f,
            "{:.1} s, {rate:.0} resources/s; a running hub reads their texts now, and another run tells how that went",
            self.seconds
        )
    }

    fn fmt_chat(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rooms        {:>9}", self.rooms)?;
        writeln!(f, "messages     {:>9}", self.messages)?;
        writeln!(f, "reactions    {:>9}", self.reactions)?;
        writeln!(f, "members      {:>9}", self.members)?;
        writeln!(f, "already here {:>9}", self.known)?;
        writeln!(f, "older        {:>9}  (than what an earlier run added; left out)", self.older)?;
        writeln!(f, "skipped      {:>9}  (no messages, such as joins and leaves)", self.skipped)?;
        writeln!(f, "broken rows  {:>9}", self.broken)?;
        if self.cut > 0 {
            writeln!(f, "texts cut    {:>9}  (longer than 8,000 characters)", self.cut)?;
        }
        if self.unknown > 0 {
            writeln!(f, "reactions    {:>9}  (left out: their pictures are no emoji)", self.unknown)?;
        }
        if self.direct > 0 {
            writeln!(
                f,
                "direct       {:>9}  (conversations left out: they belong to those who had them)",
                self.direct
            )?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
        let rate = self.messages as f64 / self.seconds.max(0.001);
        write!(f, "{:.1} s, {rate:.0} messages/s", self.seconds)
    }
}

/// One line on why an import stopped. What it had added stays, and the next run goes on.
#[must_use]
pub fn stopped(error: &AppError) -> String {
    let reason = error.to_string().replace('\n', " ");
    format!("the import stopped ({reason}); run it again to go on")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(told) = &self.told {
            return f.write_str(told);
        }
        if self.chat {
            return self.fmt_chat(f);
        }
        if self.documents {
            return self.fmt_documents(f);
        }
        writeln!(f, "questions    {:>9}", self.questions)?;
        writeln!(f, "answers      {:>9}", self.answers)?;
        writeln!(f, "comments     {:>9}", self.comments)?;
        writeln!(f, "members      {:>9}", self.members)?;
        writeln!(f, "revisions    {:>9}", self.revisions)?;
        writeln!(f, "already here {:>9}", self.known)?;
        writeln!(f, "skipped      {:>9}  (not of a forum, such as tag wikis)", self.skipped)?;
        writeln!(f, "broken rows  {:>9}", self.broken)?;
        if self.cut > 0 {
            writeln!(f, "texts cut    {:>9}  (longer than 60,000 characters)", self.cut)?;
        }
        match &self.site {
            Some(site) => writeln!(f, "source        https://{site}")?,
            None => writeln!(f, "source        unknown, so posts carry no links back; say --site HOST")?,
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
        let rate = self.posts() as f64 / self.seconds.max(0.001);
        write!(f, "{:.1} s, {rate:.0} posts/s", self.seconds)
    }
}

/// Says how far an import is: a bar on a terminal, a line now and then elsewhere.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    quiet: bool,
    started: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    said: Instant,
    done: u64,
    total: u64,
    stage: &'static str,
    report: Report,
    faults: BTreeMap<String, u64>,
}

impl Progress {
    /// `quiet`: nothing is printed, for tests.
    #[must_use]
    pub fn new(total: u64, quiet: bool) -> Self {
        let terminal = !quiet && std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(total) } else { ProgressBar::hidden() };
        let template = "{msg:<10} [{bar:30}] {bytes}/{total_bytes} · {bytes_per_sec} · {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let now = Instant::now();
        let inner = Inner { said: now, done: 0, total, stage: "", report: Report::default(), faults: BTreeMap::new() };
        Self { bar, plain: !quiet && !terminal, quiet, started: now, inner: Mutex::new(inner) }
    }

    /// What is done now.
    pub fn stage(&self, name: &'static str) {
        locked(&self.inner).stage = name;
        self.bar.set_message(name);
        if self.plain {
            say(&format!("{name} …"));
        }
    }

    /// So many bytes of the files were read.
    pub fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        let mut inner = locked(&self.inner);
        inner.done += bytes;
        if self.plain && inner.said.elapsed() >= EVERY {
            inner.said = Instant::now();
            let seconds = self.started.elapsed().as_secs().max(1);
            let rate = inner.done / seconds;
            let left = inner.total.saturating_sub(inner.done) / rate.max(1);
            let percent = inner.done * 100 / inner.total.max(1);
            let line = format!("{}: {percent} %, {} kB/s, {left} s left", inner.stage, rate / 1000);
            drop(inner);
            say(&line);
        }
    }

    /// Adds to the report.
    pub fn count(&self, add: impl FnOnce(&mut Report)) {
        add(&mut locked(&self.inner).report);
    }

    /// A row that cannot be used.
    pub fn broken(&self, file: &str, number: u64, reason: &str) {
        let mut inner = locked(&self.inner);
        inner.report.broken += 1;
        *inner.faults.entry(file.to_owned()).or_default() += 1;
        let named = inner.report.broken <= NAMED as u64;
        drop(inner);
        if named {
            self.note(&format!("{file} row {number}: {reason}; skipped"));
        }
    }

    /// Something worth a line.
    pub fn note(&self, line: &str) {
        if self.quiet {
            return;
        }
        if self.plain {
            say(line);
        } else {
            self.bar.println(line);
        }
    }

    /// The report; the bar goes.
    #[must_use]
    pub fn finish(&self) -> Report {
        self.bar.finish_and_clear();
        let mut inner = locked(&self.inner);
        inner.report.seconds = self.started.elapsed().as_secs_f64();
        if inner.report.broken > NAMED as u64 {
            let by_file: Vec<String> = inner.faults.iter().map(|(file, count)| format!("{file} {count}")).collect();
            let line = format!("{} broken rows in all: {}", inner.report.broken, by_file.join(", "));
            self.note(&line);
        }
        inner.report.clone()
    }
}

#[expect(clippy::print_stderr, reason = "a command-line program says how far it is")]
fn say(line: &str) {
    eprintln!("{line}");
}
