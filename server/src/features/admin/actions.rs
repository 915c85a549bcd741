//! Writes of administrators.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::model::SettingsChange;
use crate::app::AppState;
use crate::entities::kinds::{HubRole, MemberState};
use crate::entities::member;
use crate::features::accounts;
use crate::features::hub::{Settings, pages};
use crate::features::moderation::{Act, administrator, keep_an_administrator, member_by_handle, record};
use crate::features::people::{self, ShownIn};
use crate::store::{After, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{BODY, Text, check};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;

/// Characters of a hub's name.
pub const NAME: usize = 80;

/// Gives a member another role in the hub; it counts at once. 409 if no administrator would be left.
pub async fn set_role(tx: &mut Tx, actor: i64, handle: &str, role: HubRole) -> Result<member::Model> {
    administrator(tx, actor).await?;
    let of = member_by_handle(tx, handle).await?;
    if of.hub_role == role {
        return Ok(of);
    }
    if of.hub_role == HubRole::Administrator {
        keep_an_administrator(tx, of.id).await?;
    }
    member::Entity::update_many()
        .col_expr(member::Column::HubRole, Expr::value(role.as_str()))
        .col_expr(member::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(member::Column::Id.eq(of.id))
        .exec(tx.conn())
        .await?;
    let reason = role.as_str();
    record(tx, Act { space: None, actor, action: "role", subject_kind: "member", subject: of.id, reason }).await?;
    tx.after(After::Access(of.id));
    tx.append(Stream::HUB, NewEvent::new("member.changed", of.id, Some(actor)));
    Ok(member::Model { hub_role: role, ..of })
}

/// A link by which a member chooses a password, and an unclaimed account gets its owner. Whoever
/// has it can sign in as them, so it is made by administrators only and stands in the log.
pub async fn make_link(state: &AppState, actor: i64, handle: &str) -> Result<String> {
    let handle = handle.to_owned();
    let asked = handle.clone();
    state
        .store
        .write(async move |tx| {
            administrator(tx, actor).await?;
            let of = member_by_handle(tx, &asked).await?;
            if of.state == MemberState::Suspended {
                return Err(AppError::Conflict("This member is suspended.".into()));
            }
            record(tx, Act { space: None, actor, action: "claim", subject_kind: "member", subject: of.id, reason: "" })
                .await
        })
        .await?;
    accounts::reset_link(state, &handle).await?.ok_or(AppError::NotFound)
}

/// Changes settings; every page shows them at once.
pub async fn change_settings(state: &AppState, actor: i64, change: SettingsChange) -> Result<()> {
    let mut texts = Vec::new();
    texts.extend(change.name.as_deref().map(|name| Text::line("name", name, NAME).required()));
    texts.extend(change.welcome.as_deref().map(|welcome| Text::body("welcome", welcome, BODY)));
    let checked = check(&texts, change.confirmed)?;
    let name = change.name.as_ref().map(|_| checked.get("name").to_owned());
    let welcome = change.welcome.as_ref().map(|_| checked.get("welcome").to_owned());
    let html = welcome.as_deref().map(|welcome| pages::render(state, welcome));
    state
        .store
        .write(async move |tx| {
            administrator(tx, actor).await?;
            if let Some(name) = &name {
                Settings::set(tx, actor, "hub.name", name).await?;
            }
            if let (Some(welcome), Some(html)) = (&welcome, &html) {
                Settings::set(tx, actor, "hub.welcome", welcome).await?;
                Settings::set(tx, actor, "hub.welcome_html", html).await?;
                people::adopt_shown(tx, actor, ShownIn::Hub, html).await?;
            }
            if let Some(all) = change.members_make_spaces {
                Settings::set(tx, actor, "hub.members_make_spaces", if all { "on" } else { "off" }).await?;
            }
            let act = Act { space: None, actor, action: "settings", subject_kind: "hub", subject: 0, reason: "" };
            record(tx, act).await
        })
        .await
}

/// Shows another logo (its address), or none.
pub async fn set_logo(state: &AppState, actor: i64, address: Option<String>) -> Result<()> {
    state
        .store
        .write(async move |tx| {
            administrator(tx, actor).await?;
            Settings::set(tx, actor, "hub.logo", address.as_deref().unwrap_or_default()).await?;
            let act = Act { space: None, actor, action: "settings", subject_kind: "hub", subject: 0, reason: "" };
            record(tx, act).await
        })
        .await
}

/// Saves one of the hub's pages as a new version.
pub async fn save_page(state: &AppState, actor: i64, slug: &str, title: &str, body: &str, seen: IfMatch) -> Result<()> {
    let (slug, title, body) = (slug.to_owned(), title.to_owned(), body.to_owned());
    let html = pages::render(state, &body);
    state
        .store
        .write(async move |tx| {
            administrator(tx, actor).await?;
            pages::save(tx, actor, &slug, &title, &body, &html, seen).await?;
            let act = Act { space: None, actor, action: "page", subject_kind: "page", subject: 0, reason: &title };
            record(tx, act).await
        })
        .await
}
