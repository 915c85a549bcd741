//! Administration: who runs the hub, how it is called, what it says, and its jobs.

use praxis_server::entities::job;
use praxis_server::entities::kinds::JobState;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use serde_json::json;

use crate::support::{Client, hub_test};

hub_test!(async fn administration_is_for_administrators(hub) {
    let admin = hub.member("ruth").await;
    let member = hub.member("minna").await;
    for path in ["/api/v1/admin/settings", "/api/v1/admin/members", "/api/v1/admin/jobs"] {
        assert_eq!(hub.visitor().get(path).await.status, 401, "{path}");
        assert_eq!(member.get(path).await.status, 403, "{path}");
        assert_eq!(admin.get(path).await.status, 200, "{path}");
    }
    let (admin, member) = (Client::sign_in(&hub.base, "ruth").await, Client::sign_in(&hub.base, "minna").await);
    for path in ["/admin", "/admin/spaces", "/admin/log", "/admin/hub", "/admin/pages", "/admin/pages/conduct", "/admin/invitations", "/admin/jobs"] {
        let visitor = hub.visitor().page(path).await;
        assert_eq!((visitor.status, visitor.header("location").starts_with("/login?next=")), (303, true), "{path}");
        assert_eq!(member.page(path).await.status, 403, "{path}");
        let page = admin.page(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert_eq!(page.text.matches("<h1").count(), 1, "{path}");
        assert!(!page.text.contains("admin.") && !page.text.contains("moderation."), "a word is missing on {path}");
        let queries: u32 = page.header("x-queries").parse().unwrap();
        assert!(queries <= 11, "{path} asks the database {queries} times");
    }
});

hub_test!(async fn a_role_counts_at_once_and_the_last_administrator_stays(hub) {
    let root = hub.member("ruth").await;
    let second = hub.member("sara").await;
    let role = |role: &str| json!({"role": role});
    assert_eq!(second.get("/api/v1/admin/settings").await.status, 403);
    assert_eq!(root.patch("/api/v1/admin/members/ruth", &role("member")).await.status, 409);
    assert_eq!(root.patch("/api/v1/admin/members/sara", &role("king")).await.status, 422);
    assert_eq!(root.patch("/api/v1/admin/members/nobody-here", &role("member")).await.status, 404);
    let made = root.patch("/api/v1/admin/members/sara", &role("administrator")).await;
    assert_eq!((made.status, made.json()["role"].as_str()), (200, Some("administrator")));
    assert_eq!(second.get("/api/v1/admin/settings").await.status, 200);
    assert_eq!(second.patch("/api/v1/admin/members/ruth", &role("member")).await.status, 200);
    assert_eq!(root.get("/api/v1/admin/settings").await.status, 403);
    assert_eq!(second.patch("/api/v1/admin/members/sara", &role("expert")).await.status, 409);
    let log = Client::sign_in(&hub.base, "sara").await.page("/admin/log").await;
    assert!(log.text.contains("Changed the role of"));
});

hub_test!(async fn members_are_found_by_name_state_and_page(hub) {
    let root = hub.member("ruth").await;
    for handle in ["ada", "bob", "under_score"] {
        hub.member(handle).await;
    }
    let handles = async |query: &str| {
        let answer = root.get(&format!("/api/v1/admin/members?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let json = answer.json();
        let names: Vec<String> =
            json["items"].as_array().unwrap().iter().map(|one| one["handle"].as_str().unwrap().to_owned()).collect();
        (names, json["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(handles("q=ADA").await.0, ["ada"]);
    assert_eq!(handles("q=bob@example.org").await.0, ["bob"]);
    assert_eq!(handles("q=r_s").await.0, ["under_score"], "a wildcard is a letter like others");
    assert!(handles("q=%25").await.0.is_empty());
    assert_eq!(root.post("/api/v1/members/bob/suspend", &json!({})).await.status, 204);
    assert_eq!(handles("state=suspended").await.0, ["bob"]);
    let (first, next) = handles("limit=3").await;
    assert_eq!(first, ["under_score", "bob", "ada"]);
    assert_eq!(handles(&format!("limit=3&cursor={}", next.unwrap())).await.0, ["ruth"]);
    assert_eq!(root.get("/api/v1/admin/members?state=odd").await.status, 422);
});

hub_test!(async fn settings_show_on_pages_at_once(hub) {
    let root = hub.member("ruth").await;
    assert!(hub.visitor().page("/privacy").await.text.contains("Praxis"));
    let change = json!({"name": "Northmere Hub", "welcome": "**Welcome** <script>alert(1)</script>", "members_make_spaces": false});
    let changed = root.patch("/api/v1/admin/settings", &change).await;
    assert_eq!((changed.status, changed.json()["name"].as_str()), (200, Some("Northmere Hub")), "{}", changed.text);
    assert!(!changed.json()["welcome_html"].as_str().unwrap().contains("<script"));
    assert!(hub.visitor().page("/privacy").await.text.contains("Northmere Hub"));
    assert_eq!(root.patch("/api/v1/admin/settings", &json!({"name": " "})).await.status, 422);
    assert_eq!(root.patch("/api/v1/admin/settings", &json!({"name": 7})).await.status, 422);
    assert_eq!(root.get("/api/v1/admin/settings").await.json()["members_make_spaces"], false);

    let browser = Client::sign_in(&hub.base, "ruth").await;
    let form = browser.page("/admin/hub").await;
    let bad = browser.form("/admin/hub", &form.csrf(), &[("name", ""), ("welcome", "kept as typed")]).await;
    assert_eq!(bad.status, 422);
    assert!(bad.text.contains("error-summary") && bad.text.contains("kept as typed"));
    let good = browser.form("/admin/hub", &form.csrf(), &[("name", "Westmere Hub"), ("members_make_spaces", "yes")]).await;
    assert_eq!(good.status, 303);
    assert!(hub.visitor().page("/conduct").await.text.contains("Westmere Hub"));
});

hub_test!(async fn pages_have_versions_and_nobody_overwrites_another(hub) {
    hub.member("ruth").await;
    for path in ["/privacy", "/conduct", "/accessibility"] {
        let page = hub.visitor().page(path).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("Version 1") && page.text.contains("<h2>"), "{path}");
    }
    let browser = Client::sign_in(&hub.base, "ruth").await;
    let form = browser.page("/admin/pages/conduct").await;
    let new = [("title", "Conduct"), ("body", "## Be kind\n\nAlways."), ("version", "1")];
    assert_eq!(browser.form("/admin/pages/conduct", &form.csrf(), &new).await.status, 303);
    let page = hub.visitor().page("/conduct").await;
    assert!(page.text.contains("Version 2") && page.text.contains("<h2>Be kind</h2>"), "{}", page.text);
    let late = [("title", "Conduct"), ("body", "Something else"), ("version", "1")];
    assert_eq!(browser.form("/admin/pages/conduct", &form.csrf(), &late).await.status, 412);
    let empty = [("title", "Kept title"), ("body", ""), ("version", "2")];
    let bad = browser.form("/admin/pages/conduct", &form.csrf(), &empty).await;
    assert_eq!((bad.status, bad.text.contains("Kept title")), (422, true));
    assert_eq!(browser.page("/admin/pages/nothing").await.status, 404);
});

/// A PNG of one red pixel.
fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(1, 1, image::Rgb([255, 0, 0]));
    image::DynamicImage::ImageRgb8(image).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

hub_test!(async fn a_logo_is_encoded_anew_served_and_removed(hub) {
    hub.member("ruth").await;
    let browser = Client::sign_in(&hub.base, "ruth").await;
    let csrf = browser.page("/admin/hub").await.csrf();
    assert_eq!(hub.visitor().get("/logo").await.status, 404);
    let send = async |csrf: &str, logo: Option<Vec<u8>>| {
        let mut form = reqwest::multipart::Form::new().text("_csrf", csrf.to_owned());
        form = match logo {
            Some(bytes) => form.part("logo", reqwest::multipart::Part::bytes(bytes).file_name("logo.png")),
            None => form.text("remove", "yes"),
        };
        let request = browser.request("POST", "/admin/hub/logo").header("Origin", &hub.base).header("Accept", "text/html");
        browser.send(request.multipart(form)).await
    };
    assert_eq!(send("wrong", Some(png())).await.status, 403);
    assert_eq!(send(&csrf, Some(b"<svg onload=alert(1)>".to_vec())).await.status, 422);
    let mut padded = png();
    padded.extend_from_slice(b"hidden words");
    let kept = send(&csrf, Some(padded)).await;
    assert_eq!(kept.status, 303, "{}", kept.text);
    let page = hub.visitor().page("/privacy").await;
    let address = page.text.split_once("src=\"/logo").unwrap().1.split('"').next().unwrap().to_owned();
    let logo = hub.visitor().get(&format!("/logo{address}")).await;
    assert_eq!((logo.status, logo.header("content-type")), (200, "image/png"));
    assert!(!logo.text.contains("hidden words"));
    assert_eq!(send(&csrf, None).await.status, 303);
    assert_eq!(hub.visitor().get("/logo").await.status, 404);
    assert!(!hub.visitor().page("/privacy").await.text.contains("/logo?"));
});

hub_test!(async fn a_job_that_was_given_up_is_tried_again(hub) {
    let root = hub.member("ruth").await;
    hub.settle().await;
    let id = hub
        .state()
        .store
        .write(async |tx| {
            let id = tx.id();
            let row = job::ActiveModel {
                id: Set(id),
                kind: Set("people.delete_blobs".into()),
                payload: Set("{\"keys\":[\"test/none\"]}".into()),
                state: Set(JobState::Dead),
                attempts: Set(8),
                run_at: Set(tx.now()),
                locked_until: Set(None),
                last_error: Set(Some("the store was away".into())),
                created_at: Set(tx.now()),
                finished_at: Set(Some(tx.now())),
            };
            job::Entity::insert(row).exec_without_returning(tx.conn()).await?;
            Ok(praxis_server::store::Id(id).to_string())
        })
        .await
        .unwrap();
    let list = root.get("/api/v1/admin/jobs?state=dead").await.json();
    assert_eq!((list["items"][0]["id"].as_str(), list["items"][0]["last_error"].as_str()), (Some(id.as_str()), Some("the store was away")));
    assert!(!list.to_string().contains("test/none"), "what a job carries is not shown");
    let page = Client::sign_in(&hub.base, "ruth").await.page("/admin/jobs").await;
    assert!(page.text.contains("the store was away"));
    assert_eq!(root.request("POST", "/api/v1/admin/jobs/0000000000000/retry").send().await.unwrap().status().as_u16(), 404);
    let retry = |key: &str| {
        root.send(root.request("POST", &format!("/api/v1/admin/jobs/{id}/retry")).header("Idempotency-Key", key))
    };
    let again = retry("k").await;
    assert_eq!(again.status, 204, "{}", again.text);
    hub.settle().await;
    assert_eq!(retry("k").await.status, 204, "the same answer under the same key");
    assert_eq!(retry("l").await.status, 404);
    assert!(root.get("/api/v1/admin/jobs").await.json()["items"].as_array().unwrap().is_empty(), "the job ran and is gone");
});

hub_test!(async fn a_pasted_list_is_invited_and_what_is_wrong_is_kept(hub) {
    hub.member("ruth").await;
    let browser = Client::sign_in(&hub.base, "ruth").await;
    let csrf = browser.page("/admin/invitations").await.csrf();
    let bad = browser.form("/admin/invitations", &csrf, &[("emails", "kari@example.org\nnobody")]).await;
    assert_eq!((bad.status, bad.text.contains("kari@example.org")), (422, true));
    let good = browser.form("/admin/invitations", &csrf, &[("emails", "kari@example.org, ward6@example.org")]).await;
    assert_eq!(good.status, 303, "{}", good.text);
    let page = browser.page("/admin/invitations").await;
    assert!(page.text.contains("kari@example.org") && page.text.contains("ward6@example.org"));
    let revoke = page.text.split_once("action=\"/admin/invitations/").unwrap().1.split('"').next().unwrap().to_owned();
    assert_eq!(browser.form(&format!("/admin/invitations/{revoke}"), &csrf, &[]).await.status, 303);
    assert!(browser.page("/admin/invitations").await.text.contains("Withdrawn"));
});

hub_test!(async fn the_api_is_shown_whole_on_a_page(hub) {
    let document = hub.visitor().get("/api/openapi.json").await.json();
    let page = hub.visitor().page("/api/docs").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(!page.text.contains("admin.api."), "a word is missing");
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if item.get(method).is_some() {
                let title = format!("<code>{} {path}</code>", method.to_uppercase());
                assert!(page.text.contains(&title), "{title} is not on the page");
            }
        }
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(page.text.contains(&format!("id=\"schema-{name}\"")), "{name} is not on the page");
    }
});

hub_test!(async fn a_sign_in_link_brings_an_imported_account_to_its_owner(hub) {
    use praxis_server::entities::kinds::MemberState;
    use praxis_server::entities::member;
    use sea_orm::sea_query::Expr;
    use sea_orm::{ColumnTrait, QueryFilter};
    hub.member("ruth").await;
    hub.member("minna").await;
    let unclaim = hub.state().store.write(async |tx| {
        member::Entity::update_many()
            .col_expr(member::Column::State, Expr::value(MemberState::Unclaimed.as_str()))
            .col_expr(member::Column::PasswordHash, Expr::value(Option::<String>::None))
            .filter(member::Column::Handle.eq("minna"))
            .exec(tx.conn())
            .await?;
        Ok(())
    });
    unclaim.await.unwrap();
    let browser = Client::sign_in(&hub.base, "ruth").await;
    let csrf = browser.page("/admin").await.csrf();
    assert_eq!(browser.form("/admin/members/nobody-here/link", &csrf, &[]).await.status, 404);
    assert_eq!(browser.form("/admin/members/minna/link", "wrong", &[]).await.status, 403);
    let page = browser.form("/admin/members/minna/link", &csrf, &[]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let link = page.text.split_once("id=\"link\">").unwrap().1.split('<').next().unwrap().to_owned();
    let path = link.strip_prefix(&hub.base).unwrap();
    assert_eq!(hub.visitor().page(path).await.status, 200, "{link}");
    let log = browser.page("/admin/log").await;
    assert!(log.text.contains("Made a sign-in link for") && !log.text.contains(path));
});

hub_test!(async fn where_members_make_no_spaces_facilitators_do(hub) {
    let root = hub.member("ruth").await;
    let (finn, mia) = (hub.member("finn").await, hub.member("mia").await);
    assert_eq!(root.patch("/api/v1/admin/members/finn", &json!({"role": "facilitator"})).await.status, 200);
    let make = async |who: &Client, slug: &str| {
        let body = json!({"slug": slug, "name": slug, "description": "", "visibility": "open"});
        who.post("/api/v1/spaces", &body).await
    };
    assert_eq!(make(&mia, "before").await.status, 201, "as a hub begins");
    assert_eq!(root.patch("/api/v1/admin/settings", &json!({"members_make_spaces": false})).await.status, 200);
    let refused = make(&mia, "after").await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    let browser = Client::sign_in(&hub.base, "mia").await;
    let list = browser.page("/spaces").await;
    assert!(!list.text.contains("href=\"/spaces/new\""), "{}", list.text);
    assert_eq!(browser.page("/spaces/new").await.status, 403);
    let fields = [("name", "After"), ("slug", "after"), ("description", ""), ("visibility", "open")];
    assert_eq!(browser.form("/spaces/new", &list.csrf(), &fields).await.status, 403);
    assert_eq!(make(&finn, "after").await.status, 201);
    let browser = Client::sign_in(&hub.base, "finn").await;
    assert!(browser.page("/spaces").await.text.contains("href=\"/spaces/new\""));
});
