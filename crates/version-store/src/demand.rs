use crate::version::Version;

/// What the stored version must be for the write to take place.
///
/// | the request | demand |
/// | --- | --- |
/// | `If-Match` with tags, `If-Unmodified-Since` | [`Version`](Self::Version) the version that the evaluation saw |
/// | `If-Match: *` | [`Exists`](Self::Exists) |
/// | `If-None-Match: *` | [`NotExists`](Self::NotExists) |
/// | no condition, where policy asks for none | [`Any`](Self::Any) |
/// | any, but the resource does not exist and the method would not create it | [`Never`](Self::Never) |
#[derive(Clone, Debug)]
pub enum Demand<R> {
    /// This version and no other.
    Version(Version<R>),
    /// Any version, as long as the resource exists. A write that depends on what it read (a PATCH)
    /// compares with the revision that it read.
    Exists,
    /// No version: the write creates the resource.
    NotExists,
    /// Any version, or none.
    Any,
    /// Nothing may be written. The resource did not exist, so the request's conditions were not
    /// evaluated (RFC 9110 §13.2.1), and the handler responds with 404. If it writes all the same,
    /// because it creates or because the resource has appeared since, it has lost.
    Never,
}

impl<R: PartialEq> Demand<R> {
    /// Whether a resource with this current version may be written.
    pub fn admits(&self, current: Option<&Version<R>>) -> bool {
        match (self, current) {
            (Self::Version(expected), Some(current)) => expected.same_state(current),
            (Self::Exists, Some(_)) | (Self::NotExists, None) | (Self::Any, _) => true,
            (Self::Version(_) | Self::Exists, None)
            | (Self::NotExists, Some(_))
            | (Self::Never, _) => false,
        }
    }
}
