use http::{Request, Response};

use super::Operation;
use crate::tag::Scope;

/// Records nothing.
#[derive(Debug)]
pub(crate) struct Observed;

impl Observed {
    pub(crate) fn of<B>(_: &Request<B>) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the same signature as with metrics")]
    pub(crate) fn answered<B>(&self, _: &Scope, _: &Response<B>) {}
}

/// The same future.
pub(crate) fn timed<F: Future>(_: &Scope, _: Operation, future: F) -> F {
    future
}

/// The same future.
pub(crate) fn waited<F: Future>(_: &Scope, future: F) -> F {
    future
}
