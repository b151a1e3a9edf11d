//! What a request carries in place of a slot, so that a rejection can say why nothing is lent.

use std::fmt;
use std::marker::PhantomData;

use http::Extensions;

use crate::store::VersionStore;

/// Marks a request whose resource id is invalid: extracting `Expected` or `Tx` is rejected with 404.
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

/// Marks a request that is guarded with a strategy other than compare and swap, or as a bulk write:
/// extracting `Expected` is rejected with 500.
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
