//! A file a feature.

mod accounts;
mod house;
mod spaces;
