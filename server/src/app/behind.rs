//! Work that gives way: on threads that the system lets run when requests, sockets and commits do not want to.
//!
//! Whoever starts such work must hold no lock while it does that others wait for long.

use std::io;
use std::thread::Builder;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// How far back it stands: a tenth of the share of a thread that wants to run as well.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets this thread, and those that it starts, give way from now on. On Linux it is the thread that is nice;
/// elsewhere that would be the whole process.
fn give_way() {
    #[cfg(target_os = "linux")]
    if rustix::process::getpriority_process(None).is_ok_and(|nice| nice < NICE)
        && let Err(error) = rustix::process::setpriority_process(None, NICE)
    {
        tracing::debug!(%error, "a thread could not be made nice");
    }
}

/// Work on a thread of its own; `Err` if it panicked, or no thread could be had.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (reply, answer) = oneshot::channel();
    begin("praxis-behind", move || {
        // Who asked may be gone.
        let _gone = reply.send(work());
    })?;
    answer.await.map_err(|_| io::Error::other("work panicked"))
}

/// A task of the hub on a thread of its own; what is returned ends with it, and ends it when dropped. What the
/// task waits for is still looked after by the runtime.
pub fn task(task: impl Future<Output = ()> + Send + 'static) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let runtime = Handle::current();
    let (ending, end) = oneshot::channel::<()>();
    let (wanted, unwanted) = oneshot::channel::<()>();
    begin("praxis-follower", move || {
        let _ends_with_it = ending;
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = unwanted => {}
                () = task => {}
            }
        });
    })?;
    Ok(async move {
        let _wanted = wanted;
        let _ended = end.await;
    })
}

/// Begins work that nobody waits for.
pub fn begin(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let work = move || {
        give_way();
        work();
    };
    Builder::new().name(name.into()).spawn(work).map(drop)
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn work_gives_way_and_nothing_else_does() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        assert_eq!(super::run(nice).await.unwrap(), before.max(super::NICE));
        assert_eq!(nice(), before);
    }

    #[tokio::test]
    async fn a_task_ends_with_whoever_waits_for_it() {
        let (held, gone) = tokio::sync::oneshot::channel::<()>();
        let task = super::task(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        drop(task.unwrap());
        assert!(gone.await.is_err(), "what it held is let go");
        super::task(async {}).unwrap().await;
    }

    #[tokio::test]
    async fn a_panic_is_told() {
        assert!(super::run(|| panic!("of a test")).await.is_err());
    }
}
