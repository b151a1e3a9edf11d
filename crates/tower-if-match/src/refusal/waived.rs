//! Report-only mode: what would have been refused goes on, and everybody is told.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Response};
use smallvec::SmallVec;
use version_store::VersionStore;

use crate::config::Config;
use crate::refusal::Reason;
use crate::request::Head;
use crate::respond::cut;

/// The field that tells a client, and whoever reads an access log, for what reasons this request would
/// have been refused.
static IF_MATCH_REPORT: HeaderName = HeaderName::from_static("if-match-report");

/// What the report-only mode let go on of one request. It lies in the extensions of the response, where
/// it is counted.
#[derive(Clone, Debug)]
pub(crate) struct Waived {
    pub(crate) reasons: SmallVec<[Reason; 2]>,
    pub(crate) client: Option<Cow<'static, str>>,
    /// The layer's.
    #[cfg_attr(
        not(feature = "metrics"),
        expect(dead_code, reason = "a label of metrics")
    )]
    pub(crate) scope: Arc<str>,
}

impl<S: VersionStore, F, W> Config<S, F, W> {
    /// Lets a request go on that would be refused for this reason, and says so in the log.
    pub(crate) fn waive(&self, head: Head<'_>, reason: Reason) -> Waived {
        let mut waived = head.waived().cloned().unwrap_or_else(|| Waived {
            reasons: SmallVec::new(),
            client: self.client(head),
            scope: Arc::clone(self.tags.scope().name()),
        });
        tracing::warn!(
            method = %head.method(),
            resource = cut(head.instance()),
            status = reason.status().as_u16(),
            reason = reason.as_str(),
            client = waived.client.as_deref(),
            request_id = head.request_id(),
            "would have been refused"
        );
        waived.reasons.push(reason);
        waived
    }
}

impl Waived {
    /// Marks the answer.
    pub(crate) fn mark<B>(self, response: &mut Response<B>) {
        for reason in &self.reasons {
            let reason = HeaderValue::from_static(reason.as_str());
            response.headers_mut().append(&IF_MATCH_REPORT, reason);
        }
        response.extensions_mut().insert(self);
    }
}
