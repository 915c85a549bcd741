//! Several nodes: what crosses from one to another, by the bus and by the log alone; what they
//! share out; what stops a node from starting.

mod crossing;
mod health;
mod jobs;
mod order;
mod plans;
mod rows;
mod schema;
mod shares;
mod starting;
