//! Jobs and scheduled work, shared out among nodes: one does it, and another if that one dies.

use praxis_server::entities::{job, kinds::JobState, mail, setting};
use praxis_server::jobs;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::json;

use crate::support::nodes::{on_two_nodes, until};

/// How long a job stays with a node that took it, microseconds; and a moment more.
const LEASE: i64 = 5 * 60 * 1_000_000 + 1_000_000;

#[test]
fn a_job_of_a_node_that_died_is_done_by_another() {
    on_two_nodes("leases", async |nodes, _| {
        let [first, second] = nodes.states();
        // Jobs of no kind that exists fail, which is how one sees who ran them.
        let made = first.store.write(async |tx| {
            tx.enqueue_at("nobody.knows", &json!({}), tx.now() + LEASE * 10).await?;
            Ok(())
        });
        made.await.unwrap();
        let id = job::Entity::find().one(first.store.read()).await.unwrap().unwrap().id;
        let look = async || job::Entity::find_by_id(id).one(second.store.read()).await.unwrap().unwrap();
        // A node takes it as it is due, and is never heard of again.
        nodes.first.clock.advance(LEASE * 10 + 1);
        let take = async || {
            let now = look().await;
            now.state == JobState::Running || now.attempts > 0
        };
        let _taken = jobs::take(first, jobs::Lane::Quick, 16).await.unwrap();
        until("somebody has taken it", take).await;
        let before = look().await;
        nodes.first.clock.advance(LEASE);
        until("another node tries it when the lease is over", async || look().await.attempts > before.attempts).await;
        first
            .store
            .write(async move |tx| {
                job::Entity::delete_by_id(id).exec(tx.conn()).await?;
                Ok(())
            })
            .await
            .unwrap();
    });
}

#[test]
fn every_job_is_done_once_by_two_nodes_that_both_look() {
    on_two_nodes("once", async |nodes, _| {
        let ada = nodes.first.member("ada").await;
        let there = nodes.there(&ada);
        let before = mail::Entity::find().count(nodes.first.state().store.read()).await.unwrap();
        for number in 0..6 {
            let client = if number % 2 == 0 { &ada } else { &there };
            let body = json!({"emails": [format!("guest-{number}@example.org")]});
            let answer = client.post("/api/v1/invitations", &body).await;
            assert!(answer.status < 300, "{} {}", answer.status, answer.text);
        }
        nodes.first.settle().await;
        let mails = mail::Entity::find().all(nodes.first.state().store.read()).await.unwrap();
        let mut guests: Vec<&str> =
            mails.iter().map(|mail| mail.to_address.as_str()).filter(|to| to.starts_with("guest-")).collect();
        guests.sort_unstable();
        let once: Vec<String> = (0..6).map(|number| format!("guest-{number}@example.org")).collect();
        assert_eq!(guests, once, "{before} mails before");
    });
}

#[test]
fn what_comes_round_runs_once_however_many_nodes_there_are() {
    on_two_nodes("schedule", async |nodes, _| {
        let [first, second] = nodes.states();
        let marks = async || {
            let rows = setting::Entity::find().filter(setting::Column::Key.starts_with("schedule."));
            let mut rows = rows.all(first.store.read()).await.unwrap();
            rows.sort_by(|one, other| one.key.cmp(&other.key));
            rows.into_iter().map(|row| (row.key, row.updated_at)).collect::<Vec<_>>()
        };
        until("every task has run once", async || {
            let marks = marks().await;
            marks.len() >= 3 && marks.iter().all(|(_, at)| *at > 0)
        })
        .await;
        let before = marks().await;
        // Within the period nobody runs anything again, whoever asks.
        for state in [first, second] {
            jobs::run_due(state).await.unwrap();
        }
        assert_eq!(marks().await, before);
        nodes.first.clock.advance(2 * 3600 * 1_000_000);
        let (one, other) = tokio::join!(jobs::run_due(first), jobs::run_due(second));
        one.unwrap();
        other.unwrap();
        until("every task has run again", async || {
            marks().await.iter().zip(&before).all(|((_, now), (_, before))| now > before)
        })
        .await;
        let after = marks().await;
        for state in [first, second] {
            jobs::run_due(state).await.unwrap();
        }
        assert_eq!(marks().await, after, "once is enough");
    });
}
