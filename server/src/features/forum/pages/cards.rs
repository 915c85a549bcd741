//! A post as one viewer sees it: what it shows and what may be done with it.
//!
//! `PostView` is the same for everybody and may be kept; a card is made for one page.

use crate::entities::kinds::{Discipline, HubRole, TopicKind};
use crate::features::forum::model::{AuthorView, EndorsementView, Marks, PostView, SourceView, TopicRow};
use crate::features::spaces::{Access, SpaceInfo};
use crate::web::frame::Frame;
use crate::web::viewer::Me;

/// Deeper replies stand at this level.
pub const DEEPEST: i32 = 4;
/// Endorsers named under a post.
const NAMED: usize = 5;

/// Reactions that the menu offers, with the last part of their word's key.
pub const EMOJIS: [(&str, &str); 6] =
    [("👍", "thumbs_up"), ("❤️", "heart"), ("🎉", "celebrate"), ("💡", "idea"), ("👀", "looking"), ("🙏", "thanks")];

/// What a viewer may do in a topic.
#[derive(Clone, Debug)]
pub struct Rights<'a> {
    pub me: Option<&'a Me>,
    /// May write in the space, which is not archived.
    pub write: bool,
    pub moderate: bool,
    /// May write replies: the topic is open.
    pub reply: bool,
    /// May accept answers.
    pub accept: bool,
}

impl<'a> Rights<'a> {
    #[must_use]
    pub fn new(me: Option<&'a Me>, space: &SpaceInfo, access: Access, topic: &TopicRow, gone: bool) -> Self {
        let write = me.is_some() && access >= Access::Write && !space.archived;
        let moderate = me.is_some() && access >= Access::Moderate && !space.archived;
        let own = me.is_some_and(|me| me.id == topic.author.id);
        Self {
            me,
            write,
            moderate,
            reply: write && !topic.closed && !gone,
            accept: topic.kind == TopicKind::Question && ((own && write) || moderate) && !gone,
        }
    }
}

/// Where an imported post comes from, in words.
#[derive(Clone, Debug)]
pub struct SourceLine {
    pub by: String,
    pub url: Option<String>,
    pub link: String,
    pub score: String,
}

/// A post on a page.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one control of the template")]
pub struct PostCard<'a> {
    pub post: &'a PostView,
    pub marks: Marks,
    pub address: &'a str,
    /// Id of the post above, empty for replies to the topic.
    pub parent: String,
    pub depth: i32,
    pub opening: bool,
    pub member: bool,
    pub can: String,
    pub stub: bool,
    pub stub_word: &'static str,
    /// The act that brings a stub back, if the viewer may.
    pub restore: &'static str,
    pub react: bool,
    pub reply: bool,
    pub endorse: bool,
    pub accept: bool,
    pub edit: bool,
    pub role: String,
    pub badge: &'static str,
    /// Id and name of whom it answers, where the place does not tell.
    pub to: Option<(String, String)>,
    pub source: Option<SourceLine>,
    pub endorsed_lead: String,
    /// Who they are, and whether that is an expert.
    pub endorsed: Vec<(String, bool)>,
    pub endorsed_more: i64,
    pub accepted: String,
    /// Emoji, count, own.
    pub reactions: Vec<(String, i64, bool)>,
    pub more: String,
    pub continues: i64,
    pub folds: i64,
}

impl<'a> PostCard<'a> {
    /// A post at its own depth. `accepted_by`: display name, empty if unknown.
    #[must_use]
    pub fn new(
        f: &Frame,
        post: &'a PostView,
        opening: bool,
        marks: Marks,
        rights: &Rights<'_>,
        address: &'a str,
        accepted_by: &str,
    ) -> Self {
        let stub = post.deleted || post.hidden || post.purged;
        let own = rights.me.is_some_and(|me| me.id == post.author.id);
        let member = rights.me.is_some();
        let name = post.author.display_name.as_str();
        let change = rights.write && (own || rights.moderate);
        let flags: [(&str, bool); 8] = [
            ("edit", change),
            ("delete", change && !opening),
            ("history", post.edited.is_some()),
            ("report", member && !own),
            ("bookmarked", marks.bookmarked),
            ("unaccept", post.is_answer && rights.accept),
            ("hide", rights.moderate && !opening),
            ("purge", rights.moderate),
        ];
        let can: Vec<&str> =
            if stub { Vec::new() } else { flags.iter().filter(|flag| flag.1).map(|flag| flag.0).collect() };
        let endorsed = post.endorsements.iter().take(NAMED).map(|by| endorser(f, by)).collect();
        let count = i64::try_from(post.endorsements.len()).unwrap_or(i64::MAX);
        Self {
            post,
            address,
            parent: post.parent_id.map(|id| id.to_string()).unwrap_or_default(),
            depth: post.depth.clamp(0, DEEPEST),
            opening,
            member,
            can: can.join(" "),
            stub,
            stub_word: if post.purged {
                "purged"
            } else if post.deleted {
                "deleted"
            } else {
                "hidden"
            },
            restore: match (rights.moderate && !post.purged, post.deleted, post.hidden) {
                (true, true, _) => "restore",
                (true, false, true) => "unhide",
                _ => "",
            },
            react: rights.write,
            reply: rights.reply,
            endorse: rights.write && !own,
            accept: rights.accept && !opening,
            edit: change && !stub,
            role: role(f, &post.author),
            badge: badge(post.author.role),
            to: None,
            source: post.source.as_ref().map(|source| source_line(f, source)),
            endorsed_lead: f.n("forum.post.endorsed", &count),
            endorsed,
            endorsed_more: (count - 5).max(0),
            accepted: if accepted_by.is_empty() {
                f.t("forum.post.accepted").to_owned()
            } else {
                f.with1("forum.post.accepted_by", "name", accepted_by)
            },
            reactions: post
                .reactions
                .iter()
                .map(|reaction| (reaction.emoji.clone(), reaction.count, marks.reactions.contains(&reaction.emoji)))
                .collect(),
            more: f.with1("forum.post.more_for", "name", name),
            marks,
            continues: 0,
            folds: 0,
        }
    }

    /// Whether a flag of `data-can` is set.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.can.split(' ').any(|can| can == flag)
    }

    /// Whether the viewer has reacted with this.
    #[must_use]
    pub fn reacted(&self, emoji: &str) -> bool {
        self.marks.reactions.iter().any(|own| own == emoji)
    }
}

/// "Consultant radiologist, Northmere Hospitals"; the discipline where no headline says more.
#[must_use]
pub fn role(f: &Frame, author: &AuthorView) -> String {
    let calling = if author.headline.is_empty() { discipline(f, author.discipline) } else { author.headline.clone() };
    match (calling.is_empty(), author.organisation.is_empty()) {
        (_, true) => calling,
        (true, false) => author.organisation.clone(),
        (false, false) => format!("{calling}, {}", author.organisation),
    }
}

fn discipline(f: &Frame, discipline: Discipline) -> String {
    if discipline == Discipline::Other { String::new() } else { f.of("people.discipline", discipline.as_str()) }
}

const fn badge(role: HubRole) -> &'static str {
    match role {
        HubRole::Member => "",
        HubRole::Expert => "expert",
        HubRole::Facilitator => "facilitator",
        HubRole::Administrator => "administrator",
    }
}

fn endorser(f: &Frame, by: &EndorsementView) -> (String, bool) {
    let calling = [discipline(f, by.discipline), by.headline.clone(), f.of("people.role", by.role.as_str())]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    if by.role == HubRole::Expert { (f.with1("forum.post.expert", "role", &calling), true) } else { (calling, false) }
}

fn source_line(f: &Frame, source: &SourceView) -> SourceLine {
    let site = source
        .url
        .as_deref()
        .and_then(|url| url::Url::parse(url).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .and_then(|url| url.host_str().map(str::to_owned));
    let score = source.score.to_string();
    SourceLine {
        by: source.author.as_ref().map_or_else(
            || f.t("forum.post.source").to_owned(),
            |author| f.with1("forum.post.source_by", "name", author),
        ),
        link: site.as_ref().map_or_else(String::new, |site| f.with1("forum.post.source_at", "site", site)),
        score: site.as_ref().map_or_else(
            || f.with1("forum.post.score", "n", &score),
            |site| f.with("forum.post.score_at", &[("n", &score), ("site", site)]),
        ),
        // Only an address of the web becomes a link.
        url: site.and(source.url.clone()),
    }
}
