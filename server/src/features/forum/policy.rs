//! What may be done in the forum, and what its words may look like. Pure.

use crate::entities::kinds::{HubRole, MemberState, SpaceRole, TopicKind, Visibility};
use crate::features::spaces::Access;
use crate::features::spaces::policy::{by_role, not_archived};
use crate::web::error::{AppError, Result};

/// A topic may have so many tags.
pub const MOST_TAGS: usize = 8;
/// A post may carry so many different emoji.
pub const MOST_EMOJI: usize = 24;

/// The emoji that the page offers; others are taken too.
pub const EMOJI: [&str; 24] = [
    "👍", "👎", "❤️", "🎉", "🙏", "👏", "💡", "🤔", "👀", "🚀", "✅", "❌", "🔥", "💯", "😀", "😄", "😊", "😂", "😕",
    "😢", "😮", "🙌", "⭐", "📌",
];

/// What a reply, a reaction to the opening and an endorsement of it add to a topic's rank, on top
/// of the score it was imported with. `sort=top` sorts by rank.
pub const RANK_REPLY: i32 = 1;
pub const RANK_REACTION: i32 = 1;
pub const RANK_ENDORSEMENT: i32 = 2;

/// What is known inside a transaction of a topic, its space and the member who acts.
#[derive(Clone, Debug)]
pub struct Standing {
    pub member: i64,
    pub hub_role: HubRole,
    pub state: MemberState,
    pub role: Option<SpaceRole>,
    pub visibility: Visibility,
    pub archived: bool,
}

impl Standing {
    #[must_use]
    pub const fn access(&self) -> Access {
        by_role(self.hub_role, self.role, self.visibility)
    }

    #[must_use]
    pub fn moderates(&self) -> bool {
        self.access() >= Access::Moderate
    }

    /// Writing in the space: 404 where nothing is seen, 403 else.
    pub fn write(&self) -> Result<()> {
        self.access().read()?;
        if self.state == MemberState::Suspended {
            return Err(AppError::Forbidden("This account is suspended.".into()));
        }
        if self.access() < Access::Write {
            return Err(AppError::Forbidden("Join this space to write in it.".into()));
        }
        not_archived(self.archived)
    }

    /// Changing what somebody wrote: its author, or a moderator.
    pub fn change(&self, author: i64) -> Result<()> {
        self.write()?;
        if self.member == author || self.moderates() {
            Ok(())
        } else {
            Err(AppError::Forbidden("Only its author or a moderator can do this.".into()))
        }
    }

    /// Moderating in a space that is not archived.
    pub fn moderate(&self) -> Result<()> {
        self.access().moderate()?;
        self.write()
    }
}

/// Tags as stored: lower case, without the sign, each once, in the order given.
pub fn parse_tags(given: &[String]) -> Result<Vec<String>> {
    let mut tags: Vec<String> = Vec::new();
    for tag in given {
        let tag = tag.trim().trim_start_matches('#').to_lowercase();
        if tag.is_empty() || tags.contains(&tag) {
            continue;
        }
        if !is_tag(&tag) {
            return Err(AppError::field(
                "tags",
                "has letters a to z, digits and _ + . - only, begins with a letter or digit, and has 40 characters at most",
            ));
        }
        tags.push(tag);
    }
    if tags.len() > MOST_TAGS {
        return Err(AppError::field("tags", format!("has {MOST_TAGS} tags at most")));
    }
    Ok(tags)
}

/// Whether a word could be a tag.
#[must_use]
pub fn is_tag(word: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    word.len() <= 40
        && word.bytes().next().is_some_and(letter)
        && word.bytes().all(|b| letter(b) || matches!(b, b'_' | b'+' | b'.' | b'-'))
}

/// A kind by its word.
#[must_use]
pub fn kind_of(word: &str) -> Option<TopicKind> {
    TopicKind::parse(word)
}

/// One emoji as stored, or 422. `❤` and `❤️` are the same.
pub fn parse_emoji(given: &str) -> Result<String> {
    let bare = |text: &str| text.chars().filter(|c| *c != '\u{fe0f}').collect::<String>();
    let plain = bare(given);
    if let Some(known) = EMOJI.iter().find(|known| bare(known) == plain) {
        return Ok((*known).to_owned());
    }
    if is_emoji(&plain) { Ok(given.to_owned()) } else { Err(AppError::field("emoji", "is one emoji")) }
}

/// One pictograph with its modifiers and joined parts, or a flag.
fn is_emoji(text: &str) -> bool {
    const JOINER: char = '\u{200d}';
    let flag = |c: char| ('\u{1f1e6}'..='\u{1f1ff}').contains(&c);
    let modifier = |c: char| ('\u{1f3fb}'..='\u{1f3ff}').contains(&c);
    let picture = |c: char| {
        !modifier(c)
            && (('\u{1f300}'..='\u{1faff}').contains(&c)
                || ('\u{2600}'..='\u{27bf}').contains(&c)
                || ('\u{2b05}'..='\u{2b55}').contains(&c)
                || ('\u{2300}'..='\u{23ff}').contains(&c))
    };
    let chars: Vec<char> = text.chars().collect();
    if chars.is_empty() || chars.len() > 10 {
        return false;
    }
    if let [first, second] = chars.as_slice()
        && flag(*first)
        && flag(*second)
    {
        return true;
    }
    let mut before = JOINER;
    for c in chars {
        let fits = match c {
            JOINER => before != JOINER,
            c if modifier(c) => picture(before),
            c => picture(c) && before == JOINER,
        };
        if !fits {
            return false;
        }
        before = c;
    }
    before != JOINER
}
