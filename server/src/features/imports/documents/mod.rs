//! A folder of documents: each file becomes a resource of a library.
//!
//! Invariants: a file is known by its path below the folder; one that is there already is not added
//! again, one that has changed becomes a new version, and what its front matter says anew is taken.
//! Two folders of one name are two. Markdown that fits becomes a note, which is read in the page;
//! everything else stays the file it is.

mod front;
mod source;
mod texts;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream;

use super::report::{Progress, Report, stopped};
use super::{refs, space};
use crate::app::AppState;
use crate::entities::kinds::ResourceForm;
use crate::features::library::actions::{
    self, Content, Fields, NewResource, NewVersionOf, insert_resource, keeping, prepare_import,
};
use crate::features::library::files::{self, Received};
use crate::features::library::policy::title_of;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::checks::BODY;
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::words::english;
use front::Front;
use walk::Found;

/// What to import, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    pub folder: PathBuf,
    /// Slug of the space; made, open, if it is missing.
    pub space: String,
    /// Handle of who shares it all; the first administrator if not said.
    pub owner: Option<String>,
    /// Nothing is printed.
    pub quiet: bool,
}

struct Run {
    state: AppState,
    /// Tells this folder's rows from those of others, in `import_ref`.
    source: String,
    space: i64,
    owner: i64,
    progress: Arc<Progress>,
}

/// Imports a folder. Errors are one line for the operator.
pub async fn import(state: &AppState, options: &Options) -> Result<Report, String> {
    let folder = options.folder.canonicalize().map_err(|error| {
        format!("{} cannot be read ({error}); name the folder with the documents", options.folder.display())
    })?;
    let goal = space::look(state, &options.space, options.owner.as_deref()).await?;
    let owner = space::owner(state, options.owner.as_deref()).await?;
    let walked = {
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || walk::files(&folder))
            .await
            .map_err(|_| "the folder could not be read")??
    };
    let progress = Arc::new(Progress::new(walked.iter().map(|found| found.size).sum(), options.quiet));
    progress.count(|report| report.documents = true);
    let space = space::make(state, goal, english().t("demo.import.from_documents")).await?;
    let source = source::of(state, space, &folder).await.map_err(|error| stopped(&error))?;
    let run = Run { state: state.clone(), source, space, owner, progress };
    run.progress.stage("documents");
    let done = all(&run, walked).await;
    let done = match done {
        Ok(()) => texts::tell(&run).await,
        stopped => stopped,
    };
    let report = run.progress.finish();
    done.map(|()| report).map_err(|error| stopped(&error))
}

async fn all(run: &Run, found: Vec<Found>) -> Result<()> {
    for chunk in found.chunks(refs::CHUNK) {
        let paths: Vec<String> = chunk.iter().map(|found| found.path.clone()).collect();
        let db = run.state.store.read();
        let known = refs::known(db, &run.source, refs::RESOURCE, &paths).await?;
        let said = refs::known(db, &run.source, refs::FIELDS, &paths).await?;
        for file in chunk {
            let known = known.get(&file.path).map(|id| Known { id: *id, fields: said.get(&file.path).copied() });
            match one(run, file, known).await {
                Ok(()) => {}
                // What is wrong with one file is no reason to leave the others.
                Err(
                    error @ (AppError::Invalid(_)
                    | AppError::TooLarge(_)
                    | AppError::UnsupportedType(_)
                    | AppError::BadRequest(_)
                    | AppError::Conflict(_)
                    // Whoever shared it may no longer change it, or it is gone meanwhile.
                    | AppError::Forbidden(_)
                    | AppError::NotFound),
                ) => run.progress.broken(&file.path, 1, &reason(&error)),
                Err(error) => return Err(error),
            }
            run.progress.advance(file.size);
        }
    }
    let space = run.space;
    // Caches of running servers fall.
    run.state
        .store
        .write(async move |tx| {
            tx.append(Stream::space(space), NewEvent::new("space.changed", space, None));
            tx.append(Stream::HUB, NewEvent::new("hub.changed", space, None));
            Ok(())
        })
        .await
}

/// What an earlier run made of a file.
struct Known {
    id: i64,
    /// What it said of itself then.
    fields: Option<i64>,
}

fn reason(error: &AppError) -> String {
    match error {
        AppError::Invalid(faults) => {
            let said: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect();
            said.join("; ")
        }
        other => other.to_string(),
    }
}

/// One file: added, known, or a new version of what it was.
async fn one(run: &Run, found: &Found, known: Option<Known>) -> Result<()> {
    if found.size == 0 {
        run.progress.count(|report| report.skipped += 1);
        return Ok(());
    }
    let (fields, content) = read(run, found).await?;
    match known {
        Some(known) => again(run, found, &known, &fields, content).await,
        None => add(run, found, fields, content).await,
    }
}

/// What a file says of itself, and what becomes of it.
async fn read(run: &Run, found: &Found) -> Result<(Fields, Content)> {
    let name = found.full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let markdown = walk::is_markdown(&found.full) && found.size <= 4 * BODY as u64;
    if markdown && let Ok(text) = tokio::fs::read_to_string(&found.full).await {
        let front = Front::of(&text);
        let fields = front.fields(&title_of(&name));
        let body = front.body();
        if !body.trim().is_empty() && body.chars().count() <= BODY {
            return Ok((fields, Content::Note(body)));
        }
        return Ok((fields, Content::File(receive(run, &found.full, &name).await?)));
    }
    let kind = walk::kind_of(&found.full).map(|kind| kind.as_str().to_owned());
    let fields = Fields { title: Some(title_of(&name)), kind, ..Fields::default() };
    Ok((fields, Content::File(receive(run, &found.full, &name).await?)))
}

async fn receive(run: &Run, path: &Path, name: &str) -> Result<Received> {
    use tokio::io::AsyncReadExt as _;
    let file = tokio::fs::File::open(path).await?;
    let pieces = stream::try_unfold(file, async |mut file: tokio::fs::File| {
        let mut piece = vec![0; 256 << 10];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, AppError>((read > 0).then(|| (bytes::Bytes::from(piece), file)))
    });
    let received = files::receive(&run.state, name, i64::MAX, std::pin::pin!(pieces)).await?;
    received.ok_or_else(|| AppError::field("file", "is empty"))
}

async fn add(run: &Run, found: &Found, fields: Fields, content: Content) -> Result<()> {
    let (owner, space, source, path) = (run.owner, run.space, run.source.clone(), found.path.clone());
    let file = if let Content::File(file) = &content { Some(file.clone()) } else { None };
    let said = source::number_of(&fields);
    let new = NewResource { fields, content };
    keeping(&run.state, file.as_ref(), async |kept| {
        let prepared = prepare_import(&run.state, space, &new).await?;
        run.state
            .store
            .write(async move |tx| {
                let id = insert_resource(tx, owner, space, &prepared, &kept).await?;
                refs::keep(tx, &source, &[(refs::RESOURCE, path.clone(), id)]).await?;
                refs::replace(tx, &source, refs::FIELDS, &path, said).await
            })
            .await
    })
    .await?;
    run.progress.count(|report| report.resources += 1);
    Ok(())
}

/// A file that an earlier run added: nothing, or a new version if it has changed; and what it says of
/// itself, if that has.
async fn again(run: &Run, found: &Found, known: &Known, fields: &Fields, content: Content) -> Result<()> {
    let drop_file = async || {
        if let Content::File(file) = &content {
            files::release(&run.state, file).await;
        }
        Ok(())
    };
    let id = known.id;
    let row = Sql::new(
        "SELECT r.form, r.author_id, r.deleted_at, r.hidden_at, r.purged_at, v.sha256, v.body FROM resource r \
         JOIN resource_version v ON v.id = r.version_id WHERE r.id = ",
    )
    .bind(id)
    .one(run.state.store.read())
    .await?;
    let Some(row) = row else { return drop_file().await };
    let author: i64 = row.try_get("", "author_id")?;
    let gone = ["deleted_at", "hidden_at", "purged_at"]
        .iter()
        .any(|name| row.try_get::<Option<i64>>("", name).is_ok_and(|at| at.is_some()));
    let same = match (&content, row.try_get::<ResourceForm>("", "form")?) {
        (Content::File(file), ResourceForm::File) => {
            row.try_get::<Option<String>>("", "sha256")?.as_ref() == Some(&file.sha256)
        }
        (Content::Note(body), ResourceForm::Note) => {
            let (kept, _) = super::texts::fitting(body, BODY);
            row.try_get::<Option<String>>("", "body")?.is_some_and(|there| there == kept)
        }
        // It has become something else; what is there stays.
        _ => true,
    };
    let said = source::number_of(fields);
    // What was changed here stays as long as the file says what it said before.
    let told = !gone && known.fields.is_some_and(|before| before != said);
    if gone || same {
        drop_file().await?;
    } else {
        let new =
            NewVersionOf { resource: id, content, note: String::new(), confirmed: true, if_match: IfMatch::default() };
        actions::add_version_as(&run.state, author, &new).await?;
    }
    if told {
        actions::edit_as(&run.state, author, id, fields, None, IfMatch::default()).await?;
    }
    if !gone && known.fields != Some(said) {
        let (source, path) = (run.source.clone(), found.path.clone());
        let keep = async move |tx: &mut Tx| refs::replace(tx, &source, refs::FIELDS, &path, said).await;
        run.state.store.write(keep).await?;
    }
    run.progress.count(|report| if (gone || same) && !told { report.known += 1 } else { report.changed += 1 });
    Ok(())
}
