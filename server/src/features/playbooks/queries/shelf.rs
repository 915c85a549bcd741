//! What stands in a playbook, kept in memory where it is the same for all who may read the playbook.
//!
//! Invariant: it is good while the heads it was read at are the heads now, and for a minute at most,
//! because a review falls due by the clock. Who may read the playbook is asked before, each time. What is
//! kept was selected for any reader, and not with what one of them may do; where a study of another
//! playbook stands that is not open, readers differ, and nothing is kept.

use std::sync::Arc;

use moka::sync::Cache;

use super::books::{Eyes, bare_scenarios, filled};
use super::facets::counts_for;
use super::lists::Filter;
use crate::app::AppState;
use crate::features::playbooks::model::{ScenarioView, StudyRow, TermCount};
use crate::ports::clock::MINUTE;
use crate::streams::Stream;
use crate::web::error::Result;
use crate::web::viewer::Viewer;

/// Bytes of all that is kept, about.
const MOST_BYTES: u64 = 24 << 20;
/// Bytes of a study in a list, of a scenario, or of a term, beside its texts, about.
const BESIDE: usize = 800;

/// The scenarios of a playbook with their first studies, and the terms of all its studies.
#[derive(Debug)]
pub struct Shelf {
    heads: Vec<(Stream, i64)>,
    made_at: i64,
    bytes: usize,
    pub scenarios: Vec<ScenarioView>,
    pub counts: Vec<TermCount>,
}

/// What it takes to keep them.
fn bytes_of(scenarios: &[ScenarioView], counts: &[TermCount]) -> usize {
    let texts = |of: &[String]| of.iter().map(String::len).sum::<usize>();
    let study = |of: &StudyRow| {
        let names: usize = of.authors.iter().map(|who| who.handle.len() + who.display_name.len() + 64).sum();
        let terms: usize = of.terms.values().map(|labels| texts(labels) + 64 * labels.len()).sum();
        BESIDE + of.title.len() + of.summary.len() + names + terms
    };
    let scenario = |of: &ScenarioView| {
        let own = of.title.len() + of.description.len() + of.description_html.len();
        BESIDE + own + texts(&of.steps) + texts(&of.steps_html) + of.studies.iter().map(study).sum::<usize>()
    };
    let terms: usize = counts.iter().map(|of| of.term.len() + 64).sum();
    scenarios.iter().map(scenario).sum::<usize>() + terms
}

/// Shelves by playbook.
#[derive(Clone, Debug)]
pub struct Shelves(Cache<i64, Arc<Shelf>>);

impl Default for Shelves {
    fn default() -> Self {
        let weigh = |_: &i64, shelf: &Arc<Shelf>| u32::try_from(shelf.bytes).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(MOST_BYTES).weigher(weigh).build())
    }
}

/// The shelf of a playbook that the viewer may read; the heads were read before that was asked. Four
/// statements, or none.
pub(super) async fn shelf_of(
    state: &AppState,
    viewer: &Viewer,
    playbook: i64,
    heads: &[(Stream, i64)],
) -> Result<Arc<Shelf>> {
    let now = state.clock.now();
    if let Some(shelf) = state.shelves.0.get(&playbook)
        && shelf.heads == heads
        && (0..MINUTE).contains(&(now - shelf.made_at))
    {
        return Ok(shelf);
    }
    let db = state.store.read();
    let (scenarios, differs) = bare_scenarios(db, playbook).await?;
    let eyes = if differs { Eyes::Of(viewer) } else { Eyes::AnyReader(playbook) };
    let scenarios = filled(db, state, eyes, scenarios).await?;
    let filter = Filter { playbook: Some(playbook), ..Filter::default() };
    let counts = counts_for(state, eyes, &filter).await?;
    let bytes = bytes_of(&scenarios, &counts);
    let shelf = Arc::new(Shelf { heads: heads.to_vec(), made_at: now, bytes, scenarios, counts });
    if !differs {
        state.shelves.0.insert(playbook, Arc::clone(&shelf));
    }
    Ok(shelf)
}
