//! A file a feature.

mod accounts;
mod house;
mod imports;
mod people;
mod spaces;
