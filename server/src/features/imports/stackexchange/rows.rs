//! Reading the rows of a dump's file, one at a time.
//!
//! Invariant: at most one row is in memory, and a damaged row ends at the next `<`, which no
//! attribute can hold, so the rows after it are read as if it were not there.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use quick_xml::events::attributes::Attributes;

/// A row longer than this, in bytes, is damage.
const LONGEST: u64 = 32 << 20;

/// One row, by attribute. Attributes that nobody asks for cost nothing but their place here.
#[derive(Debug, Default)]
pub struct Row {
    /// 1 for the first row of the file.
    pub number: u64,
    values: HashMap<String, String>,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub number: u64,
    pub reason: String,
}

impl Row {
    /// An attribute that is there and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The same, taken out of the row.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.values.remove(name).filter(|value| !value.is_empty())
    }

    /// A whole number; `Ok(None)` if absent.
    pub fn number_of(&self, name: &str) -> Result<Option<i64>, String> {
        self.get(name)
            .map(|text| text.trim().parse().map_err(|_| format!("{name} is no number: {}", start_of(text))))
            .transpose()
    }

    /// A whole number that has to be there.
    pub fn needed(&self, name: &str) -> Result<i64, String> {
        self.number_of(name)?.ok_or_else(|| format!("{name} is missing"))
    }

    /// A time, microseconds; `Ok(None)` if absent.
    pub fn time_of(&self, name: &str) -> Result<Option<i64>, String> {
        self.get(name)
            .map(|text| time_of(text.trim()).ok_or_else(|| format!("{name} is no time: {}", start_of(text))))
            .transpose()
    }
}

/// The first characters of a text, for a report.
fn start_of(text: &str) -> String {
    text.chars().take(40).filter(|c| !c.is_control()).collect()
}

/// `2016-08-02T15:39:14.947`, with or without fraction and zone; dumps mean UTC.
fn time_of(text: &str) -> Option<i64> {
    let text = text.replacen(' ', "T", 1);
    let zoned = text.ends_with('Z') || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    crate::ports::clock::parse_rfc3339(&if zoned { text } else { format!("{text}Z") })
}

/// A file of a dump, row by row.
#[derive(Debug)]
pub struct Rows {
    file: BufReader<File>,
    chunk: Vec<u8>,
    number: u64,
    /// Bytes read so far.
    read: u64,
}

impl Rows {
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = BufReader::with_capacity(256 << 10, File::open(path)?);
        Ok(Self { file, chunk: Vec::new(), number: 0, read: 0 })
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn read(&self) -> u64 {
        self.read
    }

    /// Number of the row that was read last.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The row that was read last, in the file.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.chunk
    }

    /// The next row; `None` at the end of the file.
    pub fn next_row(&mut self) -> std::io::Result<Option<Result<Row, Broken>>> {
        loop {
            self.chunk.clear();
            let read = (&mut self.file).take(LONGEST).read_until(b'<', &mut self.chunk)?;
            if read == 0 {
                return Ok(None);
            }
            self.read += read as u64;
            let whole = self.chunk.last() == Some(&b'<');
            if whole {
                self.chunk.pop();
            }
            let starts = self.chunk.strip_prefix(b"row").and_then(<[u8]>::first);
            let is_row = starts.is_some_and(|next| next.is_ascii_whitespace() || *next == b'/');
            let too_long = !whole && read as u64 == LONGEST;
            if too_long {
                self.skip_to_tag()?;
            }
            if !is_row {
                continue;
            }
            self.number += 1;
            let number = self.number;
            let parsed = if too_long { Err("the row is too long".to_owned()) } else { parse(&self.chunk) };
            return Ok(Some(match parsed {
                Ok(values) => Ok(Row { number, values }),
                Err(reason) => Err(Broken { number, reason }),
            }));
        }
    }

    fn skip_to_tag(&mut self) -> std::io::Result<()> {
        loop {
            let mut part = Vec::new();
            let read = (&mut self.file).take(1 << 20).read_until(b'<', &mut part)?;
            self.read += read as u64;
            if read == 0 || part.last() == Some(&b'<') {
                return Ok(());
            }
        }
    }
}

/// The attributes of `row Id="1" … />`, whatever follows the `>`.
fn parse(chunk: &[u8]) -> Result<HashMap<String, String>, String> {
    let end = end_of_tag(chunk).ok_or("the row does not end")?;
    let tag = chunk.get(..end).unwrap_or_default();
    let tag = std::str::from_utf8(tag).map_err(|_| "the row is not UTF-8".to_owned())?;
    let tag = tag.strip_suffix('/').unwrap_or(tag);
    let mut values = HashMap::new();
    for attribute in Attributes::new(tag, 3) {
        let attribute = attribute.map_err(|error| format!("an attribute is damaged ({error})"))?;
        let value = quick_xml::escape::unescape(&attribute.value)
            .map_err(|error| format!("an attribute is damaged ({error})"))?;
        values.insert(attribute.key.as_ref().to_owned(), clean(&value));
    }
    Ok(values)
}

/// Where the tag's `>` is, outside of quotes.
fn end_of_tag(chunk: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (index, byte) in chunk.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(index),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Control characters, which some dumps hold and no text of the hub may.
fn clean(value: &str) -> String {
    let value: Cow<'_, str> = value.into();
    value.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::{parse, time_of};

    #[test]
    fn reads_attributes() {
        let row = parse(b"row Id=\"1\" Text='a &lt;b&gt; > &#xA;c' Extra=\"\" />\n  ").unwrap();
        assert_eq!(row["Id"], "1");
        assert_eq!(row["Text"], "a <b> > \nc");
    }

    #[test]
    fn names_what_is_broken() {
        assert!(parse(b"row Id=\"1\" Text=\"open").unwrap_err().contains("end"));
        assert!(parse(b"row Id=1 />").unwrap_err().contains("damaged"));
        assert!(parse(b"row Id=\"&nope;\" />").unwrap_err().contains("damaged"));
        assert!(parse(b"row Id=\"\xff\" />").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn reads_times() {
        let at = time_of("2016-08-02T15:39:14.947");
        assert_eq!(at, Some(1_470_152_354_947_000));
        assert_eq!(time_of("2016-08-02 15:39:14.947Z"), at);
        assert_eq!(time_of("2016-08-02"), None);
        assert_eq!(time_of("yesterday"), None);
    }
}
