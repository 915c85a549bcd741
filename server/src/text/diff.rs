//! What changed between two versions of a text, to read: by line, and by word where a line was
//! reworded.

use std::time::Duration;

use similar::{ChangeTag, DiffOp, TextDiff};

use super::budget::Deadline;
use super::format::escape;
use super::guard::cut;

/// After this the comparisons become coarse, not wrong.
const TIME: Duration = Duration::from_millis(200);
const MAX_BYTES: usize = 400_000;
/// Unchanged lines shown around a change.
const CONTEXT: usize = 2;
/// Below this share of common words two lines are not one line reworded.
const ALIKE: f32 = 0.4;

/// Spoken before each change: colour and strokes are not heard.
#[derive(Debug, Clone, Copy)]
pub struct DiffWords<'a> {
    pub added: &'a str,
    pub removed: &'a str,
}

/// How long the comparisons of one page may take together.
#[derive(Clone, Copy, Debug)]
pub struct DiffTime(Deadline);

impl DiffTime {
    /// Begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self(Deadline::after(TIME))
    }
}

/// A version against the one before it; the first one is there to be read, whole.
#[must_use]
pub fn version_html(before: Option<&str>, now: &str, words: &DiffWords<'_>, time: DiffTime) -> String {
    if let Some(before) = before {
        return diff_html(before, now, words, time);
    }
    let mut rows = Rows { html: String::from("<div class=\"diff\">"), words, deadline: time.0 };
    cut(now, MAX_BYTES).lines().for_each(|line| rows.row(ChangeTag::Equal, line));
    rows.html.push_str("</div>");
    rows.html
}

/// `<div class="diff">` of one `<div class="diff-row">` a line, with `<ins>` and `<del>` in them;
/// far unchanged lines become one row of class `diff-gap`. All text escaped. `time`: one for all that
/// are compared for a page, however many.
#[must_use]
pub fn diff_html(old: &str, new: &str, words: &DiffWords<'_>, time: DiffTime) -> String {
    let (old, new) = (cut(old, MAX_BYTES), cut(new, MAX_BYTES));
    let DiffTime(deadline) = time;
    let old_lines: Vec<&str> = old.lines().collect();
    let new_lines: Vec<&str> = new.lines().collect();
    let diff = TextDiff::configure().deadline(deadline.instant()).diff_slices(&old_lines, &new_lines);
    let mut rows = Rows { html: String::with_capacity(new.len() * 2), words, deadline };
    rows.html.push_str("<div class=\"diff\">");
    let last = diff.ops().len().saturating_sub(1);
    for (index, op) in diff.ops().iter().enumerate() {
        let removed = old_lines.get(op.old_range()).unwrap_or_default();
        let added = new_lines.get(op.new_range()).unwrap_or_default();
        match op {
            DiffOp::Equal { .. } => rows.unchanged(added, index > 0, index < last),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => rows.changed(removed, added),
        }
    }
    rows.html.push_str("</div>");
    rows.html
}

struct Rows<'a> {
    html: String,
    words: &'a DiffWords<'a>,
    deadline: Deadline,
}

impl Rows<'_> {
    fn unchanged(&mut self, lines: &[&str], after_change: bool, before_change: bool) {
        let head = if after_change { CONTEXT } else { 0 };
        let tail = lines.len().saturating_sub(if before_change { CONTEXT } else { 0 });
        for (index, line) in lines.iter().enumerate() {
            // A gap of one line saves nothing.
            if index < head || index >= tail || tail - head == 1 {
                self.row(ChangeTag::Equal, line);
            } else if index == head {
                self.html.push_str("<div class=\"diff-row diff-gap\">…</div>");
            }
        }
    }

    fn changed(&mut self, removed: &[&str], added: &[&str]) {
        let pairs = removed.len().min(added.len());
        let (old_pairs, gone) = removed.split_at_checked(pairs).unwrap_or((removed, &[]));
        let (new_pairs, come) = added.split_at_checked(pairs).unwrap_or((added, &[]));
        // Removed lines that have no like wait, so that a rewritten passage reads old, then new.
        let mut waiting: Vec<&str> = Vec::new();
        for (old, new) in old_pairs.iter().zip(new_pairs) {
            if let Some(row) = self.reworded(old, new) {
                self.flush(&mut waiting);
                self.html.push_str(&row);
            } else {
                self.row(ChangeTag::Delete, old);
                waiting.push(new);
            }
        }
        gone.iter().for_each(|line| self.row(ChangeTag::Delete, line));
        self.flush(&mut waiting);
        come.iter().for_each(|line| self.row(ChangeTag::Insert, line));
    }

    fn flush(&mut self, waiting: &mut Vec<&str>) {
        for line in waiting.drain(..) {
            self.row(ChangeTag::Insert, line);
        }
    }

    /// One row with the words that differ, or `None` if the lines have too little in common.
    fn reworded(&self, old: &str, new: &str) -> Option<String> {
        if self.deadline.passed() {
            return None;
        }
        let (old, new) = (tokens(old), tokens(new));
        let diff = TextDiff::configure().deadline(self.deadline.instant()).diff_slices(&old, &new);
        if diff.ratio() < ALIKE {
            return None;
        }
        let mut row = String::from("<div class=\"diff-row\">");
        for op in diff.ops() {
            let removed = old.get(op.old_range()).unwrap_or_default().concat();
            let added = new.get(op.new_range()).unwrap_or_default().concat();
            if let DiffOp::Equal { .. } = op {
                escape(&added, &mut row);
            } else {
                self.mark(ChangeTag::Delete, &removed, &mut row);
                self.mark(ChangeTag::Insert, &added, &mut row);
            }
        }
        row.push_str("</div>");
        Some(row)
    }

    fn row(&mut self, tag: ChangeTag, line: &str) {
        let mut row = String::from("<div class=\"diff-row\">");
        if line.is_empty() {
            // An empty line has height, and its coming or going is worth a mark.
            self.mark(tag, "\u{a0}", &mut row);
        } else {
            self.mark(tag, line, &mut row);
        }
        self.html.push_str(&row);
        self.html.push_str("</div>");
    }

    fn mark(&self, tag: ChangeTag, text: &str, row: &mut String) {
        let (element, word) = match tag {
            ChangeTag::Equal => return escape(text, row),
            ChangeTag::Delete => ("del", self.words.removed),
            ChangeTag::Insert => ("ins", self.words.added),
        };
        if text.is_empty() {
            return;
        }
        row.extend(["<", element, "><span class=\"sr\">"]);
        escape(word, row);
        row.push_str(" </span>");
        escape(text, row);
        row.extend(["</", element, ">"]);
    }
}

/// Words, runs of white space and single signs.
fn tokens(line: &str) -> Vec<&str> {
    let kind = |c: char| {
        if c.is_alphanumeric() {
            1
        } else if c.is_whitespace() {
            2
        } else {
            0
        }
    };
    let mut tokens = Vec::new();
    let (mut start, mut open) = (0, None);
    for (at, c) in line.char_indices() {
        let kind = kind(c);
        if open.is_some_and(|open| open != kind || kind == 0) {
            tokens.extend(line.get(start..at));
            start = at;
        }
        open = Some(kind);
    }
    tokens.extend(line.get(start..).filter(|rest| !rest.is_empty()));
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: DiffWords<'_> = DiffWords { added: "added", removed: "removed" };

    fn diff(old: &str, new: &str) -> String {
        diff_html(old, new, &WORDS, DiffTime::begin())
            .replace("<span class=\"sr\">added </span>", "+")
            .replace("<span class=\"sr\">removed </span>", "-")
    }

    #[test]
    fn reworded_line() {
        let html = diff("give 5 mg <daily>\nend", "give 10 mg <daily>\nend");
        assert_eq!(
            html,
            "<div class=\"diff\"><div class=\"diff-row\">give <del>-5</del><ins>+10</ins> mg &lt;daily&gt;</div>\
             <div class=\"diff-row\">end</div></div>"
        );
    }

    #[test]
    fn unlike_lines_and_gaps() {
        let html = diff("alpha\nbeta", "gamma delta epsilon\nzeta eta");
        assert!(html.contains("<del>-alpha</del></div><div class=\"diff-row\"><del>-beta"), "{html}");
        let same = "line\n".repeat(20);
        let html = diff(&format!("{same}a"), &format!("{same}b\n\nc"));
        assert_eq!(html.matches("diff-gap").count(), 1);
        assert_eq!(html.matches("line").count(), CONTEXT);
        assert!(html.contains("<ins>+\u{a0}</ins>"), "{html}");
        let whole = version_html(None, &same, &WORDS, DiffTime::begin());
        assert_eq!((whole.matches("line").count(), whole.matches("diff-gap").count()), (20, 0), "{whole}");
        assert_eq!(diff("x", "x"), "<div class=\"diff\"><div class=\"diff-row\">x</div></div>");
    }

    #[test]
    fn large_texts_in_time() {
        let numbers = |step: usize| (0..20_000).map(|n| format!("{} ", n * step)).collect::<String>();
        let start = std::time::Instant::now();
        let _ = diff_html(&numbers(3), &numbers(7), &WORDS, DiffTime::begin());
        let lines = (numbers(3).replace(' ', "\n"), numbers(7).replace(' ', "\n"));
        let _ = diff_html(&lines.0, &lines.1, &WORDS, DiffTime::begin());
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[test]
    fn what_the_time_is_over_for_is_compared_coarsely_and_whole() {
        let (old, new) = ("one\nsame\ntwo\nalso\nthree", "eins\nsame\nzwei\nalso\ndrei");
        let over = DiffTime(Deadline::after(Duration::ZERO));
        let fine = diff_html(old, new, &WORDS, DiffTime::begin());
        // The time is one for all that are compared with it, however many.
        let coarse: Vec<String> = (0..3).map(|_| diff_html(old, new, &WORDS, over)).collect();
        assert!(coarse.iter().all(|one| *one == coarse[0] && *one != fine));
        assert!(old.lines().chain(new.lines()).all(|line| coarse[0].contains(line)), "{}", coarse[0]);
    }
}
