//! Invitations by mail: who may send them, and what comes with them.
//!
//! Invariant: an invitation gives no more than its sender could: spaces they run themselves, or,
//! for administrators and facilitators, those they are in. That is looked at again when it is used.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;

pub use super::addresses::{faults_of, parse_list};
use super::{mail, register};
use crate::app::AppState;
use crate::app::secrets::{hash_token, same};
use crate::entities::kinds::{HubRole, MemberState, SpaceRole};
use crate::entities::{invitation, member, space};
use crate::features::spaces;
use crate::ports::clock::{DAY, rfc3339};
use crate::store::{Id, Tx};
use crate::web::checks::{MESSAGE, Text, check};
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::Me;

/// An invitation is good this long.
const GOOD: i64 = 14 * DAY;
/// Addresses at once.
pub const MOST: usize = 200;
/// Spaces of one invitation.
const SPACES: usize = 20;

/// An invitation as its sender or an administrator sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvitationView {
    pub id: Id,
    pub email: String,
    /// Handle of the sender.
    pub invited_by: String,
    /// Empty for those who do not read every space that comes with it.
    pub message: String,
    /// Slugs of the spaces that come with it, as far as one sees them.
    pub spaces: Vec<String>,
    /// `open`, `accepted`, `revoked` or `expired`.
    pub state: &'static str,
    pub created_at: String,
    pub expires_at: String,
    /// Where it is accepted; in the answer to the one who made it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Whether somebody may invite to the hub at all.
#[must_use]
pub fn may_invite(me: &Me) -> bool {
    matches!(me.hub_role, HubRole::Facilitator | HubRole::Administrator)
        || me.spaces.values().any(|role| *role >= SpaceRole::Moderator)
}

/// Whether a sender may invite without a space of theirs.
fn invites_to_hub(sender: &member::Model) -> bool {
    matches!(sender.hub_role, HubRole::Facilitator | HubRole::Administrator)
}

/// The text of an invitation's token. It follows from the hub's secret, so that an answer that is
/// asked for again under its `Idempotency-Key` need not be kept with the secret in it.
fn token_of(state: &AppState, id: i64) -> String {
    state.secrets.token(&format!("invitation:{id}"))
}

/// What the mail's link has on top: who made the invitation sees the link as well, and proves
/// nothing about the address with it.
fn proof_of(state: &AppState, id: i64) -> String {
    state.secrets.token(&format!("invitation-mail:{id}"))
}

/// Whether whoever has this token has it from the mail, and so reads that address.
pub(super) fn came_by_mail(state: &AppState, row: &invitation::Model, token: &str) -> bool {
    token.split_once('.').is_some_and(|(_, proof)| same(proof, &proof_of(state, row.id)))
}

/// The link of an invitation, for the answer to the one who made it.
#[must_use]
pub fn link_of(state: &AppState, id: i64) -> String {
    format!("{}/invite/{}", state.origin(), token_of(state, id))
}

/// Addresses and links of invitations that were just made, for the page of the one who made them.
#[must_use]
pub fn links_of(state: &AppState, made: &[InvitationView]) -> Vec<(String, String)> {
    made.iter().map(|view| (view.email.clone(), link_of(state, view.id.0))).collect()
}

/// Invites everybody of a list. Who sends it cannot tell from the answer who is a member: every
/// address gets a row of the same shape with a link that works. Members whose address is confirmed
/// find the spaces among their own invitations, which nobody else sees; with the link any member
/// can put them there. The sender's own open invitation to an address is replaced by the new one.
pub async fn invite(
    state: &AppState,
    tx: &mut Tx,
    by: i64,
    emails: &[String],
    spaces: &[String],
    message: &str,
) -> Result<Vec<InvitationView>> {
    let message = check(&[Text::body("message", message, MESSAGE)], true)?.get("message").to_owned();
    if emails.is_empty() || emails.len() > MOST {
        return Err(AppError::Invalid(vec![register::said("emails", "emails")]));
    }
    if spaces.len() > SPACES {
        return Err(AppError::Invalid(vec![register::said("spaces", "spaces_many")]));
    }
    let sender = member::Entity::find_by_id(by).one(tx.conn()).await?.ok_or(AppError::Unauthenticated)?;
    let chosen = spaces_of_sender(tx, &sender, spaces).await?;
    let known = members_with(tx, emails).await?;
    invitation::Entity::update_many()
        .col_expr(invitation::Column::RevokedAt, Expr::value(Some(tx.now())))
        .filter(invitation::Column::Email.is_in(emails.iter().map(String::as_str)))
        .filter(invitation::Column::InvitedBy.eq(by))
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null())
        .exec(tx.conn())
        .await?;
    let ids: Vec<i64> = chosen.iter().map(|space| space.id).collect();
    let slugs: Vec<String> = chosen.iter().map(|space| space.slug.clone()).collect();
    let name = [("name", sender.display_name.as_str())];
    let (mut made, mut rows) = (Vec::new(), Vec::new());
    for email in emails {
        let id = tx.id();
        let row = invitation::Model {
            id,
            email: email.clone(),
            token_hash: hash_token(&token_of(state, id)),
            invited_by: by,
            message: message.clone(),
            spaces: serde_json::to_string(&ids)?,
            created_at: tx.now(),
            expires_at: tx.now() + GOOD,
            accepted_by: None,
            accepted_at: None,
            revoked_at: None,
        };
        made.push(view(&row, &sender.handle, slugs.clone(), tx.now()));
        rows.push(row_of(row));
        let mut letter = if known.contains_key(email) {
            mail::told(state, "invite_member", &name, "/spaces").await?
        } else {
            mail::told(state, "invite", &name, &format!("/invite/{}.{}", token_of(state, id), proof_of(state, id)))
                .await?
        };
        letter.quote.clone_from(&message);
        let to = mail::To { kind: "invite", member: None, address: email, about: None };
        mail::queue_letter(tx, to, &letter, state.origin()).await?;
    }
    invitation::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    let members: Vec<i64> = known.into_values().collect();
    spaces::invite_quietly(tx, &members, &ids, by).await?;
    Ok(made)
}

/// The active members among some addresses, where they have shown that the address is theirs: what
/// is sent to an address is nobody's who merely claims it.
async fn members_with(tx: &Tx, emails: &[String]) -> Result<HashMap<String, i64>> {
    let rows: Vec<(Option<String>, i64)> = member::Entity::find()
        .select_only()
        .column(member::Column::Email)
        .column(member::Column::Id)
        .filter(member::Column::Email.is_in(emails.iter().map(String::as_str)))
        .filter(member::Column::State.eq(MemberState::Active))
        .filter(member::Column::EmailVerifiedAt.is_not_null())
        .into_tuple()
        .all(tx.conn())
        .await?;
    Ok(rows.into_iter().filter_map(|(email, id)| Some((email?, id))).collect())
}

/// A member opens an invitation's link: its spaces are among those they are asked into. The link
/// is used up, as by a registration; whoever made it changes nothing by trying it.
pub async fn take(tx: &mut Tx, member: i64, token: &str) -> Result<()> {
    let row = open_by_token(tx, token).await?;
    if row.invited_by == member {
        return Ok(());
    }
    mark_accepted(tx, row.id, member).await?;
    spaces::invite_quietly(tx, &[member], &spaces_of(&row), row.invited_by).await
}

/// The spaces a sender may give away, by their slugs; 422 for any other.
async fn spaces_of_sender(tx: &Tx, sender: &member::Model, slugs: &[String]) -> Result<Vec<space::Model>> {
    let general = invites_to_hub(sender);
    let rows = space::Entity::find()
        .filter(space::Column::Slug.is_in(slugs.iter().map(|slug| slug.to_ascii_lowercase())))
        .all(tx.conn())
        .await?;
    let roles = spaces::roles_of(tx.conn(), sender.id).await?;
    let role = |id: i64| roles.iter().find(|(space, _)| *space == id).map(|(_, role)| *role);
    if !general && !roles.iter().any(|(_, role)| *role >= SpaceRole::Moderator) {
        return Err(AppError::Forbidden(
            "Only facilitators, administrators and those who run a space can invite.".into(),
        ));
    }
    let mut chosen = Vec::new();
    for slug in slugs {
        let found = rows.iter().find(|row| row.slug.eq_ignore_ascii_case(slug));
        let may = |row: &space::Model| {
            row.archived_at.is_none() && spaces::may_ask_in(sender, role(row.id), row.visibility, SpaceRole::Member)
        };
        match found {
            Some(row) if may(row) => chosen.push(row.clone()),
            // One that is hidden from the sender and one that is not theirs look alike.
            _ => return Err(AppError::Invalid(vec![register::said("spaces", "space_not_yours")])),
        }
    }
    if !general && chosen.is_empty() {
        return Err(AppError::Invalid(vec![register::said("spaces", "space_needed")]));
    }
    Ok(chosen)
}

/// The invitations one sees: one's own, or for administrators and facilitators all; newest first.
pub async fn list(state: &AppState, me: &Me, page: &PageQuery) -> Result<Page<InvitationView>> {
    let (limit, db) = (page.limit()?, state.store.read());
    let mut find = invitation::Entity::find()
        .order_by_desc(invitation::Column::CreatedAt)
        .order_by_desc(invitation::Column::Id)
        .limit(limit + 1);
    if !matches!(me.hub_role, HubRole::Facilitator | HubRole::Administrator) {
        find = find.filter(invitation::Column::InvitedBy.eq(me.id));
    }
    if let Some(place) = page.after()? {
        find = find.filter(
            sea_orm::Condition::any().add(invitation::Column::CreatedAt.lt(place.key)).add(
                sea_orm::Condition::all()
                    .add(invitation::Column::CreatedAt.eq(place.key))
                    .add(invitation::Column::Id.lt(place.id)),
            ),
        );
    }
    let rows = Page::cut(find.all(db).await?, limit, |row| Place { key: row.created_at, id: row.id });
    let senders: Vec<(i64, String)> = member::Entity::find()
        .select_only()
        .column(member::Column::Id)
        .column(member::Column::Handle)
        .filter(member::Column::Id.is_in(rows.items.iter().map(|row| row.invited_by)))
        .into_tuple()
        .all(db)
        .await?;
    let viewer = crate::web::viewer::Viewer::Member(std::sync::Arc::new(me.clone()));
    let visible = state.spaces.readable(state, &viewer).await?;
    let ids: HashSet<i64> = rows.items.iter().flat_map(spaces_of).collect();
    let slugs: Vec<(i64, String)> = space::Entity::find()
        .select_only()
        .column(space::Column::Id)
        .column(space::Column::Slug)
        .filter(space::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    let now = state.clock.now();
    Ok(rows.map(|row| {
        let sender = senders.iter().find(|(id, _)| *id == row.invited_by).map_or("", |(_, handle)| handle.as_str());
        let (of, own) = (spaces_of(&row), row.invited_by == me.id);
        let mut row = row;
        // What was written to the guests of a space is for those who may read there.
        if !own && of.iter().any(|id| !visible.contains(id)) {
            row.message = String::new();
        }
        let names = of
            .into_iter()
            .filter(|id| own || visible.contains(id))
            .filter_map(|id| slugs.iter().find(|(space, _)| *space == id).map(|(_, slug)| slug.clone()))
            .collect();
        view(&row, sender, names, now)
    }))
}

/// Takes an open invitation back; its sender, facilitators and administrators may.
pub async fn revoke(tx: &mut Tx, by: i64, id: i64) -> Result<()> {
    let of = member::Entity::find_by_id(by).one(tx.conn()).await?.ok_or(AppError::Unauthenticated)?;
    let row = invitation::Entity::find_by_id(id).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    if row.invited_by != by && !matches!(of.hub_role, HubRole::Facilitator | HubRole::Administrator) {
        return Err(AppError::NotFound);
    }
    if row.accepted_at.is_some() {
        return Err(AppError::Conflict("This invitation has been accepted.".into()));
    }
    invitation::Entity::update_many()
        .col_expr(invitation::Column::RevokedAt, Expr::value(Some(tx.now())))
        .filter(invitation::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// Takes back what a member has sent and nobody has used, also what members were asked into.
pub async fn revoke_all_of(tx: &Tx, sender: i64) -> Result<()> {
    invitation::Entity::update_many()
        .col_expr(invitation::Column::RevokedAt, Expr::value(Some(tx.now())))
        .filter(invitation::Column::InvitedBy.eq(sender))
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null())
        .exec(tx.conn())
        .await?;
    spaces::take_back_all(tx, sender).await
}

/// An invitation that works now, by its token, with those of its spaces that its sender could give
/// now. Who could invite nobody any more has invited nobody.
pub async fn find(db: &impl ConnectionTrait, now: i64, token: &str) -> Result<Option<invitation::Model>> {
    let token = token.split('.').next().unwrap_or_default();
    let row = invitation::Entity::find().filter(invitation::Column::TokenHash.eq(hash_token(token))).one(db).await?;
    let Some(row) = row.filter(|row| state_of(row, now) == "open") else { return Ok(None) };
    let sender = member::Entity::find_by_id(row.invited_by).one(db).await?;
    let Some(sender) = sender.filter(|of| of.state == MemberState::Active) else { return Ok(None) };
    let given = spaces::still_given(db, &sender, &spaces_of(&row)).await?;
    if given.is_empty() && !invites_to_hub(&sender) {
        return Ok(None);
    }
    Ok(Some(invitation::Model { spaces: serde_json::to_string(&given)?, ..row }))
}

pub(super) async fn open_by_token(tx: &Tx, token: &str) -> Result<invitation::Model> {
    find(tx.conn(), tx.now(), token).await?.ok_or(AppError::NotFound)
}

/// Uses an invitation: the new member joins its spaces.
pub(super) async fn accept(tx: &mut Tx, row: &invitation::Model, member: i64) -> Result<()> {
    mark_accepted(tx, row.id, member).await?;
    spaces::add_invited(tx, member, &spaces_of(row), row.invited_by).await
}

async fn mark_accepted(tx: &Tx, id: i64, member: i64) -> Result<()> {
    let used = invitation::Entity::update_many()
        .col_expr(invitation::Column::AcceptedAt, Expr::value(Some(tx.now())))
        .col_expr(invitation::Column::AcceptedBy, Expr::value(Some(member)))
        .filter(invitation::Column::Id.eq(id))
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null())
        .exec(tx.conn())
        .await?;
    if used.rows_affected == 0 { Err(AppError::NotFound) } else { Ok(()) }
}

fn spaces_of(row: &invitation::Model) -> Vec<i64> {
    serde_json::from_str(&row.spaces).unwrap_or_default()
}

fn state_of(row: &invitation::Model, now: i64) -> &'static str {
    if row.accepted_at.is_some() {
        "accepted"
    } else if row.revoked_at.is_some() {
        "revoked"
    } else if row.expires_at <= now {
        "expired"
    } else {
        "open"
    }
}

fn view(row: &invitation::Model, sender: &str, spaces: Vec<String>, now: i64) -> InvitationView {
    InvitationView {
        id: Id(row.id),
        email: row.email.clone(),
        invited_by: sender.to_owned(),
        message: row.message.clone(),
        spaces,
        state: state_of(row, now),
        created_at: rfc3339(row.created_at),
        expires_at: rfc3339(row.expires_at),
        link: None,
    }
}

fn row_of(row: invitation::Model) -> invitation::ActiveModel {
    invitation::ActiveModel {
        id: Set(row.id),
        email: Set(row.email),
        token_hash: Set(row.token_hash),
        invited_by: Set(row.invited_by),
        message: Set(row.message),
        spaces: Set(row.spaces),
        created_at: Set(row.created_at),
        expires_at: Set(row.expires_at),
        accepted_by: Set(row.accepted_by),
        accepted_at: Set(row.accepted_at),
        revoked_at: Set(row.revoked_at),
    }
}
