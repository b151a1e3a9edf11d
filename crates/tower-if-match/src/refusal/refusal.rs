use std::borrow::Cow;
use std::sync::Arc;

use http::{Response, StatusCode};
use http_precondition::{EntityTag, Field};

use super::Reason;

/// Why a request was refused. The layer puts it into the extensions of its response, where a layer outside can
/// read it.
///
/// ```
/// # use http::Response;
/// # use tower_if_match::Refusal;
/// # fn count(_: &str) {}
/// # fn example<B>(response: &Response<B>) {
/// if let Some(refusal) = response.extensions().get::<Refusal>() {
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

/// Who was refused, if you name clients. It is next to the refusal in the response's extensions.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "metrics"),
    expect(dead_code, reason = "a label of metrics")
)]
pub(crate) struct Refused {
    pub(crate) client: Option<Cow<'static, str>>,
}

impl Refused {
    /// Puts a refusal into the extensions of its response, with the name of the client.
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

    /// The resource vanished before a write that would not create it: what a later request would get from the
    /// handler.
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

    /// Names the scope of the layer that refused.
    pub(crate) fn by(mut self, scope: &Arc<str>) -> Self {
        self.scope = Some(Arc::clone(scope));
        self
    }

    /// The same without what applies only to one item among several.
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

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The condition field that failed or could not be parsed.
    pub fn failed_condition(&self) -> Option<Field> {
        self.failed
    }

    /// The scope of the layer that refused. If layers are nested, it identifies the one.
    pub fn scope(&self) -> &str {
        self.scope.as_deref().unwrap_or_default()
    }

    /// The entity tag of the current state, if there is one.
    pub fn current_tag(&self) -> Option<&EntityTag> {
        self.current_tag.as_ref()
    }
}
