//! Rows by the thousand, as years of use leave them, each like one that is there.

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DbBackend, Statement};

/// Table, which of its rows is copied, how often, and what differs in the copy number `n`. Ids from
/// a million on are those of nothing else.
const ROWS: &[(&str, &str, u32, &str)] = &[
    (
        "member",
        "handle = 'alan'",
        20_000,
        "'id', 1000000 + n, 'handle', 'crowd-' || n, 'email', 'crowd-' || n || '@example.org', 'hub_role', 'member'",
    ),
    ("member_word", "true", 20_000, "'member_id', 1000000 + n"),
    ("space_member", "role = 'member'", 20_000, "'member_id', 1000000 + n"),
    ("session", "true", 20_000, "'id', 1000000 + n, 'member_id', 1000000 + n, 'token_hash', 'crowd-' || n"),
    ("refresh_token", "true", 20_000, "'id', 1000000 + n, 'session_id', 1000000 + n, 'token_hash', 'crowd-' || n"),
    (
        "topic",
        "true",
        20_000,
        "'id', 1000000 + n, 'first_post_id', 3000000 + n, 'author_id', 1000000 + n, 'created_at', n, 'active_at', n",
    ),
    ("topic_tag", "true", 20_000, "'topic_id', 1000000 + n, 'tag', 'tag-' || n % 500"),
    ("post", "true", 50_000, "'id', 1000000 + n, 'topic_id', 1000001 + n % 20000, 'author_id', 1000001 + n % 20000"),
    ("post_revision", "true", 20_000, "'id', 1000000 + n, 'post_id', 1000000 + n"),
    ("reaction", "true", 20_000, "'post_id', 1000000 + n, 'member_id', 1000000 + n"),
    ("bookmark", "true", 20_000, "'post_id', 1000000 + n, 'member_id', 1000000 + n"),
    ("endorsement", "true", 20_000, "'post_id', 1000000 + n, 'member_id', 1000000 + n"),
    (
        "report",
        "true",
        20_000,
        "'id', 1000000 + n, 'post_id', 1000000 + n, 'reporter_id', 1000000 + n, 'state', 'dismissed', 'created_at', n",
    ),
    ("room", "kind = 'open'", 5_000, "'id', 1000000 + n, 'slug', 'room-' || n"),
    ("room_member", "true", 20_000, "'room_id', 1000001 + n % 5000, 'member_id', 1000000 + n"),
    (
        "message",
        "deleted_at IS NULL",
        100_000,
        "'id', 1000000 + n, 'room_id', 1000001 + n % 5000, 'author_id', 1000001 + n % 20000, 'client_id', 'crowd-' || n, 'seq', n, 'number', n, 'created_at', n",
    ),
    ("message_reaction", "true", 20_000, "'message_id', 1000000 + n, 'member_id', 1000001 + n % 20000"),
    ("message_revision", "true", 20_000, "'id', 1000000 + n, 'message_id', 1000000 + n"),
    ("notice", "true", 20_000, "'id', 1000000 + n, 'member_id', 1000001 + n % 20000"),
    ("file", "true", 20_000, "'id', 1000000 + n, 'owner_id', 1000001 + n % 20000"),
    ("stored_file", "true", 20_000, "'sha256', 'crowd-' || n, 'storage_key', 'crowd-' || n"),
    ("stored_page", "true", 20_000, "'sha256', 'crowd-' || n"),
    (
        "resource",
        "deleted_at IS NULL",
        20_000,
        "'id', 1000000 + n, 'author_id', 1000000 + n, 'version_id', 1000000 + n, 'topic_id', NULL, 'created_at', n, 'updated_at', n, 'review_due', NULL",
    ),
    (
        "resource_version",
        "true",
        20_000,
        "'id', 1000000 + n, 'resource_id', 1000000 + n, 'author_id', 1000000 + n, 'sha256', 'crowd-' || n",
    ),
    ("resource_term", "true", 20_000, "'resource_id', 1000000 + n, 'folded', 'term-' || n % 500"),
    ("resource_endorsement", "true", 20_000, "'resource_id', 1000000 + n, 'member_id', 1000000 + n"),
    (
        "resource_report",
        "true",
        20_000,
        "'id', 1000000 + n, 'resource_id', 1000000 + n, 'reporter_id', 1000000 + n, 'state', 'dismissed', 'created_at', n",
    ),
    ("collection", "true", 5_000, "'id', 1000000 + n, 'author_id', 1000000 + n"),
    ("collection_item", "true", 20_000, "'collection_id', 1000001 + n % 5000, 'resource_id', 1000000 + n"),
    ("playbook", "true", 5_000, "'id', 1000000 + n, 'slug', 'crowd-' || n"),
    ("scenario", "true", 20_000, "'id', 1000000 + n, 'playbook_id', 1000001 + n % 5000"),
    (
        "case_study",
        "true",
        20_000,
        "'id', 1000000 + n, 'slug', 'crowd-' || n, 'playbook_id', 1000001 + n % 5000, 'created_by', 1000000 + n, 'owner_id', 1000000 + n, 'updated_at', n, 'state', 'draft', 'review_due', NULL",
    ),
    ("scenario_study", "true", 20_000, "'scenario_id', 1000000 + n, 'study_id', 1000000 + n"),
    ("study_author", "true", 20_000, "'study_id', 1000000 + n, 'member_id', 1000000 + n"),
    ("study_part", "true", 20_000, "'study_id', 1000000 + n"),
    ("study_part_revision", "true", 20_000, "'id', 1000000 + n, 'study_id', 1000000 + n"),
    ("study_revision", "true", 20_000, "'study_id', 1000000 + n"),
    ("study_revision_author", "true", 20_000, "'study_id', 1000000 + n, 'member_id', 1000000 + n"),
    ("study_act", "true", 20_000, "'id', 1000000 + n, 'study_id', 1000000 + n"),
    (
        "study_comment",
        "parent_id IS NULL",
        20_000,
        "'id', 1000000 + n, 'study_id', 1000000 + n, 'author_id', 1000000 + n",
    ),
    ("study_term", "true", 20_000, "'study_id', 1000000 + n, 'term', 'term-' || n % 500"),
    ("study_endorsement", "true", 20_000, "'id', 1000000 + n, 'study_id', 1000000 + n, 'member_id', 1000000 + n"),
    ("study_adoption", "true", 20_000, "'id', 1000000 + n, 'study_id', 1000000 + n, 'member_id', 1000000 + n"),
];

/// Rows of what leaves none by itself.
const MORE: &[&str] = &[
    "INSERT INTO stream SELECT 'room:crowd' || n, 10, 0, 1 FROM generate_series(1, 30000) n",
    "INSERT INTO event SELECT 'room:crowd' || n % 30000, n / 30000 + 1, 'message.posted', n, NULL, \
     (SELECT max(at) FROM event), '' FROM generate_series(1, 150000) n",
    "INSERT INTO job SELECT 1000000 + n, 'chat.notify', '{}', 'dead', 8, 1, NULL, 'x', 1, 1 FROM generate_series(1, 20000) n",
    "INSERT INTO mail SELECT 1000000 + n, 'reply', NULL, 'x@example.org', 's', 't', 'h', 'sent', 1, 1, NULL, NULL \
     FROM generate_series(1, 20000) n",
    "INSERT INTO saved_search (id, member_id, name, query, notify, created_at, checked_at) \
     SELECT 1000000 + n, 1000000 + n, 'x', 'q=x', false, 1, 1 FROM generate_series(1, 20000) n",
    "INSERT INTO api_token SELECT 1000000 + n, 1000000 + n, 'x', 'crowd-' || n, n, NULL, NULL, NULL FROM generate_series(1, 20000) n",
    "INSERT INTO invitation SELECT 1000000 + n, 'guest-' || n || '@example.org', 'crowd-' || n, 1000000 + n, '', '[]', n, 1, \
     NULL, NULL, NULL FROM generate_series(1, 20000) n",
    "INSERT INTO moderation_act (id, space_id, actor_id, action, subject_kind, subject_id, reason, created_at) \
     SELECT 1000000 + n, NULL, 1000000 + n, 'hide', 'post', n, '', n FROM generate_series(1, 20000) n",
    "INSERT INTO member_block SELECT 1000000 + n, 1000001 + n, n FROM generate_series(1, 20000) n",
    "INSERT INTO member_expertise SELECT 1000000 + n, 'tag-' || n % 500 FROM generate_series(1, 20000) n",
    "INSERT INTO one_time_token SELECT 'crowd-' || n, 'verify', 1000000 + n, NULL, n, n, NULL FROM generate_series(1, 20000) n",
    "INSERT INTO playbook_member SELECT 1000001 + n % 5000, 1000000 + n, 'editor', n FROM generate_series(1, 20000) n",
    "INSERT INTO space_invite (space_id, member_id, role, invited_by, created_at) \
     SELECT (SELECT min(id) FROM space), 1000000 + n, 'member', 1000000, n FROM generate_series(1, 20000) n",
    "INSERT INTO space_request SELECT 1000000 + n, (SELECT min(id) FROM space), 1000000 + n, '', 'declined', n, NULL, NULL \
     FROM generate_series(1, 20000) n",
    "INSERT INTO study_figure (study_id, file_id) SELECT 1000000 + n, 1000000 + n FROM generate_series(1, 20000) n",
    "INSERT INTO room_topic SELECT 1000001 + n % 5000, 1000000 + n, 1000000 + n, n FROM generate_series(1, 20000) n",
    "INSERT INTO topic_read SELECT 1000000 + n, 1000000 + n, 1, n FROM generate_series(1, 20000) n",
    "INSERT INTO tag SELECT 1000000 + n % 50, 'tag-' || n, 1 FROM generate_series(1, 20000) n",
    "INSERT INTO study_part_draft SELECT 1000000 + n, 'aim', 1000000 + n, '', '{}', '[]', 1, n FROM generate_series(1, 20000) n",
    "INSERT INTO study_follow SELECT 1000000 + n, 1000000 + n, n FROM generate_series(1, 20000) n",
    "INSERT INTO index_change (kind, subject_id, deep, at) SELECT 'topic', 1000000 + n, false, n FROM generate_series(1, 50000) n",
];

/// Fills a database, and lets it count what it has.
pub async fn fill(url: &str) {
    let mut one = ConnectOptions::new(url);
    one.max_connections(1).sqlx_logging(false);
    let db = Database::connect(one).await.unwrap();
    // What a row refers to need not be there: it is there to be passed over.
    db.execute_unprepared("SET session_replication_role = replica").await.unwrap();
    for (table, which, count, fields) in ROWS {
        let sql = format!(
            "INSERT INTO {table} SELECT y.* FROM (SELECT t FROM {table} t WHERE {which} LIMIT 1) x, \
             generate_series(1, {count}) n, LATERAL jsonb_populate_record(x.t, jsonb_build_object({fields})) y \
             ON CONFLICT DO NOTHING"
        );
        db.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
        let count = format!("SELECT count(*) FROM {table}");
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, count)).await.unwrap().unwrap();
        let rows: i64 = row.try_get_by_index(0).unwrap();
        assert!(rows > 1000, "{table} has {rows} rows: there was none to copy");
    }
    for sql in MORE {
        db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
    db.execute_unprepared("ANALYZE").await.unwrap();
    db.close().await.unwrap();
}
