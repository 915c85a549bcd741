//! Imports: a small dump of our own with every oddity that real ones have.

use std::path::{Path, PathBuf};

use praxis_server::entities::kinds::MemberState;
use praxis_server::entities::{import_ref, member, post, post_revision, space, tag, topic, topic_tag};
use praxis_server::features::imports::Report;
use praxis_server::features::imports::stackexchange::{Options, import};
use praxis_server::ports::clock::parse_rfc3339;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;

use crate::support::{TestHub, hub_test};

const POSTS: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>
<posts>
  <row Id=\"1\" PostTypeId=\"1\" AcceptedAnswerId=\"3\" CreationDate=\"2019-03-01T10:00:00.000\" Score=\"7\" ViewCount=\"90\" Body=\"&lt;p&gt;How do I keep bread from &lt;b&gt;drying&lt;/b&gt; out? See &lt;a href=&quot;/questions/9&quot;&gt;here&lt;/a&gt; and &lt;a href=&quot;https://baking.stackexchange.com/q/2&quot;&gt;there&lt;/a&gt;.&lt;/p&gt;&#xA;&lt;p&gt;&lt;img src=&quot;https://pictures.example/loaf.png&quot; alt=&quot;a loaf&quot;&gt;&lt;/p&gt;\" OwnerUserId=\"11\" LastEditDate=\"2019-03-02T10:00:00.000\" Title=\"How does bread stay fresh?\" Tags=\"&lt;bread&gt;&lt;c++&gt;\" NewFangled=\"yes\" ContentLicense=\"CC BY-SA 4.0\" />
  <row Id=\"2\" PostTypeId=\"1\" CreationDate=\"2019-03-01T11:00:00.000\" Score=\"-2\" Body=\"&lt;p&gt;Is rye heavier?&lt;/p&gt;\" OwnerDisplayName=\"gone baker\" Title=\"Rye &amp;amp; wheat\" Tags=\"|bread|rye|\" ClosedDate=\"2019-03-03T00:00:00.000\" />
  <row Id=\"3\" PostTypeId=\"2\" ParentId=\"1\" CreationDate=\"2019-03-01T12:00:00.000\" Score=\"4\" Body=\"&lt;p&gt;Wrap it in cloth.&lt;/p&gt;&lt;pre&gt;&lt;code&gt;wrap(loaf);&lt;/code&gt;&lt;/pre&gt;\" OwnerUserId=\"12\" />
  <row Id=\"4\" PostTypeId=\"5\" CreationDate=\"2019-03-01T12:00:00.000\" Body=\"a tag's wiki\" OwnerUserId=\"14\" />
  <row Id=\"5\" PostTypeId=\"4\" CreationDate=\"2019-03-01T12:00:00.000\" Body=\"\" />
  <row Id=\"6\" PostTypeId=\"2\" ParentId=\"1\" CreationDate=\"2019-03-01T10:30:00.000\" Score=\"1\" Body=\"&lt;p&gt;Eat it sooner.&lt;/p&gt;\" OwnerUserId=\"99\" />
  <row Id=\"7\" PostTypeId=\"2\" ParentId=\"1\" CreationDate=\"2019-03-01T12:00:00.000\" Body=\"an open quote OwnerUserId=12 />
  <row Id=\"8\" PostTypeId=\"2\" ParentId=\"1\" CreationDate=\"some day\" Body=\"a strange date\" OwnerUserId=\"12\" />
  <row Id=\"9\" PostTypeId=\"2\" ParentId=\"777\" CreationDate=\"2019-03-01T12:00:00.000\" Body=\"its question is missing\" OwnerUserId=\"12\" />
</posts>
";

const USERS: &str = "<users>
  <row Id=\"11\" DisplayName=\"Ólaf Crumb\" CreationDate=\"2018-01-01T00:00:00.000\" AboutMe=\"private\" Location=\"nowhere\" />
  <row Id=\"12\" DisplayName=\"Mara Crust\" CreationDate=\"2018-01-02T00:00:00.000\" />
  <row Id=\"13\" DisplayName=\"Reads only\" CreationDate=\"2018-01-03T00:00:00.000\" />
</users>";

const COMMENTS: &str = "<comments>
  <row Id=\"21\" PostId=\"1\" Score=\"3\" Text=\"Which *kind* of bread?\" CreationDate=\"2019-03-01T11:30:00.000\" UserId=\"12\" />
  <row Id=\"22\" PostId=\"3\" Score=\"0\" Text=\"Cloth works, @Mara.\" CreationDate=\"2019-03-05T09:00:00.000\" UserDisplayName=\"gone baker\" />
  <row Id=\"23\" PostId=\"4\" Score=\"0\" Text=\"on a wiki\" CreationDate=\"2019-03-05T09:00:00.000\" UserId=\"11\" />
</comments>";

const HISTORY: &str = "<posthistory>
  <row Id=\"31\" PostHistoryTypeId=\"2\" PostId=\"1\" RevisionGUID=\"a\" CreationDate=\"2019-03-01T10:00:00.000\" UserId=\"11\" Text=\"How do I keep bred?\" />
  <row Id=\"32\" PostHistoryTypeId=\"1\" PostId=\"1\" RevisionGUID=\"a\" CreationDate=\"2019-03-01T10:00:00.000\" UserId=\"11\" Text=\"Bred\" />
  <row Id=\"33\" PostHistoryTypeId=\"3\" PostId=\"1\" RevisionGUID=\"a\" CreationDate=\"2019-03-01T10:00:00.000\" UserId=\"11\" Text=\"&lt;bread&gt;\" />
  <row Id=\"34\" PostHistoryTypeId=\"5\" PostId=\"1\" RevisionGUID=\"b\" CreationDate=\"2019-03-02T09:00:00.000\" UserId=\"12\" Comment=\"spelling\" Text=\"How do I keep bread?\" />
  <row Id=\"35\" PostHistoryTypeId=\"4\" PostId=\"1\" RevisionGUID=\"c\" CreationDate=\"2019-03-02T10:00:00.000\" UserId=\"12\" Text=\"How does bread stay fresh?\" />
  <row Id=\"36\" PostHistoryTypeId=\"10\" PostId=\"2\" RevisionGUID=\"d\" CreationDate=\"2019-03-03T00:00:00.000\" UserId=\"12\" Text=\"{}\" />
  <row Id=\"37\" PostHistoryTypeId=\"2\" PostId=\"3\" RevisionGUID=\"e\" CreationDate=\"2019-03-01T12:00:00.000\" UserId=\"12\" Text=\"Wrap it in cloth.\" />
</posthistory>";

/// A dump in a folder of its own below the hub's data.
fn dump(hub: &TestHub, files: &[(&str, &str)]) -> PathBuf {
    let folder = hub.data_dir.join("dump");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    folder
}

fn whole(hub: &TestHub) -> PathBuf {
    dump(hub, &[("Posts.xml", POSTS), ("Users.xml", USERS), ("Comments.xml", COMMENTS), ("PostHistory.xml", HISTORY)])
}

fn options(folder: &Path) -> Options {
    Options { folder: folder.to_owned(), space: "baking".into(), owner: None, site: None, quiet: true }
}

async fn run(hub: &TestHub, folder: &Path) -> Report {
    import(hub.state(), &options(folder)).await.unwrap()
}

async fn posts(hub: &TestHub) -> Vec<post::Model> {
    post::Entity::find()
        .order_by_asc(post::Column::TopicId)
        .order_by_asc(post::Column::TreePos)
        .all(hub.state().store.read())
        .await
        .unwrap()
}

async fn handle_of(hub: &TestHub, id: i64) -> String {
    member::Entity::find_by_id(id).one(hub.state().store.read()).await.unwrap().unwrap().handle
}

hub_test!(async fn a_dump_becomes_topics_replies_and_members(hub) {
    hub.member("ada").await;
    let report = run(hub, &whole(hub)).await;
    assert_eq!((report.questions, report.answers, report.comments), (2, 2, 2));
    assert_eq!((report.members, report.revisions, report.skipped), (4, 3, 2));
    // The open quote, the strange date, the answer without a question, the comment on a wiki.
    assert_eq!(report.broken, 4);
    assert_eq!(report.site.as_deref(), Some("baking.stackexchange.com"));

    let db = hub.state().store.read();
    let topics = topic::Entity::find().order_by_asc(topic::Column::CreatedAt).all(db).await.unwrap();
    let (bread, rye) = (&topics[0], &topics[1]);
    assert_eq!(bread.title, "How does bread stay fresh?");
    assert_eq!((bread.post_count, bread.answer_count, bread.score, bread.rank), (4, 1, 7, 11));
    assert_eq!(bread.created_at, parse_rfc3339("2019-03-01T10:00:00Z").unwrap());
    assert_eq!(bread.activity_at, parse_rfc3339("2019-03-05T09:00:00Z").unwrap());
    assert_eq!(rye.score, -2);
    assert_eq!(rye.closed_at, parse_rfc3339("2019-03-03T00:00:00Z"));

    let all = posts(hub).await;
    let of = |topic: &topic::Model| all.iter().filter(|post| post.topic_id == topic.id).cloned().collect::<Vec<_>>();
    let thread = of(bread);
    let bodies: Vec<(i32, &str)> = thread.iter().map(|post| (post.depth, post.body.lines().next().unwrap())).collect();
    assert_eq!(bodies[1..], [
        (0, "Eat it sooner."),
        (0, "Which *kind* of bread?"),
        (0, "Wrap it in cloth."),
        (1, "Cloth works, @Mara."),
    ]);
    assert_eq!(thread[0].id, bread.first_post_id);
    assert_eq!(thread[0].tree_pos, 0);
    assert!(thread[0].body.contains("**drying**"), "{}", thread[0].body);
    assert!(thread[0].body.contains("https://baking.stackexchange.com/questions/9"), "{}", thread[0].body);
    assert!(!thread[0].body_html.contains("<img"), "{}", thread[0].body_html);
    assert_eq!(thread[4].parent_id, Some(thread[3].id));
    assert_eq!(thread[3].reply_count, 1);
    assert_eq!(thread[3].answer_by, Some(bread.author_id));
    assert!(thread[1].answer_at.is_none());
    assert_eq!(thread[3].score, 4);
    assert_eq!(bread.last_post_id, Some(thread[4].id));
    let urls: Vec<&str> = thread.iter().map(|post| post.source_url.as_deref().unwrap()).collect();
    assert_eq!(urls, [
        "https://baking.stackexchange.com/questions/1",
        "https://baking.stackexchange.com/a/6",
        "https://baking.stackexchange.com/questions/1#comment21_1",
        "https://baking.stackexchange.com/a/3",
        "https://baking.stackexchange.com/a/3#comment22_3",
    ]);
    let authors: Vec<&str> = thread.iter().map(|post| post.source_author.as_deref().unwrap()).collect();
    assert_eq!(authors, ["Ólaf Crumb", "user99", "Mara Crust", "Mara Crust", "gone baker"]);
    assert_eq!(handle_of(hub, thread[3].author_id).await, "mara-crust-12");

    let tags = topic_tag::Entity::find().order_by_asc(topic_tag::Column::Tag).all(db).await.unwrap();
    let names: Vec<&str> = tags.iter().map(|tag| tag.tag.as_str()).collect();
    assert_eq!(names, ["bread", "bread", "c++", "rye"]);
    let bread_tag = tag::Entity::find().filter(tag::Column::Name.eq("bread")).one(db).await.unwrap().unwrap();
    assert_eq!(bread_tag.topic_count, 2);
    let place = space::Entity::find().one(db).await.unwrap().unwrap();
    assert_eq!((place.slug.as_str(), place.topic_count), ("baking", 2));
});

hub_test!(async fn edits_become_revisions(hub) {
    hub.member("ada").await;
    run(hub, &whole(hub)).await;
    let db = hub.state().store.read();
    let revisions = post_revision::Entity::find().order_by_asc(post_revision::Column::Number).all(db).await.unwrap();
    let states: Vec<_> = revisions
        .iter()
        .map(|of| (of.number, of.title.as_deref().unwrap(), of.tags.as_deref().unwrap(), of.body.as_str(), of.note.as_str()))
        .collect();
    assert_eq!(states, [
        (1, "Bred", "bread", "How do I keep bred?", ""),
        (2, "Bred", "bread", "How do I keep bread?", "spelling"),
        (3, "How does bread stay fresh?", "bread", "How do I keep bread?", ""),
    ]);
    let edited = post::Entity::find_by_id(revisions[0].post_id).one(db).await.unwrap().unwrap();
    assert_eq!((edited.revision_count, edited.is_first), (3, true));
    // Never edited: its one state is the post itself.
    let other = post::Entity::find().filter(post::Column::RevisionCount.gt(0)).count(db).await.unwrap();
    assert_eq!(other, 1);
});

hub_test!(async fn a_second_run_adds_what_is_new_and_nothing_twice(hub) {
    hub.member("ada").await;
    let folder = dump(hub, &[("Posts.xml", POSTS), ("Users.xml", USERS)]);
    let first = run(hub, &folder).await;
    assert_eq!((first.posts(), first.revisions), (4, 0));
    // The rest of the dump comes later.
    let second = run(hub, &whole(hub)).await;
    assert_eq!((second.questions, second.answers, second.comments, second.revisions), (0, 0, 2, 3));
    assert_eq!(second.known, 4);
    let before = (posts(hub).await, topic::Entity::find().all(hub.state().store.read()).await.unwrap());
    let third = run(hub, &whole(hub)).await;
    assert_eq!((third.posts(), third.members, third.revisions), (0, 0, 0));
    assert_eq!(before, (posts(hub).await, topic::Entity::find().all(hub.state().store.read()).await.unwrap()));
    let counts: Vec<i32> = before.1.iter().map(|topic| topic.post_count).collect();
    assert_eq!(counts.iter().sum::<i32>(), 4);
    let refs = import_ref::Entity::find().filter(import_ref::Column::Kind.eq("comment")).count(hub.state().store.read()).await.unwrap();
    assert_eq!(refs, 2);
});

hub_test!(async fn who_was_imported_cannot_sign_in_and_is_in_no_directory(hub) {
    let ada = hub.member("ada").await;
    run(hub, &whole(hub)).await;
    let db = hub.state().store.read();
    let unclaimed = member::Entity::find().filter(member::Column::State.eq(MemberState::Unclaimed)).all(db).await.unwrap();
    assert_eq!(unclaimed.len(), 4);
    for of in &unclaimed {
        assert!(of.email.is_none() && of.password_hash.is_none() && of.about.is_empty());
        let answer = hub.visitor().post("/api/v1/auth/login", &json!({"login": of.handle, "password": ""})).await;
        assert!(matches!(answer.status, 401 | 422), "{}", answer.text);
        let answer = hub.visitor().post("/api/v1/auth/login", &json!({"login": of.handle, "password": "correct-horse"})).await;
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
    let listed = ada.get("/api/v1/members?q=mara").await;
    assert!(!listed.text.contains("mara-crust"), "{}", listed.text);
});

hub_test!(async fn readers_see_where_a_post_comes_from(hub) {
    hub.member("ada").await;
    run(hub, &whole(hub)).await;
    let visitor = hub.visitor();
    let topics = visitor.get("/api/v1/spaces/baking/topics?sort=top").await.json();
    let topic = topics["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(topics["items"][0]["score"], 7);
    let posts = visitor.get(&format!("/api/v1/topics/{topic}/posts?order=tree")).await.json();
    let answer = &posts["items"][2];
    assert_eq!(answer["is_answer"], true);
    let source = json!({"url": "https://baking.stackexchange.com/a/3", "author": "Mara Crust", "score": 4});
    assert_eq!(answer["source"], source);
    let page = visitor.page(&format!("/s/baking/t/{topic}")).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("https://baking.stackexchange.com/a/3"), "{}", page.text);
});

hub_test!(async fn faults_of_the_operator_are_one_line(hub) {
    let folder = whole(hub);
    let nobody = import(hub.state(), &options(&folder)).await.unwrap_err();
    assert!(nobody.contains("praxis admin create"), "{nobody}");
    hub.member("ada").await;
    let missing = import(hub.state(), &options(&hub.data_dir)).await.unwrap_err();
    assert!(missing.contains("Posts.xml"), "{missing}");
    let owner = import(hub.state(), &Options { owner: Some("nobody".into()), ..options(&folder) }).await.unwrap_err();
    assert!(owner.contains("--as nobody"), "{owner}");
    let slug = import(hub.state(), &Options { space: "No Slug".into(), ..options(&folder) }).await.unwrap_err();
    assert!(slug.contains("--space"), "{slug}");
    let site = import(hub.state(), &Options { site: Some("?".into()), ..options(&folder) }).await.unwrap_err();
    assert!(site.contains("--site"), "{site}");
    for line in [nobody, missing, owner, slug, site] {
        assert!(!line.contains('\n'));
    }
});

hub_test!(async fn the_program_imports_beside_a_running_hub(hub) {
    hub.member("ada").await;
    let folder = whole(hub);
    for expected in ["questions            2", "already here         6"] {
        let output = praxis(hub, &["import", "stackexchange", folder.to_str().unwrap(), "--space", "baking"]).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains(expected), "{said}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("Posts.xml row 7"));
    }
    assert_eq!(posts(hub).await.len(), 6);
    let later = praxis(hub, &["import", "slack", "nowhere", "--space", "baking"]).await;
    assert_eq!(later.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&later.stderr).lines().count(), 1);
});

/// Runs the program, as built for the tests, on the hub's data.
pub async fn praxis(hub: &TestHub, arguments: &[&str]) -> std::process::Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_praxis-under-test"));
    command.args(arguments).env("PRAXIS_LOG", "warn").arg("--data-dir").arg(&hub.data_dir);
    if let Some(url) = hub.settings.get("database_url") {
        command.arg("--database-url").arg(url);
    }
    command.output().await.unwrap()
}
