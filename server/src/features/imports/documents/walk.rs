//! The files below a folder, in a stable order.

use std::fs;
use std::path::{Path, PathBuf};

use crate::entities::kinds::ResourceKind;

/// Folders inside each other, and files in all.
const DEEPEST: usize = 32;
const MOST: usize = 100_000;

/// A file to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub full: PathBuf,
    /// Below the folder, with slashes.
    pub path: String,
    pub size: u64,
}

/// All files of a folder but hidden ones. What leads elsewhere is not followed. Errors are one line.
pub fn files(folder: &Path) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    if folder.is_file() {
        return Err(format!("{} is a file; name the folder with the documents", folder.display()));
    }
    gather(folder, folder, 0, &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn gather(root: &Path, folder: &Path, depth: usize, found: &mut Vec<Found>) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("{} lies too deep below the folder", folder.display()));
    }
    let fault = |error: std::io::Error| format!("{} cannot be read ({error})", folder.display());
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_dir() {
            gather(root, &entry.path(), depth + 1, found)?;
        } else if kind.is_file() {
            let full = entry.path();
            let below = full.strip_prefix(root).unwrap_or(&full);
            let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            let size = entry.metadata().map_err(fault)?.len();
            found.push(Found { path: parts.join("/"), full, size });
            if found.len() > MOST {
                return Err(format!("the folder has more than {MOST} files; import its parts one by one"));
            }
        }
    }
    Ok(())
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

/// Whether a name says that a text is Markdown.
#[must_use]
pub fn is_markdown(path: &Path) -> bool {
    matches!(ending(path).as_str(), "md" | "mdx" | "markdown")
}

/// What kind of resource a file is, where its ending leaves no doubt.
#[must_use]
pub fn kind_of(path: &Path) -> Option<ResourceKind> {
    Some(match ending(path).as_str() {
        "csv" | "tsv" | "parquet" => ResourceKind::Dataset,
        "pptx" | "ppt" | "odp" => ResourceKind::Slides,
        "mp4" | "webm" | "mov" => ResourceKind::Video,
        "py" | "r" | "ipynb" | "sql" => ResourceKind::Code,
        _ => return None,
    })
}
