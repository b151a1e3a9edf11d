use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Response};
use smallvec::SmallVec;

use super::Reason;

/// The field that tells clients, and readers of an access log, why this request would have been refused.
static IF_MATCH_REPORT: HeaderName = HeaderName::from_static("if-match-report");

/// Why a request would have been refused without report-only mode. It is stored in the extensions of the response,
/// where it is counted.
#[derive(Clone, Debug)]
pub(crate) struct Waived {
    pub(crate) reasons: SmallVec<[Reason; 2]>,
    pub(crate) client: Option<Cow<'static, str>>,
    /// The scope of the layer.
    #[cfg_attr(
        not(feature = "metrics"),
        expect(dead_code, reason = "a label of metrics")
    )]
    pub(crate) scope: Arc<str>,
}

impl Waived {
    /// Marks the response.
    pub(crate) fn mark<B>(self, response: &mut Response<B>) {
        for reason in &self.reasons {
            let reason = HeaderValue::from_static(reason.as_str());
            response.headers_mut().append(&IF_MATCH_REPORT, reason);
        }
        response.extensions_mut().insert(self);
    }
}
