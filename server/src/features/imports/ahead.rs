//! Reading ahead in a thread. An end is the end of what was to be read: a fault comes as an error.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::mpsc;

/// Batches that wait to be taken.
const WAITING: usize = 2;

/// What a thread reads, as fast as it is taken. It ends with what it reads, or when the receiver is
/// gone. Should it panic, that is the last thing that is received: what came before is not all.
pub fn read_ahead<T: Send + 'static>(
    read: impl FnOnce(&mpsc::Sender<io::Result<T>>) -> io::Result<()> + Send + 'static,
) -> mpsc::Receiver<io::Result<T>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let _reading = tokio::task::spawn_blocking(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| read(&sender)))
            .unwrap_or_else(|_| Err(io::Error::other("reading broke off by a fault of this program")));
        if let Err(error) = ended {
            // Whoever took the batches may have stopped; then nobody misses it.
            let _taken = sender.blocking_send(Err(error));
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::{io, read_ahead};

    #[tokio::test]
    async fn a_reader_that_panics_is_no_end() {
        let mut batches = read_ahead::<i32>(|sender| {
            sender.blocking_send(Ok(1)).unwrap();
            panic!("a row that nobody thought of")
        });
        assert_eq!(batches.recv().await.unwrap().unwrap(), 1);
        let error = batches.recv().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("broke off"), "{error}");
        assert!(batches.recv().await.is_none());
    }

    #[tokio::test]
    async fn faults_and_ends_come_as_they_are() {
        let mut batches = read_ahead::<i32>(|_| Err(io::Error::other("no such file")));
        assert_eq!(batches.recv().await.unwrap().unwrap_err().to_string(), "no such file");
        assert!(batches.recv().await.is_none());
        assert!(read_ahead::<i32>(|_| Ok(())).recv().await.is_none());
    }
}
