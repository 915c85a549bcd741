//! Chat: rooms of a space, open or private, and direct conversations; messages that last.
//!
//! Invariants: a message's seq is that of its `message.posted` in the room's stream. A `client_id`
//! is one message of its author and room, for ever. Who may see a room follows its space; what
//! is withdrawn ends at once. Whatever a viewer may not see is 404.

pub mod model;
