//! Text out of files, in a process of its own: `praxis extract KIND` reads a file from standard
//! input and writes pages as lines of JSON.
//!
//! Invariants: whatever the file, this process has bounded memory, time and output, writes no file
//! and opens no connection, and is started without the settings of the hub; the process that
//! started it believes nothing it says beyond the shape of its lines, and kills it when it is late.

mod office;
mod parent;
mod pdf;
mod tables;
mod text;

pub use office::MOST_ALL;
pub use parent::{Outcome, extract};

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

/// Bytes of a file whose text is taken out.
pub const MOST_INPUT: u64 = 64 << 20;
/// Characters of all pages together.
const MOST_TEXT: usize = 4_000_000;
/// Pages of a file.
const MOST_PAGES: usize = 5_000;
/// Characters of one page. A text without pages goes on in the next; of a page that has its own
/// number the rest is left out.
const MOST_PAGE: usize = 50_000;
/// Address space of the process, bytes.
const MEMORY: u64 = 3 << 29;
/// Processor time of the process, seconds.
const SECONDS: u64 = 45;
/// Stack for formats that nest.
const STACK: usize = 64 << 20;

/// Why the text of a file is missing or not whole; a word of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A password is needed.
    Encrypted,
    /// It is not what it looks like, or broken.
    Damaged,
    /// It took too long.
    Slow,
    /// It is longer than what is taken.
    Large,
    /// It wanted too much memory.
    Memory,
    /// There is no text in it, such as in a scan.
    Empty,
}

impl Reason {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Damaged => "damaged",
            Self::Slow => "slow",
            Self::Large => "large",
            Self::Memory => "memory",
            Self::Empty => "empty",
        }
    }
}

/// One line of the process's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Page {
        number: i32,
        label: String,
        table: bool,
        text: String,
    },
    /// The last line: all of it, or a part and why.
    End {
        reason: Option<Reason>,
    },
}

/// Where pages go, within the limits of text and pages.
struct Out<W: std::io::Write> {
    to: W,
    left: usize,
    pages: usize,
    last: i32,
    /// Something of it was left out.
    cut: bool,
}

impl<W: std::io::Write> Out<W> {
    const fn new(to: W) -> Self {
        Self { to, left: MOST_TEXT, pages: 0, last: 0, cut: false }
    }

    /// Writes a page by its number. `Err`: no more is taken.
    fn page(&mut self, number: i32, label: &str, table: bool, text: &str) -> Result<(), Reason> {
        let text = tidy(text, table);
        if text.is_empty() || number <= self.last {
            return Ok(());
        }
        if self.left == 0 || self.pages >= MOST_PAGES {
            return Err(Reason::Large);
        }
        let label: String = tidy(label, false).lines().next().unwrap_or_default().chars().take(120).collect();
        let (count, most) = (text.chars().count(), self.left.min(MOST_PAGE));
        let text: String = if count <= most { text } else { text.chars().take(most).collect() };
        self.cut |= count > most;
        self.left -= count.min(most);
        self.pages += 1;
        self.last = number;
        self.line(&Line::Page { number, label, table, text })
    }

    /// Writes a text without pages, in parts that end with a line.
    fn parts(&mut self, text: &str) -> Result<(), Reason> {
        let mut rest = text;
        while !rest.trim().is_empty() {
            let end = rest.char_indices().nth(MOST_PAGE * 9 / 10).map_or(rest.len(), |(at, _)| at);
            let whole = end == rest.len();
            let line = rest.get(..end).and_then(|part| part.rfind('\n')).filter(|_| !whole).map_or(end, |at| at + 1);
            let (part, after) = rest.split_at_checked(line).unwrap_or((rest, ""));
            self.page(self.last + 1, "", false, part)?;
            rest = after;
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> Result<(), Reason> {
        let mut text = serde_json::to_vec(line).map_err(|_| Reason::Damaged)?;
        text.push(b'\n');
        // Nobody reads any more: the process that started this one is gone.
        self.to.write_all(&text).map_err(|_| Reason::Slow)
    }
}

/// A text without control characters, ends of lines in one way, and at most one empty line.
fn tidy(text: &str, table: bool) -> String {
    let mut lines = Vec::new();
    let mut blank = false;
    for line in text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{2028}'], "\n").lines() {
        let line: String =
            line.chars().filter(|c| !c.is_control() || *c == '\t').filter(|c| *c != '\u{feff}').collect();
        let line = if table { line.trim_end_matches('\t') } else { line.trim_end() };
        if line.trim().is_empty() {
            blank = !lines.is_empty();
        } else {
            if blank && !table {
                lines.push(String::new());
            }
            blank = false;
            lines.push(line.to_owned());
        }
    }
    lines.join("\n")
}

/// The process itself. It limits itself before it reads anything.
pub fn run(kind: &str) -> ExitCode {
    if let Err(error) = limit() {
        // Without limits nothing is read.
        tracing::error!(%error, "no limits could be set");
        return ExitCode::FAILURE;
    }
    // What a parser says when it gives up is nobody's business.
    std::panic::set_hook(Box::new(|_| {}));
    let kind = kind.to_owned();
    let done = std::thread::Builder::new().stack_size(STACK).spawn(move || read_and_write(&kind)).map(|of| of.join());
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

#[cfg(unix)]
fn limit() -> std::io::Result<()> {
    use rlimit::Resource;
    // Never more than the operator lets this process have.
    let lower = |of: Resource, most: u64| -> std::io::Result<()> {
        let most = most.min(of.get()?.1);
        of.set(most, most)
    };
    lower(Resource::AS, MEMORY)?;
    lower(Resource::CPU, SECONDS)?;
    lower(Resource::FSIZE, 0)?;
    lower(Resource::CORE, 0)
}

#[cfg(not(unix))]
fn limit() -> std::io::Result<()> {
    Err(std::io::Error::other("this system has no limits of processes"))
}

fn read_and_write(kind: &str) {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MOST_INPUT + 1).read_to_end(&mut bytes);
    let mut out = Out::new(std::io::BufWriter::new(std::io::stdout().lock()));
    let done = match read {
        Err(_) => Err(Reason::Damaged),
        Ok(_) if bytes.len() as u64 > MOST_INPUT => Err(Reason::Large),
        Ok(_) => {
            let work = std::panic::AssertUnwindSafe(|| take_out(kind, bytes, &mut out));
            std::panic::catch_unwind(work).unwrap_or(Err(Reason::Damaged))
        }
    };
    let reason = match done {
        Ok(()) if out.pages == 0 => Some(Reason::Empty),
        Ok(()) => None,
        Err(reason) => Some(reason),
    };
    let _told = out.line(&Line::End { reason });
    let _flushed = out.to.flush();
}

fn take_out<W: std::io::Write>(kind: &str, bytes: Vec<u8>, out: &mut Out<W>) -> Result<(), Reason> {
    let done = match kind {
        "pdf" => pdf::read(&bytes, out),
        "docx" => office::docx(bytes, out),
        "pptx" => office::pptx(bytes, out),
        "odf" => office::odf(bytes, out),
        "sheet" => tables::sheets(bytes, out),
        "csv" => tables::separated(&bytes, None, out),
        "tsv" => tables::separated(&bytes, Some(b'\t'), out),
        "html" => text::html(&bytes, out),
        _ => text::plain(&bytes, out),
    };
    if out.cut { done.and(Err(Reason::Large)) } else { done }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(kind: &str, bytes: &[u8]) -> (Vec<Line>, Option<Reason>) {
        let mut out = Out::new(Vec::new());
        let done = take_out(kind, bytes.to_vec(), &mut out);
        let lines = out.to.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        (lines.map(|line| serde_json::from_slice(line).unwrap()).collect(), done.err())
    }

    fn page(number: i32, table: bool, text: &str) -> Line {
        Line::Page { number, label: String::new(), table, text: text.to_owned() }
    }

    #[test]
    fn texts_are_tidied() {
        assert_eq!(tidy("a \r\nb\r\n\r\n\r\n\u{0}c\u{7}\n", false), "a\nb\n\nc");
        assert_eq!(tidy("\u{feff}a\tb\t\t\n\n1\t2", true), "a\tb\n1\t2");
    }

    #[test]
    fn plain_text_in_its_encodings() {
        for bytes in [b"caf\xc3\xa9".as_slice(), b"\xef\xbb\xbfcaf\xc3\xa9", b"caf\xe9", b"\xff\xfec\0a\0f\0\xe9\0"] {
            assert_eq!(pages("text", bytes), (vec![page(1, false, "café")], None));
        }
        let long = "A line of some length.\n".repeat(10_000);
        let (lines, reason) = pages("text", long.as_bytes());
        assert!(lines.len() > 3 && reason.is_none(), "{}", lines.len());
        let endless = "x".repeat(5_000_000);
        assert_eq!(pages("text", endless.as_bytes()).1, Some(Reason::Large));
    }

    #[test]
    fn tables_have_tabs() {
        assert_eq!(pages("csv", b"a,\"b\nc\"\n1,2\n").0, [page(1, true, "a\tb c\n1\t2")]);
        assert_eq!(pages("csv", b"a;b\n1;2\n").0, [page(1, true, "a\tb\n1\t2")]);
        assert_eq!(pages("tsv", b"a\tb\n1\t2\n").0, [page(1, true, "a\tb\n1\t2")]);
    }

    #[test]
    fn a_long_table_goes_on_under_the_same_first_row() {
        let rows: String = (0..20_000).map(|n| format!("{n},Ward {n}\n")).collect();
        let (lines, reason) = pages("csv", format!("Number,Ward\n{rows}").as_bytes());
        assert!(lines.len() > 5 && reason.is_none(), "{} {reason:?}", lines.len());
        let mut seen = 0;
        for (at, line) in (1..).zip(&lines) {
            let Line::Page { number, table: true, text, .. } = line else { panic!("{line:?}") };
            assert_eq!((*number, text.lines().next()), (at, Some("Number\tWard")));
            seen += text.lines().count() - 1;
        }
        assert_eq!(seen, 20_000, "each row once");
        let endless = format!("a,b\n{}", "some,more\n".repeat(500_000));
        assert_eq!(pages("csv", endless.as_bytes()).1, Some(Reason::Large));
    }

    #[test]
    fn a_page_that_is_too_long_ends_no_document() {
        let mut out = Out::new(Vec::new());
        for (number, text) in [(1, "x".repeat(MOST_PAGE + 1)), (2, "The next page.".to_owned())] {
            assert_eq!(out.page(number, "", false, &text), Ok(()));
        }
        assert_eq!((out.pages, out.cut, out.left), (2, true, MOST_TEXT - MOST_PAGE - 14));
    }

    #[test]
    fn html_is_text() {
        let (lines, _) = pages("html", b"<title>T</title><h1>Pumps</h1><script>alert(1)</script><p>Two of them.");
        let Some(Line::Page { text, .. }) = lines.first() else { panic!("{lines:?}") };
        assert!(text.contains("Pumps") && text.contains("Two of them.") && !text.contains("alert"), "{text}");
    }

    #[test]
    fn what_is_broken_says_so() {
        for kind in ["pdf", "docx", "pptx", "odf", "sheet"] {
            assert_eq!(pages(kind, b"nothing of the kind").1, Some(Reason::Damaged), "{kind}");
            assert_eq!(pages(kind, b"").1, Some(Reason::Damaged), "{kind}");
        }
    }
}
