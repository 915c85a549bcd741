//! Spaces as search finds them: by name, description and address, by whoever may know of them.

use sea_orm::DatabaseConnection;

use crate::search::{Audience, Document, Extent, Kind, Passage, Source, SourceAnswer};
use crate::store::Sql;
use crate::web::error::Result;

#[derive(Debug)]
pub struct Spaces;

impl Source for Spaces {
    fn kind(&self) -> Kind {
        Kind::Space
    }

    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        _extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(spaces(db, ids))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT id FROM space WHERE id > ").bind(after).then(" ORDER BY id");
        Box::pin(find.limit(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        Box::pin(Sql::new("SELECT count(*) AS n FROM space").number(db))
    }
}

async fn spaces(db: &DatabaseConnection, ids: &[i64]) -> Result<Vec<Document>> {
    let rows = Sql::new("SELECT id, slug, name, description, created_at FROM space WHERE id IN ");
    let rows = rows.list(ids.iter().copied()).all(db).await?;
    rows.iter()
        .map(|row| {
            let (id, slug): (i64, String) = (row.try_get("", "id")?, row.try_get("", "slug")?);
            let url = format!("/s/{slug}");
            let mut document =
                Document::new(Kind::Space, id, row.try_get("", "name")?, url, row.try_get("", "created_at")?);
            document.labels = vec![slug];
            document.passages = vec![Passage::new(row.try_get::<String>("", "description")?)];
            document.space = Some(id);
            document.audience = vec![Audience::Door(id)];
            Ok(document)
        })
        .collect()
}
