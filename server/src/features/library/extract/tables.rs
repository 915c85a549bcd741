//! Tables: sheets of a workbook, and values parted by commas.

use std::io::{Cursor, Write};

use calamine::{Data, Reader as _};

use super::text::decoded;
use super::{Out, Reason};

/// Rows of a sheet, and columns, that are taken.
const MOST_ROWS: usize = 5_000;
const MOST_COLUMNS: usize = 100;
/// Characters of one cell.
const MOST_CELL: usize = 2_000;
/// Characters of one table.
const MOST_TABLE: usize = 45_000;

/// A table in the making: rows parted by line feeds, cells by tabs.
#[derive(Default)]
struct Table {
    text: String,
    rows: usize,
}

impl Table {
    /// Adds a row; false if no more is taken.
    fn row(&mut self, cells: impl Iterator<Item = String>) -> bool {
        if self.rows >= MOST_ROWS || self.text.len() > MOST_TABLE {
            return false;
        }
        self.rows += 1;
        for (place, cell) in cells.take(MOST_COLUMNS).enumerate() {
            if place > 0 {
                self.text.push('\t');
            }
            self.text.extend(cell.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).take(MOST_CELL));
        }
        self.text.push('\n');
        true
    }
}

/// Sheets of XLSX and ODS, a page each.
pub(super) fn sheets<W: Write>(bytes: Vec<u8>, out: &mut Out<W>) -> Result<(), Reason> {
    let mut book = calamine::open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|error| why(&error))?;
    let (mut whole, mut failed) = (true, false);
    for (number, name) in (1..).zip(book.sheet_names()) {
        let Ok(range) = book.worksheet_range(&name) else {
            failed = true;
            continue;
        };
        let mut table = Table::default();
        for row in range.rows().filter(|row| row.iter().any(|cell| *cell != Data::Empty)) {
            whole &= table.row(row.iter().map(ToString::to_string));
        }
        out.page(number, &name, true, &table.text)?;
    }
    if failed {
        Err(Reason::Damaged)
    } else if whole {
        Ok(())
    } else {
        Err(Reason::Large)
    }
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
    let mut table = Table::default();
    let mut whole = true;
    for record in reader.records() {
        let record = record.map_err(|_| Reason::Damaged)?;
        if !table.row(record.iter().map(str::to_owned)) {
            whole = false;
            break;
        }
    }
    out.page(1, "", true, &table.text)?;
    if whole { Ok(()) } else { Err(Reason::Large) }
}
