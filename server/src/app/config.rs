//! Configuration: flag over environment over `praxis.toml` over default.
//!
//! Every fault is one line that names the setting and the mend.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::ports::blobs::{Aws, Place};

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    Open,
    Invite,
    Closed,
}

/// Where settings come from: names without the prefix `PRAXIS_`, lower case.
pub const SETTINGS: &[&str] = &[
    "bind",
    "base_url",
    "trusted_proxies",
    "data_dir",
    "secret_key",
    "database_url",
    "redis_url",
    "meili_url",
    "meili_key",
    "storage_url",
    "smtp_url",
    "mail_from",
    "registration",
    "metrics_token",
    "clamd",
    "rate_limit",
    "workers",
    "log",
    "log_format",
];

/// Settings whose values `praxis config` does not print.
const SECRET: &[&str] = &["secret_key", "meili_key", "metrics_token"];
/// Settings that may hold a password inside an address.
const ADDRESSES: &[&str] = &["database_url", "redis_url", "smtp_url", "meili_url", "storage_url"];

/// The effective configuration.
#[derive(Clone, Debug)]
pub struct Config {
    pub bind: String,
    /// Public origin, without a path; known for sure once the hub listens.
    pub base_url: Option<Url>,
    pub trusted_proxies: Vec<IpAddr>,
    pub data_dir: PathBuf,
    pub secret_key: Option<String>,
    pub database_url: Option<String>,
    pub redis_url: Option<String>,
    /// Without a slash at the end; search is embedded if there is none.
    pub meili_url: Option<String>,
    pub meili_key: Option<String>,
    pub smtp_url: Option<String>,
    pub mail_from: String,
    pub registration: Registration,
    pub metrics_token: Option<String>,
    /// `host:port` of a virus scanner.
    pub clamd: Option<String>,
    pub rate_limit: bool,
    pub workers: usize,
    pub log: String,
    pub log_json: bool,
    /// Where uploads lie.
    pub storage: Place,
    /// The `AWS_…` variables, for a bucket.
    pub aws: Aws,
    /// Where each value came from, for `praxis config`.
    pub shown: BTreeMap<&'static str, String>,
    /// Answers carry the number of queries they took; for tests.
    pub count_queries: bool,
    /// How often a socket is looked at: whether it says anything, whether its session lives. Shorter in tests.
    pub look_every: Duration,
    /// The program itself: what reads files in a process of its own.
    pub program: PathBuf,
}

impl Config {
    /// Reads `praxis.toml` (if there), the environment and the flags.
    pub fn load(flags: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut values = file_values()?;
        for name in SETTINGS {
            let variable = format!("PRAXIS_{}", name.to_uppercase());
            match std::env::var(&variable) {
                Ok(value) => {
                    values.insert((*name).to_owned(), value);
                }
                Err(std::env::VarError::NotPresent) => {}
                Err(std::env::VarError::NotUnicode(_)) => {
                    return Err(format!("{variable} is not readable text; write it in UTF-8"));
                }
            }
        }
        values.extend(std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("AWS_"))?;
            Some((name, value.into_string().ok()?))
        }));
        values.extend(flags.iter().map(|(name, value)| (name.clone(), value.clone())));
        Self::from_values(&values)
    }

    /// Parses settings given by name without prefix, and `AWS_…` variables; for `load` and for tests.
    pub fn from_values(values: &BTreeMap<String, String>) -> Result<Self, String> {
        let get = |name: &str| values.get(name).map(String::as_str).map(str::trim).filter(|v| !v.is_empty());
        let bind = get("bind").unwrap_or("127.0.0.1:8080").to_owned();
        bind.parse::<SocketAddr>()
            .map_err(|_| format!("PRAXIS_BIND: '{bind}' is no address; write it like 127.0.0.1:8080"))?;
        let data_dir = PathBuf::from(get("data_dir").unwrap_or("./data"));
        let storage = match get("storage_url") {
            None => Place::Folder(data_dir.join("uploads")),
            Some(text) => Place::parse(text)?,
        };
        let workers = match get("workers") {
            None => std::thread::available_parallelism().map_or(2, usize::from),
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|count| (1..=256).contains(count))
                .ok_or_else(|| format!("PRAXIS_WORKERS: '{text}' is no count; write a number from 1 to 256"))?,
        };
        let mail_from = get("mail_from").unwrap_or("Praxis <praxis@localhost>").to_owned();
        mail_from.parse::<lettre::message::Mailbox>().map_err(|_| {
            format!("PRAXIS_MAIL_FROM: '{mail_from}' is no sender; write it like Praxis <praxis@example.org>")
        })?;
        let secret_key = get("secret_key").map(str::to_owned);
        if secret_key.as_ref().is_some_and(|key| key.len() < 32) {
            return Err("PRAXIS_SECRET_KEY is too short; use at least 32 random characters".into());
        }
        Ok(Self {
            base_url: get("base_url").map(base_url).transpose()?,
            trusted_proxies: get("trusted_proxies").map(proxies).transpose()?.unwrap_or_default(),
            secret_key,
            database_url: get("database_url").map(database_url).transpose()?,
            redis_url: get("redis_url").map(redis_url).transpose()?,
            meili_url: get("meili_url").map(meili_url).transpose()?,
            meili_key: get("meili_key").map(|key| meili_key(key, get("meili_url"))).transpose()?,
            smtp_url: get("smtp_url").map(smtp_url).transpose()?,
            registration: registration(get("registration").unwrap_or("open"))?,
            metrics_token: get("metrics_token").map(str::to_owned),
            clamd: get("clamd").map(clamd).transpose()?,
            rate_limit: switch("PRAXIS_RATE_LIMIT", get("rate_limit").unwrap_or("on"))?,
            log: log_filter(get("log").unwrap_or("info"))?,
            log_json: log_format(get("log_format").unwrap_or("text"))?,
            shown: shown(values),
            count_queries: false,
            look_every: Duration::from_secs(20),
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("praxis")),
            bind,
            data_dir,
            storage,
            aws: Aws::of(values.iter().map(|(name, value)| (name.clone(), value.clone()))),
            workers,
            mail_from,
        })
    }

    /// The value of a setting that was not given, for `praxis config`.
    #[must_use]
    pub fn default_of(&self, name: &str) -> String {
        match name {
            "bind" => self.bind.clone(),
            "base_url" => format!("http://{}", self.bind),
            "data_dir" => self.data_dir.display().to_string(),
            "database_url" => self.database(),
            "storage_url" => self.storage.to_string(),
            "secret_key" => "(generated in the data directory)".to_owned(),
            "mail_from" => self.mail_from.clone(),
            "registration" => "open".to_owned(),
            "rate_limit" => "on".to_owned(),
            "workers" => self.workers.to_string(),
            "log" => self.log.clone(),
            "log_format" => "text".to_owned(),
            _ => "(unset)".to_owned(),
        }
    }

    /// The database's address: the one given, else SQLite in the data directory.
    #[must_use]
    pub fn database(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| format!("sqlite://{}", self.data_dir.join("praxis.db").display()))
    }

    /// Where the embedded database lies; `None` if the hub is on PostgreSQL.
    #[must_use]
    pub fn embedded(&self) -> Option<PathBuf> {
        match &self.database_url {
            None => Some(self.data_dir.join("praxis.db")),
            Some(url) => url.strip_prefix("sqlite://").map(PathBuf::from),
        }
    }
}

fn file_values() -> Result<BTreeMap<String, String>, String> {
    let text = match std::fs::read_to_string("praxis.toml") {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(format!("praxis.toml cannot be read ({error}); check its permissions")),
    };
    let table: toml::Table = toml::from_str(&text)
        .map_err(|error| format!("praxis.toml: {}; mend that line", error.message().replace('\n', " ")))?;
    let mut values = BTreeMap::new();
    for (name, value) in table {
        if !SETTINGS.contains(&name.as_str()) {
            return Err(format!("praxis.toml: '{name}' is no setting; see the README for their names"));
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(true) => "on".into(),
            toml::Value::Boolean(false) => "off".into(),
            _ => return Err(format!("praxis.toml: '{name}' takes a text; put the value in quotes")),
        };
        values.insert(name, value);
    }
    Ok(values)
}

/// The address of a Meilisearch server, as its client takes it.
fn meili_url(text: &str) -> Result<String, String> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .map(|url| url.as_str().trim_end_matches('/').to_owned())
        .ok_or_else(|| {
            let text = masked(text);
            format!(
                "PRAXIS_MEILI_URL: '{text}' is no address of Meilisearch; write it like http://127.0.0.1:7700, with the \
                 key in PRAXIS_MEILI_KEY"
            )
        })
}

/// A key is sent with every request, and goes nowhere without an address.
fn meili_key(text: &str, url: Option<&str>) -> Result<String, String> {
    if url.is_none() {
        return Err("PRAXIS_MEILI_KEY is a key without a server; set PRAXIS_MEILI_URL as well, or unset it".into());
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("PRAXIS_MEILI_KEY has signs that no key has; use letters, digits and plain signs".into())
    }
}

fn clamd(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    if !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0) {
        Ok(text.to_owned())
    } else {
        Err(format!("PRAXIS_CLAMD: '{text}' is no scanner; write it like 127.0.0.1:3310"))
    }
}

fn base_url(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
        .filter(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| format!("PRAXIS_BASE_URL: '{text}' is no origin; write it like https://hub.example.org"))
}

fn proxies(text: &str) -> Result<Vec<IpAddr>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse().map_err(|_| {
                format!("PRAXIS_TRUSTED_PROXIES: '{part}' is no address; list them like 10.0.0.1,10.0.0.2")
            })
        })
        .collect()
}

fn database_url(text: &str) -> Result<String, String> {
    crate::store::readable(text).map(|()| text.to_owned()).map_err(|error| format!("PRAXIS_DATABASE_URL: {error}"))
}

fn redis_url(text: &str) -> Result<String, String> {
    crate::realtime::bus::readable(text).map(|_| text.to_owned()).map_err(|error| format!("PRAXIS_REDIS_URL: {error}"))
}

fn smtp_url(text: &str) -> Result<String, String> {
    let good = text.starts_with("smtp://") || text.starts_with("smtps://");
    match lettre::AsyncSmtpTransport::<lettre::Tokio1Executor>::from_url(text) {
        Ok(_) if good => Ok(text.to_owned()),
        _ => Err(format!(
            "PRAXIS_SMTP_URL: '{}' is no mail server; write smtp://host:25 or smtps://user:pass@host",
            masked(text)
        )),
    }
}

fn registration(text: &str) -> Result<Registration, String> {
    match text {
        "open" => Ok(Registration::Open),
        "invite" => Ok(Registration::Invite),
        "closed" => Ok(Registration::Closed),
        other => Err(format!("PRAXIS_REGISTRATION: '{other}' is none of open, invite, closed")),
    }
}

fn switch(name: &str, text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        other => Err(format!("{name}: '{other}' is neither on nor off")),
    }
}

fn log_filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|_| format!("PRAXIS_LOG: '{text}' is no filter; write it like info or info,praxis_server=debug"))
}

fn log_format(text: &str) -> Result<bool, String> {
    match text {
        "text" => Ok(false),
        "json" => Ok(true),
        other => Err(format!("PRAXIS_LOG_FORMAT: '{other}' is neither text nor json")),
    }
}

/// The values as `praxis config` prints them.
fn shown(values: &BTreeMap<String, String>) -> BTreeMap<&'static str, String> {
    SETTINGS
        .iter()
        .filter_map(|name| {
            let value = values.get(*name).filter(|value| !value.is_empty())?;
            let value = if SECRET.contains(name) {
                "********".to_owned()
            } else if ADDRESSES.contains(name) {
                masked(value)
            } else {
                value.clone()
            };
            Some((*name, value))
        })
        .collect()
}

/// An address without its password, before the host or among what follows the question mark.
#[must_use]
pub fn masked(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        // What cannot be parsed may still hold a password.
        let shown = address.split('?').next().unwrap_or_default();
        return shown.rsplit_once('@').map_or_else(|| shown.to_owned(), |(_, host)| format!("********@{host}"));
    };
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["pass", "secret", "token", "pwd"].iter().any(|word| name.contains(word))
    };
    let inside = url.password().is_some();
    let behind = url.query_pairs().any(|(name, _)| is_secret(&name));
    if !inside && !behind {
        return address.to_owned();
    }
    if inside {
        let _kept = url.set_password(Some("********"));
    }
    if behind {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let shown: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", if is_secret(name) { "********" } else { value }))
            .collect();
        url.set_query(Some(&shown.join("&")));
    }
    url.to_string()
}
