//! What members say to a published study: that they stand behind it, that their site uses it, that
//! they want to hear of it. Each says so once however often it is asked.

use super::told;
use crate::app::AppState;
use crate::entities::kinds::{AdoptionStatus, Discipline, NoticeKind};
use crate::features::notices::{self, NewNotice};
use crate::features::playbooks::ground::{self, StudyGround};
use crate::features::playbooks::terms::fold;
use crate::search::Kind;
use crate::store::{Sql, Tx};
use crate::web::checks::{self, SUMMARY, TITLE, Text};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Why somebody stands behind a study. What is absent comes from their profile.
#[derive(Clone, Debug, Default)]
pub struct EndorsementInput {
    pub reason: String,
    pub discipline: Option<Discipline>,
    pub role: Option<String>,
    pub organisation: Option<String>,
    pub confirmed: bool,
}

/// How far a site has come.
#[derive(Clone, Debug)]
pub struct AdoptionInput {
    pub status: AdoptionStatus,
    /// The member's own if absent.
    pub organisation: Option<String>,
    pub site: String,
    /// Needed for `stopped`.
    pub why: String,
    pub contact: String,
    pub confirmed: bool,
}

/// Endorses a study with what the member is; not one's own.
pub async fn endorse(state: &AppState, me: &Me, slug: &str, input: &EndorsementInput) -> Result<()> {
    let (role, organisation) = (input.role.clone(), input.organisation.clone());
    let texts = [
        Text::line("reason", &input.reason, SUMMARY),
        Text::line("role", role.as_deref().unwrap_or_default(), TITLE),
        Text::line("organisation", organisation.as_deref().unwrap_or_default(), TITLE),
    ];
    let checked = checks::check(&texts, input.confirmed)?;
    let (member, slug, discipline) = (me.id, slug.to_owned(), input.discipline);
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            study.standing.respond()?;
            if study.standing.wrote_it() {
                return Err(AppError::Forbidden("Nobody endorses what they wrote themselves.".into()));
            }
            let said = |field: &str, given: bool, own: &str| {
                if given { checked.get(field).to_owned() } else { own.to_owned() }
            };
            let known = exists(tx, "study_endorsement", &study).await?;
            Sql::new("INSERT INTO study_endorsement (study_id, member_id, discipline, role, organisation, reason, created_at) VALUES ")
                .rows([[
                    study.id.into(),
                    member.into(),
                    discipline.unwrap_or(study.actor.discipline).as_str().into(),
                    said("role", role.is_some(), &study.actor.headline).into(),
                    said("organisation", organisation.is_some(), &study.actor.organisation).into(),
                    checked.get("reason").into(),
                    tx.now().into(),
                ]])
                .then(
                    " ON CONFLICT (study_id, member_id) DO UPDATE SET discipline = excluded.discipline, \
                     role = excluded.role, organisation = excluded.organisation, reason = excluded.reason",
                )
                .run(tx.conn())
                .await?;
            count(tx, &study, "endorsement").await?;
            if known { Ok(()) } else { tell(tx, &study, NoticeKind::StudyEndorsed).await }
        })
        .await
}

/// Takes an endorsement back.
pub async fn unendorse(state: &AppState, me: &Me, slug: &str) -> Result<()> {
    take_back(state, me, slug, "endorsement").await
}

/// Says how far a site has come with what a study describes; the member's one line in the register.
pub async fn adopt(state: &AppState, me: &Me, slug: &str, input: &AdoptionInput) -> Result<()> {
    let site = Text::line("site", &input.site, TITLE);
    let why = Text::line("why", &input.why, SUMMARY);
    let texts = [
        Text::line("organisation", input.organisation.as_deref().unwrap_or_default(), TITLE),
        site,
        if input.status == AdoptionStatus::Stopped { why.required() } else { why },
        Text::line("contact", &input.contact, SUMMARY),
    ];
    let checked = checks::check(&texts, input.confirmed)?;
    let (member, slug, status) = (me.id, slug.to_owned(), input.status);
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            study.standing.respond()?;
            let organisation = [checked.get("organisation"), study.actor.organisation.as_str(), checked.get("site")]
                .into_iter()
                .find(|name| !name.is_empty())
                .ok_or_else(|| AppError::field("organisation", "is needed: which one uses it?"))?
                .to_owned();
            let known = exists(tx, "study_adoption", &study).await?;
            Sql::new("INSERT INTO study_adoption (id, study_id, member_id, organisation, organisation_key, site, status, why, contact, created_at, updated_at) VALUES ")
                .rows([[
                    tx.id().into(),
                    study.id.into(),
                    member.into(),
                    organisation.clone().into(),
                    fold(&organisation).into(),
                    checked.get("site").into(),
                    status.as_str().into(),
                    checked.get("why").into(),
                    checked.get("contact").into(),
                    tx.now().into(),
                    tx.now().into(),
                ]])
                .then(
                    " ON CONFLICT (study_id, member_id) DO UPDATE SET organisation = excluded.organisation, \
                     organisation_key = excluded.organisation_key, site = excluded.site, status = excluded.status, \
                     why = excluded.why, contact = excluded.contact, updated_at = excluded.updated_at",
                )
                .run(tx.conn())
                .await?;
            count(tx, &study, "adoption").await?;
            if known { Ok(()) } else { tell(tx, &study, NoticeKind::StudyAdopted).await }
        })
        .await
}

/// Takes a line of the register back.
pub async fn unadopt(state: &AppState, me: &Me, slug: &str) -> Result<()> {
    take_back(state, me, slug, "adoption").await
}

/// Hears of new revisions.
pub async fn follow(state: &AppState, me: &Me, slug: &str) -> Result<()> {
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            Sql::new("INSERT INTO study_follow (study_id, member_id, created_at) VALUES ")
                .rows([[study.id.into(), member.into(), tx.now().into()]])
                .then(" ON CONFLICT DO NOTHING")
                .run(tx.conn())
                .await?;
            Ok(())
        })
        .await
}

/// No longer hears of new revisions.
pub async fn unfollow(state: &AppState, me: &Me, slug: &str) -> Result<()> {
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            delete(tx, "study_follow", &study).await
        })
        .await
}

async fn take_back(state: &AppState, me: &Me, slug: &str, what: &'static str) -> Result<()> {
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            delete(tx, &format!("study_{what}"), &study).await?;
            count(tx, &study, what).await
        })
        .await
}

async fn exists(tx: &Tx, table: &str, study: &StudyGround) -> Result<bool> {
    let found = Sql::new(&format!("SELECT 1 AS one FROM {table} WHERE study_id = "))
        .bind(study.id)
        .then(" AND member_id = ")
        .bind(study.actor.id)
        .one(tx.conn())
        .await?;
    Ok(found.is_some())
}

async fn delete(tx: &Tx, table: &str, study: &StudyGround) -> Result<()> {
    Sql::new(&format!("DELETE FROM {table} WHERE study_id = "))
        .bind(study.id)
        .then(" AND member_id = ")
        .bind(study.actor.id)
        .run(tx.conn())
        .await?;
    Ok(())
}

async fn count(tx: &mut Tx, study: &StudyGround, what: &str) -> Result<()> {
    let sql = format!(
        "UPDATE case_study SET {what}_count = (SELECT count(*) FROM study_{what} e WHERE e.study_id = case_study.id) WHERE id = "
    );
    Sql::new(&sql).bind(study.id).run(tx.conn()).await?;
    let kind = if what == "endorsement" { "study.endorsed" } else { "study.adopted" };
    told::study_moved(tx, study, kind).await?;
    tx.index(Kind::CaseStudy, study.id);
    Ok(())
}

/// Its authors hear of it, those who have not blocked the member.
async fn tell(tx: &mut Tx, study: &StudyGround, kind: NoticeKind) -> Result<()> {
    let rows = Sql::new("SELECT member_id FROM study_author w WHERE w.role = 'author' AND w.study_id = ")
        .bind(study.id)
        .then(" AND NOT EXISTS (SELECT 1 FROM member_block k WHERE k.member_id = w.member_id AND k.blocked_id = ")
        .bind(study.actor.id)
        .then(")")
        .all(tx.conn())
        .await?;
    let subject = tx.id();
    let mut notices = Vec::with_capacity(rows.len());
    for row in rows {
        let member: i64 = row.try_get("", "member_id")?;
        if member != study.actor.id {
            notices.push(NewNotice {
                member,
                kind,
                actor: study.actor.id,
                subject,
                room: None,
                topic: None,
                resource: None,
                study: Some(study.id),
            });
        }
    }
    notices::tell(tx, &notices).await?;
    Ok(())
}
