use std::any::Any;
use std::fmt::{self, Debug};

use crate::not_lent::NotLent;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What layer and handler share for one request: it lends `L` once and keeps how the write ended.
///
/// `L` is [`Expected`](crate::Expected) for a request on one resource, and
/// [`ExpectedItems`](crate::bulk::ExpectedItems) for one on several.
///
/// The layer may keep something of its own in it ([`Slot::keeping`], [`Slot::kept`]), so that a request costs one
/// allocation for both.
///
/// | state | by |
/// | --- | --- |
/// | offered | `Slot::new`, `Slot::of_items` |
/// | taken | [`Slot::take`], once |
/// | settled | the methods of `L` that consume it |
/// | closed | [`Slot::close`]: what comes later changes nothing |
pub struct Slot<L: Lend>(Arc<Shared<L, Kept>>);

/// What a layer keeps, whatever it is.
type Kept = dyn Any + Send + Sync;

struct Shared<L: Lend, T: ?Sized> {
    about: L::About,
    state: Mutex<SlotState<L::Made>>,
    kept: T,
}

enum SlotState<M> {
    Offered,
    Taken,
    Settled(Ending<M>),
    Closed,
}

/// How a conditional write ended, as the layer finds it once the handler has responded.
///
/// `M` is what the write made: [`Made`](crate::handover::Made) for one resource,
/// [`Versions`](crate::Versions) for several.
#[derive(Clone, Debug)]
pub enum Ending<M> {
    /// The handler never took what was lent. If it wrote, it wrote blindly.
    Untaken,
    /// It took what was lent and never settled it. If it wrote, nobody knows on which version.
    Unsettled,
    /// It wrote on what was expected and made this.
    Written(M),
    /// It wrote nothing.
    Unchanged,
    /// Someone else wrote first; it wrote nothing.
    Lost,
}

/// What a slot lends. Code outside this crate cannot name this trait: whoever could call
/// [`of`](Self::of) could make a second `Expected` for one slot.
#[diagnostic::on_unimplemented(
    message = "a slot does not lend `{Self}`",
    note = "`Slot<Expected<S>>` is for one resource, `Slot<ExpectedItems<S>>` for several"
)]
pub trait Lend: Sized + 'static {
    /// What the slot is about: the resource, and what is demanded of it.
    type About: Debug + Send + Sync + 'static;

    /// What a write makes.
    type Made: Send + 'static;

    /// What is lent. It settles this slot.
    fn of(slot: Slot<Self>) -> Self;

    /// Why it is not lent a second time.
    fn lent_twice() -> NotLent;
}

impl<L: Lend> Slot<L> {
    #[inline]
    pub(crate) fn about(about: L::About, kept: impl Any + Send + Sync) -> Self {
        Self(Arc::new(Shared {
            about,
            state: Mutex::new(SlotState::Offered),
            kept,
        }))
    }

    /// What the layer keeps, if it is of this type.
    pub fn kept<T: Any>(&self) -> Option<&T> {
        self.0.kept.downcast_ref()
    }

    /// Takes what the slot lends.
    ///
    /// # Errors
    ///
    /// [`NotLent`] if it was taken before or the slot is closed.
    pub fn take(&self) -> Result<L, NotLent> {
        let mut state = self.state();
        if !matches!(*state, SlotState::Offered) {
            return Err(L::lent_twice());
        }
        *state = SlotState::Taken;
        drop(state);
        Ok(L::of(self.clone()))
    }

    /// Closes the slot and returns how the write ended. If a task still holds what was lent and settles
    /// it later, that changes nothing.
    #[inline]
    pub fn close(&self) -> Ending<L::Made> {
        match std::mem::replace(&mut *self.state(), SlotState::Closed) {
            SlotState::Offered => Ending::Untaken,
            SlotState::Taken | SlotState::Closed => Ending::Unsettled,
            SlotState::Settled(ending) => ending,
        }
    }

    pub(crate) fn settle(&self, ending: Ending<L::Made>) {
        let mut state = self.state();
        if matches!(*state, SlotState::Taken) {
            *state = SlotState::Settled(ending);
        }
    }

    pub(crate) fn what(&self) -> &L::About {
        &self.0.about
    }

    fn state(&self) -> MutexGuard<'_, SlotState<L::Made>> {
        // Nothing panics while it is held, and each state is whole by itself.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Another handle to the same slot. Not derived: that would require what is lent to be `Clone`, which
/// it must not be.
impl<L: Lend> Clone for Slot<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: Lend> Debug for Slot<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("about", &self.0.about)
            .finish_non_exhaustive()
    }
}
