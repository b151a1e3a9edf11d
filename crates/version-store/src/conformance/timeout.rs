//! A timeout that needs no particular runtime: the suite runs on any.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

/// The future's output, or `None` if it has not ended within `timeout`.
pub(super) async fn within<F: Future>(timeout: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut alarm = None;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        // Only a future that waits costs a thread.
        let alarm = alarm.get_or_insert_with(|| Alarm::set(timeout));
        if alarm.rang_or_will_wake(context.waker()) {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await
}

/// The future's output if it ends within so many polls, otherwise `None`: it is dropped while it waits.
pub(super) async fn polled_at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polled < polls => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        }
    })
    .await
}

struct Alarm {
    bell: Arc<Mutex<Bell>>,
    /// Dropping it ends the thread.
    _hang_up: Sender<()>,
}

#[derive(Default)]
struct Bell {
    rang: bool,
    waker: Option<Waker>,
}

impl Alarm {
    fn set(timeout: Duration) -> Self {
        let bell: Arc<Mutex<Bell>> = Arc::default();
        let (hang_up, hung_up) = mpsc::channel();
        let ringing = Arc::clone(&bell);
        thread::spawn(move || {
            if hung_up.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
                let mut bell = lock(&ringing);
                bell.rang = true;
                if let Some(waker) = bell.waker.take() {
                    waker.wake();
                }
            }
        });
        Self {
            bell,
            _hang_up: hang_up,
        }
    }

    fn rang_or_will_wake(&self, waker: &Waker) -> bool {
        let mut bell = lock(&self.bell);
        bell.waker = Some(waker.clone());
        bell.rang
    }
}

fn lock(bell: &Mutex<Bell>) -> MutexGuard<'_, Bell> {
    bell.lock().unwrap_or_else(PoisonError::into_inner)
}
