use http::Response;
use version_store::{Version, VersionStore};

use super::guard::Guard;
use crate::body::RefusalBody;
use crate::observe::{Operation, timed};
use crate::refusal::Refusal;
use crate::request::Head;
use crate::respond::Told;

impl<S: VersionStore, W> Guard<S, W> {
    /// The response to a refused request, with the store's conflict metadata if you opted in.
    pub(crate) async fn tell<B: RefusalBody>(
        &self,
        head: Head<'_>,
        key: &S::Key,
        refusal: Refusal,
        held: Option<Version<S::Revision>>,
    ) -> Response<B> {
        let responder = &self.config.responder;
        let Some(ask) = self.conflicts.of(&refusal) else {
            return responder.refuse(head, refusal);
        };
        let asked = ask(self.store.clone(), key.clone(), held);
        match timed(self.config.tags.scope(), Operation::Conflict, asked).await {
            Ok(Some(mut conflict)) => {
                // Tag and representation come from one row, which may be newer than the one on which the
                // decision was based, so call the hook for that version, too.
                if let Err(denied) = self.authorize(head.taken(), key, Some(&conflict.version)) {
                    return responder.deny(denied);
                }
                let tag = self.config.tags.tag(key, &conflict.version);
                let refusal = refusal.with_current_tag(tag);
                if let Some(redact) = &self.conflicts.redact {
                    let note = head.taken().and_then(|taken| taken.redaction.as_ref());
                    match note {
                        Some(note) => (redact.then)(&**note, key, &mut conflict),
                        // Every hook takes something; what it has not seen is not disclosed.
                        None => return responder.refuse(head, refusal),
                    }
                }
                responder.refuse_telling(head, refusal, Some(&Told::of(&conflict)))
            }
            Ok(None) => {
                let vanished = self.rules().vanished(head.method(), refusal);
                responder.refuse(head, vanished)
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "no conflict metadata"
                );
                responder.refuse(head, refusal)
            }
        }
    }
}
