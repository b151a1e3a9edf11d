//! HTTP preconditions, pure: what `If-Match`, `If-None-Match`, `If-Modified-Since` and
//! `If-Unmodified-Since` say, and what a server owes the request that sends them (RFC 9110 §8.8,
//! §13; RFC 6585 §3; RFC 9457).
//!
//! No I/O, no async, no clock: everything is a function of its arguments. The parsers take any
//! octets without a panic, in linear time, and without an allocation where a field is of ordinary
//! size.
//!
//! # The decision
//!
//! [`evaluate`] takes the method, the [`Conditions`], the current [`Validators`] if there is a
//! representation, and whether the method would create an absent target. It decides in this order:
//!
//! 1. **Does anything apply?** OPTIONS, TRACE and CONNECT evaluate nothing. An absent target
//!    evaluates nothing unless the method would create it, because the answer without conditions
//!    would be 404 (§13.2.1). → [`Verdict::Ignored`]
//! 2. **Can it be read?** A malformed or oversized `If-Match`, or on a write such an
//!    `If-None-Match`, is refused before any field is evaluated: read as "no condition" it would
//!    fail open. → [`Verdict::Refused`], 400
//! 3. **`If-Match`**, where present: `*` needs a representation, a list needs a member that matches
//!    strongly; an empty list matches nothing. → [`Verdict::Failed`], 412
//! 4. **`If-Unmodified-Since`**, only without `If-Match`, with a valid date, and where the target
//!    has a date: not modified after it. → [`Verdict::Failed`], 412
//! 5. **`If-None-Match`**, where present: `*` needs that there is no representation, a list needs
//!    that no member matches weakly. → [`Verdict::NotModified`], 304, on a read;
//!    [`Verdict::Failed`], 412, on a write
//! 6. **`If-Modified-Since`**, only on a read, without `If-None-Match`, with a valid date, and
//!    where the target has a date: modified after it. → [`Verdict::NotModified`], 304
//! 7. Everything that applied was true. → [`Verdict::Proceed`] with a [`Guard`] that says what this
//!    protects a write against
//! 8. The gate, for writes on routes that demand a condition: [`Verdict::required`] turns "proceed,
//!    guarded by nothing" into [`Verdict::Required`], 428.
//!
//! Steps 3 to 6 are steps 1 to 4 of §13.2.2; its step 5, `If-Range`, belongs to whoever answers
//! ranges.
//!
//! # Truth tables
//!
//! A tag field on a target that exists or not. "match" is strong for `If-Match`, weak for
//! `If-None-Match`:
//!
//! | field value | `If-Match`, exists | `If-Match`, absent | `If-None-Match`, exists | `If-None-Match`, absent |
//! | --- | --- | --- | --- | --- |
//! | `*` | true, [`Existing`](Guard::Existing) | false | false | true, [`Absent`](Guard::Absent) |
//! | list with a match | true, [`Version`](Guard::Version) | – | false | – |
//! | list without a match | false | false | true, no guard | true, no guard |
//! | empty | false | false | true, no guard | true, no guard |
//! | malformed, oversized | 400 | 400 | write: 400; read: true | 400 |
//!
//! "Absent" is a write that would create the target; every other request to an absent target is
//! step 1. On a read an unreadable `If-None-Match` costs the client a full answer and nobody a
//! write, so it counts as true, and it still keeps `If-Modified-Since` out.
//!
//! A date field on a target that exists:
//!
//! | | target has no date | modified before or at the date | modified after |
//! | --- | --- | --- | --- |
//! | `If-Unmodified-Since`, valid, no `If-Match` | ignored | true, [`Date`](Guard::Date) | false: 412 |
//! | `If-Modified-Since`, valid, a read, no `If-None-Match` | ignored | false: 304 | true |
//! | either, anything else | ignored | ignored | ignored |
//!
//! # Example
//!
//! ```
//! use http::{HeaderMap, Method, StatusCode};
//! use http_precondition::{
//!     Conditions, EntityTag, HttpDate, PROBLEM_JSON, Problem, Representation, evaluate,
//! };
//!
//! let headers = HeaderMap::new(); // a PUT that forgot its condition
//! let tag = EntityTag::strong("v1")?;
//! let current = Representation { entity_tag: Some(tag), last_modified: None };
//!
//! let conditions = Conditions::from_headers(&headers, || std::time::SystemTime::now().into());
//! let verdict = evaluate(&Method::PUT, &conditions, Some(&current), true).required();
//! assert_eq!(verdict.status(), Some(StatusCode::PRECONDITION_REQUIRED));
//!
//! let body = Problem::new(StatusCode::PRECONDITION_REQUIRED, "A condition is required")
//!     .detail("Send If-Match with the ETag that you read.")
//!     .into_json();
//! let response = http::Response::builder()
//!     .status(StatusCode::PRECONDITION_REQUIRED)
//!     .header(http::header::CONTENT_TYPE, PROBLEM_JSON)
//!     .body(body)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Linear time
//!
//! [`TagCondition::parse`] copies at most [`MAX_FIELD_OCTETS`] octets and refuses a longer value
//! before it scans it. The scan moves one index, forwards only, and does a bounded number of
//! comparisons at each octet; the wildcard, the one place that looks at the whole value, ends it.
//! There is no backtracking, no recursion and no table that grows with the input, so no octets take
//! more than a constant number of steps each.

mod conditions;
mod date;
mod entity_tag;
mod evaluate;
mod problem;
mod scanner;
mod tag_list;

pub use conditions::{Conditions, DateCondition, Field, MAX_FIELD_OCTETS, MAX_TAGS, TagCondition};
pub use date::HttpDate;
pub use entity_tag::{EntityTag, EntityTagRef, InvalidEntityTag};
pub use evaluate::{Defect, Guard, MethodClass, Representation, Validators, Verdict, evaluate};
pub use problem::{PROBLEM_JSON, Problem};
pub use tag_list::{TagList, Tags};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
