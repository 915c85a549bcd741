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
    let mut body = json!({
        "status": if database { "ok" } else { "down" },
        "components": {
            "database": { "state": word(database) },
            "bus": { "state": "ok", "kind": "memory" },
            "search": { "state": "none" },
            "storage": { "state": word(storage) },
            "mail": { "state": if state.mailer.is_configured() { "configured" } else { "outbox" } },
        },
    });
    // Only where there is one: uploads are held while it is away.
    if let Some(good) = state.scanner.is_ready().await
        && let Some(components) = body.get_mut("components").and_then(serde_json::Value::as_object_mut)
    {
        components.insert("scanner".to_owned(), json!({ "state": word(good) }));
    }
    if database {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().insert_header(("Retry-After", "2")).json(body)
    }
}
