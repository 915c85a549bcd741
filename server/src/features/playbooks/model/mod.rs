//! What readers and writers of playbooks get: views made of rows, the same for pages, API and
//! events.

mod books;
mod past;
mod studies;

pub use books::{NameView, PlaybookPerson, PlaybookRef, PlaybookRow, PlaybookView, ScenarioRef, ScenarioView};
pub use past::{
    ActView, CommentView, PartDiff, PartDraftView, PartRevisionView, RevisionContent, StudyRevisionFull,
    StudyRevisionView, TermCount,
};
pub use studies::{
    AdoptionView, Copy, DiscussionView, OrganisationView, PartView, SourceView, StudyEndorsementView, StudyMarks,
    StudyRef, StudyRights, StudyRow, StudyView,
};
