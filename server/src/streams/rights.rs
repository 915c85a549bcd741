//! What one node has to forget because of what another did: sessions that ended, rights that were
//! taken. It stands in a stream of its own, so that it arrives by the log when the bus is away.
//!
//! Invariant: a node knows how far it has heard, without a hole; what comes after that is read
//! from the log with the next comparison of heads. Hearing the same twice is harmless.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{Committed, NewEvent, Stream};
use crate::store::After;

const SESSION: &str = "session.ended";
const SUSPENDED: &str = "member.suspended";
const ACCESS: &str = "access.changed";
const SPACE: &str = "space.access";
const TOPIC: &str = "topic.access";
const FOLLOWS: &str = "follows.changed";

/// The event that tells other nodes; none for what concerns this one alone.
#[must_use]
pub fn event(after: &After) -> Option<NewEvent> {
    let (kind, subject) = match after {
        After::EndSession(id) => (SESSION, *id),
        After::Suspend(id) => (SUSPENDED, *id),
        After::Access(id) => (ACCESS, *id),
        After::SpaceAccess(id) => (SPACE, *id),
        After::TopicAccess(id) => (TOPIC, *id),
        After::Follows(id) => (FOLLOWS, *id),
        After::Jobs | After::Index => return None,
    };
    Some(NewEvent::new(kind, subject, None))
}

/// What an event of this stream says. A kind that is not known comes from a newer version:
/// everything is looked at again.
#[must_use]
pub fn after(event: &Committed) -> After {
    let id = event.subject;
    match event.kind.as_str() {
        SESSION => After::EndSession(id),
        SUSPENDED => After::Suspend(id),
        ACCESS => After::Access(id),
        SPACE => After::SpaceAccess(id),
        TOPIC => After::TopicAccess(id),
        FOLLOWS => After::Follows(id),
        _ => After::SpaceAccess(0),
    }
}

/// How far this node has heard.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<AtomicI64>);

impl Heard {
    /// Everything up to here counts as heard.
    pub fn start_at(&self, head: i64) {
        self.0.fetch_max(head, Ordering::AcqRel);
    }

    #[must_use]
    pub fn last(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }

    /// Notes what was heard, from whichever side; a hole is left to the log.
    pub fn note(&self, events: &[Committed]) {
        let mut seqs: Vec<i64> =
            events.iter().filter(|event| event.stream == Stream::RIGHTS).map(|event| event.seq).collect();
        seqs.sort_unstable();
        for seq in seqs {
            let _hole = self.0.compare_exchange(seq - 1, seq, Ordering::AcqRel, Ordering::Acquire);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, after, event};
    use crate::store::After;
    use crate::streams::{Committed, Stream};

    fn heard(seq: i64) -> Committed {
        let at = event(&After::Access(7)).unwrap();
        Committed {
            stream: Stream::RIGHTS,
            seq,
            kind: at.kind.into(),
            subject: at.subject,
            actor: None,
            at: 0,
            extra: None,
            live: None,
        }
    }

    #[test]
    fn what_is_told_is_what_was_meant() {
        let all = [After::EndSession(1), After::Suspend(2), After::Access(3), After::SpaceAccess(4)];
        for of in all.into_iter().chain([After::Follows(5), After::TopicAccess(6)]) {
            let told = event(&of).unwrap();
            assert_eq!(after(&Committed { kind: told.kind.into(), subject: told.subject, ..heard(1) }), of);
        }
        assert!(event(&After::Jobs).is_none() && event(&After::Index).is_none());
    }

    #[test]
    fn a_hole_is_not_passed_over() {
        let all = Heard::default();
        all.start_at(3);
        all.note(&[heard(5), heard(4)]);
        assert_eq!(all.last(), 5);
        all.note(&[heard(7), heard(2)]);
        assert_eq!(all.last(), 5);
    }
}
