//! How fast a body has to come. A sender that stalls, or sends a byte now and then, would hold a
//! connection and what was read so far for as long as it likes.

use std::io;
use std::time::Duration;

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::{Instant, timeout};

/// Nothing may come for so long. Less than a request has in all, so that a body that stalls is never
/// taken for a database that does.
const SILENT: Duration = Duration::from_secs(20);
/// So long may a body be waited for in all, beside the time that its bytes are given.
const WAITED: Duration = Duration::from_secs(25);
/// Bytes a second that the slowest line brings.
const SLOWEST: u32 = 4096;

/// What was waited for a body, and what came of it. Time in which nobody waits, as the store is slow,
/// is not the sender's.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    waited: Duration,
    bytes: u32,
    late: bool,
}

impl Pace {
    /// How long the next piece may take.
    fn left(self) -> Duration {
        let whole = WAITED + Duration::from_secs(u64::from(self.bytes / SLOWEST));
        SILENT.min(whole.saturating_sub(self.waited))
    }

    fn came(&mut self, bytes: usize, waited: Duration) {
        self.bytes = self.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.waited += waited;
    }
}

/// The same body, which breaks off where it comes too slowly.
pub fn paced<S>(body: S) -> impl Stream<Item = Result<Bytes, PayloadError>> + 'static
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin + 'static,
{
    let pieces = stream::unfold((body, Pace::default()), |(mut body, mut pace): (S, Pace)| async move {
        if pace.late {
            return None;
        }
        let began = Instant::now();
        let Ok(piece) = timeout(pace.left(), body.next()).await else {
            pace.late = true;
            let late = PayloadError::Io(io::ErrorKind::TimedOut.into());
            return Some((Err(late), (body, pace)));
        };
        let piece = piece?;
        pace.came(piece.as_ref().map_or(0, Bytes::len), began.elapsed());
        Some((piece, (body, pace)))
    });
    // A form asks once more after its end.
    pieces.fuse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_time_of_the_slowest_line() {
        let mut pace = Pace::default();
        assert_eq!(pace.left(), SILENT);
        pace.came(1, Duration::from_secs(19));
        assert_eq!(pace.left(), Duration::from_secs(6), "a byte buys nothing");
        pace.came(100 * 4096, Duration::from_secs(6));
        assert_eq!(pace.left(), SILENT, "what came well may stall again");
        pace.came(0, Duration::from_secs(99));
        assert_eq!(pace.left(), Duration::from_secs(1));
        pace.came(0, Duration::from_secs(2));
        assert_eq!(pace.left(), Duration::ZERO);
    }
}
