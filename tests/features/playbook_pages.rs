//! The pages of playbooks and case studies, read and used as a browser without scripts would.

use serde_json::json;

use crate::support::html::check_html;
use crate::support::stage::{done, id};
use crate::support::things::study;
use crate::support::{Answer, Client, TestHub, hub_test};

/// Olga runs a playbook with one scenario, Alan writes; both as browsers, with their tokens.
pub(super) struct Scene {
    pub olga: Client,
    pub alan: Client,
    pub book: String,
    pub study: String,
    pub editor: (Client, String),
    pub owner: (Client, String),
}

pub(super) async fn scene(hub: &TestHub) -> Scene {
    let (olga, alan) = (hub.member("olga").await, hub.member("alan").await);
    let book = "reads".to_owned();
    let new = json!({"slug": book, "title": "Reading <X-rays>", "pathway": "Radiology", "checklist": ["Sources?"]});
    done(&olga.post("/api/v1/playbooks", &new).await);
    let new = json!({"title": "I need to read faster", "steps": ["Count."]});
    let scenario = id(&done(&olga.post(&format!("/api/v1/playbooks/{book}/scenarios"), &new).await));
    let study = study(&alan, &book, &scenario).await;
    let browser = async |who: &str| {
        let browser = Client::sign_in(&hub.base, who).await;
        let csrf = browser.page("/playbooks").await.csrf();
        (browser, csrf)
    };
    Scene { editor: browser("alan").await, owner: browser("olga").await, olga, alan, book, study }
}

#[track_caller]
pub(super) fn good(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    check_html(&answer.text);
}

/// The version that a form of a page was filled from.
pub fn version(page: &Answer) -> String {
    let rest =
        page.text.split("name=\"version\" value=\"").nth(1).unwrap_or_else(|| panic!("no version: {}", page.text));
    rest.split('"').next().unwrap().to_owned()
}

/// A page that says at its top what is wrong, leads to where that is, and has the focus there.
#[track_caller]
fn refused(page: &Answer, place: &str) {
    check_html(&page.text);
    let head = page.text.split("<h1").next().unwrap();
    for what in ["<title>Error: ", "data-autofocus", "Something needs your attention", &format!("href=\"#{place}\"")] {
        assert!(head.contains(what), "{what}: {}", page.text);
    }
    assert!(page.text.contains(&format!(" id=\"{place}\"")), "{}", page.text);
}

async fn publish(s: &Scene) {
    let path = format!("/api/v1/case-studies/{}", s.study);
    done(&s.alan.post(&format!("{path}/submit"), &json!({})).await);
    done(&s.olga.post(&format!("{path}/publish"), &json!({"checklist": ["Sources?"], "note": "Well done."})).await);
}

hub_test!(async fn a_study_goes_from_draft_to_cited_by_forms_alone(hub) {
    let s = scene(hub).await;
    let (alan, csrf) = (&s.editor.0, &s.editor.1);
    let page = format!("/case-studies/{}", s.study);
    let visitor = hub.visitor();
    assert_eq!(visitor.page(&page).await.status, 404, "a draft is its authors' alone");
    good(&alan.page(&format!("{page}/edit")).await);
    good(&alan.page(&format!("{page}/submit")).await);
    let waits = "It waits for a review by somebody else";
    let early = alan.page(&format!("{page}/review")).await;
    assert!(early.text.contains("It does not wait for a review") && !early.text.contains(waits), "{}", early.text);
    let sent = alan.form(&format!("{page}/submit"), csrf, &[("note", "Please look at the outcomes.")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);

    let own = alan.page(&format!("{page}/review")).await;
    good(&own);
    assert!(own.text.contains(waits) && !own.text.contains("It does not wait for a review"), "{}", own.text);

    let (olga, token) = (&s.owner.0, &s.owner.1);
    let queue = olga.page(&format!("/playbooks/{}/reviews", s.book)).await;
    good(&queue);
    assert!(queue.text.contains(&format!("{page}/review")));
    let review = olga.page(&format!("{page}/review")).await;
    good(&review);
    let read = version(&review);
    // The checklist comes first, and what was typed stays.
    let early = olga.form(&format!("{page}/publish"), token, &[("version", &read), ("note", "I kept this note.")]).await;
    assert_eq!(early.status, 422, "{}", early.text);
    check_html(&early.text);
    assert!(early.text.contains("I kept this note."));
    let fields = [("version", read.as_str()), ("note", "Well done."), ("check", "Sources?")];
    let published = olga.form(&format!("{page}/publish"), token, &fields).await;
    assert_eq!((published.status, published.header("location")), (303, page.as_str()), "{}", published.text);
    hub.settle().await;

    let read = visitor.page(&page).await;
    good(&read);
    for what in [
        "id=\"challenge\"",
        "is-lost\" id=\"what_did_not_work\"",
        "<svg class=\"plot\"",
        "application/ld+json",
        "42 min",
        ">42<tspan font-size=\"13\" font-weight=\"400\"> min</tspan></text>",
        ">88.5<tspan font-size=\"13\" font-weight=\"400\">%</tspan></text>",
        "−74%",
        "+27.5 points",
        "n = 412",
        "CC BY 4.0",
    ] {
        assert!(read.text.contains(what), "{what}");
    }
    assert!(read.header("x-queries").parse::<u32>().unwrap() <= 8, "{}", read.header("x-queries"));
    let block = read.text.split("<script type=\"application/ld+json\">").nth(1).unwrap().split("</script>").next().unwrap();
    let article: serde_json::Value = serde_json::from_str(block).unwrap();
    assert_eq!((article["@type"].as_str(), article["author"][0]["name"].as_str()), (Some("Article"), Some("alan Example")));
    let bib = visitor.get(&format!("{page}/cite.bib")).await;
    assert!(bib.text.starts_with("@misc{"), "{}", bib.text);
    assert_eq!(visitor.get(&format!("{page}/cite.jsonld")).await.json(), article);
    assert!(visitor.get(&format!("{page}/cite.txt")).await.text.contains("Reading <X-rays>"));
    assert_eq!(visitor.get(&format!("{page}/cite.doc")).await.status, 404);

    // Those who know it stand behind it, those who use it say so.
    let silent = olga.form(&format!("{page}/endorse"), token, &[("reason", " "), ("role", "Head of imaging")]).await;
    assert_eq!(silent.status, 422);
    check_html(&silent.text);
    assert!(silent.text.contains("value=\"Head of imaging\""));
    refused(&silent, "endorse-reason");
    let mut fields = [("organisation", "Southbank"), ("site", "Ward 4"), ("status", "stopped"), ("why", ""), ("contact", "")];
    let stopped = olga.form(&format!("{page}/adopt"), token, &fields).await;
    assert_eq!(stopped.status, 422, "{}", stopped.text);
    refused(&stopped, "adopt-why");
    assert!(stopped.text.contains("(needed if you stopped)"), "{}", stopped.text);
    fields[2].1 = "dreaming";
    let unknown = olga.form(&format!("{page}/adopt"), token, &fields).await;
    assert_eq!(unknown.status, 422, "{}", unknown.text);
    refused(&unknown, "adopt-status");
    let fields = [("reason", "I have seen it on two wards."), ("role", "Head of imaging"), ("organisation", "Northbank")];
    assert_eq!(olga.form(&format!("{page}/endorse"), token, &fields).await.status, 303);
    let fields = [("organisation", "Southbank"), ("site", "Ward 4"), ("status", "piloting"), ("why", ""), ("contact", "")];
    assert_eq!(olga.form(&format!("{page}/adopt"), token, &fields).await.status, 303);
    assert_eq!(olga.form(&format!("{page}/follow"), token, &[]).await.status, 303);
    let read = olga.page(&page).await;
    good(&read);
    for what in ["I have seen it on two wards.", "Head of imaging, Northbank", "Southbank", "Piloting it", "Stop following"] {
        assert!(read.text.contains(what), "{what}");
    }
    let register = visitor.page(&format!("/playbooks/{}/users?q=southbank", s.book)).await;
    good(&register);
    assert!(register.text.contains("Ward 4") && register.text.contains(&page));
    let none = visitor.page(&format!("/playbooks/{}/users?status=live", s.book)).await;
    good(&none);
    assert!(none.text.contains("No site here yet"));
    assert_eq!(olga.form(&format!("{page}/adopt?undo=1"), token, &[]).await.status, 303);
    assert!(!olga.page(&page).await.text.contains("Southbank"));
});

hub_test!(async fn a_playbook_shows_scenarios_and_narrows_down(hub) {
    let s = scene(hub).await;
    publish(&s).await;
    hub.settle().await;
    let visitor = hub.visitor();
    let list = visitor.page("/playbooks").await;
    good(&list);
    assert!(list.text.contains("Reading &#60;X-rays&#62;") && list.text.contains("1 case study"), "{}", list.text);
    let book = format!("/playbooks/{}", s.book);
    let page = visitor.page(&book).await;
    good(&page);
    for what in ["I need to read faster", "A second reader for chest X-rays", "U-Net", "Time to report: from 42 to 11 min"] {
        assert!(page.text.contains(what), "{what}");
    }
    assert!(page.header("x-queries").parse::<u32>().unwrap() <= 8, "{}", page.header("x-queries"));
    let some = visitor.page(&format!("{book}?technology=u-net&stage=In+use")).await;
    good(&some);
    assert!(some.text.contains("A second reader"));
    assert!(some.header("x-queries").parse::<u32>().unwrap() <= 8, "{}", some.header("x-queries"));
    let none = visitor.page(&format!("{book}?technology=abacus")).await;
    good(&none);
    assert!(none.text.contains("No case study fits all of that"));
    let feed = visitor.get(&format!("{book}/feed.atom")).await;
    assert_eq!((feed.status, feed.header("content-type")), (200, "application/atom+xml; charset=utf-8"));
    assert!(feed.text.contains("<title>Reading &lt;X-rays&gt;</title>"), "{}", feed.text);
    assert_eq!(feed.text.matches("<entry>").count(), 1);
    let home = visitor.page("/").await;
    assert!(home.text.contains(&book), "a playbook stands on the first page");
});

hub_test!(async fn a_topic_becomes_a_draft_that_leads_back(hub) {
    let s = scene(hub).await;
    let space = hub.space(&s.olga, "open").await;
    let topic = hub.topic(&s.olga, &space, "Who reads at night?").await["id"].as_str().unwrap().to_owned();
    let answer = id(&hub.reply(&s.alan, &topic, None, "A second reader *helped* us.").await);
    done(&s.olga.put(&format!("/api/v1/posts/{answer}/answer")).await);
    let (olga, token) = (&s.owner.0, &s.owner.1);
    let open = olga.page(&format!("/s/{space}/t/{topic}")).await;
    assert!(open.text.contains(&format!("/case-studies/new?topic={topic}")));
    let form = olga.page(&format!("/case-studies/new?topic={topic}")).await;
    good(&form);
    assert!(form.text.contains("value=\"Who reads at night?\""));
    assert!(form.text.contains("The question goes into “The challenge” and the answers into “What we did”"));
    let made = olga.form("/case-studies/new", token, &[("topic", topic.as_str()), ("title", "Reading at night")]).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let edit = olga.page(made.header("location")).await;
    good(&edit);
    assert!(edit.text.contains("A second reader *helped* us.") && edit.text.contains("alan"), "{}", edit.text);
    let page = made.header("location").trim_end_matches("/edit").to_owned();
    let preview = olga.page(&format!("{page}?copy=working")).await;
    good(&preview);
    assert!(preview.text.contains(&format!("/s/{space}/t/{topic}")), "it leads back");
    good(&olga.page("/case-studies").await);
    // What was said in a room is named as the room is.
    let room = id(&crate::features::chat::room(&s.olga, &space, "night-reads", false).await);
    let said = id(&crate::features::chat::say(&s.olga, &room, "Who is up?").await);
    let form = olga.page(&format!("/case-studies/new?room={room}&m={said}")).await;
    good(&form);
    assert!(form.text.contains(">Room night-reads</a>"), "{}", form.text);
    assert!(form.text.contains("The text goes into “What we did”"), "{}", form.text);
    hub.settle().await;
});

hub_test!(async fn playbooks_and_scenarios_are_made_by_forms(hub) {
    let s = scene(hub).await;
    let (olga, token) = (&s.owner.0, &s.owner.1);
    let open = olga.page("/playbooks/new").await;
    good(&open);
    assert!(!open.text.contains("slug of a space") && open.text.contains("The moderators of the space you choose"));
    let fields = [("title", ""), ("slug", "A b"), ("summary", "kept"), ("visibility", "open"), ("checklist", "One?\r\nTwo?")];
    let wrong = olga.form("/playbooks/new", token, &fields).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    check_html(&wrong.text);
    assert!(wrong.text.contains("kept"));
    let fields = [("title", "Stroke"), ("slug", "stroke"), ("summary", ""), ("visibility", "open"), ("checklist", "One?\r\nTwo?")];
    let made = olga.form("/playbooks/new", token, &fields).await;
    assert_eq!((made.status, made.header("location")), (303, "/playbooks/stroke"), "{}", made.text);
    let empty = olga.page("/playbooks/stroke").await;
    good(&empty);
    assert!(empty.text.contains("This playbook is still empty"));
    let fields = [("title", "I need a scan at once"), ("description", "At *night*."), ("steps", "Call.\r\n\r\n- the ward\r\n- the scanner"), ("steps", ""), ("steps", "Scan.")];
    let added = olga.form("/playbooks/stroke/scenarios/new", token, &fields).await;
    assert_eq!(added.status, 303, "{}", added.text);
    let page = olga.page("/playbooks/stroke").await;
    good(&page);
    assert!(page.text.contains("At <em>night</em>.") && page.text.contains("Scan."));
    let scenario = page.text.split("id=\"scenario-").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let at = format!("/playbooks/stroke/scenarios/{scenario}");
    let open = olga.page(&format!("{at}/edit")).await;
    good(&open);
    assert!(open.text.contains("Call.\n\n- the ward\n- the scanner</textarea>"), "a step has paragraphs: {}", open.text);
    assert_eq!(open.text.matches("name=\"steps\"").count(), 2);
    // An empty field comes below the step that asks for it; nothing is saved.
    let more = [("version", "1"), ("title", "Typed"), ("steps", "Call."), ("steps", "Scan."), ("insert", "0")];
    let longer = olga.form(&format!("{at}/edit"), token, &more).await;
    good(&longer);
    assert!(longer.text.matches("name=\"steps\"").count() == 3 && longer.text.contains("value=\"Typed\""), "{}", longer.text);
    let fields = [("version", "1"), ("title", "I need a scan now"), ("description", ""), ("steps", "Call."), ("position", "1")];
    assert_eq!(olga.form(&format!("{at}/edit"), token, &fields).await.status, 303);
    let late = olga.form(&format!("{at}/edit"), token, &[("version", "1"), ("title", "Mine"), ("steps", "Kept.")]).await;
    assert_eq!(late.status, 412, "{}", late.text);
    check_html(&late.text);
    assert!(late.text.contains("value=\"Mine\"") && late.text.contains("Kept.</textarea>") && version(&late) == "2");
    good(&olga.page("/playbooks/stroke/edit").await);
    assert_eq!(olga.form("/playbooks/stroke/people", token, &[("handle", "@alan"), ("role", "reviewer")]).await.status, 303);
    assert!(olga.page("/playbooks/stroke/edit").await.text.contains("alan Example"));
    let page = olga.page("/playbooks/stroke").await;
    let people = page.text.split("Who looks after it").nth(1).unwrap().split("</section>").next().unwrap();
    let roles: Vec<&str> = people.split("<li>").skip(1).map(|of| of.split("class=\"label\">").nth(1).unwrap().split('<').next().unwrap()).collect();
    assert_eq!(roles, ["Owner", "Reviewer"], "{people}");
    let nobody = olga.form("/playbooks/stroke/people", token, &[("handle", "nobody"), ("role", "owner")]).await;
    assert_eq!(nobody.status, 422, "{}", nobody.text);
    check_html(&nobody.text);
    assert!(nobody.text.contains("value=\"nobody\"") && nobody.text.contains("value=\"Stroke\""));
    // The settings: a late form keeps its texts; archiving has its own.
    let open = version(&olga.page("/playbooks/stroke/edit").await);
    let new = [("version", open.as_str()), ("title", "Stroke care"), ("summary", ""), ("visibility", "open")];
    assert_eq!(olga.form("/playbooks/stroke/edit", token, &new).await.status, 303);
    let late = [("version", open.as_str()), ("title", "Late title"), ("introduction", "Late words"), ("visibility", "open")];
    let stale = olga.form("/playbooks/stroke/edit", token, &late).await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    check_html(&stale.text);
    assert!(stale.text.contains("value=\"Late title\"") && stale.text.contains("Late words"));
    assert_eq!(olga.form("/playbooks/stroke/archive", token, &[]).await.status, 303);
    assert!(!olga.page("/playbooks").await.text.contains("Stroke care"));
    assert_eq!(olga.form("/playbooks/stroke/archive?undo=1", token, &[]).await.status, 303);
    assert!(olga.page("/playbooks").await.text.contains("Stroke care"));
    assert_eq!(olga.form("/playbooks/stroke/people/remove", token, &[("handle", "alan")]).await.status, 303);
    assert_eq!(olga.form(&format!("{at}/remove"), token, &[]).await.status, 303);
    assert!(!olga.page("/playbooks/stroke").await.text.contains("I need a scan now"));
    hub.settle().await;
});
