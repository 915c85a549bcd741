//! What readers are told of, in the transaction that changes it: the streams of playbooks, by which
//! open pages follow and kept pages fall.

use super::super::ground::StudyGround;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::Result;

/// Something that readers of a study see is new. Its home is told of the study; a playbook that
/// only has it in a scenario is told that it looks different, as its readers may be others.
pub(super) async fn study_moved(tx: &mut Tx, study: &StudyGround, kind: &'static str) -> Result<()> {
    study_moved_in(tx, study.id, study.playbook_id, kind, study.actor.id).await
}

/// The same for whoever knows no more than the study's id and its home.
pub(super) async fn study_moved_in(
    tx: &mut Tx,
    study: i64,
    home: Option<i64>,
    kind: &'static str,
    by: i64,
) -> Result<()> {
    let Some(home) = home else { return Ok(()) };
    let by = Some(by);
    tx.append(Stream::playbook(home), NewEvent::new(kind, study, by));
    let rows = Sql::new(
        "SELECT DISTINCT n.playbook_id FROM scenario_study x JOIN scenario n ON n.id = x.scenario_id WHERE x.study_id = ",
    )
    .bind(study)
    .then(" AND n.playbook_id <> ")
    .bind(home)
    .all(tx.conn())
    .await?;
    for row in rows {
        let other: i64 = row.try_get("", "playbook_id")?;
        book_changed(tx, other, by);
    }
    Ok(())
}

/// Something of a playbook itself is new: its texts, its scenarios, its people.
pub(super) fn book_changed(tx: &mut Tx, playbook: i64, by: Option<i64>) {
    tx.append(Stream::playbook(playbook), NewEvent::new("playbook.changed", playbook, by));
}

/// Who may read something is narrower than before, and pages of others may name it: all that is
/// kept for visitors falls.
pub(super) fn narrowed(tx: &mut Tx, playbook: i64, by: i64) {
    tx.append(Stream::HUB, NewEvent::new("playbook.changed", playbook, Some(by)));
}
