//! A Meilisearch server that somebody runs for the tests, if there is one.

use std::sync::{LazyLock, Mutex};

static TOLD: LazyLock<Mutex<bool>> = LazyLock::new(Mutex::default);

/// Settings for a hub that searches through it; says once that nothing ran if there is none. The
/// line is the one that `.ci/run` lets pass.
pub fn settings() -> Option<Vec<(String, String)>> {
    let Ok(url) = std::env::var("PRAXIS_TEST_MEILI_URL") else {
        let mut told = TOLD.lock().unwrap();
        if !*told {
            *told = true;
            super::not_run("search through Meilisearch (PRAXIS_TEST_MEILI_URL is not set)");
        }
        return None;
    };
    let mut settings = vec![("meili_url".to_owned(), url)];
    settings.extend(std::env::var("PRAXIS_TEST_MEILI_KEY").ok().map(|key| ("meili_key".to_owned(), key)));
    Some(settings)
}

pub fn as_pairs(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Removes what is on the server below this name.
pub async fn remove(settings: &std::collections::BTreeMap<String, String>, index: &str) {
    let Some(url) = settings.get("meili_url").filter(|_| std::env::var("PRAXIS_TEST_MEILI_URL").is_ok()) else {
        return;
    };
    for name in [index.to_owned(), format!("{index}-next")] {
        let mut request = reqwest::Client::new().delete(format!("{url}/indexes/{name}"));
        if let Some(key) = settings.get("meili_key") {
            request = request.bearer_auth(key);
        }
        let _asked = request.send().await;
    }
}
