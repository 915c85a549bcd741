//! Comments on parts: threads that are resolved, between authors and reviewers.

use actix_web::HttpResponse;

use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::playbooks::ground::{self, StudyGround};
use crate::features::playbooks::model::CommentView;
use crate::features::playbooks::notify::{News, What};
use crate::features::playbooks::queries::find_comment;
use crate::features::playbooks::texts::render_texts;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::text::mention_candidates;
use crate::web::checks::{self, MESSAGE, Text};
use crate::web::error::{AppError, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// Comments of one study, replies among them.
const MOST: i64 = 5_000;
/// Characters of a quoted passage.
const QUOTE: usize = 1_000;

/// A comment to be made.
#[derive(Clone, Debug)]
pub struct NewComment {
    /// Of a reply it is that of its thread, whatever is said here.
    pub part: PartKey,
    /// The first comment of the thread that is answered.
    pub parent: Option<i64>,
    /// The passage that it is about.
    pub quote: String,
    pub body: String,
    pub confirmed: bool,
}

#[derive(Clone, Debug)]
struct Prepared {
    part: PartKey,
    parent: Option<i64>,
    quote: String,
    body: String,
    html: String,
}

async fn prepare(state: &AppState, new: &NewComment) -> Result<Prepared> {
    let texts = [Text::body("body", &new.body, MESSAGE).required(), Text::body("quote", &new.quote, QUOTE)];
    let checked = checks::check(&texts, new.confirmed)?;
    let [html] = render_texts(state, [checked.get("body")]).await?;
    Ok(Prepared {
        part: new.part,
        parent: new.parent,
        quote: checked.get("quote").to_owned(),
        body: checked.get("body").to_owned(),
        html,
    })
}

/// Comments on a part: authors and reviewers. A reply opens a resolved thread again.
pub async fn add_comment(state: &AppState, me: &Me, slug: &str, new: &NewComment) -> Result<CommentView> {
    let prepared = prepare(state, new).await?;
    let (member, slug) = (me.id, slug.to_owned());
    state.store.write(async move |tx| insert(tx, member, &slug, &prepared).await).await
}

/// The same for a request that may come again.
pub async fn add_comment_once(
    state: &AppState,
    me: &Me,
    slug: &str,
    new: &NewComment,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let prepared = prepare(state, new).await?;
    let (member, slug) = (me.id, slug.to_owned());
    write_once(state, member, once, async move |tx| {
        let view = insert(tx, member, &slug, &prepared).await?;
        let place = format!("/api/v1/case-studies/{slug}/comments/{}", view.id);
        Ok(Answer::created(place, &view, Some(view.id.0))?.with_etag(of_version(view.version)))
    })
    .await
}

async fn insert(tx: &mut Tx, member: i64, slug: &str, new: &Prepared) -> Result<CommentView> {
    let study = ground::study(tx, member, slug).await?;
    study.standing.read_working()?;
    let row = Sql::new("SELECT count(*) AS comments FROM study_comment WHERE study_id = ")
        .bind(study.id)
        .one(tx.conn())
        .await?;
    if row.map_or(Ok(0), |row| row.try_get::<i64>("", "comments"))? >= MOST {
        return Err(AppError::Conflict(format!("A case study has {MOST} comments at most.").into()));
    }
    let (mut part, id) = (new.part, tx.id());
    if let Some(parent) = new.parent {
        let first = find(tx, &study, parent).await?;
        if first.parent.is_some() || first.deleted {
            return Err(AppError::field("parent_id", "is the first comment of a thread"));
        }
        part = first.part;
        Sql::new("UPDATE study_comment SET reply_count = reply_count + 1, resolved_at = NULL, resolved_by = NULL WHERE id = ")
            .bind(parent)
            .run(tx.conn())
            .await?;
        if first.resolved {
            tx.append(Stream::case_study(study.id), NewEvent::new("comment.changed", parent, Some(member)));
        }
    }
    Sql::new("INSERT INTO study_comment (id, study_id, part, parent_id, author_id, quote, body, body_html, created_at, reply_count, version) VALUES ")
        .rows([[
            id.into(),
            study.id.into(),
            part.as_str().into(),
            new.parent.into(),
            member.into(),
            new.quote.clone().into(),
            new.body.clone().into(),
            new.html.clone().into(),
            tx.now().into(),
            0.into(),
            1.into(),
        ]])
        .run(tx.conn())
        .await?;
    crate::features::people::adopt_into_study(tx, member, study.id, &new.html).await?;
    count_open(tx, study.id).await?;
    tx.append(Stream::case_study(study.id), NewEvent::new("comment.created", id, Some(member)));
    let news = News {
        study: study.id,
        what: What::Commented,
        subject: id,
        actor: member,
        mentions: mention_candidates(&new.body),
    };
    tx.enqueue("playbooks.notify", &news).await?;
    one(tx, id).await
}

/// A comment as an action finds it.
struct Found {
    part: PartKey,
    parent: Option<i64>,
    author: i64,
    resolved: bool,
    deleted: bool,
    replies: i32,
    version: i32,
}

async fn find(tx: &Tx, study: &StudyGround, id: i64) -> Result<Found> {
    let row = Sql::new("SELECT part, parent_id, author_id, resolved_at, deleted_at, reply_count, version FROM study_comment WHERE study_id = ")
        .bind(study.id)
        .then(" AND id = ")
        .bind(id)
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    Ok(Found {
        part: row.try_get::<PartKey>("", "part")?,
        parent: row.try_get("", "parent_id")?,
        author: row.try_get("", "author_id")?,
        resolved: row.try_get::<Option<i64>>("", "resolved_at")?.is_some(),
        deleted: row.try_get::<Option<i64>>("", "deleted_at")?.is_some(),
        replies: row.try_get("", "reply_count")?,
        version: row.try_get("", "version")?,
    })
}

async fn one(tx: &Tx, id: i64) -> Result<CommentView> {
    find_comment(tx.conn(), &[id]).await?.pop().map(|(_, comment)| comment).ok_or(AppError::NotFound)
}

/// Writes how many threads are open.
async fn count_open(tx: &Tx, study: i64) -> Result<()> {
    Sql::new(
        "UPDATE case_study SET open_comments = (SELECT count(*) FROM study_comment k WHERE k.study_id = case_study.id \
         AND k.parent_id IS NULL AND k.resolved_at IS NULL AND (k.deleted_at IS NULL OR k.reply_count > 0)) WHERE id = ",
    )
    .bind(study)
    .run(tx.conn())
    .await?;
    Ok(())
}

/// Changes the text of one's own comment.
pub async fn edit_comment(
    state: &AppState,
    me: &Me,
    slug: &str,
    comment: i64,
    body: &str,
    confirmed: bool,
    if_match: IfMatch,
) -> Result<CommentView> {
    let checked = checks::check(&[Text::body("body", body, MESSAGE).required()], confirmed)?;
    let [html] = render_texts(state, [checked.get("body")]).await?;
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            study.standing.read_working()?;
            let found = find(tx, &study, comment).await?;
            if found.deleted {
                return Err(AppError::NotFound);
            }
            if found.author != member {
                return Err(AppError::Forbidden("Only its author can do this.".into()));
            }
            if_match.check(found.version)?;
            Sql::new("UPDATE study_comment SET version = version + 1, edited_at = ")
                .bind(tx.now())
                .then(", body = ")
                .bind(checked.get("body"))
                .then(", body_html = ")
                .bind(html.clone())
                .then(" WHERE id = ")
                .bind(comment)
                .run(tx.conn())
                .await?;
            crate::features::people::adopt_into_study(tx, member, study.id, &html).await?;
            tx.append(Stream::case_study(study.id), NewEvent::new("comment.changed", comment, Some(member)));
            one(tx, comment).await
        })
        .await
}

/// Deletes a comment: its author, or a reviewer. One that was answered leaves a stub.
pub async fn delete_comment(state: &AppState, me: &Me, slug: &str, comment: i64) -> Result<()> {
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            study.standing.read_working()?;
            let found = find(tx, &study, comment).await?;
            if found.author != member && study.standing.review().is_err() {
                return Err(AppError::Forbidden("Only its author or a reviewer can do this.".into()));
            }
            if found.deleted {
                return Ok(());
            }
            Sql::new("UPDATE study_comment SET body = '', body_html = '', quote = '', deleted_at = ")
                .bind(tx.now())
                .then(" WHERE id = ")
                .bind(comment)
                .run(tx.conn())
                .await?;
            if let Some(parent) = found.parent.filter(|_| found.replies == 0) {
                Sql::new("UPDATE study_comment SET reply_count = reply_count - 1 WHERE id = ")
                    .bind(parent)
                    .run(tx.conn())
                    .await?;
            }
            count_open(tx, study.id).await?;
            tx.append(Stream::case_study(study.id), NewEvent::new("comment.changed", comment, Some(member)));
            Ok(())
        })
        .await
}

/// Resolves a thread (`on`), or opens it again: authors and reviewers.
pub async fn set_resolved(state: &AppState, me: &Me, slug: &str, comment: i64, on: bool) -> Result<()> {
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            study.standing.read_working()?;
            let found = find(tx, &study, comment).await?;
            if found.parent.is_some() {
                return Err(AppError::Conflict("A thread is resolved at its first comment.".into()));
            }
            if found.resolved == on {
                return Ok(());
            }
            let (at, by) = if on { (Some(tx.now()), Some(member)) } else { (None, None) };
            Sql::new("UPDATE study_comment SET resolved_at = ")
                .bind(at)
                .then(", resolved_by = ")
                .bind(by)
                .then(" WHERE id = ")
                .bind(comment)
                .run(tx.conn())
                .await?;
            count_open(tx, study.id).await?;
            tx.append(Stream::case_study(study.id), NewEvent::new("comment.changed", comment, Some(member)));
            Ok(())
        })
        .await
}
