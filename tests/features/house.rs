//! The hub starts, answers and says how it is.

use crate::support::hub_test;

hub_test!(async fn a_new_hub_is_ready(hub) {
    let answer = hub.visitor().get("/readyz").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["components"]["database"]["state"], "ok");
});

hub_test!(async fn what_is_not_there_is_a_problem_for_programs_and_a_page_for_people(hub) {
    let answer = hub.visitor().get("/api/v1/nothing").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["status"], 404);
    let page = hub.visitor().page("/nothing").await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("<h1>"));
});
