//! Doors to what is not ours: the clock, mail, stored bytes.

pub mod blobs;
pub mod clock;
pub mod mailer;
pub mod search;
