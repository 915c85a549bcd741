//! What is not logged and may be dropped: who types, who is there, which rooms have news.
//!
//! Invariant: none of it costs more when it comes more often. Typing is let through once in three
//! seconds for a member and room, presence once in two for a stream, activity once a second for
//! a room. Who is there is told to the other nodes when it changes and every half minute, and what
//! a node told of its readers goes with it.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::bus::{Present, Told};
use super::hub::{Hub, Notice};
use super::protocol::ServerFrame;
use crate::app::AppState;
use crate::locks::locked;
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
    /// By node: what the others told of their readers.
    others: Mutex<HashMap<i64, HashMap<Stream, Vec<i64>>>>,
    /// Streams whose people changed.
    stirred: Mutex<HashSet<Stream>>,
    /// Streams whose people here changed, for the other nodes; none while there are none.
    untold: Mutex<Option<HashSet<Stream>>>,
    /// Rooms with news, with their heads.
    moved: Mutex<HashMap<i64, i64>>,
    wake: Notify,
}

impl Live {
    /// Whether a member's typing in a room is news: not within three seconds of the last.
    pub fn types(&self, member: i64, room: i64) -> bool {
        let mut typing = locked(&self.typing);
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
        let mut present = locked(&self.present);
        let sockets = present.entry(stream).or_default().entry(member).or_insert(0);
        *sockets += 1;
        if *sockets == 1 {
            drop(present);
            self.untold(stream);
        }
    }

    /// The other nodes should hear who is here.
    fn untold(&self, stream: Stream) {
        let mut untold = locked(&self.untold);
        if let Some(streams) = untold.as_mut() {
            streams.insert(stream);
            drop(untold);
            self.wake.notify_one();
        }
    }

    /// Whether there are other nodes to tell who is here.
    pub fn share(&self, shared: bool) {
        *locked(&self.untold) = shared.then(HashSet::new);
    }

    pub(super) fn went(&self, stream: Stream, member: i64) {
        let mut present = locked(&self.present);
        let Some(people) = present.get_mut(&stream) else { return };
        let Some(sockets) = people.get_mut(&member) else { return };
        *sockets -= 1;
        if *sockets > 0 {
            return;
        }
        people.remove(&member);
        let left = !people.is_empty();
        if !left {
            present.remove(&stream);
        }
        drop(present);
        if left {
            self.stir(stream);
        }
        self.untold(stream);
    }

    /// What another node says of its readers; `whole`: and it has no others.
    pub fn hear(&self, node: i64, whole: bool, people: Vec<(Stream, Vec<i64>)>) {
        let mut others = locked(&self.others);
        let known = others.entry(node).or_default();
        let mut changed: HashSet<Stream> = HashSet::new();
        if whole {
            let named: HashSet<Stream> = people.iter().map(|(stream, _)| *stream).collect();
            // What comes in a later part is stirred again then.
            changed.extend(known.keys().filter(|stream| !named.contains(stream)));
            known.retain(|stream, _| named.contains(stream));
        }
        for (stream, mut members) in people {
            members.sort_unstable();
            let before = if members.is_empty() { known.remove(&stream) } else { known.insert(stream, members.clone()) };
            if before.unwrap_or_default() != members {
                changed.insert(stream);
            }
        }
        drop(others);
        changed.into_iter().for_each(|stream| self.stir_if_read(stream));
    }

    /// A node is gone, and its readers with it.
    pub fn gone(&self, node: i64) {
        let known = locked(&self.others).remove(&node).unwrap_or_default();
        known.into_keys().for_each(|stream| self.stir_if_read(stream));
    }

    fn stir_if_read(&self, stream: Stream) {
        if locked(&self.present).contains_key(&stream) {
            self.stir(stream);
        }
    }

    /// Everybody who reads rooms here, for other nodes.
    #[must_use]
    pub fn here(&self) -> Vec<Present> {
        let present = locked(&self.present);
        present.iter().map(|(stream, people)| present_of(*stream, Some(people))).collect()
    }

    /// Streams whose people here changed, with those who are left.
    fn due_untold(&self, last: &mut HashMap<Stream, Instant>, now: Instant) -> Vec<Present> {
        let (mut untold, present) = (locked(&self.untold), locked(&self.present));
        let Some(streams) = untold.as_mut() else { return Vec::new() };
        last.retain(|_, at| now.duration_since(*at) < PRESENCE);
        let due: Vec<Stream> = streams.iter().filter(|stream| !last.contains_key(stream)).copied().collect();
        let mut rooms = Vec::with_capacity(due.len());
        for stream in due {
            streams.remove(&stream);
            last.insert(stream, now);
            rooms.push(present_of(stream, present.get(&stream)));
        }
        rooms
    }

    /// A member shows something else of themselves, wherever they are.
    pub fn changed(&self, member: i64) {
        let present = locked(&self.present);
        let streams: Vec<Stream> =
            present.iter().filter(|(_, people)| people.contains_key(&member)).map(|(stream, _)| *stream).collect();
        drop(present);
        streams.into_iter().for_each(|stream| self.stir(stream));
    }

    /// A stream's readers should hear who is there.
    pub(super) fn stir(&self, stream: Stream) {
        locked(&self.stirred).insert(stream);
        self.wake.notify_one();
    }

    pub(super) fn moved(&self, room: i64, head: i64) {
        let mut moved = locked(&self.moved);
        let known = moved.entry(room).or_insert(head);
        *known = (*known).max(head);
        drop(moved);
        self.wake.notify_one();
    }

    fn is_still(&self) -> bool {
        locked(&self.stirred).is_empty()
            && locked(&self.untold).as_ref().is_none_or(HashSet::is_empty)
            && locked(&self.moved).is_empty()
    }

    /// Streams and their people that are due, at most one frame's worth of each.
    fn due_people(&self, last: &mut HashMap<Stream, Instant>, now: Instant) -> Vec<(Stream, Vec<i64>)> {
        let (others, mut stirred, present) = (locked(&self.others), locked(&self.stirred), locked(&self.present));
        last.retain(|_, at| now.duration_since(*at) < PRESENCE);
        let due: Vec<Stream> = stirred.iter().filter(|stream| !last.contains_key(stream)).copied().collect();
        let mut people = Vec::with_capacity(due.len());
        for stream in due {
            stirred.remove(&stream);
            last.insert(stream, now);
            if let Some(there) = present.get(&stream) {
                let elsewhere = others.values().filter_map(|of| of.get(&stream)).flatten();
                let mut all: Vec<i64> = there.keys().chain(elsewhere).copied().collect();
                all.sort_unstable();
                all.dedup();
                all.truncate(MOST_NAMED);
                people.push((stream, all));
            }
        }
        people
    }

    /// Rooms with news, and their heads: a quiet one at once, the busy ones together, once a second,
    /// so that whoever follows many of them is written to once.
    fn due_rooms(&self, rung: &mut Rung, now: Instant) -> Vec<(i64, i64)> {
        let mut moved = locked(&self.moved);
        let since = |at: &Instant| now.duration_since(*at);
        let beat = rung.beat.as_ref().is_none_or(|at| since(at) >= ACTIVITY);
        if beat {
            rung.beat = Some(now);
        }
        rung.last.retain(|_, at| since(at) < 2 * ACTIVITY);
        let is_due = |room: &i64| rung.last.get(room).is_none_or(|at| beat && since(at) >= ACTIVITY);
        let due: Vec<(i64, i64)> =
            moved.iter().filter(|(room, _)| is_due(room)).map(|(room, head)| (*room, *head)).collect();
        for (room, _) in &due {
            moved.remove(room);
            rung.last.insert(*room, now);
        }
        due
    }
}

/// When which room was told of last, and when the busy ones were.
#[derive(Debug, Default)]
struct Rung {
    last: HashMap<i64, Instant>,
    beat: Option<Instant>,
}

fn present_of(stream: Stream, people: Option<&HashMap<i64, usize>>) -> Present {
    let mut members: Vec<i64> = people.map(|people| people.keys().copied().collect()).unwrap_or_default();
    members.sort_unstable();
    members.truncate(MOST_NAMED);
    Present { stream: stream.to_string(), members }
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
        let (mut told, mut rung, mut shared) = (HashMap::new(), Rung::default(), HashMap::new());
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
            let rooms = self.live().due_untold(&mut shared, now);
            if !rooms.is_empty() {
                state.bus.tell(Told::Present { whole: false, rooms });
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
