use std::fmt;

use bytes::Bytes;
use http::{Method, Response};
use serde::Serialize;

use super::draft::Draft;
use crate::refusal::Refusal;

/// The response that a refused request is about to get, for
/// [`Refusals::with_response`](crate::Refusals::with_response).
///
/// [`into_response`](Self::into_response) returns what is sent without such a hook: a problem document, JSON or
/// text, depending on the request's `Accept`.
#[must_use = "a response has no effect unless it is returned"]
pub struct RefusalResponse<'a> {
    pub(super) draft: Draft<'a>,
}

impl RefusalResponse<'_> {
    /// Why the request is refused.
    pub fn refusal(&self) -> &Refusal {
        self.draft.refusal
    }

    /// The method of the request.
    pub fn method(&self) -> &Method {
        self.draft.head.method()
    }

    /// The path of the request, as the client sent it.
    pub fn path(&self) -> &str {
        self.draft.head.instance()
    }

    /// The text of the response, for people.
    pub fn detail(&self) -> &str {
        let draft = &self.draft;
        draft.detail.as_deref().unwrap_or(&draft.text.detail)
    }

    /// Replaces that text, for example in another language, in the document and in the short text.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.draft.detail = Some(detail.into());
        self
    }

    /// Adds an extension member to the problem document (RFC 9457 §3.2), with any value that serialises to
    /// JSON. The short text omits it.
    ///
    /// You cannot add the layer's own members: `type`, `title`, `status`, `detail`, `instance`, `error`, `reason`,
    /// `failed_condition`, `current_etag`, `last_modified`, `conflict`, `items` and `request_id`. A member with such
    /// a name is left out and logged as an error; a value that does not serialise is left out, too. Of two members
    /// with the same name, the last one wins.
    pub fn member(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        if OWN_MEMBERS.contains(&name) {
            tracing::error!(
                name,
                "the refusal response hook must not add the layer's own members"
            );
        } else if let Ok(value) = serde_json::to_value(value) {
            self.draft.added.retain(|(other, _)| other != name);
            self.draft.added.push((name.to_owned(), value));
        }
        self
    }

    /// The response.
    pub fn into_response(self) -> Response<Bytes> {
        self.draft.into_response()
    }
}

const OWN_MEMBERS: [&str; 13] = [
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "error",
    "reason",
    "failed_condition",
    "current_etag",
    "last_modified",
    "conflict",
    "items",
    "request_id",
];

impl fmt::Debug for RefusalResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusalResponse")
            .field("refusal", self.draft.refusal)
            .finish_non_exhaustive()
    }
}
