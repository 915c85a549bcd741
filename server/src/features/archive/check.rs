//! Looks an archive through, whole, before anything of it is written.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::format::{
    BLOB_LISTS, BLOBS, DATABASE, FORMAT, HEAD, Head, Kind, LISTED, Listed, MANIFEST, MOST_HEAD, MOST_MANIFEST,
    MOST_PART, Manifest, Part, SUM, TABLES, VERSION, hex, is_key, numbered, sum_of,
};
use super::pack::{Unpacker, shown};
use super::progress::Progress;
use super::rows;
use super::tables::Table;
use super::{file_fault, format};

/// An archive that holds what it says.
#[derive(Debug)]
pub struct Checked {
    pub manifest: Manifest,
    /// SHA-256 of the manifest, hexadecimal: names the archive.
    pub id: String,
    /// SHA-256 of every file by its key: what is read later is what was checked.
    pub hashes: Hashes,
}

/// SHA-256 by key.
pub type Hashes = HashMap<String, [u8; 32]>;

/// What was seen on the way.
#[derive(Debug, Default)]
struct Seen {
    database: Option<Part>,
    tables: BTreeMap<String, format::Table>,
    files: format::Files,
    hashes: Hashes,
    /// Files that no list has named yet.
    unlisted: Vec<Listed>,
}

/// The head alone, to know what it would be loaded into.
pub fn head(path: &Path, kind: Kind) -> Result<Head, String> {
    let mut from = Unpacker::open(path)?;
    read_head(&mut from, path, kind)
}

fn read_head(from: &mut Unpacker, path: &Path, kind: Kind) -> Result<Head, String> {
    match from.next()? {
        Some((name, _)) if name == HEAD => {}
        _ => return Err(from.damaged("it does not begin with its head")),
    }
    let (bytes, _) = from.all(MOST_HEAD)?;
    let head: Head = serde_json::from_slice(&bytes).map_err(|_| from.damaged("its head cannot be read"))?;
    if head.format != FORMAT || head.version != VERSION {
        let what = format!("it is {} {}, and this program reads {FORMAT} {VERSION}", shown(&head.format), head.version);
        return Err(file_fault(path, &what));
    }
    if head.kind != kind {
        let mend = match head.kind {
            Kind::Backup => "this is a backup: put it in place with `praxis restore FILE`",
            Kind::Export => "this is an export: load it with `praxis import praxis FILE`",
        };
        return Err(file_fault(path, &mend));
    }
    Ok(head)
}

/// Reads all of it. `tables`: those of the database that it is for; of a backup none.
pub fn whole(path: &Path, kind: Kind, tables: &[Table], progress: &mut Progress) -> Result<Checked, String> {
    let mut from = Unpacker::open(path)?;
    progress.stage("checking the archive", from.left(), true);
    let head = read_head(&mut from, path, kind)?;
    let mut seen = Seen::default();
    let mut before = from.left();
    loop {
        let Some((name, size)) = from.next()? else {
            return Err(from.damaged("its manifest is missing"));
        };
        progress.advance(before.saturating_sub(from.left()));
        before = from.left();
        if name == MANIFEST {
            break;
        }
        if let Some(key) = name.strip_prefix(BLOBS) {
            file(&mut from, key, size, &mut seen)?;
        } else if name.starts_with(BLOB_LISTS) {
            file_list(&mut from, &name, size, &mut seen)?;
        } else if name.starts_with(TABLES) && kind == Kind::Export {
            table_part(&mut from, &name, size, tables, &mut seen)?;
        } else if name == DATABASE && kind == Kind::Backup && seen.database.is_none() {
            let sha256 = hex(&hash(&mut from)?);
            seen.database = Some(Part { name, size, sha256, rows: 0 });
        } else {
            return Err(from.damaged(&format!("it holds {}", shown(&name))));
        }
    }
    let (bytes, id) = from.all(MOST_MANIFEST)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|_| from.damaged("its manifest cannot be read"))?;
    if from.next()?.is_none_or(|(name, _)| name != SUM) || from.all(MOST_HEAD)?.0 != sum_of(&id).into_bytes() {
        return Err(from.damaged("its manifest does not fit its sum"));
    }
    if from.next()?.is_some() {
        return Err(from.damaged("something follows its end"));
    }
    if !seen.unlisted.is_empty() {
        return Err(from.damaged("files are in no list"));
    }
    if manifest.head != head {
        return Err(from.damaged("head and manifest differ"));
    }
    agree(&manifest, &seen, &from)?;
    if kind == Kind::Backup && seen.database.is_none() {
        return Err(from.damaged("there is no database in it"));
    }
    if let Some(table) = tables.iter().find(|table| !manifest.tables.contains_key(&table.name)) {
        return Err(from.damaged(&format!("the table {} is missing", table.name)));
    }
    Ok(Checked { manifest, id, hashes: seen.hashes })
}

/// What was read is what the manifest says.
fn agree(manifest: &Manifest, seen: &Seen, from: &Unpacker) -> Result<(), String> {
    if manifest.database != seen.database {
        return Err(from.damaged("the database is not as the manifest says"));
    }
    if manifest.files != seen.files {
        return Err(from.damaged("the files are not as the manifest says"));
    }
    for (name, table) in &manifest.tables {
        // Of an empty table there is no part.
        let parts = seen.tables.get(name).map(|table| table.parts.as_slice()).unwrap_or_default();
        let rows: u64 = parts.iter().map(|part| part.rows).sum();
        if table.parts != parts || table.rows != rows {
            return Err(from.damaged(&format!("the table {} is not as the manifest says", shown(name))));
        }
    }
    if let Some(name) = seen.tables.keys().find(|name| !manifest.tables.contains_key(*name)) {
        return Err(from.damaged(&format!("the manifest does not know the table {name}")));
    }
    Ok(())
}

fn hash(from: &mut Unpacker) -> Result<[u8; 32], String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}

fn file(from: &mut Unpacker, key: &str, size: u64, seen: &mut Seen) -> Result<(), String> {
    if !is_key(key) {
        return Err(from.damaged(&format!("a file is called {}", shown(key))));
    }
    if seen.unlisted.len() >= LISTED {
        return Err(from.damaged("files are in no list"));
    }
    let hash = hash(from)?;
    if seen.hashes.insert(key.to_owned(), hash).is_some() {
        return Err(from.damaged(&format!("the file {} is there twice", shown(key))));
    }
    seen.files.count += 1;
    seen.files.bytes += size;
    seen.unlisted.push(Listed { key: key.to_owned(), size, sha256: hex(&hash) });
    Ok(())
}

fn file_list(from: &mut Unpacker, name: &str, size: u64, seen: &mut Seen) -> Result<(), String> {
    if name != numbered(BLOB_LISTS, seen.files.lists.len() + 1) {
        return Err(from.damaged(&format!("{} is out of order", shown(name))));
    }
    let (bytes, sha256) = from.all(MOST_PART)?;
    let listed: Result<Vec<Listed>, _> = lines(&bytes).map(serde_json::from_slice).collect();
    if listed.ok().as_ref() != Some(&seen.unlisted) {
        return Err(from.damaged("files are not as their list says"));
    }
    let rows = seen.unlisted.len() as u64;
    seen.unlisted.clear();
    seen.files.lists.push(Part { name: name.to_owned(), size, sha256, rows });
    Ok(())
}

fn table_part(from: &mut Unpacker, name: &str, size: u64, tables: &[Table], seen: &mut Seen) -> Result<(), String> {
    let inside = name.strip_prefix(TABLES).and_then(|rest| rest.split_once('/'));
    let Some(table) = inside.and_then(|(table, _)| tables.iter().find(|known| known.name == table)) else {
        return Err(from.damaged(&format!("it holds {}", shown(name))));
    };
    let entry = seen.tables.entry(table.name.clone()).or_default();
    if name != numbered(&format!("{TABLES}{}/", table.name), entry.parts.len() + 1) {
        return Err(from.damaged(&format!("{} is out of order", shown(name))));
    }
    let (bytes, sha256) = from.all(MOST_PART)?;
    let mut count = 0;
    for line in lines(&bytes) {
        count += 1;
        let checked =
            std::str::from_utf8(line).map_err(|error| error.to_string()).and_then(|line| rows::check(table, line));
        if let Err(why) = checked {
            return Err(from.damaged(&format!("{} line {count}: {}", shown(name), shown(&why))));
        }
    }
    entry.parts.push(Part { name: name.to_owned(), size, sha256, rows: count });
    Ok(())
}

/// Lines, each of which ends; what follows the last end would be a line that is no row.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n').filter(move |_| !bytes.is_empty())
}
