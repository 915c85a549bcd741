//! A Slack export: channels become rooms, people unclaimed members, messages messages.
//!
//! Invariants: a room's messages are added in the order of their times, so what is there is
//! everything up to the newest; a later run appends what is newer. Every row that was added has
//! its reference in the same transaction. No more than a few batches of texts are in memory.

mod export;
mod messages;
mod mrkdwn;
mod people;
mod rooms;
mod writing;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use sea_orm::{EntityTrait as _, QuerySelect as _};
use serde::de::DeserializeOwned;

use super::report::{Progress, Report, stopped};
use super::space;
use crate::app::AppState;
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};
use crate::web::words::english;
use export::{Channel, Export, User};
use people::People;

/// What to import, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of an unpacked export.
    pub folder: PathBuf,
    /// Slug of the space; made, open, if it is missing.
    pub space: String,
    /// Handle of who owns a space that is made; the first administrator if not said.
    pub owner: Option<String>,
    /// Nothing is printed.
    pub quiet: bool,
}

/// What all steps of one run share.
#[derive(Debug)]
struct Run {
    state: AppState,
    export: Export,
    /// Tells this workspace's rows from those of others, in `import_ref`.
    source: String,
    space: i64,
    /// Who made the space: stands in where a channel's creator is unknown.
    owner: i64,
    /// Names and pages of the rooms, by the ids of their channels.
    rooms: HashMap<String, (String, String)>,
    progress: Arc<Progress>,
}

/// Imports an export. Errors are one line for the operator.
pub async fn import(state: &AppState, options: &Options) -> Result<Report, String> {
    let export = Export::find(&options.folder)?;
    let lists = {
        let export = export.clone();
        let read = tokio::task::spawn_blocking(move || Lists::read(&export));
        read.await.map_err(|_| "the export could not be read".to_owned())??
    };
    let progress = Arc::new(Progress::new(lists.bytes, options.quiet));
    progress.count(|report| {
        report.chat = true;
        report.direct = lists.direct;
    });
    let users: Vec<User> = parsed("users.json", lists.users, &progress);
    let mut channels: Vec<Channel> = parsed("channels.json", lists.channels, &progress);
    let groups: Vec<Channel> = parsed("groups.json", lists.groups, &progress);
    channels.extend(groups.into_iter().map(Channel::into_private));
    let team = users.iter().find_map(|user| user.team_id.clone()).filter(|team| !team.is_empty());
    let folder = options.folder.canonicalize().unwrap_or_else(|_| options.folder.clone());
    let name = team.or_else(|| Some(folder.file_name()?.to_str()?.to_owned())).unwrap_or_else(|| "export".into());
    let words = english();
    let space =
        space::find_or_make(state, &options.space, options.owner.as_deref(), words.t("demo.import.from_slack")).await?;
    let mut run = Run {
        state: state.clone(),
        export,
        source: format!("slack:{name}"),
        space,
        owner: 0,
        rooms: HashMap::new(),
        progress,
    };
    let done = steps(&mut run, People::new(users), channels).await;
    let report = run.progress.finish();
    done.map(|()| report).map_err(|error| stopped(&error))
}

async fn steps(run: &mut Run, mut people: People, channels: Vec<Channel>) -> Result<()> {
    let of: Option<(i64, String)> = crate::entities::space::Entity::find_by_id(run.space)
        .select_only()
        .column(crate::entities::space::Column::CreatedBy)
        .column(crate::entities::space::Column::Slug)
        .into_tuple()
        .one(run.state.store.read())
        .await?;
    let (owner, space) = of.ok_or(AppError::NotFound)?;
    run.owner = owner;
    run.progress.stage("members");
    people.settle(run, people.everybody()).await?;
    run.progress.stage("rooms");
    let placed = rooms::place(run, &mut people, channels).await?;
    run.rooms = placed
        .iter()
        .map(|of| {
            let page = format!("/s/{space}/chat/{}", of.slug);
            (of.channel.id.clone(), (of.channel.name.clone(), page))
        })
        .collect();
    run.progress.stage("messages");
    for of in &placed {
        messages::import(run, &mut people, of).await?;
    }
    let space = run.space;
    // Caches of running servers fall.
    let tell = async move |tx: &mut crate::store::Tx| {
        tx.append(Stream::space(space), NewEvent::new("space.changed", space, None));
        tx.append(Stream::HUB, NewEvent::new("hub.changed", space, None));
        Ok(())
    };
    run.state.store.write(tell).await
}

/// The lists of an export.
struct Lists {
    users: Vec<serde_json::Value>,
    channels: Vec<serde_json::Value>,
    groups: Vec<serde_json::Value>,
    /// Direct and group conversations.
    direct: u64,
    /// Bytes of all messages.
    bytes: u64,
}

impl Lists {
    fn read(export: &Export) -> Result<Self, String> {
        let list = |name: &str| export.list(name).map_err(|reason| format!("{name} {reason}"));
        let (channels, groups) = (list("channels.json")?, list("groups.json")?);
        let named = channels.iter().chain(&groups).filter_map(|of| serde_json::from_value::<Channel>(of.clone()).ok());
        let mut bytes = 0;
        for channel in named {
            let days = export.days(&channel).map_err(|error| format!("the export cannot be read ({error})"))?;
            bytes += days.iter().map(|(_, size)| size).sum::<u64>();
        }
        let direct = list("dms.json")?.len() as u64 + list("mpims.json")?.len() as u64;
        Ok(Self { users: list("users.json")?, channels, groups, direct, bytes })
    }
}

/// The rows of a list that can be read; the others are reported.
fn parsed<T: DeserializeOwned>(file: &str, rows: Vec<serde_json::Value>, progress: &Progress) -> Vec<T> {
    let mut all = Vec::with_capacity(rows.len());
    for (number, row) in (1..).zip(rows) {
        match serde_json::from_value(row) {
            Ok(row) => all.push(row),
            Err(error) => progress.broken(file, number, &error.to_string()),
        }
    }
    all
}
