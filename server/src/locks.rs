//! Locks of memory: a panic under one does not close it for those who come after.
//!
//! What is kept under these locks is right after each single step, or is read again: a panic in
//! between leaves nothing that would have to be thrown away.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What a mutex keeps, to oneself.
pub fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a lock keeps, to be read with others.
pub fn reading<T>(of: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    of.read().unwrap_or_else(PoisonError::into_inner)
}

/// What a lock keeps, to be changed.
pub fn writing<T>(of: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    of.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_closes_no_lock() {
        let (one, many) = (Mutex::new(1), RwLock::new(1));
        let panicked = std::thread::scope(|scope| {
            let both = scope.spawn(|| {
                let (one, many) = (locked(&one), writing(&many));
                assert_eq!(*one + *many, 3, "on purpose");
            });
            both.join().is_err()
        });
        assert!(panicked && one.is_poisoned() && many.is_poisoned());
        *locked(&one) += 1;
        *writing(&many) += 1;
        assert_eq!((*locked(&one), *reading(&many)), (2, 2));
    }
}
