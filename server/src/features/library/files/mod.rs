//! Files of resources: received in a stream, known by their content, given out safely.
//!
//! Invariants: a type comes from the bytes, never from a name; nothing that a browser could run is
//! ever shown in place; bytes that wait for the virus scanner, or failed it, are given to nobody.

mod counted;
mod keeping;
mod receiving;
mod serving;
mod types;

pub use counted::Counted;
pub use keeping::{Kept, keep, open, release, remove_unreferenced, room_left};
pub use receiving::{FOLDER, Form, Received, read, read_page, receive};
pub use serving::{Counts, serve};
pub use types::{extraction_of, is_inline, utf16};
