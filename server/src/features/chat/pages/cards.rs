//! A message as one viewer sees it, and a part of a room as it stands in a page: days, the "New"
//! line, messages in groups.
//!
//! A card holds texts alone, so that the same partial, filled with places, is the template that
//! scripts fill from events.

use std::collections::HashMap;

use crate::entities::kinds::RoomKind;
use crate::features::chat::model::MessageView;
use crate::features::chat::queries::FoundRoom;
use crate::ports::clock::{DAY, MINUTE, parse_rfc3339, rfc3339};
use crate::web::frame::{Frame, date};
use crate::web::viewer::Me;

/// Messages of one person closer than this stand together.
const TOGETHER: i64 = 5 * MINUTE;

/// Reactions that the menu offers, with the last part of their word's key.
pub const EMOJIS: [(&str, &str); 6] =
    [("👍", "thumbs_up"), ("❤️", "heart"), ("🎉", "celebrate"), ("💡", "idea"), ("👀", "looking"), ("🙏", "thanks")];

/// What the viewer may do in the room, and where it is.
#[derive(Clone, Debug)]
pub struct Around<'a> {
    pub me: &'a Me,
    pub page: &'a str,
    pub write: bool,
    /// Where they write no more, they still delete what they wrote.
    pub take_back: bool,
    pub moderate: bool,
    /// Messages of the room can become a topic.
    pub picks: bool,
    /// They have boxes to choose them by; with scripts these come when they are asked for.
    pub boxed: bool,
    /// Messages start threads here: not inside one.
    pub starts: bool,
    /// The page is the room's own, at the room's address.
    pub here: bool,
}

impl<'a> Around<'a> {
    #[must_use]
    pub fn new(me: &'a Me, room: &FoundRoom, page: &'a str) -> Self {
        let standing = &room.ground.standing;
        let write = standing.write().is_ok();
        Self {
            me,
            page,
            write,
            take_back: standing.blocked,
            moderate: standing.moderates() && !standing.space_archived,
            picks: write && standing.kind == RoomKind::Open,
            boxed: false,
            starts: true,
            here: false,
        }
    }

    /// The acts of a message, as flags of `data-can`.
    #[must_use]
    pub fn can(&self, own: bool, pinned: bool, edited: bool) -> String {
        let flags = [
            ("more", true),
            ("react", self.write),
            ("thread", self.starts),
            ("pin", self.write && !pinned),
            ("unpin", self.write && pinned),
            ("pick", self.picks && self.starts),
            ("history", edited),
            ("flag", !own),
            ("edit", own && self.write),
            ("delete", (own && (self.write || self.take_back)) || self.moderate),
            ("purge", self.moderate),
        ];
        let can: Vec<&str> = flags.iter().filter(|flag| flag.1).map(|flag| flag.0).collect();
        can.join(" ")
    }
}

/// A message in a page.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one part of the template")]
pub struct MessageCard {
    pub id: String,
    pub seq: String,
    pub client: String,
    pub handle: String,
    pub name: String,
    /// Address of the picture.
    pub avatar: String,
    /// Milliseconds.
    pub at: String,
    /// To the second.
    pub datetime: String,
    pub clock: String,
    pub html: String,
    pub page: String,
    pub can: String,
    /// Nothing but what anybody's or one's own messages have: scripts know that from the page.
    pub usual: bool,
    pub here: bool,
    pub joined: bool,
    pub target: bool,
    pub deleted: bool,
    pub pinned: bool,
    pub edited: bool,
    pub write: bool,
    pub boxed: bool,
    pub replies: i32,
    pub last_reply: Option<i64>,
    /// Emoji, count, own.
    pub reactions: Vec<(String, i64, bool)>,
}

impl MessageCard {
    #[must_use]
    pub fn new(view: &MessageView, around: &Around<'_>, mine: &[String]) -> Self {
        let own = view.author.id == around.me.id;
        let can = around.can(own, view.pinned, view.edited.is_some());
        Self {
            id: view.id.to_string(),
            seq: view.seq.to_string(),
            client: if own { view.client_id.clone() } else { String::new() },
            handle: view.author.handle.clone(),
            name: view.author.display_name.clone(),
            avatar: avatar(&view.author.handle, view.author.avatar_version()),
            at: (view.created / 1000).to_string(),
            datetime: rfc3339(view.created).chars().take(19).chain(['Z']).collect(),
            clock: clock(view.created),
            html: view.body_html.clone(),
            page: around.page.to_owned(),
            usual: can == around.can(own, false, false),
            can,
            here: around.here,
            deleted: view.deleted,
            pinned: view.pinned,
            edited: view.edited.is_some(),
            write: around.write,
            boxed: around.boxed && around.picks && around.starts,
            replies: if around.starts { view.reply_count } else { 0 },
            last_reply: view.last_reply_at.as_deref().and_then(parse_rfc3339),
            reactions: view
                .reactions
                .iter()
                .map(|reaction| (reaction.emoji.clone(), reaction.count, mine.contains(&reaction.emoji)))
                .collect(),
            ..Self::default()
        }
    }

    /// The partial as a template: places that scripts fill from an event.
    #[must_use]
    pub fn places(around: &Around<'_>) -> Self {
        let place = |name: &str| format!("{{{name}}}");
        Self {
            id: place("id"),
            seq: place("seq"),
            client: place("client"),
            handle: place("handle"),
            name: place("name"),
            avatar: "/people/{handle}/avatar".to_owned(),
            at: place("at"),
            datetime: place("datetime"),
            page: around.page.to_owned(),
            can: "more".to_owned(),
            usual: true,
            here: around.here,
            write: around.write,
            ..Self::default()
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
        self.reactions.iter().any(|(of, _, own)| *own && of == emoji)
    }
}

/// Address of a member's picture.
#[must_use]
pub fn avatar(handle: &str, version: &str) -> String {
    format!("/people/{handle}/avatar?v={version}")
}

/// `17:05`, UTC; scripts show it by the reader's clock.
fn clock(at: i64) -> String {
    let minute = at.rem_euclid(DAY) / MINUTE;
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `2026-11-22`, UTC.
#[must_use]
pub fn day_key(at: i64) -> String {
    rfc3339(at).chars().take(10).collect()
}

/// A line of the log.
#[expect(clippy::large_enum_variant, reason = "a page holds some fifty, once, on its way to the template")]
pub enum Entry {
    /// Key and name of a day.
    Day(String, String),
    /// What stands below has not been read.
    New,
    Message(MessageCard),
}

/// What differs from page to page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// The "New" line stands before the first message of others behind this seq.
    pub new_after: Option<i64>,
    /// The message that a link leads to.
    pub target: Option<i64>,
}

/// Messages with days and groups, in the order given.
#[must_use]
pub fn entries(
    f: &Frame,
    views: &[MessageView],
    around: &Around<'_>,
    mine: &HashMap<i64, Vec<String>>,
    marks: Marks,
) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(views.len() + 8);
    let mut day = i64::MIN;
    let mut before: Option<&MessageView> = None;
    let mut new = marks.new_after;
    for view in views {
        let of = view.created.div_euclid(DAY);
        if of != day {
            entries.push(Entry::Day(day_key(view.created), day_name(f, view.created)));
            (day, before) = (of, None);
        }
        if new.is_some_and(|after| view.seq > after && view.author.id != around.me.id) {
            entries.push(Entry::New);
            (new, before) = (None, None);
        }
        let mut card = MessageCard::new(view, around, mine.get(&view.id.0).map_or(&[], Vec::as_slice));
        card.joined = before.is_some_and(|before| {
            // What a thread is about stands for itself.
            before.author.id == view.author.id
                && before.thread == view.thread
                && !before.deleted
                && !view.deleted
                && view.created - before.created < TOGETHER
        });
        card.target = marks.target == Some(view.seq);
        entries.push(Entry::Message(card));
        before = Some(view);
    }
    entries
}

/// "Today", "Yesterday" or the date; UTC.
#[must_use]
pub fn day_name(f: &Frame, at: i64) -> String {
    match f.now.div_euclid(DAY) - at.div_euclid(DAY) {
        0 => f.t("frame.script.today").to_owned(),
        1 => f.t("frame.script.yesterday").to_owned(),
        _ => date(at),
    }
}
