//! The problem types: what the `type` of a refusal's problem document (RFC 9457) points to.
//!
//! Every refusal has `type`, `title`, `status`, `detail`, `instance`, `error` (the type, as a word)
//! and `reason`, a stable code. What else it has stands with its type.
//!
//! # Precondition Failed
//!
//! Status 412 (RFC 9110 §15.5.13). A condition of the request is false, and nothing was written.
//! `failed_condition` names the field. The header field `ETag` and the member `current_etag` tell
//! the current entity tag; both are missing where the resource is gone. Where the owner opted in,
//! `last_modified` and `conflict` tell more: `modified_by`, `modified_at`, `changed` (JSON pointers)
//! and `current`, the representation that `current_etag` is the tag of.
//!
//! | reason | meaning | likely cause | cure for the client | cure for the server |
//! | --- | --- | --- | --- | --- |
//! | `stale_version` | the tag is of a version that has been replaced | someone else wrote | merge with `current`, or read again; send the current tag | none: this is the protection |
//! | `lost_race` | the condition holds, but someone wrote while this request was running | `If-Match: *`, or a list of tags, under contention | try again | none |
//! | `foreign_tag` | a tag of another resource, or of a deleted resource of the same id | tags mixed up; deleted and created again | read again | none |
//! | `weak_tag` | the current version, named weakly | a proxy that compresses weakened the tag | send the tag as the origin sent it | switch off compression in the proxy, or compress inside |
//! | `mangled_tag` | a tag of this service that was changed | a proxy or a client rewrites tags | send the tag as it came | find out what rewrites tags |
//! | `unknown_tag` | no tag of this service | invented, or minted with a key that was withdrawn | read again | keep old keys in `with_tag_keys` for a while |
//! | `absent` | the resource does not exist | it was deleted | `If-None-Match: *` creates it | none |
//! | `exists` | If-None-Match names what exists | someone else created it | read it, then send If-Match | none |
//! | `modified_since` | modified after the date | someone else wrote | read again; better send a tag | none |
//!
//! # Precondition Required
//!
//! Status 428 (RFC 6585 §3), reason `missing_condition`. The request would overwrite without looking. Read
//! the resource and send its tag in If-Match; `current_etag` tells it where the resource exists, but
//! to send that without having read what it names is to overwrite blindly all the same. A condition
//! that guards nothing does not count: tags in If-None-Match, a date in If-Modified-Since, an
//! If-Unmodified-Since that is no valid date or that the store's dates are too coarse for.
//!
//! # Bad Request
//!
//! Status 400. `malformed_condition`: a condition field is not of its grammar (RFC 9110 §13.1); a tag
//! stands in double quotes, weak ones after `W/`, `*` stands alone. `oversized_condition`: it has
//! more than 8192 octets or 64 tags. `failed_condition` names the field. Such a request is never
//! treated as one without a condition.
//!
//! # Not Found
//!
//! Status 404, reason `absent`. The resource vanished between the request's evaluation and its write.
//!
//! # Service Unavailable
//!
//! Status 503, with `Retry-After` but for the last. `store_unavailable`: the store cannot tell the
//! current version, so nothing was evaluated and nothing written. `busy`: the resource could not be had
//! in time. `outcome_unknown`: the write failed at its very end, and whether it took place is not known;
//! read, then decide.
//!
//! # Internal Server Error
//!
//! Status 500: the service is put together wrongly. `unguarded_write`: a handler answered with a success
//! and did not say how its write ended; the write may have happened. The log says whether the
//! handler never took `Expected`, or took it and did not settle it. `unkeyed`: no key can be derived
//! on this route.
