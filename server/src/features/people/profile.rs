//! What a profile may hold: the input of page and API, parsed and checked. Pure but for the
//! look-up of those whom the text mentions.

use std::collections::HashSet;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::Deserialize;
use url::Url;
use utoipa::ToSchema;

use super::model::LinkView;
use crate::app::AppState;
use crate::entities::kinds::{Discipline, MemberState};
use crate::entities::member;
use crate::text::{self, Links, Words};
use crate::web::checks::{BODY, SUMMARY, TITLE, Text, check};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::words::english;

pub const MOST_LINKS: usize = 10;
pub const MOST_TAGS: usize = 20;
const LONGEST_TAG: usize = 40;
const LONGEST_LABEL: usize = 80;
const LONGEST_URL: usize = 500;

/// Changes to one's own profile; what is absent stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct ProfileInput {
    pub display_name: Option<String>,
    pub headline: Option<String>,
    pub discipline: Option<Discipline>,
    pub organisation: Option<String>,
    /// At most 20 tags of letters, digits, `-`, `_`, `.` and `+`.
    pub expertise: Option<Vec<String>>,
    /// Markdown.
    pub about: Option<String>,
    /// At most 10.
    pub links: Option<Vec<LinkView>>,
    /// Such as `Europe/London`; empty for none.
    pub time_zone: Option<String>,
    /// Whether mail for replies and mentions is sent.
    pub mail_on: Option<bool>,
    /// Keeps a text that the hub asked to look at.
    #[serde(default)]
    pub confirmed: bool,
}

/// Changes that passed.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    pub display_name: Option<String>,
    pub headline: Option<String>,
    pub discipline: Option<Discipline>,
    pub organisation: Option<String>,
    pub expertise: Option<Vec<String>>,
    /// As written and as HTML.
    pub about: Option<(String, String)>,
    pub links: Option<Vec<LinkView>>,
    pub time_zone: Option<String>,
    pub mail_on: Option<bool>,
}

/// Checks an input; every fault is said at once.
pub async fn parse(state: &AppState, input: ProfileInput) -> Result<ProfileChange> {
    let mut faults = Vec::new();
    let expertise = input.expertise.map(|tags| keep(parse_tags(tags), &mut faults));
    let time_zone = input.time_zone.map(|zone| keep(parse_time_zone(&zone), &mut faults));
    let links = input.links.map(|links| keep(parse_links(links), &mut faults));
    // The labels and addresses of links are texts of the author too.
    let listed: String = links.iter().flatten().map(|link| format!("{} {}\n", link.label, link.url)).collect();
    let mut texts = Vec::new();
    if let Some(name) = &input.display_name {
        texts.push(Text::line("display_name", name, TITLE).required());
    }
    if let Some(headline) = &input.headline {
        texts.push(Text::line("headline", headline, SUMMARY));
    }
    if let Some(organisation) = &input.organisation {
        texts.push(Text::line("organisation", organisation, TITLE));
    }
    if let Some(about) = &input.about {
        texts.push(Text::body("about", about, BODY));
    }
    if !listed.is_empty() {
        texts.push(Text::body("links", &listed, BODY));
    }
    let checked = match check(&texts, input.confirmed) {
        Err(AppError::Invalid(more)) => {
            faults.extend(more);
            return Err(AppError::Invalid(faults));
        }
        Err(error) if faults.is_empty() => return Err(error),
        Err(_) => return Err(AppError::Invalid(faults)),
        Ok(checked) => checked,
    };
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let taken = |given: bool, field: &str| given.then(|| checked.get(field).to_owned());
    let about = match taken(input.about.is_some(), "about") {
        Some(source) => {
            let html = render(state, &source).await?;
            Some((source, html))
        }
        None => None,
    };
    Ok(ProfileChange {
        display_name: taken(input.display_name.is_some(), "display_name"),
        headline: taken(input.headline.is_some(), "headline"),
        discipline: input.discipline,
        organisation: taken(input.organisation.is_some(), "organisation"),
        expertise,
        about,
        links,
        time_zone,
        mail_on: input.mail_on,
    })
}

fn keep<T: Default>(parsed: Result<T, FieldError>, faults: &mut Vec<FieldError>) -> T {
    parsed.unwrap_or_else(|fault| {
        faults.push(fault);
        T::default()
    })
}

fn fault(field: &'static str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.into(), message: message.into() }
}

fn parse_tags(tags: Vec<String>) -> Result<Vec<String>, FieldError> {
    let mut parsed: Vec<String> = Vec::new();
    for tag in tags {
        let tag = tag.trim().trim_start_matches('#').to_lowercase();
        let good = !tag.is_empty()
            && tag.chars().count() <= LONGEST_TAG
            && tag.starts_with(char::is_alphanumeric)
            && tag.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'));
        if !good {
            let message = format!("has a tag that is not 1 to {LONGEST_TAG} letters, digits, -, _, . or +");
            return Err(fault("expertise", message));
        }
        if !parsed.contains(&tag) {
            parsed.push(tag);
        }
    }
    if parsed.len() > MOST_TAGS {
        return Err(fault("expertise", format!("may have {MOST_TAGS} tags at most")));
    }
    parsed.sort();
    Ok(parsed)
}

fn parse_time_zone(zone: &str) -> Result<String, FieldError> {
    let zone = zone.trim();
    let parts: Vec<&str> = zone.split('/').collect();
    let good = zone.len() <= 64
        && parts.len() <= 3
        && parts.iter().all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
        });
    if zone.is_empty() || good {
        Ok(zone.to_owned())
    } else {
        Err(fault("time_zone", "is a name such as Europe/London"))
    }
}

fn parse_links(links: Vec<LinkView>) -> Result<Vec<LinkView>, FieldError> {
    if links.len() > MOST_LINKS {
        return Err(fault("links", format!("may be {MOST_LINKS} at most")));
    }
    links.into_iter().map(|link| parse_link(&link)).collect()
}

fn parse_link(link: &LinkView) -> Result<LinkView, FieldError> {
    let wrong = || fault("links", "has an address that does not begin with http:// or https://");
    let written = link.url.trim();
    let url = Url::parse(written).map_err(|_| wrong())?;
    let host = url.host_str().unwrap_or_default().to_owned();
    // What stands before an `@` in an address makes it look like another host.
    if !matches!(url.scheme(), "http" | "https")
        || host.is_empty()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(wrong());
    }
    if url.as_str().len() > LONGEST_URL {
        return Err(fault("links", format!("has an address longer than {LONGEST_URL} characters")));
    }
    let label = text::clean(&link.label, LONGEST_LABEL, true)
        .map_err(|refused| fault("links", format!("has a label that {refused}")))?;
    Ok(LinkView { label: if label.is_empty() { host } else { label }, url: url.into() })
}

/// The HTML of what somebody says about themselves.
async fn render(state: &AppState, source: &str) -> Result<String> {
    let candidates = text::mention_candidates(source);
    let members: HashSet<String> = if candidates.is_empty() {
        HashSet::new()
    } else {
        let found: Vec<String> = member::Entity::find()
            .select_only()
            .column(member::Column::Handle)
            .filter(member::Column::Handle.is_in(candidates))
            .filter(member::Column::State.eq(MemberState::Active))
            .into_tuple()
            .all(state.store.read())
            .await?;
        found.into_iter().collect()
    };
    let words = english();
    let links = Links {
        members: &members,
        origin: state.origin(),
        hard_breaks: false,
        words: Words {
            table: words.t("people.text.table"),
            done: words.t("people.text.done"),
            not_done: words.t("people.text.not_done"),
        },
    };
    Ok(text::render(source, &links).html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_have_a_shape() {
        for good in ["", "UTC", "Europe/London", "America/Argentina/Buenos_Aires", "Etc/GMT+3"] {
            assert!(parse_time_zone(good).is_ok(), "{good}");
        }
        for bad in ["Europe/", "/x", "a/b/c/d", "Europe/Lon don", "é", "<b>"] {
            assert!(parse_time_zone(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn links_lead_to_the_web_and_nowhere_else() {
        let link = |url: &str| parse_link(&LinkView { label: String::new(), url: url.into() });
        assert_eq!(link("https://example.org/a").map(|link| link.label).ok().as_deref(), Some("example.org"));
        for bad in [
            "javascript:alert(1)",
            "ftp://example.org",
            "example.org",
            "https://nhs.uk@evil.example/",
            "data:text/html,x",
            "",
        ] {
            assert!(link(bad).is_err(), "{bad}");
        }
    }
}
