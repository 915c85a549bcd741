//! What the fields of a resource may hold. Pure. Who may do what is the space's and the forum's
//! `Standing`: whoever may write in a space shares there, and changes what they shared.

use time::Date;
use url::Url;

use crate::ports::clock::DAY;
use crate::text;
use crate::web::error::{AppError, Result};

/// A resource may have so many topics, and so many tags.
pub const MOST_TERMS: usize = 8;
/// Characters of one topic.
pub const TOPIC: usize = 60;
pub const MOST_AUTHORS: usize = 30;
/// Characters of one author's name, of an organisation, of a licence.
pub const NAME: usize = 120;
/// Characters of a source: a citation or an address.
pub const SOURCE: usize = 500;
/// Characters of an address.
pub const ADDRESS: usize = 2_000;
/// A collection may have so many resources.
pub const MOST_ITEMS: usize = 200;
/// A resource may have so many versions.
pub const MOST_VERSIONS: i32 = 500;

/// Topics as shown: each once whatever its case, in the order given.
pub fn parse_topics(given: &[String]) -> Result<Vec<String>> {
    let mut topics: Vec<String> = Vec::new();
    for topic in given {
        let topic = text::clean(topic, TOPIC, true)
            .map_err(|_| AppError::field("topics", format!("has topics of {TOPIC} characters at most")))?;
        let known = topics.iter().any(|known| fold(known) == fold(&topic));
        if !topic.is_empty() && !known {
            topics.push(topic);
        }
    }
    if topics.len() > MOST_TERMS {
        return Err(AppError::field("topics", format!("has {MOST_TERMS} topics at most")));
    }
    Ok(topics)
}

/// A topic or tag as it is compared.
#[must_use]
pub fn fold(term: &str) -> String {
    text::fold_tag(term.trim())
}

/// Names of authors, in the order given.
pub fn parse_authors(given: &[String]) -> Result<Vec<String>> {
    let mut authors = Vec::new();
    for name in given {
        let name = text::clean(name, NAME, true)
            .map_err(|_| AppError::field("authors", format!("has names of {NAME} characters at most")))?;
        if !name.is_empty() {
            authors.push(name);
        }
    }
    if authors.len() > MOST_AUTHORS {
        return Err(AppError::field("authors", format!("has {MOST_AUTHORS} names at most")));
    }
    Ok(authors)
}

/// An address on the web.
pub fn parse_url(given: &str) -> Result<String> {
    let wrong = || AppError::field("url", "is an address on the web, such as https://example.org/report");
    let given = given.trim();
    if given.is_empty() {
        return Err(AppError::field("url", "is needed"));
    }
    if given.chars().count() > ADDRESS {
        return Err(AppError::field("url", format!("has {ADDRESS} characters at most")));
    }
    let url = Url::parse(given).map_err(|_| wrong())?;
    let named = url.host_str().is_some_and(|host| !host.is_empty());
    // A name and password before the host make an address look like another one.
    let plain = url.username().is_empty() && url.password().is_none();
    if matches!(url.scheme(), "http" | "https") && named && plain { Ok(url.to_string()) } else { Err(wrong()) }
}

/// A day `2026-11-26` as microseconds at its beginning, UTC; `None` for an empty text.
pub fn parse_day(field: &'static str, given: &str) -> Result<Option<i64>> {
    let given = given.trim();
    if given.is_empty() {
        return Ok(None);
    }
    let wrong = || AppError::field(field, "is a day such as 2026-11-26");
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let day = Date::parse(given, format).map_err(|_| wrong())?;
    if !(1800..=2200).contains(&day.year()) {
        return Err(AppError::field(field, "is a day between 1800 and 2200"));
    }
    Ok(Some(day.midnight().assume_utc().unix_timestamp() * 1_000_000))
}

/// A day as the wire shows it.
#[must_use]
pub fn day(at: i64) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    time::OffsetDateTime::from_unix_timestamp(at.div_euclid(1_000_000))
        .ok()
        .and_then(|at| at.date().format(format).ok())
        .unwrap_or_default()
}

/// Whether a review is due: its day has begun.
#[must_use]
pub const fn is_due(review_due: Option<i64>, now: i64) -> bool {
    matches!(review_due, Some(due) if due <= now)
}

/// A year after a day, for the next review.
#[must_use]
pub const fn in_a_year(now: i64) -> i64 {
    (now / DAY + 365) * DAY
}

/// A title from a file's name: without its ending, with spaces.
#[must_use]
pub fn title_of(file_name: &str) -> String {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let spaced: String = stem.chars().map(|c| if c == '_' { ' ' } else { c }).collect();
    let title: String = spaced.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
    if title.trim().is_empty() { file_name.chars().take(200).collect() } else { title.trim().to_owned() }
}

/// Words of one form field: parted by commas or lines.
#[must_use]
pub fn split_list(text: &str) -> Vec<String> {
    text.split([',', '\n', ';']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_on_the_web_only() {
        assert_eq!(parse_url(" https://example.org/a b ").unwrap(), "https://example.org/a%20b");
        for wrong in [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://example.org/",
            "example.org",
            "http://",
            "//x/y",
            "file:///etc/passwd",
            "https://bank.example@evil.example/",
        ] {
            assert!(parse_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_of_the_calendar_only() {
        let day_of = |text| parse_day("review_due", text);
        assert_eq!(day_of("1970-01-02").unwrap(), Some(DAY));
        assert_eq!(day_of(" ").unwrap(), None);
        assert_eq!(day(day_of("2024-02-29").unwrap().unwrap()), "2024-02-29");
        for wrong in ["2023-02-29", "1999-02-30T25:61:61Z", "tomorrow", "99999-01-01", "1700-01-01", "2026-1-1"] {
            assert!(day_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn topics_are_one_whatever_their_case() {
        let given = ["Medical imaging", " medical  Imaging ", "", "Ethics"].map(str::to_owned);
        assert_eq!(parse_topics(&given).unwrap(), ["Medical imaging", "Ethics"]);
        assert!(parse_topics(&["x".repeat(61)]).is_err());
        let many: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        assert!(parse_topics(&many).is_err());
    }

    #[test]
    fn titles_from_names() {
        assert_eq!(title_of("Annual_Report 22.v2.pdf"), "Annual Report 22.v2");
        assert_eq!(title_of("LICENSE"), "LICENSE");
        assert_eq!(title_of(".pdf"), ".pdf");
        assert!(title_of(&"x".repeat(900)).len() <= 200);
    }
}
