//! A room's messages, in their order, in batches.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use sea_orm::sea_query::{Order, Query};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _};
use tokio::sync::mpsc;

use super::Run;
use super::export::{self, Row, time_of};
use super::mrkdwn::{self, Names};
use super::people::{People, Writer};
use super::rooms::Placed;
use super::writing::{self, Kept, Message};
use crate::entities::import_ref;
use crate::features::imports::ahead::read_ahead;
use crate::features::imports::report::Progress;
use crate::features::imports::{refs, texts};
use crate::web::error::{AppError, Result};

/// Messages that are written in one transaction.
const BATCH: usize = 1000;
/// Rows that tell of the room, not of what was said in it.
const HOUSEKEEPING: [&str; 22] = [
    "channel_join",
    "channel_leave",
    "channel_archive",
    "channel_unarchive",
    "channel_name",
    "channel_topic",
    "channel_purpose",
    "channel_convert_to_private",
    "channel_posting_permissions",
    "group_join",
    "group_leave",
    "group_archive",
    "group_unarchive",
    "group_name",
    "group_topic",
    "group_purpose",
    "bot_add",
    "bot_remove",
    "pinned_item",
    "unpinned_item",
    "reminder_add",
    "tombstone",
];

/// A row that is a message, with its place in the export.
#[derive(Debug)]
struct Told {
    row: Row,
    at: i64,
    writer: Writer,
}

/// Adds what is new in a room.
pub async fn import(run: &Run, people: &mut People, of: &Placed) -> Result<()> {
    let newest = newest(run, &of.channel.id).await?;
    let mut batches = read(run, of)?;
    while let Some(batch) = batches.recv().await {
        let batch = batch?;
        let external: Vec<String> = batch.iter().map(|told| external(of, &told.row.ts)).collect();
        let known = refs::known(run.state.store.read(), &run.source, refs::MESSAGE, &external).await?;
        let is_new = |told: &Told| {
            let known = known.contains_key(&external_of(&of.channel.id, &told.row.ts));
            let older = !known && newest.as_deref().is_some_and(|newest| told.row.ts.as_str() < newest);
            run.progress.count(|report| {
                report.known += u64::from(known);
                report.older += u64::from(older);
            });
            !known && !older
        };
        let new: Vec<Told> = batch.into_iter().filter(is_new).collect();
        if !new.is_empty() {
            add(run, people, of, new).await?;
        }
    }
    Ok(())
}

/// The newest message that an earlier run added: what is older would stand out of order.
async fn newest(run: &Run, channel: &str) -> Result<Option<String>> {
    use import_ref::Column::{ExternalId, Kind, Source};
    let query = Query::select()
        .column(ExternalId)
        .from(import_ref::Entity)
        .and_where(Source.eq(run.source.as_str()))
        .and_where(Kind.eq(refs::MESSAGE))
        // All that begins with the channel and a colon; `;` is the sign after it.
        .and_where(ExternalId.gte(format!("{channel}:")))
        .and_where(ExternalId.lt(format!("{channel};")))
        .order_by(ExternalId, Order::Desc)
        .limit(1)
        .to_owned();
    let row = run.state.store.read().query_one(&query).await?;
    let name: Option<String> = row.map(|row| row.try_get("", "external_id")).transpose()?;
    Ok(name.and_then(|name| Some(name.split_once(':')?.1.to_owned())))
}

fn external(of: &Placed, ts: &str) -> String {
    external_of(&of.channel.id, ts)
}

fn external_of(channel: &str, ts: &str) -> String {
    format!("{channel}:{ts}")
}

/// Reads the room's files in a thread of its own; batches come as fast as they are taken.
fn read(run: &Run, of: &Placed) -> Result<mpsc::Receiver<std::io::Result<Vec<Told>>>> {
    let days = run.export.days(&of.channel).map_err(|error| AppError::Internal(Box::new(error)))?;
    let (progress, folder) = (Arc::clone(&run.progress), run.export.folder.clone());
    Ok(read_ahead(move |sender| {
        let mut batch = Vec::with_capacity(BATCH);
        for (path, size) in days {
            let name = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
            batch.extend(read_day(&path, &name, &progress));
            progress.advance(size);
            while batch.len() >= BATCH {
                let rest = batch.split_off(BATCH);
                let full = std::mem::replace(&mut batch, rest);
                if sender.blocking_send(Ok(full)).is_err() {
                    return Ok(());
                }
            }
        }
        // Whoever took the batches may have stopped; then nobody misses the last.
        let _taken = batch.is_empty() || sender.blocking_send(Ok(batch)).is_ok();
        Ok(())
    }))
}

fn read_day(path: &Path, name: &str, progress: &Progress) -> Vec<Told> {
    let rows = match export::read(path) {
        Ok(rows) => rows,
        Err(reason) => {
            progress.broken(name, 0, &reason);
            return Vec::new();
        }
    };
    let mut told = Vec::with_capacity(rows.len());
    for (number, row) in (1..).zip(rows) {
        match parse(row) {
            Ok(Some(message)) => told.push(message),
            Ok(None) => progress.count(|report| report.skipped += 1),
            Err(reason) => progress.broken(name, number, &reason),
        }
    }
    told.sort_by_key(|told| told.at);
    told
}

fn parse(row: serde_json::Value) -> Result<Option<Told>, String> {
    let row: Row = serde_json::from_value(row).map_err(|error| format!("is no message ({error})"))?;
    let at = time_of(&row.ts).ok_or("its ts is no time")?;
    if row.subtype.as_deref().is_some_and(|subtype| HOUSEKEEPING.contains(&subtype)) {
        return Ok(None);
    }
    let user = row.user.as_deref().or_else(|| row.comment.as_ref()?.user.as_deref()).filter(|id| !id.is_empty());
    let writer = match (user, row.username.as_deref().map(str::trim).filter(|name| !name.is_empty())) {
        (Some(id), _) => Writer::User(id.to_owned()),
        (None, Some(name)) => Writer::Program(name.to_owned()),
        (None, None) => Writer::Program("Program".to_owned()),
    };
    let said = row.text.as_deref().is_some_and(|text| !text.trim().is_empty());
    if !said && row.files.is_empty() && row.attachments.is_empty() {
        return Ok(None);
    }
    Ok(Some(Told { row, at, writer }))
}

async fn add(run: &Run, people: &mut People, of: &Placed, new: Vec<Told>) -> Result<()> {
    let mut named: BTreeSet<Writer> = new.iter().map(|told| told.writer.clone()).collect();
    for told in &new {
        named.extend(told.row.reactions.iter().flat_map(|of| of.users.iter().cloned().map(Writer::User)));
        let called = told.row.user_profile.as_ref().and_then(|profile| profile.called());
        if let (Writer::User(id), Some(name)) = (&told.writer, called) {
            people.told.entry(id.clone()).or_insert_with(|| name.to_owned());
        }
    }
    people.settle(run, named).await?;
    let names = Arc::new(Names { people: people.names(), rooms: run.rooms.clone() });
    let pins: HashMap<&str, (Option<i64>, Option<i64>)> = of
        .channel
        .pins
        .iter()
        .map(|pin| (pin.id.as_str(), (pin.created(), pin.user.as_deref().and_then(|id| people.user(id)))))
        .collect();
    let mut unknown = 0;
    let mut prepared = Vec::with_capacity(new.len());
    for told in new {
        let Some(author) = people.member(&told.writer) else { continue };
        let pinned = pins.get(told.row.ts.as_str()).map(|(at, by)| (at.unwrap_or(told.at), by.unwrap_or(author)));
        let mut reactions: Vec<(String, Vec<i64>)> = Vec::new();
        for reaction in &told.row.reactions {
            let Some(emoji) = mrkdwn::emoji(&reaction.name) else {
                unknown += 1;
                continue;
            };
            let members = reaction.users.iter().filter_map(|id| people.user(id));
            match reactions.iter_mut().find(|(other, _)| *other == emoji) {
                Some((_, known)) => known.extend(members),
                None => reactions.push((emoji, members.collect())),
            }
        }
        prepared.push((told, Kept { author, pinned, reactions }));
    }
    run.progress.count(|report| report.unknown += unknown);
    let channel = of.channel.id.clone();
    let convert = move |(told, kept): (Told, Kept)| {
        let text = texts::from_message(&markdown(&told.row, &names));
        let thread = told.row.thread_ts.as_ref().filter(|root| **root != told.row.ts);
        Message {
            external: external_of(&channel, &told.row.ts),
            thread: thread.map(|root| external_of(&channel, root)),
            ts: told.row.ts,
            at: told.at,
            edited: told.row.edited.and_then(|edited| time_of(&edited.ts)),
            text,
            kept,
        }
    };
    let messages = texts::on_all_cores(prepared, convert).await?;
    let before = messages.len();
    let messages: Vec<Message> = messages.into_iter().filter(|message| !message.text.body.is_empty()).collect();
    let (empty, cut) = (before - messages.len(), messages.iter().filter(|message| message.text.cut).count());
    let (source, room) = (run.source.clone(), of.room);
    let added = run.state.store.write(async move |tx| writing::insert(tx, &source, room, &messages).await).await?;
    run.progress.count(|report| {
        report.messages += added.messages;
        report.reactions += added.reactions;
        report.skipped += empty as u64;
        report.cut += cut as u64;
    });
    Ok(())
}

/// A message's text, with its files as links. What a program attached is its text where it has
/// no other; a preview of a link is not taken over.
fn markdown(row: &Row, names: &Names) -> String {
    let mut parts = vec![mrkdwn::to_markdown(row.text.as_deref().unwrap_or_default(), names)];
    if parts.iter().all(String::is_empty) {
        for attached in &row.attachments {
            let title = attached.title.as_deref().map(|title| linked(title, attached.title_link.as_deref()));
            let told = |text: &Option<String>| text.as_deref().map(|text| mrkdwn::to_markdown(text, names));
            let said: Vec<String> = [told(&attached.pretext), title, told(&attached.text)]
                .into_iter()
                .flatten()
                .filter(|text| !text.is_empty())
                .collect();
            if said.is_empty() { parts.extend(told(&attached.fallback)) } else { parts.push(said.join("\n")) }
        }
    }
    for file in &row.files {
        let name = [&file.title, &file.name].into_iter().flatten().find(|name| !name.trim().is_empty());
        let link = file.permalink.as_deref().or(file.url_private.as_deref());
        parts.push(linked(name.map_or("file", |name| name.trim()), link));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn linked(words: &str, address: Option<&str>) -> String {
    let words = mrkdwn::escaped(&mrkdwn::plain(words));
    match address.filter(|address| address.starts_with("https://") || address.starts_with("http://")) {
        Some(address) => format!("[{words}](<{}>)", address.replace(['<', '>', '\n', '\\'], "")),
        None => words,
    }
}
