//! `docker-compose.yml`, read as Compose reads it: nothing missing, nothing unknown, no secret in it.

use std::collections::{BTreeMap, BTreeSet};

use praxis_server::app::config::SETTINGS;
use serde_json::Value;

const COMPOSE: &str = include_str!("../../docker-compose.yml");
const EXAMPLE: &str = include_str!("../../.env.example");
const CADDY: &str = include_str!("../../deploy/Caddyfile");
const DOCKERFILE: &str = include_str!("../../Dockerfile");
const IGNORED: &str = include_str!("../../.dockerignore");

fn compose() -> Value {
    serde_saphyr::from_str(COMPOSE).unwrap()
}

fn services() -> BTreeMap<String, Value> {
    let services = compose()["services"].as_object().unwrap().clone();
    services.into_iter().map(|(name, service)| (name, with_base(service))).collect()
}

/// `<<: *base`, if the reader has left it as it stands.
fn with_base(mut service: Value) -> Value {
    if let Some(Value::Object(mut base)) = service.as_object_mut().unwrap().remove("<<") {
        base.extend(service.as_object().unwrap().clone());
        return Value::Object(base);
    }
    service
}

/// Every text in it, with where it stands.
fn texts(of: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match of {
        Value::String(text) => found.push((at.to_owned(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| texts(item, at, found)),
        Value::Object(items) => items.iter().for_each(|(name, item)| texts(item, &format!("{at}.{name}"), found)),
        _ => {}
    }
}

/// `${NAME…}` of a text: names, and whether each is needed (`:?`).
fn variables(text: &str) -> Vec<(String, bool)> {
    text.split("${")
        .skip(1)
        .map(|rest| {
            let inside = rest.split('}').next().unwrap();
            let name: String = inside.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            (name.clone(), inside[name.len()..].starts_with(":?"))
        })
        .collect()
}

#[test]
fn every_service_is_looked_after() {
    let services = services();
    for name in ["proxy", "hub-1", "hub-2", "database", "bus", "search", "storage"] {
        assert!(services.contains_key(name), "{name}");
    }
    for (name, service) in &services {
        let check = &service["healthcheck"];
        assert!(check["test"].as_array().is_some_and(|test| test.len() > 1), "{name} has no health check");
        assert!(check["interval"].is_string() && check["timeout"].is_string(), "{name}");
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        let limits = &service["deploy"]["resources"]["limits"];
        for limit in ["cpus", "memory", "pids"] {
            assert!(!limits[limit].is_null(), "{name} has no limit of {limit}");
        }
        assert!(service["volumes"].as_array().is_some_and(|volumes| !volumes.is_empty()), "{name} has no volume");
        let image = service["image"].as_str().unwrap();
        assert!(service.get("build").is_some() || (image.contains(':') && !image.ends_with(":latest")), "{image}");
        for (other, _) in service["depends_on"].as_object().into_iter().flatten() {
            assert!(services.contains_key(other), "{name} waits for {other}");
        }
        // Only the proxy is reached from outside.
        assert_eq!(service.get("ports").is_some(), name == "proxy", "{name}");
    }
    let compose = compose();
    let named = compose["volumes"].as_object().unwrap();
    for (name, service) in &services {
        for volume in service["volumes"].as_array().unwrap() {
            let from = volume.as_str().unwrap().split(':').next().unwrap().to_owned();
            assert!(from.starts_with("./") || named.contains_key(&from), "{name}: {from}");
        }
    }
}

#[test]
fn the_nodes_are_alike_and_every_setting_is_one_of_the_program() {
    let services = services();
    assert_eq!(services["hub-1"], services["hub-2"]);
    let environment = services["hub-1"]["environment"].as_object().unwrap().clone();
    for name in environment.keys() {
        let known = name.strip_prefix("PRAXIS_").is_some_and(|name| SETTINGS.contains(&name.to_lowercase().as_str()));
        let aws = ["AWS_ENDPOINT", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(&name.as_str());
        assert!(known || aws, "{name}");
    }
    for needed in ["BASE_URL", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "MEILI_URL", "STORAGE_URL"] {
        assert!(environment.contains_key(&format!("PRAXIS_{needed}")), "{needed}");
    }
    // Names of the network are services.
    for (name, host) in [
        ("PRAXIS_DATABASE_URL", "@database:5432"),
        ("PRAXIS_REDIS_URL", "@bus:6379"),
        ("PRAXIS_MEILI_URL", "//search:7700"),
        ("AWS_ENDPOINT", "//storage:8333"),
    ] {
        assert!(environment[name].as_str().unwrap().contains(host), "{name}");
    }
    let proxy = services["proxy"]["networks"]["hub"]["ipv4_address"].as_str().unwrap();
    assert_eq!(environment["PRAXIS_TRUSTED_PROXIES"], proxy);
    assert!(CADDY.contains("reverse_proxy hub-1:8080 hub-2:8080 {") && CADDY.contains("{$SITE_ADDRESS}"));
}

#[test]
fn no_password_is_written_down_or_made_up() {
    let mut found = Vec::new();
    for (name, service) in services() {
        texts(&service, &name, &mut found);
    }
    for (at, text) in &found {
        let secret = ["PASSWORD", "SECRET", "KEY", "AUTH"].iter().any(|word| at.to_uppercase().contains(word));
        if secret {
            let variables = variables(text);
            assert!(!variables.is_empty() && variables.iter().all(|(_, needed)| *needed), "{at}: {text}");
            assert!(text.starts_with("${") && text.ends_with('}'), "{at}: {text}");
        }
        if let Some((_, rest)) = text.split_once("://").filter(|(_, rest)| rest.contains('@')) {
            let (_, password) = rest.split_once(':').unwrap();
            assert!(password.starts_with("${") && password.contains(":?"), "{at}: {text}");
        }
        // Not a default that somebody would forget.
        for (name, needed) in variables(text) {
            let open = ["PASSWORD", "SECRET", "_KEY"].iter().any(|word| name.contains(word));
            assert!(needed || !open, "{at}: {name} has a default");
        }
    }
}

#[test]
fn the_example_names_every_variable_and_no_value_of_a_secret() {
    let example: BTreeMap<&str, &str> = EXAMPLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once('=').unwrap())
        .collect();
    let used: BTreeSet<String> = COMPOSE
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(variables)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(example.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), used);
    for (name, value) in example {
        assert!(value.is_empty() || name == "PRAXIS_REGISTRATION", "{name} has a value");
    }
}

/// Whether an address lies in `ADDRESS/BITS`.
fn lies_in(address: &str, network: &str) -> bool {
    let number = |text: &str| u32::from(text.parse::<std::net::Ipv4Addr>().unwrap());
    let (base, bits) = network.split_once('/').unwrap();
    let mask = u32::MAX << (32 - bits.parse::<u32>().unwrap());
    number(address) & mask == number(base) & mask
}

#[test]
fn the_address_of_the_proxy_is_given_to_nobody_else() {
    let network = &compose()["networks"]["hub"]["ipam"]["config"][0];
    let text = |name: &str| network[name].as_str().unwrap().to_owned();
    let proxy = services()["proxy"]["networks"]["hub"]["ipv4_address"].as_str().unwrap().to_owned();
    let (subnet, given, gateway) = (text("subnet"), text("ip_range"), text("gateway"));
    assert!(lies_in(&proxy, &subnet) && lies_in(&gateway, &subnet) && proxy != gateway);
    assert!(!lies_in(&proxy, &given) && !lies_in(&gateway, &given));
    let (first, _) = given.split_once('/').unwrap();
    assert!(lies_in(first, &subnet), "what is given out is of the same network");
}

#[test]
fn what_others_stand_on_is_asked_in_a_way_that_tells() {
    let services = services();
    let asked = services["database"]["healthcheck"]["test"][1].as_str().unwrap();
    assert!(asked.contains("--host 127.0.0.1"), "over the socket it answers while it is being made: {asked}");
    let storage = services["storage"]["command"][0].as_str().unwrap();
    assert!(storage.contains(" -volume.max=0 "), "the store ends at eight volumes: {storage}");
}

/// Whether a file is kept from the build: the last pattern that it, or a folder above it, fits counts.
fn is_ignored(path: &str) -> bool {
    let fits = |pattern: &str, name: &str| match pattern.split_once('*') {
        Some((begin, end)) => name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end),
        None => pattern == name,
    };
    let names: Vec<&str> = path.trim_matches('/').split('/').collect();
    let mut ignored = false;
    for line in IGNORED.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (pattern, out) = line.strip_prefix('!').map_or((line, true), |pattern| (pattern, false));
        let parts: Vec<&str> = pattern.trim_matches('/').split('/').collect();
        if parts.len() <= names.len() && parts.iter().zip(&names).all(|(part, name)| fits(part, name)) {
            ignored = out;
        }
    }
    ignored
}

#[test]
fn everything_that_the_image_is_built_from_comes_to_the_build() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = Vec::new();
    for line in DOCKERFILE.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.contains("--from"))
    {
        let mut words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        let _to = words.pop().unwrap();
        sources.extend(words);
    }
    assert!(sources.len() > 4 && sources.contains(&"tests/Cargo.toml"), "{sources:?}");
    for source in sources {
        assert!(root.join(source).exists(), "{source} is not there");
        assert!(!is_ignored(source), "{source} is kept from the build by .dockerignore");
    }
    for kept in
        [".git/config", ".env", "data/praxis.db", "target/release/praxis", "tests/praxis.rs", "tests/features/mod.rs"]
    {
        assert!(is_ignored(kept), "{kept} is sent to the build");
    }
}
