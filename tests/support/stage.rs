//! A hub with people and things of every kind, for tests that look at all of it.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{Answer, Client, TestHub};

/// Who looks, the least first.
pub const VIEWERS: [&str; 6] = ["anonymous", "outsider", "member", "moderator", "owner", "administrator"];

/// The people: the administrator registers first; `author` writes what the others look at.
pub struct Cast {
    pub anonymous: Client,
    pub outsider: Client,
    pub member: Client,
    pub moderator: Client,
    pub owner: Client,
    pub administrator: Client,
    pub author: Client,
}

impl Cast {
    pub async fn of(hub: &TestHub) -> Self {
        let administrator = hub.member("rhea").await;
        Self {
            administrator,
            anonymous: hub.visitor(),
            owner: hub.member("olga").await,
            moderator: hub.member("moe").await,
            member: hub.member("mia").await,
            outsider: hub.member("otto").await,
            author: hub.member("alan").await,
        }
    }

    pub fn viewer(&self, name: &str) -> &Client {
        match name {
            "anonymous" => &self.anonymous,
            "outsider" => &self.outsider,
            "member" => &self.member,
            "moderator" => &self.moderator,
            "owner" => &self.owner,
            "administrator" => &self.administrator,
            other => panic!("nobody is {other}"),
        }
    }

    /// A space with its people: all but the outsider and the administrator.
    pub async fn space(&self, hub: &TestHub, visibility: &str) -> String {
        let slug = hub.space(&self.owner, visibility).await;
        for (who, role) in [(&self.moderator, "moderator"), (&self.member, "member"), (&self.author, "member")] {
            let path = format!("/api/v1/spaces/{slug}/members/{}", who.handle);
            let request = self.owner.request("PUT", &path).json(&json!({"role": role}));
            done(&self.owner.send(request).await);
            done(&who.send(who.request("POST", &format!("/api/v1/spaces/{slug}/join"))).await);
        }
        slug
    }
}

/// It went through; what it says.
pub fn done(answer: &Answer) -> Value {
    assert!((200..300).contains(&answer.status), "{} {}", answer.status, answer.text);
    serde_json::from_str(&answer.text).unwrap_or_default()
}

/// The id of an object.
pub fn id(object: &Value) -> String {
    object["id"].as_str().unwrap_or_else(|| panic!("no id in {object}")).to_owned()
}

/// A file of one's own; its id.
pub async fn file(who: &Client) -> String {
    // The smallest PNG: one pixel.
    const PIXEL: &[u8] = &[
        0x89, 0x50, 0x4e, 0x47, 0xd, 0xa, 0x1a, 0xa, 0x0, 0x0, 0x0, 0xd, 0x49, 0x48, 0x44, 0x52, 0x0, 0x0, 0x0, 0x1,
        0x0, 0x0, 0x0, 0x1, 0x8, 0x6, 0x0, 0x0, 0x0, 0x1f, 0x15, 0xc4, 0x89, 0x0, 0x0, 0x0, 0xb, 0x49, 0x44, 0x41,
        0x54, 0x78, 0x9c, 0x63, 0xf8, 0xf, 0x4, 0x0, 0x9, 0xfb, 0x3, 0xfd, 0xfb, 0x5e, 0x6b, 0x2b, 0x0, 0x0, 0x0, 0x0,
        0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
    ];
    let part = Part::bytes(PIXEL).file_name("pixel.png").mime_str("image/png").unwrap();
    let request = who.request("POST", "/api/v1/files").multipart(Form::new().part("file", part));
    id(&done(&who.send(request).await))
}
