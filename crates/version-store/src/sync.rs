//! What the concurrency of this crate is made of, in one place, so that tests can put a scheduler of
//! their own under it: `tests/schedules` compiles these sources a second time, with `shuttle`. The
//! published package has no such feature.

pub(crate) use std::sync::{Arc, PoisonError};

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicU64,
};

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicU64,
};
