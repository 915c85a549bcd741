//! Invented sample content, for a look around: people, spaces and threads.
//!
//! Invariants: only a hub that has no members is filled; nobody here can sign in, and there is no
//! administrator among them, so that the setup link stays what it is.

mod content;
mod posts;
mod rows;
mod studies;

use std::collections::{HashMap, HashSet};

use sea_orm::{EntityTrait, PaginatorTrait};

use crate::app::AppState;
use crate::entities::member;
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::text::{self, Links};
use crate::web::error::{AppError, Result};
use crate::web::words::{Words, english};
use content::Content;

/// Fills an empty hub; the result is what to print, the error one line.
pub async fn fill(state: &AppState) -> Result<String, String> {
    let content =
        content::read().map_err(|error| format!("demo: the sample content is damaged ({})", error.message()))?;
    let playbook =
        studies::read().map_err(|error| format!("demo: the sample content is damaged ({})", error.message()))?;
    let html = Html::new(&content);
    let (threads, posts) =
        (content.threads.len(), content.threads.iter().map(|thread| thread.replies.len()).sum::<usize>());
    let (people, places, studies) = (content.people.len(), content.places.len(), playbook.study.len());
    let done = state.store.write(async move |tx| write(tx, &content, &playbook, &html).await).await;
    match done {
        Ok(()) => Ok(format!(
            "filled with {people} invented members, {places} spaces, {threads} topics and {posts} replies, \
             a sample playbook with {studies} case studies; \
             nobody of them can sign in. Start praxis and open its setup link to become the administrator."
        )),
        Err(AppError::Conflict(line)) => Err(line.into_owned()),
        Err(error) => Err(format!("demo: nothing was written ({error})")),
    }
}

async fn write(tx: &mut Tx, content: &Content, playbook: &studies::Playbook, html: &Html) -> Result<()> {
    if member::Entity::find().count(tx.conn()).await? > 0 {
        return Err(AppError::Conflict("demo: this hub has members; only an empty hub is filled".into()));
    }
    let members = rows::members(tx, content, html).await?;
    let spaces = rows::spaces(tx, content, html, &members).await?;
    posts::threads(tx, content, html, &members, &spaces).await?;
    studies::write(tx, playbook, html, &members, &spaces).await?;
    for id in spaces.values() {
        tx.append(Stream::space(*id), NewEvent::new("space.changed", *id, None));
    }
    tx.append(Stream::HUB, NewEvent::new("hub.changed", 0, None));
    Ok(())
}

/// Ids by handle or slug.
type Ids = HashMap<String, i64>;

/// The id of a name that the content uses.
fn id_of(ids: &Ids, name: &str) -> Result<i64> {
    ids.get(name).copied().ok_or_else(|| AppError::internal(format!("the sample content knows no {name}")))
}

/// Renders texts in which the invented members are known.
#[derive(Debug)]
struct Html {
    handles: HashSet<String>,
    words: &'static Words,
}

impl Html {
    fn new(content: &Content) -> Self {
        let handles = content.people.iter().map(|person| person.handle.clone()).collect();
        Self { handles, words: english() }
    }

    fn of(&self, body: &str) -> String {
        let words = text::Words {
            table: self.words.t("forum.table"),
            done: self.words.t("forum.task_done"),
            not_done: self.words.t("forum.task_open"),
        };
        text::render(body, &Links { members: &self.handles, origin: "", hard_breaks: false, words }).html
    }
}
