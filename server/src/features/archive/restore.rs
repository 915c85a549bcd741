//! `praxis restore FILE`: a backup becomes the hub of a data directory.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;

use praxis_migration::{Migrator, MigratorTrait as _};
use sha2::{Digest as _, Sha256};

use super::backup::open;
use super::check::{self, Checked};
use super::format::{BLOBS, DATABASE, Kind, hex};
use super::pack::Unpacker;
use super::progress::Progress;
use super::scratch::with;
use super::{blobs, database_fault, file_fault, open_blobs};
use crate::app::secrets::random_token;
use crate::app::{Config, private, serving};
use crate::ports::blobs::Blobs;
use crate::store::Sql;

/// Puts the backup in place; returns what it says at the end. `replace`: over a hub that is there.
pub async fn restore(config: &Config, from: &Path, replace: bool) -> Result<String, String> {
    let Some(database) = config.embedded() else {
        return Err("a backup is for the embedded database; unset PRAXIS_DATABASE_URL, or load an export with \
                    `praxis import praxis FILE`"
            .into());
    };
    let mut progress = Progress::new();
    let head = check::head(from, Kind::Backup)?;
    let ours: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    if !ours.starts_with(&head.schema) {
        return Err(file_fault(from, &"the backup is of a newer program; upgrade this one first"));
    }
    let checked = check::whole(from, Kind::Backup, &[], &mut progress)?;
    private::make_dir(&config.data_dir)
        .map_err(|error| format!("PRAXIS_DATA_DIR: {} cannot be used ({error})", config.data_dir.display()))?;
    let _alone = serving::alone(config)?;
    if database.exists() && !replace {
        let what = "there is a hub already; say --replace to put the backup in its place";
        return Err(format!("PRAXIS_DATA_DIR: {}: {what}", config.data_dir.display()));
    }
    let files = open_blobs(config)?;
    if !replace && !blobs::is_empty(&files).await? {
        return Err(format!(
            "PRAXIS_STORAGE_URL: {} holds files already; say --replace to put those of the backup in their place",
            config.storage
        ));
    }
    let done = put_in_place(&database, &files, from, &checked, &mut progress).await;
    progress.finish();
    done.map_err(|line| format!("{line}; the hub is not complete yet: mend that and run the same command again"))
}

async fn put_in_place(
    database: &Path,
    files: &Blobs,
    from: &Path,
    checked: &Checked,
    progress: &mut Progress,
) -> Result<String, String> {
    let new = with(database, ".restoring");
    let mut kept = HashSet::new();
    let mut entries = Unpacker::open(from)?;
    let whole = entries.left();
    progress.stage("restoring", whole, true);
    while let Some((name, _)) = entries.next()? {
        if name == DATABASE {
            let hash = unpack(&mut entries, &new, progress)?;
            if checked.manifest.database.as_ref().is_none_or(|part| part.sha256 != hash) {
                return Err(entries.damaged("it changed while it was read"));
            }
        } else if let Some(key) = name.strip_prefix(BLOBS) {
            blobs::unpack(files, key, &checked.hashes, &mut entries, progress).await?;
            kept.insert(key.to_owned());
        }
    }
    make_ready(&new).await?;
    let fault = |error: std::io::Error| file_fault(database, &error);
    for ending in ["-wal", "-shm", "-journal"] {
        for of in [database, new.as_path()] {
            gone(&with(of, ending)).map_err(fault)?;
        }
    }
    std::fs::rename(&new, database).map_err(fault)?;
    if let Some(dir) = database.parent() {
        std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(fault)?;
    }
    let removed = blobs::remove_others(files, &kept).await?;
    let others = if removed > 0 { format!(", {removed} other files removed") } else { String::new() };
    Ok(format!("the hub as of {}: {} files{others}; members sign in again", checked.manifest.head.made_at, kept.len()))
}

fn unpack(entries: &mut Unpacker, to: &Path, progress: &mut Progress) -> Result<String, String> {
    let fault = |error: std::io::Error| file_fault(to, &error);
    for ending in ["", "-wal", "-shm", "-journal"] {
        gone(&with(to, ending)).map_err(fault)?;
    }
    private::make_file(to).map_err(fault)?;
    let mut file = std::fs::File::options().write(true).open(to).map_err(fault)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = entries.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        let part = buffer.get(..read).unwrap_or_default();
        hash.update(part);
        file.write_all(part).map_err(fault)?;
        progress.advance(read as u64);
    }
    file.sync_all().map_err(fault)?;
    Ok(hex(&hash.finalize()))
}

/// A database that is sound, and whose history says that it was rewound.
async fn make_ready(new: &Path) -> Result<(), String> {
    let db = open(new, false).await?;
    let sound = Sql::new("PRAGMA quick_check").one(&db).await;
    let sound = sound.ok().flatten().and_then(|row| row.try_get_by_index::<String>(0).ok());
    if sound.as_deref() != Some("ok") {
        return Err(database_fault(&"the database of the backup is damaged"));
    }
    let epoch: String = random_token().chars().take(12).collect();
    let renamed = Sql::new("UPDATE setting SET value = ").bind(epoch).then(" WHERE key = 'epoch'").run(&db).await;
    renamed.map_err(|error| database_fault(&error))?;
    db.close().await.map_err(|error| database_fault(&error))
}

fn gone(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
