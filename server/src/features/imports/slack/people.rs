//! Those who wrote, reacted or were let in: unclaimed members.

use std::collections::{BTreeSet, HashMap};

use super::Run;
use super::export::User;
use super::mrkdwn::former;
use crate::features::imports::refs;
use crate::features::imports::unclaimed::{self, Unclaimed, name_of, with_ending};
use crate::web::error::Result;

/// Somebody as a row names them: by id, or a program by its name alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Writer {
    User(String),
    Program(String),
}

impl Writer {
    fn reference(&self) -> (&'static str, String) {
        match self {
            Self::User(id) => (refs::USER, id.clone()),
            Self::Program(name) => (refs::FORMER, name.clone()),
        }
    }
}

/// Who is who. Grows with the people, not with what they wrote.
#[derive(Debug, Default)]
pub struct People {
    users: HashMap<String, User>,
    /// Names that messages tell of people who are missing in the list.
    pub told: HashMap<String, String>,
    members: HashMap<Writer, i64>,
}

impl People {
    pub fn new(users: Vec<User>) -> Self {
        let users = users.into_iter().map(|user| (user.id.clone(), user)).collect();
        Self { users, ..Self::default() }
    }

    /// Everybody in the list.
    pub fn everybody(&self) -> BTreeSet<Writer> {
        self.users.keys().cloned().map(Writer::User).collect()
    }

    /// Their member, if `settle` was told of them.
    #[must_use]
    pub fn member(&self, writer: &Writer) -> Option<i64> {
        self.members.get(writer).copied()
    }

    #[must_use]
    pub fn user(&self, id: &str) -> Option<i64> {
        self.member(&Writer::User(id.to_owned()))
    }

    /// What somebody is called.
    #[must_use]
    pub fn name(&self, id: &str) -> Option<String> {
        let told = || self.told.get(id).map(String::as_str);
        self.users.get(id).map(User::called).filter(|name| !name.is_empty()).or_else(told).and_then(name_of)
    }

    /// Names by id, for texts.
    pub fn names(&self) -> HashMap<String, String> {
        let ids = self.users.keys().chain(self.told.keys());
        ids.filter_map(|id| Some((id.clone(), self.name(id)?))).collect()
    }

    /// Finds the members of an earlier run and makes those that are missing.
    pub async fn settle(&mut self, run: &Run, wanted: BTreeSet<Writer>) -> Result<()> {
        let wanted: Vec<Writer> = wanted.into_iter().filter(|writer| !self.members.contains_key(writer)).collect();
        for part in wanted.chunks(200) {
            self.settle_part(run, part).await?;
        }
        Ok(())
    }

    async fn settle_part(&mut self, run: &Run, wanted: &[Writer]) -> Result<()> {
        let db = run.state.store.read();
        for kind in [refs::USER, refs::FORMER] {
            let of_kind = wanted.iter().filter(|writer| writer.reference().0 == kind);
            let external: Vec<String> = of_kind.clone().map(|writer| writer.reference().1).collect();
            let known = refs::known(db, &run.source, kind, &external).await?;
            let found = of_kind.filter_map(|writer| Some((writer.clone(), *known.get(&writer.reference().1)?)));
            self.members.extend(found);
        }
        let new: Vec<&Writer> = wanted.iter().filter(|writer| !self.members.contains_key(writer)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let rows: Vec<Unclaimed> = new.iter().map(|writer| self.unclaimed(writer)).collect();
        let source = run.source.clone();
        let ids = run.state.store.write(async move |tx| unclaimed::insert(tx, &source, &rows).await).await?;
        run.progress.count(|report| report.members += ids.len() as u64);
        self.members.extend(new.into_iter().cloned().zip(ids));
        Ok(())
    }

    fn unclaimed(&self, writer: &Writer) -> Unclaimed {
        let (name, ending) = match writer {
            Writer::User(id) => (self.name(id).unwrap_or_else(|| former(id)), ending_of(id)),
            Writer::Program(name) => (name_of(name).unwrap_or_else(|| "Program".into()), "former".to_owned()),
        };
        Unclaimed { reference: writer.reference(), handle: with_ending(&name, &ending), name, created: None }
    }
}

/// An id as the end of a handle.
fn ending_of(id: &str) -> String {
    let ending: String = id.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    if ending.is_empty() { "former".into() } else { ending.to_ascii_lowercase() }
}
