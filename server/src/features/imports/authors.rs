//! People whom a page of another hub names and who are no members here: unclaimed members, who keep
//! their handles where these are free.

use std::collections::BTreeMap;

use super::refs;
use super::unclaimed::{self, name_of};
use crate::app::AppState;
use crate::entities::kinds::MemberState;
use crate::features::accounts::handle_fault;
use crate::features::playbooks::importing::{Unclaimed, handle_of};
use crate::features::playbooks::markdown::PageIn;
use crate::store::Sql;
use crate::web::error::Result;

/// People of one page.
const MOST: usize = 200;

/// The unclaimed members who stand for people of a page, made if they are missing, by the handles
/// that the page gives them. Whoever is a member here, or was, is not among them.
pub async fn unclaimed_of(state: &AppState, source: &str, page: &PageIn) -> Result<BTreeMap<String, Unclaimed>> {
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    let people = page.authors.iter().chain(&page.credited).cloned().chain(page.owner());
    for person in people.filter(|_| page.ours).take(MOST) {
        let handle = handle_of(&person.handle);
        if handle_fault(&handle).is_none() {
            let name = name_of(person.called()).unwrap_or_else(|| handle.clone());
            wanted.entry(handle).or_insert(name);
        }
    }
    let mut found = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let here = Sql::new("SELECT id, handle, state FROM member WHERE handle IN ")
        .list(wanted.keys().cloned())
        .all(state.store.read())
        .await?;
    for row in here {
        let handle: String = row.try_get("", "handle")?;
        wanted.remove(&handle);
        if row.try_get::<MemberState>("", "state")? == MemberState::Unclaimed {
            found.insert(handle.clone(), Unclaimed { id: row.try_get("", "id")?, handle });
        }
    }
    // One whose handle was taken, or who has got another since.
    let handles: Vec<String> = wanted.keys().cloned().collect();
    let mut ids = refs::known(state.store.read(), source, refs::USER, &handles).await?;
    let new: Vec<unclaimed::Unclaimed> = wanted
        .into_iter()
        .filter(|(handle, _)| !ids.contains_key(handle))
        .map(|(handle, name)| unclaimed::Unclaimed {
            reference: (refs::USER, handle.clone()),
            name,
            handle,
            created: None,
        })
        .collect();
    if !new.is_empty() {
        let handles: Vec<String> = new.iter().map(|one| one.handle.clone()).collect();
        let source = source.to_owned();
        let made = state.store.write(async move |tx| unclaimed::insert(tx, &source, &new).await).await?;
        ids.extend(handles.into_iter().zip(made));
    }
    let rows = Sql::new("SELECT id, handle FROM member WHERE id IN ").list(ids.values().copied());
    let mut called: BTreeMap<i64, String> = BTreeMap::new();
    for row in rows.all(state.store.read()).await? {
        called.insert(row.try_get("", "id")?, row.try_get("", "handle")?);
    }
    for (handle, id) in ids {
        if let Some(here) = called.remove(&id) {
            found.insert(handle, Unclaimed { id, handle: here });
        }
    }
    Ok(found)
}
