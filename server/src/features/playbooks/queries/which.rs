//! The copy of a study that is asked for.

use crate::web::error::{AppError, Result};

/// Which copy a reader wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The working copy for its authors and reviewers, the published one for everybody else.
    #[default]
    Best,
    /// The published one; the working copy if nothing is published yet and the viewer may read it.
    Published,
    /// 403 for readers.
    Working,
}

impl Which {
    /// `published`, `working`, or neither.
    pub fn parse(word: Option<&str>) -> Result<Self> {
        match word {
            None | Some("") => Ok(Self::Best),
            Some("published") => Ok(Self::Published),
            Some("working") => Ok(Self::Working),
            Some(_) => Err(AppError::field("copy", "is published or working")),
        }
    }
}
