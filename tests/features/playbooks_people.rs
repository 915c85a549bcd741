//! Whose a case study is: who may say so, who hears of it, and what readers are told.

use serde_json::{Value, json};

use super::playbooks::{at, notices, playbook, published, put};
use crate::support::stage::done;
use crate::support::{Client, hub_test};

/// The log of a study, the oldest first.
async fn log(who: &Client, slug: &str) -> Vec<String> {
    let page = done(&who.get(&format!("{}/log", at(slug))).await);
    let line = |of: &Value| format!("{} {}", of["kind"].as_str().unwrap(), of["note"].as_str().unwrap());
    page["items"].as_array().unwrap().iter().rev().map(line).collect()
}

hub_test!(async fn others_are_taken_out_by_whoever_began_it(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let slug = published(&ada, &bob, "Ours", "reads").await;
    let of = |handle: &str| format!("{}/authors/{handle}", at(&slug));
    done(&put(&ada, &of("eve"), &json!({"role": "author"})).await);
    // A co-author takes nobody out, and makes nobody less than an author.
    assert_eq!(eve.delete(&of("ada")).await.status, 403);
    assert_eq!(put(&eve, &of("ada"), &json!({"role": "credited"})).await.status, 403);
    // Said again, nothing is new.
    done(&put(&eve, &of("ada"), &json!({"role": "author"})).await);
    let before = ["made ", "submitted ", "published "];
    assert_eq!(log(&ada, &slug).await, [&before[..], &["joined @eve"]].concat());
    done(&ada.delete(&of("eve")).await);
    // An owner of the playbook may, and everybody may leave.
    done(&put(&ada, &of("eve"), &json!({"role": "author"})).await);
    done(&bob.delete(&of("eve")).await);
    done(&put(&ada, &of("eve"), &json!({"role": "credited"})).await);
    done(&eve.delete(&of("eve")).await);
    let told: [&str; 6] = ["joined @eve", "left @eve", "joined @eve", "left @eve", "credited @eve", "left @eve"];
    assert_eq!(log(&bob, &slug).await, [&before[..], &told[..]].concat());
    hub.settle().await;
    let mut kinds: Vec<String> =
        notices(&eve).await.iter().map(|told| told.split(' ').next().unwrap().to_owned()).collect();
    kinds.reverse();
    assert_eq!(kinds, ["study_shared", "study_left", "study_shared", "study_left", "study_credited"]);
});
