//! The harness: a fresh hub for every test, on SQLite and on PostgreSQL, and clients for it.

pub mod client;
pub mod engines;
pub mod html;
pub mod hub;
pub mod meili;
pub mod moving;
pub mod nodes;
pub mod pages;
pub mod port;
pub mod postgres;
pub mod program;
pub mod raw;
pub mod s3;
pub mod smtp;
pub mod socket;
pub mod stage;
pub mod things;

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

/// `search_test!(async fn name(hub) { … })` makes three tests: the two of `hub_test!` with the
/// embedded index, and one through Meilisearch, which says on one line that it did not run when
/// `PRAXIS_TEST_MEILI_URL` is not set.
macro_rules! search_test {
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

            #[test]
            fn meilisearch() {
                let Some(settings) = crate::support::meili::settings() else { return };
                crate::support::hub::run_with(
                    crate::support::Db::Sqlite,
                    stringify!($name),
                    &crate::support::meili::as_pairs(&settings),
                    async |hub| body(hub).await,
                );
            }
        }
    };
}

pub(crate) use search_test;

/// Says on one line that something did not run, past the capture of what passing tests print. In one
/// piece: other tests print meanwhile.
pub fn not_run(what: &str) {
    use std::io::Write as _;
    let _told = std::io::stderr().write_all(format!("\nnot run: {what}\n").as_bytes());
}
