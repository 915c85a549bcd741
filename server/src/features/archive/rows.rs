//! Rows as JSON lines, in and out. The database itself writes and reads the JSON, so a column
//! needs no code here, and both databases say the same.

use sea_orm::{ConnectionTrait, DbBackend, Value as Bound};
use serde_json::{Map, Value};

use super::tables::{Column, Holds, Table};
use crate::store::Sql;
use crate::web::error::{AppError, Result};

/// Rows read at a time: as many as keep a page near a megabyte.
const FEWEST: u64 = 20;
const MOST: u64 = 5000;
const PAGE: usize = 1 << 20;

/// Reads a table in the order of its key, a page at a time.
#[derive(Debug)]
pub struct Reader<'a> {
    table: &'a Table,
    after: Vec<Bound>,
    rows: u64,
    done: bool,
}

impl<'a> Reader<'a> {
    pub fn new(table: &'a Table) -> Result<Self> {
        if table.key().is_empty() {
            return Err(AppError::internal(format!("the table {} has no primary key", table.name)));
        }
        Ok(Self { table, after: Vec::new(), rows: 200, done: false })
    }

    /// The next lines; none at the end.
    pub async fn next(&mut self, db: &impl ConnectionTrait) -> Result<Vec<String>> {
        if self.done {
            return Ok(Vec::new());
        }
        let key: Vec<String> = self.table.key().iter().map(|column| quoted(&column.name)).collect();
        let key = key.join(", ");
        let inner = |columns: &str| {
            let mut sql = Sql::new("SELECT ").then(columns).then(" FROM ").then(&quoted(&self.table.name));
            let mut word = " WHERE ";
            if let Some(rows) = self.table.left_rows() {
                sql = sql.then(word).then("NOT (").then(rows).then(")");
                word = " AND ";
            }
            if !self.after.is_empty() {
                sql = sql.then(word).then("(").then(&key).then(") > ").list(self.after.iter().cloned());
            }
            sql.then(" ORDER BY ").then(&key).then(" LIMIT ").then(&self.rows.to_string())
        };
        let sql = if db.get_database_backend() == DbBackend::Sqlite {
            inner(&format!("{} AS line", sqlite_line(&self.table.columns)))
        } else {
            let columns: Vec<String> = self.table.columns.iter().map(|column| quoted(&column.name)).collect();
            inner(&columns.join(", ")).around("SELECT row_to_json(r)::text AS line FROM (", ") r")
        };
        let mut lines = Vec::new();
        for row in sql.all(db).await? {
            lines.push(row.try_get::<String>("", "line")?);
        }
        self.done = (lines.len() as u64) < self.rows;
        if let Some(last) = lines.last() {
            self.after = self.key_of(last)?;
        }
        let bytes: usize = lines.iter().map(String::len).sum();
        if bytes > 4 * PAGE {
            self.rows = (self.rows / 4).max(FEWEST);
        } else if bytes < PAGE {
            self.rows = (self.rows * 2).min(MOST);
        }
        Ok(lines)
    }

    fn key_of(&self, line: &str) -> Result<Vec<Bound>> {
        let row: Map<String, Value> = serde_json::from_str(line)?;
        let value = |column: &&Column| match row.get(&column.name) {
            Some(Value::Number(number)) => number.as_i64().map(Bound::from),
            Some(Value::String(text)) => Some(Bound::from(text.clone())),
            Some(Value::Bool(whether)) => Some(Bound::from(*whether)),
            _ => None,
        };
        let key: Option<Vec<Bound>> = self.table.key().iter().map(value).collect();
        key.ok_or_else(|| AppError::internal(format!("a row of {} has no key", self.table.name)))
    }
}

/// Rows that would be read.
pub async fn count(db: &impl ConnectionTrait, table: &Table) -> Result<u64> {
    let mut sql = Sql::new("SELECT count(*) AS n FROM ").then(&quoted(&table.name));
    if let Some(rows) = table.left_rows() {
        sql = sql.then(" WHERE NOT (").then(rows).then(")");
    }
    let row = sql.one(db).await?.ok_or_else(|| AppError::internal("nothing was counted"))?;
    Ok(u64::try_from(row.try_get::<i64>("", "n")?).unwrap_or(0))
}

/// Inserts lines that were checked.
pub async fn insert(db: &impl ConnectionTrait, table: &Table, lines: &[&str]) -> Result<()> {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let (name, columns) = (quoted(&table.name), columns.join(", "));
    let array = format!("[{}]", lines.join(","));
    let sql = Sql::new("INSERT INTO ").then(&name).then(" (").then(&columns).then(") SELECT ").then(&columns);
    let mut sql = if db.get_database_backend() == DbBackend::Sqlite {
        let values: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("{} AS {}", sqlite_value(column), quoted(&column.name)))
            .collect();
        sql.then(" FROM (SELECT ").then(&values.join(", ")).then(" FROM json_each(").bind(array).then(")) r")
    } else {
        sql.then(" FROM json_populate_recordset(NULL::").then(&name).then(", ").bind(array).then("::json) r")
    };
    // What stays behind now was taken along by an older program.
    if let Some(rows) = table.left_rows() {
        sql = sql.then(" WHERE NOT (").then(rows).then(")");
    }
    sql.run(db).await?;
    Ok(())
}

/// Removes every row that a load brings anew.
pub async fn clear(db: &impl ConnectionTrait, table: &Table) -> Result<()> {
    let mut sql = Sql::new("DELETE FROM ").then(&quoted(&table.name));
    if let (Some(rows), true) = (table.left_rows(), table.name == "setting") {
        sql = sql.then(" WHERE NOT (").then(rows).then(")");
    }
    sql.run(db).await?;
    Ok(())
}

/// Whether a line is a row of this table: the columns, all of them, each as it should be.
pub fn check(table: &Table, line: &str) -> Result<(), String> {
    let row: Map<String, Value> = serde_json::from_str(line).map_err(|error| format!("no JSON object ({error})"))?;
    if let Some(name) = row.keys().find(|name| !table.columns.iter().any(|column| column.name == **name)) {
        return Err(format!("the column '{name}' is not known"));
    }
    for column in &table.columns {
        let good = match (row.get(&column.name), column.holds) {
            (None, _) => return Err(format!("the column '{}' is missing", column.name)),
            (Some(Value::Null), _) => column.nullable,
            (Some(Value::Number(number)), Holds::Integer) => number.as_i64().is_some(),
            (Some(Value::Number(number)), Holds::Real) => number.as_f64().is_some_and(f64::is_finite),
            (Some(Value::Bool(_)), Holds::Bool) => true,
            (Some(Value::String(text)), Holds::Text) => !text.contains('\0'),
            (Some(Value::String(text)), Holds::Bytes) => text
                .strip_prefix("\\x")
                .is_some_and(|hex| hex.len().is_multiple_of(2) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())),
            _ => false,
        };
        if !good {
            return Err(format!("the column '{}' holds something else", column.name));
        }
    }
    Ok(())
}

/// A name of the schema, for a statement.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn sqlite_line(columns: &[Column]) -> String {
    let parts: Vec<String> = columns
        .iter()
        .map(|column| {
            let (name, label) = (quoted(&column.name), column.name.replace('\'', "''"));
            let value = match column.holds {
                Holds::Bool => {
                    format!("json(CASE WHEN {name} IS NULL THEN 'null' WHEN {name} THEN 'true' ELSE 'false' END)")
                }
                Holds::Bytes => format!("CASE WHEN {name} IS NULL THEN NULL ELSE '\\x' || lower(hex({name})) END"),
                _ => name,
            };
            format!("'{label}', {value}")
        })
        .collect();
    format!("json_object({})", parts.join(", "))
}

fn sqlite_value(column: &Column) -> String {
    let path = format!("json_extract(value, '$.\"{}\"')", column.name.replace('\'', "''"));
    if column.holds == Holds::Bytes { format!("unhex(substr({path}, 3))") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let column = |name: &str, holds, nullable| Column { name: name.into(), holds, nullable, key: 0 };
        Table {
            name: "thing".into(),
            columns: vec![
                column("id", Holds::Integer, false),
                column("name", Holds::Text, false),
                column("on", Holds::Bool, false),
                column("raw", Holds::Bytes, true),
            ],
        }
    }

    #[test]
    fn lines() {
        let good = |line: &str| check(&table(), line);
        assert_eq!(good(r#"{"id":9223372036854775807,"name":"Ada","on":true,"raw":null}"#), Ok(()));
        assert_eq!(good(r#"{"raw":"\\xc0ffee","on":false,"name":"","id":-1}"#), Ok(()));
        for wrong in [
            "",
            "[]",
            r#"{"id":1,"name":"Ada","on":true}"#,
            r#"{"id":1,"name":"Ada","on":true,"raw":null,"more":1}"#,
            r#"{"id":"1","name":"Ada","on":true,"raw":null}"#,
            r#"{"id":1.5,"name":"Ada","on":true,"raw":null}"#,
            r#"{"id":9223372036854775808,"name":"Ada","on":true,"raw":null}"#,
            r#"{"id":null,"name":"Ada","on":true,"raw":null}"#,
            r#"{"id":1,"name":"A\u0000","on":true,"raw":null}"#,
            r#"{"id":1,"name":"Ada","on":1,"raw":null}"#,
            r#"{"id":1,"name":"Ada","on":true,"raw":"\\xabc"}"#,
            r#"{"id":1,"name":"Ada","on":true,"raw":"c0ffee"}"#,
        ] {
            assert!(good(wrong).is_err(), "{wrong}");
        }
    }
}
