//! The other nodes, as far as they were heard of lately.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A node that says nothing for so long is gone.
const SILENT: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub struct Others {
    heard: HashMap<i64, Instant>,
}

impl Others {
    /// Notes a sign of life; true if the node is new.
    pub fn heard(&mut self, node: i64, now: Instant) -> bool {
        self.heard.insert(node, now).is_none()
    }

    /// A node said that it leaves.
    pub fn left(&mut self, node: i64) {
        self.heard.remove(&node);
    }

    /// Nodes that have been silent for too long, once each.
    pub fn silent(&mut self, now: Instant) -> Vec<i64> {
        let gone: Vec<i64> =
            self.heard.iter().filter(|(_, at)| now.duration_since(**at) > SILENT).map(|(node, _)| *node).collect();
        for node in &gone {
            self.heard.remove(node);
        }
        gone
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.heard.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Others;

    #[test]
    fn a_silent_node_is_gone_once() {
        let start = Instant::now();
        let mut others = Others::default();
        assert!(others.heard(2, start) && others.heard(3, start));
        assert!(!others.heard(2, start + Duration::from_secs(3)));
        assert_eq!(others.silent(start + Duration::from_secs(6)), [3]);
        assert!(others.silent(start + Duration::from_secs(6)).is_empty());
        others.left(2);
        assert_eq!(others.count(), 0);
    }
}
