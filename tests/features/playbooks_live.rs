//! What readers of playbooks see without asking twice: the stream of a playbook, pages that are
//! kept for visitors and fall with it, what waits for a member, and the cover.

use praxis_server::ports::clock::DAY;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::playbooks::{at, playbook, published, put, step, study, whole};
use crate::support::html::check_html;
use crate::support::stage::{done, id};
use crate::support::{Client, Socket, hub_test};

hub_test!(async fn readers_are_told_what_is_new_in_a_playbook(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let made = playbook(&bob, "reads", None).await;
    let stream = made["stream"].as_str().unwrap().to_owned();
    assert_eq!((stream.starts_with("playbook:"), &made["head"]), (true, &json!(0)));
    let mut reader = Socket::open(&eve).await;
    assert_eq!(reader.subscribe(&stream, Some(0), None).await["type"], "subscribed");
    let draft = study(&ada, "Read live", "reads").await;
    done(&step(&ada, &draft, "submit", &json!({})).await);
    done(&step(&bob, &draft, "publish", &json!({})).await);
    let first = reader.events(1).await.remove(0);
    assert_eq!((&first["event"], &first["seq"]), (&json!("study.published"), &json!(1)), "a draft is its authors' alone");
    let data = &first["data"];
    assert_eq!((&data["slug"], &data["title"], &data["revision"], &data["retired"]), (&json!(draft), &json!("Read live"), &json!(1), &json!(false)));
    done(&put(&eve, &format!("{}/endorsement", at(&draft)), &json!({"reason": "I saw it."})).await);
    done(&put(&eve, &format!("{}/adoption", at(&draft)), &json!({"status": "live", "organisation": "Vale"})).await);
    let told = reader.events(2).await;
    assert_eq!((&told[0]["event"], &told[0]["data"]["endorsement_count"]), (&json!("study.endorsed"), &json!(1)));
    assert_eq!((&told[1]["event"], &told[1]["data"]["adoption_count"]), (&json!("study.adopted"), &json!(1)));
    done(&bob.post("/api/v1/playbooks/reads/scenarios", &json!({"title": "I need speed"})).await);
    let told = reader.events(1).await.remove(0);
    assert_eq!((&told["event"], &told["data"]["slug"], &told["data"]["study_count"]), (&json!("playbook.changed"), &json!("reads"), &json!(1)));
    // A new title is the writers' until it is published.
    done(&ada.patch(&at(&draft), &json!({"title": "Secret title"})).await);
    done(&step(&bob, &draft, "retire", &json!({})).await);
    let told = reader.events(1).await.remove(0);
    assert_eq!((&told["event"], &told["data"]["title"], &told["data"]["retired"]), (&json!("study.retired"), &json!("Read live"), &json!(true)));
    // Who may no longer read it hears no more.
    let space = hub.space(&bob, "private").await;
    done(&bob.patch("/api/v1/playbooks/reads", &json!({"visibility": "restricted", "space": space})).await);
    let lost = reader.next_of("unsubscribed").await;
    assert_eq!((&lost["stream"], &lost["code"]), (&json!(stream), &json!("forbidden")));
    assert_eq!(reader.subscribe(&stream, Some(0), None).await["code"], "not_found");
    hub.settle().await;
});

hub_test!(async fn visitors_pages_are_kept_until_something_on_them_is_new(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let scenario = id(&done(&bob.post("/api/v1/playbooks/reads/scenarios", &json!({"title": "I need speed"})).await));
    let mut body = whole("Kept", "reads");
    body["scenarios"] = json!([scenario]);
    let slug = done(&ada.post("/api/v1/case-studies", &body).await)["slug"].as_str().unwrap().to_owned();
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&bob, &slug, "publish", &json!({})).await);
    hub.settle().await;
    let visitor = hub.visitor();
    let (page, book) = (format!("/case-studies/{slug}"), "/playbooks/reads");
    let read = async |path: &str| {
        let answer = visitor.page(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        (answer.header("x-queries").parse::<u32>().unwrap(), answer.text)
    };
    for path in [page.as_str(), book, "/playbooks/reads?technology=u-net"] {
        let (cold, first) = read(path).await;
        assert!((1..=8).contains(&cold), "{path}: {cold}");
        assert_eq!(read(path).await, (0, first), "{path} is kept");
    }
    done(&put(&eve, &format!("{}/endorsement", at(&slug)), &json!({"reason": "I saw it work."})).await);
    assert!(read(&page).await.1.contains("I saw it work."));
    done(&put(&eve, &format!("{}/adoption", at(&slug)), &json!({"status": "live", "organisation": "Vale Trust"})).await);
    assert!(read(&page).await.1.contains("Vale Trust"));
    read(book).await;
    done(&bob.patch(&format!("/api/v1/playbooks/reads/scenarios/{scenario}"), &json!({"title": "I need calm"})).await);
    assert!(read(book).await.1.contains("I need calm") && read(&page).await.1.contains("I need calm"));
    done(&eve.patch("/api/v1/me", &json!({"display_name": "Eve Anew"})).await);
    assert!(read(&page).await.1.contains("Eve Anew"));
    read("/playbooks/reads?all=1").await;
    done(&step(&bob, &slug, "retire", &json!({})).await);
    assert!(!read("/playbooks/reads?all=1").await.1.contains(">Kept<"));
    assert!(read(&page).await.1.contains("is-warning"));
    // Withdrawn from visitors, it is gone at once.
    let space = hub.space(&bob, "restricted").await;
    done(&bob.patch("/api/v1/playbooks/reads", &json!({"visibility": "restricted", "space": space})).await);
    for path in [page.as_str(), book] {
        assert_eq!(visitor.page(path).await.status, 404, "{path}");
    }
    for who in [&ada, &bob, &eve] {
        let browser = Client::sign_in(&hub.base, &who.handle).await;
        for path in [page.as_str(), book] {
            browser.page(path).await;
            let answer = browser.page(path).await;
            let count = answer.header("x-queries").parse::<u32>().unwrap();
            assert!(answer.status == 200 && count <= 8, "{path} as {}: {count}", who.handle);
        }
    }
    hub.settle().await;
});

hub_test!(async fn reviews_that_wait_for_a_member_stand_on_their_first_page(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let slug = study(&ada, "Waits for Bob", "reads").await;
    done(&step(&ada, &slug, "submit", &json!({})).await);
    hub.settle().await;
    let home = async |who: &Client| Client::sign_in(&hub.base, &who.handle).await.page("/").await.text;
    let reviewer = home(&bob).await;
    check_html(&reviewer);
    let review = format!("/case-studies/{slug}/review");
    assert!(reviewer.contains(&review) && reviewer.contains("To review: Waits for Bob"), "{reviewer}");
    for other in [&ada, &eve] {
        assert!(!home(other).await.contains("Waits for Bob"), "neither its author nor a reader");
    }
    done(&bob.put_json("/api/v1/playbooks/reads/people/eve", &json!({"role": "reviewer"})).await);
    assert!(home(&eve).await.contains(&review));
    done(&step(&eve, &slug, "publish", &json!({})).await);
    hub.settle().await;
    assert!(!home(&bob).await.contains("Waits for Bob"));
    // A year later it is its author's to look at again, until somebody is named who keeps it.
    hub.clock.advance(366 * DAY);
    assert!(home(&ada).await.contains("Look at it again: Waits for Bob"));
    assert!(home(&bob).await.contains("Look at it again: Waits for Bob"), "an owner of the playbook");
    assert!(!home(&eve).await.contains("Look at it again"));
    hub.settle().await;
});

/// A PNG of some pixels.
fn png(side: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_fn(side, side, |x, y| {
        image::Rgb([u8::try_from(x % 256).unwrap(), 90, u8::try_from(y % 256).unwrap()])
    });
    image::DynamicImage::ImageRgb8(image).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

hub_test!(async fn a_cover_is_put_up_and_taken_away_by_its_form(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let (owner, other) = (Client::sign_in(&hub.base, "bob").await, Client::sign_in(&hub.base, "ada").await);
    let (csrf, token) = (owner.page("/playbooks").await.csrf(), other.page("/playbooks").await.csrf());
    let send = async |who: &Client, csrf: &str, bytes: Option<Vec<u8>>, words: &str| {
        let mut form = Form::new().text("_csrf", csrf.to_owned()).text("cover_alt", words.to_owned());
        if let Some(bytes) = bytes {
            form = form.part("cover", Part::bytes(bytes).file_name("cover.png"));
        }
        let request = who.request("POST", "/playbooks/reads/cover").header("Origin", &hub.base).header("Accept", "text/html");
        who.send(request.multipart(form)).await
    };
    let form = owner.page("/playbooks/reads/edit").await;
    check_html(&form.text);
    assert!(form.text.contains("action=\"/playbooks/reads/cover\""));
    for (bytes, words, status, said) in [
        (Some(png(4)), "", 422, "What the cover shows"),
        (None, "A ward", 422, "Picture for the cover"),
        (Some(b"no picture at all".to_vec()), "A ward", 415, "has to be a picture"),
    ] {
        let refused = send(&owner, &csrf, bytes, words).await;
        assert_eq!(refused.status, status, "{}", refused.text);
        check_html(&refused.text);
        assert!(refused.text.contains(said) && refused.text.contains("error-summary"), "{said}");
        assert!(words.is_empty() || refused.text.contains("value=\"A ward\""), "what was typed stays");
    }
    assert_eq!(send(&other, &token, Some(png(4)), "A ward").await.status, 403);
    assert_eq!(send(&owner, "wrong", Some(png(4)), "A ward").await.status, 403);
    let visitor = hub.visitor();
    assert!(!visitor.page("/playbooks/reads").await.text.contains("cover-image"));
    let put = send(&owner, &csrf, Some(png(40)), "A ward at <night>").await;
    assert_eq!((put.status, put.header("location")), (303, "/playbooks/reads/edit#cover-form"), "{}", put.text);
    let page = visitor.page("/playbooks/reads").await;
    check_html(&page.text);
    assert!(page.text.contains("cover-image") && page.text.contains("alt=\"A ward at &#60;night&#62;\""), "{}", page.text);
    let list = visitor.page("/playbooks").await;
    assert!(list.text.contains("card-cover") && list.text.contains("A ward at &#60;night&#62;"));
    let view = done(&ada.get("/api/v1/playbooks/reads").await);
    let picture = visitor.get(view["cover_url"].as_str().unwrap()).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    assert!(owner.page("/playbooks/reads/edit").await.text.contains("value=\"A ward at &#60;night&#62;\""));
    let taken = owner.form("/playbooks/reads/cover/remove", &csrf, &[]).await;
    assert_eq!(taken.status, 303, "{}", taken.text);
    assert!(!visitor.page("/playbooks/reads").await.text.contains("cover-image"));
    assert_eq!(other.form("/playbooks/reads/cover/remove", &token, &[]).await.status, 403);
    let _unread = published(&ada, &bob, "Any", "reads").await;
    hub.settle().await;
});
