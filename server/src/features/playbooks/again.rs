//! Pages that went out of this hub and come in again: what stands at their address by now.
//!
//! Invariant: an import overwrites nothing, and what moderators took from readers does not come back
//! by one.

use super::markdown::{PageIn, read_page};
use super::queries::exported;
use crate::app::AppState;
use crate::store::Sql;
use crate::web::error::Result;

/// What a page finds at its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// No study of this playbook.
    Nothing,
    /// A study elsewhere that moderators have hidden: what is brought is a draft.
    Hidden,
    /// A published study of this playbook that says the same.
    Same(i64),
    /// A study of this playbook that says something else, or that readers do not get.
    Other(i64),
}

/// What a page of an export finds in the playbook it is brought to.
pub async fn look(state: &AppState, playbook: i64, page: &PageIn) -> Result<Here> {
    let Some(slug) = page.slug.as_deref().filter(|_| page.ours) else { return Ok(Here::Nothing) };
    let row = Sql::new("SELECT id, playbook_id, hidden_at FROM case_study WHERE slug = ")
        .bind(slug.trim().to_lowercase())
        .one(state.store.read())
        .await?;
    let Some(row) = row else { return Ok(Here::Nothing) };
    if row.try_get::<Option<i64>>("", "playbook_id")? != Some(playbook) {
        let hidden = row.try_get::<Option<i64>>("", "hidden_at")?.is_some();
        return Ok(if hidden { Here::Hidden } else { Here::Nothing });
    }
    let id: i64 = row.try_get("", "id")?;
    let same = exported(state, playbook, id).await?.iter().any(|text| says(page, text));
    Ok(if same { Here::Same(id) } else { Here::Other(id) })
}

/// Whether a page says what an exported text says.
fn says(page: &PageIn, text: &str) -> bool {
    read_page(text, "").is_ok_and(|here| {
        (&page.title, &page.terms, &page.parts, &page.unknown) == (&here.title, &here.terms, &here.parts, &here.unknown)
    })
}
