//! The file itself: a plain tar (POSIX ustar) of regular files, written and read piece by piece.
//! It is not compressed, so no entry can grow: what it says of its size is checked against the file.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::file_fault;
use super::format::{HEAD, Head, MANIFEST, Manifest, Part, SUM, hex, sum_of};
use super::scratch::{self, Scratch};
use crate::ports::clock::{Clock, SECOND};

const BLOCK: u64 = 512;

/// Writes an archive beside its place and moves it there at the end. Dropped before, it leaves
/// nothing.
#[derive(Debug)]
pub struct Packer {
    out: BufWriter<File>,
    to: PathBuf,
    /// What is written so far.
    part: Scratch,
    at: u64,
    now: i64,
    entry: Option<(String, u64, u64, Sha256)>,
}

impl Packer {
    /// Begins an archive; a file of that name is not replaced.
    pub fn create(to: &Path, head: &Head) -> Result<Self, String> {
        if to.exists() {
            return Err(file_fault(to, &"there is such a file already; choose another name"));
        }
        scratch::sweep(to);
        let (part, file) = Scratch::make(to)?;
        let mut packer = Self {
            out: BufWriter::with_capacity(1 << 20, file),
            to: to.to_owned(),
            part,
            at: 0,
            now: Clock::default().now() / SECOND,
            entry: None,
        };
        let bytes = serde_json::to_vec_pretty(head).map_err(|error| file_fault(to, &error))?;
        packer.whole_entry(HEAD, &bytes)?;
        Ok(packer)
    }

    /// One entry whose bytes are at hand.
    pub fn whole_entry(&mut self, name: &str, bytes: &[u8]) -> Result<Part, String> {
        self.begin(name, bytes.len() as u64)?;
        self.bytes(bytes)?;
        self.end()
    }

    /// Begins an entry of so many bytes.
    pub fn begin(&mut self, name: &str, size: u64) -> Result<(), String> {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).map_err(|error| file_fault(&self.to, &error))?;
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(self.now).unwrap_or(0));
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        self.write(header.as_bytes())?;
        self.entry = Some((name.to_owned(), size, size, Sha256::new()));
        Ok(())
    }

    /// The next bytes of the entry.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        if let Some((name, _, left, hash)) = &mut self.entry {
            let Some(rest) = left.checked_sub(bytes.len() as u64) else {
                return Err(format!("{name} became longer while it was read; run the command again"));
            };
            *left = rest;
            hash.update(bytes);
        }
        self.write(bytes)
    }

    pub fn end(&mut self) -> Result<Part, String> {
        let Some((name, size, left, hash)) = self.entry.take() else {
            return Err(file_fault(&self.to, &"no entry was begun"));
        };
        if left > 0 {
            return Err(format!("{name} became shorter while it was read; run the command again"));
        }
        let padding = (BLOCK - self.at % BLOCK) % BLOCK;
        let padding = usize::try_from(padding).unwrap_or(0);
        self.write([0; BLOCK as usize].get(..padding).unwrap_or_default())?;
        Ok(Part { name, size, sha256: hex(&hash.finalize()), rows: 0 })
    }

    /// Writes the manifest, and gives the file its name. Returns its size, bytes.
    pub fn finish(mut self, manifest: &Manifest) -> Result<u64, String> {
        let bytes = serde_json::to_vec_pretty(manifest).map_err(|error| file_fault(&self.to, &error))?;
        let written = self.whole_entry(MANIFEST, &bytes)?;
        self.whole_entry(SUM, sum_of(&written.sha256).as_bytes())?;
        self.write(&[0; 2 * BLOCK as usize])?;
        let fault = |error: std::io::Error| file_fault(&self.to, &error);
        self.out.flush().map_err(fault)?;
        self.out.get_ref().sync_all().map_err(fault)?;
        self.part.keep(&self.to).map_err(fault)?;
        if let Some(dir) = self.to.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(fault)?;
        }
        Ok(self.at)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|error| file_fault(&self.to, &error))
    }
}

/// Reads an archive from its beginning to its end.
#[derive(Debug)]
pub struct Unpacker {
    from: BufReader<File>,
    path: PathBuf,
    /// Bytes of the file that were not read yet.
    left: u64,
    /// Bytes of the entry that were not read yet, and those that fill its last block.
    entry: u64,
    padding: u64,
}

impl Unpacker {
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| file_fault(path, &error))?;
        let about = file.metadata().map_err(|error| file_fault(path, &error))?;
        if !about.is_file() {
            return Err(file_fault(path, &"this is no file"));
        }
        let from = BufReader::with_capacity(1 << 20, file);
        Ok(Self { from, path: path.to_owned(), left: about.len(), entry: 0, padding: 0 })
    }

    /// Bytes of the file that were not read yet.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// A line about damage.
    #[must_use]
    pub fn damaged(&self, what: &str) -> String {
        file_fault(&self.path, &format!("the archive is damaged or not ours ({what}); nothing was written"))
    }

    /// Name and size of the next entry, after what is left of this one; `None` at the end.
    pub fn next(&mut self) -> Result<Option<(String, u64)>, String> {
        let mut buffer = vec![0; 64 << 10];
        while self.read(&mut buffer)? > 0 {}
        let mut block = [0; BLOCK as usize];
        let padding = usize::try_from(self.padding).unwrap_or(0);
        self.exactly(padding)?;
        self.padding = 0;
        self.fill(&mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            self.fill(&mut block)?;
            if self.left > 0 || block.iter().any(|byte| *byte != 0) {
                return Err(self.damaged("something follows its end"));
            }
            return Ok(None);
        }
        let header = tar::Header::from_byte_slice(&block);
        let sum: u32 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
            .sum();
        // The sum is not in the sum: it is looked at as it is written, too.
        let mut written = header.clone();
        written.set_cksum();
        if header.cksum().ok() != Some(sum) || written.as_bytes() != header.as_bytes() {
            return Err(self.damaged("a header does not fit its sum"));
        }
        if header.entry_type() != tar::EntryType::Regular {
            return Err(self.damaged("an entry is no regular file"));
        }
        let name =
            String::from_utf8(header.path_bytes().into_owned()).map_err(|_| self.damaged("a name is no text"))?;
        let size = header.size().map_err(|_| self.damaged("an entry has no size"))?;
        if size > self.left {
            return Err(self.damaged(&format!("{} is longer than the file", shown(&name))));
        }
        self.entry = size;
        self.padding = (BLOCK - size % BLOCK) % BLOCK;
        Ok(Some((name, size)))
    }

    /// Reads some bytes of the entry; 0 at its end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        let most = usize::try_from(self.entry).unwrap_or(usize::MAX).min(buffer.len());
        let part = buffer.get_mut(..most).unwrap_or_default();
        let read = self.from.read(part).map_err(|error| file_fault(&self.path, &error))?;
        if read == 0 && most > 0 {
            return Err(self.damaged("it ends too early"));
        }
        self.entry -= read as u64;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }

    /// The entry's bytes at once, with their hash.
    pub fn all(&mut self, most: u64) -> Result<(Vec<u8>, String), String> {
        if self.entry > most {
            return Err(self.damaged("an entry is larger than any of its kind"));
        }
        let mut bytes = vec![0; usize::try_from(self.entry).unwrap_or(0)];
        let mut at = 0;
        while at < bytes.len() {
            at += self.read(bytes.get_mut(at..).unwrap_or_default())?;
        }
        let hash = hex(&Sha256::digest(&bytes));
        Ok((bytes, hash))
    }

    fn fill(&mut self, block: &mut [u8]) -> Result<(), String> {
        self.from.read_exact(block).map_err(|_| self.damaged("it ends too early"))?;
        self.left = self.left.saturating_sub(block.len() as u64);
        Ok(())
    }

    fn exactly(&mut self, count: usize) -> Result<(), String> {
        let mut padding = [0; BLOCK as usize];
        self.fill(padding.get_mut(..count).unwrap_or_default())?;
        if padding.iter().any(|byte| *byte != 0) {
            Err(self.damaged("its blocks are not filled with nothing"))
        } else {
            Ok(())
        }
    }
}

/// A name for a message: whatever it holds, it is one short line.
#[must_use]
pub fn shown(name: &str) -> String {
    name.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect()
}
