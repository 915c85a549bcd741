//! Pictures that come with imported pages and go with exports, and the addresses by which texts
//! show them.

use bytes::Bytes;

use super::markdown::{PageIn, PlaybookIn};
use super::parts::PartContent;
use super::texts::MOST_FIGURES;
use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::people;
use crate::text::images;
use crate::web::error::{AppError, Result};

/// Pictures that are brought with one study.
const MOST_PICTURES: usize = 100;

/// A picture that lies beside a page.
#[derive(Clone, Debug)]
pub struct Beside {
    /// As the page names it.
    pub address: String,
    pub name: String,
    /// Its bytes, or why there are none.
    pub bytes: Result<Bytes, String>,
}

impl PageIn {
    /// The addresses of its pictures that lie beside it, each once.
    #[must_use]
    pub fn pictures(&self) -> Vec<String> {
        addresses(self.parts.values().flat_map(|part| std::iter::once(&part.body).chain(part.fields.values())))
    }
}

impl PlaybookIn {
    /// The same of its introduction.
    #[must_use]
    pub fn pictures(&self) -> Vec<String> {
        addresses(std::iter::once(&self.introduction))
    }
}

fn addresses<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (address, _) in texts.flat_map(|text| images(text)) {
        if is_beside(&address) && !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

fn is_beside(address: &str) -> bool {
    !address.contains("://") && !address.starts_with('/') && !address.starts_with("data:")
}

/// Brings the pictures that lie beside a page and puts their new addresses into its texts. What
/// cannot be brought is told, and shown by its words.
pub(super) async fn put_in(
    state: &AppState,
    owner: i64,
    parts: &mut [(PartKey, PartContent)],
    pictures: Vec<Beside>,
    remarks: &mut Vec<String>,
) -> Result<()> {
    let texts = parts.iter_mut().flat_map(|(_, content)| {
        let PartContent { body, fields, .. } = content;
        std::iter::once(body).chain(fields.values_mut())
    });
    put_in_texts(state, owner, texts.collect(), pictures, remarks).await
}

/// The same for texts of any kind.
pub(super) async fn put_in_texts(
    state: &AppState,
    owner: i64,
    mut texts: Vec<&mut String>,
    pictures: Vec<Beside>,
    remarks: &mut Vec<String>,
) -> Result<()> {
    for (count, picture) in pictures.into_iter().enumerate() {
        let short: String = picture.address.chars().take(120).collect();
        let mut words = |why: &str| remarks.push(format!("the figure {short} is shown by its words: {why}"));
        if count >= MOST_PICTURES {
            words(&format!("a case study has {MOST_PICTURES} at most"));
            continue;
        }
        let bytes = match picture.bytes {
            Ok(bytes) => bytes,
            Err(why) => {
                words(&why);
                continue;
            }
        };
        let kept = match people::keep_imported_picture(state, owner, &picture.name, bytes).await {
            Ok(kept) => kept,
            Err(AppError::UnsupportedType(_) | AppError::Invalid(_)) => {
                words("it is no PNG, JPEG, GIF or WebP picture that can be read");
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut placed = false;
        for text in &mut texts {
            if let Some(new) = readdressed(text.as_str(), &picture.address, &kept.url) {
                **text = new;
                placed = true;
            }
        }
        if !placed {
            words("the way it is written is not understood; add it in the editor");
        }
    }
    Ok(())
}

/// Places in a text that are tried.
const MOST_TRIED: usize = 200;

/// A text whose pictures all say what they show: those that say nothing get the words that `words`
/// finds for their address. One that cannot be given words, and every one of a text with too many,
/// becomes a link to it.
pub(in crate::features::playbooks) fn described(text: &str, words: impl Fn(&str) -> String) -> String {
    let silent = |text: &str| -> Vec<String> {
        images(text).into_iter().filter(|(_, said)| said.trim().is_empty()).map(|(address, _)| address).collect()
    };
    let (mut text, mut left) = (text.to_owned(), silent(text));
    let (mut from, mut tried) = (0, 0);
    while let Some(address) = left.first().filter(|_| tried < MOST_TRIED) {
        let Some(at) = text.get(from..).and_then(|rest| rest.find("![")).map(|at| from + at + 2) else { break };
        from = at;
        let inside = text.get(at..).unwrap_or_default();
        let Some(end) = inside
            .find(|c: char| !c.is_whitespace())
            .filter(|end| inside.get(*end..).is_some_and(|rest| rest.starts_with(']')))
        else {
            continue;
        };
        tried += 1;
        let plain = words(address).replace(['[', ']', '\\'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let said = if plain.is_empty() { "…" } else { plain.as_str() };
        let other = format!("{}{said}{}", text.get(..at).unwrap_or_default(), inside.get(end..).unwrap_or_default());
        // In code it is no picture: nothing is won there, and nothing changed.
        let now = silent(&other);
        if now.len() < left.len() {
            (text, left, from) = (other, now, at + said.len());
        }
    }
    if left.is_empty() && images(&text).len() <= MOST_FIGURES { text } else { text.replace("![", "[") }
}

/// A text in which what was at one address is at another; `None` if nothing was.
pub(in crate::features::playbooks) fn readdressed(text: &str, from: &str, to: &str) -> Option<String> {
    let mut new = String::with_capacity(text.len());
    let (mut rest, mut found) = (text, false);
    while let Some(at) = rest.find(from) {
        let (before, behind) = (rest.get(..at)?, rest.get(at + from.len()..)?);
        // `](address)`, `](address "title")`, `](<address>)`, `[name]: address`
        let opens = ["](", "](<", "]: ", "]: <"].iter().any(|sign| before.ends_with(sign));
        let ends = behind.chars().next().is_none_or(|next| next.is_whitespace() || matches!(next, ')' | '>'));
        new.push_str(before);
        new.push_str(if opens && ends { to } else { from });
        found |= opens && ends;
        rest = behind;
    }
    new.push_str(rest);
    found.then_some(new)
}

#[cfg(test)]
mod tests {
    use super::{described, readdressed};

    #[test]
    fn pictures_that_say_nothing_get_words_however_they_are_written() {
        let new = |text: &str| described(text, |address| format!("what [{address}] shows"));
        assert_eq!(new("![](a.png) and ![A chart](b.png)"), "![what a.png shows](a.png) and ![A chart](b.png)");
        assert_eq!(new("![ \n](</f/1>)"), "![what /f/1 shows](</f/1>)");
        assert_eq!(new("![][one]\n\n[one]: /f/1"), "![what /f/1 shows][one]\n\n[one]: /f/1");
        assert_eq!(new("> ![](a \"t\")\n\n```\n![](a)\n```"), "> ![what a shows](a \"t\")\n\n```\n![](a)\n```");
        assert_eq!(new("```\n![](a)\n```"), "```\n![](a)\n```");
        assert_eq!(new("![<b></b>](a)"), "[<b></b>](a)", "one that takes no words is a link");
        assert_eq!(new(&"![x](a) ".repeat(60)), "[x](a) ".repeat(60), "too many are links");
    }

    #[test]
    fn pictures_find_their_new_address() {
        let new = |text: &str| readdressed(text, "a.png", "/f/1");
        assert_eq!(new("![x](a.png) a.png").as_deref(), Some("![x](/f/1) a.png"));
        assert_eq!(new("![x](a.png \"t\") ![y](<a.png>)").as_deref(), Some("![x](/f/1 \"t\") ![y](</f/1>)"));
        assert_eq!(new("![x][1]\n\n[1]: a.png").as_deref(), Some("![x][1]\n\n[1]: /f/1"));
        assert_eq!(new("![x](a.png2) ![x](b/a.png)"), None);
    }
}
