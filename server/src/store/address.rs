//! The address of the database, as a setting gives it.

use sea_orm::SqlxError;
use sea_orm::sqlx::postgres::PgConnectOptions;
use url::Url;

use crate::app::config::masked;

/// Looks at an address before anybody is asked; the error is one line. An address of PostgreSQL names
/// host and database: the driver would take those of the environment, and find somebody else's.
pub fn readable(text: &str) -> Result<(), String> {
    if let Some(path) = text.strip_prefix("sqlite://") {
        if path.is_empty() || path.contains('?') {
            let what = if path.is_empty() { "names no file" } else { "has a question mark" };
            return Err(format!(
                "'{text}' {what}; an address of SQLite is a path and no more, like sqlite:///var/lib/praxis/praxis.db"
            ));
        }
        return Ok(());
    }
    if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        return Err(format!("'{}' is neither postgres://user@host/name nor sqlite://path", masked(text)));
    }
    let fault =
        |what: &str| format!("'{}' {what}; write it like postgres://user:password@host:5432/name", masked(text));
    let url = Url::parse(text).map_err(|error| fault(&format!("is no address ({error})")))?;
    let is_given = |names: &[&str]| url.query_pairs().any(|(name, value)| names.contains(&&*name) && !value.is_empty());
    if url.host_str().is_none_or(str::is_empty) && !is_given(&["host", "hostaddr"]) {
        return Err(fault("names no host"));
    }
    if url.path().trim_matches('/').is_empty() && !is_given(&["dbname"]) {
        return Err(fault("names no database"));
    }
    text.parse::<PgConnectOptions>()
        .map(drop)
        .map_err(|error: SqlxError| super::one_line(&fault(&format!("is no address of PostgreSQL ({error})"))))
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn an_address_names_what_it_is_for() {
        for good in [
            "postgres://praxis@db/praxis",
            "postgresql://praxis:hush@[::1]:5433/praxis?sslmode=require",
            "postgres:///praxis?host=/run/postgresql",
            "postgres://%2Frun%2Fpostgresql/praxis",
            "postgres://db?dbname=praxis",
            "sqlite:///var/lib/praxis/praxis.db",
        ] {
            assert_eq!(readable(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("mysql://db/praxis", "is neither postgres://"),
            ("postgres://", "names no host"),
            ("postgres:///praxis", "names no host"),
            ("postgres://ada:hush@/praxis", "'********@/praxis' is no address ("),
            ("postgres://ada:hush@db", "'postgres://ada:********@db' names no database"),
            ("postgres://db/", "names no database"),
            ("postgres://ada:hush@db:99999/praxis", "is no address (invalid port number)"),
            ("postgres://ada:hush@db/praxis?port=x", "is no address of PostgreSQL ("),
            ("postgres://ada:hush@db/praxis?sslmode=sometimes", "is no address of PostgreSQL ("),
            ("sqlite://", "names no file"),
            ("sqlite:///praxis.db?mode=ro", "has a question mark"),
        ] {
            let line = readable(bad).unwrap_err();
            assert!(line.contains(why) && !line.contains("hush") && line.lines().count() == 1, "{bad}: {line}");
        }
    }
}
