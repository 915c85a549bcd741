//! What the address of a list of case studies asks for.

use actix_web::web;
use utoipa::IntoParams;

use crate::app::AppState;
use crate::entities::kinds::TermKind;
use crate::features::playbooks::queries::{self, Filter, Sort};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Viewer;

/// Which case studies. A word that is given several times has alternatives: each is a whole term. One
/// that is given once may have several, apart by commas, or be a term with a comma in it.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StudiesQuery {
    /// Slug of a playbook: its own and those in its scenarios.
    playbook: Option<String>,
    /// Id of a scenario.
    scenario: Option<String>,
    #[param(style = Form, explode, value_type = Option<Vec<String>>)]
    pathway: Vec<String>,
    #[param(style = Form, explode, value_type = Option<Vec<String>>)]
    setting: Vec<String>,
    #[param(style = Form, explode, value_type = Option<Vec<String>>)]
    technique: Vec<String>,
    #[param(style = Form, explode, value_type = Option<Vec<String>>)]
    data_type: Vec<String>,
    #[param(style = Form, explode, value_type = Option<Vec<String>>)]
    stage: Vec<String>,
    #[param(style = Form, explode, value_type = Option<Vec<String>>)]
    country: Vec<String>,
    #[param(style = Form, explode, value_type = Option<Vec<String>>)]
    organisation: Vec<String>,
    #[param(style = Form, explode, value_type = Option<Vec<String>>)]
    technology: Vec<String>,
    /// Handle of an author.
    author: Option<String>,
    /// `true`: those whose review is overdue.
    overdue: Option<String>,
    /// `new` (the default), `adopted` or `endorsed`.
    sort: Option<String>,
}

/// A query as its names and values stand in it.
pub(super) type Pairs = web::Query<Vec<(String, String)>>;

/// Terms of one kind in a query.
const MOST_TERMS: usize = 20;

impl StudiesQuery {
    pub fn of(pairs: &[(String, String)]) -> Self {
        let one = |name: &str| {
            let found = pairs.iter().find(|(key, value)| key == name && !value.trim().is_empty());
            found.map(|(_, value)| value.clone())
        };
        let all = |kind: TermKind| {
            let of = pairs.iter().filter(|(key, value)| key == kind.as_str() && !value.trim().is_empty());
            of.map(|(_, value)| value.clone()).collect()
        };
        Self {
            playbook: one("playbook"),
            scenario: one("scenario"),
            pathway: all(TermKind::Pathway),
            setting: all(TermKind::Setting),
            technique: all(TermKind::Technique),
            data_type: all(TermKind::DataType),
            stage: all(TermKind::Stage),
            country: all(TermKind::Country),
            organisation: all(TermKind::Organisation),
            technology: all(TermKind::Technology),
            author: one("author"),
            overdue: one("overdue"),
            sort: one("sort"),
        }
    }

    pub async fn filter(self, state: &AppState, viewer: &Viewer) -> Result<Filter> {
        let playbook = match self.playbook {
            Some(slug) => Some(queries::find_playbook(state, viewer, &slug).await?.id),
            None => None,
        };
        let scenario = match self.scenario {
            Some(id) => Some(id.parse::<Id>().map_err(|_| AppError::field("scenario", "is an id of this hub"))?.0),
            None => None,
        };
        let kinds = [
            (TermKind::Pathway, self.pathway),
            (TermKind::Setting, self.setting),
            (TermKind::Technique, self.technique),
            (TermKind::DataType, self.data_type),
            (TermKind::Stage, self.stage),
            (TermKind::Country, self.country),
            (TermKind::Organisation, self.organisation),
            (TermKind::Technology, self.technology),
        ];
        let terms = kinds.into_iter().map(|(kind, given)| (kind, alternatives(given)));
        let terms = terms.filter(|(_, words)| !words.is_empty()).collect();
        let author = self.author.filter(|author| !author.contains('\0'));
        let overdue = self.overdue.as_deref() == Some("true");
        Ok(Filter { playbook, scenario, terms, author, overdue, sort: Sort::parse(self.sort.as_deref())? })
    }
}

/// The terms that are asked for.
fn alternatives(given: Vec<String>) -> Vec<String> {
    let parts: Vec<String> = match given.as_slice() {
        [one] if one.contains(',') => one.split(',').map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let words = given.iter().chain(&parts).map(|word| word.trim().to_owned());
    words.filter(|word| !word.is_empty() && !word.contains('\0')).take(MOST_TERMS).collect()
}
