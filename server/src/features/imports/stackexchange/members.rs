//! Those who wrote something: unclaimed members, who cannot sign in and are in no directory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::Run;
use super::dump::{NAMELESS, UserRow, Writer};
use super::reading::{Survey, batches};
use crate::entities::kinds::{Availability, Discipline, HubRole, MemberState};
use crate::entities::member;
use crate::features::imports::refs;
use crate::store::{Id, Tx};
use crate::web::error::Result;

/// A member as an author of imported posts.
#[derive(Clone, Debug)]
pub struct Author {
    pub id: i64,
    pub name: Arc<str>,
}

/// All authors of a dump. Grows with the people, not with what they wrote.
#[derive(Debug, Default)]
pub struct Authors {
    users: HashMap<i64, Author>,
    former: HashMap<String, Author>,
}

impl Authors {
    /// Who wrote a row; `settle` has seen to it that there is one.
    #[must_use]
    pub fn of(&self, writer: &Writer) -> Option<Author> {
        match writer {
            Writer::User(id) => self.users.get(id),
            Writer::Former(name) => self.former.get(name),
        }
        .cloned()
    }
}

/// Somebody who becomes a member.
#[derive(Clone, Debug)]
struct Newcomer {
    writer: Writer,
    name: String,
    created: Option<i64>,
}

impl Newcomer {
    fn reference(&self) -> (&'static str, String) {
        match &self.writer {
            Writer::User(id) => (refs::USER, id.to_string()),
            Writer::Former(name) => (refs::FORMER, name.clone()),
        }
    }
}

/// Makes members of those who are not yet, and finds the others.
pub async fn settle(run: &Run, survey: &Survey) -> Result<Authors> {
    let mut authors = find(run, survey).await?;
    let mut missing: HashSet<i64> = survey.users.iter().filter(|id| !authors.users.contains_key(id)).copied().collect();
    if let Some(path) = run.files.users.clone().filter(|_| !missing.is_empty()) {
        let wanted = missing.clone();
        let take = move |row| UserRow::parse(row).ok().filter(|user| wanted.contains(&user.id));
        let mut rows = batches(path, Arc::clone(&run.progress), take, |_, _| false);
        while let Some(batch) = rows.recv().await {
            let newcomers: Vec<Newcomer> = batch?
                .into_iter()
                .filter(|user| missing.remove(&user.id))
                .map(|user| Newcomer {
                    writer: Writer::User(user.id),
                    name: user.name.unwrap_or_else(|| format!("user{}", user.id)),
                    created: user.created,
                })
                .collect();
            make(run, newcomers, &mut authors).await?;
        }
    }
    // Deleted since they wrote, or their file is missing.
    let mut rest: Vec<Newcomer> = missing
        .into_iter()
        .map(|id| Newcomer { writer: Writer::User(id), name: format!("user{id}"), created: None })
        .collect();
    rest.sort_by_key(|newcomer| newcomer.name.clone());
    let mut former: Vec<&String> = survey.former.iter().filter(|name| !authors.former.contains_key(*name)).collect();
    former.sort();
    rest.extend(former.into_iter().map(|name| Newcomer {
        writer: Writer::Former(name.clone()),
        name: name.clone(),
        created: None,
    }));
    for part in rest.chunks(200) {
        make(run, part.to_vec(), &mut authors).await?;
    }
    Ok(authors)
}

/// Those of an earlier run.
async fn find(run: &Run, survey: &Survey) -> Result<Authors> {
    let db = run.state.store.read();
    let users = refs::known_numbers(db, &run.source, refs::USER, survey.users.iter().copied()).await?;
    let names: Vec<String> = survey.former.iter().cloned().collect();
    let former = refs::known(db, &run.source, refs::FORMER, &names).await?;
    let ids: Vec<i64> = users.values().chain(former.values()).copied().collect();
    let mut shown: HashMap<i64, Arc<str>> = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(refs::CHUNK) {
        let rows: Vec<(i64, String)> = member::Entity::find()
            .select_only()
            .column(member::Column::Id)
            .column(member::Column::DisplayName)
            .filter(member::Column::Id.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        shown.extend(rows.into_iter().map(|(id, name)| (id, Arc::from(name))));
    }
    let author = |id: i64| Some(Author { id, name: Arc::clone(shown.get(&id)?) });
    Ok(Authors {
        users: users.into_iter().filter_map(|(user, id)| Some((user, author(id)?))).collect(),
        former: former.into_iter().filter_map(|(name, id)| Some((name, author(id)?))).collect(),
    })
}

async fn make(run: &Run, newcomers: Vec<Newcomer>, authors: &mut Authors) -> Result<()> {
    if newcomers.is_empty() {
        return Ok(());
    }
    let newcomers = Arc::new(newcomers);
    let (source, given) = (run.source.clone(), Arc::clone(&newcomers));
    let ids = run.state.store.write(async move |tx| insert(tx, &source, &given).await).await?;
    run.progress.count(|report| report.members += ids.len() as u64);
    for (newcomer, id) in newcomers.iter().zip(ids) {
        let author = Author { id, name: newcomer.name.as_str().into() };
        match &newcomer.writer {
            Writer::User(user) => authors.users.insert(*user, author),
            Writer::Former(name) => authors.former.insert(name.clone(), author),
        };
    }
    Ok(())
}

async fn insert(tx: &Tx, source: &str, newcomers: &[Newcomer]) -> Result<Vec<i64>> {
    let wanted: Vec<String> = newcomers.iter().map(handle_of).collect();
    let taken: Vec<String> = member::Entity::find()
        .select_only()
        .column(member::Column::Handle)
        .filter(member::Column::Handle.is_in(wanted.iter().map(String::as_str)))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut taken: HashSet<String> = taken.into_iter().collect();
    let (mut ids, mut rows, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for (newcomer, wanted) in newcomers.iter().zip(wanted) {
        let id = tx.id();
        let handle = if taken.insert(wanted.clone()) { wanted } else { with_ending(&wanted, &Id(id).to_string()) };
        let (kind, external) = newcomer.reference();
        rows.push(row(id, handle, newcomer, tx.now()));
        kept.push((kind, external, id));
        ids.push(id);
    }
    member::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    refs::keep(tx, source, &kept).await?;
    Ok(ids)
}

fn row(id: i64, handle: String, of: &Newcomer, now: i64) -> member::ActiveModel {
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

/// A handle that says who it is and leaves the short ones to those who register here.
fn handle_of(newcomer: &Newcomer) -> String {
    let ending = match &newcomer.writer {
        Writer::User(id) => id.unsigned_abs().to_string(),
        Writer::Former(name) if name == NAMELESS => return "former-user".into(),
        Writer::Former(_) => "former".into(),
    };
    with_ending(&newcomer.name, &ending)
}

/// `[a-z0-9][a-z0-9_-]{1,29}` from a name and an ending that makes it unique.
fn with_ending(name: &str, ending: &str) -> String {
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
