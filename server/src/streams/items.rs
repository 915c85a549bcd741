//! Events as readers get them: filled with data and encoded once for all.

use std::fmt::Write as _;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use sea_orm::DatabaseConnection;
use serde_json::Value;

use super::{Committed, Live, Stream};
use crate::ports::clock::rfc3339;
use crate::web::error::Result;

/// Fills the data of events of one stream from the rows as they now are; one value for each
/// event, in their order. Provided by the features, for live readers and replays alike.
pub type Filler =
    Arc<dyn Fn(DatabaseConnection, Stream, Vec<Committed>) -> BoxFuture<'static, Result<Vec<Value>>> + Send + Sync>;

/// One event as readers get it.
#[derive(Clone, Debug)]
pub struct Item {
    pub seq: i64,
    /// `{"seq":…,"event":…,"at":…,"data":…}`
    pub json: Arc<str>,
    /// It adds something and changes nothing that was there.
    pub adds: bool,
}

/// Events with their data, encoded once for all readers.
pub(super) async fn items(
    db: &DatabaseConnection,
    filler: &Filler,
    stream: Stream,
    mut events: Vec<Committed>,
) -> Result<Vec<Item>> {
    let unfilled: Vec<Committed> = events.iter().filter(|event| event.live.is_none()).cloned().collect();
    if !unfilled.is_empty() {
        let mut filled = filler(db.clone(), stream, unfilled).await?.into_iter();
        for event in events.iter_mut().filter(|event| event.live.is_none()) {
            event.live = Some(Live::Text(filled.next().unwrap_or(Value::Null).to_string().into()));
        }
    }
    Ok(events.iter().map(item).collect())
}

/// One event as JSON. Its kind is a word of ours and its time digits: neither needs escaping.
fn item(event: &Committed) -> Item {
    let data = event.live.as_ref().map_or_else(|| "null".into(), Live::text);
    let mut json = String::with_capacity(data.len() + event.kind.len() + 96);
    let _infallible = write!(
        json,
        "{{\"seq\":{},\"event\":\"{}\",\"at\":\"{}\",\"data\":{data}}}",
        event.seq,
        event.kind,
        rfc3339(event.at)
    );
    let adds = matches!(event.kind.as_str(), "message.posted" | "post.created");
    Item { seq: event.seq, json: json.into(), adds }
}

/// An `events` frame's text, appended to `text`.
pub fn write_events(text: &mut Vec<u8>, stream: Stream, items: &[Item]) {
    text.reserve(items.iter().map(|item| item.json.len() + 1).sum::<usize>() + 80);
    text.extend_from_slice(b"{\"type\":\"events\",\"stream\":\"");
    text.extend_from_slice(stream.to_string().as_bytes());
    text.extend_from_slice(b"\",\"items\":[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(item.json.as_bytes());
    }
    text.extend_from_slice(b"]}");
}
