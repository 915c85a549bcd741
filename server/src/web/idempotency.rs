//! `Idempotency-Key`: the same POST again has one effect and one answer, for 24 hours.
//!
//! Key and answer are written in the action's own transaction, so that even a process that dies
//! between the commit and the answer does the thing once.

use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;
use serde::Serialize;

use super::error::{AppError, Result};
use crate::app::AppState;
use crate::app::secrets::hash_pieces;
use crate::entities::idempotent_answer;
use crate::ports::clock::DAY;
use crate::store::Tx;

/// How long an answer is kept, microseconds.
pub const KEPT: i64 = DAY;

/// A key with what it was used for.
#[derive(Clone, Debug)]
pub struct Once {
    key: String,
    route: String,
    body_hash: String,
}

impl Once {
    /// The key of a request, if it has one.
    pub fn of(req: &HttpRequest, body: &[u8]) -> Result<Option<Self>> {
        Self::of_pieces(req, &[body])
    }

    /// The same for a body in pieces.
    pub fn of_pieces(req: &HttpRequest, body: &[&[u8]]) -> Result<Option<Self>> {
        let Some(header) = req.headers().get("Idempotency-Key") else { return Ok(None) };
        let key = header.to_str().ok().map(str::trim).filter(|key| (1..=200).contains(&key.len()));
        let key =
            key.ok_or_else(|| AppError::BadRequest("An Idempotency-Key has 1 to 200 visible characters.".into()))?;
        // The path itself, so that the same key on another object is another request.
        let route = format!("{} {}", req.method(), req.path());
        Ok(Some(Self { key: key.to_owned(), route, body_hash: hash_pieces(body) }))
    }
}

/// An answer that can be stored and given again.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub etag: Option<String>,
    pub body: String,
    /// The row whose text the answer carries, so that a purge finds it.
    pub subject: Option<i64>,
}

impl Answer {
    /// 201 with the object.
    pub fn created(location: String, object: &impl Serialize, subject: Option<i64>) -> Result<Self> {
        Ok(Self { status: 201, location: Some(location), etag: None, body: serde_json::to_string(object)?, subject })
    }

    /// Another success with an object.
    pub fn ok(status: u16, object: &impl Serialize, subject: Option<i64>) -> Result<Self> {
        Ok(Self { status, location: None, etag: None, body: serde_json::to_string(object)?, subject })
    }

    /// 204.
    #[must_use]
    pub const fn empty() -> Self {
        Self { status: 204, location: None, etag: None, body: String::new(), subject: None }
    }

    #[must_use]
    pub fn with_etag(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    /// As a response.
    #[must_use]
    pub fn respond(self) -> HttpResponse {
        let mut builder = HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        if let Some(location) = self.location {
            builder.insert_header((LOCATION, location));
        }
        if let Some(etag) = self.etag {
            builder.insert_header((ETAG, etag));
        }
        if self.status == 204 {
            return builder.finish();
        }
        builder.content_type("application/json").body(self.body)
    }
}

/// Runs an action that makes an answer, once for its key.
pub async fn write_once<F>(state: &AppState, member: i64, once: Option<Once>, action: F) -> Result<HttpResponse>
where
    F: AsyncFn(&mut Tx) -> Result<Answer> + Send + 'static,
{
    let answer = state
        .store
        .write(async move |tx| {
            let Some(once) = &once else { return action(tx).await };
            // The same request at the same time waits here until this one is decided.
            while !begin(tx, member, once).await? {
                if let Some(stored) = find(tx, member, once).await? {
                    return Ok(stored);
                }
            }
            let answer = action(tx).await?;
            remember(tx, member, once, &answer).await?;
            Ok(answer)
        })
        .await?;
    Ok(answer.respond())
}

async fn find(tx: &Tx, member: i64, once: &Once) -> Result<Option<Answer>> {
    let key = (member, once.route.clone(), once.key.clone());
    let Some(row) = idempotent_answer::Entity::find_by_id(key.clone()).one(tx.conn()).await? else { return Ok(None) };
    if row.created_at < tx.now() - KEPT {
        idempotent_answer::Entity::delete_by_id(key).exec(tx.conn()).await?;
        return Ok(None);
    }
    if row.body_hash != once.body_hash {
        return Err(AppError::Conflict("This Idempotency-Key was used with another body.".into()));
    }
    let status = u16::try_from(row.status).unwrap_or(200);
    Ok(Some(Answer { status, location: row.location, etag: row.etag, body: row.body, subject: row.subject_id }))
}

/// Takes the key for this transaction. False if somebody has it, who has committed by now.
async fn begin(tx: &Tx, member: i64, once: &Once) -> Result<bool> {
    let row = idempotent_answer::ActiveModel {
        member_id: Set(member),
        route: Set(once.route.clone()),
        key: Set(once.key.clone()),
        body_hash: Set(once.body_hash.clone()),
        status: Set(0),
        location: Set(None),
        etag: Set(None),
        body: Set(String::new()),
        subject_id: Set(None),
        created_at: Set(tx.now()),
    };
    let nothing = OnConflict::new().do_nothing().to_owned();
    let added = idempotent_answer::Entity::insert(row).on_conflict(nothing).exec_without_returning(tx.conn()).await?;
    Ok(added > 0)
}

async fn remember(tx: &Tx, member: i64, once: &Once, answer: &Answer) -> Result<()> {
    let row = idempotent_answer::ActiveModel {
        member_id: Unchanged(member),
        route: Unchanged(once.route.clone()),
        key: Unchanged(once.key.clone()),
        status: Set(i32::from(answer.status)),
        location: Set(answer.location.clone()),
        etag: Set(answer.etag.clone()),
        body: Set(answer.body.clone()),
        subject_id: Set(answer.subject),
        ..Default::default()
    };
    idempotent_answer::Entity::update(row).exec(tx.conn()).await?;
    Ok(())
}
