//! Every write of playbooks and case studies: one transaction each, with the rights read inside it.

mod books;
mod comments;
mod discuss;
mod drafts;
mod from_talk;
mod imported;
mod leaving;
mod parts;
mod people;
mod publish;
mod review;
mod scenarios;
mod studies;
mod study_rows;
mod told;
mod trust;

pub use books::{Cover, NewPlaybook, PlaybookChange, create_playbook, create_playbook_once, edit_playbook};
pub use comments::{NewComment, add_comment, add_comment_once, delete_comment, edit_comment, set_resolved};
pub(super) use discuss::{attach as attach_discussion, topic_of};
pub use discuss::{discuss, discuss_once};
pub use drafts::{DraftInput, drop_draft, keep_draft};
pub use from_talk::{
    FromMessages, FromTopic, start_from_messages, start_from_messages_once, start_from_topic, start_from_topic_once,
};
pub use imported::{Goal, find_or_make_playbook, place_imported, put_imported_cover};
pub(super) use imported::{Imported, insert_book_row, insert_imported, insert_sample};
pub use parts::{PartSave, Saved, save_part};
pub use people::{remove_author, remove_person, set_author, set_person};
pub(super) use publish::withdraw_from_readers as withdraw;
pub use review::{Review, Verb, review, review_once};
pub(super) use scenarios::insert_rendered;
pub use scenarios::{
    NewScenario, ScenarioChange, add_scenario, add_scenario_once, edit_scenario, place_study, remove_scenario,
};
pub use studies::{NewStudy, StudyChange, create_study, create_study_once, edit_study};
pub(super) use study_rows::log as log_act;
pub use trust::{AdoptionInput, EndorsementInput, adopt, endorse, follow, unadopt, unendorse, unfollow};

pub use super::texts::PartInput;

use crate::entities::kinds::PartKey;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, FieldError, Result};

/// The working copy has changed: its version moves, and its writers hear of it.
async fn touch(tx: &mut Tx, study: i64) -> Result<()> {
    Sql::new("UPDATE case_study SET version = version + 1, updated_at = ")
        .bind(tx.now())
        .then(" WHERE id = ")
        .bind(study)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// What a published study becomes once its working copy differs: `revised`.
async fn mark_revised(tx: &mut Tx, study: i64, by: i64) -> Result<()> {
    let moved = Sql::new("UPDATE case_study SET state = 'revised' WHERE state = 'published' AND id = ")
        .bind(study)
        .run(tx.conn())
        .await?;
    if moved.rows_affected() > 0 {
        tx.append(Stream::case_study(study), NewEvent::new("state.changed", study, Some(by)));
    }
    Ok(())
}

/// Faults of several checks as one error; anything else comes first.
fn gather<T>(faults: &mut Vec<FieldError>, found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(AppError::Invalid(more)) => {
            faults.extend(more);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Faults of a part, with its name before each field.
fn under(key: PartKey, faults: Vec<FieldError>) -> Vec<FieldError> {
    faults
        .into_iter()
        .map(|fault| FieldError { field: format!("parts.{key}.{}", fault.field).into(), message: fault.message })
        .collect()
}
