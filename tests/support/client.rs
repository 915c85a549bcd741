//! A client: JSON with a bearer token, or pages with cookies and forms.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

/// One client of a hub. Cookies are kept by itself, so that a test sees what a browser would.
pub struct Client {
    http: reqwest::Client,
    pub base: String,
    pub handle: String,
    pub bearer: Option<String>,
    pub cookies: Mutex<BTreeMap<String, String>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The id of the object.
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id: {}", self.text)).to_owned()
    }

    /// The text of the first CSRF field or meta element of a page.
    pub fn csrf(&self) -> String {
        ["name=\"_csrf\" value=\"", "name=\"csrf\" content=\""]
            .iter()
            .find_map(|mark| self.text.split_once(mark)?.1.split('"').next())
            .unwrap_or_default()
            .to_owned()
    }
}

impl Client {
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base: base.to_owned(), handle: String::new(), bearer: None, cookies: Mutex::default() }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        let cookies = self.cookies.lock().unwrap();
        if !cookies.is_empty() {
            let header: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("Cookie", header.join("; "));
        }
        request
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        self.keep_cookies(&headers);
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    fn keep_cookies(&self, headers: &reqwest::header::HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap();
        for set in headers.get_all("set-cookie") {
            let first = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = first.split_once('=').unwrap();
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("POST", path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("PATCH", path).json(body)).await
    }

    pub async fn put(&self, path: &str) -> Answer {
        self.send(self.request("PUT", path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// Opens a page as a browser would.
    pub async fn page(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).header("Accept", "text/html")).await
    }

    /// Sends a form from a page: same origin, with the token that the page had.
    pub async fn form(&self, path: &str, csrf: &str, fields: &[(&str, &str)]) -> Answer {
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("_csrf", csrf)
            .extend_pairs(fields)
            .finish();
        let request = self
            .request("POST", path)
            .header("Origin", &self.base)
            .header("Accept", "text/html")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }

    /// A client with a browser's session: signs in on the page.
    pub async fn sign_in(base: &str, handle: &str) -> Self {
        let mut client = Self::new(base);
        client.handle = handle.to_owned();
        let page = client.page("/login").await;
        let password = super::hub::password(handle);
        let answer = client.form("/login", &page.csrf(), &[("login", handle), ("password", &password)]).await;
        assert_eq!(answer.status, 303, "signing in {handle}: {}", answer.text);
        client
    }
}
