//! What is known of the texts of the files that a folder has brought: how many were read, and which
//! were not, and why. They are read by a running hub after the import; a later run tells how that went.

use super::Run;
use crate::entities::kinds::TextState;
use crate::store::Sql;
use crate::web::error::Result;

/// Files that are named.
const NAMED: i64 = 200;

/// Puts it into the report, and names the files that were not wholly read.
pub(super) async fn tell(run: &Run) -> Result<()> {
    let db = run.state.store.read();
    let of = |columns: &str| {
        Sql::new(columns)
            .then(
                " FROM import_ref i JOIN resource r ON r.id = i.local_id \
                 JOIN resource_version v ON v.id = r.version_id \
                 JOIN stored_file f ON f.sha256 = v.sha256 WHERE r.deleted_at IS NULL AND r.purged_at IS NULL \
                 AND i.kind = 'resource' AND i.source = ",
            )
            .bind(run.source.clone())
    };
    let rows = of("SELECT f.text_state, f.text_reason, count(*) AS n").then(" GROUP BY f.text_state, f.text_reason ");
    let mut texts = Vec::new();
    for row in rows.then("ORDER BY f.text_state, f.text_reason").all(db).await? {
        let state: TextState = row.try_get("", "text_state")?;
        let reason: String = row.try_get("", "text_reason")?;
        let what = match state {
            TextState::None => "files without text, such as pictures",
            TextState::Waiting => "files whose text is still to be read",
            TextState::Done => "files read",
            TextState::Partial => "files read in part",
            TextState::Failed => "files not read",
        };
        let what = if reason.is_empty() { what.to_owned() } else { format!("{what}: {reason}") };
        texts.push((what, u64::try_from(row.try_get::<i64>("", "n")?).unwrap_or(0)));
    }
    run.progress.count(|report| report.texts = texts);
    let faults = of("SELECT i.external_id, f.text_state, f.text_reason")
        .then(" AND f.text_state IN ('failed', 'partial') ORDER BY i.external_id")
        .limit(NAMED)
        .all(db)
        .await?;
    for row in faults {
        let (path, reason): (String, String) = (row.try_get("", "external_id")?, row.try_get("", "text_reason")?);
        let read =
            if row.try_get::<TextState>("", "text_state")? == TextState::Partial { "read in part" } else { "not read" };
        run.progress.note(&format!("{path}: {read} ({reason})"));
    }
    Ok(())
}
