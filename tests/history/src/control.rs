//! The hand that a test keeps on a running race.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;

/// Stops a race and tells how far it is. Clones share one state. Given to several races in turn, it
/// counts on.
///
/// ```no_run
/// # async fn example(race: history::Race, mut server: wire::Server) -> Result<(), Box<dyn std::error::Error>> {
/// let control = history::Control::default();
/// let (run, _) = tokio::join!(race.run_until(&control), async {
///     assert!(control.reached(3_000).await);
///     server.kill9().await
/// });
/// assert_eq!(run?.ended, history::Ended::ServerGone);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    progress: watch::Sender<Progress>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    attempted: u64,
    acknowledged: u64,
    over: bool,
}

impl Control {
    /// Lets every task finish its operation and end.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
    }

    /// How many conditional writes have been acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.0.progress.borrow().acknowledged
    }

    /// How many conditional writes have ended, one way or another.
    pub fn attempted(&self) -> u64 {
        self.0.progress.borrow().attempted
    }

    /// Waits until so many writes have been acknowledged; false if the race ended before. To be
    /// polled after the race has been, as `join!` does if the race stands first.
    pub async fn reached(&self, acknowledged: u64) -> bool {
        self.wait_for(|now| now.acknowledged >= acknowledged).await
    }

    /// As [`reached`](Self::reached), for writes that have ended, one way or another.
    pub async fn reached_attempts(&self, attempted: u64) -> bool {
        self.wait_for(|now| now.attempted >= attempted).await
    }

    async fn wait_for(&self, reached: impl Fn(&Progress) -> bool) -> bool {
        let mut progress = self.0.progress.subscribe();
        let now = progress.wait_for(|now| now.over || reached(now)).await;
        now.is_ok_and(|now| reached(&now))
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    pub(crate) fn count(&self, acknowledged: bool) {
        self.0.progress.send_modify(|progress| {
            progress.attempted += 1;
            progress.acknowledged += u64::from(acknowledged);
        });
    }

    /// Until the guard is dropped a race is on.
    pub(crate) fn begin(&self) -> Running<'_> {
        self.0
            .progress
            .send_modify(|progress| progress.over = false);
        Running(self)
    }
}

pub(crate) struct Running<'a>(&'a Control);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0
            .0
            .progress
            .send_modify(|progress| progress.over = true);
    }
}
