use std::fmt;

use http::Extensions;

use crate::expected::Expected;
use crate::slot::Slot;
use crate::store::VersionStore;

/// What the extensions of a request hold for a store of this type: a slot, or why there is none. It is one entry,
/// because each costs a request a look-up.
#[derive(Clone)]
pub enum Lent<S: VersionStore> {
    /// The request was handed over with compare and swap.
    Slot(Slot<Expected<S>>),
    /// It is guarded with another strategy, or as a bulk write: extracting `Expected` is rejected with 500.
    OtherStrategy,
    /// The resource's id is invalid: extracting `Expected` or `Tx` is rejected with 404.
    InvalidKey,
}

impl<S: VersionStore> Lent<S> {
    /// Puts it into a request's extensions. An invalid key does not replace what a layer further out lent.
    pub fn put(self, extensions: &mut Extensions) {
        if matches!(self, Self::InvalidKey) && Self::find(extensions).is_some() {
            return;
        }
        extensions.insert(self);
    }

    /// Whether a layer for a store of this type has already handed the request over.
    pub fn is_guarded(extensions: &Extensions) -> bool {
        match Self::find(extensions) {
            Some(Self::Slot(_) | Self::OtherStrategy) => true,
            Some(Self::InvalidKey) | None => false,
        }
    }

    pub(crate) fn find(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }
}

impl<S: VersionStore> fmt::Debug for Lent<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(slot) => f.debug_tuple("Slot").field(slot).finish(),
            Self::OtherStrategy => f.write_str("OtherStrategy"),
            Self::InvalidKey => f.write_str("InvalidKey"),
        }
    }
}
