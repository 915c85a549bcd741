//! Several nodes: what crosses from one to another, by the bus and by the log alone; what they
//! share out; what stops a node from starting.

mod crossing;
mod jobs;
mod plans;
mod schema;
mod shares;
mod starting;
