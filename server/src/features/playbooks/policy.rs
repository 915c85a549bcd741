//! Who may do what with a playbook and with a case study. Pure.
//!
//! A reviewer is an owner or reviewer of the study's playbook, a moderator of its space, or an
//! administrator who may read it; never an author of the study, nor who ever wrote of it.

use crate::entities::kinds::{PlaybookRole, PlaybookVisibility, StudyState};
use crate::features::playbooks::model::StudyRights;
use crate::features::spaces::Access;
use crate::web::error::{AppError, Result};

/// What is known of a playbook and the one who looks at it.
#[derive(Clone, Copy, Debug)]
pub struct BookStanding {
    pub visibility: PlaybookVisibility,
    pub role: Option<PlaybookRole>,
    /// How far they get into its space; `None` if it has none.
    pub space: Option<Access>,
    pub space_archived: bool,
    pub archived: bool,
    pub administrator: bool,
    pub signed_in: bool,
    pub suspended: bool,
}

impl BookStanding {
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.visibility == PlaybookVisibility::Restricted
    }

    #[must_use]
    pub fn reads(&self) -> bool {
        match self.visibility {
            PlaybookVisibility::Open => true,
            // Without a space nobody but its own people would be left.
            PlaybookVisibility::Restricted => {
                self.space.map_or(self.role.is_some() || self.administrator, |space| space >= Access::Read)
            }
        }
    }

    #[must_use]
    pub fn owns(&self) -> bool {
        self.reads() && !self.suspended && (self.role == Some(PlaybookRole::Owner) || self.runs())
    }

    #[must_use]
    pub fn reviews(&self) -> bool {
        self.reads() && !self.suspended && (self.role.is_some() || self.runs())
    }

    /// By what they are elsewhere: a moderator of the space, an administrator of the hub.
    fn runs(&self) -> bool {
        self.administrator || self.space.is_some_and(|space| space >= Access::Moderate)
    }

    /// Reading, or 404.
    pub fn read(&self) -> Result<()> {
        if self.reads() { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// Changing the playbook: 404, 403.
    pub fn own(&self) -> Result<()> {
        self.read()?;
        if self.owns() { Ok(()) } else { Err(AppError::Forbidden("Only owners of this playbook can do this.".into())) }
    }

    /// 409 while nothing new may come into it.
    pub fn takes_studies(&self) -> Result<()> {
        if self.archived {
            return Err(AppError::Conflict("This playbook is archived: it takes no new case studies.".into()));
        }
        if self.space_archived {
            return Err(AppError::Conflict(
                "The space of this playbook is archived: it takes no new case studies.".into(),
            ));
        }
        Ok(())
    }
}

/// What is known of a study and the one who looks at it.
#[derive(Clone, Copy, Debug)]
pub struct StudyStanding {
    pub state: StudyState,
    /// Whether there is a published revision.
    pub published: bool,
    /// Moderators took it from its readers.
    pub hidden: bool,
    /// Its authors have let reviewers see it: it was submitted and not taken back, or published.
    pub given: bool,
    pub author: bool,
    /// Began it, submitted it or saved a part, its title or its terms, whatever they are called in it now.
    pub wrote: bool,
    /// Its home; `None` before it has one.
    pub book: Option<BookStanding>,
    pub signed_in: bool,
    pub suspended: bool,
}

impl StudyStanding {
    /// Reads what is published.
    #[must_use]
    pub fn reads_published(&self) -> bool {
        self.published && !self.hidden && (self.author || self.book.is_some_and(|book| book.reads()))
    }

    /// Reads the working copy, its comments and its stream: authors, and reviewers of its home once
    /// it was given to them. Who runs the space or the hub reads it before, too.
    #[must_use]
    pub fn reads_working(&self) -> bool {
        !self.suspended && (self.author || self.book.is_some_and(|book| book.reviews() && (self.given || book.runs())))
    }

    /// Taking it off the lists: authors, and who reviews in its playbook, also what they wrote.
    pub fn retire(&self) -> Result<()> {
        self.read()?;
        if self.author || !self.book.is_some_and(|book| book.reviews()) { self.edit() } else { Ok(()) }
    }

    /// Either, or 404.
    pub fn read(&self) -> Result<()> {
        if self.reads_published() || self.reads_working() { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// The working copy: 404 for those to whom the study is not there, 403 for readers.
    pub fn read_working(&self) -> Result<()> {
        self.read()?;
        if self.reads_working() {
            Ok(())
        } else {
            Err(AppError::Forbidden("Only its authors and reviewers see what is not published.".into()))
        }
    }

    /// Writing the working copy.
    pub fn edit(&self) -> Result<()> {
        self.read()?;
        if self.suspended {
            return Err(AppError::Forbidden("This account is suspended.".into()));
        }
        if self.author {
            Ok(())
        } else {
            Err(AppError::Forbidden("Only authors of this case study can do this.".into()))
        }
    }

    /// Reviewing: 403 for authors, whatever else they are, and for those who do not review.
    pub fn review(&self) -> Result<()> {
        self.read()?;
        if self.wrote_it() {
            return Err(AppError::Forbidden(
                "Nobody reviews their own case study; another reviewer of the playbook has to.".into(),
            ));
        }
        if self.book.is_some_and(|book| book.reviews()) {
            Ok(())
        } else {
            Err(AppError::Forbidden("Only reviewers of its playbook can do this.".into()))
        }
    }

    /// Whether it is their own text: nobody is done with what they wrote by leaving its authors.
    #[must_use]
    pub const fn wrote_it(&self) -> bool {
        self.author || self.wrote
    }

    /// Saying something to what is published: endorsing, adopting, following.
    pub fn respond(&self) -> Result<()> {
        self.read()?;
        if self.suspended {
            return Err(AppError::Forbidden("This account is suspended.".into()));
        }
        if self.reads_published() {
            Ok(())
        } else {
            Err(AppError::Conflict("This case study is not published yet.".into()))
        }
    }

    #[must_use]
    pub fn rights(&self) -> StudyRights {
        let edits = self.signed_in && self.edit().is_ok();
        let reviews = self.signed_in && self.review().is_ok();
        let retires = self.signed_in && self.retire().is_ok();
        StudyRights {
            edit: edits,
            submit: edits && self.may_be_submitted(),
            withdraw: edits && self.state == StudyState::Submitted,
            review: reviews && self.state == StudyState::Submitted,
            retire: retires && self.state != StudyState::Retired,
            comment: self.signed_in && self.reads_working(),
            respond: self.signed_in && self.respond().is_ok(),
            owns: self.book.is_some_and(|book| book.owns()),
        }
    }

    #[must_use]
    pub const fn may_be_submitted(&self) -> bool {
        matches!(self.state, StudyState::Draft | StudyState::Returned | StudyState::Revised | StudyState::Retired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: BookStanding = BookStanding {
        visibility: PlaybookVisibility::Open,
        role: None,
        space: None,
        space_archived: false,
        archived: false,
        administrator: false,
        signed_in: true,
        suspended: false,
    };

    const STUDY: StudyStanding = StudyStanding {
        state: StudyState::Submitted,
        published: false,
        hidden: false,
        given: true,
        author: false,
        wrote: false,
        book: Some(BOOK),
        signed_in: true,
        suspended: false,
    };

    #[test]
    fn a_restricted_playbook_is_read_like_its_space() {
        let restricted = BookStanding { visibility: PlaybookVisibility::Restricted, ..BOOK };
        let reads = |space| BookStanding { space: Some(space), ..restricted }.reads();
        assert!(!reads(Access::Hidden) && !reads(Access::Door) && reads(Access::Read));
        assert!(BOOK.reads() && !restricted.reads());
        let owner = BookStanding { role: Some(PlaybookRole::Owner), space: Some(Access::Door), ..restricted };
        assert!(!owner.owns(), "an owner who was let out of the space runs nothing in it");
    }

    #[test]
    fn an_author_reviews_nothing_of_their_own() {
        let owner = BookStanding { role: Some(PlaybookRole::Owner), ..BOOK };
        let own = StudyStanding { author: true, book: Some(owner), ..STUDY };
        assert!(matches!(own.review(), Err(AppError::Forbidden(_))) && own.edit().is_ok());
        let left = StudyStanding { wrote: true, book: Some(owner), ..STUDY };
        assert!(matches!(left.review(), Err(AppError::Forbidden(_))), "who has left its authors still wrote it");
        assert!(!left.rights().review && left.edit().is_err());
        assert!(StudyStanding { book: Some(owner), ..STUDY }.review().is_ok());
        assert!(matches!(STUDY.read(), Err(AppError::NotFound)), "what is not published is not there for readers");
        let published = StudyStanding { published: true, ..STUDY };
        assert!(published.read().is_ok() && matches!(published.read_working(), Err(AppError::Forbidden(_))));
        let hidden = StudyStanding { hidden: true, ..published };
        assert!(matches!(hidden.read(), Err(AppError::NotFound)), "what is hidden is not there for readers");
        assert!(StudyStanding { author: true, ..hidden }.read_working().is_ok());
    }

    #[test]
    fn a_draft_is_its_authors_until_they_give_it_to_reviewers() {
        let reviewer = BookStanding { role: Some(PlaybookRole::Reviewer), ..BOOK };
        let draft = StudyStanding { state: StudyState::Draft, given: false, book: Some(reviewer), ..STUDY };
        assert!(matches!(draft.read(), Err(AppError::NotFound)));
        assert!(StudyStanding { given: true, ..draft }.read_working().is_ok());
        let runs = BookStanding { administrator: true, ..BOOK };
        assert!(StudyStanding { book: Some(runs), ..draft }.read_working().is_ok());
    }

    #[test]
    fn what_a_draft_without_a_home_allows() {
        let draft = StudyStanding { state: StudyState::Draft, given: false, author: true, book: None, ..STUDY };
        let may = draft.rights();
        assert!(may.edit && may.submit && may.comment && may.retire && !may.review && !may.withdraw && !may.respond);
        assert_eq!(StudyStanding { suspended: true, ..draft }.rights(), StudyRights::default());
    }
}
