//! Two transactions at once on PostgreSQL: what is allowed is asked after the wait, not before it.
//! On SQLite one write comes after the other.

use praxis_server::store::Id;
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement, TransactionTrait as _};
use serde_json::json;

use super::chat::{room, say};
use crate::support::stage::{done, id};
use crate::support::{Answer, Db, TestHub, run};

/// Acts while a transaction with these statements is open, which ends once the act waits for it.
async fn while_open(hub: &TestHub, statements: &[String], act: impl Future<Output = Answer>) -> Answer {
    const WAITING: &str = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                           AND datname = current_database()";
    let db = Database::connect(&hub.settings["database_url"]).await.unwrap();
    let open = db.begin().await.unwrap();
    for statement in statements {
        open.execute_unprepared(statement).await.unwrap();
    }
    let end = async {
        loop {
            let asked = db.query_one_raw(Statement::from_string(DbBackend::Postgres, WAITING)).await;
            if asked.unwrap().unwrap().try_get::<i64>("", "n").unwrap() > 0 {
                break;
            }
            crate::support::nodes::a_moment().await;
        }
        open.commit().await.unwrap();
    };
    let both = tokio::time::timeout(std::time::Duration::from_secs(20), async { tokio::join!(act, end) });
    let (answer, ()) = both.await.expect("the act waits for the transaction");
    db.close().await.unwrap();
    answer
}

fn number(id: &str) -> i64 {
    id.parse::<Id>().unwrap().0
}

#[test]
fn rights_are_asked_for_after_the_wait() {
    run(Db::Postgres, "races", async |hub| {
        let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
        let space = hub.space(&ada, "restricted").await;
        done(&bob.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await);
        let made = room(&ada, &space, "hall", false).await;
        let (hall, at) = (id(&made), format!("/api/v1/rooms/{}", id(&made)));
        let said = number(&id(&say(&ada, &hall, "Quote me.").await));
        let bobs = number(&id(&done(&bob.get("/api/v1/me").await)));

        // What is quoted is taken back at the same time.
        let wish = json!({"messages": [Id(said).to_string()], "title": "Quoted", "kind": "discussion", "tags": []});
        let taken_back = [
            format!("SELECT id FROM room WHERE id = {} FOR UPDATE", number(&hall)),
            format!("UPDATE message SET deleted_at = 1, version = version + 1 WHERE id = {said}"),
        ];
        let quoting = async { bob.post(&format!("{at}/topics"), &wish).await };
        let quoted = while_open(hub, &taken_back, quoting).await;
        assert_eq!(quoted.status, 409, "{}", quoted.text);

        // A room becomes private while somebody who reads it for the first time says so.
        let eve = hub.member("eve").await;
        let closed = [format!("UPDATE room SET kind = 'private' WHERE id = {}", number(&hall))];
        let reading = async { eve.put_json(&format!("{at}/read"), &json!({"seq": 1})).await };
        assert_eq!(while_open(hub, &closed, reading).await.status, 404);
        assert_eq!(eve.get(&at).await.status, 404, "it let nobody in");

        // A message and a block: one after the other.
        let writing = [format!("SELECT id FROM member WHERE id = {bobs} FOR SHARE")];
        let block = async { ada.put("/api/v1/members/bob/block").await };
        assert_eq!(while_open(hub, &writing, block).await.status, 204);

        // Somebody is taken out of a space while they make a room in it.
        let taken_out = [
            format!("SELECT id FROM space WHERE slug = '{space}' FOR UPDATE"),
            format!("DELETE FROM space_member WHERE member_id = {bobs}"),
        ];
        let new = json!({"slug": "mine", "name": "Mine", "purpose": "", "private": true});
        let making = async { bob.post(&format!("/api/v1/spaces/{space}/rooms"), &new).await };
        assert_eq!(while_open(hub, &taken_out, making).await.status, 403);
    });
}
