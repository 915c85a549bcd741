//! What the operator's console does: the setup link, administrators, password links.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::links;
use super::register::{self, Door, Entry};
use crate::app::AppState;
use crate::entities::member;
use crate::web::error::Result;

/// The link that makes the first administrator, while there is none.
pub async fn setup_link(state: &AppState) -> Result<Option<String>> {
    if register::has_administrator(state.store.read()).await? {
        return Ok(None);
    }
    let token = state.store.write(async |tx| links::make(tx, links::SETUP, None, None, links::SETUP_FOR).await).await?;
    Ok(Some(format!("{}/setup?token={token}", state.origin())))
}

/// Makes an administrator.
pub async fn create_administrator(state: &AppState, handle: &str, email: &str, password: &str) -> Result<()> {
    let entry = Entry {
        handle: handle.to_owned(),
        display_name: handle.to_owned(),
        email: email.to_owned(),
        password: password.to_owned(),
    };
    let (ready, inner) = (register::prepare(&entry).await?, state.clone());
    state
        .store
        .write(async move |tx| {
            register::register(&inner, tx, &ready, &Door::Console, 0).await?;
            Ok(())
        })
        .await
}

/// A link by which a member chooses a new password; `None` if there is no such member.
pub async fn reset_link(state: &AppState, handle: &str) -> Result<Option<String>> {
    let handle = handle.trim().trim_start_matches('@').to_ascii_lowercase();
    let found = member::Entity::find().filter(member::Column::Handle.eq(handle)).one(state.store.read()).await?;
    let Some(of) = found else { return Ok(None) };
    let token = state
        .store
        .write(async move |tx| links::make(tx, links::RESET, Some(of.id), None, links::RESET_FOR).await)
        .await?;
    Ok(Some(format!("{}/reset/{token}", state.origin())))
}
