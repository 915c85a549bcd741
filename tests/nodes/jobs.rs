//! Jobs and scheduled work, shared out among nodes: one does it, and another if that one dies.

use praxis_server::entities::{job, kinds::JobState, setting};
use praxis_server::jobs;
use praxis_server::web::error::AppError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::json;

use crate::support::hub_test;
use crate::support::nodes::{a_moment, on_two_nodes, through_redis, until};
use crate::support::smtp::Smtp;

/// How long a job stays with a node that took it, microseconds; and a moment more.
const LEASE: i64 = 5 * 60 * 1_000_000 + 1_000_000;
const MINUTE: i64 = 60 * 1_000_000;
const HOUR: i64 = 60 * MINUTE;

#[test]
fn a_job_of_a_node_that_died_is_done_by_another() {
    on_two_nodes("leases", async |nodes, _| {
        nodes.first.expect_failing_jobs();
        let [first, second] = nodes.states();
        // A node took it and is never heard of again: no other may have it before its lease is over.
        // Jobs of no kind that exists fail, which is how one sees that somebody ran them.
        let taken = first.store.write(async |tx| {
            tx.enqueue_at("nobody.knows", &json!({}), tx.now() + 10 * LEASE).await?;
            job::Entity::update_many()
                .col_expr(job::Column::State, Expr::value(JobState::Running.as_str()))
                .col_expr(job::Column::RunAt, Expr::value(tx.now()))
                .col_expr(job::Column::LockedUntil, Expr::value(tx.now() + LEASE))
                .filter(job::Column::Kind.eq("nobody.knows"))
                .exec(tx.conn())
                .await?;
            Ok(())
        });
        taken.await.unwrap();
        let look = async || {
            let row = job::Entity::find().filter(job::Column::Kind.eq("nobody.knows"));
            row.one(second.store.read()).await.unwrap().unwrap()
        };
        let dead = look().await;
        nodes.first.clock.advance(LEASE - MINUTE);
        for state in [first, second] {
            assert!(jobs::take(state, jobs::Lane::Quick, 16).await.unwrap().iter().all(|job| job.id != dead.id));
        }
        assert_eq!(look().await, dead, "it is still the dead node's");
        nodes.first.clock.advance(MINUTE + 2_000_000);
        // The node's death was an attempt too.
        let failed = async || look().await.attempts == 2 && look().await.state == JobState::Ready;
        until("another node tries it when the lease is over", failed).await;
        // Should the first one come back, it has nothing to say any more.
        let now = look().await;
        assert!(!jobs::done(first, &dead).await.unwrap());
        assert!(!jobs::failed(first, &dead, &AppError::internal("late")).await.unwrap());
        assert_eq!(look().await, now);
        let id = dead.id;
        let gone = first.store.write(async move |tx| {
            job::Entity::delete_by_id(id).exec(tx.conn()).await?;
            Ok(())
        });
        gone.await.unwrap();
    });
}

#[test]
fn every_letter_is_delivered_once_by_two_nodes_that_both_look() {
    let smtp = Smtp::start();
    through_redis("once", &[("smtp_url", &smtp.url()), ("rate_limit", "off")], async |nodes, _| {
        let ada = nodes.first.member("ada").await;
        let there = nodes.there(&ada);
        for number in 0..12 {
            let client = if number % 2 == 0 { &ada } else { &there };
            let body = json!({"emails": [format!("guest-{number:02}@example.org")]});
            let answer = client.post("/api/v1/invitations", &body).await;
            assert!(answer.status < 300, "{} {}", answer.status, answer.text);
        }
        nodes.first.settle().await;
        let mut guests: Vec<String> =
            smtp.letters().into_iter().map(|letter| letter.to).filter(|to| to.starts_with("guest-")).collect();
        guests.sort_unstable();
        let once: Vec<String> = (0..12).map(|number| format!("guest-{number:02}@example.org")).collect();
        assert_eq!(guests, once);
    });
}

#[test]
fn a_mail_server_that_says_nothing_holds_up_no_notice_and_no_stop() {
    // It takes connections, and never greets.
    let silent = super::starting::impostor(b"");
    let url = format!("smtp://127.0.0.1:{silent}");
    through_redis("silent mail", &[("smtp_url", &url), ("rate_limit", "off")], async |nodes, _| {
        nodes.first.expect_failing_jobs();
        let ada = nodes.first.member("ada").await;
        let bob = nodes.first.member("bob").await;
        let emails: Vec<String> = (0..12).map(|number| format!("guest-{number}@example.org")).collect();
        assert!(ada.post("/api/v1/invitations", &json!({"emails": emails})).await.status < 300);
        let space = nodes.first.space(&ada, "open").await;
        assert!(bob.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await.status < 300);
        let topic = nodes.first.topic(&ada, &space, "Who is told?").await;
        nodes.first.reply(&bob, topic["id"].as_str().unwrap(), None, "You are, @ada.").await;
        until("the notice is there while the mail server says nothing", async || {
            !ada.get("/api/v1/notices").await.json()["items"].as_array().unwrap().is_empty()
        })
        .await;
        // So that nothing is left over that the end of the test would wait for.
        let gone = nodes.first.state().store.write(async |tx| {
            job::Entity::delete_many().filter(job::Column::Kind.eq("accounts.send_mail")).exec(tx.conn()).await?;
            Ok(())
        });
        gone.await.unwrap();
    });
}

#[test]
fn what_comes_round_runs_once_however_many_nodes_there_are() {
    on_two_nodes("schedule", async |nodes, _| {
        let [first, second] = nodes.states();
        // Whoever moves the mark forward runs it: of two that ask at once one does, in each period.
        for _period in 0..20 {
            let now = nodes.first.clock.now();
            let (one, other) =
                tokio::join!(jobs::claim(first, "test.round", HOUR), jobs::claim(second, "test.round", HOUR));
            let leases: Vec<i64> = [one.unwrap(), other.unwrap()].into_iter().flatten().collect();
            assert_eq!(leases.len(), 1);
            jobs::ran(first, "test.round", leases[0], now).await.unwrap();
            nodes.first.clock.advance(HOUR - MINUTE);
            for state in [first, second] {
                assert_eq!(jobs::claim(state, "test.round", HOUR).await.unwrap(), None, "once is enough");
            }
            nodes.first.clock.advance(MINUTE + 1_000_000);
        }
    });
}

#[test]
fn a_task_whose_node_died_is_taken_by_another_when_its_lease_is_over() {
    on_two_nodes("schedule lease", async |nodes, _| {
        let [first, second] = nodes.states();
        assert!(jobs::claim(first, "test.dying", HOUR).await.unwrap().is_some());
        assert!(jobs::claim(second, "test.dying", HOUR).await.unwrap().is_none());
        nodes.first.clock.advance(LEASE);
        let taken = jobs::claim(second, "test.dying", HOUR).await.unwrap().expect("it is free again");
        // The first comes back and has nothing to say.
        jobs::ran(first, "test.dying", taken - 1, nodes.first.clock.now()).await.unwrap();
        nodes.first.clock.advance(LEASE);
        assert!(jobs::claim(first, "test.dying", HOUR).await.unwrap().is_some(), "nobody has ended it");
    });
}

#[test]
fn a_task_that_takes_long_stays_with_its_node() {
    on_two_nodes("schedule long", async |nodes, _| {
        let [first, second] = nodes.states();
        let mark = async || {
            let row = setting::Entity::find_by_id("test.long").one(second.store.read()).await.unwrap();
            row.map_or(0, |row| row.updated_at)
        };
        let leased = jobs::claim(first, "test.long", HOUR).await.unwrap().expect("it is free");
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let running = jobs::keeping(first, "test.long", HOUR, leased, async { ended.await.is_ok() });
        let watching = async {
            // Longer than its lease in all, and never so for one look at it.
            for _ in 0..3 {
                let before = mark().await;
                nodes.first.clock.advance(LEASE * 2 / 3);
                until("the lease is renewed", async || mark().await > before).await;
                assert_eq!(jobs::claim(second, "test.long", HOUR).await.unwrap(), None, "it still runs");
            }
            end.send(()).unwrap();
        };
        let ((went, kept), ()) = tokio::join!(running, watching);
        assert!(went && kept > leased && kept == mark().await);
        let now = nodes.first.clock.now();
        jobs::ran(first, "test.long", kept, now).await.unwrap();
        assert_eq!(mark().await, now, "it is noted that it ran");
        // A run that hangs has its lease no longer than some hours, and then it is another's.
        nodes.first.clock.advance(HOUR);
        let leased = jobs::claim(first, "test.long", HOUR).await.unwrap().expect("it is due");
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let running = jobs::keeping(first, "test.long", HOUR, leased, async { ended.await.is_ok() });
        let watching = async {
            // Just before the longest that a run may take, its lease is renewed still.
            nodes.first.clock.advance(6 * HOUR - LEASE / 3);
            until("the lease is renewed", async || mark().await > leased).await;
            // After it no more, however often it is looked at.
            let last = mark().await;
            nodes.first.clock.advance(LEASE * 2 / 3);
            let renewed = async {
                while mark().await == last {
                    a_moment().await;
                }
            };
            let looked = tokio::time::timeout(std::time::Duration::from_secs(3), renewed).await;
            assert!(looked.is_err(), "it is renewed no more");
            nodes.first.clock.advance(LEASE);
            until("another takes it", async || jobs::claim(second, "test.long", HOUR).await.unwrap().is_some()).await;
            end.send(()).unwrap();
        };
        let ((_, kept), ()) = tokio::join!(running, watching);
        jobs::ran(first, "test.long", kept, 1).await.unwrap();
        assert!(mark().await > 1, "it is not its any more");
    });
}

hub_test!(async fn a_task_that_fails_is_run_again(hub) {
    let mark = async || {
        let row = setting::Entity::find_by_id("schedule.tidy_rows").one(hub.state().store.read()).await.unwrap();
        row.map_or(0, |row| row.updated_at)
    };
    let just_ran = async || mark().await > hub.clock.now() - 60_000_000;
    let change = async |sql: &'static str| {
        let changed = hub.state().store.write(async move |tx| {
            tx.conn().execute_unprepared(sql).await?;
            Ok(())
        });
        changed.await.unwrap();
    };
    until("the first round is over", just_ran).await;
    let first = mark().await;
    change("ALTER TABLE idempotent_answer RENAME TO set_aside").await;
    hub.clock.advance(HOUR);
    until("the task was tried", async || mark().await != first).await;
    let tried = mark().await;
    assert!(!just_ran().await, "it failed");
    change("ALTER TABLE set_aside RENAME TO idempotent_answer").await;
    hub.clock.advance(LEASE);
    until("it is run again, and long before its period is over", async || mark().await != tried).await;
});

hub_test!(async fn a_job_that_ends_its_process_is_given_up_in_the_end(hub) {
    hub.expect_failing_jobs();
    // Nine processes died of it; the tenth has just done so.
    let died = hub.state().store.write(async |tx| {
        tx.enqueue_at("nobody.knows", &json!({}), tx.now() + 10 * LEASE).await?;
        job::Entity::update_many()
            .col_expr(job::Column::State, Expr::value(JobState::Running.as_str()))
            .col_expr(job::Column::Attempts, Expr::value(9))
            .col_expr(job::Column::LockedUntil, Expr::value(tx.now() - 1))
            .filter(job::Column::Kind.eq("nobody.knows"))
            .exec(tx.conn())
            .await?;
        Ok(())
    });
    died.await.unwrap();
    let look = async || {
        let row = job::Entity::find().filter(job::Column::Kind.eq("nobody.knows"));
        row.one(hub.state().store.read()).await.unwrap().unwrap()
    };
    until("it is given up", async || look().await.state == JobState::Dead).await;
    let dead = look().await;
    assert_eq!((dead.attempts, dead.locked_until), (10, None));
    assert!(dead.last_error.unwrap().contains("process died") && dead.finished_at.is_some());
});
