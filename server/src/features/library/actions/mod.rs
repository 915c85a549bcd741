//! Every write of the library: one transaction each, with the rights read inside it.

mod collections;
mod create;
mod edit;
mod fields;
mod ground;
mod moderate;
mod opinions;
mod remove;
mod topic;
mod versions;

pub use collections::{
    CollectionChange, NewCollection, create_collection, create_collection_once, delete_collection, edit_collection,
    set_collected,
};
pub use create::{Content, NewResource, create, create_once, insert_resource, keeping, prepare_import};
pub use edit::{edit, edit_as};
pub use fields::Fields;
pub use moderate::{flag, hide, purge, settle};
pub use opinions::{count_download, set_endorsement};
pub use remove::{delete, restore, restore_once};
pub use topic::discuss;
pub use versions::{
    NewVersionOf, add_version, add_version_as, add_version_once, restore_version, restore_version_once,
};

use crate::search::Kind;
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};

/// Tells the readers of a space of a resource, and has it indexed again.
fn tell(tx: &mut Tx, kind: &'static str, space: i64, resource: i64, member: i64) {
    tx.append(Stream::space(space), NewEvent::new(kind, resource, Some(member)));
    tx.index(Kind::Resource, resource);
}
