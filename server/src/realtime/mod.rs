//! Sockets: who reads which stream, and how a reader that was away catches up.
//!
//! Invariant: a reader ends with exactly the stream's log. A worker thread owns its sockets, so
//! delivering takes no lock per socket; a frame is encoded once and its bytes are shared.

pub mod bus;
mod catching_up;
mod delivering;
mod hub;
mod incoming;
mod live;
mod outbox;
mod patience;
mod protocol;
mod recent;
mod recovery;
mod session;
mod signing_in;
mod socket;
mod sockets;
mod writes;

pub use bus::Bus;
pub use hub::{Hub, Seat};
pub use live::Live;
pub use protocol::{ClientFrame, Code, SendFrame, close};
pub use recovery::{Cursor, Step, can_replay};
pub use session::{Api, MOST_SOCKETS, open};
pub use sockets::Sockets;
