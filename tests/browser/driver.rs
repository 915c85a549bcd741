//! Chromium through its driver: started for a test, ended with it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};

use crate::support::program::Folder;

/// How long a page may take to show what a test waits for, on a busy machine.
const WITHIN: Duration = Duration::from_secs(30);

/// A `chromedriver` on a port of its own.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    address: String,
    folder: Folder,
}

impl Driver {
    /// `None`, said on one line, where there is no browser.
    pub fn start() -> Option<Self> {
        let found = |name: &str| {
            let path = std::env::var_os("PATH")?;
            std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
        };
        let (Some(driver), Some(_)) = (found("chromedriver"), found("chromium")) else {
            crate::support::not_run("browser tests (no chromedriver or chromium)");
            return None;
        };
        let folder = Folder::new();
        let mut child = Command::new(driver)
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (lines, read) = mpsc::sync_channel(100);
        let out = BufReader::new(child.stdout.take().unwrap());
        // Read to its end, or a full pipe stops it; nobody listens after the port.
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _heard = lines.try_send(line);
            }
        });
        let port = loop {
            let line = read.recv_timeout(WITHIN).expect("chromedriver does not start");
            if let Some((_, port)) = line.trim_end_matches('.').rsplit_once("successfully on port ") {
                break port.to_owned();
            }
        };
        Some(Self { child, address: format!("http://127.0.0.1:{port}"), folder })
    }

    /// A browser that knows nothing yet, `width` CSS pixels wide.
    pub async fn open(&self, base: &str, width: u32) -> Browser {
        let profile = Folder::new();
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-dev-shm-usage".into(),
            "--disable-quic".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--disable-default-apps".into(),
            "--password-store=basic".into(),
            "--lang=en-GB".into(),
            // Nothing but the hub can be reached.
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1".into(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities: Map<String, Value> = [
            ("browserName".to_owned(), json!("chrome")),
            ("goog:chromeOptions".to_owned(), json!({"args": arguments})),
            ("timeouts".to_owned(), json!({"script": 180_000})),
            ("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"})),
        ]
        .into_iter()
        .collect();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.address)
            .await
            .unwrap_or_else(|error| panic!("no browser: {error}"));
        let browser = Browser { client, base: base.to_owned(), _profile: profile };
        browser.resize(width, 900).await;
        let still = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
        browser.devtools("Emulation.setEmulatedMedia", still).await;
        browser
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked kindly it ends its browsers too.
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-s", "TERM", &id]).stderr(Stdio::null()).status();
        if asked.is_err() {
            let _gone = self.child.kill();
        }
        let _ended = self.child.wait();
    }
}

/// One browser with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    pub client: Client,
    base: String,
    _profile: Folder,
}

/// A command of the browser's own protocol.
#[derive(Debug)]
struct Devtools(Value);

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.0.to_string()))
    }
}

/// What the page itself complained about.
#[derive(Debug)]
struct Complaints;

impl WebDriverCompatibleCommand for Complaints {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}

impl Browser {
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.client.issue_cmd(Devtools(json!({"cmd": command, "params": parameters}))).await.unwrap()
    }

    /// The size of the page's view in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        // The page hears of it a little later.
        let there = format!("return innerWidth === {width} && innerHeight === {height}");
        self.until("the view has its size", &there).await;
    }

    /// Takes the network from the browser, or gives it back.
    pub async fn network(&self, there: bool) {
        let conditions = json!({"offline": !there, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.emulateNetworkConditions", conditions).await;
    }

    /// Opens a path of the hub.
    pub async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap();
    }

    /// The path that is open.
    pub async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    /// A cookie of the hub, for the next page.
    pub async fn cookie(&self, name: &str, value: &str) {
        let cookie = json!({"url": self.base, "name": name, "value": value});
        self.devtools("Network.setCookie", cookie).await;
    }

    /// The first element that is there or comes.
    pub async fn find(&self, css: &str) -> Element {
        match self.client.wait().at_most(WITHIN).for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => panic!("{css} does not come ({error}) in {}", self.shown().await),
        }
    }

    /// Clicks on it.
    pub async fn click(&self, css: &str) {
        // What sticks to the edges of a narrow window may lie over it, as it does for people until they scroll.
        let element = self.find(css).await;
        let argument = serde_json::to_value(&element).unwrap();
        self.client.execute("arguments[0].scrollIntoView({block: 'nearest'})", vec![argument]).await.unwrap();
        if let Err(error) = element.click().await {
            let argument = serde_json::to_value(&element).unwrap();
            self.client.execute("arguments[0].scrollIntoView({block: 'center'})", vec![argument]).await.unwrap();
            element.click().await.unwrap_or_else(|again| panic!("{css}: {again}, at first {error}"));
        }
    }

    /// Types into a field, over what is in it.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap_or_else(|error| panic!("{css}: {error}"));
        field.send_keys(text).await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Sends the form that this element is in or is, by its first button to send, and waits for
    /// the page that comes.
    pub async fn send(&self, css: &str) {
        let mark = "document.documentElement.dataset.before = '1'";
        self.client.execute(mark, Vec::new()).await.unwrap();
        self.click(css).await;
        self.until(
            "the next page",
            "return document.readyState === 'complete' && !document.documentElement.dataset.before",
        )
        .await;
    }

    /// Waits until a script returns true.
    pub async fn until(&self, what: &str, script: &str) {
        let waited = tokio::time::timeout(WITHIN, async {
            loop {
                // While a page goes and another comes there may be nothing that could answer.
                match self.client.execute(script, Vec::new()).await {
                    Ok(Value::Bool(true)) => return,
                    Ok(_) | Err(CmdError::Standard(_)) => tokio::time::sleep(Duration::from_millis(25)).await,
                    Err(error) => panic!("{what}: {error}"),
                }
            }
        });
        if waited.await.is_err() {
            panic!("it does not come: {what}, in {}", self.shown().await);
        }
    }

    /// What a script returns.
    pub async fn ask(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What the console says since the last time: refused by the policy, lost, broken.
    pub async fn complaints(&self) -> Vec<String> {
        let entries = self.client.issue_cmd(Complaints).await.unwrap();
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries.iter().filter_map(|entry| entry["message"].as_str()).map(str::to_owned).collect()
    }

    async fn shown(&self) -> String {
        let text = "return location.pathname + ': ' + document.title + '\\n' + document.body.innerText";
        match self.client.execute(text, Vec::new()).await {
            Ok(Value::String(text)) => text,
            other => format!("{other:?}"),
        }
    }

    pub async fn close(self) {
        self.client.close().await.unwrap();
    }
}
