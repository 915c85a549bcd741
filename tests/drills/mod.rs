//! Failure drills with real processes and engines of their own: what is killed, stopped, cut off
//! or full, and how the hub gets over it. In each, readers on every node end with exactly the
//! log, what was acknowledged is there once, and the time to full service is printed.

mod crowd;
mod database;
mod disk;
mod door;
mod nodes;
mod redis;
mod rig;
