//! One core for the server and another for the load, so that neither takes time from the other.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The core of the server and the core of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

/// `None` where this process may use one core only, or may not choose.
pub(crate) fn two() -> Option<Cores> {
    let allowed = sched_getaffinity(None).ok()?;
    let mut allowed = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    Some(Cores {
        server: allowed.next()?,
        load: allowed.next()?,
    })
}

/// Keeps this thread, and those that it starts from now on, to one core; `false` where it may not.
pub(crate) fn pin(core: usize) -> bool {
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).is_ok()
}
