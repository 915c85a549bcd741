//! Members as search finds them: active ones, by members.

use sea_orm::DatabaseConnection;

use super::queries::expertise_of;
use crate::search::{Audience, Document, Extent, Kind, Passage, Source, SourceAnswer};
use crate::store::Sql;
use crate::text::reading;
use crate::web::error::Result;

#[derive(Debug)]
pub struct Members;

impl Source for Members {
    fn kind(&self) -> Kind {
        Kind::Member
    }

    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        _extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(members(db, ids))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT id FROM member WHERE state = 'active' AND id > ").bind(after);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(find.then(" ORDER BY id").limit(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        Box::pin(Sql::new("SELECT count(*) AS n FROM member WHERE state = 'active'").number(db))
    }
}

async fn members(db: &DatabaseConnection, ids: &[i64]) -> Result<Vec<Document>> {
    let rows = Sql::new(
        "SELECT id, handle, display_name, headline, organisation, about_html, created_at FROM member \
         WHERE state = 'active' AND id IN ",
    );
    let rows = rows.list(ids.iter().copied()).all(db).await?;
    let mut expertise = expertise_of(db, ids).await?;
    rows.iter()
        .map(|row| {
            let (id, handle): (i64, String) = (row.try_get("", "id")?, row.try_get("", "handle")?);
            let url = format!("/people/{handle}");
            let mut document =
                Document::new(Kind::Member, id, row.try_get("", "display_name")?, url, row.try_get("", "created_at")?);
            document.labels = vec![handle];
            let texts: [String; 3] = [
                row.try_get("", "headline")?,
                row.try_get("", "organisation")?,
                reading(&row.try_get::<String>("", "about_html")?),
            ];
            document.passages = texts.into_iter().filter(|text| !text.is_empty()).map(Passage::new).collect();
            document.tags = expertise.remove(&id).unwrap_or_default();
            document.author = Some(id);
            document.audience = vec![Audience::Members];
            Ok(document)
        })
        .collect()
}
