//! Conflict metadata: what a 412 tells about a conflict besides the current tag, to whom, and how much.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;
use http::{Response, StatusCode};
use http_precondition::{Field, HttpDate, Problem};
use serde::Serialize;
use serde_json::value::RawValue;
use version_store::{Conflict, Conflicts, Version, VersionStore};

use crate::body::RefusalBody;
use crate::config::Config;
use crate::observe::{Operation, timed};
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::request::Head;
use crate::write::denied_response;

/// What the owner said about telling of conflicts. Default: nothing is told.
pub(crate) struct Disclosure<S: VersionStore> {
    pub(crate) told: Option<(Audience, Arc<Ask<S>>)>,
    pub(crate) redact: Option<Arc<Redact<S>>>,
    /// Octets of the member `conflict`, at most.
    pub(crate) limit: usize,
}

/// Who is told of conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Everybody,
    /// Whom the authorization hook agrees to, so nobody where there is none.
    Authorized,
}

/// How a store that implements [`Conflicts`] is asked, without asking every store to implement it.
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

/// The owner's function that takes out what must not leave.
pub(crate) type Redact<S> = dyn Fn(&Parts, &<S as VersionStore>::Key, &mut Conflict<<S as VersionStore>::Revision>)
    + Send
    + Sync;

/// Asks a store about a conflict.
pub(crate) fn ask<S: Conflicts>(
    store: S,
    key: S::Key,
    held: Option<Version<S::Revision>>,
) -> Asked<S> {
    Box::pin(async move { store.conflict(&key, held.as_ref()).await })
}

impl<S: VersionStore> Disclosure<S> {
    pub(crate) fn is_redacted(&self) -> bool {
        self.redact.is_some()
    }
}

impl<S: VersionStore, F, W> Config<S, F, W> {
    /// As [`refuse`](Self::refuse), with what the store tells about the conflict, where the owner
    /// opted in.
    pub(crate) async fn refuse_disclosing<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        refusal: Refusal,
        client_version: Option<Version<S::Revision>>,
    ) -> Response<B> {
        let Some(ask) = self.disclosure_for(&refusal) else {
            return self.refuse(head, refusal, None);
        };
        let asked = ask(self.store.clone(), key.clone(), client_version);
        match timed(self.tags.scope(), Operation::Conflict, asked).await {
            Ok(Some(mut conflict)) => {
                // Tag and representation come from one row, which may be newer than the one that the
                // decision saw, so the hook is asked about that, too.
                if let Err(denied) = self.authorize(head, key, Some(&conflict.version)) {
                    return denied_response(denied);
                }
                let refusal = refusal.with_current_tag(self.tags.tag(key, &conflict.version));
                let told = match (&self.hooks.disclosure.redact, head.parts()) {
                    (None, _) => Some(&conflict),
                    (Some(redact), Some(parts)) => {
                        redact(parts, key, &mut conflict);
                        Some(&conflict)
                    }
                    // The head is kept wherever there is a hook; what it has not seen does not leave.
                    (Some(_), None) => None,
                };
                self.refuse(head, refusal, told)
            }
            Ok(None) => self.refuse(head, self.vanished(head, refusal), None),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "no conflict metadata"
                );
                self.refuse(head, refusal, None)
            }
        }
    }

    /// The refusal of a resource that vanished after the decision.
    fn vanished(&self, head: Head<'_>, refusal: Refusal) -> Refusal {
        match refusal.failed_condition() {
            _ if !self.settings.policy.creates(head.method()) => Refusal::gone(),
            Some(field @ (Field::IfMatch | Field::IfUnmodifiedSince)) => {
                Refusal::new(Reason::Absent).of_field(field)
            }
            // It existed when If-None-Match was evaluated, and lost when it lost.
            _ => refusal.with_current_tag(None),
        }
    }

    /// What to ask about this refusal, where the owner opted in and whoever asks is authorized: only a
    /// failed precondition is a conflict.
    pub(crate) fn disclosure_for(&self, refusal: &Refusal) -> Option<&Ask<S>> {
        let (_, ask) = self.hooks.disclosure.told.as_ref()?;
        let conflict =
            refusal.status() == StatusCode::PRECONDITION_FAILED && refusal.current_tag().is_some();
        (self.discloses() && conflict).then_some(ask.as_ref())
    }

    /// Whether conflicts are told to anybody.
    pub(crate) fn discloses(&self) -> bool {
        match &self.hooks.disclosure.told {
            Some((Audience::Everybody, _)) => true,
            // The hook has agreed to whoever gets as far as a refusal.
            Some((Audience::Authorized, _)) => self.hooks.authorize.is_some(),
            None => false,
        }
    }
}

/// The member `conflict`.
#[derive(Serialize)]
struct ConflictMember<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<&'a RawValue>,
}

/// Adds what the store told about a conflict. What would make the member longer than the limit is left
/// out, the longest first: a client that misses `current` reads it.
pub(crate) fn with_conflict<R>(problem: Problem, conflict: &Conflict<R>, limit: usize) -> Problem {
    let modified_at = conflict
        .version
        .modified_at()
        .map(|at| HttpDate::from(at).to_rfc3339());
    let mut member = ConflictMember {
        modified_by: conflict.version.modified_by(),
        modified_at: modified_at.as_deref(),
        changed: conflict.changed.as_deref(),
        // What is not JSON is left out: it would break the whole document.
        current: conflict
            .current
            .as_deref()
            .filter(|json| json.len() <= limit)
            .and_then(|json| serde_json::from_str(json).ok()),
    };
    let drops: [fn(&mut ConflictMember<'_>); 3] = [
        |member| member.current = None,
        |member| member.changed = None,
        |member| member.modified_by = None,
    ];
    let mut drops = drops.into_iter();
    let text = loop {
        match serde_json::value::to_raw_value(&member) {
            Ok(text) if text.get().len() <= limit => break Some(text),
            Err(_) => break None,
            Ok(_) => match drops.next() {
                Some(drop) => drop(&mut member),
                None => break None,
            },
        }
    };
    let problem = match &modified_at {
        Some(at) => problem.string_member("last_modified", at),
        None => problem,
    };
    match text {
        Some(text) => problem.member("conflict", &text),
        None => problem,
    }
}

impl<S: VersionStore> Default for Disclosure<S> {
    fn default() -> Self {
        Self {
            told: None,
            redact: None,
            limit: 64 * 1024,
        }
    }
}

impl<S: VersionStore> Clone for Disclosure<S> {
    fn clone(&self) -> Self {
        Self {
            told: self.told.clone(),
            redact: self.redact.clone(),
            limit: self.limit,
        }
    }
}

impl<S: VersionStore> fmt::Debug for Disclosure<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let audience = self.told.as_ref().map(|(audience, _)| audience);
        f.debug_struct("Disclosure")
            .field("audience", &audience)
            .field("redact", &self.is_redacted())
            .field("limit", &self.limit)
            .finish()
    }
}
