//! The hub's secret and what is derived from it.

use std::io::ErrorKind;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

use super::private::write_new;

/// Keys for one purpose each, derived from one secret (HMAC-SHA-256 of a label).
#[derive(Clone)]
pub struct Secrets {
    root: Vec<u8>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// The configured secret, else the one in the data directory, else a new one there (0600).
    pub fn load(configured: Option<&str>, data_dir: &Path) -> Result<Self, String> {
        if let Some(secret) = configured {
            return Ok(Self { root: secret.as_bytes().to_vec() });
        }
        let path = data_dir.join("secret.key");
        let fault = |error: std::io::Error| format!("PRAXIS_DATA_DIR: {} cannot be used ({error})", path.display());
        let read = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_key(&path).map_err(fault)?;
                // Another process may have been first; the file is the truth.
                std::fs::read(&path)
            }
            read => read,
        };
        let root = read.map_err(fault)?;
        if root.len() < 32 {
            return Err(format!("PRAXIS_DATA_DIR: {} is damaged; restore it or set PRAXIS_SECRET_KEY", path.display()));
        }
        Ok(Self { root })
    }

    /// 32 bytes for a purpose.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update([0u8]);
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.root) else {
            // HMAC takes a key of any length; a digest of the secret stands in if that changes.
            digest.update(&self.root);
            digest.update(label.as_bytes());
            return digest.finalize().into();
        };
        mac.update(label.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// A text that only this hub can make for this label.
    #[must_use]
    pub fn token(&self, label: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.derive(label))
    }
}

/// Makes a key file that is whole as soon as it has its name, which only the first of several
/// processes gives: another that starts at the same time reads that one's.
fn make_key(path: &Path) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", random_token()));
    let new = Path::new(&name);
    write_new(new, random_token().as_bytes())?;
    let linked = match std::fs::hard_link(new, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // A file system without links has no other way that takes nobody's key away.
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {
            write_new(path, &std::fs::read(new)?)
        }
        linked => linked,
    };
    let _gone = std::fs::remove_file(new);
    linked
}

/// 256 random bits as text.
#[must_use]
pub fn random_token() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is kept of a token: its SHA-256 as text. Tokens are random, so no salt is needed.
#[must_use]
pub fn hash_token(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// SHA-256 of bytes as text.
#[must_use]
pub fn hash_bytes(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}

/// The same of pieces that stand one after the other.
#[must_use]
pub fn hash_pieces(pieces: &[&[u8]]) -> String {
    let hash = pieces.iter().fold(Sha256::new(), |hash, piece| hash.chain_update(piece));
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// Whether two texts are equal, in a time that does not tell where they differ.
#[must_use]
pub fn same(left: &str, right: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn all_who_start_at_once_have_one_key() {
        let folder = std::env::temp_dir().join(format!("praxis-secrets-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for _round in 0..50 {
            let load = || {
                std::thread::scope(|scope| {
                    let all: Vec<_> =
                        (0..8).map(|_| scope.spawn(|| Secrets::load(None, &folder).unwrap().root)).collect();
                    all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
                })
            };
            let keys = load();
            assert!(keys.iter().all(|key| *key == keys[0] && key.len() >= 32));
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
            std::fs::remove_file(folder.join("secret.key")).unwrap();
        }
        std::fs::write(folder.join("secret.key"), "").unwrap();
        assert!(Secrets::load(None, &folder).unwrap_err().contains("damaged"), "an empty key is none");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
