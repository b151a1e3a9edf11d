//! Field names for a CORS policy (Fetch §3.3). Without them, a page on another origin can neither read a tag
//! nor send a condition.
//!
//! ```
//! # fn example() -> tower_http::cors::CorsLayer {
//! use tower_http::cors::{Any, CorsLayer};
//! use tower_if_match::cors;
//!
//! CorsLayer::new()
//!     .allow_origin(Any)
//!     .allow_methods(Any)
//!     .allow_headers(cors::ALLOWED)
//!     .expose_headers(cors::EXPOSED)
//! # }
//! ```
//!
//! Add the fields of your application, such as `Content-Type` and `Location`:
//! `.allow_headers(cors::ALLOWED.into_iter().chain([CONTENT_TYPE]).collect::<Vec<_>>())`. Use a list, not
//! `Any`: the wildcard does not work for requests with credentials.

use http::HeaderName;
use http::header::{
    ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
    RETRY_AFTER,
};

/// The fields that a page must be allowed to send, for `Access-Control-Allow-Headers`.
pub const ALLOWED: [HeaderName; 4] = [
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
];

/// The fields that a page must be allowed to read, for `Access-Control-Expose-Headers`: the validators, when to
/// retry, and what report-only mode would have refused.
pub const EXPOSED: [HeaderName; 4] = [
    ETAG,
    LAST_MODIFIED,
    RETRY_AFTER,
    HeaderName::from_static("if-match-report"),
];
