//! Invitations by mail: who may send them, and what comes with them.
//!
//! Invariant: an invitation gives no more than its sender could: spaces they run themselves, or,
//! for administrators and facilitators, those they are in.

use std::collections::HashSet;

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;

use super::{mail, register};
use crate::app::AppState;
use crate::app::secrets::{hash_token, random_token};
use crate::entities::kinds::{HubRole, SpaceRole};
use crate::entities::{invitation, member, space, space_member};
use crate::features::spaces;
use crate::ports::clock::{DAY, rfc3339};
use crate::store::{Id, Tx};
use crate::web::checks::{MESSAGE, Text, check};
use crate::web::error::{AppError, FieldError, Result};
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
    pub message: String,
    /// Slugs of the spaces that come with it.
    pub spaces: Vec<String>,
    /// `open`, `accepted`, `revoked` or `expired`.
    pub state: &'static str,
    pub created_at: String,
    pub expires_at: String,
}

/// Addresses from a pasted list: one a line, or with commas, semicolons or blanks between; those
/// in angle brackets count. Returns what cannot be read apart.
#[must_use]
pub fn parse_list(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for line in text.split(['\n', ',', ';']).map(str::trim).filter(|line| !line.is_empty()) {
        let inner = line.rsplit_once('<').and_then(|(_, rest)| rest.split('>').next());
        let parts: Vec<&str> = inner.map_or_else(|| line.split_whitespace().collect(), |one| vec![one]);
        for part in parts {
            match register::parse_email(part) {
                Some(email) if seen.insert(email.clone()) => good.push(email),
                Some(_) => {}
                None => bad.push(part.chars().take(80).collect()),
            }
        }
    }
    (good, bad)
}

/// Whether somebody may invite to the hub at all.
#[must_use]
pub fn may_invite(me: &Me) -> bool {
    matches!(me.hub_role, HubRole::Facilitator | HubRole::Administrator)
        || me.spaces.values().any(|role| *role >= SpaceRole::Moderator)
}

/// Invites everybody of a list who is no member yet; members are joined to nothing and told nothing.
/// An open invitation to the same address by anybody is replaced.
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
    let known: HashSet<String> = member::Entity::find()
        .select_only()
        .column(member::Column::Email)
        .filter(member::Column::Email.is_in(emails.iter().map(String::as_str)))
        .filter(member::Column::PasswordHash.is_not_null())
        .into_tuple::<Option<String>>()
        .all(tx.conn())
        .await?
        .into_iter()
        .flatten()
        .collect();
    let wanted: Vec<&String> = emails.iter().filter(|email| !known.contains(*email)).collect();
    invitation::Entity::update_many()
        .col_expr(invitation::Column::RevokedAt, Expr::value(Some(tx.now())))
        .filter(invitation::Column::Email.is_in(wanted.iter().map(|email| email.as_str())))
        .filter(invitation::Column::InvitedBy.eq(by))
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null())
        .exec(tx.conn())
        .await?;
    let ids: Vec<i64> = chosen.iter().map(|space| space.id).collect();
    let slugs: Vec<String> = chosen.iter().map(|space| space.slug.clone()).collect();
    let mut made = Vec::new();
    for email in wanted {
        let token = random_token();
        let row = invitation::Model {
            id: tx.id(),
            email: email.clone(),
            token_hash: hash_token(&token),
            invited_by: by,
            message: message.clone(),
            spaces: serde_json::to_string(&ids)?,
            created_at: tx.now(),
            expires_at: tx.now() + GOOD,
            accepted_by: None,
            accepted_at: None,
            revoked_at: None,
        };
        let view = view(&row, &sender.handle, slugs.clone(), tx.now());
        invitation::Entity::insert(row_of(row)).exec_without_returning(tx.conn()).await?;
        let mut letter = mail::told(state, "invite", &[("name", &sender.display_name)], &format!("/invite/{token}"));
        letter.quote.clone_from(&message);
        let to = mail::To { kind: "invite", member: None, address: email, about: None };
        mail::queue_letter(tx, to, &letter, state.origin()).await?;
        made.push(view);
    }
    Ok(made)
}

/// The spaces a sender may give away, by their slugs; 422 for any other.
async fn spaces_of_sender(tx: &Tx, sender: &member::Model, slugs: &[String]) -> Result<Vec<space::Model>> {
    let general = matches!(sender.hub_role, HubRole::Facilitator | HubRole::Administrator);
    let rows = space::Entity::find()
        .filter(space::Column::Slug.is_in(slugs.iter().map(|slug| slug.to_ascii_lowercase())))
        .all(tx.conn())
        .await?;
    let roles: Vec<(i64, SpaceRole)> = space_member::Entity::find()
        .select_only()
        .column(space_member::Column::SpaceId)
        .column(space_member::Column::Role)
        .filter(space_member::Column::MemberId.eq(sender.id))
        .into_tuple()
        .all(tx.conn())
        .await?;
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
            let runs = role(row.id).is_some_and(|role| role >= SpaceRole::Moderator);
            let open = spaces::policy::by_role(sender.hub_role, role(row.id), row.visibility);
            row.archived_at.is_none() && (runs || (general && open >= spaces::Access::Read))
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
        let names = spaces_of(&row)
            .into_iter()
            .filter(|id| row.invited_by == me.id || visible.contains(id))
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

/// An invitation that works now, by its token.
pub async fn find(db: &impl ConnectionTrait, now: i64, token: &str) -> Result<Option<invitation::Model>> {
    let row = invitation::Entity::find().filter(invitation::Column::TokenHash.eq(hash_token(token))).one(db).await?;
    Ok(row.filter(|row| state_of(row, now) == "open"))
}

pub(super) async fn open_by_token(tx: &Tx, token: &str) -> Result<invitation::Model> {
    find(tx.conn(), tx.now(), token).await?.ok_or(AppError::NotFound)
}

/// Uses an invitation: the new member joins its spaces.
pub(super) async fn accept(tx: &mut Tx, row: &invitation::Model, member: i64) -> Result<()> {
    let used = invitation::Entity::update_many()
        .col_expr(invitation::Column::AcceptedAt, Expr::value(Some(tx.now())))
        .col_expr(invitation::Column::AcceptedBy, Expr::value(Some(member)))
        .filter(invitation::Column::Id.eq(row.id))
        .filter(invitation::Column::AcceptedAt.is_null())
        .exec(tx.conn())
        .await?;
    if used.rows_affected == 0 {
        return Err(AppError::NotFound);
    }
    spaces::add_invited(tx, member, &spaces_of(row), row.invited_by).await
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

/// Faults of a pasted list, one for each address that cannot be read.
#[must_use]
pub fn faults_of(bad: &[String]) -> Vec<FieldError> {
    bad.iter()
        .take(20)
        .map(|text| FieldError {
            field: "emails".into(),
            message: crate::web::words::english().with("accounts.fault.email_bad", &[("text", text)]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_pasted_list_is_read_in_the_ways_people_write_it() {
        let (good, bad) = super::parse_list("a@x.org, B@x.org;\nCara <c@x.org>\n\nd@x.org e@x.org\na@x.org\nnobody");
        assert_eq!(good, ["a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org"]);
        assert_eq!(bad, ["nobody"]);
    }
}
