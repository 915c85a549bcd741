//! Where the store is: `PRAXIS_STORAGE_URL` and the usual AWS variables.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};
use url::Url;

/// Variables that say whether a role stands in for a key.
const ROLES: [&str; 3] =
    ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

/// Where bytes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Folder(PathBuf),
    /// A bucket, and what stands before every key in it.
    Bucket {
        bucket: String,
        prefix: String,
    },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(dir) => write!(f, "file://{}", dir.display()),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl Place {
    /// Reads `file:///absolute/path` or `s3://bucket/prefix`; the error is one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fault = |why: &str| {
            let shown = crate::app::config::masked(text);
            format!("PRAXIS_STORAGE_URL: '{shown}' {why}; write file:///absolute/path or s3://bucket/prefix")
        };
        let url = Url::parse(text).map_err(|_| fault("is no address"))?;
        match url.scheme() {
            "file" => url.to_file_path().map(Self::Folder).map_err(|()| fault("is no folder")),
            "s3" => {
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(fault("holds a key, which belongs into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
                }
                if url.query().is_some() || url.fragment().is_some() || url.port().is_some() {
                    return Err(fault("holds more than a bucket and a prefix"));
                }
                let bucket = url.host_str().filter(|name| is_bucket(name)).ok_or_else(|| fault("names no bucket"))?;
                let prefix = url.path().trim_matches('/');
                Path::parse(prefix).map_err(|_| fault("has a prefix that is no path of plain words"))?;
                Ok(Self::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
            }
            _ => Err(fault("is neither a folder nor a bucket")),
        }
    }
}

/// 3 to 63 of lower case letters, digits, dots and hyphens.
fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

/// The `AWS_…` variables of the process: key, region, endpoint. Never printed.
#[derive(Clone, Default)]
pub struct Aws(BTreeMap<String, String>);

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Aws {
    /// Takes those of some variables that are about AWS and say something.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let about = |(name, value): &(String, String)| name.starts_with("AWS_") && !value.trim().is_empty();
        Self(variables.into_iter().filter(about).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The store's address, if it is not AWS itself.
    fn endpoint(&self) -> Result<Option<Url>, String> {
        let Some(name) = ENDPOINTS.into_iter().find(|name| self.get(name).is_some()) else { return Ok(None) };
        let text = self.get(name).unwrap_or_default();
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
        url.map(Some).ok_or_else(|| format!("{name}: '{text}' is no address; write it like https://s3.example.org"))
    }
}

/// Opens a bucket. Nothing is sent yet.
pub(super) fn bucket(bucket: &str, prefix: &str, aws: &Aws) -> Result<Arc<dyn ObjectStore>, String> {
    let endpoint = aws.endpoint()?;
    match (aws.get("AWS_ACCESS_KEY_ID").is_some(), aws.get("AWS_SECRET_ACCESS_KEY").is_some()) {
        (true, false) => return Err("AWS_SECRET_ACCESS_KEY is missing; set it beside AWS_ACCESS_KEY_ID".into()),
        (false, true) => return Err("AWS_ACCESS_KEY_ID is missing; set it beside AWS_SECRET_ACCESS_KEY".into()),
        (false, false) if endpoint.is_some() && !ROLES.iter().any(|name| aws.get(name).is_some()) => {
            return Err("PRAXIS_STORAGE_URL: s3:// needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".into());
        }
        _ => {}
    }
    // Another part of the program may have been first.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let options = ClientOptions::new()
        .with_config(ClientConfigKey::UserAgent, concat!("praxis/", env!("CARGO_PKG_VERSION")))
        .with_connect_timeout(Duration::from_secs(3))
        // Of silence, not of the whole: a reader may be slow.
        .with_read_timeout(Duration::from_secs(20))
        .with_timeout_disabled();
    // What was said over, by the environment.
    let mut builder = AmazonS3Builder::new().with_client_options(options);
    for (name, value) in &aws.0 {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_bucket_name(bucket)
        // Not every store that speaks S3 removes many at once.
        .with_disable_bulk_delete(true)
        .with_retry(RetryConfig {
            max_retries: 3,
            retry_timeout: Duration::from_secs(8),
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.0,
            },
        });
    if endpoint.is_some_and(|url| url.scheme() == "http") {
        // Whoever writes http:// means it.
        builder = builder.with_allow_http(true);
    }
    let store = builder.build().map_err(|error| {
        format!("PRAXIS_STORAGE_URL: s3://{bucket} cannot be used ({error}); check the AWS_ variables")
            .replace('\n', " ")
    })?;
    if prefix.is_empty() { Ok(Arc::new(store)) } else { Ok(Arc::new(PrefixStore::new(store, prefix))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_stores() {
        let bucket = |bucket: &str, prefix: &str| Place::Bucket { bucket: bucket.into(), prefix: prefix.into() };
        assert_eq!(Place::parse("file:///srv/praxis").unwrap(), Place::Folder("/srv/praxis".into()));
        assert_eq!(Place::parse("s3://hub-files").unwrap(), bucket("hub-files", ""));
        assert_eq!(Place::parse("s3://hub-files/a/b/").unwrap(), bucket("hub-files", "a/b"));
        for wrong in [
            "uploads",
            "file://host/dir",
            "ftp://files.example.org",
            "s3://",
            "s3://UP",
            "s3://key:secret@hub-files",
            "s3://hub-files?region=x",
            "s3://hub-files/a//b",
            "s3://hub-files:9000/a",
        ] {
            let line = Place::parse(wrong).unwrap_err();
            assert!(line.starts_with("PRAXIS_STORAGE_URL: ") && !line.contains("secret@"), "{line}");
        }
    }

    #[test]
    fn variables_that_do_not_fit() {
        let aws = |pairs: &[(&str, &str)]| Aws::of(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let key = ("AWS_ACCESS_KEY_ID", "praxis");
        let secret = ("AWS_SECRET_ACCESS_KEY", "sesame");
        for (variables, named) in [
            (vec![("AWS_ENDPOINT", "storage:9000"), key, secret], "AWS_ENDPOINT"),
            (vec![("AWS_ENDPOINT", "ftp://storage"), key, secret], "AWS_ENDPOINT"),
            (vec![("AWS_ENDPOINT", "http://storage:9000")], "AWS_ACCESS_KEY_ID"),
            (vec![key], "AWS_SECRET_ACCESS_KEY"),
            (vec![secret], "AWS_ACCESS_KEY_ID"),
        ] {
            let line = super::bucket("hub-files", "", &aws(&variables)).unwrap_err();
            assert!(line.contains(named) && !line.contains("sesame"), "{line}");
        }
        let good = aws(&[("AWS_ENDPOINT", "http://127.0.0.1:9"), key, secret]);
        assert!(super::bucket("hub-files", "a", &good).is_ok());
        assert!(!format!("{good:?}").contains("sesame"));
    }
}
