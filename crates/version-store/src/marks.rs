//! What a request carries in place of a slot, so that the handler learns why nothing is lent.

use std::fmt;
use std::marker::PhantomData;

use http::Extensions;

use crate::store::VersionStore;

/// What a request carries in place of a slot where the id of its resource is invalid: a handler that
/// asks for `Expected` or `Tx` answers 404.
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

/// What a request carries in place of a slot where the layer's strategy is another than compare and swap,
/// or where it guards a bulk write: a handler that asks for `Expected` answers 500.
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
