//! Making and changing a space.

use std::collections::HashSet;

use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, SqlErr};

use super::inside::{InSpace, locked};
use super::model::{self, NewSpace, SpaceChange};
use super::policy::{Access, by_role};
use crate::app::AppState;
use crate::entities::kinds::{HubRole, MemberState, SpaceRole, Visibility};
use crate::entities::{member, space, space_member};
use crate::features::people::{self, ShownIn};
use crate::search::Kind;
use crate::store::{After, Tx};
use crate::streams::{NewEvent, Stream};
use crate::text::{Links, Words, mention_candidates, render};
use crate::web::checks::{BODY, Checked, SUMMARY, Text, check};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::words::english;

/// A new space whose texts passed.
#[derive(Clone, Debug)]
pub struct Draft {
    slug: String,
    texts: Checked,
    visibility: Visibility,
}

impl Draft {
    /// Checks an input; every fault at once.
    pub fn of(new: &NewSpace) -> Result<Self> {
        let slug = model::slug(&new.slug);
        let texts = check(
            &[
                Text::line("name", &new.name, model::NAME).required(),
                Text::line("description", &new.description, SUMMARY),
            ],
            new.confirmed,
        );
        match (slug, texts) {
            (Ok(slug), Ok(texts)) => Ok(Self { slug, texts, visibility: new.visibility }),
            (Err(AppError::Invalid(mut faults)), Err(AppError::Invalid(more))) => {
                faults.extend(more);
                Err(AppError::Invalid(faults))
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

/// Words that are no addresses of spaces: they would be taken for the hub's own.
const RESERVED: [&str; 14] = [
    "admin",
    "administration",
    "administrator",
    "all",
    "api",
    "hub",
    "me",
    "moderators",
    "new",
    "official",
    "praxis",
    "root",
    "spaces",
    "system",
];

fn refused() -> AppError {
    AppError::field("slug", "cannot be used; choose another")
}

/// Whether a word is no address of a space.
#[must_use]
pub fn is_reserved(slug: &str) -> bool {
    RESERVED.contains(&slug)
}

/// Makes a space; its maker becomes its owner.
pub async fn make_space(tx: &mut Tx, by: i64, members_make: bool, draft: &Draft) -> Result<space::Model> {
    let maker = member::Entity::find_by_id(by).one(tx.conn()).await?.ok_or(AppError::Unauthenticated)?;
    if !members_make && maker.hub_role < HubRole::Facilitator {
        return Err(AppError::Forbidden("Only facilitators and administrators make spaces here.".into()));
    }
    let taken = || AppError::Conflict("This address is taken; choose another.".into());
    if is_reserved(&draft.slug) {
        return Err(refused());
    }
    let same = space::Entity::find().filter(space::Column::Slug.eq(draft.slug.clone())).one(tx.conn()).await?;
    if let Some(same) = same {
        let role = space_member::Entity::find_by_id((same.id, by)).one(tx.conn()).await?.map(|row| row.role);
        let access = by_role(maker.hub_role, role, same.visibility);
        // What does not exist for its maker is not said to be taken: it is one more reserved word.
        return Err(if access == Access::Hidden { refused() } else { taken() });
    }
    let row = space::Model {
        id: tx.id(),
        slug: draft.slug.clone(),
        name: draft.texts.get("name").to_owned(),
        description: draft.texts.get("description").to_owned(),
        visibility: draft.visibility,
        pinned_body: String::new(),
        pinned_html: String::new(),
        archived_at: None,
        created_by: by,
        created_at: tx.now(),
        topic_count: 0,
        member_count: 1,
        version: 1,
    };
    let insert = space::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.conn()).await;
    if let Err(error) = insert {
        // Two of the same name at once.
        let twice = matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)));
        return Err(if twice { taken() } else { error.into() });
    }
    let owner = space_member::ActiveModel {
        space_id: Set(row.id),
        member_id: Set(by),
        role: Set(SpaceRole::Owner),
        joined_at: Set(tx.now()),
    };
    space_member::Entity::insert(owner).exec_without_returning(tx.conn()).await?;
    tx.index(Kind::Space, row.id);
    tx.append(Stream::HUB, NewEvent::new("space.created", row.id, Some(by)));
    super::membership::tell_joined(tx, row.id, by, Some(by));
    Ok(row)
}

/// A change whose texts passed.
#[derive(Clone, Debug)]
pub struct Changes {
    of: SpaceChange,
    texts: Checked,
    pinned_html: Option<String>,
}

impl Changes {
    /// Checks an input and renders its text.
    pub async fn of(state: &AppState, change: SpaceChange) -> Result<Self> {
        let mut texts = Vec::new();
        if let Some(name) = &change.name {
            texts.push(Text::line("name", name, model::NAME).required());
        }
        if let Some(description) = &change.description {
            texts.push(Text::line("description", description, SUMMARY));
        }
        if let Some(pinned) = &change.pinned_body {
            texts.push(Text::body("pinned_body", pinned, BODY));
        }
        let texts = check(&texts, change.confirmed)?;
        let pinned_html = match &change.pinned_body {
            Some(_) => Some(render_pinned(state, texts.get("pinned_body")).await?),
            None => None,
        };
        Ok(Self { of: change, texts, pinned_html })
    }
}

async fn render_pinned(state: &AppState, source: &str) -> Result<String> {
    let asked = mention_candidates(source);
    let members: HashSet<String> = if asked.is_empty() {
        HashSet::new()
    } else {
        let known: Vec<String> = member::Entity::find()
            .select_only()
            .column(member::Column::Handle)
            .filter(member::Column::Handle.is_in(asked))
            .filter(member::Column::State.eq(MemberState::Active))
            .into_tuple()
            .all(state.store.read())
            .await?;
        known.into_iter().collect()
    };
    let words = english();
    let words = Words {
        table: words.t("spaces.text.table"),
        done: words.t("spaces.text.done"),
        not_done: words.t("spaces.text.not_done"),
    };
    Ok(render(source, &Links { members: &members, origin: state.origin(), hard_breaks: false, words }).html)
}

/// Changes a space; owners only. In an archived one, only if it takes it out of the archive.
pub async fn change_space(tx: &mut Tx, by: i64, slug: &str, seen: IfMatch, changes: &Changes) -> Result<InSpace> {
    let mut inside = locked(tx.conn(), by, slug).await?;
    if inside.access == Access::Hidden {
        return Err(AppError::NotFound);
    }
    inside.access.own()?;
    seen.check(inside.space.version)?;
    let asked = &changes.of;
    if asked.archived != Some(false) {
        inside.not_archived()?;
    }
    let old = &inside.space;
    let mut row = old.clone();
    if asked.name.is_some() {
        row.name = changes.texts.get("name").to_owned();
    }
    if asked.description.is_some() {
        row.description = changes.texts.get("description").to_owned();
    }
    if let Some(html) = &changes.pinned_html {
        row.pinned_body = changes.texts.get("pinned_body").to_owned();
        row.pinned_html.clone_from(html);
    }
    if let Some(visibility) = asked.visibility {
        row.visibility = visibility;
    }
    match asked.archived {
        Some(true) if row.archived_at.is_none() => row.archived_at = Some(tx.now()),
        Some(false) => row.archived_at = None,
        _ => {}
    }
    if row == *old {
        return Ok(inside);
    }
    row.version += 1;
    let everywhere = row.name != old.name
        || row.description != old.description
        || row.visibility != old.visibility
        || row.archived_at != old.archived_at;
    let access = row.visibility != old.visibility || row.archived_at != old.archived_at;
    let update = space::ActiveModel {
        id: Set(row.id),
        name: Set(row.name.clone()),
        description: Set(row.description.clone()),
        visibility: Set(row.visibility),
        pinned_body: Set(row.pinned_body.clone()),
        pinned_html: Set(row.pinned_html.clone()),
        archived_at: Set(row.archived_at),
        version: Set(row.version),
        ..Default::default()
    };
    update.update(tx.conn()).await?;
    people::adopt_shown(tx, by, ShownIn::Space(row.id), &row.pinned_html).await?;
    if everywhere {
        tx.index(Kind::Space, row.id);
        tx.append(Stream::HUB, NewEvent::new("space.changed", row.id, Some(by)));
    }
    if access {
        tx.after(After::SpaceAccess(row.id));
    }
    tx.append(Stream::space(row.id), NewEvent::new("space.changed", row.id, Some(by)));
    inside.space = row;
    Ok(inside)
}
