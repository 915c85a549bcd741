//! Every write of chat but sending: one transaction each, with the rights read inside it.

mod blocks;
mod direct;
mod edit;
mod members;
mod opinions;
mod purge;
mod reading;
mod rooms;
mod topic;

pub use blocks::{set_availability, set_block};
pub use direct::{open_direct, open_direct_once};
pub use edit::{delete_message, edit_message};
pub use members::{add_person, forget_space, remove_person};
pub use opinions::{set_pinned, set_reaction};
pub use purge::purge_message;
pub use reading::{Setting, follow, mark_read, set_mine, unfollow};
pub use rooms::{NewRoom, RoomChange, change_room, create_room, create_room_once};
pub use topic::{TopicWish, make_topic, make_topic_once, quotable};
