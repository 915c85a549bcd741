//! Links that work once: setup, verify, reset, claim. Only the hash of a token is kept.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::app::secrets::{hash_token, random_token};
use crate::entities::one_time_token;
use crate::ports::clock::{DAY, HOUR};
use crate::store::Tx;
use crate::web::error::Result;

pub const SETUP: &str = "setup";
pub const VERIFY: &str = "verify";
pub const RESET: &str = "reset";

pub const SETUP_FOR: i64 = 7 * DAY;
pub const VERIFY_FOR: i64 = 3 * DAY;
pub const RESET_FOR: i64 = HOUR;

/// Makes a link's token. An older unused one of the same kind and member stops working.
pub async fn make(tx: &Tx, kind: &str, member: Option<i64>, email: Option<&str>, for_: i64) -> Result<String> {
    if member.is_some() {
        withdraw(tx, kind, member).await?;
    }
    let token = random_token();
    let row = one_time_token::ActiveModel {
        token_hash: Set(hash_token(&token)),
        kind: Set(kind.to_owned()),
        member_id: Set(member),
        email: Set(email.map(str::to_owned)),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now() + for_),
        used_at: Set(None),
    };
    one_time_token::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    Ok(token)
}

/// Takes back what was not used of a member's links of one kind.
pub async fn withdraw(tx: &Tx, kind: &str, member: Option<i64>) -> Result<()> {
    one_time_token::Entity::delete_many()
        .filter(one_time_token::Column::MemberId.eq(member))
        .filter(one_time_token::Column::Kind.eq(kind))
        .filter(one_time_token::Column::UsedAt.is_null())
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// The link of a token if it would work now.
pub async fn look(
    db: &impl ConnectionTrait,
    now: i64,
    kind: &str,
    token: &str,
) -> Result<Option<one_time_token::Model>> {
    if token.is_empty() || token.len() > 128 {
        return Ok(None);
    }
    let row = one_time_token::Entity::find_by_id(hash_token(token)).one(db).await?;
    Ok(row.filter(|row| row.kind == kind && row.used_at.is_none() && row.expires_at > now))
}

/// Uses a link; `None` if it does not work any more.
pub async fn spend(tx: &Tx, kind: &str, token: &str) -> Result<Option<one_time_token::Model>> {
    let Some(row) = look(tx.conn(), tx.now(), kind, token).await? else { return Ok(None) };
    let spent = one_time_token::Entity::update_many()
        .col_expr(one_time_token::Column::UsedAt, Expr::value(Some(tx.now())))
        .filter(one_time_token::Column::TokenHash.eq(row.token_hash.as_str()))
        .filter(one_time_token::Column::UsedAt.is_null())
        .exec(tx.conn())
        .await?;
    Ok((spent.rows_affected == 1).then_some(row))
}
