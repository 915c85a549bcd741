//! Playbooks: case studies that experts publish and others can act on.
//!
//! Invariants: a study has a working copy, which its authors write part by part and its reviewers
//! judge, and at most one published revision, which is all that readers get. Nobody reviews what
//! they wrote. Every saved state of a part is kept, and what is typed is a draft of its member
//! until it is saved. Whatever a viewer may not see is 404.

pub mod actions;
mod events;
mod ground;
pub mod measures;
pub mod model;
pub mod parts;
pub mod policy;
pub mod queries;
mod rows;
pub mod terms;
mod texts;

pub use rows::day;
