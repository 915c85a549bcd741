//! The Atom feed of a playbook (RFC 4287): what was published, the newest first.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::ports::clock::rfc3339;

/// A feed. All addresses are absolute.
#[derive(Clone, Debug)]
pub struct Feed<'a> {
    pub title: &'a str,
    pub subtitle: &'a str,
    /// Where the feed itself is.
    pub own: String,
    /// The page that it follows.
    pub page: String,
    /// When something last changed, microseconds.
    pub updated: i64,
    pub entries: Vec<Entry>,
}

/// One publication.
#[derive(Clone, Debug)]
pub struct Entry {
    pub title: String,
    pub summary: String,
    pub url: String,
    pub authors: Vec<String>,
    pub published: i64,
    pub updated: i64,
    pub terms: Vec<String>,
}

impl Feed<'_> {
    /// The document, UTF-8.
    pub fn write(&self) -> io::Result<Vec<u8>> {
        let mut xml = Writer::new(Vec::new());
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
        xml.create_element("feed").with_attribute(("xmlns", "http://www.w3.org/2005/Atom")).write_inner_content(
            |xml| {
                text(xml, "id", &self.page)?;
                text(xml, "title", self.title)?;
                if !self.subtitle.is_empty() {
                    text(xml, "subtitle", self.subtitle)?;
                }
                text(xml, "updated", &rfc3339(self.updated))?;
                link(xml, "self", &self.own)?;
                link(xml, "alternate", &self.page)?;
                self.entries.iter().try_for_each(|entry| entry.write(xml))
            },
        )?;
        Ok(xml.into_inner())
    }
}

impl Entry {
    fn write(&self, xml: &mut Writer<Vec<u8>>) -> io::Result<()> {
        xml.create_element("entry").write_inner_content(|xml| {
            text(xml, "id", &self.url)?;
            text(xml, "title", &self.title)?;
            link(xml, "alternate", &self.url)?;
            text(xml, "published", &rfc3339(self.published))?;
            text(xml, "updated", &rfc3339(self.updated))?;
            // An entry without an author has to say so.
            let nobody = ["".to_owned()];
            let authors = if self.authors.is_empty() { nobody.as_slice() } else { self.authors.as_slice() };
            for name in authors {
                xml.create_element("author").write_inner_content(|xml| text(xml, "name", name))?;
            }
            for term in &self.terms {
                xml.create_element("category").with_attribute(("term", readable(term).as_str())).write_empty()?;
            }
            text(xml, "summary", &self.summary)
        })?;
        Ok(())
    }
}

fn text(xml: &mut Writer<Vec<u8>>, name: &str, content: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(&readable(content)))?;
    Ok(())
}

fn link(xml: &mut Writer<Vec<u8>>, rel: &str, href: &str) -> io::Result<()> {
    xml.create_element("link").with_attribute(("rel", rel)).with_attribute(("href", href)).write_empty()?;
    Ok(())
}

/// Without the characters that XML 1.0 has no way to write.
fn readable(text: &str) -> String {
    let allowed = |c: &char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
    text.chars().filter(allowed).collect()
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;

    use super::*;

    #[test]
    fn a_feed_is_well_formed_whatever_stands_in_it() {
        let entry = Entry {
            title: "A < B & \"C\" \u{1}".into(),
            summary: "]]> <script>".into(),
            url: "https://hub.example.org/case-studies/a?x=1&y=2".into(),
            authors: vec!["Ada & Bea".into()],
            published: 1_764_115_200_000_000,
            updated: 1_764_115_200_000_000,
            terms: vec!["\"x\" & y".into()],
        };
        let feed = Feed {
            title: "Radiology",
            subtitle: "",
            own: "https://hub.example.org/playbooks/radiology/feed.atom".into(),
            page: "https://hub.example.org/playbooks/radiology".into(),
            updated: 1_764_115_200_000_000,
            entries: vec![entry],
        };
        let bytes = feed.write().unwrap();
        let document = String::from_utf8(bytes).unwrap();
        let mut reader = Reader::from_str(&document);
        let mut texts = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Text(text) => texts.push(text.into_inner().into_owned()),
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(document.contains("<title>A &lt; B &amp; "), "{document}");
        assert!(!document.contains('\u{1}'));
        assert!(document.contains("<updated>2025-11-26T00:00:00Z</updated>"), "{document}");
        assert!(!document.contains("<script>"));
        assert!(!texts.is_empty());
    }
}
