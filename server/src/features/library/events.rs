//! The library's events in `space:` streams, which the contract lets be added: `resource.created`,
//! `resource.changed` (its row as it now is, or that it is gone) and `collection.changed` (its id).

use std::collections::HashMap;

use sea_orm::DatabaseConnection;
use serde_json::{Value, json};

use super::queries::rows_by_ids;
use crate::store::Id;
use crate::web::error::Result;

/// Data of events about resources, by id.
pub async fn resource_data(db: &DatabaseConnection, ids: &[i64]) -> Result<HashMap<i64, Value>> {
    let mut data: HashMap<i64, Value> = ids.iter().map(|id| (*id, json!({ "id": Id(*id), "deleted": true }))).collect();
    for batch in ids.chunks(500) {
        // Whether a review is due depends on when it is asked: no part of an event.
        for row in rows_by_ids(db, batch, i64::MIN).await? {
            if row.is_shown() {
                data.insert(row.id.0, serde_json::to_value(&row)?);
            }
        }
    }
    Ok(data)
}
