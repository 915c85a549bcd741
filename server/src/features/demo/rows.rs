//! The invented members and their spaces.

use sea_orm::{ActiveValue::Set, EntityTrait, IntoActiveModel};

use super::content::{Content, Person, Place};
use super::{Html, Ids, id_of};
use crate::entities::kinds::{Availability, MemberState, SpaceRole};
use crate::entities::{member, member_expertise, space, space_member};
use crate::features::people;
use crate::ports::clock::DAY;
use crate::search::Kind;
use crate::store::Tx;
use crate::web::error::Result;

/// The members; without password and address nobody can sign in as one of them.
pub async fn members(tx: &mut Tx, content: &Content, html: &Html) -> Result<Ids> {
    let mut ids = Ids::new();
    for (index, person) in (0_i64..).zip(&content.people) {
        let id = tx.id();
        let row = member_of(id, person, html, tx.now() - (60 - index) * DAY);
        member::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.conn()).await?;
        let tags = person
            .expertise
            .iter()
            .map(|tag| member_expertise::ActiveModel { member_id: Set(id), tag: Set(tag.clone()) });
        member_expertise::Entity::insert_many(tags).exec_without_returning(tx.conn()).await?;
        people::index_words(tx, &row, &person.expertise).await?;
        ids.insert(person.handle.clone(), id);
    }
    Ok(ids)
}

fn member_of(id: i64, of: &Person, html: &Html, created_at: i64) -> member::Model {
    member::Model {
        id,
        handle: of.handle.clone(),
        display_name: of.name.clone(),
        email: None,
        email_verified_at: None,
        password_hash: None,
        hub_role: of.role,
        state: MemberState::Active,
        headline: of.headline.clone(),
        discipline: of.discipline,
        organisation: of.organisation.clone(),
        about: of.about.clone(),
        about_html: html.of(&of.about),
        links: "[]".into(),
        time_zone: "Europe/London".into(),
        avatar: None,
        mail_on: false,
        conduct_version: 0,
        created_at,
        updated_at: created_at,
        seen_at: None,
        availability: Availability::Online,
        version: 1,
    }
}

/// The spaces with their people.
pub async fn spaces(tx: &mut Tx, content: &Content, html: &Html, members: &Ids) -> Result<Ids> {
    let mut ids = Ids::new();
    for (index, place) in (0_i64..).zip(&content.places) {
        let (id, created) = (tx.id(), tx.now() - (45 - index) * DAY);
        let owner = id_of(members, &place.owner)?;
        let topics = content.threads.iter().filter(|thread| thread.space == place.slug).count();
        let belongs = belonging(id, place, members, created)?;
        let pinned = place.pinned.trim();
        let row = space::ActiveModel {
            id: Set(id),
            slug: Set(place.slug.clone()),
            name: Set(place.name.clone()),
            description: Set(place.description.clone()),
            visibility: Set(place.visibility),
            pinned_body: Set(pinned.to_owned()),
            pinned_html: Set(html.of(pinned)),
            archived_at: Set(None),
            created_by: Set(owner),
            created_at: Set(created),
            topic_count: Set(i32::try_from(topics).unwrap_or(0)),
            member_count: Set(i32::try_from(belongs.len()).unwrap_or(0)),
            version: Set(1),
        };
        space::Entity::insert(row).exec_without_returning(tx.conn()).await?;
        tx.index(Kind::Space, id);
        space_member::Entity::insert_many(belongs).exec_without_returning(tx.conn()).await?;
        ids.insert(place.slug.clone(), id);
    }
    Ok(ids)
}

fn belonging(id: i64, place: &Place, members: &Ids, since: i64) -> Result<Vec<space_member::ActiveModel>> {
    let owner = std::iter::once((&place.owner, SpaceRole::Owner));
    let moderators = place.moderators.iter().map(|handle| (handle, SpaceRole::Moderator));
    let others = place.members.iter().map(|handle| (handle, SpaceRole::Member));
    owner
        .chain(moderators)
        .chain(others)
        .zip(0_i64..)
        .map(|((handle, role), index)| {
            Ok(space_member::ActiveModel {
                space_id: Set(id),
                member_id: Set(id_of(members, handle)?),
                role: Set(role),
                joined_at: Set(since + index * DAY / 24),
            })
        })
        .collect()
}
