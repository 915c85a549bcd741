//! The page of a space's members: who they are, who waits at the door, who is asked in.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::Deserialize;

use super::api::id;
use super::forms::Shown;
use super::head::{SpaceHead, outline};
use super::membership::{Person, answer_request, invite_member, remove_member, set_role};
use super::model::{EntryView, RequestView, SpaceMemberView};
use super::queries;
use crate::app::AppState;
use crate::entities::kinds::{MemberState, SpaceRole};
use crate::entities::member;
use crate::features::accounts::invitations;
use crate::web::error::{AppError, FieldError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// People invited with one form.
const MOST: usize = 200;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct MembersQuery {
    q: Option<String>,
    role: Option<String>,
    cursor: Option<String>,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "spaces/templates/space-members.html")]
struct MembersPage<'a> {
    f: &'a Frame,
    head: SpaceHead,
    q: String,
    role: &'static str,
    members: Vec<SpaceMemberView>,
    next: Option<String>,
    requests: Vec<RequestView>,
    invited: Vec<SpaceMemberView>,
    entries: Vec<EntryView>,
    form: Shown,
    done: bool,
    /// Addresses that were just asked, with the links that are shown this once.
    made: &'a [(String, String)],
    /// No mail server is set up.
    held: bool,
}

impl MembersPage<'_> {
    /// Whether the viewer may give this member another role.
    fn may_change(&self, row: &SpaceMemberView) -> bool {
        self.head.may_manage() && !self.is_me(row)
    }

    /// Whether the viewer may take this member out.
    fn may_remove(&self, row: &SpaceMemberView) -> bool {
        let plain = row.role == SpaceRole::Member;
        !self.is_me(row) && (self.head.may_manage() || (self.head.may_moderate() && plain))
    }

    fn is_me(&self, row: &SpaceMemberView) -> bool {
        self.f.me.as_ref().is_some_and(|me| me.id == row.person.id)
    }
}

/// `GET /s/{slug}/members`
pub async fn members(
    req: HttpRequest,
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
    query: Query<MembersQuery>,
) -> Result<HttpResponse> {
    show(&req, &state, me, &slug, &query, Said::default()).await
}

/// What the page answers a form with.
#[derive(Default)]
struct Said {
    form: Shown,
    made: Vec<(String, String)>,
    refused: Option<StatusCode>,
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    me: Member,
    slug: &str,
    query: &MembersQuery,
    said: Said,
) -> Result<HttpResponse> {
    let Said { form, made, refused } = said;
    let status = refused.unwrap_or(StatusCode::OK);
    let viewer = Viewer::Member(me.0);
    let (space, access) = state.spaces.find(state, &viewer, slug).await?;
    access.read()?;
    let f = Frame::new(state, req, &viewer).await?;
    let head = outline(state, &viewer, &space, access).await?.at("members");
    let db = state.store.read();
    let q: String = query.q.as_deref().unwrap_or_default().trim().chars().take(60).collect();
    let role = query.role.as_deref().and_then(SpaceRole::parse);
    let place = PageQuery { limit: None, cursor: query.cursor.clone() };
    let list = queries::members(db, space.id, role, &q, place.after()?, place.limit()?).await?;
    let requests = if head.waiting > 0 { queries::requests(db, space.id, None, 100).await?.items } else { Vec::new() };
    let invited = if head.may_moderate() { queries::invited(db, space.id).await? } else { Vec::new() };
    let entries = if head.may_manage() { queries::entries(db, space.id, None, 20).await?.items } else { Vec::new() };
    let role = role.map_or("", SpaceRole::as_str);
    let next = list.next_cursor.as_deref().map(|cursor| {
        let mut next = url::form_urlencoded::Serializer::new(String::from("?"));
        for (name, value) in [("q", q.as_str()), ("role", role), ("cursor", cursor)] {
            if !value.is_empty() {
                next.append_pair(name, value);
            }
        }
        next.finish()
    });
    let Page { items: members, .. } = list;
    let held = !state.mailer.is_configured();
    let done = query.said.as_deref() == Some("invited");
    let page =
        MembersPage { f: &f, head, q, role, members, next, requests, invited, entries, form, done, made: &made, held };
    page_with_status(&f, &page, status)
}

/// `POST /s/{slug}/members`: asks people in, by handle or by mail.
pub async fn invite(
    req: HttpRequest,
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let (_, access) = state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?;
    access.moderate()?;
    match try_invite(&state, &me, &slug, form.get("who")).await {
        Ok(made) if made.is_empty() => Ok(see_other(&format!("/s/{slug}/members?said=invited"))),
        // No redirect: the links are in this answer and in no other.
        Ok(made) => {
            let said = Said { made, ..Said::default() };
            show(&req, &state, me, &slug, &MembersQuery::default(), said).await
        }
        Err(error) => {
            let mut shown = Shown::typed(&form, &["who"]);
            let status = shown.refuse(error)?;
            // One field holds the whole list.
            for fault in &mut shown.faults {
                fault.field = "who".into();
            }
            let said = Said { form: shown, refused: Some(status), ..Said::default() };
            show(&req, &state, me, &slug, &MembersQuery::default(), said).await
        }
    }
}

/// Invites a list of people; for those invited by their address, the links.
async fn try_invite(state: &AppState, me: &Member, slug: &str, list: &str) -> Result<Vec<(String, String)>> {
    let (handles, addresses) = sort_list(list);
    let (emails, bad) = invitations::parse_list(&addresses.join("\n"));
    if handles.is_empty() && emails.is_empty() && bad.is_empty() {
        return Err(AppError::field("who", "is needed"));
    }
    if handles.len() + emails.len() > MOST {
        return Err(AppError::field("who", format!("has {MOST} people at most")));
    }
    let known: Vec<String> = member::Entity::find()
        .select_only()
        .column(member::Column::Handle)
        .filter(member::Column::Handle.is_in(handles.iter().map(String::as_str)))
        .filter(member::Column::State.eq(MemberState::Active))
        .into_tuple()
        .all(state.store.read())
        .await?;
    let unknown = handles.iter().filter(|handle| !known.contains(handle)).chain(&bad);
    let faults: Vec<FieldError> = unknown
        .take(20)
        .map(|name| FieldError {
            field: "who".into(),
            message: crate::web::words::english().with("spaces.people.unknown", &[("name", name)]),
        })
        .collect();
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let (person, slug, own) = (Person::of(me), slug.to_owned(), state.clone());
    let made = state
        .store
        .write(async move |tx| {
            for handle in &handles {
                invite_member(tx, &person, &slug, handle).await?;
            }
            if emails.is_empty() {
                return Ok(Vec::new());
            }
            invitations::invite(&own, tx, person.id, &emails, std::slice::from_ref(&slug), "").await
        })
        .await?;
    Ok(invitations::links_of(state, &made))
}

/// Handles and mail addresses of a pasted list, apart.
fn sort_list(list: &str) -> (Vec<String>, Vec<String>) {
    let (mut handles, mut addresses) = (Vec::new(), Vec::new());
    for entry in list.split(['\n', ',', ';']).map(str::trim).filter(|entry| !entry.is_empty()) {
        let bare = entry.strip_prefix('@').unwrap_or(entry);
        if bare.contains('@') {
            addresses.push(bare.to_owned());
            continue;
        }
        for handle in bare.split_whitespace() {
            let handle: String = handle.trim_start_matches('@').to_lowercase().chars().take(60).collect();
            if !handle.is_empty() && !handles.contains(&handle) {
                handles.push(handle);
            }
        }
    }
    (handles, addresses)
}

/// `POST /s/{slug}/members/{handle}`: a role, or out.
pub async fn change(
    state: Data<AppState>,
    me: Member,
    path: Path<(String, String)>,
    form: Form,
) -> Result<HttpResponse> {
    let (slug, handle) = path.into_inner();
    let (person, back) = (Person::of(&me), format!("/s/{slug}/members"));
    if form.ticked("remove") {
        state.store.write(async move |tx| remove_member(tx, &person, &slug, &handle).await).await?;
    } else {
        let role = SpaceRole::parse(form.get("role"))
            .ok_or_else(|| AppError::field("role", "is member, moderator or owner"))?;
        state.store.write(async move |tx| set_role(tx, &person, &slug, &handle, role).await).await?;
    }
    Ok(see_other(&back))
}

/// `POST /s/{slug}/requests/{id}`
pub async fn answer(
    state: Data<AppState>,
    me: Member,
    path: Path<(String, String)>,
    form: Form,
) -> Result<HttpResponse> {
    let (slug, request) = path.into_inner();
    let (person, request, accept) = (Person::of(&me), id(&request)?, form.get("answer") == "yes");
    let back = format!("/s/{slug}/members");
    state.store.write(async move |tx| answer_request(tx, &person, &slug, request, accept).await).await?;
    Ok(see_other(&back))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_pasted_list_of_handles_and_addresses_is_told_apart() {
        let (handles, addresses) = super::sort_list("@Ada ben\nCleo <cleo@x.org>, dan@x.org; @ada\n");
        assert_eq!(handles, ["ada", "ben"]);
        assert_eq!(addresses, ["Cleo <cleo@x.org>", "dan@x.org"]);
    }
}
