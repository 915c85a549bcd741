//! Where a file is shown that no post or message holds, and who may read it there.

use std::fmt;
use std::str::FromStr;

use crate::app::AppState;
use crate::store::{Id, NotAnId};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Viewer;

/// A text that shows files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownIn {
    /// What a member says about themselves.
    Profile(i64),
    /// The pinned text of a space.
    Space(i64),
    /// A page or the welcome of the hub.
    Hub,
}

impl fmt::Display for ShownIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(id) => write!(f, "profile:{}", Id(*id)),
            Self::Space(id) => write!(f, "space:{}", Id(*id)),
            Self::Hub => f.write_str("hub"),
        }
    }
}

impl FromStr for ShownIn {
    type Err = NotAnId;

    fn from_str(text: &str) -> std::result::Result<Self, NotAnId> {
        match text.split_once(':') {
            None if text == "hub" => Ok(Self::Hub),
            Some(("profile", id)) => Ok(Self::Profile(id.parse::<Id>()?.0)),
            Some(("space", id)) => Ok(Self::Space(id.parse::<Id>()?.0)),
            _ => Err(NotAnId),
        }
    }
}

impl ShownIn {
    /// 404 unless the viewer may read the text that shows the file.
    pub async fn read(self, state: &AppState, viewer: &Viewer) -> Result<()> {
        match self {
            Self::Hub => Ok(()),
            Self::Profile(_) => viewer.member().map(drop).ok_or(AppError::NotFound),
            Self::Space(id) => state.spaces.find_by_id(state, viewer, id).await?.1.read(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ShownIn;

    #[test]
    fn places_are_read_as_they_are_written() {
        for place in [ShownIn::Profile(7), ShownIn::Space(9), ShownIn::Hub] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for nothing in ["", "hub:", "space", "space:x", "post:0000000000001"] {
            assert!(nothing.parse::<ShownIn>().is_err(), "{nothing}");
        }
    }
}
