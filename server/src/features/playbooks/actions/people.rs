//! Who runs a playbook, and who writes a study.

use super::study_rows::log;
use super::told;
use crate::app::AppState;
use crate::entities::kinds::{MemberState, NoticeKind, PlaybookRole, StudyAct, StudyRole};
use crate::features::notices::{self, NewNotice};
use crate::features::playbooks::ground::{self, StudyGround};
use crate::features::playbooks::rows::address;
use crate::store::{After, Sql, Tx};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// People of a playbook, and writers of a study.
const MOST: i64 = 100;

/// A member by handle whose account can be used.
async fn member(tx: &Tx, handle: &str) -> Result<i64> {
    let row = Sql::new("SELECT id, state FROM member WHERE handle = ")
        .bind(address(handle.trim().trim_start_matches('@'))?)
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    match row.try_get::<MemberState>("", "state")? {
        MemberState::Active => Ok(row.try_get("", "id")?),
        MemberState::Unclaimed | MemberState::Suspended => {
            Err(AppError::Conflict("The account of this member is not in use.".into()))
        }
    }
}

/// Where the people of something are: the table, and its column of what they belong to.
type People = (&'static str, &'static str);

const BOOK_PEOPLE: People = ("playbook_member", "playbook_id");
const STUDY_PEOPLE: People = ("study_author", "study_id");

/// 409 if there is no room for one more; whoever is there already takes none.
async fn count(tx: &Tx, people: &People, of: i64, who: i64) -> Result<()> {
    let (table, column) = people;
    let row = Sql::new(&format!("SELECT count(*) AS people FROM {table} WHERE member_id <> "))
        .bind(who)
        .then(&format!(" AND {column} = "))
        .bind(of)
        .one(tx.conn())
        .await?;
    let people: i64 = row.map_or(Ok(0), |row| row.try_get("", "people"))?;
    if people >= MOST { Err(AppError::Conflict(format!("There are {MOST} people at most.").into())) } else { Ok(()) }
}

/// The id of one of the people by handle; 404 if they are none of them.
async fn one_of(tx: &Tx, people: &People, of: i64, handle: &str) -> Result<i64> {
    let (table, column) = people;
    let from = format!("SELECT p.member_id FROM {table} p JOIN member m ON m.id = p.member_id WHERE p.{column} = ");
    let row = Sql::new(&from).bind(of).then(" AND m.handle = ").bind(handle).one(tx.conn()).await?;
    Ok(row.ok_or(AppError::NotFound)?.try_get("", "member_id")?)
}

async fn take_out(tx: &Tx, people: &People, of: i64, who: i64) -> Result<()> {
    let (table, column) = people;
    let from = format!("DELETE FROM {table} WHERE {column} = ");
    Sql::new(&from).bind(of).then(" AND member_id = ").bind(who).run(tx.conn()).await?;
    Ok(())
}

/// Makes a member an owner or a reviewer of a playbook: its owners.
pub async fn set_person(state: &AppState, me: &Me, slug: &str, handle: &str, role: PlaybookRole) -> Result<()> {
    let (by, slug, handle) = (me.id, slug.to_owned(), handle.to_owned());
    state
        .store
        .write(async move |tx| {
            let book = ground::playbook(tx, by, &slug).await?;
            book.standing.own()?;
            let who = member(tx, &handle).await?;
            count(tx, &BOOK_PEOPLE, book.id, who).await?;
            if role == PlaybookRole::Reviewer {
                keeps_an_owner(tx, book.id, who).await?;
            }
            Sql::new("INSERT INTO playbook_member (playbook_id, member_id, role, added_at) VALUES ")
                .rows([[book.id.into(), who.into(), role.as_str().into(), tx.now().into()]])
                .then(" ON CONFLICT (playbook_id, member_id) DO UPDATE SET role = excluded.role")
                .run(tx.conn())
                .await?;
            tx.after(After::Access(who));
            told::book_changed(tx, book.id, Some(by));
            Ok(())
        })
        .await
}

/// Takes somebody out of the people of a playbook: its owners, or they themselves.
pub async fn remove_person(state: &AppState, me: &Me, slug: &str, handle: &str) -> Result<()> {
    let (by, slug, handle) = (me.id, slug.to_owned(), address(handle)?);
    state
        .store
        .write(async move |tx| {
            let book = ground::playbook(tx, by, &slug).await?;
            if book.actor.handle != handle {
                book.standing.own()?;
            }
            let who = one_of(tx, &BOOK_PEOPLE, book.id, &handle).await?;
            keeps_an_owner(tx, book.id, who).await?;
            take_out(tx, &BOOK_PEOPLE, book.id, who).await?;
            tx.after(After::Access(who));
            told::book_changed(tx, book.id, Some(by));
            Ok(())
        })
        .await
}

/// 409 if a playbook would be left without an owner.
async fn keeps_an_owner(tx: &Tx, book: i64, without: i64) -> Result<()> {
    let said = "A playbook has an owner; name another one first.";
    keeps_one(tx, "playbook_member WHERE role = 'owner' AND playbook_id = ", book, without, said).await
}

/// Makes a member a co-author of a study, or thanks them in it: its authors. An author is only made
/// one who is thanked by whoever may take them out.
pub async fn set_author(state: &AppState, me: &Me, slug: &str, handle: &str, role: StudyRole) -> Result<()> {
    let (by, slug) = (me.id, slug.to_owned());
    let handle = address(handle.trim().trim_start_matches('@'))?;
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, by, &slug).await?;
            study.standing.edit()?;
            let who = member(tx, &handle).await?;
            let before = role_of(tx, study.id, who).await?;
            if before == Some(role) {
                return Ok(());
            }
            count(tx, &STUDY_PEOPLE, study.id, who).await?;
            if role == StudyRole::Credited {
                if before.is_some() && who != by {
                    may_take_out(tx, &study).await?;
                }
                keeps_an_author(tx, study.id, who).await?;
            }
            Sql::new("INSERT INTO study_author (study_id, member_id, role, position, added_at) SELECT CAST(")
                .bind(study.id)
                .then(" AS BIGINT), CAST(")
                .bind(who)
                .then(" AS BIGINT), CAST(")
                .bind(role.as_str())
                .then(" AS TEXT), CAST(COALESCE(max(position) + 1, 0) AS INTEGER), CAST(")
                .bind(tx.now())
                .then(" AS BIGINT) FROM study_author WHERE study_id = ")
                .bind(study.id)
                .then(" ON CONFLICT (study_id, member_id) DO UPDATE SET role = excluded.role")
                .run(tx.conn())
                .await?;
            let (act, kind) = match role {
                StudyRole::Author => (StudyAct::Joined, NoticeKind::StudyShared),
                StudyRole::Credited => (StudyAct::Credited, NoticeKind::StudyCredited),
            };
            moved(tx, &study, who, &handle, act, kind).await
        })
        .await
}

/// Takes somebody out of the authors and the credited of a study: its first author, the owners of its
/// playbook, or they themselves.
pub async fn remove_author(state: &AppState, me: &Me, slug: &str, handle: &str) -> Result<()> {
    let (by, slug, handle) = (me.id, slug.to_owned(), address(handle)?);
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, by, &slug).await?;
            if study.actor.handle != handle {
                may_take_out(tx, &study).await?;
            }
            let who = one_of(tx, &STUDY_PEOPLE, study.id, &handle).await?;
            keeps_an_author(tx, study.id, who).await?;
            take_out(tx, &STUDY_PEOPLE, study.id, who).await?;
            moved(tx, &study, who, &handle, StudyAct::Left, NoticeKind::StudyLeft).await
        })
        .await
}

/// 403 unless the one who acts may take others from the people of a study.
async fn may_take_out(tx: &Tx, study: &StudyGround) -> Result<()> {
    if study.standing.book.is_some_and(|book| book.owns()) {
        return Ok(());
    }
    study.standing.edit()?;
    let row = Sql::new("SELECT member_id FROM study_author WHERE role = 'author' AND study_id = ")
        .bind(study.id)
        .then(" ORDER BY position, member_id LIMIT 1")
        .one(tx.conn())
        .await?;
    let first: i64 = row.map_or(Ok(0), |row| row.try_get("", "member_id"))?;
    if first == study.actor.id {
        Ok(())
    } else {
        Err(AppError::Forbidden("Only its first author and the owners of its playbook take others out.".into()))
    }
}

/// What a member is in a study; `None` if they are not in it.
async fn role_of(tx: &Tx, study: i64, who: i64) -> Result<Option<StudyRole>> {
    let row = Sql::new("SELECT role FROM study_author WHERE study_id = ")
        .bind(study)
        .then(" AND member_id = ")
        .bind(who)
        .one(tx.conn())
        .await?;
    row.map(|row| Ok(row.try_get::<StudyRole>("", "role")?)).transpose()
}

/// Somebody came, went, or is something else now: it stands in the log, they hear of it, and what
/// they may read is looked at again.
async fn moved(
    tx: &mut Tx,
    study: &StudyGround,
    who: i64,
    handle: &str,
    act: StudyAct,
    kind: NoticeKind,
) -> Result<()> {
    let by = study.actor.id;
    let subject = log(tx, study.id, act, by, &format!("@{handle}"), &[], None).await?;
    if who != by {
        let notice = NewNotice {
            member: who,
            kind,
            actor: by,
            subject,
            room: None,
            topic: None,
            resource: None,
            study: Some(study.id),
        };
        notices::tell(tx, &[notice]).await?;
    }
    tx.after(After::Access(who));
    // Readers get those who wrote what is published; these are known with the next revision.
    super::studies::changed(tx, study).await
}

/// 409 if a study would be left without an author.
async fn keeps_an_author(tx: &Tx, study: i64, without: i64) -> Result<()> {
    let said = "A case study has an author; name another one first.";
    keeps_one(tx, "study_author WHERE role = 'author' AND study_id = ", study, without, said).await
}

/// 409 with `said` unless somebody else is in these rows.
async fn keeps_one(tx: &Tx, rows: &str, of: i64, without: i64, said: &'static str) -> Result<()> {
    let row = Sql::new("SELECT count(*) AS others FROM ")
        .then(rows)
        .bind(of)
        .then(" AND member_id <> ")
        .bind(without)
        .one(tx.conn())
        .await?;
    let others: i64 = row.map_or(Ok(0), |row| row.try_get("", "others"))?;
    if others == 0 { Err(AppError::Conflict(said.into())) } else { Ok(()) }
}
