//! Your hooks. Each is in two parts, because the handler gets the request's head, and a hook may be needed after it:
//! first it takes from the head what it needs, then it works with that.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use http::request::Parts;

use super::client_name::Caller;

/// What a hook took from the head of a request.
pub(crate) type Note = Box<dyn Any + Send + Sync>;

/// What all hooks took.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) authorization: Option<Note>,
    pub(crate) redaction: Option<Note>,
    pub(crate) response: Option<Note>,
    pub(crate) caller: Option<Caller>,
}

/// A hook, whose second part is an `F`. That one gets the note as [`Any`], and reads it with [`noted`].
pub(crate) struct Hook<F: ?Sized> {
    take: Arc<dyn Fn(&Parts) -> Note + Send + Sync>,
    pub(crate) then: Arc<F>,
}

impl<F: ?Sized> Hook<F> {
    pub(crate) fn new<T: Send + Sync + 'static>(
        take: impl Fn(&Parts) -> T + Send + Sync + 'static,
        then: Arc<F>,
    ) -> Self {
        Self {
            take: Arc::new(move |head| Box::new(take(head))),
            then,
        }
    }

    /// One hook for two. Its note is a [`Pair`].
    pub(crate) fn both(first: &Self, second: &Self, then: Arc<F>) -> Self {
        let (first, second) = (Arc::clone(&first.take), Arc::clone(&second.take));
        Self::new(move |head| Pair(first(head), second(head)), then)
    }

    pub(crate) fn take(&self, head: &Parts) -> Note {
        (self.take)(head)
    }
}

/// What two hooks took.
pub(crate) struct Pair(pub(crate) Note, pub(crate) Note);

/// Reads what a hook took. A hook is only ever given its own note.
pub(crate) fn noted<T: 'static>(note: &dyn Any) -> &T {
    note.downcast_ref().expect("a hook gets what it took")
}

/// Not derived: `derive` would require the second part to be `Clone`.
impl<F: ?Sized> Clone for Hook<F> {
    fn clone(&self) -> Self {
        Self {
            take: Arc::clone(&self.take),
            then: Arc::clone(&self.then),
        }
    }
}

impl<F: ?Sized> fmt::Debug for Hook<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}
