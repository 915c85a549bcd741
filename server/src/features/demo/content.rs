//! The sample content as it is written down: people, spaces and threads, all invented.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::entities::kinds::{Discipline, HubRole, TopicKind, Visibility};

/// One invented member.
#[derive(Clone, Debug, Deserialize)]
pub struct Person {
    pub handle: String,
    pub name: String,
    pub role: HubRole,
    pub discipline: Discipline,
    pub headline: String,
    pub organisation: String,
    pub expertise: Vec<String>,
    /// Markdown.
    pub about: String,
}

/// One space with its people, by handle.
#[derive(Clone, Debug, Deserialize)]
pub struct Place {
    pub slug: String,
    pub name: String,
    pub visibility: Visibility,
    pub description: String,
    pub owner: String,
    pub moderators: Vec<String>,
    pub members: Vec<String>,
    /// Markdown.
    pub pinned: String,
}

/// One thread.
#[derive(Clone, Debug, Deserialize)]
pub struct Thread {
    pub space: String,
    pub kind: TopicKind,
    pub author: String,
    /// How long ago it was opened.
    pub days: i64,
    pub title: String,
    pub tags: Vec<String>,
    pub body: String,
    #[serde(default)]
    pub pinned: bool,
    #[serde(default)]
    pub closed: bool,
    #[serde(flatten)]
    pub marks: Marks,
    #[serde(default, rename = "reply")]
    pub replies: Vec<Reply>,
}

/// One reply.
#[derive(Clone, Debug, Deserialize)]
pub struct Reply {
    pub by: String,
    /// Hours after the topic.
    pub hours: i64,
    /// The reply it answers: 1 is the first of the thread.
    pub under: Option<usize>,
    pub body: String,
    #[serde(default)]
    pub answer: bool,
    #[serde(flatten)]
    pub marks: Marks,
}

/// What members put to a post.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Marks {
    #[serde(default)]
    pub endorsed: Vec<String>,
    /// Who, by emoji.
    #[serde(default)]
    pub reactions: BTreeMap<String, Vec<String>>,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Content {
    pub people: Vec<Person>,
    pub places: Vec<Place>,
    pub threads: Vec<Thread>,
}

#[derive(Deserialize)]
struct People {
    member: Vec<Person>,
}

#[derive(Deserialize)]
struct Places {
    space: Vec<Place>,
}

#[derive(Deserialize)]
struct Threads {
    topic: Vec<Thread>,
}

/// Reads the files that are part of the program; an error would be a fault of ours.
pub fn read() -> Result<Content, toml::de::Error> {
    Ok(Content {
        people: toml::from_str::<People>(include_str!("people.toml"))?.member,
        places: toml::from_str::<Places>(include_str!("spaces.toml"))?.space,
        threads: toml::from_str::<Threads>(include_str!("topics.toml"))?.topic,
    })
}
