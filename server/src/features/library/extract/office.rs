//! Office documents: archives of XML. Their parts are read in a stream; nothing outside of the
//! archive is ever opened, and entities are those of XML itself.

use std::collections::HashMap;
use std::io::{BufReader, Cursor, Read, Write};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;
use zip::read::ZipFile;

use super::{Out, Reason};

/// Bytes of one part once it is unpacked, and of all parts together.
const MOST_PART: u64 = 96 << 20;
pub const MOST_ALL: u64 = 256 << 20;
/// Elements inside each other.
const DEEPEST: usize = 4_000;
/// Characters between two tags.
const MOST_RUN: usize = 1 << 20;

type Archive = ZipArchive<Cursor<Vec<u8>>>;

fn open(bytes: Vec<u8>) -> Result<Archive, Reason> {
    // A document with a password is no archive but a container of the older kind.
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(Reason::Encrypted);
    }
    ZipArchive::new(Cursor::new(bytes)).map_err(|_| Reason::Damaged)
}

fn part<'a>(archive: &'a mut Archive, name: &str) -> Result<ZipFile<'a, Cursor<Vec<u8>>>, Reason> {
    let part = archive.by_name(name).map_err(|_| Reason::Damaged)?;
    if part.encrypted() { Err(Reason::Encrypted) } else { Ok(part) }
}

/// What happens at the tags of a part.
trait Tags {
    fn open(&mut self, tag: &str, element: &BytesStart<'_>);
    fn close(&mut self, tag: &str);
    fn text(&mut self, text: &str);
    /// Pages that are ready; false at the end of what is taken.
    fn ready(&mut self) -> Result<(), Reason> {
        Ok(())
    }
}

/// Reads a part with its tags told one by one, within its limits. Bytes read are taken off `left`.
fn walk(from: impl Read, left: &mut u64, tags: &mut impl Tags) -> Result<(), Reason> {
    let most = MOST_PART.min(*left);
    let mut counted = from.take(most + 1);
    let done = tell(&mut counted, tags);
    let read = most + 1 - counted.limit();
    *left = left.saturating_sub(read);
    // What was cut off is no well-formed XML, and that is not its own fault.
    if read > most { Err(Reason::Large) } else { done }
}

fn tell(from: impl Read, tags: &mut impl Tags) -> Result<(), Reason> {
    let mut reader = Reader::from_reader(BufReader::new(from));
    let (mut buffer, mut depth) = (Vec::new(), 0usize);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| Reason::Damaged)? {
            Event::Start(element) => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(Reason::Damaged);
                }
                tags.open(element.local_name().as_ref(), &element);
            }
            Event::Empty(element) => {
                tags.open(element.local_name().as_ref(), &element);
                tags.close(element.local_name().as_ref());
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                tags.close(element.local_name().as_ref());
                tags.ready()?;
            }
            Event::Text(text) => {
                let text = text.xml10_content();
                if text.len() > MOST_RUN {
                    return Err(Reason::Large);
                }
                tags.text(&text);
            }
            Event::CData(text) => tags.text(&text.xml10_content()),
            // Only what XML itself names: an entity of the document's own stays unread.
            Event::GeneralRef(reference) => {
                let known = match reference.as_ref() {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => reference.resolve_char_ref().ok().flatten(),
                };
                if let Some(c) = known {
                    tags.text(c.encode_utf8(&mut [0; 4]));
                }
            }
            // No office document has one; where there is one, it is for no good.
            Event::DocType(_) => return Err(Reason::Damaged),
            Event::Eof => return if depth == 0 { Ok(()) } else { Err(Reason::Damaged) },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// The value of an attribute by its local name.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|of| of.key.local_name().as_ref() == name)
        .map(|of| of.value.chars().take(500).collect())
}

/// Text with pages, as the tags of a text document tell it.
struct Flow<'a, W: Write> {
    out: &'a mut Out<W>,
    text: String,
    page: i32,
    /// Inside of something whose characters count.
    inside: usize,
    /// Characters count everywhere, as in OpenDocument's paragraphs.
    runs: &'static [&'static str],
    /// Tags that hold what is no part of the text.
    skipped: usize,
    stopped: Option<Reason>,
}

impl<'a, W: Write> Flow<'a, W> {
    const fn new(out: &'a mut Out<W>, runs: &'static [&'static str]) -> Self {
        Self { out, text: String::new(), page: 1, inside: 0, runs, skipped: 0, stopped: None }
    }

    fn turn(&mut self) {
        let text = std::mem::take(&mut self.text);
        if let Err(reason) = self.out.page(self.page, "", false, &text) {
            self.stopped = Some(reason);
        }
        self.page += 1;
    }
}

impl<W: Write> Tags for Flow<'_, W> {
    fn open(&mut self, tag: &str, element: &BytesStart<'_>) {
        match tag {
            // Notes of changes, comments and alternatives for older programs.
            "tracked-changes" | "annotation" | "Fallback" | "del" | "instrText" => self.skipped += 1,
            "lastRenderedPageBreak" | "soft-page-break" => self.turn(),
            "br" if attribute(element, "type").as_deref() == Some("page") => self.turn(),
            "br" | "cr" | "line-break" => self.text.push('\n'),
            // One with a value only says where stops are.
            "tab" if attribute(element, "val").is_none() => self.text.push('\t'),
            "s" if self.inside > 0 => self.text.push(' '),
            _ if self.runs.contains(&tag) => self.inside += 1,
            _ => {}
        }
    }

    fn close(&mut self, tag: &str) {
        match tag {
            "tracked-changes" | "annotation" | "Fallback" | "del" | "instrText" => {
                self.skipped = self.skipped.saturating_sub(1);
            }
            "tc" | "table-cell" => {
                let kept = self.text.trim_end_matches('\n').len();
                self.text.truncate(kept);
                self.text.push('\t');
            }
            "tr" | "table-row" => self.text.push('\n'),
            _ if self.runs.contains(&tag) => self.inside = self.inside.saturating_sub(1),
            _ => {}
        }
        if matches!(tag, "p" | "h") {
            self.text.push('\n');
        }
    }

    fn text(&mut self, text: &str) {
        if self.inside > 0 && self.skipped == 0 {
            self.text.push_str(text);
        }
    }

    fn ready(&mut self) -> Result<(), Reason> {
        // A document without page breaks is still written in parts.
        if self.text.len() > super::MOST_PAGE / 2 {
            self.turn();
        }
        self.stopped.map_or(Ok(()), Err)
    }
}

pub(super) fn docx<W: Write>(bytes: Vec<u8>, out: &mut Out<W>) -> Result<(), Reason> {
    let mut archive = open(bytes)?;
    let mut left = MOST_ALL;
    let mut flow = Flow::new(out, &["t"]);
    let done = walk(part(&mut archive, "word/document.xml")?, &mut left, &mut flow);
    flow.turn();
    flow.stopped.map_or(done, Err)
}

pub(super) fn odf<W: Write>(bytes: Vec<u8>, out: &mut Out<W>) -> Result<(), Reason> {
    let mut archive = open(bytes)?;
    let mut left = MOST_ALL;
    // The manifest says which parts are encrypted; they are not in the archive's own way.
    let mut manifest = Marks::new(&["encryption-data"]);
    if let Ok(of) = part(&mut archive, "META-INF/manifest.xml") {
        // Its document type is that of the format's first version.
        let _read = walk(of, &mut left, &mut manifest);
    }
    if manifest.found > 0 {
        return Err(Reason::Encrypted);
    }
    let mut flow = Flow::new(out, &["p", "h"]);
    let done = walk(part(&mut archive, "content.xml")?, &mut left, &mut flow);
    flow.turn();
    flow.stopped.map_or(done, Err)
}

/// Counts tags.
struct Marks {
    names: &'static [&'static str],
    found: usize,
}

impl Marks {
    const fn new(names: &'static [&'static str]) -> Self {
        Self { names, found: 0 }
    }
}

impl Tags for Marks {
    fn open(&mut self, tag: &str, _element: &BytesStart<'_>) {
        self.found += usize::from(self.names.contains(&tag));
    }

    fn close(&mut self, _tag: &str) {}

    fn text(&mut self, _text: &str) {}
}

/// Ids of slides in their order, or relations by id.
#[derive(Default)]
struct Relations {
    slides: Vec<String>,
    targets: HashMap<String, String>,
}

impl Tags for Relations {
    fn open(&mut self, tag: &str, element: &BytesStart<'_>) {
        if self.slides.len() + self.targets.len() > 20_000 {
            return;
        }
        match tag {
            // It has two ids; the one of the relation begins with its name.
            "sldId" => {
                let of = element.attributes().with_checks(false).flatten().find(|of| of.key.as_ref().ends_with(":id"));
                self.slides.extend(of.map(|of| of.value.chars().take(200).collect::<String>()));
            }
            "Relationship" => {
                if let (Some(id), Some(target)) = (attribute(element, "Id"), attribute(element, "Target")) {
                    self.targets.insert(id, target);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, _tag: &str) {}

    fn text(&mut self, _text: &str) {}
}

/// The text of one slide.
#[derive(Default)]
struct Slide {
    text: String,
    inside: usize,
}

impl Tags for Slide {
    fn open(&mut self, tag: &str, _element: &BytesStart<'_>) {
        match tag {
            "t" => self.inside += 1,
            "br" => self.text.push('\n'),
            _ => {}
        }
    }

    fn close(&mut self, tag: &str) {
        match tag {
            "t" => self.inside = self.inside.saturating_sub(1),
            "p" => self.text.push('\n'),
            "tc" => {
                let kept = self.text.trim_end_matches('\n').len();
                self.text.truncate(kept);
                self.text.push('\t');
            }
            "tr" => self.text.push('\n'),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.inside > 0 && self.text.len() < MOST_RUN {
            self.text.push_str(text);
        }
    }
}

pub(super) fn pptx<W: Write>(bytes: Vec<u8>, out: &mut Out<W>) -> Result<(), Reason> {
    let mut archive = open(bytes)?;
    let mut left = MOST_ALL;
    let mut order = Relations::default();
    walk(part(&mut archive, "ppt/presentation.xml")?, &mut left, &mut order)?;
    walk(part(&mut archive, "ppt/_rels/presentation.xml.rels")?, &mut left, &mut order)?;
    let mut failed = None;
    for (number, id) in (1..).zip(&order.slides) {
        let Some(target) = order.targets.get(id) else { continue };
        let name = match target.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => format!("ppt/{target}"),
        };
        let mut slide = Slide::default();
        if let Err(reason) = part(&mut archive, &name).and_then(|of| walk(of, &mut left, &mut slide)) {
            failed = Some(reason);
        }
        let label = slide.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
        out.page(number, &label, false, &slide.text)?;
        if left == 0 {
            return Err(Reason::Large);
        }
    }
    failed.map_or(Ok(()), Err)
}
