//! The concurrency primitives of this crate, in one place, so that tests can replace them:
//! `tests/schedules` compiles these sources a second time, with the scheduler `shuttle`. The published
//! package has no such feature.

pub(crate) use std::sync::{Arc, PoisonError};

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicU64,
};

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicU64,
};
