//! The harness: a fresh hub for every test, on SQLite and on PostgreSQL, and clients for it.

pub mod client;
pub mod engines;
pub mod html;
pub mod hub;
pub mod nodes;
pub mod pages;
pub mod postgres;
pub mod program;
pub mod raw;
pub mod s3;
pub mod smtp;
pub mod socket;
pub mod stage;

#[allow(unused_imports)]
pub use client::{Answer, Client};
pub use hub::{Db, TestHub, run};
#[allow(unused_imports)]
pub use socket::Socket;

/// `hub_test!(async fn name(hub) { … })` makes two tests, one for each database; the second says
/// on one line that it did not run when `PRAXIS_TEST_POSTGRES_URL` is not set.
macro_rules! hub_test {
    ($(#[$meta:meta])* async fn $name:ident($hub:ident) $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($hub: &crate::support::TestHub) $body

            #[test]
            fn sqlite() {
                crate::support::run(crate::support::Db::Sqlite, stringify!($name), async |hub| body(hub).await);
            }

            #[test]
            fn postgres() {
                crate::support::run(crate::support::Db::Postgres, stringify!($name), async |hub| body(hub).await);
            }
        }
    };
}

pub(crate) use hub_test;

/// Says on one line that something did not run, past the capture of what passing tests print.
pub fn not_run(what: &str) {
    use std::io::Write as _;
    let _told = writeln!(std::io::stderr(), "\nnot run: {what}");
}
