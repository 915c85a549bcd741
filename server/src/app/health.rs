//! Whether the hub lives, and whether it can serve.

use actix_web::{HttpResponse, web};
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use super::AppState;

/// `GET /healthz`
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// `GET /readyz`: 200 only while the database answers; the rest degrades.
pub async fn ready(state: web::Data<AppState>) -> HttpResponse {
    let database = state.store.read().execute_unprepared("SELECT 1").await.is_ok();
    let storage = state.blobs.is_ready().await;
    let word = |good: bool| if good { "ok" } else { "down" };
    let body = json!({
        "status": if database { "ok" } else { "down" },
        "components": {
            "database": { "state": word(database) },
            "bus": { "state": "ok", "kind": "memory" },
            "search": { "state": state.search.status().condition.as_str(), "kind": "tantivy" },
            "storage": { "state": word(storage) },
            "mail": { "state": if state.mailer.is_configured() { "configured" } else { "outbox" } },
        },
    });
    if database {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().insert_header(("Retry-After", "2")).json(body)
    }
}
