//! What may be done in the forum, and what its words may look like. Pure.

use crate::entities::kinds::{HubRole, MemberState, SpaceRole, TopicKind, Visibility};
use crate::features::spaces::Access;
use crate::features::spaces::policy::{by_role, not_archived};
use crate::text;
use crate::web::error::{AppError, Result};

pub use super::emoji::parse_emoji;

/// A topic may have so many tags.
pub const MOST_TAGS: usize = 8;
/// A post may carry so many different emoji.
pub const MOST_EMOJI: usize = 24;

/// What a reaction to the opening and an endorsement of any post add to a topic's rank, on top of
/// the score it was imported with. `sort=top` sorts by rank.
pub const RANK_REACTION: i32 = 1;
pub const RANK_ENDORSEMENT: i32 = 3;
/// What accepted answers add, however many.
pub const RANK_ANSWERED: i32 = 5;
/// Replies count one each, and no more than this: a long talk is not a good one.
pub const RANK_REPLIES: i32 = 10;

/// What replies and accepted answers add to a rank.
#[must_use]
pub const fn rank_of(replies: i32, answers: i32) -> i32 {
    let talk = if replies > RANK_REPLIES { RANK_REPLIES } else { replies };
    talk + if answers > 0 { RANK_ANSWERED } else { 0 }
}

/// What a topic's rank gains when it gains so many replies and answers: SQL over the row of
/// `topic` as it was.
#[must_use]
pub fn rank_gain(replies: i32, answers: i32) -> String {
    let of = |replies: i32, answers: i32| {
        format!(
            "CASE WHEN post_count + ({replies}) > {RANK_REPLIES} THEN {RANK_REPLIES} ELSE post_count + ({replies}) END \
             + CASE WHEN answer_count + ({answers}) > 0 THEN {RANK_ANSWERED} ELSE 0 END"
        )
    };
    format!("({} - ({}))", of(replies, answers), of(0, 0))
}

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
        let tag = text::fold_tag(tag.trim().trim_start_matches('#'));
        if tag.is_empty() || tags.contains(&tag) {
            continue;
        }
        if !text::is_tag(&tag) {
            return Err(AppError::field(
                "tags",
                "has letters, digits and _ + . - only, begins with a letter or digit, and has 40 characters at most",
            ));
        }
        tags.push(tag);
    }
    if tags.len() > MOST_TAGS {
        return Err(AppError::field("tags", format!("has {MOST_TAGS} tags at most")));
    }
    Ok(tags)
}

/// A kind by its word.
#[must_use]
pub fn kind_of(word: &str) -> Option<TopicKind> {
    TopicKind::parse(word)
}
