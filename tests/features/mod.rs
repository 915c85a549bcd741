//! A file a feature.

mod house;
