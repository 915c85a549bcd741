//! Where pages and what lies beside them come from: a folder, or a ZIP archive of one.
//!
//! Invariant: nothing outside of it is ever read. Links of a folder are not followed, names of an
//! archive lead nowhere, and what an archive unpacks to is counted.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use zip::ZipArchive;

use crate::features::library::MOST_ALL;
use crate::locks::locked;

/// Files of one run.
const MOST_FILES: usize = 40_000;
/// Folders below the first.
const DEEPEST: usize = 20;

/// A folder or an archive; cheap to clone.
#[derive(Clone, Debug)]
pub enum Source {
    Folder(PathBuf),
    Archive(Arc<Mutex<Packed>>),
}

/// An archive that is read.
#[derive(Debug)]
pub struct Packed {
    archive: ZipArchive<File>,
    /// The one folder that everything in it is in, with its slash; often empty.
    under: String,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl Source {
    /// A folder, or an archive by its first bytes. Errors are one line for the operator. Slow.
    pub fn open(path: &Path) -> Result<Self, String> {
        let fault = |error: std::io::Error| format!("{} cannot be read ({error})", path.display());
        if std::fs::metadata(path).map_err(fault)?.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let mut file = File::open(path).map_err(fault)?;
        let mut start = [0; 4];
        if file.read_exact(&mut start).is_err() || !matches!(&start, b"PK\x03\x04" | b"PK\x05\x06") {
            return Err(format!("{} is no folder and no ZIP archive", path.display()));
        }
        file.rewind().map_err(fault)?;
        let archive =
            ZipArchive::new(file).map_err(|_| format!("{} is damaged: it cannot be unpacked", path.display()))?;
        if archive.len() > MOST_FILES {
            return Err(format!("there are more than {MOST_FILES} files in {}", path.display()));
        }
        let mut packed = Packed { archive, under: String::new(), left: MOST_ALL };
        packed.under = packed.top()?;
        Ok(Self::Archive(Arc::new(Mutex::new(packed))))
    }

    /// The names of all files with their bytes, in the order of their names. Slow.
    pub fn files(&self) -> Result<Vec<(String, u64)>, String> {
        let mut found = match self {
            Self::Folder(folder) => walk(folder)?,
            Self::Archive(packed) => locked(packed).files()?,
        };
        found.sort();
        Ok(found)
    }

    /// A file of at most so many bytes by its name; `None` if it is not there. Slow.
    pub fn read(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, String> {
        match self {
            Self::Folder(folder) => read(folder, name, most),
            Self::Archive(packed) => locked(packed).read(name, most),
        }
    }
}

fn too_large(most: u64) -> String {
    format!("it has more than {} MB", most >> 20)
}

fn walk(folder: &Path) -> Result<Vec<(String, u64)>, String> {
    let fault = |path: &Path, error: std::io::Error| format!("{} cannot be read ({error})", path.display());
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((at, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&at).map_err(|error| fault(&at, error))? {
            let entry = entry.map_err(|error| fault(&at, error))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(|error| fault(&at, error))?);
            if kind.is_dir() && depth < DEEPEST && !entry.file_name().to_string_lossy().starts_with('.') {
                folders.push((path, depth + 1));
            } else if kind.is_file() {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                found.push((name, entry.metadata().map_or(0, |data| data.len())));
                if found.len() > MOST_FILES {
                    return Err(format!("there are more than {MOST_FILES} files in {}", folder.display()));
                }
            }
        }
    }
    Ok(found)
}

fn read(folder: &Path, name: &str, most: u64) -> Result<Option<Vec<u8>>, String> {
    let mut path = folder.to_path_buf();
    for part in name.split('/') {
        if part.is_empty() || part == "." || part == ".." {
            return Ok(None);
        }
        path.push(part);
        // A link could lead out of the folder.
        match std::fs::symlink_metadata(&path) {
            Ok(data) if !data.file_type().is_symlink() => {}
            _ => return Ok(None),
        }
    }
    let file = match File::open(&path) {
        Ok(file) if file.metadata().is_ok_and(|data| data.is_file()) => file,
        _ => return Ok(None),
    };
    let mut bytes = Vec::new();
    let read = file.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("it cannot be read ({error})"))?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(Some(bytes)) }
}

impl Packed {
    /// A name as it is used: without the folder that everything is in; `None` for folders and for
    /// names that lead out of the archive.
    fn name_of(&mut self, at: usize) -> Option<(String, u64)> {
        let file = self.archive.by_index(at).ok()?;
        if !file.is_file() || file.enclosed_name().is_none() {
            return None;
        }
        let name = file.name().ok()?.replace('\\', "/");
        let hidden = name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
        (!hidden).then(|| (name, file.size()))
    }

    fn top(&mut self) -> Result<String, String> {
        let names: Vec<String> =
            (0..self.archive.len()).filter_map(|at| self.name_of(at)).map(|(name, _)| name).collect();
        let Some(top) = names.first().and_then(|name| name.split_once('/')).map(|(top, _)| format!("{top}/")) else {
            return Ok(String::new());
        };
        // The parts of an export stay where they are.
        let one = names.iter().all(|name| name.starts_with(&top)) && top != "studies/" && top != "figures/";
        Ok(if one { top } else { String::new() })
    }

    fn files(&mut self) -> Result<Vec<(String, u64)>, String> {
        let under = self.under.clone();
        Ok((0..self.archive.len())
            .filter_map(|at| self.name_of(at))
            .filter_map(|(name, size)| Some((name.strip_prefix(under.as_str())?.to_owned(), size)))
            .collect())
    }

    fn read(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>, String> {
        let Ok(file) = self.archive.by_name(&format!("{}{name}", self.under)) else { return Ok(None) };
        if file.encrypted() {
            return Err("it is locked with a password".to_owned());
        }
        // What a file says of its size is its own word: bytes are counted as they come.
        let mut bytes = Vec::new();
        let read = file.take(most.min(self.left) + 1).read_to_end(&mut bytes);
        read.map_err(|_| "it is damaged".to_owned())?;
        let size = bytes.len() as u64;
        if size > most {
            return Err(too_large(most));
        }
        if size > self.left {
            return Err(format!("the archive unpacks to more than {} MB", MOST_ALL >> 20));
        }
        self.left -= size;
        Ok(Some(bytes))
    }
}

/// The name of a file that a page links to; `None` for addresses elsewhere, and for those that
/// lead out of the folder.
#[must_use]
pub fn beside(page: &str, address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    if path.is_empty() || path.starts_with(['/', '\\']) || path.contains("://") || path.starts_with("data:") {
        return None;
    }
    let path: String = percent_encoding(path)?;
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part if part.contains(['\\', '\0']) => return None,
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// `%20` and its like as the characters they stand for.
fn percent_encoding(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let code = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&code).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn names_beside_a_page() {
        assert_eq!(beside("a/b.md", "images/x%20y.png").as_deref(), Some("a/images/x y.png"));
        assert_eq!(beside("a/b.md", "../figures/x.png#1").as_deref(), Some("figures/x.png"));
        assert_eq!(beside("b.md", "./x.png").as_deref(), Some("x.png"));
        for out in ["../x.png", "/etc/passwd", "https://x.example/a.png", "a/../../../x", "", "%zz", "..\\x"] {
            assert_eq!(beside("b.md", out), None, "{out}");
        }
    }
}
