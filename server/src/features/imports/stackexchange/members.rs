//! Those who wrote something: unclaimed members, who cannot sign in and are in no directory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::Run;
use super::dump::{NAMELESS, UserRow, Writer};
use super::reading::{Survey, batches};
use crate::entities::member;
use crate::features::imports::refs;
use crate::features::imports::unclaimed::{self, Unclaimed, with_ending};
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
    fn unclaimed(&self) -> Unclaimed {
        let reference = match &self.writer {
            Writer::User(id) => (refs::USER, id.to_string()),
            Writer::Former(name) => (refs::FORMER, name.clone()),
        };
        Unclaimed { reference, name: self.name.clone(), handle: handle_of(self), created: self.created }
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
    let source = run.source.clone();
    let rows: Vec<Unclaimed> = newcomers.iter().map(Newcomer::unclaimed).collect();
    let ids = run.state.store.write(async move |tx| unclaimed::insert(tx, &source, &rows).await).await?;
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

/// A handle that says who it is and leaves the short ones to those who register here.
fn handle_of(newcomer: &Newcomer) -> String {
    let ending = match &newcomer.writer {
        Writer::User(id) => id.unsigned_abs().to_string(),
        Writer::Former(name) if name == NAMELESS => return "former-user".into(),
        Writer::Former(_) => "former".into(),
    };
    with_ending(&newcomer.name, &ending)
}
