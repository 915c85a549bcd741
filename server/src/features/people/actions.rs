//! What a member does to their own profile.

use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel as _, QueryFilter};

use super::file_actions::adopt_shown;
use super::model::MeView;
use super::profile::ProfileChange;
use super::queries::expertise_of;
use super::shown_in::ShownIn;
use super::words::index_words;
use crate::entities::{member, member_expertise};
use crate::store::{After, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;

/// Changes one's profile. A change that changes nothing leaves the version alone.
pub async fn change_profile(tx: &mut Tx, me: i64, change: &ProfileChange, if_match: IfMatch) -> Result<MeView> {
    let before = member::Entity::find_by_id(me).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    if_match.check(before.version)?;
    let tags_before = expertise_of(tx.conn(), &[me]).await?.remove(&me).unwrap_or_default();
    let mut after = before.clone();
    apply(&mut after, change)?;
    let tags = change.expertise.clone().unwrap_or_else(|| tags_before.clone());
    if after == before && tags == tags_before {
        return Ok(MeView::of(&before, tags));
    }
    if tags != tags_before {
        replace_expertise(tx, me, &tags).await?;
    }
    after.version += 1;
    after.updated_at = tx.now();
    let mut row = before.into_active_model();
    row.display_name = Set(after.display_name.clone());
    row.headline = Set(after.headline.clone());
    row.discipline = Set(after.discipline);
    row.organisation = Set(after.organisation.clone());
    row.about = Set(after.about.clone());
    row.about_html = Set(after.about_html.clone());
    row.links = Set(after.links.clone());
    row.time_zone = Set(after.time_zone.clone());
    row.mail_on = Set(after.mail_on);
    row.version = Set(after.version);
    row.updated_at = Set(after.updated_at);
    row.update(tx.conn()).await?;
    index_words(tx, &after, &tags).await?;
    adopt_shown(tx, me, ShownIn::Profile(me), &after.about_html).await?;
    tell(tx, me);
    Ok(MeView::of(&after, tags))
}

/// Says that what pages show of a member has changed.
pub fn tell(tx: &mut Tx, me: i64) {
    tx.append(Stream::HUB, NewEvent::new("member.changed", me, Some(me)));
    tx.after(After::Access(me));
}

fn apply(row: &mut member::Model, change: &ProfileChange) -> Result<()> {
    let ProfileChange {
        display_name,
        headline,
        discipline,
        organisation,
        expertise: _,
        about,
        links,
        time_zone,
        mail_on,
    } = change.clone();
    set(&mut row.display_name, display_name);
    set(&mut row.headline, headline);
    set(&mut row.discipline, discipline);
    set(&mut row.organisation, organisation);
    set(&mut row.time_zone, time_zone);
    set(&mut row.mail_on, mail_on);
    if let Some((source, html)) = about {
        row.about = source;
        row.about_html = html;
    }
    if let Some(links) = links {
        row.links = serde_json::to_string(&links)?;
    }
    Ok(())
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

async fn replace_expertise(tx: &Tx, me: i64, tags: &[String]) -> Result<()> {
    member_expertise::Entity::delete_many().filter(member_expertise::Column::MemberId.eq(me)).exec(tx.conn()).await?;
    let rows: Vec<member_expertise::ActiveModel> =
        tags.iter().map(|tag| member_expertise::ActiveModel { member_id: Set(me), tag: Set(tag.clone()) }).collect();
    if !rows.is_empty() {
        member_expertise::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    }
    Ok(())
}
