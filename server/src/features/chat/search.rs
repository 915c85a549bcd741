//! Messages and rooms as search finds them.

use std::collections::HashMap;

use sea_orm::DatabaseConnection;

use crate::entities::kinds::RoomKind;
use crate::search::{Audience, Document, Extent, Kind, Passage, Source, SourceAnswer, Within};
use crate::store::{Id, Sql};
use crate::text::reading;
use crate::web::error::Result;

const FOUND: &str = "m.deleted_at IS NULL AND m.body_html <> ''";

#[derive(Debug)]
pub struct Messages;

impl Source for Messages {
    fn kind(&self) -> Kind {
        Kind::Message
    }

    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(messages(db, ids, extent))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT m.id FROM message m WHERE ").then(FOUND).then(" AND m.id > ").bind(after);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(find.then(" ORDER BY m.id").limit(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        Box::pin(Sql::new("SELECT count(*) AS n FROM message m WHERE ").then(FOUND).number(db))
    }

    /// Who may find a message, and where it is, changes with its room.
    fn within<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        of: Within,
        after: i64,
        limit: u64,
    ) -> SourceAnswer<'a, Vec<i64>> {
        if of.kind != Kind::Room {
            return Box::pin(async { Ok(Vec::new()) });
        }
        let find = Sql::new("SELECT id FROM message WHERE room_id = ").bind(of.id).then(" AND id > ").bind(after);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(find.then(" ORDER BY id").limit(limit).ids(db))
    }
}

async fn messages(db: &DatabaseConnection, ids: &[i64], extent: Extent<'_>) -> Result<Vec<Document>> {
    let rows = Sql::new(
        "SELECT m.id, m.seq, m.author_id, m.body_html, m.created_at, r.id AS r_id, r.kind, r.slug AS r_slug, r.name, \
         s.id AS s_id, s.slug AS s_slug FROM message m JOIN room r ON r.id = m.room_id \
         LEFT JOIN space s ON s.id = r.space_id WHERE ",
    )
    .then(FOUND)
    .then(" AND m.id IN ")
    .list(ids.iter().copied())
    .all(db)
    .await?;
    let mut directs: Vec<i64> = Vec::new();
    for row in &rows {
        if row.try_get::<RoomKind>("", "kind")? == RoomKind::Direct {
            directs.push(row.try_get("", "r_id")?);
        }
    }
    let people = people_of(db, directs).await?;
    let mut documents = Vec::with_capacity(rows.len());
    for row in &rows {
        let (room, seq): (i64, i64) = (row.try_get("", "r_id")?, row.try_get("", "seq")?);
        let space: Option<i64> = row.try_get("", "s_id")?;
        let slugs: (Option<String>, Option<String>) = (row.try_get("", "s_slug")?, row.try_get("", "r_slug")?);
        let url = match slugs {
            (Some(space), Some(room)) => format!("/s/{space}/chat/{room}?at={seq}"),
            _ => format!("/direct/{}?at={seq}", Id(room)),
        };
        let audience = match (row.try_get::<RoomKind>("", "kind")?, space) {
            (RoomKind::Open, Some(space)) => Audience::MembersReading(space),
            _ => Audience::Room(room),
        };
        let title = match people.get(&room) {
            Some(people) => people.join(", "),
            None => row.try_get("", "name")?,
        };
        let mut document =
            Document::new(Kind::Message, row.try_get("", "id")?, title, url, row.try_get("", "created_at")?);
        document.title_is_borrowed = true;
        if extent != Extent::Head {
            document.passages = vec![Passage::new(reading(&row.try_get::<String>("", "body_html")?))];
        }
        document.space = space;
        document.room = Some(room);
        document.author = row.try_get("", "author_id")?;
        document.audience = vec![audience];
        documents.push(document);
    }
    Ok(documents)
}

/// The names of those whom direct conversations are between.
async fn people_of(db: &DatabaseConnection, rooms: Vec<i64>) -> Result<HashMap<i64, Vec<String>>> {
    let mut people: HashMap<i64, Vec<String>> = HashMap::new();
    if rooms.is_empty() {
        return Ok(people);
    }
    let rows = Sql::new(
        "SELECT rm.room_id, m.display_name FROM room_member rm JOIN member m ON m.id = rm.member_id \
         WHERE rm.room_id IN ",
    )
    .list(rooms)
    .then(" ORDER BY rm.room_id, m.id")
    .all(db)
    .await?;
    for row in &rows {
        people.entry(row.try_get("", "room_id")?).or_default().push(row.try_get("", "display_name")?);
    }
    Ok(people)
}

/// Rooms of spaces; a direct conversation has no name to be found by.
#[derive(Debug)]
pub struct Rooms;

impl Source for Rooms {
    fn kind(&self) -> Kind {
        Kind::Room
    }

    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        _extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>> {
        Box::pin(rooms(db, ids))
    }

    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>> {
        let find = Sql::new("SELECT id FROM room WHERE space_id IS NOT NULL AND id > ").bind(after);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(find.then(" ORDER BY id").limit(limit).ids(db))
    }

    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64> {
        Box::pin(Sql::new("SELECT count(*) AS n FROM room WHERE space_id IS NOT NULL").number(db))
    }
}

async fn rooms(db: &DatabaseConnection, ids: &[i64]) -> Result<Vec<Document>> {
    let rows = Sql::new(
        "SELECT r.id, r.kind, r.slug AS r_slug, r.name, r.purpose, r.created_at, s.id AS s_id, s.slug AS s_slug \
         FROM room r JOIN space s ON s.id = r.space_id WHERE r.id IN ",
    );
    let rows = rows.list(ids.iter().copied()).all(db).await?;
    rows.iter()
        .map(|row| {
            let (id, space): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "s_id")?);
            let (slug, of): (Option<String>, String) = (row.try_get("", "r_slug")?, row.try_get("", "s_slug")?);
            let url = format!("/s/{of}/chat/{}", slug.as_deref().unwrap_or_default());
            let mut document =
                Document::new(Kind::Room, id, row.try_get("", "name")?, url, row.try_get("", "created_at")?);
            document.labels = slug.into_iter().collect();
            document.passages = vec![Passage::new(row.try_get::<String>("", "purpose")?)];
            document.space = Some(space);
            document.room = Some(id);
            document.audience = vec![match row.try_get::<RoomKind>("", "kind")? {
                RoomKind::Open => Audience::MembersReading(space),
                RoomKind::Private | RoomKind::Direct => Audience::Room(id),
            }];
            Ok(document)
        })
        .collect()
}
