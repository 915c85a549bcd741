//! What one node does with a commit, its own or another's.

use std::sync::Arc;

use crate::features::accounts::SlowDown;
use crate::jobs;
use crate::realtime::Hub;
use crate::realtime::bus::{Bus, Frame, Present, Receive};
use crate::search::Search;
use crate::store::{After, CommitSink};
use crate::streams::rights::{self, Heard};
use crate::streams::{Committed, Relay, Stream, Withdraw};
use crate::web::sessions::Sessions;

/// Has this node forget what it may no longer know: caches first, then sockets.
pub fn withdraw(hub: Hub, sessions: Sessions) -> Withdraw {
    Arc::new(move |what| {
        match &what {
            After::EndSession(session) => sessions.forget_session(*session),
            After::Suspend(member) | After::Access(member) => sessions.forget_member(*member),
            After::SpaceAccess(0) => sessions.forget_all(),
            After::SpaceAccess(_) | After::TopicAccess(_) | After::Follows(_) | After::Jobs | After::Index => {}
        }
        hub.control(what);
    })
}

/// The parts of a node that a commit concerns.
#[derive(Clone)]
pub struct Node {
    pub relay: Relay,
    pub hub: Hub,
    pub jobs: jobs::Worker,
    pub search: Search,
    pub bus: Bus,
    pub slow_down: SlowDown,
    pub withdraw: Withdraw,
    pub heard: Heard,
}

impl CommitSink for Node {
    /// What happens in this process after a commit, before the writer's caller is answered.
    fn committed(&self, events: Vec<Committed>, after: Vec<After>) {
        // Withdrawals first: no event of this commit reaches somebody who may no longer see it.
        for what in after {
            match what {
                After::Jobs => self.jobs.wake(),
                After::Index => self.search.wake(),
                what => (self.withdraw)(what),
            }
        }
        self.heard.note(&events);
        self.bus.publish(&events);
        self.hub.note_activity(&events);
        self.relay.publish(events);
    }
}

impl Receive for Node {
    fn receive(&self, frame: Frame) {
        let events = frame.committed();
        let heard = self.heard.last();
        for event in events.iter().filter(|event| event.stream == Stream::RIGHTS && event.seq > heard) {
            (self.withdraw)(rights::after(event));
        }
        self.heard.note(&events);
        self.hub.note_activity(&events);
        if !events.is_empty() {
            self.search.wake();
        }
        self.relay.publish(events);
        if frame.whole || !frame.present.is_empty() {
            self.hub.live().hear(frame.from, frame.whole, frame.people());
        }
        for (stream, member, name) in frame.typing {
            if let Ok(stream) = stream.parse() {
                self.hub.tell_typing(stream, member, name);
            }
        }
        frame.changed.into_iter().for_each(|member| self.hub.live().changed(member));
        for (key, count, at) in frame.slowed {
            self.slow_down.hear(key, count, at);
        }
    }

    fn gone(&self, node: i64) {
        self.hub.live().gone(node);
    }

    fn here(&self) -> Vec<Present> {
        self.hub.live().here()
    }

    fn turned(&self, connected: bool) {
        self.hub.live().share(connected);
        self.hub.set_unsure(!connected);
        self.relay.look();
    }

    fn missed(&self) {
        self.relay.look();
    }
}
