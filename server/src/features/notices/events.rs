//! The data of `notice.created` (the notice and how many are unread) and `notice.read` (its id,
//! null for several, and how many are unread).

use sea_orm::DatabaseConnection;
use serde_json::{Value, json};

use super::queries::{by_ids, unread};
use crate::store::Id;
use crate::streams::Committed;
use crate::web::error::Result;

/// Data of the events of one member's stream.
pub async fn fill_events(db: &DatabaseConnection, member: i64, events: &[&Committed]) -> Result<Vec<Value>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> =
        events.iter().filter(|event| event.kind == "notice.created").map(|event| event.subject).collect();
    let notices = by_ids(db, member, &ids).await?;
    let unread = unread(db, member).await?;
    events
        .iter()
        .map(|event| {
            if event.kind != "notice.created" {
                let id = (event.subject != 0).then_some(Id(event.subject));
                return Ok(json!({ "id": id, "unread": unread }));
            }
            let mut data = match notices.get(&event.subject) {
                Some(notice) => serde_json::to_value(notice)?,
                None => json!({ "id": Id(event.subject), "deleted": true }),
            };
            if let Some(data) = data.as_object_mut() {
                data.insert("unread".to_owned(), unread.into());
            }
            Ok(data)
        })
        .collect()
}
