//! Doors to what is not ours: the clock, mail, stored bytes, the virus scanner.

pub mod blobs;
pub mod clock;
pub mod mailer;
pub mod scanner;
pub mod search;
