//! Channels become rooms; those of an earlier run are found again.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};

use super::Run;
use super::export::Channel;
use super::people::{People, Writer};
use crate::entities::kinds::RoomKind;
use crate::entities::{room, room_member};
use crate::features::chat::model::{NAME, PURPOSE};
use crate::features::imports::{refs, texts};
use crate::search::Kind;
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::web::error::Result;

/// Channels looked at together.
const TOGETHER: usize = 100;

/// A channel and its room.
#[derive(Clone, Debug)]
pub struct Placed {
    pub channel: Channel,
    pub room: i64,
    pub slug: String,
}

/// Finds or makes the room of each channel.
pub async fn place(run: &Run, people: &mut People, channels: Vec<Channel>) -> Result<Vec<Placed>> {
    let mut placed = Vec::with_capacity(channels.len());
    for part in channels.chunks(TOGETHER) {
        let mut named: BTreeSet<Writer> = part.iter().filter_map(|of| of.creator.clone()).map(Writer::User).collect();
        for channel in part {
            named.extend(channel.pins.iter().filter_map(|pin| pin.user.clone()).map(Writer::User));
            if channel.private {
                named.extend(channel.members.iter().cloned().map(Writer::User));
            }
        }
        people.settle(run, named).await?;
        let new: Vec<New> = part
            .iter()
            .map(|channel| New {
                creator: channel.creator.as_deref().and_then(|id| people.user(id)).unwrap_or(run.owner),
                members: channel.members.iter().filter_map(|id| people.user(id)).collect(),
                channel: channel.clone(),
            })
            .collect();
        let (source, space) = (run.source.clone(), run.space);
        let (part, made) = run.state.store.write(async move |tx| make(tx, &source, space, &new).await).await?;
        run.progress.count(|report| report.rooms += made);
        placed.extend(part);
    }
    Ok(placed)
}

#[derive(Clone, Debug)]
struct New {
    channel: Channel,
    creator: i64,
    members: BTreeSet<i64>,
}

async fn make(tx: &mut Tx, source: &str, space: i64, new: &[New]) -> Result<(Vec<Placed>, u64)> {
    let external: Vec<String> = new.iter().map(|of| of.channel.id.clone()).collect();
    let mut known = refs::known(tx.conn(), source, refs::ROOM, &external).await?;
    let rows: Vec<(i64, Option<String>)> = room::Entity::find()
        .select_only()
        .column(room::Column::Id)
        .column(room::Column::Slug)
        .filter(room::Column::SpaceId.eq(space))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut slugs: HashMap<i64, String> = rows.into_iter().filter_map(|(id, slug)| Some((id, slug?))).collect();
    let mut taken: HashSet<String> = slugs.values().cloned().collect();
    let (mut rooms, mut let_in, mut kept, mut placed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for New { channel, creator, members } in new {
        let id = match known.get(&channel.id) {
            Some(id) => *id,
            None => {
                let id = tx.id();
                known.insert(channel.id.clone(), id);
                let slug = free_slug(&channel.name, &mut taken);
                slugs.insert(id, slug.clone());
                rooms.push(row(id, space, slug, channel, *creator, tx.now()));
                tx.index(Kind::Room, id);
                if channel.private {
                    let_in.extend(members.iter().map(|member| in_room(*member, id, tx.now())));
                }
                kept.push((refs::ROOM, channel.id.clone(), id));
                // Who reads the space hears of open rooms alone.
                if !channel.private {
                    tx.append(Stream::space(space), NewEvent::new("room.created", id, Some(*creator)));
                }
                id
            }
        };
        // In another space, a room that an earlier run made for somebody else stays where it is.
        let slug = slugs.get(&id).cloned().unwrap_or_default();
        placed.push(Placed { channel: channel.clone(), room: id, slug });
    }
    let made = rooms.len() as u64;
    if made > 0 {
        room::Entity::insert_many(rooms).exec_without_returning(tx.conn()).await?;
        for chunk in let_in.chunks(refs::CHUNK) {
            room_member::Entity::insert_many(chunk.to_vec()).exec_without_returning(tx.conn()).await?;
        }
        refs::keep(tx, source, &kept).await?;
    }
    Ok((placed, made))
}

fn row(id: i64, space: i64, slug: String, of: &Channel, creator: i64, now: i64) -> room::ActiveModel {
    let name = texts::fitting_line(&of.name, NAME);
    room::ActiveModel {
        id: Set(id),
        space_id: Set(Some(space)),
        kind: Set(if of.private { RoomKind::Private } else { RoomKind::Open }),
        name: Set(if name.is_empty() { slug.clone() } else { name }),
        slug: Set(Some(slug)),
        purpose: Set(texts::fitting_line(&of.purpose(), PURPOSE)),
        direct_key: Set(None),
        message_count: Set(0),
        last_message_at: Set(None),
        archived_at: Set(of.is_archived.then_some(now)),
        created_by: Set(creator),
        created_at: Set(of.created().unwrap_or(now)),
        version: Set(1),
    }
}

const fn in_room(member: i64, room: i64, now: i64) -> room_member::ActiveModel {
    room_member::ActiveModel {
        member_id: Set(member),
        room_id: Set(room),
        read_seq: Set(0),
        read_count: Set(0),
        mention_count: Set(0),
        muted: Set(false),
        favourite: Set(false),
        joined_at: Set(now),
    }
}

/// `[a-z0-9][a-z0-9_-]{1,59}`, of its own in the space.
fn free_slug(name: &str, taken: &mut HashSet<String>) -> String {
    let letters = name.to_lowercase();
    let letters = letters.chars().map(|c| if c.is_whitespace() { '-' } else { c });
    let plain = letters.filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
    let slug: String = plain.skip_while(|c| !c.is_ascii_alphanumeric()).take(56).collect();
    let slug = if slug.len() < 2 { format!("room-{slug}").trim_end_matches('-').to_owned() } else { slug };
    if taken.insert(slug.clone()) {
        return slug;
    }
    let mut number = 2_u32;
    loop {
        let other = format!("{slug}-{number}");
        if taken.insert(other.clone()) {
            return other;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::free_slug;

    #[test]
    fn slugs() {
        let mut taken = ["general".to_owned()].into();
        assert_eq!(free_slug("general", &mut taken), "general-2");
        assert_eq!(free_slug("general", &mut taken), "general-3");
        assert_eq!(free_slug("Café_Bar", &mut taken), "caf_bar");
        assert_eq!(free_slug("日本", &mut taken), "room");
        assert_eq!(free_slug("x", &mut taken), "room-x");
    }
}
