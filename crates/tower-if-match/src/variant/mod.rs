//! The tags of bodies that are encoded outside the layer.
//!
//! # The decision
//!
//! What is encoded outside gets its tag outside, so that is where the conditions of a read that name such
//! tags are evaluated: on the tag that is sent, not on what the encoder might choose.
//!
//! 1. `If-None-Match` of a read with a tag of the mint's form, or `*`, does not go inside, and
//!    `If-Modified-Since` with it, which it overrules (RFC 9110 §13.1.3). `If-Match` with such a tag goes
//!    inside with more tags: those that the listed ones would be without their last codings. So a tag of
//!    another version is refused inside, with the usual document, and any variant of the current state is
//!    accepted, as on a write: a deviation from §13.1.1, which has the representation compared that is sent.
//! 2. A request with `Range` is of what stands inside, because nothing outside may encode a part
//!    (§14.2): all its fields go inside as they are. `If-Range` always does: a coded body has no
//!    parts, so its tag must fit none.
//! 3. A read whose `If-Match` names nothing that is encoded as it accepts, or that has a date and no tag, is
//!    answered plainly, where it accepts that: which of those that it accepts is sent is the server's to
//!    choose (§12.1).
//! 4. `Accept-Encoding` that excludes the plain body loses its exclusions: an encoder that has nothing
//!    acceptable to offer, such as tower-http's, makes 406 of any answer, also of one that says that a write
//!    took place.
//! 5. A success with an entity tag: where the body is encoded, and not by whoever made the tag, a strong
//!    tag of the mint's form gets the coding as its variant, and any other strong tag becomes weak: which
//!    tags of a store's own belong together nobody can tell. Both get `Vary: Accept-Encoding`.
//! 6. What was held back is evaluated on that tag: 304 with exactly the tag that the success would
//!    have had (§15.4.5). A tag of a coding that the request does not accept is none that could
//!    be sent, so it never gives 304; of several tags the 304 names the one that was chosen. The plain
//!    body's tag gives 304 where the request accepts that body, for the reason of 3.
//! 7. A 304 from inside gets `Vary`; its strong tag becomes weak where the request named it weakly.
//!
//! All other answers stay as they are: the tag of a 412 names a state.

mod answer;
mod codings;
mod deferred;
mod future;
mod layer;
mod service;

pub use future::VariedFuture;
pub use layer::VariantLayer;
pub use service::Varied;
