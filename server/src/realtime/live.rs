//! What is not logged and may be dropped: who types, who is there, which rooms have news.
//!
//! Invariant: none of it costs more when it comes more often. Typing is let through once in three
//! seconds for a member and room, presence once in two for a stream, activity once a second for
//! a room. It is known to this node alone.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::hub::{Hub, Notice};
use super::protocol::ServerFrame;
use crate::app::AppState;
use crate::store::Id;
use crate::streams::Stream;

const TYPING: Duration = Duration::from_secs(3);
const PRESENCE: Duration = Duration::from_secs(2);
const ACTIVITY: Duration = Duration::from_secs(1);
/// What is due is looked for this often while anything is.
const TICK: Duration = Duration::from_millis(100);
/// People that one frame names.
const MOST_NAMED: usize = 200;
/// Pairs of member and room whose last sign is kept.
const MOST_TYPING: usize = 20_000;

#[derive(Debug, Default)]
pub struct Live {
    typing: Mutex<HashMap<(i64, i64), Instant>>,
    /// By stream of a room or a study: its readers' members, with the number of their sockets.
    present: Mutex<HashMap<Stream, HashMap<i64, usize>>>,
    /// Streams whose people changed.
    stirred: Mutex<HashSet<Stream>>,
    /// Rooms with news, with their heads.
    moved: Mutex<HashMap<i64, i64>>,
    wake: Notify,
}

impl Live {
    /// Whether a member's typing in a room is news: not within three seconds of the last.
    pub fn types(&self, member: i64, room: i64) -> bool {
        let Ok(mut typing) = self.typing.lock() else { return false };
        let now = Instant::now();
        if typing.len() >= MOST_TYPING {
            typing.retain(|_, at| now.duration_since(*at) < TYPING);
        }
        match typing.get(&(member, room)) {
            Some(at) if now.duration_since(*at) < TYPING => false,
            None if typing.len() >= MOST_TYPING => false,
            _ => {
                typing.insert((member, room), now);
                true
            }
        }
    }

    pub(super) fn came(&self, stream: Stream, member: i64) {
        if let Ok(mut present) = self.present.lock() {
            *present.entry(stream).or_default().entry(member).or_insert(0) += 1;
        }
    }

    pub(super) fn went(&self, stream: Stream, member: i64) {
        let Ok(mut present) = self.present.lock() else { return };
        let Some(people) = present.get_mut(&stream) else { return };
        let Some(sockets) = people.get_mut(&member) else { return };
        *sockets -= 1;
        if *sockets > 0 {
            return;
        }
        people.remove(&member);
        if people.is_empty() {
            present.remove(&stream);
        } else {
            drop(present);
            self.stir(stream);
        }
    }

    /// A member shows something else of themselves, wherever they are.
    pub fn changed(&self, member: i64) {
        let Ok(present) = self.present.lock() else { return };
        let streams: Vec<Stream> =
            present.iter().filter(|(_, people)| people.contains_key(&member)).map(|(stream, _)| *stream).collect();
        drop(present);
        streams.into_iter().for_each(|stream| self.stir(stream));
    }

    /// A stream's readers should hear who is there.
    pub(super) fn stir(&self, stream: Stream) {
        if let Ok(mut stirred) = self.stirred.lock() {
            stirred.insert(stream);
        }
        self.wake.notify_one();
    }

    pub(super) fn moved(&self, room: i64, head: i64) {
        if let Ok(mut moved) = self.moved.lock() {
            let known = moved.entry(room).or_insert(head);
            *known = (*known).max(head);
        }
        self.wake.notify_one();
    }

    fn is_still(&self) -> bool {
        self.stirred.lock().is_ok_and(|stirred| stirred.is_empty())
            && self.moved.lock().is_ok_and(|moved| moved.is_empty())
    }

    /// Streams and their people that are due, at most one frame's worth of each.
    fn due_people(&self, last: &mut HashMap<Stream, Instant>, now: Instant) -> Vec<(Stream, Vec<i64>)> {
        let (Ok(mut stirred), Ok(present)) = (self.stirred.lock(), self.present.lock()) else { return Vec::new() };
        last.retain(|_, at| now.duration_since(*at) < PRESENCE);
        let due: Vec<Stream> = stirred.iter().filter(|stream| !last.contains_key(stream)).copied().collect();
        let mut people = Vec::with_capacity(due.len());
        for stream in due {
            stirred.remove(&stream);
            last.insert(stream, now);
            if let Some(there) = present.get(&stream) {
                people.push((stream, there.keys().copied().take(MOST_NAMED).collect()));
            }
        }
        people
    }

    fn due_rooms(&self, last: &mut HashMap<i64, Instant>, now: Instant) -> Vec<(i64, i64)> {
        let Ok(mut moved) = self.moved.lock() else { return Vec::new() };
        last.retain(|_, at| now.duration_since(*at) < ACTIVITY);
        let due: Vec<(i64, i64)> =
            moved.iter().filter(|(room, _)| !last.contains_key(room)).map(|(room, head)| (*room, *head)).collect();
        for (room, _) in &due {
            moved.remove(room);
            last.insert(*room, now);
        }
        due
    }
}

impl Hub {
    /// Tells a room's readers, all but the member's own sockets, that somebody types.
    pub fn tell_typing(&self, stream: Stream, member: i64, name: serde_json::Value) {
        let text = stream.to_string();
        let frame = ServerFrame::Typing { stream: &text, member: name }.encode();
        self.offer(&Notice::Others { stream, except: member, frame });
    }

    /// The task that passes on what is due, until told to stop.
    pub async fn run_live(self, state: AppState, mut stop: watch::Receiver<bool>) {
        let (mut told, mut rung) = (HashMap::new(), HashMap::new());
        while !*stop.borrow() {
            if self.live().is_still() {
                tokio::select! {
                    () = self.live().wake.notified() => {}
                    _ = stop.changed() => return,
                }
            }
            let now = Instant::now();
            for (room, head) in self.live().due_rooms(&mut rung, now) {
                let frame = ServerFrame::Activity { room: Id(room).to_string(), head }.encode();
                self.offer(&Notice::Activity { room, frame });
            }
            let people = self.live().due_people(&mut told, now);
            if let Err(error) = self.tell_people(&state, people).await {
                tracing::debug!(%error, "who is there could not be read");
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.changed() => return,
            }
        }
    }

    async fn tell_people(&self, state: &AppState, of: Vec<(Stream, Vec<i64>)>) -> crate::web::error::Result<()> {
        if of.is_empty() {
            return Ok(());
        }
        let mut ids: Vec<i64> = of.iter().flat_map(|(_, people)| people.iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        let names = crate::features::people_shown(state, &ids).await?;
        for (stream, people) in of {
            let text = stream.to_string();
            let mut online: Vec<(&String, &serde_json::Value)> =
                people.iter().filter_map(|id| names.get(id)).map(|(handle, shown)| (handle, shown)).collect();
            online.sort_by_key(|(handle, _)| *handle);
            let online = online.into_iter().map(|(_, shown)| shown.clone()).collect();
            let frame = ServerFrame::Presence { stream: &text, online }.encode();
            self.offer(&Notice::Others { stream, except: 0, frame });
        }
        Ok(())
    }
}
