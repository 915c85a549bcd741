//! A PostgreSQL database for a test that runs the program itself.

use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait, Database};

static NUMBER: AtomicU32 = AtomicU32::new(0);

pub struct PostgresDatabase {
    admin: String,
    name: String,
    pub url: String,
}

impl PostgresDatabase {
    /// A new one; none, which is said on one line, where tests have no PostgreSQL.
    pub async fn make() -> Option<Self> {
        let Ok(admin) = std::env::var("PRAXIS_TEST_POSTGRES_URL") else {
            super::not_run("a test on PostgreSQL (PRAXIS_TEST_POSTGRES_URL is not set)");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("praxis_program_{}_{number}", std::process::id());
        let connection = Database::connect(&admin).await.unwrap();
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        connection.close().await.unwrap();
        let mut url = url::Url::parse(&admin).unwrap();
        url.set_path(&name);
        Some(Self { admin, name, url: url.to_string() })
    }

    pub async fn remove(self) {
        let connection = Database::connect(&self.admin).await.unwrap();
        connection.execute_unprepared(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await.unwrap();
        connection.close().await.unwrap();
    }
}
