//! Personal API tokens: up to 20, shown once, kept as hashes.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::app::AppState;
use crate::app::secrets::hash_token;
use crate::entities::api_token;
use crate::ports::clock::DAY;
use crate::store::{After, Tx};
use crate::web::checks::{Text, check};
use crate::web::error::{AppError, Result};
use crate::web::sessions::API_TOKEN_PREFIX;

/// Living tokens of one member.
const MOST: u64 = 20;
/// The longest life of a token, days.
pub const DAYS: i64 = 366;

/// The text of a token. It follows from the hub's secret, so that an answer that is asked for
/// again under its `Idempotency-Key` need not be kept with the secret in it.
#[must_use]
pub fn secret(state: &AppState, id: i64) -> String {
    format!("{API_TOKEN_PREFIX}{}", state.secrets.token(&format!("api-token:{id}")))
}

/// Makes a token that ends after so many days.
pub async fn make(state: &AppState, tx: &mut Tx, member: i64, name: &str, days: i64) -> Result<api_token::Model> {
    let name = check(&[Text::line("name", name, 80).required()], true)?.get("name").to_owned();
    if !(1..=DAYS).contains(&days) {
        return Err(AppError::field("expires_in_days", "is a number from 1 to 366"));
    }
    let living = api_token::Entity::find()
        .filter(api_token::Column::MemberId.eq(member))
        .filter(api_token::Column::RevokedAt.is_null())
        .filter(api_token::Column::ExpiresAt.gt(tx.now()))
        .count(tx.conn())
        .await?;
    if living >= MOST {
        return Err(AppError::Conflict(crate::web::words::english().t("accounts.tokens.many").to_owned().into()));
    }
    let id = tx.id();
    let row = api_token::Model {
        id,
        member_id: member,
        name,
        token_hash: hash_token(&secret(state, id)),
        created_at: tx.now(),
        expires_at: Some(tx.now() + days * DAY),
        used_at: None,
        revoked_at: None,
    };
    let insert = api_token::ActiveModel {
        id: Set(id),
        member_id: Set(member),
        name: Set(row.name.clone()),
        token_hash: Set(row.token_hash.clone()),
        created_at: Set(row.created_at),
        expires_at: Set(row.expires_at),
        used_at: Set(None),
        revoked_at: Set(None),
    };
    api_token::Entity::insert(insert).exec_without_returning(tx.conn()).await?;
    Ok(row)
}

/// A member's tokens that are not revoked, the newest first.
pub async fn list(state: &AppState, member: i64) -> Result<Vec<api_token::Model>> {
    Ok(api_token::Entity::find()
        .filter(api_token::Column::MemberId.eq(member))
        .filter(api_token::Column::RevokedAt.is_null())
        .order_by_desc(api_token::Column::CreatedAt)
        .order_by_desc(api_token::Column::Id)
        .limit(100)
        .all(state.store.read())
        .await?)
}

/// Revokes one of a member's own tokens, with the sockets it opened; 404 for any other.
pub async fn revoke(tx: &mut Tx, member: i64, id: i64) -> Result<()> {
    let revoked = api_token::Entity::update_many()
        .col_expr(api_token::Column::RevokedAt, Expr::value(Some(tx.now())))
        .filter(api_token::Column::Id.eq(id))
        .filter(api_token::Column::MemberId.eq(member))
        .filter(api_token::Column::RevokedAt.is_null())
        .exec(tx.conn())
        .await?;
    if revoked.rows_affected == 0 {
        return Err(AppError::NotFound);
    }
    tx.after(After::EndSession(id));
    Ok(())
}

/// Revokes all of a member's tokens, with the sockets they opened: whoever had the password may
/// have made one of them.
pub async fn revoke_all(tx: &mut Tx, member: i64) -> Result<()> {
    let ids: Vec<i64> = api_token::Entity::find()
        .select_only()
        .column(api_token::Column::Id)
        .filter(api_token::Column::MemberId.eq(member))
        .filter(api_token::Column::RevokedAt.is_null())
        .into_tuple()
        .all(tx.conn())
        .await?;
    if ids.is_empty() {
        return Ok(());
    }
    api_token::Entity::update_many()
        .col_expr(api_token::Column::RevokedAt, Expr::value(Some(tx.now())))
        .filter(api_token::Column::MemberId.eq(member))
        .filter(api_token::Column::RevokedAt.is_null())
        .exec(tx.conn())
        .await?;
    for id in ids {
        tx.after(After::EndSession(id));
    }
    Ok(())
}
