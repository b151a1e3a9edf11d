use http::{Response, StatusCode};

use crate::version::Version;

/// A body and the version that it belongs to, both from one row.
///
/// What a read handler returns. The layer makes the entity tag from it, so there is no second lookup,
/// and nothing can get out of step (RFC 9110 §8.8.1: a strong validator changes whenever the
/// representation does).
///
/// If no layer tags it, the response has status 500 and an error is logged: a representation that is
/// silently sent without its tag cannot be written back. A middleware between handler and layer sees
/// that 500. A status that is set afterwards, such as that of a tuple around it, stays.
///
/// ```
/// use version_store::{Version, Versioned};
///
/// let post = Versioned::new(Version::new(6), "the text").with_variant("fr");
/// assert_eq!(post.map(str::len).body(), &8);
/// ```
#[derive(Clone, Debug)]
pub struct Versioned<T, R = u64> {
    version: Version<R>,
    variant: Option<String>,
    body: T,
}

impl<T, R> Versioned<T, R> {
    /// A body of this version.
    pub fn new(version: Version<R>, body: T) -> Self {
        Self {
            version,
            variant: None,
            body,
        }
    }

    /// Names what else the body depends on: a language, a media type, who is looking. Different bodies
    /// of one version need different variants, and so get different strong tags; each of these tags is
    /// good for a write.
    ///
    /// One to 64 of `A–Z a–z 0–9 _ -` and `.`; with anything else the tag is weak, and an error is
    /// logged.
    #[must_use]
    pub fn with_variant(mut self, variant: impl Into<String>) -> Self {
        self.variant = Some(variant.into());
        self
    }

    /// The same version with another body, such as `Json` around it.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Versioned<U, R> {
        Versioned {
            version: self.version,
            variant: self.variant,
            body: f(self.body),
        }
    }

    /// The version.
    pub fn version(&self) -> &Version<R> {
        &self.version
    }

    /// The body.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// The body, without its version.
    pub fn into_body(self) -> T {
        self.body
    }
}

impl<B, R: Clone + Send + Sync + 'static> Versioned<Response<B>, R> {
    /// Marks the response for the layer, for services that are not axum handlers. Its status is 500
    /// until the layer tags it.
    pub fn into_response(self) -> Response<B> {
        let mut response = self.body;
        let mark = Mark {
            version: Some(self.version),
            variant: self.variant,
            status: response.status(),
        };
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(mark);
        response
    }
}

/// What a `Versioned` response carries to the layer, in its extensions.
#[derive(Debug)]
pub struct Mark<R> {
    version: Option<Version<R>>,
    variant: Option<String>,
    status: StatusCode,
}

impl<R: Clone + Send + Sync + 'static> Mark<R> {
    /// Takes the mark off a response: the version, and the variant if there is one. The response gets
    /// its own status back, unless somebody has set another one since.
    pub fn take<B>(response: &mut Response<B>) -> Option<(Version<R>, Option<String>)> {
        let mut mark = response.extensions_mut().remove::<Self>()?;
        let version = mark.version.take()?;
        if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
            *response.status_mut() = mark.status;
        }
        Some((version, mark.variant.take()))
    }
}

impl<R: Clone + Send + Sync + 'static> Mark<R> {
    /// Makes a marked response that cannot be tagged fail, whatever its status.
    pub fn refuse<B>(response: &mut Response<B>) {
        // Dropped with its version, the mark says so in the log.
        if response.extensions_mut().remove::<Self>().is_some() {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
    }
}

/// A clone of a response's extensions need not be tagged, so it logs nothing when it is dropped.
impl<R> Clone for Mark<R> {
    fn clone(&self) -> Self {
        Self {
            version: None,
            variant: None,
            status: self.status,
        }
    }
}

impl<R> Drop for Mark<R> {
    fn drop(&mut self) {
        if self.version.is_some() {
            tracing::error!(
                revision = std::any::type_name::<R>(),
                "a `Versioned` response passed no layer that could tag it"
            );
        }
    }
}
