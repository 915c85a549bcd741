//! What a feature gives to be found.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::entities::kinds::TermKind;

/// The kinds of things that can be found; a feature that has another adds it here, in
/// `search-config/kinds.json` and in `features::search_sources`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Topic,
    Post,
    Message,
    Playbook,
    CaseStudy,
    Resource,
    Member,
    Space,
    Room,
}

impl Kind {
    /// In the order of their numbers, which never change: an index holds them.
    pub const ALL: [Self; 9] = [
        Self::Topic,
        Self::Post,
        Self::Message,
        Self::Playbook,
        Self::CaseStudy,
        Self::Resource,
        Self::Member,
        Self::Space,
        Self::Room,
    ];

    /// The word on the wire and in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Post => "post",
            Self::Message => "message",
            Self::Playbook => "playbook",
            Self::CaseStudy => "case_study",
            Self::Resource => "resource",
            Self::Member => "member",
            Self::Space => "space",
            Self::Room => "room",
        }
    }

    /// The kind of a word; `None` for any other text.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Its number in an index.
    #[must_use]
    pub fn number(self) -> u64 {
        Self::ALL.iter().position(|kind| *kind == self).map_or(0, |at| at as u64)
    }

    /// The kind of a number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who may find a document. Ids only: what they mean for a viewer is read when the viewer asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Audience {
    /// Anybody, signed in or not.
    Everybody,
    /// Members of the hub.
    Members,
    /// Whoever may read what is in this space: everybody if it is open.
    Readers(i64),
    /// Members of the hub who may read what is in this space; for open rooms, which no visitor sees.
    MembersReading(i64),
    /// Whoever may know that this space is there: its name and description.
    Door(i64),
    /// Moderators and owners of this space.
    Moderators(i64),
    /// The people of this private room or direct conversation.
    Room(i64),
    /// One member.
    Only(i64),
}

impl fmt::Display for Audience {
    /// The token that an index holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everybody => f.write_str("e"),
            Self::Members => f.write_str("m"),
            Self::Readers(id) => write!(f, "s{id}"),
            Self::MembersReading(id) => write!(f, "t{id}"),
            Self::Door(id) => write!(f, "d{id}"),
            Self::Moderators(id) => write!(f, "o{id}"),
            Self::Room(id) => write!(f, "r{id}"),
            Self::Only(id) => write!(f, "u{id}"),
        }
    }
}

/// One part of a document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Plain text, no markup.
    pub text: String,
    /// What leads here, behind the path of the document: `#page-2`, or `?page=60#page-60` where the
    /// page is not shown before it is asked for.
    pub anchor: Option<String>,
}

impl Passage {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), anchor: None }
    }
}

/// A word that a case study is filed under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub kind: TermKind,
    /// As it is compared.
    pub word: String,
    /// As it is shown.
    pub label: String,
}

/// Something that can be found, as its rows are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub kind: Kind,
    pub id: i64,
    /// Plain text.
    pub title: String,
    /// The title is that of what this stands in (a reply's topic, a message's room): it is shown
    /// and not searched.
    pub title_is_borrowed: bool,
    /// Text in reading order; of all passages together the first 2,000,000 bytes are indexed.
    pub passages: Vec<Passage>,
    /// Words by which it is called: handles, slugs, names of files.
    pub labels: Vec<String>,
    /// Folded, as in addresses.
    pub tags: Vec<String>,
    /// What a case study is filed under.
    pub terms: Vec<Term>,
    pub space: Option<i64>,
    pub room: Option<i64>,
    pub author: Option<i64>,
    /// Others who wrote it: it is found by them, too.
    pub co_authors: Vec<i64>,
    /// Microseconds.
    pub created_at: i64,
    /// Path within the hub, without the anchor of a passage.
    pub url: String,
    /// Accepted as an answer, or published and current.
    pub accepted: bool,
    pub endorsements: i32,
    /// Whoever belongs to one of these may find it; nobody if there is none.
    pub audience: Vec<Audience>,
}

impl Document {
    /// A document without text, for everybody to be filled with `..`.
    #[must_use]
    pub fn new(kind: Kind, id: i64, title: String, url: String, created_at: i64) -> Self {
        Self {
            kind,
            id,
            title,
            title_is_borrowed: false,
            passages: Vec::new(),
            labels: Vec::new(),
            tags: Vec::new(),
            terms: Vec::new(),
            space: None,
            room: None,
            author: None,
            co_authors: Vec::new(),
            created_at,
            url,
            accepted: false,
            endorsements: 0,
            audience: Vec::new(),
        }
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        500 + self.title.len() + self.passages.iter().map(|passage| passage.text.len()).sum::<usize>()
    }
}
