use std::borrow::Cow;
use std::sync::Arc;

use http::{Response, StatusCode};
use http_precondition::{EntityTag, Field};

use super::Reason;

/// Why a request was refused: the layer puts it into the extensions of its answer, where a layer
/// outside can read it.
///
/// ```
/// # use http::Response;
/// # use tower_if_match::Refusal;
/// # fn count(_: &str) {}
/// # fn example<B>(answer: &Response<B>) {
/// if let Some(refusal) = answer.extensions().get::<Refusal>() {
///     count(refusal.reason().as_str());
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    reason: Reason,
    status: StatusCode,
    failed: Option<Field>,
    current_tag: Option<EntityTag>,
    scope: Option<Arc<str>>,
}

/// Who was refused, where the owner names clients: beside the refusal in the extensions of the answer.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "metrics"),
    expect(dead_code, reason = "a label of metrics")
)]
pub(crate) struct Refused {
    pub(crate) client: Option<Cow<'static, str>>,
}

impl Refused {
    /// Puts a refusal into the extensions of its answer, and to whom it was made.
    pub(crate) fn mark<B>(
        response: &mut Response<B>,
        refusal: Refusal,
        client: Option<Cow<'static, str>>,
    ) {
        if client.is_some() {
            response.extensions_mut().insert(Self { client });
        }
        response.extensions_mut().insert(refusal);
    }
}

impl Refusal {
    pub(crate) fn new(reason: Reason) -> Self {
        Self {
            reason,
            status: reason.status(),
            failed: None,
            current_tag: None,
            scope: None,
        }
    }

    /// A resource that vanished before a write that would not create it: what a later request would
    /// get from the handler.
    pub(crate) fn gone() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::new(Reason::Absent)
        }
    }

    pub(crate) fn of_field(mut self, field: Field) -> Self {
        self.failed = Some(field);
        self
    }

    /// By the layer of this scope.
    pub(crate) fn by(mut self, scope: &Arc<str>) -> Self {
        self.scope = Some(Arc::clone(scope));
        self
    }

    /// The same without what is true of one item among several.
    #[cfg(feature = "bulk")]
    pub(crate) fn of_several(&self) -> Self {
        Self {
            failed: None,
            current_tag: None,
            ..self.clone()
        }
    }

    pub(crate) fn with_current_tag(mut self, tag: Option<EntityTag>) -> Self {
        self.current_tag = tag;
        self
    }

    /// The stable code.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The condition field that failed or could not be parsed.
    pub fn failed_condition(&self) -> Option<Field> {
        self.failed
    }

    /// The scope of the layer that refused: with one layer inside another it tells which.
    pub fn scope(&self) -> &str {
        self.scope.as_deref().unwrap_or_default()
    }

    /// The entity tag of the current state, where there is one.
    pub fn current_tag(&self) -> Option<&EntityTag> {
        self.current_tag.as_ref()
    }
}
