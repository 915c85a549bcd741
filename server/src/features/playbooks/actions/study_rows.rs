//! The rows of a case study: itself under a free address, its people, parts, terms and places in
//! scenarios, and the log of what was done.

use sea_orm::ConnectionTrait;

use super::parts::{apply, insert_part};
use super::studies::{MOST_SCENARIOS, Origin};
use super::under;
use crate::entities::kinds::{PartKey, StudyAct};
use crate::features::playbooks::ground::StudyGround;
use crate::features::playbooks::terms::{Terms, fold};
use crate::features::playbooks::texts::Written;
use crate::store::{Sql, Tx, insert_rows};
use crate::web::error::{AppError, Result};

/// Words that stand where a study's address would.
const RESERVED: [&str; 7] = ["parts", "terms", "mine", "new", "browse", "from-topic", "from-messages"];

/// Writes who writes a study and who is credited in it, each once.
pub(super) async fn people(tx: &Tx, study: i64, authors: &[i64], credited: &[i64]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    let authors = authors.iter().map(|who| (*who, "author"));
    let rows = authors
        .chain(credited.iter().map(|who| (*who, "credited")))
        .filter(|(who, _)| seen.insert(*who))
        .zip(0_i32..)
        .map(|((who, role), at)| [study.into(), who.into(), role.into(), at.into(), tx.now().into()])
        .collect();
    insert_rows(tx.conn(), "INSERT INTO study_author (study_id, member_id, role, position, added_at) VALUES ", rows)
        .await
}

/// Writes who keeps a study that comes from elsewhere, who may be somebody that nobody has claimed.
async fn keep_owner(tx: &Tx, study: i64, handle: &str) -> Result<()> {
    Sql::new("UPDATE case_study SET owner_id = (SELECT m.id FROM member m WHERE m.handle = ")
        .bind(handle)
        .then(") WHERE id = ")
        .bind(study)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// The same as [`write_parts`] for a study that comes from elsewhere.
pub(super) async fn write_imported(tx: &mut Tx, study: i64, by: i64, parts: &[(PartKey, Written)]) -> Result<()> {
    for part in parts {
        let (key, written) = part;
        if *key == PartKey::Owner {
            keep_owner(tx, study, &written.content.body).await?;
            insert_part(tx, study, *key, written, 0, by, "").await?;
        } else {
            write_parts(tx, study, by, std::slice::from_ref(part)).await?;
        }
    }
    Ok(())
}

pub(super) async fn write_parts(tx: &mut Tx, study: i64, by: i64, parts: &[(PartKey, Written)]) -> Result<()> {
    for (key, written) in parts {
        apply(tx, study, *key, written, false).await.map_err(|error| match error {
            AppError::Invalid(found) => AppError::Invalid(under(*key, found)),
            other => other,
        })?;
        insert_part(tx, study, *key, written, 0, by, "").await?;
        crate::features::people::adopt_into_study(tx, by, study, &written.all_html()).await?;
    }
    Ok(())
}

pub(super) async fn insert_row(
    tx: &Tx,
    id: i64,
    member: i64,
    book: Option<i64>,
    title: &str,
    origin: &Origin,
    wanted: Option<&str>,
) -> Result<String> {
    let wanted = wanted.filter(|slug| !RESERVED.contains(slug)).map_or_else(|| slug_of(title), str::to_owned);
    let mut slug = free_slug(tx.conn(), &wanted).await?;
    for _ in 0..2 {
        let done = Sql::new(
            "INSERT INTO case_study (id, slug, playbook_id, title, summary, live_title, live_summary, live_figure, \
             state, created_by, created_at, updated_at, published, revision_count, endorsement_count, \
             adoption_count, open_comments, source, source_topic_id, source_room_id, source_seq, source_url, version) VALUES ",
        )
        .rows([[
            id.into(),
            slug.clone().into(),
            book.into(),
            title.into(),
            "".into(),
            "".into(),
            "".into(),
            "".into(),
            "draft".into(),
            member.into(),
            tx.now().into(),
            tx.now().into(),
            0.into(),
            0.into(),
            0.into(),
            0.into(),
            0.into(),
            origin.source().as_str().into(),
            origin.topic.into(),
            origin.room.map(|(room, _)| room).into(),
            origin.room.map(|(_, seq)| seq).into(),
            origin.url.clone().into(),
            1.into(),
        ]])
        .then(" ON CONFLICT (slug) DO NOTHING")
        .run(tx.conn())
        .await?;
        if done.rows_affected() > 0 {
            return Ok(slug);
        }
        // Somebody took it a moment ago.
        slug = format!("{}-{}", slug.chars().take(45).collect::<String>(), crate::store::Id(id));
    }
    Err(AppError::Conflict("Another case study took this address; try again.".into()))
}

/// Characters of an address that is made from a title; a number may follow.
const LONGEST: usize = 56;
/// A word that begins before this place and is longer than the rest is cut inside.
const SHORTEST: usize = 20;

/// Small letters, digits and hyphens of a title: `faster-x-rays`. A long one ends with a word.
#[must_use]
fn slug_of(title: &str) -> String {
    let mut slug = String::new();
    for c in title.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'à'..='å' => slug.push('a'),
            'è'..='ë' => slug.push('e'),
            'ì'..='ï' => slug.push('i'),
            'ò'..='ö' => slug.push('o'),
            'ù'..='ü' => slug.push('u'),
            'ç' => slug.push('c'),
            'ñ' => slug.push('n'),
            'ß' => slug.push_str("ss"),
            '\'' | '’' => {}
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
        if slug.len() > LONGEST {
            break;
        }
    }
    let end =
        if slug.len() > LONGEST { slug.rfind('-').filter(|at| *at > SHORTEST).unwrap_or(LONGEST) } else { LONGEST };
    let slug = slug.get(..end).unwrap_or(&slug).trim_end_matches('-');
    if slug.len() < 2 || RESERVED.contains(&slug) {
        format!("study-{slug}").trim_end_matches('-').to_owned()
    } else {
        slug.to_owned()
    }
}

async fn free_slug(db: &impl ConnectionTrait, wanted: &str) -> Result<String> {
    // No room for a number: if it is taken, the row's id makes the difference.
    if wanted.len() > LONGEST {
        return Ok(wanted.to_owned());
    }
    let taken = Sql::new("SELECT slug FROM case_study WHERE slug = ")
        .bind(wanted)
        .then(" OR (slug >= ")
        .bind(format!("{wanted}-"))
        .then(" AND slug < ")
        .bind(format!("{wanted}."))
        .then(") LIMIT 1000")
        .all(db)
        .await?;
    let taken = taken.iter().map(|row| Ok(row.try_get("", "slug")?)).collect::<Result<Vec<String>>>()?;
    if !taken.iter().any(|slug| slug == wanted) {
        return Ok(wanted.to_owned());
    }
    let free = (2..1002).map(|number| format!("{wanted}-{number}")).find(|slug| !taken.contains(slug));
    Ok(free.unwrap_or_else(|| wanted.to_owned()))
}

/// Replaces the terms of a study's working copy (or of what is published).
pub(super) async fn set_terms(tx: &Tx, study: i64, terms: &Terms, live: bool) -> Result<()> {
    Sql::new("DELETE FROM study_term WHERE study_id = ")
        .bind(study)
        .then(" AND live = ")
        .bind(i32::from(live))
        .run(tx.conn())
        .await?;
    let rows = terms.iter().flat_map(|(kind, labels)| {
        labels.iter().map(move |label| {
            [study.into(), i32::from(live).into(), kind.as_str().into(), fold(label).into(), label.clone().into()]
        })
    });
    let insert = "INSERT INTO study_term (study_id, live, kind, term, label) VALUES ";
    insert_rows(tx.conn(), insert, rows.collect()).await
}

/// Puts a study into scenarios of its home, and out of its other scenarios there.
pub(super) async fn place(tx: &Tx, study: i64, book: Option<i64>, scenarios: &[i64]) -> Result<()> {
    let mut wanted = scenarios.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let Some(book) = book else {
        return if wanted.is_empty() {
            Ok(())
        } else {
            Err(AppError::field("scenarios", "needs a playbook, of which these are scenarios"))
        };
    };
    let found = Sql::new("SELECT id FROM scenario WHERE playbook_id = ")
        .bind(book)
        .then(" AND id IN ")
        .list(wanted.iter().copied())
        .all(tx.conn())
        .await?;
    if found.len() != wanted.len() {
        return Err(AppError::field("scenarios", "are scenarios of the playbook"));
    }
    Sql::new("DELETE FROM scenario_study WHERE study_id = ")
        .bind(study)
        .then(" AND scenario_id IN (SELECT id FROM scenario WHERE playbook_id = ")
        .bind(book)
        .then(") AND scenario_id NOT IN ")
        .list(wanted.iter().copied().chain([0]))
        .run(tx.conn())
        .await?;
    for scenario in wanted.chunks(MOST_SCENARIOS) {
        Sql::new("INSERT INTO scenario_study (scenario_id, study_id, position) SELECT n.id, CAST(")
            .bind(study)
            .then(" AS BIGINT), (SELECT count(*) FROM scenario_study x WHERE x.scenario_id = n.id) FROM scenario n WHERE n.id IN ")
            .list(scenario.iter().copied())
            .then(" ON CONFLICT DO NOTHING")
            .run(tx.conn())
            .await?;
    }
    Ok(())
}

/// Keeps a saved state of what is no part, the title or the terms: who changed them wrote the study,
/// and does not review it.
pub(super) async fn keep_saved(tx: &Tx, study: &StudyGround, what: &str, text: &str) -> Result<()> {
    let row = Sql::new("SELECT COALESCE(max(version) + 1, 1) AS next FROM study_part_revision WHERE study_id = ")
        .bind(study.id)
        .then(" AND part = ")
        .bind(what)
        .one(tx.conn())
        .await?
        .ok_or_else(|| AppError::internal("a version did not come back"))?;
    let version: i32 = row.try_get("", "next")?;
    Sql::new("INSERT INTO study_part_revision (study_id, part, version, body, fields, measures, editor_id, note, created_at) VALUES ")
        .rows([[
            study.id.into(),
            what.into(),
            version.into(),
            text.into(),
            "{}".into(),
            "[]".into(),
            study.actor.id.into(),
            "".into(),
            tx.now().into(),
        ]])
        .run(tx.conn())
        .await?;
    Ok(())
}

/// A line of the log; its id.
pub(in crate::features::playbooks) async fn log(
    tx: &Tx,
    study: i64,
    kind: StudyAct,
    actor: i64,
    note: &str,
    checklist: &[String],
    revision: Option<i32>,
) -> Result<i64> {
    let id = tx.id();
    Sql::new("INSERT INTO study_act (id, study_id, kind, actor_id, note, checklist, revision, at) VALUES ")
        .rows([[
            id.into(),
            study.into(),
            kind.as_str().into(),
            actor.into(),
            note.into(),
            serde_json::to_string(checklist)?.into(),
            revision.into(),
            tx.now().into(),
        ]])
        .run(tx.conn())
        .await?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::slug_of;

    #[test]
    fn addresses_come_from_titles() {
        assert_eq!(slug_of("Faster X-rays: what we learnt"), "faster-x-rays-what-we-learnt");
        assert_eq!(slug_of("Ward’s études"), "wards-etudes");
        assert_eq!(slug_of("New"), "study-new");
        assert_eq!(slug_of("数据"), "study");
        assert_eq!(slug_of(&"long words ".repeat(20)), "long-words-long-words-long-words-long-words-long-words");
        let whole = format!("{} end", "a".repeat(52));
        assert_eq!(slug_of(&format!("{whole} and more")), whole.replace(' ', "-"), "its last word has just room");
        assert_eq!(slug_of(&format!("A {}", "ß".repeat(80))).len(), 56, "a word without end is cut");
    }
}
