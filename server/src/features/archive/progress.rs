//! How far a long command is: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often plain progress is said where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    stage: String,
    done: u64,
    total: u64,
    said: Instant,
}

impl Progress {
    #[must_use]
    pub fn new() -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain { ProgressBar::hidden() } else { ProgressBar::new(0) };
        Self { bar, plain, stage: String::new(), done: 0, total: 0, said: Instant::now() }
    }

    /// What is done now, of so many bytes or rows; 0 if nobody knows.
    pub fn stage(&mut self, name: &str, total: u64, bytes: bool) {
        let count = if bytes { "{bytes}/{total_bytes}" } else { "{human_pos}/{human_len} rows" };
        let template = if total == 0 {
            "{msg:<24} {spinner}".to_owned()
        } else {
            format!("{{msg:<24}} [{{bar:30}}] {count} · {{eta}} left")
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(total);
        self.bar.set_position(0);
        self.bar.set_message(name.to_owned());
        (self.stage, self.done, self.total) = (name.to_owned(), 0, total);
    }

    pub fn advance(&mut self, by: u64) {
        self.done += by;
        self.bar.inc(by);
        if self.plain && self.said.elapsed() >= EVERY {
            self.said = Instant::now();
            let percent = self.done.saturating_mul(100).checked_div(self.total);
            say(&percent.map_or_else(|| format!("{} …", self.stage), |so| format!("{}: {so} %", self.stage)));
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[expect(clippy::print_stderr, reason = "a command-line program says how far it is")]
fn say(line: &str) {
    eprintln!("{line}");
}
