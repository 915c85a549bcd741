//! Unclaimed members: authors from elsewhere, who cannot sign in and are in no directory.

use std::collections::HashSet;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::refs;
use crate::entities::kinds::{Availability, Discipline, HubRole, MemberState};
use crate::entities::member;
use crate::store::{Id, Tx};
use crate::web::error::Result;

/// Somebody who becomes a member.
#[derive(Clone, Debug)]
pub struct Unclaimed {
    /// What they are called in `import_ref`.
    pub reference: (&'static str, String),
    pub name: String,
    /// The handle they get if it is free.
    pub handle: String,
    /// Microseconds.
    pub created: Option<i64>,
}

/// Makes members of them and keeps the references; at most a few hundred at once.
pub async fn insert(tx: &Tx, source: &str, newcomers: &[Unclaimed]) -> Result<Vec<i64>> {
    let taken: Vec<String> = member::Entity::find()
        .select_only()
        .column(member::Column::Handle)
        .filter(member::Column::Handle.is_in(newcomers.iter().map(|newcomer| newcomer.handle.as_str())))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut taken: HashSet<String> = taken.into_iter().collect();
    let (mut ids, mut rows, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for newcomer in newcomers {
        let (id, wanted) = (tx.id(), newcomer.handle.clone());
        let handle = if taken.insert(wanted.clone()) { wanted } else { with_ending(&wanted, &Id(id).to_string()) };
        rows.push(row(id, handle, newcomer, tx.now()));
        let (kind, external) = &newcomer.reference;
        kept.push((*kind, external.clone(), id));
        ids.push(id);
    }
    member::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    refs::keep(tx, source, &kept).await?;
    Ok(ids)
}

fn row(id: i64, handle: String, of: &Unclaimed, now: i64) -> member::ActiveModel {
    member::ActiveModel {
        id: Set(id),
        handle: Set(handle),
        display_name: Set(of.name.clone()),
        email: Set(None),
        email_verified_at: Set(None),
        password_hash: Set(None),
        hub_role: Set(HubRole::Member),
        state: Set(MemberState::Unclaimed),
        headline: Set(String::new()),
        discipline: Set(Discipline::Other),
        organisation: Set(String::new()),
        about: Set(String::new()),
        about_html: Set(String::new()),
        links: Set("[]".into()),
        time_zone: Set("UTC".into()),
        avatar: Set(None),
        mail_on: Set(false),
        conduct_version: Set(0),
        created_at: Set(of.created.unwrap_or(now)),
        updated_at: Set(now),
        seen_at: Set(None),
        availability: Set(Availability::Online),
        version: Set(1),
    }
}

/// `[a-z0-9][a-z0-9_-]{1,29}` from a name and an ending that makes it unique.
#[must_use]
pub fn with_ending(name: &str, ending: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(29_usize.saturating_sub(ending.len()));
    let slug = slug.trim_end_matches('-');
    format!("{}-{ending}", if slug.is_empty() { "user" } else { slug })
}

/// A display name on one line, at most 80 characters.
#[must_use]
pub fn name_of(name: &str) -> Option<String> {
    let name: String = crate::text::clean(name, usize::MAX, true).ok()?.chars().take(80).collect();
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::with_ending;

    #[test]
    fn handles() {
        assert_eq!(with_ending("Ada Example", "42"), "ada-example-42");
        assert_eq!(with_ending("Łukasz  Ź.", "7"), "ukasz-7");
        assert_eq!(with_ending("日本", "7"), "user-7");
        assert!(with_ending(&"long name ".repeat(9), "0123456789abc").len() <= 30);
    }
}
