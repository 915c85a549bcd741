//! Rows by the million, made by the database itself: messages, their events, and everything that
//! counts them, as if each had been sent.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement, TransactionTrait as _};

use crate::hub::Hub;

/// Messages of one transaction.
const SLICE: i64 = 500_000;
/// All were sent within so many microseconds before now: events older than 30 days are trimmed.
const SPAN: i64 = 20 * 86_400_000_000;

async fn run(db: &impl sea_orm::ConnectionTrait, sql: &str) {
    if let Err(error) = db.execute_unprepared(sql).await {
        panic!("{error}: {sql}");
    }
}

async fn number(db: &DatabaseConnection, sql: &str) -> i64 {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Adds so many messages to the rooms of the hub, turn by turn.
pub async fn fill(hub: &Hub, messages: i64) {
    let db = hub.connect().await;
    let sqlite = db.get_database_backend() == DbBackend::Sqlite;
    if sqlite {
        // The figures are of reading; a load that is lost is made again.
        for pragma in ["synchronous = OFF", "journal_size_limit = 67108864", "cache_size = -1000000"] {
            run(&db, &format!("PRAGMA {pragma}")).await;
        }
    } else {
        run(&db, "SET synchronous_commit = off").await;
    }
    // The names of ids do not matter here, only that they grow with time and are no other's.
    let first = number(&db, "SELECT min(id) FROM message").await;
    let author = number(&db, "SELECT max(id) FROM member").await;
    let now = number(&db, "SELECT max(created_at) FROM message").await;
    let rooms = number(&db, "SELECT count(*) FROM room").await;
    run(&db, "DROP TABLE IF EXISTS grow_room").await;
    run(
        &db,
        "CREATE TABLE grow_room AS SELECT row_number() OVER (ORDER BY r.id) - 1 AS place, r.id AS id, s.name AS name, \
         s.head AS head, r.message_count AS messages FROM room r JOIN message m ON m.room_id = r.id \
         JOIN event e ON e.subject_id = m.id AND e.kind = 'message.posted' JOIN stream s ON s.name = e.stream",
    )
    .await;
    run(&db, "CREATE UNIQUE INDEX grow_room_place ON grow_room (place)").await;
    let step = (SPAN / messages.max(1)).max(1);
    let mut from = 0;
    while from < messages {
        let to = (from + SLICE).min(messages);
        let series = if sqlite {
            format!("WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to})")
        } else {
            format!("WITH n(i) AS (SELECT generate_series({from}::bigint, {to}::bigint - 1))")
        };
        let tx = db.begin().await.unwrap();
        // Counted here: PostgreSQL counts numbers that are written out in 32 bits.
        let id = format!("{} + n.i * 4096", first - messages * 4096 - 4096);
        let at = format!("{now} - ({messages} - n.i) * {step}");
        run(
            &tx,
            &format!(
                "INSERT INTO message (id, room_id, seq, number, author_id, client_id, body, body_html, created_at, \
                 reply_count, reactions, revision_count, version) {series} SELECT {id}, g.id, g.head + n.i / {rooms} + 1, \
                 g.messages + n.i / {rooms} + 1, {author}, 'grown-' || n.i, \
                 'Message ' || n.i || ' of many: what was tried on the ward, what came of it, and who to ask about it.', \
                 '<p>Message ' || n.i || ' of many: what was tried on the ward, what came of it, and who to ask about it.</p>', \
                 {at}, 0, '[]', 0, 1 FROM n JOIN grow_room g ON g.place = n.i % {rooms}"
            ),
        )
        .await;
        run(
            &tx,
            &format!(
                "INSERT INTO event (stream, seq, kind, subject_id, actor_id, at, extra) {series} \
                 SELECT g.name, g.head + n.i / {rooms} + 1, 'message.posted', {id}, {author}, {at}, '' \
                 FROM n JOIN grow_room g ON g.place = n.i % {rooms}"
            ),
        )
        .await;
        tx.commit().await.unwrap();
        from = to;
    }
    for statement in [
        "UPDATE stream SET head = (SELECT max(seq) FROM event e WHERE e.stream = stream.name) \
         WHERE name IN (SELECT name FROM grow_room)",
        "UPDATE room SET message_count = (SELECT max(number) FROM message m WHERE m.room_id = room.id)",
        "DROP TABLE grow_room",
        if sqlite { "ANALYZE" } else { "VACUUM ANALYZE" },
    ] {
        run(&db, statement).await;
    }
    if sqlite {
        run(&db, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    }
    db.close().await.unwrap();
}
