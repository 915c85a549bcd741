//! The page of one resource.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::id_of;
use super::preview::{self, Preview};
use crate::app::AppState;
use crate::entities::kinds::{Discipline, HubRole, ScanState, TextState};
use crate::features::library::model::{CollectionLink, FileView, ResourceView};
use crate::features::library::queries::{self, Seen};
use crate::features::moderation::tends;
use crate::features::notices;
use crate::features::spaces::Access;
use crate::web::error::Result;
use crate::web::frame::{Frame, page};
use crate::web::viewer::{Me, Viewer};

#[derive(Clone, Debug, Default, Deserialize)]
pub struct ResourceQuery {
    /// The page of the file to begin with.
    page: Option<String>,
}

/// What the viewer may do with it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one control of the template")]
pub struct Rights {
    pub member: bool,
    pub edit: bool,
    pub endorse: bool,
    pub endorsed: bool,
    pub report: bool,
    /// Hides and shows.
    pub tend: bool,
    pub moderate: bool,
    pub write: bool,
}

impl Rights {
    #[must_use]
    pub fn of(me: Option<&Me>, seen: &Seen) -> Self {
        let Some(me) = me else { return Self::default() };
        let write = seen.access >= Access::Write && !seen.space.archived;
        let moderate = seen.access >= Access::Moderate && !seen.space.archived;
        let own = seen.row.author.id == me.id;
        let shown = seen.row.is_shown();
        Self {
            member: true,
            edit: shown && ((own && write) || moderate),
            endorse: shown && write && !own,
            endorsed: false,
            report: shown && !own,
            tend: !seen.row.purged && tends(me.hub_role, seen.access, seen.space.visibility),
            moderate: moderate && !seen.row.purged,
            write: shown && write,
        }
    }
}

#[derive(Template)]
#[template(path = "library/templates/resource.html")]
struct ResourcePage<'a> {
    f: &'a Frame,
    of: &'a ResourceView,
    can: Rights,
    preview: Preview,
    /// Who they are, and whether that is an expert.
    endorsed: Vec<(String, bool)>,
    /// Collections of the space that the viewer may change, and whether it is in them.
    collections: Vec<(CollectionLink, bool)>,
    /// Why its text is not all there, as a key of the catalogue; empty if it is.
    text_reason: String,
}

impl ResourcePage<'_> {
    fn file(&self) -> Option<&FileView> {
        self.of.current.as_ref().and_then(|current| current.file.as_ref())
    }

    fn held(&self) -> bool {
        self.file().is_some_and(|file| file.scan == ScanState::Waiting)
    }

    fn refused(&self) -> bool {
        self.file().is_some_and(|file| file.scan == ScanState::Infected)
    }

    /// Held for good: the scanner does not take it.
    fn unscannable(&self) -> bool {
        self.file().is_some_and(|file| file.scan == ScanState::Unscannable)
    }

    fn served(&self) -> bool {
        self.file().is_some_and(FileView::is_served)
    }

    /// A file of a type that is only kept: no text, no picture.
    fn without_preview(&self) -> bool {
        self.served() && self.file().is_some_and(|file| file.text == TextState::None && !file.is_image())
    }

    fn reading(&self) -> bool {
        self.served() && self.file().is_some_and(|file| file.text == TextState::Waiting)
    }
}

/// `GET /resources/{id}`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<ResourceQuery>,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let (view, seen) = queries::view(&state, &viewer, id).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    let me = viewer.member();
    let mut can = Rights::of(me, &seen);
    if let Some(me) = me {
        let named = view.endorsements.iter().any(|by| by.handle == me.handle);
        // Not all are named.
        let more = usize::try_from(view.row.endorsement_count).unwrap_or(0) > view.endorsements.len();
        can.endorsed = named || (more && queries::has_endorsed(&state, me.id, id).await?);
    }
    let from = query.page.as_deref().and_then(|text| text.parse().ok()).unwrap_or(1);
    let shown = match &view.current {
        Some(current) => preview::of(&state, current, from).await?,
        None => Preview::default(),
    };
    let mut collections = Vec::new();
    if let (Some(me), true) = (me, can.write) {
        let within = queries::collections_with(&state, id).await?;
        for link in queries::my_collections(&state, me, seen.row.space_id, seen.access).await? {
            let inside = within.contains(&link.id.0);
            collections.push((link, inside));
        }
    }
    if let Some(me) = me {
        notices::read_of_resource(&state, me, id).await?;
    }
    let endorsed = view.endorsements.iter().map(|by| endorser(&f, by.discipline, &by.headline, by.role)).collect();
    let file = view.current.as_ref().and_then(|current| current.file.as_ref());
    let text_reason = file
        .filter(|file| file.is_served() && matches!(file.text, TextState::Partial | TextState::Failed))
        .and_then(|file| file.text_reason.clone())
        .unwrap_or_default();
    page(&f, &ResourcePage { f: &f, of: &view, can, preview: shown, endorsed, collections, text_reason })
}

/// What an endorser is, in words.
fn endorser(f: &Frame, discipline: Discipline, headline: &str, role: HubRole) -> (String, bool) {
    let calling = if discipline == Discipline::Other {
        if headline.is_empty() { f.of("people.role", role.as_str()) } else { headline.to_owned() }
    } else {
        f.of("people.discipline", discipline.as_str())
    };
    if role == HubRole::Expert { (f.with1("forum.post.expert", "role", &calling), true) } else { (calling, false) }
}
