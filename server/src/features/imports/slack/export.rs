//! The files of an export: lists of people and rooms, and a folder a room with a file a day.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// A file longer than this, in bytes, is damage; a room's busiest day is far below.
const LONGEST: u64 = 256 << 20;

/// A person of the workspace.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct User {
    pub id: String,
    #[serde(default)]
    pub team_id: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    real_name: Option<String>,
    #[serde(default)]
    profile: Profile,
}

/// How somebody called themselves.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Profile {
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    real_name: Option<String>,
}

impl Profile {
    pub fn called(&self) -> Option<&str> {
        [&self.real_name, &self.display_name]
            .into_iter()
            .flatten()
            .map(|name| name.trim())
            .find(|name| !name.is_empty())
    }
}

impl User {
    pub fn called(&self) -> &str {
        let real = self.real_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        self.profile.called().or(real).unwrap_or(&self.name)
    }
}

/// A channel or a private group.
#[derive(Clone, Debug, Deserialize)]
pub struct Channel {
    pub id: String,
    pub name: String,
    #[serde(default)]
    created: Value,
    #[serde(default)]
    pub creator: Option<String>,
    #[serde(default)]
    pub is_archived: bool,
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default)]
    topic: Said,
    #[serde(default)]
    purpose: Said,
    #[serde(default)]
    pub pins: Vec<Pin>,
    /// Of `groups.json`.
    #[serde(skip)]
    pub private: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Said {
    #[serde(default)]
    value: String,
}

/// A pinned message, by its `ts`.
#[derive(Clone, Debug, Deserialize)]
pub struct Pin {
    pub id: String,
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    created: Value,
}

impl Pin {
    /// Microseconds.
    pub fn created(&self) -> Option<i64> {
        seconds(&self.created)
    }
}

impl Channel {
    pub fn into_private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Microseconds.
    pub fn created(&self) -> Option<i64> {
        seconds(&self.created)
    }

    /// What it is for, and what it was about last.
    pub fn purpose(&self) -> String {
        let said = [&self.purpose.value, &self.topic.value].map(|said| said.trim());
        let said: Vec<&str> = said.into_iter().filter(|said| !said.is_empty()).collect();
        super::mrkdwn::plain(&said.join(" · "))
    }
}

/// Seconds since 1970, as a number or as text.
fn seconds(value: &Value) -> Option<i64> {
    let seconds = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (seconds > 0).then(|| seconds.checked_mul(1_000_000)).flatten()
}

/// One message as it stands in a day's file.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub ts: String,
    #[serde(default)]
    pub subtype: Option<String>,
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub user_profile: Option<Profile>,
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default)]
    pub thread_ts: Option<String>,
    #[serde(default)]
    pub edited: Option<Edited>,
    #[serde(default)]
    pub reactions: Vec<Reaction>,
    #[serde(default)]
    pub files: Vec<File>,
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    #[serde(default)]
    pub comment: Option<Comment>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Edited {
    pub ts: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Reaction {
    pub name: String,
    #[serde(default)]
    pub users: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct File {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub permalink: Option<String>,
    #[serde(default)]
    pub url_private: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Attachment {
    #[serde(default)]
    pub pretext: Option<String>,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub title_link: Option<String>,
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default)]
    pub fallback: Option<String>,
}

/// A comment on a file: it names its author where its row does not.
#[derive(Clone, Debug, Deserialize)]
pub struct Comment {
    #[serde(default)]
    pub user: Option<String>,
}

/// `1433866203.000003` as microseconds.
#[must_use]
pub fn time_of(ts: &str) -> Option<i64> {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, ""));
    let digits = |text: &str, most: usize| text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    if seconds.is_empty() || !digits(seconds, 11) || !digits(rest, 6) {
        return None;
    }
    let micros: i64 = format!("{rest:0<6}").parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
}

/// The files of an export.
#[derive(Clone, Debug)]
pub struct Export {
    pub folder: PathBuf,
}

impl Export {
    /// Looks whether it is one. The error is one line.
    pub fn find(folder: &Path) -> Result<Self, String> {
        if !folder.is_dir() {
            return Err(format!("{}: no such folder; unpack the export and name its folder", folder.display()));
        }
        if !folder.join("channels.json").is_file() && !folder.join("groups.json").is_file() {
            return Err(format!("{}: no Slack export, for it has no channels.json", folder.display()));
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// The rows of a list such as `users.json`; none if the file is missing.
    pub fn list(&self, name: &str) -> Result<Vec<Value>, String> {
        let path = self.folder.join(name);
        if path.is_file() { read(&path) } else { Ok(Vec::new()) }
    }

    /// A room's files in the order of their days, with their sizes.
    pub fn days(&self, channel: &Channel) -> std::io::Result<Vec<(PathBuf, u64)>> {
        // A name is one part of a path, whatever the export says.
        let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != "." && name != "..";
        let folders = [channel.name.as_str(), channel.id.as_str()];
        let folder = folders.into_iter().filter(|name| is_name(name)).map(|name| self.folder.join(name));
        let Some(folder) = folder.into_iter().find(|folder| folder.is_dir()) else { return Ok(Vec::new()) };
        let mut days = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "json") && path.is_file() {
                let size = path.metadata()?.len();
                days.push((path, size));
            }
        }
        days.sort();
        Ok(days)
    }
}

/// A file that holds a list.
pub fn read(path: &Path) -> Result<Vec<Value>, String> {
    let size = path.metadata().map_err(|error| format!("cannot be read ({error})"))?.len();
    if size > LONGEST {
        return Err(format!("is longer than {} MB", LONGEST >> 20));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read ({error})"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("is no list in JSON ({error})"))
}

#[cfg(test)]
mod tests {
    use super::time_of;

    #[test]
    fn times() {
        assert_eq!(time_of("1433866203.000003"), Some(1_433_866_203_000_003));
        assert_eq!(time_of("1433866203.5"), Some(1_433_866_203_500_000));
        assert_eq!(time_of("1433866203"), Some(1_433_866_203_000_000));
        for wrong in ["", "soon", "-5.0", "99999999999999999999", "1.2.3", "1.0000001"] {
            assert_eq!(time_of(wrong), None, "{wrong}");
        }
    }
}
