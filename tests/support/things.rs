//! A space, its talk, its library and its playbook with something of everything in them.

use serde_json::json;

use super::stage::{Cast, done, id};
use super::{Client, TestHub};

/// A space with something of everything in it, and what pages about it are called.
pub struct Things {
    pub space: String,
    pub topic: String,
    pub post: String,
    pub resource: String,
    pub collection: String,
    /// A room of the space, by its slug.
    pub room: String,
    /// The owner's message in it, with a thread.
    pub message: String,
    /// A conversation of the member and the owner, with a message.
    pub direct: String,
    pub direct_message: String,
    /// When it was written.
    pub day: String,
    /// A playbook of the space, a scenario of it, and a study in that.
    pub book: String,
    pub scenario: String,
    pub study: String,
}

impl Things {
    pub async fn of(hub: &TestHub, cast: &Cast, visibility: &str) -> Self {
        let space = cast.space(hub, visibility).await;
        let mut topic = String::new();
        for kind in ["update", "win", "idea", "discussion", "question"] {
            let body = json!({
                "title": format!("A {kind} about sepsis alerts on the ward"),
                "body": TEXT,
                "kind": kind,
                "tags": ["alerts", "sepsis"],
            });
            topic = id(&done(&cast.author.post(&format!("/api/v1/spaces/{space}/topics"), &body).await));
        }
        let mut parent: Option<String> = None;
        let mut post = String::new();
        for (turn, who) in
            [&cast.member, &cast.moderator, &cast.author, &cast.owner, &cast.author].into_iter().enumerate()
        {
            post = id(&hub.reply(who, &topic, parent.as_deref(), &format!("Reply {turn}.\n\n{TEXT}")).await);
            parent = (turn % 3 != 2).then(|| post.clone());
        }
        let deleted = id(&hub.reply(&cast.author, &topic, Some(&post), "This goes.").await);
        hub.reply(&cast.member, &topic, Some(&deleted), "This stays below it.").await;
        done(&cast.author.delete(&format!("/api/v1/posts/{deleted}")).await);
        done(&cast.author.patch(&format!("/api/v1/posts/{post}"), &json!({"body": "It was edited.\n\nTwice."})).await);
        for path in ["endorsement", "bookmark", "reactions/%F0%9F%91%8D"] {
            done(&cast.moderator.put(&format!("/api/v1/posts/{post}/{path}")).await);
        }
        done(&cast.author.put(&format!("/api/v1/posts/{post}/answer")).await);
        let flag = json!({"reason": "other", "note": "Please look at this."});
        done(&cast.member.post(&format!("/api/v1/posts/{post}/flags"), &flag).await);
        let chat = Talk::of(cast, &space).await;
        let shelf = Shelf::of(hub, cast, &space).await;
        let written = Written::of(hub, cast, &space, visibility).await;
        Self {
            space,
            topic,
            post,
            resource: shelf.resource,
            collection: shelf.collection,
            room: "ward".into(),
            message: chat.message,
            direct: chat.direct,
            direct_message: chat.direct_message,
            day: chat.day,
            book: written.book,
            scenario: written.scenario,
            study: written.study,
        }
    }

    /// The address of a page about these things.
    pub fn address(&self, template: &str) -> String {
        let slug = match template {
            _ if template.starts_with("/admin") => "conduct",
            _ if template.starts_with("/playbooks") => &self.book,
            _ if template.starts_with("/case-studies") => &self.study,
            _ => &self.space,
        };
        let direct = template.starts_with("/direct");
        let id = match template {
            _ if template.contains("/t/") => &self.topic,
            _ if direct => &self.direct,
            _ if template.starts_with("/messages") => &self.message,
            _ if template.starts_with("/resources") => &self.resource,
            _ if template.starts_with("/collections") => &self.collection,
            _ if template.starts_with("/playbooks") => &self.scenario,
            _ => &self.post,
        };
        template
            .replace("{key}", "what_we_did")
            .replace("{format}", "bib")
            .replace("{room}", &self.room)
            .replace("{message}", if direct { &self.direct_message } else { &self.message })
            .replace("{day}", &self.day)
            .replace("{slug}", slug)
            .replace("{id}", id)
            .replace("{handle}", "alan")
            .replace("{tag}", "alerts")
            .replace("{member}", "0000000000001")
            .replace("{token}", "0000000000000000000000000000000000000000000")
    }
}

/// A room with something of everything in it.
struct Talk {
    message: String,
    direct: String,
    direct_message: String,
    day: String,
}

impl Talk {
    async fn of(cast: &Cast, space: &str) -> Self {
        let new =
            json!({"slug": "ward", "name": "Ward round", "purpose": "What happens today, and who looks after it"});
        let room = id(&done(&cast.owner.post(&format!("/api/v1/spaces/{space}/rooms"), &new).await));
        let path = format!("/api/v1/rooms/{room}/messages");
        let mut said = 0;
        let mut say = async |who: &Client, path: &str, body: &str, to: Option<&str>| {
            said += 1;
            done(&who.post(path, &json!({"body": body, "client_id": format!("{said}"), "reply_to": to})).await)
        };
        say(&cast.author, &path, "Good morning. @olga, is bay 4 quiet?", None).await;
        let first = say(&cast.owner, &path, TEXT, None).await;
        let message = id(&first);
        say(&cast.owner, &path, "And a second one.", None).await;
        say(&cast.member, &path, "In the thread.", Some(&message)).await;
        let gone = id(&say(&cast.member, &path, "This goes.", None).await);
        done(&cast.member.delete(&format!("/api/v1/messages/{gone}")).await);
        done(
            &cast
                .owner
                .patch(&format!("/api/v1/messages/{message}"), &json!({"body": TEXT.replace("Some", "Edited")}))
                .await,
        );
        done(&cast.moderator.put(&format!("/api/v1/messages/{message}/reactions/%F0%9F%91%8D")).await);
        done(&cast.moderator.put(&format!("/api/v1/messages/{message}/pin")).await);
        let topic = json!({"messages": [message], "title": "What bay 4 taught us", "kind": "discussion", "tags": []});
        done(&cast.owner.post(&format!("/api/v1/rooms/{room}/topics"), &topic).await);
        let pair = done(&cast.member.post("/api/v1/direct", &json!({"handles": [cast.owner.handle]})).await);
        let direct = id(&pair);
        let direct_message =
            id(&say(&cast.member, &format!("/api/v1/rooms/{direct}/messages"), "Only for you.", None).await);
        let day = first["created_at"].as_str().unwrap().chars().take(10).collect();
        Self { message, direct, direct_message, day }
    }
}

/// A library with something of everything in it.
struct Shelf {
    resource: String,
    collection: String,
}

impl Shelf {
    async fn of(hub: &TestHub, cast: &Cast, space: &str) -> Self {
        let path = format!("/api/v1/spaces/{space}/resources");
        let form = reqwest::multipart::Form::new()
            .text("title", "Alert counts of a week")
            .text("summary", "What the wards counted, for those who plan a pilot.")
            .text("description", TEXT)
            .text("kind", "dataset")
            .text("stage", "develop")
            .text("topics", "Alert fatigue, Wards")
            .text("tags", "alerts, sepsis")
            .text("authors", "Ada Example, Bea Example")
            .text("organisation", "Northmere Hospitals")
            .text("licence", "CC0")
            .text("source", "https://example.org/counts")
            .text("published_on", "2026-03-01")
            .text("review_due", "2026-04-01")
            .part("file", reqwest::multipart::Part::bytes(&b"Ward,Alerts\nA,12\nB,7\n"[..]).file_name("counts.csv"));
        let request = cast.author.request("POST", &path).multipart(form);
        let resource = id(&done(&cast.author.send(request).await));
        hub.settle().await;
        done(&cast.moderator.put(&format!("/api/v1/resources/{resource}/endorsement")).await);
        let note = json!({"title": "What we learnt", "body": TEXT, "kind": "case_study"});
        let note = id(&done(&cast.owner.post(&path, &note).await));
        done(
            &cast
                .owner
                .post(&path, &json!({"url": "https://example.org/a", "title": "A guide", "kind": "guidance"}))
                .await,
        );
        let new = json!({"title": "For new wards", "introduction": TEXT});
        let collection = id(&done(&cast.author.post(&format!("/api/v1/spaces/{space}/collections"), &new).await));
        for one in [&note, &resource] {
            done(&cast.author.put(&format!("/api/v1/collections/{collection}/resources/{one}")).await);
        }
        let flag = json!({"reason": "other", "note": "Please look at this."});
        done(&cast.member.post(&format!("/api/v1/resources/{resource}/flags"), &flag).await);
        Self { resource, collection }
    }
}

/// A playbook with something of everything in it.
pub struct Written {
    pub book: String,
    pub scenario: String,
    pub study: String,
}

impl Written {
    pub async fn of(hub: &TestHub, cast: &Cast, space: &str, visibility: &str) -> Self {
        let visibility = if visibility == "open" { "open" } else { "restricted" };
        let book = format!("book-{space}");
        let new = json!({
            "slug": book, "title": "Reading chest X-rays", "pathway": "Radiology", "summary": "Who reads them, and how fast",
            "introduction": TEXT, "visibility": visibility, "space": space, "checklist": ["Are the figures sourced?"],
        });
        done(&cast.owner.post("/api/v1/playbooks", &new).await);
        let new = json!({"title": "I need to read chest X-rays faster", "description": TEXT, "steps": ["Count.", "Read **twice**."]});
        let scenario = id(&done(&cast.owner.post(&format!("/api/v1/playbooks/{book}/scenarios"), &new).await));
        let study = study(&cast.author, &book, &scenario).await;
        let path = format!("/api/v1/case-studies/{study}");
        done(&cast.author.put_json(&format!("{path}/authors/olga"), &json!({"role": "author"})).await);
        done(&cast.author.post(&format!("{path}/submit"), &json!({})).await);
        let verdict = json!({"note": "Good.", "checklist": ["Are the figures sourced?"]});
        done(&cast.moderator.post(&format!("{path}/publish"), &verdict).await);
        let why = json!({"reason": "I have seen it work on two wards.", "role": "Consultant radiologist", "organisation": "Northbank"});
        done(&cast.member.put_json(&format!("{path}/endorsement"), &why).await);
        let used = json!({"status": "live", "organisation": "Northbank", "site": "Ward 4", "why": "", "contact": "ward4@example.org"});
        done(&cast.member.put_json(&format!("{path}/adoption"), &used).await);
        let changed = json!({"body": format!("It was revised.\n\n{TEXT}")});
        done(&cast.owner.patch(&format!("{path}/parts/aim"), &changed).await);
        let said = json!({"part": "what_we_did", "body": "Which ward was first?"});
        let comment = id(&done(&cast.moderator.post(&format!("{path}/comments"), &said).await));
        let reply = json!({"part": "what_we_did", "parent_id": comment, "body": "Ward 4."});
        done(&cast.author.post(&format!("{path}/comments"), &reply).await);
        done(&cast.author.post(&format!("{path}/submit"), &json!({"note": "The aim is new."})).await);
        hub.settle().await;
        Self { book, scenario, study }
    }
}

/// A study with something in every part, not yet submitted; its slug.
pub async fn study(author: &Client, book: &str, scenario: &str) -> String {
    let new = json!({
        "title": "A second reader for chest X-rays", "summary": "A second reader found what the first had missed.",
        "playbook": book, "scenarios": [scenario],
        "parts": {
            "challenge": TEXT, "aim": "Half the wait.", "what_we_did": TEXT, "outcomes": "The wait is shorter.",
            "what_did_not_work": "Reading at night.\n\n- It was late.", "lessons_learned": "Begin small.",
            "supplier": "Northbank Software.", "licence": "CC BY 4.0", "contact": "ward4@example.org",
        },
        "measures": [
            {"name": "Time to report", "unit": "min", "before": 42, "after": 11, "period": "January to June", "n": 412, "method": "Audit of the log", "source": "https://example.org/audit"},
            {"name": "Read within an hour", "unit": "%", "before": 61, "after": 88.5},
            {"name": "Complaints", "unit": "", "before": null, "after": 2},
        ],
        "terms": {"technology": ["U-Net"], "setting": ["Emergency department"], "organisation": ["Northbank"], "stage": ["In use"]},
    });
    done(&author.post("/api/v1/case-studies", &new).await)["slug"].as_str().unwrap().to_owned()
}

/// Markdown with everything that a text may hold.
const TEXT: &str = "\
Some **bold** and *slanted* words, `code`, a [link](https://example.org/) and @mia, #alerts.

## A heading

- one
- two
  1. inner

- [x] done
- [ ] to do

> A quotation.

| Ward | Alerts |
|---|---:|
| A | 12 |
| B | 7 |

```rust
fn main() { println!(\"{}\", 1 + 1); }
```

![A picture from elsewhere](https://example.org/picture.png) ~~gone~~

---

The end.
";
