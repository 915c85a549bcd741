//! The editor of case studies by forms alone: parts, drafts, conflicts, comments.

use serde_json::json;

use super::playbook_pages::{good, scene, version};
use crate::support::html::{check_fragment, check_html};
use crate::support::stage::done;
use crate::support::{Answer, hub_test};

/// The page shows what stands there beside what he typed, with the version he saw and the one he began on.
#[track_caller]
fn confronted(page: &Answer, versions: &str) {
    check_html(&page.text);
    for what in ["class=\"conflict\"", "Mine alone.</textarea>", versions] {
        assert!(page.text.contains(what), "{what}: {}", page.text);
    }
}

hub_test!(async fn whoever_is_overtaken_keeps_every_word_and_sees_the_other(hub) {
    let s = scene(hub).await;
    let path = format!("/api/v1/case-studies/{}", s.study);
    done(&s.alan.put_json(&format!("{path}/authors/olga"), &json!({"role": "author"})).await);
    let (alan, csrf) = (&s.editor.0, &s.editor.1);
    let (olga, token) = (&s.owner.0, &s.owner.1);
    let edit = format!("/case-studies/{}/edit", s.study);
    let form = format!("{edit}/aim");
    assert!(alan.page(&edit).await.text.contains("Half the wait."));
    let first = olga.form(&form, token, &[("version", "1"), ("body", "A third of the wait.\r\nBy May.")]).await;
    assert_eq!(first.status, 303, "{}", first.text);
    let mine = "Half the wait, or less.\r\nFor <everybody>.";
    let second = alan.form(&form, csrf, &[("version", "1"), ("body", mine)]).await;
    assert_eq!(second.status, 412, "{}", second.text);
    check_html(&second.text);
    for what in ["For &#60;everybody&#62;.", "A third of the wait.", "<ins>", "name=\"version\" value=\"2\""] {
        assert!(second.text.contains(what), "{what}: {}", second.text);
    }
    let saved = s.alan.get(&format!("{path}/parts/aim")).await.json();
    assert_eq!(saved["body"], "A third of the wait.\nBy May.", "nothing was overwritten");
    // It is kept as a draft, on the page as well.
    let again = alan.page(&edit).await;
    good(&again);
    assert!(again.text.contains("For &#60;everybody&#62;.") && again.text.contains("Your draft, not saved"));
    let merged = alan.form(&form, csrf, &[("version", "2"), ("body", "A third of the wait, or less.")]).await;
    assert_eq!(merged.status, 303, "{}", merged.text);
    let page = alan.page(&edit).await;
    assert!(page.text.contains("A third of the wait, or less.") && !page.text.contains("Your draft, not saved"));
    // Theirs is taken without saving anything.
    let stale = alan.form(&form, csrf, &[("version", "1"), ("body", "Mine alone")]).await;
    assert_eq!(stale.status, 412);
    let taken = alan.form(&form, csrf, &[("version", "3"), ("take", "theirs")]).await;
    assert_eq!((taken.status, taken.header("location")), (303, format!("{edit}#aim").as_str()));
    assert!(!alan.page(&edit).await.text.contains("Mine alone"));
});

hub_test!(async fn a_draft_that_conflicts_says_so_until_it_is_settled(hub) {
    let s = scene(hub).await;
    let path = format!("/api/v1/case-studies/{}", s.study);
    let part = format!("{path}/parts/aim");
    done(&s.alan.put_json(&format!("{path}/authors/olga"), &json!({"role": "author"})).await);
    let (alan, csrf) = (&s.editor.0, &s.editor.1);
    let edit = format!("/case-studies/{}/edit", s.study);
    let form = format!("{edit}/aim");
    let versions = |seen: i32| {
        format!("name=\"version\" value=\"{seen}\"><input type=\"hidden\" name=\"base\" value=\"1\">")
    };
    // He begins on version 1; she saves; whenever he comes back he is told, also when he typed on.
    let typed = json!({"body": "Mine alone.", "base_version": 1});
    done(&s.alan.put_json(&format!("{part}/draft"), &typed).await);
    done(&s.olga.patch(&part, &json!({"body": "A third of the wait."})).await);
    confronted(&alan.page(&edit).await, &versions(2));
    done(&s.alan.put_json(&format!("{part}/draft"), &typed).await);
    confronted(&alan.page(&edit).await, &versions(2));
    confronted(&alan.page(&form).await, &versions(2));
    // She saves again after he saw the first: what he began on stays what it was.
    done(&s.olga.patch(&part, &json!({"body": "A quarter of the wait."})).await);
    let late = alan.form(&form, csrf, &[("version", "2"), ("base", "1"), ("body", "Mine alone.")]).await;
    assert_eq!(late.status, 412, "{}", late.text);
    confronted(&late, &versions(3));
    let kept = done(&s.alan.get(&format!("{part}/draft")).await);
    assert_eq!((&kept["base_version"], &kept["behind"]), (&json!(1), &json!(true)));
    confronted(&alan.page(&edit).await, &versions(3));
    // A form that comes back for another reason says it as well.
    let longer = [("version", "3"), ("base", "1"), ("body", "Mine alone."), ("more", "1")];
    let longer = alan.form(&form, csrf, &longer).await;
    assert_eq!(longer.status, 200, "{}", longer.text);
    confronted(&longer, &versions(3));
    assert_eq!(s.alan.get(&part).await.json()["body"], "A quarter of the wait.", "nothing was overwritten");
    let saved = alan.form(&form, csrf, &[("version", "3"), ("base", "1"), ("body", "Mine and hers.")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let page = alan.page(&edit).await;
    good(&page);
    assert!(!page.text.contains("class=\"conflict\"") && page.text.contains("Mine and hers."));
    assert_eq!(s.alan.get(&format!("{part}/draft")).await.status, 404);
    hub.settle().await;
});

hub_test!(async fn parts_are_written_by_forms_that_lose_nothing(hub) {
    let s = scene(hub).await;
    let (alan, csrf) = (&s.editor.0, &s.editor.1);
    let edit = format!("/case-studies/{}/edit", s.study);
    let outcomes = format!("{edit}/outcomes");
    let version = "1";
    let row = |name: &'static str, before: &'static str, after: &'static str| {
        [
            ("m.name", name), ("m.before", before), ("m.after", after), ("m.unit", "min"), ("m.n", ""),
            ("m.period", ""), ("m.method", ""), ("m.source", ""),
        ]
    };
    let mut fields = vec![("version", version), ("body", "Shorter.")];
    fields.extend(row("Wait", "ninety", "30"));
    let wrong = alan.form(&outcomes, csrf, &fields).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    check_html(&wrong.text);
    assert!(wrong.text.contains("value=\"ninety\"") && wrong.text.contains("Measure 1, Before"), "{}", wrong.text);
    // One more row, nothing saved.
    let mut more = fields.clone();
    more.push(("more", "1"));
    let longer = alan.form(&outcomes, csrf, &more).await;
    good(&longer);
    assert_eq!(longer.text.matches("name=\"m.name\"").count(), 2);
    let mut fields = vec![("version", version), ("body", "Shorter.")];
    fields.extend(row("Wait", "90 min", "30"));
    // A row that is empty is no measure.
    fields.extend(row("", "", "").map(|(name, value)| (name, if name == "m.unit" { "" } else { value })));
    let saved = alan.form(&outcomes, csrf, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let part = s.alan.get(&format!("/api/v1/case-studies/{}/parts/outcomes", s.study)).await.json();
    assert_eq!((part["measures"][0]["before"].as_f64(), part["measures"].as_array().unwrap().len()), (Some(90.0), 1));

    // Fields beside a text, and a script that gets the part alone.
    let supplier = [("version", "1"), ("body", "Northbank Software."), ("field.paid_by", "The trust"), ("field.interest", "None.")];
    assert_eq!(alan.form(&format!("{edit}/supplier"), csrf, &supplier).await.status, 303);
    let fragment = alan
        .send(alan.request("GET", &format!("{edit}/supplier?fragment=part")).header("X-Requested-With", "fetch"))
        .await;
    check_fragment(&fragment.text);
    assert!(fragment.text.contains("The trust") && fragment.text.contains("data-progress"));
    let day = alan.form(&format!("{edit}/review_due"), csrf, &[("version", "0"), ("body", "soon")]).await;
    assert_eq!(day.status, 422, "{}", day.text);
    assert_eq!(alan.page(&format!("{edit}/nothing")).await.status, 404);

    // What is about the whole.
    let open = alan.page(&format!("{edit}/about")).await;
    good(&open);
    let version = self::version(&open);
    let terms = "U-Net\r\nONNX, the runtime";
    let about = [("version", version.as_str()), ("title", "A new title"), ("playbook", s.book.as_str()), ("terms.technology", terms)];
    assert_eq!(alan.form(&format!("{edit}/about"), csrf, &about).await.status, 303);
    let page = alan.page(&edit).await;
    assert!(page.text.contains("A new title") && page.text.contains("ONNX, the runtime"));
    let terms = s.alan.get(&format!("/api/v1/case-studies/{}", s.study)).await.json()["terms"]["technology"].clone();
    assert_eq!(terms, json!(["ONNX, the runtime", "U-Net"]), "a comma stands in a term");
    // Somebody was quicker: nothing is overwritten, and what was typed stays.
    let late = [("version", version.as_str()), ("title", "My own title"), ("playbook", s.book.as_str()), ("terms.stage", "kept")];
    let stale = alan.form(&format!("{edit}/about"), csrf, &late).await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    check_html(&stale.text);
    assert!(stale.text.contains("value=\"My own title\"") && stale.text.contains("kept</textarea>"), "{}", stale.text);
    assert!(alan.page(&edit).await.text.contains("A new title"));
    let version = self::version(&stale);
    let none = alan.form(&format!("{edit}/about"), csrf, &[("version", version.as_str()), ("title", ""), ("playbook", s.book.as_str()), ("terms.stage", "kept")]).await;
    assert_eq!(none.status, 422);
    check_html(&none.text);
    assert!(none.text.contains("kept</textarea>"));
    // Whoever is nobody is a fault of the field, with what was typed.
    let nobody = alan.form(&format!("/case-studies/{}/authors", s.study), csrf, &[("handle", "no body"), ("role", "credited")]).await;
    assert_eq!(nobody.status, 422, "{}", nobody.text);
    check_html(&nobody.text);
    assert!(nobody.text.contains("value=\"no body\"") && nobody.text.contains("href=\"#handle\""));
});

hub_test!(async fn comments_are_answered_and_resolved_beside_their_part(hub) {
    let s = scene(hub).await;
    let (alan, csrf) = (&s.editor.0, &s.editor.1);
    let (olga, token) = (&s.owner.0, &s.owner.1);
    done(&s.alan.post(&format!("/api/v1/case-studies/{}/submit", s.study), &json!({})).await);
    let page = format!("/case-studies/{}", s.study);
    let post = format!("{page}/comments");
    let sent = olga.form(&post, token, &[("part", "aim"), ("from", "review"), ("body", "By *when*?")]).await;
    assert_eq!((sent.status, sent.header("location")), (303, format!("{page}/review#comments-aim").as_str()), "{}", sent.text);
    let empty = olga.form(&post, token, &[("part", "aim"), ("from", "review"), ("body", " ")]).await;
    assert_eq!(empty.status, 422);
    check_html(&empty.text);
    let edit = alan.page(&format!("{page}/edit")).await;
    good(&edit);
    assert!(edit.text.contains("By <em>when</em>?") && edit.text.contains("1 open comment"), "{}", edit.text);
    let comment = edit.text.split("id=\"comment-").find_map(|rest| rest.split('"').next().filter(|id| id.len() == 13)).unwrap().to_owned();
    let reply = [("part", "aim"), ("parent", comment.as_str()), ("body", "By May.")];
    assert_eq!(alan.form(&post, csrf, &reply).await.status, 303);
    let resolve = format!("{post}/{comment}/resolve");
    assert_eq!(alan.form(&resolve, csrf, &[("part", "aim")]).await.status, 303);
    let edit = alan.page(&format!("{page}/edit")).await;
    good(&edit);
    assert!(edit.text.contains("Resolved by alan Example") && edit.text.contains("By May."));
    assert_eq!(alan.form(&format!("{resolve}?undo=1"), csrf, &[("part", "aim")]).await.status, 303);
    assert!(!alan.page(&format!("{page}/edit")).await.text.contains("Resolved by alan Example"));
    hub.settle().await;
});
