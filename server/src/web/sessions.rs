//! Who a cookie or a bearer token is, kept in mind for two seconds.
//!
//! This process forgets at once what it ends or changes itself; what another process does counts
//! within the two seconds.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};

use super::error::{AppError, Result};
use super::viewer::{Me, Via};
use crate::app::AppState;
use crate::app::secrets::{Secrets, hash_token};
use crate::entities::kinds::{MemberState, SpaceRole};
use crate::entities::{api_token, member, session, space_member};
use crate::ports::clock::{DAY, MINUTE, SECOND};

/// How long an access token is good for, seconds.
pub const ACCESS_SECONDS: i64 = 900;
/// What is known of a session is looked up again after this.
const FRESH: i64 = 2 * SECOND;
/// A session's last use is written down this often at most.
const TOUCH: i64 = MINUTE;
/// Signing keys change this often; the key before stays good for tokens that still live.
const KEY_PERIOD: i64 = 30 * DAY;

/// Prefix of personal API tokens, so that scanners for leaked secrets can know them.
pub const API_TOKEN_PREFIX: &str = "pxt_";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    sid: String,
    iat: i64,
    exp: i64,
}

#[derive(Clone, Debug)]
struct Known {
    me: Arc<Me>,
    loaded_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Cookie(String),
    Session(i64),
    ApiToken(String),
}

/// The cache and the signing keys.
#[derive(Clone, Debug)]
pub struct Sessions {
    known: Cache<Key, Known>,
    secrets: Secrets,
}

impl Sessions {
    #[must_use]
    pub fn new(secrets: Secrets) -> Self {
        Self { known: Cache::builder().max_capacity(50_000).build(), secrets }
    }

    /// Forgets everything; for changes that concern many. Cheap, as all of it is read again.
    pub fn forget_all(&self) {
        self.known.invalidate_all();
    }

    /// Forgets a member's entries.
    pub fn forget_member(&self, member: i64) {
        let keys: Vec<Key> =
            self.known.iter().filter(|(_, known)| known.me.id == member).map(|(key, _)| (*key).clone()).collect();
        for key in keys {
            self.known.invalidate(&key);
        }
    }

    /// Forgets a session's entries.
    pub fn forget_session(&self, session: i64) {
        let keys: Vec<Key> = self
            .known
            .iter()
            .filter(|(_, known)| known.me.session_id == session)
            .map(|(key, _)| (*key).clone())
            .collect();
        for key in keys {
            self.known.invalidate(&key);
        }
    }

    /// The member of a session cookie.
    pub async fn by_cookie(&self, state: &AppState, token: &str) -> Result<Option<Arc<Me>>> {
        let hash = hash_token(token);
        let key = Key::Cookie(hash.clone());
        self.lookup(state, key, Via::Cookie, session::Entity::find().filter(session::Column::TokenHash.eq(hash))).await
    }

    /// The member of a bearer token: a signed access token or a personal API token.
    pub async fn by_bearer(&self, state: &AppState, token: &str) -> Result<Option<Arc<Me>>> {
        if token.starts_with(API_TOKEN_PREFIX) {
            return self.by_api_token(state, token).await;
        }
        let Some(session) = self.verify_access(token, state.clock.now()) else { return Ok(None) };
        self.by_session(state, session).await
    }

    /// Whether a session (or API token, by its id) still lives.
    pub async fn is_alive(&self, state: &AppState, session: i64) -> Result<bool> {
        if self.by_session(state, session).await?.is_some() {
            return Ok(true);
        }
        let token = api_token::Entity::find_by_id(session).one(state.store.read()).await?;
        Ok(token.is_some_and(|token| token_lives(&token, state.clock.now())))
    }

    /// Whether a bearer token that is good for nothing any more is a suspended member's.
    pub async fn is_of_suspended(&self, state: &AppState, token: &str) -> Result<bool> {
        let db = state.store.read();
        let id = if token.starts_with(API_TOKEN_PREFIX) {
            let hash = hash_token(token);
            let row = api_token::Entity::find().filter(api_token::Column::TokenHash.eq(hash)).one(db).await?;
            row.map(|row| row.member_id)
        } else {
            let Some(session) = self.verify_access(token, state.clock.now()) else { return Ok(false) };
            session::Entity::find_by_id(session).one(db).await?.map(|row| row.member_id)
        };
        let Some(id) = id else { return Ok(false) };
        let of = member::Entity::find_by_id(id).one(db).await?;
        Ok(of.is_some_and(|of| of.state == MemberState::Suspended))
    }

    /// The same as the rows have it now, whatever is kept in mind.
    pub async fn lives(&self, state: &AppState, session: i64) -> Result<bool> {
        let (db, now) = (state.store.read(), state.clock.now());
        let found = session::Entity::find_by_id(session).find_also_related_member().one(db).await?;
        if let Some((row, of)) = found {
            return Ok(session_lives(&row, now) && of.is_some_and(|of| of.state == MemberState::Active));
        }
        let token = api_token::Entity::find_by_id(session).one(db).await?;
        Ok(token.is_some_and(|token| token_lives(&token, now)))
    }

    async fn by_session(&self, state: &AppState, session: i64) -> Result<Option<Arc<Me>>> {
        self.lookup(state, Key::Session(session), Via::Bearer, session::Entity::find_by_id(session)).await
    }

    async fn lookup(
        &self,
        state: &AppState,
        key: Key,
        via: Via,
        find: sea_orm::Select<session::Entity>,
    ) -> Result<Option<Arc<Me>>> {
        let now = state.clock.now();
        if let Some(known) = self.known.get(&key)
            && now - known.loaded_at < FRESH
            && known.loaded_at <= now
        {
            return Ok(Some(known.me));
        }
        let Some((row, Some(of))) = find.find_also_related_member().one(state.store.read()).await? else {
            self.known.invalidate(&key);
            return Ok(None);
        };
        if !session_lives(&row, now) || of.state != MemberState::Active {
            self.known.invalidate(&key);
            return Ok(None);
        }
        if now - row.used_at > TOUCH.min(row.idle_limit / 10) {
            touch(state, row.id, of.id).await;
        }
        let me = load(state, of, row.id, row.shared, via).await?;
        self.known.insert(key, Known { me: Arc::clone(&me), loaded_at: now });
        Ok(Some(me))
    }

    async fn by_api_token(&self, state: &AppState, token: &str) -> Result<Option<Arc<Me>>> {
        let hash = hash_token(token);
        let key = Key::ApiToken(hash.clone());
        let now = state.clock.now();
        if let Some(known) = self.known.get(&key)
            && now - known.loaded_at < FRESH
            && known.loaded_at <= now
        {
            return Ok(Some(known.me));
        }
        self.known.invalidate(&key);
        let db = state.store.read();
        let Some(row) = api_token::Entity::find().filter(api_token::Column::TokenHash.eq(hash)).one(db).await? else {
            return Ok(None);
        };
        if !token_lives(&row, now) {
            return Ok(None);
        }
        let Some(of) = member::Entity::find_by_id(row.member_id).one(db).await? else { return Ok(None) };
        if of.state != MemberState::Active {
            return Ok(None);
        }
        if row.used_at.is_none_or(|used| now - used > 10 * MINUTE) {
            let id = row.id;
            let touched = state.store.write(async move |tx| {
                api_token::Entity::update_many()
                    .col_expr(api_token::Column::UsedAt, sea_orm::sea_query::Expr::value(Some(tx.now())))
                    .filter(api_token::Column::Id.eq(id))
                    .exec(tx.conn())
                    .await?;
                Ok(())
            });
            if let Err(error) = touched.await {
                tracing::debug!(%error, "a token's last use was not written down");
            }
        }
        let me = load(state, of, row.id, false, Via::ApiToken).await?;
        self.known.insert(key, Known { me: Arc::clone(&me), loaded_at: now });
        Ok(Some(me))
    }

    /// A signed access token for a session: HS256, 15 minutes.
    pub fn sign_access(&self, member: i64, session: i64, now: i64) -> Result<String> {
        let period = now / KEY_PERIOD;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(period.to_string());
        let seconds = now / SECOND;
        let claims = Claims {
            sub: crate::store::Id(member).to_string(),
            sid: crate::store::Id(session).to_string(),
            iat: seconds,
            exp: seconds + ACCESS_SECONDS,
        };
        let key = EncodingKey::from_secret(&self.signing_key(period));
        jsonwebtoken::encode(&header, &claims, &key).map_err(|error| AppError::Internal(Box::new(error)))
    }

    fn verify_access(&self, token: &str, now: i64) -> Option<i64> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let period: i64 = header.kid?.parse().ok()?;
        if !(0..=1).contains(&(now / KEY_PERIOD - period)) {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        // The hub's own clock decides, below.
        validation.validate_exp = false;
        let key = DecodingKey::from_secret(&self.signing_key(period));
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).ok()?.claims;
        let seconds = now / SECOND;
        if claims.exp <= seconds || claims.iat > seconds + 60 {
            return None;
        }
        claims.sid.parse::<crate::store::Id>().ok().map(|id| id.0)
    }

    fn signing_key(&self, period: i64) -> [u8; 32] {
        self.secrets.derive(&format!("access-token:{period}"))
    }
}

/// Whether a session row can be used now.
#[must_use]
pub const fn session_lives(row: &session::Model, now: i64) -> bool {
    row.ended_at.is_none() && row.expires_at > now && row.used_at + row.idle_limit > now
}

fn token_lives(row: &api_token::Model, now: i64) -> bool {
    row.revoked_at.is_none() && row.expires_at.is_none_or(|at| at > now)
}

async fn touch(state: &AppState, session: i64, member: i64) {
    let touched = state.store.write(async move |tx| {
        use sea_orm::sea_query::Expr;
        session::Entity::update_many()
            .col_expr(session::Column::UsedAt, Expr::value(tx.now()))
            .filter(session::Column::Id.eq(session))
            .exec(tx.conn())
            .await?;
        member::Entity::update_many()
            .col_expr(member::Column::SeenAt, Expr::value(Some(tx.now())))
            .filter(member::Column::Id.eq(member))
            .exec(tx.conn())
            .await?;
        Ok(())
    });
    if let Err(error) = touched.await {
        tracing::debug!(%error, "a session's last use was not written down");
    }
}

async fn load(state: &AppState, of: member::Model, session_id: i64, shared: bool, via: Via) -> Result<Arc<Me>> {
    let spaces: Vec<(i64, SpaceRole)> = space_member::Entity::find()
        .select_only()
        .column(space_member::Column::SpaceId)
        .column(space_member::Column::Role)
        .filter(space_member::Column::MemberId.eq(of.id))
        .into_tuple()
        .all(state.store.read())
        .await?;
    Ok(Arc::new(Me {
        id: of.id,
        handle: of.handle,
        display_name: of.display_name,
        hub_role: of.hub_role,
        discipline: of.discipline,
        avatar: of.avatar,
        email_verified: of.email_verified_at.is_some(),
        session_id,
        via,
        shared,
        spaces: spaces.into_iter().collect::<HashMap<_, _>>(),
    }))
}

/// `find().find_also_related_member()`: the session with its member, in one statement.
trait WithMember {
    fn find_also_related_member(self) -> sea_orm::SelectTwo<session::Entity, member::Entity>;
}

impl WithMember for sea_orm::Select<session::Entity> {
    fn find_also_related_member(self) -> sea_orm::SelectTwo<session::Entity, member::Entity> {
        self.join(
            sea_orm::JoinType::InnerJoin,
            session::Entity::belongs_to(member::Entity).from(session::Column::MemberId).to(member::Column::Id).into(),
        )
        .select_also(member::Entity)
    }
}
