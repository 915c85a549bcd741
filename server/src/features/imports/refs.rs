//! What earlier rows became: the table `import_ref`, asked in batches.

use std::collections::HashMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::entities::import_ref;
use crate::store::{Sql, Tx};
use crate::web::error::Result;

/// Kinds of references.
pub const TOPIC: &str = "topic";
pub const POST: &str = "post";
pub const COMMENT: &str = "comment";
pub const USER: &str = "user";
pub const FORMER: &str = "former";
pub const EDIT: &str = "edit";
pub const ROOM: &str = "room";
pub const MESSAGE: &str = "message";
pub const RESOURCE: &str = "resource";
pub const STUDY: &str = "study";
/// Which folder a source is, by its path.
pub const FOLDER: &str = "folder";
/// What a file said of itself when it was last read, as a number.
pub const FIELDS: &str = "fields";

/// Values that fit into one statement beside others.
pub const CHUNK: usize = 500;

/// The local ids of those external ids that are known.
pub async fn known(
    db: &impl ConnectionTrait,
    source: &str,
    kind: &str,
    external: &[String],
) -> Result<HashMap<String, i64>> {
    let mut known = HashMap::with_capacity(external.len());
    for chunk in external.chunks(CHUNK) {
        let rows: Vec<(String, i64)> = import_ref::Entity::find()
            .select_only()
            .column(import_ref::Column::ExternalId)
            .column(import_ref::Column::LocalId)
            .filter(import_ref::Column::Source.eq(source))
            .filter(import_ref::Column::Kind.eq(kind))
            .filter(import_ref::Column::ExternalId.is_in(chunk.iter().map(String::as_str)))
            .into_tuple()
            .all(db)
            .await?;
        known.extend(rows);
    }
    Ok(known)
}

/// The same for ids that are numbers.
pub async fn known_numbers(
    db: &impl ConnectionTrait,
    source: &str,
    kind: &str,
    external: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, i64>> {
    let mut names: Vec<String> = external.into_iter().map(|id| id.to_string()).collect();
    names.sort_unstable();
    names.dedup();
    let known = known(db, source, kind, &names).await?;
    Ok(known.into_iter().filter_map(|(name, local)| Some((name.parse().ok()?, local))).collect())
}

/// Keeps one thing of a row anew, in place of what was kept of it before.
pub async fn replace(tx: &Tx, source: &str, kind: &'static str, external: &str, local: i64) -> Result<()> {
    Sql::new("INSERT INTO import_ref (source, kind, external_id, local_id) VALUES ")
        .rows([[source.into(), kind.into(), external.into(), local.into()]])
        .then(" ON CONFLICT (source, kind, external_id) DO UPDATE SET local_id = excluded.local_id")
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Keeps what rows became, in the transaction that made it.
pub async fn keep(tx: &Tx, source: &str, refs: &[(&'static str, String, i64)]) -> Result<()> {
    for chunk in refs.chunks(CHUNK) {
        let rows = chunk.iter().map(|(kind, external, local)| import_ref::ActiveModel {
            source: Set(source.to_owned()),
            kind: Set((*kind).to_owned()),
            external_id: Set(external.clone()),
            local_id: Set(*local),
        });
        import_ref::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    }
    Ok(())
}
