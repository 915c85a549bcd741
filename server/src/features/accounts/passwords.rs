//! Passwords: which are good enough, and their hashes.
//!
//! Invariant: an unknown member costs as much time as a wrong password, and at most two hashes
//! are worked out at once, so that sign-ins do not starve the pages.

use std::sync::LazyLock;

use actix_web::web;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::app::secrets::random_token;
use crate::web::error::{AppError, FieldError, Result};
use crate::web::words::english;

const LEAST: usize = 10;
const MOST: usize = 200;

static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A hash that no password has, for members who do not exist or have none.
static NOBODY: LazyLock<String> = LazyLock::new(|| compute(&random_token()).unwrap_or_default());

/// What is wrong with a new password; `about` are the handle, name and address it must not be made of.
#[must_use]
pub fn fault(field: &'static str, password: &str, about: &[&str]) -> Option<FieldError> {
    let length = password.chars().count();
    let key = if length < LEAST {
        "accounts.fault.password_short"
    } else if length > MOST {
        "accounts.fault.password_long"
    } else if u8::from(zxcvbn::zxcvbn(password, about).score()) < 3 {
        "accounts.fault.password_weak"
    } else {
        return None;
    };
    Some(FieldError { field: field.into(), message: english().t(key).to_owned() })
}

/// The hash to keep: Argon2id, 19 MiB, two passes, one lane.
pub async fn hash(password: &str) -> Result<String> {
    let password = password.to_owned();
    work(move || compute(&password)).await?
}

/// Whether a password is the one of a hash. Without a hash it is not, and takes as long.
pub async fn verify(password: &str, hash: Option<&str>) -> Result<bool> {
    let (password, hash) = (password.to_owned(), hash.map(str::to_owned));
    // Nothing longer was ever taken; the time of an absurd one is not ours to spend.
    let absurd = password.chars().count() > MOST;
    work(move || {
        let known = hash.is_some() && !absurd;
        let against = hash.unwrap_or_else(|| NOBODY.clone());
        let shown = if absurd { "" } else { password.as_str() };
        let same = PasswordHash::new(&against)
            .is_ok_and(|parsed| Argon2::default().verify_password(shown.as_bytes(), &parsed).is_ok());
        same && known
    })
    .await
}

/// Works out the hash of nobody, so that the first unknown member costs no more than others.
pub async fn warm() -> Result<()> {
    work(|| {
        LazyLock::force(&NOBODY);
    })
    .await
}

async fn work<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _turn = AT_ONCE.acquire().await.map_err(|_| AppError::internal("no hashing any more"))?;
    Ok(web::block(task).await?)
}

fn compute(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| AppError::internal(format!("a password could not be hashed: {error}")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn common_short_and_personal_passwords_are_refused() {
        let about = ["ines.marquez", "ines@example.org", "Ines Marquez"];
        for weak in ["short", "password1234", "qwertyuiop12", "ines.marquez1", "aaaaaaaaaaaa", &"a".repeat(201)] {
            assert!(super::fault("password", weak, &about).is_some(), "{weak}");
        }
        for strong in ["correct-ada-battery-staple", "lantern seventy orchard mist"] {
            assert!(super::fault("password", strong, &about).is_none(), "{strong}");
        }
    }

    #[test]
    fn the_hash_is_argon2id_with_its_parameters() {
        let hash = super::compute("lantern seventy orchard mist").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }
}
