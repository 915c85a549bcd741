//! Statements with their values, in the one dialect that both databases read.

use sea_orm::{ConnectionTrait, DbBackend, ExecResult, QueryResult, Statement, Value};

use crate::web::error::Result;

/// Rows of one `INSERT` or list. Few sizes, so that the database keeps few prepared statements;
/// powers of two, so that few statements make up any number.
const CHUNKS: [usize; 9] = [256, 128, 64, 32, 16, 8, 4, 2, 1];

/// Rows of one statement at most.
pub const MOST_ROWS: usize = CHUNKS[0];

/// Inserts rows, many in one statement; `insert` ends with `VALUES `.
pub async fn insert_rows<const N: usize>(db: &impl ConnectionTrait, insert: &str, rows: Vec<[Value; N]>) -> Result<()> {
    for part in few_sizes(rows) {
        Sql::new(insert).rows(part).run(db).await?;
    }
    Ok(())
}

/// Rows in parts of few sizes, each for a statement of its own.
pub fn few_sizes<T>(rows: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= rows.len())?;
        Some(rows.by_ref().take(size).collect())
    })
}

/// Where a value goes, until it is known which database reads it.
const PLACE: char = '\u{1}';

/// A statement in the making. Values never enter its text.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Appends text of our own.
    pub fn then(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Appends a value.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self.text.push(PLACE);
        self
    }

    /// Appends how many rows at most, as a number and not as a value: PostgreSQL plans a statement once for all
    /// values if it knows that few of the rows will be wanted, and else anew each time it is asked.
    pub fn limit(self, rows: impl TryInto<u64>) -> Self {
        // Less than none is none, and not all.
        let rows = rows.try_into().unwrap_or(0).min(i64::MAX.unsigned_abs());
        self.then(&format!(" LIMIT {rows}"))
    }

    /// Appends `(a, b, c)`; an empty list matches nothing.
    pub fn list<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.text.push('(');
        let mut any = false;
        for value in values {
            if any {
                self.text.push_str(", ");
            }
            any = true;
            self = self.bind(value);
        }
        self.text.push_str(if any { ")" } else { "NULL)" });
        self
    }

    /// Appends `(a, b), (c, d)`.
    pub fn rows<const N: usize>(mut self, rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        for (index, row) in rows.into_iter().enumerate() {
            self.text.push_str(if index == 0 { "(" } else { ", (" });
            for (place, value) in row.into_iter().enumerate() {
                if place > 0 {
                    self.text.push_str(", ");
                }
                self = self.bind(value);
            }
            self.text.push(')');
        }
        self
    }

    /// [`Sql::list`] with the last value repeated until there are as many as one of few numbers, as
    /// [`Sql::padded_rows`] does.
    pub fn padded_list(self, mut values: Vec<i64>) -> Self {
        if let Some(last) = values.last().copied() {
            let size = CHUNKS.iter().rev().copied().find(|size| *size >= values.len());
            values.resize(size.unwrap_or_else(|| values.len().next_multiple_of(MOST_ROWS)), last);
        }
        self.list(values)
    }

    /// Puts text of our own before and after it.
    pub fn around(mut self, before: &str, after: &str) -> Self {
        self.text.insert_str(0, before);
        self.then(after)
    }

    /// [`Sql::rows`] with the last row repeated until there are as many as one of few sizes, for
    /// look-ups in which a row that comes twice changes nothing: the database then prepares few
    /// statements, whatever the numbers of rows.
    pub fn padded_rows<const N: usize>(self, rows: Vec<[Value; N]>) -> Self {
        let Some(last) = rows.last().cloned() else { return self };
        let size = CHUNKS.iter().rev().copied().find(|size| *size >= rows.len()).unwrap_or(rows.len());
        let more = size - rows.len();
        self.rows(rows.into_iter().chain(std::iter::repeat_n(last, more)))
    }

    /// Appends `FOR UPDATE OF …` where rows can be locked.
    pub fn locking(self, tables: &str, db: &impl ConnectionTrait) -> Self {
        if db.get_database_backend() == DbBackend::Postgres { self.then(" FOR UPDATE OF ").then(tables) } else { self }
    }

    fn statement(self, db: &impl ConnectionTrait) -> Statement {
        let backend = db.get_database_backend();
        Statement::from_sql_and_values(backend, self.written(backend), self.values)
    }

    /// The text as a database reads it. SQLite gets places without numbers: a numbered one counts as
    /// a name, and a name is looked for among all the others each time that it is bound.
    fn written(&self, backend: DbBackend) -> String {
        let mut text = String::with_capacity(self.text.len() + self.values.len() * 4);
        for (number, part) in self.text.split(PLACE).enumerate() {
            if number > 0 && backend == DbBackend::Postgres {
                text.push('$');
                put_number(&mut text, number);
            } else if number > 0 {
                text.push('?');
            }
            text.push_str(part);
        }
        text
    }

    pub async fn all(self, db: &impl ConnectionTrait) -> Result<Vec<QueryResult>> {
        Ok(db.query_all_raw(self.statement(db)).await?)
    }

    pub async fn one(self, db: &impl ConnectionTrait) -> Result<Option<QueryResult>> {
        Ok(db.query_one_raw(self.statement(db)).await?)
    }

    /// The column `id` of every row.
    pub async fn ids(self, db: &impl ConnectionTrait) -> Result<Vec<i64>> {
        self.all(db).await?.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
    }

    /// The column `n` of the one row.
    pub async fn number(self, db: &impl ConnectionTrait) -> Result<i64> {
        self.one(db).await?.map_or(Ok(0), |row| Ok(row.try_get("", "n")?))
    }

    /// How SQLite runs it on the schema as it is, without statistics, as the hub keeps none.
    #[cfg(test)]
    pub async fn plan(self) -> Result<String> {
        use praxis_migration::MigratorTrait as _;
        let mut one = sea_orm::ConnectOptions::new("sqlite::memory:");
        one.max_connections(1).min_connections(1).sqlx_logging(false);
        let db = sea_orm::Database::connect(one).await?;
        praxis_migration::Migrator::up(&db, None).await?;
        let rows = self.around("EXPLAIN QUERY PLAN ", "").all(&db).await?;
        let lines = rows.iter().map(|row| Ok(row.try_get("", "detail")?)).collect::<Result<Vec<String>>>()?;
        Ok(lines.join("\n"))
    }

    pub async fn run(self, db: &impl ConnectionTrait) -> Result<ExecResult> {
        Ok(db.execute_raw(self.statement(db)).await?)
    }
}

/// A number in digits, without a text of its own in between.
fn put_number(text: &mut String, number: usize) {
    if number >= 10 {
        put_number(text, number / 10);
    }
    text.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or(0)));
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;

    use super::Sql;

    #[test]
    fn parts_have_few_sizes_and_leave_nothing_out() {
        let sizes = |count: usize| {
            let parts: Vec<Vec<usize>> = super::few_sizes((0..count).collect()).collect();
            assert_eq!(parts.concat(), (0..count).collect::<Vec<_>>());
            parts.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(700), [256, 256, 128, 32, 16, 8, 4]);
    }

    #[test]
    fn values_are_numbered_and_rows_padded() {
        let sql = (0..1000).fold(Sql::new(""), |sql, number: i64| sql.bind(number));
        let text = sql.written(DbBackend::Postgres);
        assert!(text.starts_with("$1$2$3"));
        assert!(text.contains("$10$11") && text.ends_with("$999$1000"), "{text}");
        assert_eq!(sql.written(DbBackend::Sqlite), "?".repeat(1000));
        let rows: Vec<[sea_orm::Value; 1]> = (0..3i64).map(|number| [number.into()]).collect();
        let sql = Sql::new("VALUES ").padded_rows(rows);
        assert_eq!(sql.written(DbBackend::Postgres), "VALUES ($1), ($2), ($3), ($4)");
        assert_eq!(Sql::new("IN ").padded_list(vec![7, 8, 9]).values, [7i64, 8, 9, 9].map(sea_orm::Value::from));
        assert_eq!(Sql::new("IN ").padded_list(vec![]).written(DbBackend::Sqlite), "IN (NULL)");
        assert_eq!(Sql::new("IN ").padded_list((0..700).collect()).values.len(), 768);
        assert_eq!(sql.written(DbBackend::Sqlite), "VALUES (?), (?), (?), (?)");
        assert_eq!(sql.values, [0i64, 1, 2, 2].map(sea_orm::Value::from).to_vec());
        assert_eq!(Sql::new("").padded_rows::<1>(Vec::new()).text, "");
    }
}
