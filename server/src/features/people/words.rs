//! The words by which the directory finds a member.

use std::collections::BTreeSet;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::entities::{member, member_word};
use crate::store::Tx;
use crate::web::error::Result;

/// Words of one member at most.
const WORDS: usize = 40;
/// Characters of one word at most.
const LETTERS: usize = 40;

/// Writes the words of a member anew: of handle, name, headline, organisation and tags.
pub async fn index_words(tx: &mut Tx, of: &member::Model, tags: &[String]) -> Result<()> {
    member_word::Entity::delete_many().filter(member_word::Column::MemberId.eq(of.id)).exec(tx.conn()).await?;
    let rows = words(of, tags)
        .into_iter()
        .map(|word| member_word::ActiveModel { word: Set(word), member_id: Set(of.id) });
    member_word::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    Ok(())
}

fn words(of: &member::Model, tags: &[String]) -> BTreeSet<String> {
    let texts = [of.handle.as_str(), &of.display_name, &of.headline, &of.organisation];
    let mut found = BTreeSet::new();
    // The handle in one piece too, as people type it.
    found.insert(of.handle.clone());
    for text in texts.into_iter().chain(tags.iter().map(String::as_str)) {
        for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            if found.len() < WORDS {
                found.insert(word.chars().take(LETTERS).collect());
            }
        }
    }
    found
}
