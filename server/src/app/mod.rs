//! Putting the hub together: configuration, state, routes, start and stop, command line.

pub mod behind;
pub mod cli;
pub mod config;
pub mod health;
mod node;
pub mod private;
pub mod routes;
pub mod secrets;
pub mod serving;
mod startup;
mod state;

pub use config::Config;
pub use startup::{Running, look_first, open_hub, prepare_tls, start};
pub use state::AppState;
