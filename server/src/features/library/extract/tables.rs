//! Tables: sheets of a workbook, and values parted by commas.

use std::io::{Cursor, Write};

use calamine::{Data, Reader as _};

use super::text::decoded;
use super::{Out, Reason};

/// Rows of a page of a table, and columns, that are taken.
const MOST_ROWS: usize = 5_000;
const MOST_COLUMNS: usize = 100;
/// Characters of one cell.
const MOST_CELL: usize = 2_000;
/// Bytes of one page of a table.
const MOST_TABLE: usize = 45_000;
/// Bytes of a first row that stands above every page.
const MOST_HEAD: usize = 2_000;

/// A table on its way out: rows parted by line feeds, cells by tabs. What is longer than a page goes
/// on in the next, under the same first row.
struct Table<'a, W: Write> {
    out: &'a mut Out<W>,
    label: &'a str,
    /// Its first page has this number, or a later one.
    number: i32,
    head: Option<String>,
    text: String,
    rows: usize,
}

impl<'a, W: Write> Table<'a, W> {
    const fn new(out: &'a mut Out<W>, label: &'a str, number: i32) -> Self {
        Self { out, label, number, head: None, text: String::new(), rows: 0 }
    }

    fn row(&mut self, cells: impl Iterator<Item = String>) -> Result<(), Reason> {
        let mut line = String::new();
        for (place, cell) in cells.take(MOST_COLUMNS).enumerate() {
            if place > 0 {
                line.push('\t');
            }
            line.extend(cell.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).take(MOST_CELL));
        }
        line.push('\n');
        if self.rows >= MOST_ROWS || (self.rows > 0 && self.text.len() + line.len() > MOST_TABLE) {
            self.end()?;
            self.text = self.head.clone().unwrap_or_default();
        }
        if self.head.is_none() {
            self.head = Some(if line.len() > MOST_HEAD { String::new() } else { line.clone() });
        }
        self.text.push_str(&line);
        self.rows += 1;
        Ok(())
    }

    /// Writes the page that was begun.
    fn end(&mut self) -> Result<(), Reason> {
        self.rows = 0;
        let text = std::mem::take(&mut self.text);
        let number = self.number.max(self.out.last.saturating_add(1));
        self.out.page(number, self.label, true, &text)
    }
}

/// Sheets of XLSX and ODS, a page each or more.
pub(super) fn sheets<W: Write>(bytes: Vec<u8>, out: &mut Out<W>) -> Result<(), Reason> {
    let mut book = calamine::open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|error| why(&error))?;
    let mut failed = false;
    for (number, name) in (1..).zip(book.sheet_names()) {
        let Ok(range) = book.worksheet_range(&name) else {
            failed = true;
            continue;
        };
        let mut table = Table::new(out, &name, number);
        for row in range.rows().filter(|row| row.iter().any(|cell| *cell != Data::Empty)) {
            table.row(row.iter().map(ToString::to_string))?;
        }
        table.end()?;
    }
    if failed { Err(Reason::Damaged) } else { Ok(()) }
}

fn why(error: &calamine::Error) -> Reason {
    let said = error.to_string().to_lowercase();
    if said.contains("password") || said.contains("encrypt") { Reason::Encrypted } else { Reason::Damaged }
}

/// Values parted by a separator: the one that the first line has most of, if none is given.
pub(super) fn separated<W: Write>(bytes: &[u8], separator: Option<u8>, out: &mut Out<W>) -> Result<(), Reason> {
    let text = decoded(bytes);
    let first = text.lines().next().unwrap_or_default();
    let separator = separator.unwrap_or_else(|| {
        let count = |of: char| first.matches(of).count();
        [',', ';', '\t', '|'].into_iter().max_by_key(|of| (count(*of), *of == ',')).map_or(b',', |of| of as u8)
    });
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let mut table = Table::new(out, "", 1);
    let mut failed = false;
    for record in reader.records() {
        let Ok(record) = record else {
            failed = true;
            break;
        };
        table.row(record.iter().map(str::to_owned))?;
    }
    table.end()?;
    if failed { Err(Reason::Damaged) } else { Ok(()) }
}
