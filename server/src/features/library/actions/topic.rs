//! A topic where a resource is talked about.

use super::{ground, tell};
use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::features::forum::actions::{NewTopic, insert_topic, prepare_topic};
use crate::features::library::model::ResourceRow;
use crate::store::Sql;
use crate::web::checks::TITLE;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;
use crate::web::words::english;

/// Opens a topic about a resource that has none; the topic's id. One that it has is
/// returned as it is.
pub async fn discuss(state: &AppState, me: &Me, of: &ResourceRow) -> Result<i64> {
    let (space, id, summary) = (of.space_id, of.id.0, of.summary.as_str());
    let link = format!("/resources/{}", of.id);
    let title: String = english().with("library.talk.title", &[("title", &of.title)]).chars().take(TITLE).collect();
    let body = english().with("library.talk.body", &[("link", &link), ("summary", summary)]);
    let new = NewTopic {
        title,
        body: body.trim().to_owned(),
        kind: TopicKind::Discussion,
        tags: Vec::new(),
        confirmed: true,
    };
    let prepared = prepare_topic(state, space, &new).await?;
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let ground = ground::resource(tx, member, id).await?.living()?;
            ground.standing.write()?;
            if ground.space_id != space {
                return Err(AppError::NotFound);
            }
            if let Some(topic) = ground.topic_id {
                return Ok(topic);
            }
            let topic = insert_topic(tx, member, space, &prepared).await?.row.id.0;
            Sql::new("UPDATE resource SET topic_id = ")
                .bind(topic)
                .then(" WHERE id = ")
                .bind(id)
                .run(tx.conn())
                .await?;
            tell(tx, "resource.changed", space, id, member);
            Ok(topic)
        })
        .await
}
