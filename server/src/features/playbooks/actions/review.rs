//! The way of a study: submitted, published or returned, withdrawn, retired. Each step is in the
//! log, and those concerned hear of it.

use std::collections::BTreeMap;

use actix_web::HttpResponse;

use super::publish::{owner_in_use, ready, release, withdraw_from_readers};
use super::study_rows::log;
use crate::app::AppState;
use crate::entities::kinds::{PartKey, StudyAct, StudyState};
use crate::features::playbooks::ground::{self, StudyGround};
use crate::features::playbooks::model::PartView;
use crate::features::playbooks::notify::{News, What};
use crate::features::playbooks::queries::{Which, parts_of, study_view_in};
use crate::store::{After, Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{self, MESSAGE, SUMMARY, Text};
use crate::web::error::{AppError, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::{Me, Viewer};

/// A step on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Authors ask for a review; all that publication needs has to be there, and a playbook.
    Submit,
    /// Authors take it back.
    Withdraw,
    /// A reviewer publishes what was submitted; every point of the checklist has to be ticked.
    Publish,
    /// A reviewer sends it back and says why.
    Return,
    /// Authors or reviewers take it off the lists; its page stays, marked.
    Retire,
}

/// What is said at a step.
#[derive(Clone, Debug, Default)]
pub struct Review {
    /// Markdown is not read here: a plain text. Needed for a return.
    pub note: String,
    /// Points of the playbook's checklist that were ticked, as they stand there.
    pub checklist: Vec<String>,
    pub confirmed: bool,
}

#[derive(Clone, Debug)]
struct Said {
    note: String,
    checklist: Vec<String>,
}

fn said(verb: Verb, review: &Review) -> Result<Said> {
    let note = Text::body("note", &review.note, MESSAGE);
    let note = if verb == Verb::Return { note.required() } else { note };
    let checked = checks::check(&[note], review.confirmed)?;
    if review.checklist.len() > 100 {
        return Err(AppError::field("checklist", "has the points of the playbook's checklist"));
    }
    let mut checklist = Vec::new();
    for point in &review.checklist {
        let checked = checks::check(&[Text::line("checklist", point, SUMMARY)], true)?;
        checklist.push(checked.get("checklist").to_owned());
    }
    Ok(Said { note: checked.get("note").to_owned(), checklist })
}

/// Takes a step.
pub async fn review(
    state: &AppState,
    me: &Me,
    slug: &str,
    verb: Verb,
    review: &Review,
    if_match: IfMatch,
) -> Result<()> {
    let said = said(verb, review)?;
    let (member, slug) = (me.id, slug.to_owned());
    state.store.write(async move |tx| step(tx, member, &slug, verb, &said, if_match).await).await
}

/// The same for a request that may come again: 200 with the study.
pub async fn review_once(
    state: &AppState,
    me: &Me,
    slug: &str,
    verb: Verb,
    review: &Review,
    if_match: IfMatch,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let said = said(verb, review)?;
    let (owned, viewer) = (state.clone(), Viewer::Member(std::sync::Arc::new(me.clone())));
    let (member, slug) = (me.id, slug.to_owned());
    write_once(state, member, once, async move |tx| {
        step(tx, member, &slug, verb, &said, if_match).await?;
        let view = study_view_in(tx.conn(), &owned, &viewer, &slug, Which::Best).await?;
        Ok(Answer::ok(200, &view, Some(view.row.id.0))?.with_etag(of_version(view.version)))
    })
    .await
}

async fn step(tx: &mut Tx, member: i64, slug: &str, verb: Verb, said: &Said, if_match: IfMatch) -> Result<()> {
    let study = ground::study(tx, member, slug).await?;
    match verb {
        Verb::Submit | Verb::Withdraw => study.standing.edit()?,
        Verb::Publish | Verb::Return => study.standing.review()?,
        Verb::Retire => study.standing.retire()?,
    }
    if_match.check(study.version)?;
    let (act, what) = match verb {
        Verb::Submit => submit(tx, &study, said).await?,
        Verb::Withdraw => withdraw(tx, &study, said).await?,
        Verb::Publish => publish(tx, &study, said).await?,
        Verb::Return => send_back(tx, &study, said).await?,
        Verb::Retire => retire(tx, &study, said).await?,
    };
    super::touch(tx, study.id).await?;
    tx.append(Stream::case_study(study.id), NewEvent::new("state.changed", study.id, Some(member)));
    if let Some(what) = what {
        let news = News { study: study.id, what, subject: act, actor: member, mentions: Vec::new() };
        tx.enqueue("playbooks.notify", &news).await?;
    }
    Ok(())
}

type Stepped = (i64, Option<What>);

async fn set_state(tx: &Tx, study: i64, state: StudyState) -> Result<()> {
    Sql::new("UPDATE case_study SET state = ")
        .bind(state.as_str())
        .then(" WHERE id = ")
        .bind(study)
        .run(tx.conn())
        .await?;
    Ok(())
}

async fn submit(tx: &mut Tx, study: &StudyGround, said: &Said) -> Result<Stepped> {
    let Some(book) = study.standing.book else {
        return Err(AppError::field("playbook", "is needed: whose reviewers are to look at it?"));
    };
    if !study.standing.may_be_submitted() {
        return Err(AppError::Conflict(match study.state {
            StudyState::Submitted => "It already waits for a review.".into(),
            _ => "Nothing has changed since it was published.".into(),
        }));
    }
    if book.read().is_err() {
        return Err(AppError::Conflict(if study.published > 0 {
            // It does not move: there is no other one to choose.
            "Its playbook can no longer be read by you. Ask its owners, or those who run its space, to let you in \
             again: your text is kept as it is."
                .into()
        } else {
            "Its playbook can no longer be read by you; choose another one.".into()
        }));
    }
    book.takes_studies()?;
    let parts = parts_of(tx.conn(), study.id).await?;
    ready(tx.now(), &parts)?;
    owner_in_use(tx, &parts).await?;
    Sql::new("UPDATE case_study SET state = 'submitted', submitted_at = ")
        .bind(tx.now())
        .then(", submitted_by = ")
        .bind(study.actor.id)
        .then(" WHERE id = ")
        .bind(study.id)
        .run(tx.conn())
        .await?;
    let act = log(tx, study.id, StudyAct::Submitted, study.actor.id, &said.note, &[], None).await?;
    Ok((act, Some(What::Submitted)))
}

async fn withdraw(tx: &mut Tx, study: &StudyGround, said: &Said) -> Result<Stepped> {
    waits(study)?;
    let back = match (study.retired, study.published > 0) {
        (true, _) => StudyState::Retired,
        (false, true) => StudyState::Revised,
        (false, false) => StudyState::Draft,
    };
    set_state(tx, study.id, back).await?;
    if study.published == 0 {
        // It is its authors' alone again: who reviews by name no longer follows it.
        let rows = Sql::new("SELECT member_id FROM playbook_member WHERE playbook_id = ")
            .bind(study.playbook_id.unwrap_or(0))
            .all(tx.conn())
            .await?;
        for row in rows {
            tx.after(After::Access(row.try_get("", "member_id")?));
        }
    }
    Ok((log(tx, study.id, StudyAct::Withdrawn, study.actor.id, &said.note, &[], None).await?, None))
}

async fn send_back(tx: &mut Tx, study: &StudyGround, said: &Said) -> Result<Stepped> {
    waits(study)?;
    set_state(tx, study.id, StudyState::Returned).await?;
    let act = log(tx, study.id, StudyAct::Returned, study.actor.id, &said.note, &said.checklist, None).await?;
    Ok((act, Some(What::Returned)))
}

async fn publish(tx: &mut Tx, study: &StudyGround, said: &Said) -> Result<Stepped> {
    waits(study)?;
    let open: Vec<&String> = study.checklist.iter().filter(|point| !said.checklist.contains(point)).collect();
    if let Some(first) = open.first() {
        let said = match open.len() {
            1 => format!("has 1 point that is not ticked: {first}"),
            points => format!("has {points} points that are not ticked, the first: {first}"),
        };
        return Err(AppError::field("checklist", said));
    }
    let parts: BTreeMap<PartKey, PartView> = parts_of(tx.conn(), study.id).await?;
    ready(tx.now(), &parts)?;
    owner_in_use(tx, &parts).await?;
    let number = release(tx, study, parts, &said.note).await?;
    let (by, ticked) = (study.actor.id, &said.checklist);
    let act = log(tx, study.id, StudyAct::Published, by, &said.note, ticked, Some(number)).await?;
    Ok((act, Some(What::Published)))
}

async fn retire(tx: &mut Tx, study: &StudyGround, said: &Said) -> Result<Stepped> {
    if study.state == StudyState::Retired {
        return Err(AppError::Conflict("It is retired already.".into()));
    }
    withdraw_from_readers(tx, study).await?;
    let act = log(tx, study.id, StudyAct::Retired, study.actor.id, &said.note, &[], None).await?;
    Ok((act, (study.published > 0).then_some(What::Retired)))
}

/// 409 unless a review is asked for.
fn waits(study: &StudyGround) -> Result<()> {
    if study.state == StudyState::Submitted {
        Ok(())
    } else {
        Err(AppError::Conflict("It does not wait for a review: its authors have to submit it first.".into()))
    }
}
