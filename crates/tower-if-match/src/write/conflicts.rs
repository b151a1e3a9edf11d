//! Who sees conflict metadata, and how it is read from the store.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::StatusCode;
use http::request::Parts;
use version_store::{Conflict, Conflicts, Version, VersionStore};

use crate::refusal::Refusal;
use crate::request::{Hook, Pair, noted};

/// Your settings for conflict metadata. Default: nothing is disclosed.
pub(crate) struct ConflictDisclosure<S: VersionStore> {
    pub(crate) told: Option<(Audience, Arc<Ask<S>>)>,
    pub(crate) redact: Option<Hook<Redact<S>>>,
}

/// Who sees conflict metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Everybody,
    /// Those whom the authorization hook allows.
    Authorized,
}

/// How a store that implements [`Conflicts`] is queried, without requiring every store to implement it.
pub(crate) type Ask<S> = dyn Fn(S, <S as VersionStore>::Key, Option<Version<<S as VersionStore>::Revision>>) -> Asked<S>
    + Send
    + Sync;

type Asked<S> = Pin<
    Box<
        dyn Future<
                Output = Result<
                    Option<Conflict<<S as VersionStore>::Revision>>,
                    <S as VersionStore>::Error,
                >,
            > + Send,
    >,
>;

/// The second part of your hook that removes what must not be disclosed.
pub(crate) type Redact<S> = dyn Fn(&dyn Any, &<S as VersionStore>::Key, &mut Conflict<<S as VersionStore>::Revision>)
    + Send
    + Sync;

/// Queries a store about a conflict.
pub(crate) fn ask<S: Conflicts>(
    store: S,
    key: S::Key,
    held: Option<Version<S::Revision>>,
) -> Asked<S> {
    Box::pin(async move { store.conflict(&key, held.as_ref()).await })
}

impl<S: VersionStore> ConflictDisclosure<S> {
    /// Adds a redaction hook, which sees what those before it left.
    pub(crate) fn add_redaction<T: Send + Sync + 'static>(
        &mut self,
        take: impl Fn(&Parts) -> T + Send + Sync + 'static,
        redact: impl Fn(&T, &S::Key, &mut Conflict<S::Revision>) + Send + Sync + 'static,
    ) {
        let then: Arc<Redact<S>> =
            Arc::new(move |note, key, conflict| redact(noted(note), key, conflict));
        let added = Hook::new(take, then);
        self.redact = Some(match self.redact.take() {
            None => added,
            Some(first) => {
                let [one, other] = [&first, &added].map(|hook| Arc::clone(&hook.then));
                let both: Arc<Redact<S>> = Arc::new(move |notes, key, conflict| {
                    let Pair(of_one, of_other) = noted(notes);
                    one(&**of_one, key, conflict);
                    other(&**of_other, key, conflict);
                });
                Hook::both(&first, &added, both)
            }
        });
    }

    pub(crate) fn is_redacted(&self) -> bool {
        self.redact.is_some()
    }

    /// Whether only those whom the authorization hook allows see conflict metadata.
    pub(crate) fn needs_authorization(&self) -> bool {
        matches!(self.told, Some((Audience::Authorized, _)))
    }

    /// How to query the store about this refusal. Only a failed precondition is a conflict, and every request that
    /// gets as far as a refusal has passed the authorization hook.
    pub(super) fn of(&self, refusal: &Refusal) -> Option<&Ask<S>> {
        let (_, ask) = self.told.as_ref()?;
        let conflict =
            refusal.status() == StatusCode::PRECONDITION_FAILED && refusal.current_tag().is_some();
        conflict.then_some(ask.as_ref())
    }
}

impl<S: VersionStore> Default for ConflictDisclosure<S> {
    fn default() -> Self {
        Self {
            told: None,
            redact: None,
        }
    }
}

impl<S: VersionStore> Clone for ConflictDisclosure<S> {
    fn clone(&self) -> Self {
        Self {
            told: self.told.clone(),
            redact: self.redact.clone(),
        }
    }
}

impl<S: VersionStore> fmt::Debug for ConflictDisclosure<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let audience = self.told.as_ref().map(|(audience, _)| audience);
        f.debug_struct("ConflictDisclosure")
            .field("audience", &audience)
            .field("redact", &self.is_redacted())
            .finish()
    }
}
