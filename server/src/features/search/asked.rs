//! The parameters of a search, checked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::app::AppState;
use crate::entities::kinds::TermKind;
use crate::features::playbooks::terms::fold;
use crate::ports::clock::DAY;
use crate::ports::search::{Filters, Sort};
use crate::search::query::{Query, parse};
use crate::search::{Kind, Reach};
use crate::store::{Id, Sql};
use crate::web::error::{AppError, FieldError, Result};

/// What a search is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct SearchQuery {
    /// Words; `"words in quotes"` stand together, `-word` is left out. 500 characters at most.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// `topic`, `post`, `message`, `playbook`, `case_study`, `resource`, `member`, `space`, `room`;
    /// several with commas between.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The slug of a space.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub space: String,
    /// The id of a room: its messages.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub room: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// The handle of a member.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// What case studies are filed under, a term of each kind; kinds narrow each other down.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pathway: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub setting: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub technique: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub data_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stage: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub country: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub organisation: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub technology: String,
    /// A date or a time (RFC 3339): from then on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// A date (that day included) or a time.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// `relevance` (the default) or `new`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sort: String,
}

/// A search that can be carried out.
#[derive(Clone, Debug)]
pub struct Asked {
    pub query: Arc<Query>,
    pub filters: Filters,
    pub sort: Sort,
}

impl SearchQuery {
    /// As the query of an address, without what is empty.
    #[must_use]
    pub fn address(&self) -> String {
        let mut address = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.pairs() {
            if !value.is_empty() {
                address.append_pair(name, value);
            }
        }
        address.finish()
    }

    pub fn pairs(&self) -> [(&'static str, &str); 17] {
        [
            ("q", &self.q),
            ("kind", &self.kind),
            ("space", &self.space),
            ("room", &self.room),
            ("tag", &self.tag),
            ("author", &self.author),
            ("pathway", &self.pathway),
            ("setting", &self.setting),
            ("technique", &self.technique),
            ("data_type", &self.data_type),
            ("stage", &self.stage),
            ("country", &self.country),
            ("organisation", &self.organisation),
            ("technology", &self.technology),
            ("from", &self.from),
            ("to", &self.to),
            ("sort", &self.sort),
        ]
    }

    /// From the query of an address.
    #[must_use]
    pub fn of_address(address: &str) -> Self {
        let mut of = Self::default();
        for (name, value) in url::form_urlencoded::parse(address.as_bytes()) {
            let field = match name.as_ref() {
                "q" => &mut of.q,
                "kind" => &mut of.kind,
                "space" => &mut of.space,
                "room" => &mut of.room,
                "tag" => &mut of.tag,
                "author" => &mut of.author,
                "from" => &mut of.from,
                "to" => &mut of.to,
                "sort" => &mut of.sort,
                name => match TermKind::parse(name) {
                    Some(kind) => of.term_mut(kind),
                    None => continue,
                },
            };
            *field = value.into_owned();
        }
        of
    }

    /// The term of a kind that is asked for.
    pub const fn term(&self, kind: TermKind) -> &String {
        match kind {
            TermKind::Pathway => &self.pathway,
            TermKind::Setting => &self.setting,
            TermKind::Technique => &self.technique,
            TermKind::DataType => &self.data_type,
            TermKind::Stage => &self.stage,
            TermKind::Country => &self.country,
            TermKind::Organisation => &self.organisation,
            TermKind::Technology => &self.technology,
        }
    }

    /// The same, to be changed.
    pub const fn term_mut(&mut self, kind: TermKind) -> &mut String {
        match kind {
            TermKind::Pathway => &mut self.pathway,
            TermKind::Setting => &mut self.setting,
            TermKind::Technique => &mut self.technique,
            TermKind::DataType => &mut self.data_type,
            TermKind::Stage => &mut self.stage,
            TermKind::Country => &mut self.country,
            TermKind::Organisation => &mut self.organisation,
            TermKind::Technology => &mut self.technology,
        }
    }

    /// Nothing is asked at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let sorted = Self { sort: self.sort.clone(), ..Self::default() };
        self.q.trim().is_empty() && Self { q: String::new(), ..self.clone() } == sorted
    }

    /// Checks everything; every fault at once.
    pub async fn check(&self, state: &AppState, reach: &Reach) -> Result<Asked> {
        let mut faults: Vec<FieldError> = Vec::new();
        let mut fault = |field: &'static str, message: &str| {
            faults.push(FieldError { field: field.into(), message: message.to_owned() });
        };
        let query = match parse(&self.q) {
            Ok(query) => query,
            Err(wrong) => {
                fault("q", &wrong.to_string());
                Query::default()
            }
        };
        let mut filters = Filters::default();
        for word in self.kind.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match Kind::parse(word) {
                Some(kind) if !filters.kinds.contains(&kind) => filters.kinds.push(kind),
                Some(_) => {}
                None => fault("kind", "is not a kind of this hub"),
            }
        }
        if !self.room.is_empty() {
            match self.room.parse::<Id>() {
                Ok(id) => filters.room = Some(id.0),
                Err(_) => fault("room", "is the id of a room"),
            }
        }
        match (moment(&self.from, false), moment(&self.to, true)) {
            (Ok(from), Ok(to)) => (filters.from, filters.to) = (from, to),
            (from, to) => {
                if from.is_err() {
                    fault("from", DATE);
                }
                if to.is_err() {
                    fault("to", DATE);
                }
            }
        }
        let sort = match self.sort.as_str() {
            "" | "relevance" => Sort::Relevance,
            "new" => Sort::New,
            _ => {
                fault("sort", "is relevance or new");
                Sort::Relevance
            }
        };
        let tag = crate::text::fold_tag(self.tag.trim().trim_start_matches('#'));
        if tag.chars().count() > crate::text::TAG_MAX || tag.contains('\0') {
            fault("tag", "is not a tag");
        } else if !tag.is_empty() {
            filters.tag = Some(tag);
        }
        for kind in TermKind::ALL {
            let word = fold(self.term(*kind));
            if word.chars().count() > TERM || word.contains(char::is_control) {
                fault(kind.as_str(), "is not a term");
            } else if !word.is_empty() {
                filters.terms.push((*kind, word));
            }
        }
        if self.space.trim().chars().count() > 60 {
            fault("space", SPACE);
        } else if !self.space.trim().is_empty() {
            let snapshot = state.spaces.snapshot(state).await?;
            let slug = self.space.trim().to_lowercase();
            // One that is not there and one that is not for the viewer are refused alike.
            match snapshot.all().iter().find(|space| space.slug == slug && reach.knows(space.id)) {
                Some(space) => filters.space = Some(space.id),
                None => fault("space", SPACE),
            }
        }
        let handle = self.author.trim().trim_start_matches('@').to_lowercase();
        if handle.chars().count() > 30 || handle.contains('\0') {
            fault("author", "is a member's handle");
        } else if !handle.is_empty() {
            let row = Sql::new("SELECT id FROM member WHERE handle = ").bind(handle).one(state.store.read()).await?;
            // Nobody of that name wrote nothing.
            filters.author = Some(row.map_or(Ok(-1), |row| row.try_get("", "id"))?);
        }
        if !faults.is_empty() {
            return Err(AppError::Invalid(faults));
        }
        // Without words there is no better and worse.
        let sort = if query.is_empty() { Sort::New } else { sort };
        Ok(Asked { query: Arc::new(query), filters, sort })
    }
}

/// Characters of a term; folded it may have more than as it was written.
const TERM: usize = 200;
const DATE: &str = "is a date such as 2026-11-26, or a time such as 2026-11-26T09:30:00Z";
const SPACE: &str = "is not a space you can see";

/// A moment, microseconds; of a date its beginning, or the beginning of the next.
fn moment(text: &str, end: bool) -> std::result::Result<Option<i64>, ()> {
    use time::format_description::well_known::Rfc3339;
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let micros = |at: time::OffsetDateTime| i64::try_from(at.unix_timestamp_nanos() / 1000).map_err(|_| ());
    if let Ok(date) = time::Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")) {
        let start = micros(date.midnight().assume_utc())?;
        return Ok(Some(if end { start.saturating_add(DAY) } else { start }));
    }
    micros(time::OffsetDateTime::parse(text, &Rfc3339).map_err(|_| ())?).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_whole_days() {
        assert_eq!(moment("1970-01-02", false), Ok(Some(DAY)));
        assert_eq!(moment("1970-01-02", true), Ok(Some(2 * DAY)));
        assert_eq!(moment("1970-01-02T00:00:00Z", true), Ok(Some(DAY)));
        assert_eq!(moment("", false), Ok(None));
        assert_eq!(moment("yesterday", false), Err(()));
    }

    #[test]
    fn an_address_and_back() {
        let mut of = SearchQuery { q: "chest \"x-ray\" & more".into(), tag: "ai".into(), ..SearchQuery::default() };
        for kind in TermKind::ALL {
            kind.as_str().clone_into(of.term_mut(*kind));
        }
        assert!(TermKind::ALL.iter().all(|kind| of.pairs().contains(&(kind.as_str(), kind.as_str()))));
        assert_eq!(SearchQuery::of_address(&of.address()), of);
        assert!(SearchQuery { sort: "new".into(), ..SearchQuery::default() }.is_empty());
        assert!(!of.is_empty());
    }
}
