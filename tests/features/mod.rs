//! A file a feature.

mod accounts;
mod house;
mod people;
mod spaces;
