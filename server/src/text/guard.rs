//! Bounds a Markdown source before it is parsed. Nesting needs no bound here: the parser and the
//! formatter walk without recursion, and the formatter stops opening elements past a depth.

use std::borrow::Cow;

/// Twice the longest text the hub stores (60,000 characters), in bytes of a three-byte script.
const MAX_BYTES: usize = 360_000;
/// Table cells of a document. A row may be shorter than its header, and the parser fills it up: a
/// header of a thousand columns over ten thousand one-letter rows would be ten million cells.
const MAX_CELLS: usize = 40_000;

pub(super) fn bound(source: &str) -> Cow<'_, str> {
    let source = cut(source, MAX_BYTES);
    if has_wide_tables(source) { Cow::Owned(break_tables(source)) } else { Cow::Borrowed(source) }
}

/// The longest start of `text` of at most `bytes`.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn has_wide_tables(source: &str) -> bool {
    let columns: usize = source.lines().filter_map(delimiter_columns).sum();
    columns > 0 && columns.saturating_mul(source.lines().count()) > MAX_CELLS
}

/// Leaves tables alone until the document's cells are spent, then puts a backslash into the
/// delimiter row, which makes the rest plain paragraphs.
fn break_tables(source: &str) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let mut rows_below = vec![0_usize; lines.len()];
    let mut rows = 0;
    for (line, below) in lines.iter().zip(rows_below.iter_mut()).rev() {
        *below = rows;
        rows = if content(line).is_empty() { 0 } else { rows + 1 };
    }
    let mut cells = 0_usize;
    let mut bounded = String::with_capacity(source.len() + 16);
    for (line, below) in lines.into_iter().zip(rows_below) {
        let wanted = delimiter_columns(line).map_or(0, |columns| columns.saturating_mul(below + 1));
        match line.rfind('-').and_then(|at| Some((line.get(..at)?, line.get(at..)?))) {
            Some((start, end)) if wanted > 0 && cells.saturating_add(wanted) > MAX_CELLS => {
                bounded.extend([start, "\\", end]);
            }
            _ => {
                cells = cells.saturating_add(wanted);
                bounded.push_str(line);
            }
        }
        bounded.push('\n');
    }
    bounded
}

/// The columns of a line such as `> |---|:-:|`, if it is one.
fn delimiter_columns(line: &str) -> Option<usize> {
    let row = content(line);
    let shaped = row.bytes().all(|b| matches!(b, b'|' | b'-' | b':' | b' ' | b'\t'));
    let is_row = shaped && row.contains('-') && row.contains(['|', ':']);
    is_row.then(|| row.bytes().filter(|b| *b == b'|').count() + 1)
}

fn content(line: &str) -> &str {
    line.trim_matches(|c: char| c == '>' || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tables_past_the_limit_are_broken() {
        let small = "|a|b|\n|-|-|\n|1|2|\n";
        assert_eq!(bound(small), small);
        let wide = format!("{}\n{}\n{}\n\n{small}", "|a".repeat(1000), "|-".repeat(1000), "x\n".repeat(100));
        let bounded = bound(&wide);
        assert!(bounded.contains("|\\-\n") && bounded.contains(small));
    }

    #[test]
    fn cuts_at_a_character() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
    }
}
