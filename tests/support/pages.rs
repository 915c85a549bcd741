//! The list of all pages, with what six viewers get; permission, validity and accessibility tests
//! walk it.

use serde_json::json;

use super::stage::{Cast, done, id};
use super::{Client, TestHub};

/// Path as routed, and statuses for: anonymous, outsider, member, moderator, owner, administrator.
/// The space is private, and the administrator has not joined it.
pub const PAGES: &[(&str, [u16; 6])] = &[
    // Home and lists
    ("/", [200, 200, 200, 200, 200, 200]),
    ("/topics", [200, 200, 200, 200, 200, 200]),
    ("/tags", [200, 200, 200, 200, 200, 200]),
    ("/tags/{tag}", [200, 200, 200, 200, 200, 200]),
    ("/bookmarks", [303, 200, 200, 200, 200, 200]),
    // Who may write in one space only is led there.
    ("/ask", [303, 303, 200, 200, 200, 303]),
    // Accounts
    ("/setup", [404, 404, 404, 404, 404, 404]),
    ("/register", [200, 303, 303, 303, 303, 303]),
    ("/login", [200, 303, 303, 303, 303, 303]),
    ("/forgot", [200, 200, 200, 200, 200, 200]),
    ("/claim", [200, 200, 200, 200, 200, 200]),
    ("/reset/{token}", [404, 404, 404, 404, 404, 404]),
    ("/invite/{token}", [404, 303, 303, 303, 303, 303]),
    ("/verify/{token}", [404, 404, 404, 404, 404, 404]),
    ("/unsubscribe/{member}/{token}", [404, 404, 404, 404, 404, 404]),
    ("/settings/account", [303, 200, 200, 200, 200, 200]),
    ("/settings/mail", [303, 200, 200, 200, 200, 200]),
    ("/settings/sessions", [303, 200, 200, 200, 200, 200]),
    ("/settings/tokens", [303, 200, 200, 200, 200, 200]),
    // People
    ("/settings", [303, 200, 200, 200, 200, 200]),
    ("/people", [303, 200, 200, 200, 200, 200]),
    ("/people/{handle}", [303, 200, 200, 200, 200, 200]),
    ("/upload", [303, 200, 200, 200, 200, 200]),
    ("/people/{handle}/avatar", [200, 200, 200, 200, 200, 200]),
    // Spaces
    ("/spaces", [200, 200, 200, 200, 200, 200]),
    ("/spaces/new", [303, 200, 200, 200, 200, 200]),
    ("/s/{slug}", [404, 200, 200, 200, 200, 200]),
    ("/s/{slug}/members", [303, 404, 200, 200, 200, 404]),
    ("/s/{slug}/settings", [303, 404, 403, 403, 200, 404]),
    // Forum
    ("/s/{slug}/new", [404, 404, 200, 200, 200, 404]),
    ("/s/{slug}/t/{id}", [404, 404, 200, 200, 200, 404]),
    ("/s/{slug}/t/{id}/edit", [303, 404, 403, 200, 200, 404]),
    ("/posts/{id}", [404, 404, 303, 303, 303, 404]),
    ("/posts/{id}/edit", [303, 404, 403, 200, 200, 404]),
    ("/posts/{id}/history", [404, 404, 200, 200, 200, 404]),
    ("/posts/{id}/menu", [303, 404, 200, 200, 200, 404]),
    // Moderation
    ("/posts/{id}/report", [303, 404, 200, 200, 200, 404]),
    ("/posts/{id}/purge", [303, 404, 403, 200, 200, 404]),
    ("/reports", [303, 403, 403, 200, 200, 200]),
    ("/s/{slug}/log", [303, 404, 403, 200, 200, 404]),
    ("/members/{handle}/suspend", [303, 403, 403, 403, 403, 200]),
    // Administration
    ("/admin", [303, 403, 403, 403, 403, 200]),
    ("/admin/spaces", [303, 403, 403, 403, 403, 200]),
    ("/admin/invitations", [303, 403, 403, 403, 403, 200]),
    ("/admin/hub", [303, 403, 403, 403, 403, 200]),
    ("/admin/pages", [303, 403, 403, 403, 403, 200]),
    ("/admin/pages/{slug}", [303, 403, 403, 403, 403, 200]),
    ("/admin/jobs", [303, 403, 403, 403, 403, 200]),
    ("/admin/log", [303, 403, 403, 403, 403, 200]),
    // The hub's own
    ("/privacy", [200, 200, 200, 200, 200, 200]),
    ("/conduct", [200, 200, 200, 200, 200, 200]),
    ("/accessibility", [200, 200, 200, 200, 200, 200]),
    ("/logo", [404, 404, 404, 404, 404, 404]),
    ("/robots.txt", [200, 200, 200, 200, 200, 200]),
    ("/favicon.ico", [302, 302, 302, 302, 302, 302]),
    ("/complete", [303, 200, 200, 200, 200, 200]),
    ("/api/docs", [200, 200, 200, 200, 200, 200]),
];

/// A space with something of everything in it, and what pages about it are called.
pub struct Things {
    pub space: String,
    pub topic: String,
    pub post: String,
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
        Self { space, topic, post }
    }

    /// The address of a page about these things.
    pub fn address(&self, template: &str) -> String {
        let slug = if template.starts_with("/admin") { "conduct" } else { &self.space };
        let id = if template.contains("/t/") { &self.topic } else { &self.post };
        template
            .replace("{slug}", slug)
            .replace("{id}", id)
            .replace("{handle}", "alan")
            .replace("{tag}", "alerts")
            .replace("{member}", "0000000000001")
            .replace("{token}", "0000000000000000000000000000000000000000000")
    }
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

/// Somebody's cookies, signed in by the page.
pub async fn browser_of(hub: &TestHub, who: &Client) -> Client {
    if who.handle.is_empty() { hub.visitor() } else { Client::sign_in(&hub.base, &who.handle).await }
}
