//! How a case study is cited: in a sentence, as BibTeX, as schema.org's `Article`.

use serde_json::{Value, json};

use super::model::StudyView;
use crate::entities::kinds::PartKey;

/// Names that a sentence has room for.
const NAMED: usize = 6;

/// What a citation says.
#[derive(Clone, Debug)]
pub struct Cited<'a> {
    pub slug: &'a str,
    pub title: &'a str,
    pub summary: &'a str,
    /// Display names in their order, and where each works, if known.
    pub authors: Vec<(&'a str, &'a str)>,
    pub hub: &'a str,
    /// The playbook it stands in, and its address.
    pub playbook: Option<(&'a str, String)>,
    pub url: &'a str,
    /// Microseconds: of its first publication.
    pub published: i64,
    /// Of the publication that is cited.
    pub modified: i64,
    /// Which publication of it.
    pub version: i32,
    pub licence: &'a str,
    pub keywords: Vec<&'a str>,
}

impl<'a> Cited<'a> {
    /// Of a study as it is published; `url` is its address with `origin`, that of the hub.
    #[must_use]
    pub fn of(view: &'a StudyView, hub: &'a str, origin: &str, url: &'a str) -> Self {
        let row = &view.row;
        let authors = view.authors_full.iter().map(|who| (who.display_name.as_str(), who.organisation.as_str()));
        Self {
            slug: &row.slug,
            title: &row.title,
            summary: &row.summary,
            authors: authors.collect(),
            hub,
            playbook: row.playbook.as_ref().map(|of| (of.title.as_str(), format!("{origin}/playbooks/{}", of.slug))),
            url,
            published: row.first_published.or(row.published).unwrap_or(row.updated),
            modified: row.published.unwrap_or(row.updated),
            version: row.revision,
            licence: view.parts.get(&PartKey::Licence).map_or("", |part| part.body.as_str()),
            keywords: row.terms.values().flatten().map(String::as_str).collect(),
        }
    }
}

impl Cited<'_> {
    /// `Ada Lovelace and Grace Hopper (2026). Title. Case study in …, version 2, 22 November 2026. URL`
    #[must_use]
    pub fn plain(&self) -> String {
        let names: Vec<&str> = self.authors.iter().map(|(name, _)| *name).collect();
        let by = match names.as_slice() {
            [] => self.hub.to_owned(),
            [one] => (*one).to_owned(),
            [before @ .., last] if names.len() <= NAMED => format!("{} and {last}", before.join(", ")),
            [first, ..] => format!("{first} and others"),
        };
        let place = self.playbook.as_ref().map_or_else(String::new, |(title, _)| format!(" in “{title}”"));
        let stop = if self.title.ends_with(['.', '?', '!']) { "" } else { "." };
        format!(
            "{by} ({}). {}{stop} Case study{place}, {}, version {}, {}. {}",
            part(self.modified, Part::Year),
            self.title,
            self.hub,
            self.version,
            part(self.modified, Part::Day),
            self.url
        )
    }

    /// An entry of the type `misc`, which every style knows.
    #[must_use]
    pub fn bibtex(&self) -> String {
        let year = part(self.modified, Part::Year);
        let authors = if self.authors.is_empty() {
            format!("{{{}}}", tex(self.hub))
        } else {
            let names: Vec<String> = self.authors.iter().map(|(name, _)| format!("{{{}}}", tex(name))).collect();
            names.join(" and ")
        };
        let place = self.playbook.as_ref().map_or_else(String::new, |(title, _)| format!(" in {}", tex(title)));
        let mut entry = format!(
            "@misc{{{slug}-{year},\n  author = {{{authors}}},\n  title = {{{{{title}}}}},\n  year = {{{year}}},\n  \
             month = {month},\n  howpublished = {{Case study{place}, {hub}}},\n  note = {{Version {version}}},\n  \
             url = {{{url}}}",
            slug = self.slug,
            title = tex(self.title),
            month = part(self.modified, Part::Month).to_lowercase(),
            hub = tex(self.hub),
            version = self.version,
            url = self.url,
        );
        if !self.licence.is_empty() {
            entry.push_str(&format!(",\n  copyright = {{{}}}", tex(self.licence)));
        }
        entry.push_str("\n}\n");
        entry
    }

    /// A linked-data `Article`, <https://schema.org/Article>.
    #[must_use]
    pub fn json_ld(&self) -> Value {
        let author = |(name, organisation): &(&str, &str)| {
            let mut person = json!({"@type": "Person", "name": name});
            if !organisation.is_empty()
                && let Some(fields) = person.as_object_mut()
            {
                fields.insert("affiliation".into(), json!({"@type": "Organization", "name": organisation}));
            }
            person
        };
        let mut article = json!({
            "@context": "https://schema.org",
            "@type": "Article",
            "@id": self.url,
            "url": self.url,
            "mainEntityOfPage": self.url,
            "headline": self.title,
            "abstract": self.summary,
            "author": self.authors.iter().map(author).collect::<Vec<Value>>(),
            "publisher": {"@type": "Organization", "name": self.hub},
            "datePublished": part(self.published, Part::Iso),
            "dateModified": part(self.modified, Part::Iso),
            "version": self.version,
            "inLanguage": "en-GB",
            "keywords": self.keywords,
        });
        if let Some(fields) = article.as_object_mut() {
            if let Some((title, url)) = &self.playbook {
                fields.insert("isPartOf".into(), json!({"@type": "CreativeWork", "name": title, "url": url}));
            }
            if !self.licence.is_empty() {
                fields.insert("license".into(), json!(self.licence));
            }
        }
        article
    }

    /// The same for a data block in a page: no text in it can end its element.
    #[must_use]
    pub fn json_ld_block(&self) -> String {
        self.json_ld().to_string().replace('<', "\\u003c")
    }
}

/// Text as TeX sets it.
fn tex(text: &str) -> String {
    let mut set = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => set.push_str("\\textbackslash{}"),
            '~' => set.push_str("\\textasciitilde{}"),
            '^' => set.push_str("\\textasciicircum{}"),
            '{' | '}' | '%' | '&' | '$' | '#' | '_' => set.extend(['\\', c]),
            c if c.is_control() => set.push(' '),
            c => set.push(c),
        }
    }
    set
}

enum Part {
    Year,
    Month,
    Day,
    Iso,
}

fn part(at: i64, part: Part) -> String {
    use time::macros::format_description;
    let Ok(at) = time::OffsetDateTime::from_unix_timestamp(at.div_euclid(1_000_000)) else { return String::new() };
    let shown = match part {
        Part::Year => at.format(format_description!("[year]")),
        Part::Month => at.format(format_description!("[month repr:short]")),
        Part::Day => at.format(format_description!("[day padding:none] [month repr:long] [year]")),
        Part::Iso => at.format(format_description!("[year]-[month]-[day]")),
    };
    shown.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cited() -> Cited<'static> {
        Cited {
            slug: "faster-reads",
            title: "Faster reads & fewer _waits_",
            summary: "What we did </script>",
            authors: vec![("Ada Example", "Northbank"), ("Bea Muster", "")],
            hub: "Praxis",
            playbook: Some(("Radiology", "https://hub.example.org/playbooks/radiology".into())),
            url: "https://hub.example.org/case-studies/faster-reads",
            published: 1_700_000_000_000_000,
            modified: 1_795_651_200_000_000,
            version: 2,
            licence: "CC BY 4.0",
            keywords: vec!["triage"],
        }
    }

    #[test]
    fn a_sentence_names_all_or_the_first() {
        assert_eq!(
            cited().plain(),
            "Ada Example and Bea Muster (2026). Faster reads & fewer _waits_. Case study in “Radiology”, Praxis, \
             version 2, 26 November 2026. https://hub.example.org/case-studies/faster-reads"
        );
        let mut many = cited();
        many.authors = vec![("Ada", ""); 9];
        assert!(many.plain().starts_with("Ada and others (2026)."), "{}", many.plain());
        many.authors.clear();
        assert!(many.plain().starts_with("Praxis (2026)."));
        many.title = "Does it help?";
        assert!(many.plain().contains("help? Case study"));
    }

    #[test]
    fn bibtex_is_safe_to_set() {
        let entry = cited().bibtex();
        assert!(entry.starts_with("@misc{faster-reads-2026,\n  author = {{Ada Example} and {Bea Muster}},"), "{entry}");
        assert!(entry.contains("title = {{Faster reads \\& fewer \\_waits\\_}}"), "{entry}");
        assert!(entry.contains("month = nov,"), "{entry}");
        let mut odd = cited();
        odd.title = "50% {of} \\x\n~^";
        let entry = odd.bibtex();
        assert!(entry.contains("50\\% \\{of\\} \\textbackslash{}x \\textasciitilde{}\\textasciicircum{}"), "{entry}");
        assert_eq!(entry.matches('{').count(), entry.matches('}').count());
    }

    #[test]
    fn linked_data_cannot_end_its_element() {
        let article = cited().json_ld();
        assert_eq!(article["@type"], "Article");
        assert_eq!(article["author"][0]["affiliation"]["name"], "Northbank");
        assert_eq!((&article["datePublished"], &article["dateModified"]), (&json!("2023-11-14"), &json!("2026-11-26")));
        assert_eq!(article["isPartOf"]["name"], "Radiology");
        let block = cited().json_ld_block();
        assert!(!block.contains('<'), "{block}");
        assert_eq!(serde_json::from_str::<Value>(&block).unwrap(), article);
    }
}
