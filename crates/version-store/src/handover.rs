//! How a layer lends [`Expected`] to a handler and learns how the write ended.
//!
//! Only a layer needs this module. The [`Slot`] is the authority: it lends its `Expected` once,
//! whoever cloned the request's extensions, and it keeps the settlement, whatever became of the
//! response on its way.
//!
//! | state | by |
//! | --- | --- |
//! | offered | [`Slot::new`] |
//! | taken | [`Slot::take`], once |
//! | settled | [`Expected`]'s methods, which consume it |
//! | closed | [`Slot::close`]: what comes later changes nothing |

use std::fmt;
use std::marker::PhantomData;

use http::Extensions;

use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
pub use crate::tx::{Returned, TxSlot};
pub use crate::versioned::Mark;
use crate::{Demand, Expected, NotLent, Version, VersionStore};

/// The slot that layer and handler share for one request.
pub struct Slot<S: VersionStore>(Arc<Shared<S>>);

struct Shared<S: VersionStore> {
    key: S::Key,
    demand: Demand<S::Revision>,
    state: Mutex<State<S::Revision>>,
}

enum State<R> {
    Offered,
    Taken,
    Settled(Ending<R>),
    Closed,
}

/// What a request carries instead of a slot where the id of its resource cannot be read: a handler
/// that asks for `Expected` answers 404.
pub struct InvalidKey<S>(PhantomData<fn() -> S>);

impl<S: VersionStore> InvalidKey<S> {
    /// Puts the mark into a request's extensions.
    pub fn mark(extensions: &mut Extensions) {
        extensions.insert(Self(PhantomData));
    }
}

impl<S> Clone for InvalidKey<S> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<S> fmt::Debug for InvalidKey<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvalidKey")
    }
}

/// What a request carries instead of a slot where the layer closes the race without the handler's
/// help, by a lock or a transaction: a handler that asks for `Expected` stands under the wrong way.
pub struct OtherStrategy<S>(PhantomData<fn() -> S>);

impl<S: VersionStore> OtherStrategy<S> {
    /// Puts the mark into a request's extensions.
    pub fn mark(extensions: &mut Extensions) {
        extensions.insert(Self(PhantomData));
    }
}

impl<S> Clone for OtherStrategy<S> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<S> fmt::Debug for OtherStrategy<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OtherStrategy")
    }
}

/// How a conditional write ended, as the layer finds it when the answer is there.
#[derive(Clone, Debug)]
pub enum Ending<R> {
    /// The handler never took `Expected`. If it wrote, it wrote blindly.
    Untaken,
    /// It took `Expected` and never settled it. If it wrote, nobody knows on which version.
    Unsettled,
    /// It wrote on the expected version and made this one.
    Written {
        /// The version that the write made.
        version: Version<R>,
        /// Whether a PUT's content was stored as it was sent (RFC 9110 §9.3.4).
        verbatim: bool,
    },
    /// It removed the expected version.
    Removed,
    /// It wrote nothing.
    Unchanged,
    /// Someone was faster; it wrote nothing.
    Lost,
}

impl<S: VersionStore> Slot<S> {
    /// A slot for one request on the resource `key`, whose `Expected` nobody has taken yet.
    pub fn new(key: S::Key, demand: Demand<S::Revision>) -> Self {
        Self(Arc::new(Shared {
            key,
            demand,
            state: Mutex::new(State::Offered),
        }))
    }

    /// Puts the slot into a request's extensions, where [`Expected::from_extensions`] finds it.
    pub fn lend(&self, to: &mut Extensions) {
        to.insert(self.clone());
    }

    /// Takes the `Expected`.
    ///
    /// # Errors
    ///
    /// [`NotLent`] where it was taken before.
    pub fn take(&self) -> Result<Expected<S>, NotLent> {
        let mut state = self.state();
        if !matches!(*state, State::Offered) {
            return Err(NotLent::twice::<S>());
        }
        *state = State::Taken;
        drop(state);
        Ok(Expected::new(self.clone()))
    }

    /// Ends the slot and tells how the write ended. A task that still holds `Expected` and settles
    /// it later has no one left to tell.
    pub fn close(&self) -> Ending<S::Revision> {
        match std::mem::replace(&mut *self.state(), State::Closed) {
            State::Offered => Ending::Untaken,
            State::Taken | State::Closed => Ending::Unsettled,
            State::Settled(ending) => ending,
        }
    }

    pub(crate) fn settle(&self, ending: Ending<S::Revision>) {
        let mut state = self.state();
        if matches!(*state, State::Taken) {
            *state = State::Settled(ending);
        }
    }

    /// The resource.
    pub fn key(&self) -> &S::Key {
        &self.0.key
    }

    /// What is demanded of its stored version.
    pub fn demand(&self) -> &Demand<S::Revision> {
        &self.0.demand
    }

    fn state(&self) -> MutexGuard<'_, State<S::Revision>> {
        // Nothing panics while it is held, and each state is whole by itself.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Another handle on the same slot. Not derived: that would ask the store's types to be `Clone` for
/// what is one shared pointer.
impl<S: VersionStore> Clone for Slot<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: VersionStore> fmt::Debug for Slot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("key", &self.0.key)
            .field("demand", &self.0.demand)
            .finish_non_exhaustive()
    }
}
