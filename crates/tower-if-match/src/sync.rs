//! The primitives of the layer's own concurrency, in one place, so that tests can replace the scheduler:
//! `tests/schedules` compiles these sources a second time, with `shuttle`. The published package has no such
//! feature.

use std::time::Duration;

pub(crate) use std::sync::{Arc, PoisonError};

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Mutex, MutexGuard};
#[cfg(not(feature = "shuttle"))]
pub(crate) use tokio::task::JoinHandle;

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::future::JoinHandle;
#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

/// Runs a future to completion, even if no one waits for it.
#[cfg(not(feature = "shuttle"))]
pub(crate) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(future)
}

/// Runs a future to completion, even if no one waits for it.
#[cfg(feature = "shuttle")]
pub(crate) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    shuttle::future::spawn(future)
}

/// The output of a future, or `None` if it takes longer than this; then it is dropped.
#[cfg(not(feature = "shuttle"))]
pub(crate) async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(time, future).await.ok()
}

/// The output of a future, however long it takes: a schedule has no clock.
#[cfg(feature = "shuttle")]
pub(crate) async fn within<T>(_: Duration, future: impl Future<Output = T>) -> Option<T> {
    Some(future.await)
}
