//! Which tables there are, read from the database itself: a table that a later feature adds is in
//! every archive without a line here. What stays behind is said, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbBackend};

use crate::store::Sql;
use crate::web::error::{AppError, Result};

/// Tables of which nothing is taken. One that a database does not have is no fault.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("seaql_migrations", "the schema's own list; the head of the archive says it"),
    ("session", "whoever holds the archive must not be signed in"),
    ("refresh_token", "belongs to a session"),
    ("api_token", "whoever holds the archive must not be let in by a program's key"),
    ("one_time_token", "opens an account"),
    ("idempotent_answer", "kept for a day, and may hold a token that was shown once"),
    ("index_change", "what the indexes of one database still have to follow; they are made anew"),
    ("search_index", "the indexes of one hub; they are made anew"),
];

/// Rows that stay behind: table, what they are, condition on a row.
pub const LEFT_ROWS: &[(&str, &str, &str)] = &[
    ("mail", "letters whose link opens an account or a door", "kind IN ('verify', 'reset', 'claim', 'invite')"),
    (
        "setting",
        "counters, the epoch and the log of one hub",
        "key IN ('process', 'epoch', 'archive.loaded', 'search.log_floor')",
    ),
];

/// What a column holds, the same on both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Integer,
    Bool,
    Text,
    Real,
    /// Shown in hexadecimal.
    Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub holds: Holds,
    pub nullable: bool,
    /// Place in the primary key, from 1; 0 if it is not in it.
    pub key: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// In the order of their names, the same everywhere.
    pub columns: Vec<Column>,
}

impl Table {
    /// The primary key's columns, in its order.
    #[must_use]
    pub fn key(&self) -> Vec<&Column> {
        let mut key: Vec<&Column> = self.columns.iter().filter(|column| column.key > 0).collect();
        key.sort_by_key(|column| column.key);
        key
    }

    /// The condition on rows that are taken, if some are not.
    #[must_use]
    pub fn left_rows(&self) -> Option<&'static str> {
        LEFT_ROWS.iter().find(|(table, _, _)| *table == self.name).map(|(_, _, rows)| *rows)
    }
}

/// What stays behind and why, as the manifest says it.
#[must_use]
pub fn left_out() -> BTreeMap<String, String> {
    let tables = LEFT_OUT.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned()));
    let rows = LEFT_ROWS.iter().map(|(name, why, rows)| (format!("{name} where {rows}"), (*why).to_owned()));
    tables.chain(rows).collect()
}

/// Every table that is taken, those that others refer to first.
pub async fn read(db: &impl ConnectionTrait) -> Result<Vec<Table>> {
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    let sql = if db.get_database_backend() == DbBackend::Sqlite {
        // Views are none of ours, and hidden columns (2, 3) are made from others.
        "SELECT m.name AS tab, c.name AS col, lower(c.type) AS kind, c.\"notnull\" AS needed, c.pk AS place \
         FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND c.hidden = 0 ORDER BY 1, 2"
    } else {
        "SELECT c.table_name::text AS tab, c.column_name::text AS col, c.data_type::text AS kind, \
         (c.is_nullable = 'NO')::int::bigint AS needed, coalesce(k.ordinal_position, 0)::bigint AS place \
         FROM information_schema.columns c \
         JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
         LEFT JOIN information_schema.table_constraints p ON p.table_schema = c.table_schema \
           AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY' \
         LEFT JOIN information_schema.key_column_usage k ON k.constraint_schema = p.constraint_schema \
           AND k.constraint_name = p.constraint_name AND k.table_name = c.table_name AND k.column_name = c.column_name \
         WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER' \
         ORDER BY 1, 2"
    };
    for row in Sql::new(sql).all(db).await? {
        let table: String = row.try_get("", "tab")?;
        let (name, kind): (String, String) = (row.try_get("", "col")?, row.try_get("", "kind")?);
        let holds = holds(&kind)
            .ok_or_else(|| AppError::internal(format!("{table}.{name} is a {kind}, which no archive can hold")))?;
        let needed = row.try_get::<i64>("", "needed")? != 0;
        let key = row.try_get::<i64>("", "place")?;
        tables.entry(table).or_default().push(Column { name, holds, nullable: !needed && key == 0, key });
    }
    tables.retain(|name, _| !LEFT_OUT.iter().any(|(left, _)| left == name));
    for columns in tables.values_mut() {
        columns.sort_by(|one, other| one.name.cmp(&other.name));
    }
    in_order(tables, &references(db).await?)
}

fn holds(kind: &str) -> Option<Holds> {
    Some(match kind {
        "boolean" | "bool" => Holds::Bool,
        "bytea" | "blob" => Holds::Bytes,
        "real" | "double" | "double precision" | "float" => Holds::Real,
        "text" | "json_text" | "uuid_text" => Holds::Text,
        kind if kind.contains("int") => Holds::Integer,
        kind if kind.contains("char") => Holds::Text,
        _ => return None,
    })
}

/// Table and the table that it refers to.
async fn references(db: &impl ConnectionTrait) -> Result<BTreeSet<(String, String)>> {
    let sql = if db.get_database_backend() == DbBackend::Sqlite {
        "SELECT m.name AS tab, f.\"table\" AS other FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
         WHERE m.type = 'table'"
    } else {
        "SELECT c.relname::text AS tab, o.relname::text AS other FROM pg_constraint f \
         JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class o ON o.oid = f.confrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE f.contype = 'f' AND n.nspname = current_schema()"
    };
    let rows = Sql::new(sql).all(db).await?;
    let mut found = BTreeSet::new();
    for row in rows {
        found.insert((row.try_get("", "tab")?, row.try_get("", "other")?));
    }
    Ok(found)
}

/// By name, but whatever is referred to comes before what refers to it. A table that refers to
/// itself is read in the order of its key, parents first.
fn in_order(mut tables: BTreeMap<String, Vec<Column>>, refers: &BTreeSet<(String, String)>) -> Result<Vec<Table>> {
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits = |name: &str| refers.iter().any(|(by, to)| by == name && to != name && tables.contains_key(to));
        let Some(next) = tables.keys().find(|name| !waits(name)).cloned() else {
            let names: Vec<&String> = tables.keys().collect();
            return Err(AppError::internal(format!("these tables refer to each other in a circle: {names:?}")));
        };
        if let Some(columns) = tables.remove(&next) {
            ordered.push(Table { name: next, columns });
        }
    }
    Ok(ordered)
}

/// Names of all tables.
pub async fn names(db: &impl ConnectionTrait) -> Result<BTreeSet<String>> {
    let sql = if db.get_database_backend() == DbBackend::Sqlite {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    } else {
        "SELECT table_name::text AS name FROM information_schema.tables \
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
    };
    let rows = Sql::new(sql).all(db).await?;
    rows.into_iter().map(|row| Ok(row.try_get("", "name")?)).collect()
}

/// The schema's steps that this database has, oldest first.
pub async fn schema(db: &impl ConnectionTrait) -> Result<Vec<String>> {
    let rows = Sql::new("SELECT version FROM seaql_migrations ORDER BY version").all(db).await?;
    rows.into_iter().map(|row| Ok(row.try_get("", "version")?)).collect()
}
