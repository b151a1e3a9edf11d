use http::Response;
use version_store::VersionStore;

use super::guard::{ErrorResponse, Guard};
use crate::body::RefusalBody;
use crate::refusal::{Reason, Refusal};
use crate::request::Head;
use crate::strategy::OpenError;

impl<S: VersionStore, W> Guard<S, W> {
    /// The response if the resource could not be acquired.
    pub(crate) fn not_opened<B: RefusalBody>(
        &self,
        head: Head<'_>,
        error: &OpenError<S::Error>,
    ) -> Response<B> {
        match error {
            OpenError::Store(error) => self.unavailable(head, error),
            OpenError::Busy => {
                let responder = &self.config.responder;
                responder.refuse(head, Refusal::new(Reason::Busy))
            }
        }
    }

    /// The response if the store fails. "Unknown" never means "absent".
    pub(crate) fn unavailable<B: RefusalBody>(
        &self,
        head: Head<'_>,
        error: &S::Error,
    ) -> Response<B> {
        let reason = match self.error_response.and_then(|of| of(error)) {
            Some(ErrorResponse::Carried(response)) => return response.map(B::from_text),
            Some(ErrorResponse::Refused(reason)) => reason,
            None if S::is_busy(error) => Reason::Busy,
            None => Reason::StoreUnavailable,
        };
        tracing::error!(
            error = error as &dyn std::error::Error,
            "the store cannot tell the current version"
        );
        self.config.responder.refuse(head, Refusal::new(reason))
    }
}
