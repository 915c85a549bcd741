//! Where a link or an image in a text may lead. Both the formatter and the sanitiser ask here, so
//! they cannot disagree.

use std::borrow::Cow;

/// Said of every link that leaves the hub: members vouch for it, the hub does not.
pub(super) const EXTERNAL_REL: &str = "nofollow ugc noopener";

const FILES: &str = "/api/v1/files/";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// A path or fragment of this hub.
    Local(&'a str),
    External(Cow<'a, str>),
    Mail(&'a str),
}

impl Target<'_> {
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Local(url) | Self::Mail(url) => url,
            Self::External(url) => url,
        }
    }
}

/// `None`: not a place a text may link to, show only its words. `origin` is the hub's own, without
/// a trailing slash, or empty. A path relative to the page is refused: the same text is shown on
/// several pages, and it would lead somewhere else from each.
pub(super) fn target<'a>(url: &'a str, origin: &str) -> Option<Target<'a>> {
    let url = url.trim();
    // Browsers drop tabs and newlines inside a URL, so `java\nscript:` would become a scheme.
    if url.is_empty() || url.chars().any(char::is_control) {
        return None;
    }
    if !origin.is_empty()
        && let Some(rest) = url.strip_prefix(origin)
        && (rest.is_empty() || rest.starts_with(['/', '#', '?']))
    {
        return Some(Target::Local(if rest.starts_with('/') { local(rest)? } else { "/" }));
    }
    if url.starts_with(['/', '#']) {
        return local(url).map(Target::Local);
    }
    if has_scheme(url, "http://") || has_scheme(url, "https://") {
        return Some(Target::External(Cow::Borrowed(url)));
    }
    if has_scheme(url, "mailto:") {
        return Some(Target::Mail(url));
    }
    // `[NHS](www.nhs.uk)` is a slip worth mending.
    if has_scheme(url, "www.") {
        return Some(Target::External(Cow::Owned(format!("https://{url}"))));
    }
    None
}

/// A file of this hub, the only thing a text may embed.
pub(super) fn is_own_file(url: &str) -> bool {
    url.strip_prefix(FILES).is_some_and(|rest| {
        !rest.is_empty()
            && !rest.contains("..")
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
    })
}

/// `//host` and `/\host` are other hosts.
fn local(url: &str) -> Option<&str> {
    (!url.starts_with("//") && !url.starts_with("/\\")).then_some(url)
}

fn has_scheme(url: &str, scheme: &str) -> bool {
    url.len() > scheme.len() && url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_targets() {
        for bad in [
            "javascript:alert(1)",
            "JAVASCRIPT:x",
            "java\nscript:x",
            "data:text/html,x",
            "//evil.org",
            "/\\evil.org",
            "/\t/evil.org",
            "vbscript:x",
            "ftp://x",
            "",
            " ",
            "page.html",
            "../x",
            "http://",
        ] {
            assert_eq!(target(bad, "https://hub.org"), None, "{bad:?}");
        }
        assert_eq!(target("/people/anna", ""), Some(Target::Local("/people/anna")));
        assert_eq!(target("https://hub.org/x", "https://hub.org"), Some(Target::Local("/x")));
        assert_eq!(target("https://hub.org", "https://hub.org"), Some(Target::Local("/")));
        assert!(matches!(target("https://hub.org.evil.org/", "https://hub.org"), Some(Target::External(_))));
        assert_eq!(target("https://hub.org//evil.org", "https://hub.org"), None);
        assert_eq!(target("www.nhs.uk", "").as_ref().map(Target::url), Some("https://www.nhs.uk"));
        assert_eq!(target("mailto:a@b.org", ""), Some(Target::Mail("mailto:a@b.org")));
    }

    #[test]
    fn own_files() {
        assert!(is_own_file("/api/v1/files/01H-x_y"));
        for bad in ["/api/v1/files/", "/api/v1/files/../me", "/api/v1/files/%2e%2e/me", "https://x/api/v1/files/1"] {
            assert!(!is_own_file(bad), "{bad}");
        }
    }
}
