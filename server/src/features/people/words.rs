//! The words a member is found by: written with the profile, read as ranges of an index.

use std::collections::BTreeSet;

use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::entities::{member, member_word};
use crate::search::Kind;
use crate::store::Tx;
use crate::web::error::Result;

/// Longer words are found by their beginning.
const LONGEST: usize = 40;
/// Words kept of one member.
const MOST: usize = 100;
/// Words of a search that count.
const MOST_ASKED: usize = 6;

/// The words of some texts, lower case: as they stand between blanks, and their parts.
#[must_use]
pub fn words_of(texts: &[&str]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for token in texts.iter().flat_map(|text| text.split_whitespace()) {
        let lower = token.to_lowercase();
        let whole = lower.trim_matches(|c: char| !c.is_alphanumeric());
        for word in std::iter::once(whole).chain(whole.split(|c: char| !c.is_alphanumeric())) {
            if !word.is_empty() && words.len() < MOST {
                words.insert(word.chars().take(LONGEST).collect());
            }
        }
    }
    words
}

/// The beginnings of words that a search asks for.
#[must_use]
pub fn asked(q: &str) -> Vec<String> {
    q.split_whitespace()
        .map(|token| token.to_lowercase())
        .map(|token| token.trim_matches(|c: char| !c.is_alphanumeric()).chars().take(LONGEST).collect::<String>())
        .filter(|word| !word.is_empty())
        .take(MOST_ASKED)
        .collect()
}

/// Where the words with this beginning end: no text in UTF-8 sorts behind it.
#[must_use]
pub fn end_of(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

/// The members with a word that begins so; for `IN`.
#[must_use]
pub fn members_with(prefix: &str) -> SelectStatement {
    Query::select()
        .column(member_word::Column::MemberId)
        .from(member_word::Entity)
        .and_where(member_word::Column::Word.gte(prefix))
        .and_where(member_word::Column::Word.lt(end_of(prefix)))
        .to_owned()
}

/// Writes the words a member is found by, in place of those before: handle, name, expertise,
/// organisation, headline.
pub async fn index_words(tx: &mut Tx, of: &member::Model, tags: &[String]) -> Result<()> {
    let tags = tags.join(" ");
    let texts = [of.handle.as_str(), &of.display_name, &tags, &of.organisation, &of.headline];
    tx.index(Kind::Member, of.id);
    member_word::Entity::delete_many().filter(member_word::Column::MemberId.eq(of.id)).exec(tx.conn()).await?;
    let mut words = words_of(&texts);
    // The handle in one piece, as people type it.
    words.insert(of.handle.clone());
    let rows = words.into_iter().map(|word| member_word::ActiveModel { word: Set(word), member_id: Set(of.id) });
    member_word::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_in_parts() {
        let words = words_of(&["Dr Anna-Maria O’Neill", "anna_m", "data-safety, NHS"]);
        for word in ["dr", "anna-maria", "anna", "maria", "o’neill", "neill", "anna_m", "data-safety", "safety", "nhs"]
        {
            assert!(words.contains(word), "{word} in {words:?}");
        }
        assert_eq!(asked(" ANNA-m  (nhs) -- "), ["anna-m", "nhs"]);
        assert!("anné" < end_of("ann").as_str());
    }
}
