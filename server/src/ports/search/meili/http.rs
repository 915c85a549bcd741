//! The hub's own HTTP client for the Meilisearch crate, which brings one of another version.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::io::{AsyncRead, AsyncReadExt as _};
use meilisearch_sdk::errors::Error;
use meilisearch_sdk::request::{HttpClient, Method, parse_response};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A server that is there takes a connection within this.
const CONNECT: Duration = Duration::from_secs(2);
/// Sending documents may take a while; whoever searches waits for less.
const ANSWER: Duration = Duration::from_mins(1);

/// Sends what the crate asks for.
#[derive(Clone, Debug)]
pub struct Http(reqwest::Client);

impl Http {
    /// A client that sends this key; the error is one line.
    pub fn new(key: Option<&str>) -> Result<Self, String> {
        crate::app::prepare_tls();
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let value = HeaderValue::from_str(&format!("Bearer {key}"));
            let mut value = value.map_err(|_| "a key is of letters, digits and signs".to_owned())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(reqwest::redirect::Policy::none());
        client.build().map(Self).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl HttpClient for Http {
    async fn stream_request<
        Query: Serialize + Send + Sync,
        Body: AsyncRead + Send + Sync + 'static,
        Output: DeserializeOwned + 'static,
    >(
        &self,
        url: &str,
        method: Method<Query, Body>,
        content_type: &str,
        expected_status_code: u16,
    ) -> Result<Output, Error> {
        let verb = match &method {
            Method::Get { .. } => reqwest::Method::GET,
            Method::Post { .. } => reqwest::Method::POST,
            Method::Patch { .. } => reqwest::Method::PATCH,
            Method::Put { .. } => reqwest::Method::PUT,
            Method::Delete { .. } => reqwest::Method::DELETE,
        };
        let mut request = self.0.request(verb, with_query(url, method.query())?);
        if let Some(body) = method.into_body() {
            let mut bytes = Vec::new();
            let mut body = std::pin::pin!(body);
            body.read_to_end(&mut bytes).await.map_err(other)?;
            request = request.header(CONTENT_TYPE, content_type).body(bytes);
        }
        let response = request.send().await.map_err(|error| other(error.without_url()))?;
        let status = response.status().as_u16();
        let text = response.text().await.map_err(|error| other(error.without_url()))?;
        let text = if text.is_empty() { "null" } else { &text };
        parse_response(status, expected_status_code, text, url.to_owned())
    }

    fn is_tokio(&self) -> bool {
        true
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}

/// The parameters of a request as those of an address; lists have commas between.
fn with_query(url: &str, query: &impl Serialize) -> Result<String, Error> {
    let Value::Object(query) = serde_json::to_value(query)? else { return Ok(url.to_owned()) };
    let word = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &query {
        let value = match value {
            Value::Array(values) => Some(values.iter().filter_map(word).collect::<Vec<_>>().join(",")),
            value => word(value),
        };
        if let Some(value) = value {
            pairs.append_pair(name, &value);
        }
    }
    let pairs = pairs.finish();
    Ok(if pairs.is_empty() { url.to_owned() } else { format!("{url}?{pairs}") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_become_an_address() {
        let query = json!({"limit": 2, "fields": ["key", "a b"], "filter": null});
        assert_eq!(with_query("http://x/y", &query).unwrap(), "http://x/y?fields=key%2Ca+b&limit=2");
        assert_eq!(with_query("http://x/y", &()).unwrap(), "http://x/y");
    }
}
