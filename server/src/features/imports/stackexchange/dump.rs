//! What a dump holds: its files, its site, and its rows as far as the hub takes them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::rows::Row;
use crate::features::imports::unclaimed::name_of;

/// Where the files of a dump are. Only `Posts.xml` has to be there.
#[derive(Clone, Debug)]
pub struct Files {
    pub posts: PathBuf,
    pub users: Option<PathBuf>,
    pub comments: Option<PathBuf>,
    pub history: Option<PathBuf>,
}

impl Files {
    /// Finds the files, whatever the case of their names (early dumps write `posts.xml`).
    pub fn find(folder: &Path) -> Result<Self, String> {
        let entries = std::fs::read_dir(folder).map_err(|error| {
            format!("{} cannot be read ({error}); name the folder of an unpacked dump", folder.display())
        })?;
        let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        found.sort();
        let find = |name: &str| {
            let is = |path: &&PathBuf| {
                path.file_name().and_then(|file| file.to_str()).is_some_and(|file| file.eq_ignore_ascii_case(name))
            };
            found.iter().find(is).cloned()
        };
        let posts = find("Posts.xml")
            .ok_or_else(|| format!("{} holds no Posts.xml; name the folder of an unpacked dump", folder.display()))?;
        Ok(Self { posts, users: find("Users.xml"), comments: find("Comments.xml"), history: find("PostHistory.xml") })
    }
}

/// Bytes of a file; 0 if it cannot be asked.
#[must_use]
pub fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

/// A host as `--site` gives it: a name, or an address of the site.
pub fn parse_site(text: &str) -> Result<String, String> {
    let host = text.trim().trim_start_matches("https://").trim_start_matches("http://");
    let host = host.split('/').next().unwrap_or_default().to_ascii_lowercase();
    if is_host(&host) { Ok(host) } else { Err(format!("--site {text}: write a host, such as ai.stackexchange.com")) }
}

fn is_host(text: &str) -> bool {
    let mut labels = text.split('.');
    let fine = labels.clone().count() >= 2
        && labels.all(|label| {
            !label.is_empty()
                && label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
                && !label.starts_with('-')
        });
    fine && text.len() <= 200
}

/// The host that a folder is named after, as the archives of the dumps are.
#[must_use]
pub fn site_of_folder(folder: &Path) -> Option<String> {
    let name = folder.file_name()?.to_str()?.to_ascii_lowercase();
    let ending = name.rsplit('.').next()?;
    (is_host(&name) && matches!(ending, "com" | "net" | "org")).then_some(name)
}

/// Counts `https://X.stackexchange.com/questions/…` (or `q`, `a`) in a row.
pub fn count_sites(raw: &[u8], counts: &mut HashMap<String, u64>) {
    let Ok(raw) = std::str::from_utf8(raw) else { return };
    for (at, mark) in raw.match_indices(".stackexchange.com/") {
        let rest = raw.get(at + mark.len()..).unwrap_or_default();
        if !["questions/", "q/", "a/"].iter().any(|path| rest.starts_with(path)) {
            continue;
        }
        let before = raw.get(..at).unwrap_or_default();
        let name =
            before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.').next().unwrap_or_default();
        // A dump links to a hundred sites at most; what is more is no site.
        if !name.is_empty()
            && before.strip_suffix(name).is_some_and(|start| start.ends_with("://"))
            && counts.len() < 1000
        {
            *counts.entry(format!("{}.stackexchange.com", name.to_ascii_lowercase())).or_default() += 1;
        }
    }
}

/// Who wrote a row. The accounts of deleted users leave their name, or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Writer {
    User(i64),
    Former(String),
}

/// Display name of a former user without one.
pub const NAMELESS: &str = "former user";

impl Writer {
    fn of(row: &mut Row, id: &str, name: &str) -> Result<Self, String> {
        Ok(match row.number_of(id)? {
            Some(id) => Self::User(id),
            None => Self::Former(row.take(name).as_deref().and_then(name_of).unwrap_or_else(|| NAMELESS.to_owned())),
        })
    }
}

/// A row of `Posts.xml`.
#[derive(Debug)]
pub enum PostRow {
    Question(QuestionRow),
    Answer(AnswerRow),
    /// A tag wiki, a moderators' election, …: not of the forum.
    Other,
}

#[derive(Clone, Debug)]
pub struct Written {
    pub number: u64,
    pub id: i64,
    pub writer: Writer,
    pub score: i32,
    pub created: i64,
    pub edited: Option<i64>,
    /// HTML.
    pub body: String,
}

#[derive(Clone, Debug)]
pub struct QuestionRow {
    pub of: Written,
    pub title: String,
    pub tags: Vec<String>,
    pub accepted: Option<i64>,
    pub closed: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct AnswerRow {
    pub of: Written,
    pub question: i64,
}

impl PostRow {
    pub fn parse(mut row: Row) -> Result<Self, String> {
        let kind = row.needed("PostTypeId")?;
        if !matches!(kind, 1 | 2) {
            return Ok(Self::Other);
        }
        let of = Written {
            number: row.number,
            id: row.needed("Id")?,
            writer: Writer::of(&mut row, "OwnerUserId", "OwnerDisplayName")?,
            score: narrow(row.number_of("Score")?.unwrap_or(0)),
            created: row.time_of("CreationDate")?.ok_or("CreationDate is missing")?,
            edited: row.time_of("LastEditDate")?,
            body: row.take("Body").unwrap_or_default(),
        };
        if kind == 2 {
            return Ok(Self::Answer(AnswerRow { question: row.needed("ParentId")?, of }));
        }
        Ok(Self::Question(QuestionRow {
            title: row.take("Title").unwrap_or_default(),
            tags: tags_of(row.get("Tags").unwrap_or_default()),
            accepted: row.number_of("AcceptedAnswerId")?,
            closed: row.time_of("ClosedDate")?,
            of,
        }))
    }
}

/// A row of `Comments.xml`. Its text is Markdown.
#[derive(Clone, Debug)]
pub struct CommentRow {
    pub of: Written,
    pub post: i64,
}

impl CommentRow {
    pub fn parse(mut row: Row) -> Result<Self, String> {
        Ok(Self {
            post: row.needed("PostId")?,
            of: Written {
                number: row.number,
                id: row.needed("Id")?,
                writer: Writer::of(&mut row, "UserId", "UserDisplayName")?,
                score: narrow(row.number_of("Score")?.unwrap_or(0)),
                created: row.time_of("CreationDate")?.ok_or("CreationDate is missing")?,
                edited: None,
                body: row.take("Text").unwrap_or_default(),
            },
        })
    }
}

/// What a row of `PostHistory.xml` changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Title,
    Body,
    Tags,
}

/// A row of `PostHistory.xml`. Texts are Markdown, as they were written.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    pub post: i64,
    /// Rows with the same one are one edit.
    pub edit: String,
    pub changed: Changed,
    pub writer: Writer,
    pub created: i64,
    pub text: String,
    pub note: String,
}

impl HistoryRow {
    /// `None` for what changed no text: votes to close, migrations, …
    pub fn parse(mut row: Row) -> Result<Option<Self>, String> {
        let (changed, edits) = match row.needed("PostHistoryTypeId")? {
            1 => (Changed::Title, false),
            2 => (Changed::Body, false),
            3 => (Changed::Tags, false),
            4 | 7 => (Changed::Title, true),
            5 | 8 => (Changed::Body, true),
            6 | 9 => (Changed::Tags, true),
            _ => return Ok(None),
        };
        let note = row.take("Comment").filter(|_| edits).unwrap_or_default();
        Ok(Some(Self {
            post: row.needed("PostId")?,
            edit: match row.take("RevisionGUID") {
                Some(guid) => guid,
                None => format!("row {}", row.needed("Id")?),
            },
            changed,
            writer: Writer::of(&mut row, "UserId", "UserDisplayName")?,
            created: row.time_of("CreationDate")?.ok_or("CreationDate is missing")?,
            text: row.take("Text").unwrap_or_default(),
            note: crate::text::clean(&note, usize::MAX, true).unwrap_or_default().chars().take(255).collect(),
        }))
    }
}

/// A row of `Users.xml`: the name alone; what people told that site about themselves stays there.
#[derive(Clone, Debug)]
pub struct UserRow {
    pub id: i64,
    pub name: Option<String>,
    pub created: Option<i64>,
}

impl UserRow {
    pub fn parse(mut row: Row) -> Result<Self, String> {
        Ok(Self {
            id: row.needed("Id")?,
            created: row.time_of("CreationDate")?,
            name: row.take("DisplayName").as_deref().and_then(name_of),
        })
    }
}

fn narrow(score: i64) -> i32 {
    i32::try_from(score).unwrap_or(if score < 0 { i32::MIN } else { i32::MAX })
}

/// `<a><b>` of older dumps and `|a|b|` of newer ones, as tags of the hub.
#[must_use]
pub fn tags_of(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for name in text.split(['<', '>', '|', ' ']) {
        let tag = tag_of(name);
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags.truncate(8);
    tags
}

/// `[a-z0-9][a-z0-9_+.-]{0,39}`; `c#` is `csharp`.
fn tag_of(name: &str) -> String {
    let name = name.to_lowercase().replace('#', "sharp");
    let tag: String = name
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '+' | '.' | '-'))
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(40)
        .collect();
    tag.trim_end_matches(['.', '-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;

    use super::{count_sites, parse_site, site_of_folder, tags_of};

    #[test]
    fn tags_of_both_forms() {
        assert_eq!(tags_of("<neural-networks><c++><c#>"), ["neural-networks", "c++", "csharp"]);
        assert_eq!(tags_of("|ai|ai|.net|"), ["ai", "net"]);
        assert!(tags_of("").is_empty());
    }

    #[test]
    fn sites() {
        assert_eq!(parse_site("https://AI.stackexchange.com/questions").as_deref(), Ok("ai.stackexchange.com"));
        assert!(parse_site("nowhere").is_err());
        assert_eq!(site_of_folder(Path::new("/x/ai.stackexchange.com")).as_deref(), Some("ai.stackexchange.com"));
        assert_eq!(site_of_folder(Path::new("/x/dump.2016")), None);
        let mut counts = HashMap::new();
        count_sites(b"<a href=\"https://ai.stackexchange.com/q/1\"> http://ai.stackexchange.com/help", &mut counts);
        assert_eq!(counts, HashMap::from([("ai.stackexchange.com".to_owned(), 1)]));
    }
}
