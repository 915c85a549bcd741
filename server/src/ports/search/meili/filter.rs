//! Filters of a question, as Meilisearch reads them. Pure.
//!
//! Every value is a number, a word of ours or a coded tag: nothing that was typed.

use super::entry::coded_tag;
use crate::entities::kinds::TermKind;
use crate::ports::search::Ask;
use crate::search::Reach;

/// The facets, by the names of their attributes.
pub const FACETS: [&str; 12] = [
    "kind",
    "space",
    "tags",
    "author",
    term_facet(TermKind::Pathway),
    term_facet(TermKind::Setting),
    term_facet(TermKind::Technique),
    term_facet(TermKind::DataType),
    term_facet(TermKind::Stage),
    term_facet(TermKind::Country),
    term_facet(TermKind::Organisation),
    term_facet(TermKind::Technology),
];

/// The attribute of the terms of a kind, in the one that has them all.
#[must_use]
pub const fn term_facet(kind: TermKind) -> &'static str {
    match kind {
        TermKind::Pathway => "terms.pathway",
        TermKind::Setting => "terms.setting",
        TermKind::Technique => "terms.technique",
        TermKind::DataType => "terms.data_type",
        TermKind::Stage => "terms.stage",
        TermKind::Country => "terms.country",
        TermKind::Organisation => "terms.organisation",
        TermKind::Technology => "terms.technology",
    }
}

/// What every question is asked with.
#[must_use]
pub fn audience(reach: &Reach) -> String {
    any("audience", reach.audiences().iter().map(ToString::to_string))
}

/// Whether an attribute has one of these; each is a number or a word of ours.
#[must_use]
pub fn any(attribute: &str, values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.map(|value| format!("\"{value}\"")).collect();
    format!("{attribute} IN [{}]", values.join(", "))
}

/// The filters of a question, those of a facet by its name.
#[derive(Clone, Debug)]
pub struct Filter {
    always: Vec<String>,
    own: Vec<(&'static str, String)>,
}

impl Filter {
    #[must_use]
    pub fn of(ask: &Ask) -> Self {
        let filters = &ask.filters;
        let is = |attribute: &str, value: String| format!("{attribute} = \"{value}\"");
        let mut always = vec![audience(&ask.reach)];
        always.extend(filters.room.map(|room| is("room", room.to_string())));
        always.extend(filters.from.map(|from| format!("created >= {from}")));
        always.extend(filters.to.map(|to| format!("created < {to}")));
        // What arrived since the first page would shift the next.
        always.extend(ask.after.map(|after| format!("created <= {}", after.now)));
        let mut own = Vec::new();
        if !filters.kinds.is_empty() {
            own.push(("kind", any("kind", filters.kinds.iter().map(ToString::to_string))));
        }
        own.extend(filters.space.map(|space| ("space", is("space", space.to_string()))));
        own.extend(filters.tag.as_ref().map(|tag| ("tags", is("tags", coded_tag(tag)))));
        own.extend(filters.author.map(|author| ("author", is("author", author.to_string()))));
        for (kind, word) in &filters.terms {
            let facet = term_facet(*kind);
            own.push((facet, is(facet, coded_tag(word))));
        }
        Self { always, own }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> String {
        self.without("")
    }

    /// All but that of a facet.
    #[must_use]
    pub fn without(&self, facet: &str) -> String {
        let own = self.own.iter().filter(|(name, _)| *name != facet).map(|(_, text)| text.as_str());
        self.always.iter().map(String::as_str).chain(own).collect::<Vec<_>>().join(" AND ")
    }

    /// Whether a facet is filtered by.
    #[must_use]
    pub fn has(&self, facet: &str) -> bool {
        self.own.iter().any(|(name, _)| *name == facet)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ports::search::{Filters, Sort};
    use crate::search::{Audience, Kind};

    #[test]
    fn nothing_typed_gets_into_a_filter() {
        let filters = Filters {
            kinds: vec![Kind::Post],
            space: Some(5),
            tag: Some("x\" OR audience = \"o1".into()),
            terms: vec![(TermKind::DataType, "chest \"x-ray".into())],
            ..Filters::default()
        };
        let ask = Ask {
            query: Arc::default(),
            filters,
            sort: Sort::New,
            limit: 1,
            after: None,
            reach: Arc::new(Reach::of([Audience::Everybody, Audience::Readers(5)], [5])),
            now: 0,
            names_only: false,
            facets: true,
        };
        let filter = Filter::of(&ask);
        assert_eq!(
            filter.all(),
            "audience IN [\"e\", \"s5\"] AND kind IN [\"post\"] AND space = \"5\" AND tags = \
             \"x%22+OR+audience+%3D+%22o1\" AND terms.data_type = \"chest+%22x-ray\""
        );
        assert!(filter.without("tags").contains("space = \"5\" AND terms.data_type"));
        assert!(TermKind::ALL.iter().all(|kind| FACETS.contains(&term_facet(*kind))));
        assert!(filter.has("kind") && !filter.has("author"));
    }
}
