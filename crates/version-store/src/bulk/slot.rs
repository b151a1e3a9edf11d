use std::fmt;

use http::Extensions;

use super::ExpectedItems;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{Demand, NotLent, Version, VersionStore};

/// The slot that layer and handler share for the items of one request. Only a layer needs it.
pub struct Slot<S: VersionStore>(Arc<Shared<S>>);

struct Shared<S: VersionStore> {
    keys: Vec<S::Key>,
    demands: Vec<Demand<S::Revision>>,
    state: Mutex<State<S::Revision>>,
}

enum State<R> {
    Offered,
    Taken,
    Settled(Ending<R>),
    Closed,
}

/// How a bulk write ended, as the layer finds it when the answer is there.
#[derive(Clone, Debug)]
pub enum Ending<R> {
    /// The handler never took `ExpectedItems`. If it wrote, it wrote blindly.
    Untaken,
    /// It took them and never settled them. If it wrote, nobody knows on which versions.
    Unsettled,
    /// It wrote every item and made these versions, in the order of the request; `None` where it
    /// removed the resource.
    Written(Vec<Option<Version<R>>>),
    /// It wrote nothing.
    Unchanged,
    /// Someone was faster; it wrote nothing.
    Lost,
}

impl<S: VersionStore> Slot<S> {
    /// A slot for one request with these items, no two of one resource. Nobody has taken its
    /// `ExpectedItems` yet.
    pub fn new(items: impl IntoIterator<Item = (S::Key, Demand<S::Revision>)>) -> Self {
        let (keys, demands) = items.into_iter().unzip();
        Self(Arc::new(Shared {
            keys,
            demands,
            state: Mutex::new(State::Offered),
        }))
    }

    /// Puts the slot into a request's extensions, where [`ExpectedItems::from_extensions`] finds it.
    pub fn lend(&self, to: &mut Extensions) {
        to.insert(self.clone());
    }

    /// Takes the `ExpectedItems`.
    ///
    /// # Errors
    ///
    /// [`NotLent`] where they were taken before.
    pub fn take(&self) -> Result<ExpectedItems<S>, NotLent> {
        let mut state = self.state();
        if !matches!(*state, State::Offered) {
            return Err(NotLent::items_twice::<S>());
        }
        *state = State::Taken;
        drop(state);
        Ok(ExpectedItems::new(self.clone()))
    }

    /// Ends the slot and tells how the write ended. A task that settles later has no one left to tell.
    pub fn close(&self) -> Ending<S::Revision> {
        match std::mem::replace(&mut *self.state(), State::Closed) {
            State::Offered => Ending::Untaken,
            State::Taken | State::Closed => Ending::Unsettled,
            State::Settled(ending) => ending,
        }
    }

    pub(super) fn settle(&self, ending: Ending<S::Revision>) {
        let mut state = self.state();
        if matches!(*state, State::Taken) {
            *state = State::Settled(ending);
        }
    }

    /// The resources, in the order of the request.
    pub fn keys(&self) -> &[S::Key] {
        &self.0.keys
    }

    /// What is demanded of each, in the order of the request.
    pub fn demands(&self) -> &[Demand<S::Revision>] {
        &self.0.demands
    }

    fn state(&self) -> MutexGuard<'_, State<S::Revision>> {
        // Nothing panics while it is held, and each state is whole by itself.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Another handle on the same slot.
impl<S: VersionStore> Clone for Slot<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: VersionStore> fmt::Debug for Slot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("keys", &self.0.keys)
            .field("demands", &self.0.demands)
            .finish_non_exhaustive()
    }
}
