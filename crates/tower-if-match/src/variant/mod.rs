//! The tags of bodies that are encoded outside the layer.
//!
//! # The decision
//!
//! A body that is encoded outside gets its tag outside, so the conditions of a read that name such tags are
//! evaluated there, too: on the tag of the response, not on what the encoder might choose.
//!
//! 1. If the `If-None-Match` of a read has a tag of the mint's form, or is `*`, it is removed from the request,
//!    together with `If-Modified-Since`, which it overrides (RFC 9110 §13.1.3). An `If-Match` with such a tag is
//!    passed on with more tags: the listed ones without their last codings. So a tag of another version is
//!    refused inside, with the usual document, and any variant of the current state is accepted, as on a write.
//!    That is a deviation from §13.1.1, which compares the representation that is sent.
//! 2. A request with `Range` is passed on unchanged, because nothing outside may encode a part (§14.2). So is
//!    `If-Range` on any request: an encoded body has no parts, so its tag must never match.
//! 3. If the `If-Match` of a read names no coding that the request accepts, or the read has a date and no tag, the
//!    response is not encoded, provided the request accepts that: the server may choose any representation that
//!    the client accepts (§12.1).
//! 4. If `Accept-Encoding` excludes the plain body, its exclusions are removed: an encoder such as tower-http's
//!    that has nothing acceptable to offer turns any response into 406, even one that reports a successful write.
//! 5. On a success with an entity tag whose body is encoded, but was not when the tag was made, a strong tag of the
//!    mint's form gets the coding as its variant. Any other strong tag becomes weak, because it is impossible to
//!    tell which of a store's own tags belong together. Both get `Vary: Accept-Encoding`.
//! 6. The deferred conditions are evaluated on that tag: a 304 carries exactly the tag that the success would have
//!    had (§15.4.5). A tag with a coding that the request does not accept could not be sent, so it never leads to
//!    304; of several tags the 304 carries the one that was chosen. The plain body's tag leads to 304 if the
//!    request accepts that body, for the same reason as in 3.
//! 7. A 304 from inside gets `Vary`; its strong tag becomes weak if the request named it weakly.
//!
//! All other responses stay as they are: the tag of a 412 names a state.

mod accept_encoding;
mod answer;
mod deferred;
mod future;
mod layer;
mod service;

pub use future::VariedFuture;
pub use layer::VariantLayer;
pub use service::Varied;
