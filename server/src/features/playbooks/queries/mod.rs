//! Every select of playbooks and case studies, each from what its viewer may see.
//!
//! Invariant: a page takes a fixed number of statements, whatever the number of studies and the
//! size of their texts.

mod around;
mod books;
mod comments;
mod due;
mod export;
mod facets;
mod figures;
mod history;
mod lists;
mod parts;
mod register;
mod shelf;
mod study;
mod which;

pub use around::{adoptions_of, endorsements_of};
pub(super) use books::playbook_view_in;
pub use books::{
    Book, find_playbook, list_playbooks, people_of, playbook_and_shelf, playbook_heads, playbook_view, scenario_view,
};
pub use comments::{Threads, comments_of, find_comment, thread_of, threads_of};
pub use due::{Waiting, waiting_for};
pub use export::{exported, playbook_export, study_archive, study_export};
pub use facets::{term_counts, terms_of};
pub use history::{
    acts_of, content_of, diff_revisions, kept_revision, part_revisions, people_text, revision, revisions,
};
pub(super) use lists::with_names;
pub use lists::{Filter, Sort, list_mine, list_studies, related, reviews_of};
pub(super) use parts::part_view;
pub use parts::{draft_of, drafts_of, part_of, parts_of};
pub use register::{RegisterFilter, list_register, organisations};
pub use shelf::{Shelf, Shelves};
pub(super) use study::study_view_in;
pub use study::{Seen, find_study, study_to_edit, study_view};
pub use which::Which;
