//! Shutting a member out, and letting them in again.

use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait as _, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::policy::{administrator, member_by_handle};
use super::record::{Act, record};
use crate::entities::kinds::{HubRole, MemberState};
use crate::entities::{api_token, member, one_time_token, session};
use crate::features::accounts::invitations;
use crate::search::Kind;
use crate::store::{After, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};

/// Ends a member's sessions, tokens, sockets and open invitations; they cannot sign in until let in again.
pub async fn suspend(tx: &mut Tx, actor: i64, handle: &str, reason: &str) -> Result<()> {
    administrator(tx, actor).await?;
    let of = member_by_handle(tx, handle).await?;
    if of.id == actor {
        return Err(AppError::Conflict("You cannot suspend yourself.".into()));
    }
    if of.state == MemberState::Suspended {
        return Ok(());
    }
    keep_an_administrator(tx, of.id).await?;
    set_state(tx, of.id, MemberState::Suspended).await?;
    end_sessions(tx, of.id).await?;
    api_token::Entity::update_many()
        .col_expr(api_token::Column::RevokedAt, Expr::value(Some(tx.now())))
        .filter(api_token::Column::MemberId.eq(of.id))
        .filter(api_token::Column::RevokedAt.is_null())
        .exec(tx.conn())
        .await?;
    invitations::revoke_all_of(tx, of.id).await?;
    one_time_token::Entity::delete_many().filter(one_time_token::Column::MemberId.eq(of.id)).exec(tx.conn()).await?;
    let act = Act { space: None, actor, action: "suspend", subject_kind: "member", subject: of.id, reason };
    record(tx, act).await?;
    tx.after(After::Suspend(of.id));
    tx.append(Stream::HUB, NewEvent::new("member.changed", of.id, Some(actor)));
    Ok(())
}

/// Lets a suspended member in again. Sessions, tokens and invitations that were ended stay ended.
pub async fn unsuspend(tx: &mut Tx, actor: i64, handle: &str, reason: &str) -> Result<()> {
    administrator(tx, actor).await?;
    let of = member_by_handle(tx, handle).await?;
    if of.state != MemberState::Suspended {
        return Ok(());
    }
    // Somebody made by an import who never signed in is unclaimed again.
    let state = if of.password_hash.is_some() { MemberState::Active } else { MemberState::Unclaimed };
    set_state(tx, of.id, state).await?;
    let act = Act { space: None, actor, action: "unsuspend", subject_kind: "member", subject: of.id, reason };
    record(tx, act).await?;
    tx.after(After::Access(of.id));
    tx.append(Stream::HUB, NewEvent::new("member.changed", of.id, Some(actor)));
    Ok(())
}

/// 409 if nobody would run the hub without this member.
pub async fn keep_an_administrator(tx: &Tx, without: i64) -> Result<()> {
    let mut find = member::Entity::find()
        .select_only()
        .column(member::Column::Id)
        .filter(member::Column::HubRole.eq(HubRole::Administrator))
        .filter(member::Column::State.eq(MemberState::Active))
        .order_by_asc(member::Column::Id);
    if tx.conn().get_database_backend() == DbBackend::Postgres {
        // Two administrators who take each other's role at once: the second waits and sees the first.
        find = find.lock(LockType::Update);
    }
    let left: Vec<i64> = find.into_tuple().all(tx.conn()).await?;
    if left.iter().any(|id| *id != without) {
        Ok(())
    } else {
        Err(AppError::Conflict("The hub needs at least one administrator.".into()))
    }
}

async fn set_state(tx: &mut Tx, id: i64, state: MemberState) -> Result<()> {
    member::Entity::update_many()
        .col_expr(member::Column::State, Expr::value(state.as_str()))
        .col_expr(member::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(member::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    tx.index(Kind::Member, id);
    Ok(())
}

async fn end_sessions(tx: &Tx, member: i64) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(Some(tx.now())))
        .filter(session::Column::MemberId.eq(member))
        .filter(session::Column::EndedAt.is_null())
        .exec(tx.conn())
        .await?;
    Ok(())
}
