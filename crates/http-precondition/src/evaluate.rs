//! The evaluation of preconditions (RFC 9110 §13.2).

use http::{Method, StatusCode};

use crate::conditions::{Conditions, DateCondition, Field, TagCondition};
use crate::date::HttpDate;
use crate::entity_tag::{EntityTag, EntityTagRef};

#[cfg(test)]
mod tests;

/// Evaluates a request's conditions against the current state of its target. Pure and total: the
/// same arguments give the same verdict, and every combination has one.
///
/// `current` is the selected representation's validators, `None` where the target has no current
/// representation. `creates` says whether this method on an absent target would create it; for a
/// target that exists it means nothing.
///
/// The order is that of the [crate documentation](crate#the-decision), which follows §13.2.2.
///
/// ```
/// use http::{HeaderMap, Method};
/// use http_precondition::{
///     Conditions, EntityTag, Field, Guard, HttpDate, Representation, Verdict, evaluate,
/// };
///
/// let mut headers = HeaderMap::new();
/// headers.insert("if-match", "\"v1\"".parse()?);
/// let conditions = Conditions::from_headers(&headers, || HttpDate::from_unix(1_795_167_060));
///
/// let fresh = Representation { entity_tag: Some(EntityTag::strong("v1")?), last_modified: None };
/// let verdict = evaluate(&Method::PUT, &conditions, Some(&fresh), true);
/// assert_eq!(verdict, Verdict::Proceed(Guard::Version));
///
/// let moved = Representation { entity_tag: Some(EntityTag::strong("v2")?), last_modified: None };
/// let verdict = evaluate(&Method::PUT, &conditions, Some(&moved), true);
/// assert_eq!(verdict, Verdict::Failed(Field::IfMatch));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate<V: Validators + ?Sized>(
    method: &Method,
    conditions: &Conditions,
    current: Option<&V>,
    creates: bool,
) -> Verdict {
    let class = MethodClass::of(method);
    let evaluated = match class {
        MethodClass::Unconditional => false,
        MethodClass::Read => current.is_some(),
        MethodClass::Write => current.is_some() || creates,
    };
    if !evaluated {
        return Verdict::Ignored;
    }

    // Both fields before either is evaluated: whether a request is well-formed does not depend on
    // the state.
    if let Some(defect) = Defect::of(&conditions.if_match) {
        return Verdict::Refused(Field::IfMatch, defect);
    }
    if class == MethodClass::Write
        && let Some(defect) = Defect::of(&conditions.if_none_match)
    {
        return Verdict::Refused(Field::IfNoneMatch, defect);
    }

    let modified = || current.and_then(Validators::last_modified);
    let mut guard = match (&conditions.if_match, current) {
        (TagCondition::Any, Some(_)) => Guard::Existing,
        (TagCondition::Tags(tags), Some(current))
            if tags.iter().any(|tag| current.strong_match(tag)) =>
        {
            Guard::Version
        }
        (TagCondition::Absent, _) => match (conditions.if_unmodified_since, modified()) {
            (DateCondition::At(date), Some(modified)) if modified > date => {
                return Verdict::Failed(Field::IfUnmodifiedSince);
            }
            (DateCondition::At(_), Some(_)) => Guard::Date,
            _ => Guard::None,
        },
        _ => return Verdict::Failed(Field::IfMatch),
    };

    let found = match (&conditions.if_none_match, current) {
        (TagCondition::Any, Some(_)) => true,
        (TagCondition::Any, None) => {
            guard = Guard::Absent;
            false
        }
        (TagCondition::Tags(tags), Some(current)) => tags.iter().any(|tag| current.weak_match(tag)),
        _ => false,
    };
    match (found, class) {
        (true, MethodClass::Read) => return Verdict::NotModified(Field::IfNoneMatch),
        (true, _) => return Verdict::Failed(Field::IfNoneMatch),
        (false, _) => {}
    }

    if class == MethodClass::Read
        && matches!(conditions.if_none_match, TagCondition::Absent)
        && let DateCondition::At(date) = conditions.if_modified_since
        && modified().is_some_and(|modified| modified <= date)
    {
        return Verdict::NotModified(Field::IfModifiedSince);
    }
    Verdict::Proceed(guard)
}

/// What a current representation can be compared by.
///
/// An implementer owes the comparisons of RFC 9110 §8.8.3.2: a weak tag on either side never
/// matches strongly, and what matches strongly matches weakly. A server that recognises more tags
/// than the one that it would send, such as those of other content codings, implements this itself;
/// [`Representation`] is the plain case.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no validators to evaluate preconditions against",
    note = "pass a `Representation`, or implement `Validators` for your own type"
)]
pub trait Validators {
    /// Whether the tag is the representation's under the strong comparison. For `If-Match`.
    fn strong_match(&self, tag: EntityTagRef<'_>) -> bool;

    /// Whether the tag is the representation's under the weak comparison. For `If-None-Match`.
    fn weak_match(&self, tag: EntityTagRef<'_>) -> bool;

    /// When the representation was last modified, rounded down to the second; `None` where that is
    /// not known, which makes every date condition one to ignore.
    fn last_modified(&self) -> Option<HttpDate>;
}

/// The validators of a representation as they stand in its fields.
///
/// ```
/// use http_precondition::{EntityTag, HttpDate, Representation, Validators};
///
/// let current = Representation {
///     entity_tag: Some(EntityTag::weak("v1").unwrap()),
///     last_modified: Some(HttpDate::from_unix(784_111_777)),
/// };
/// let sent = EntityTag::weak("v1").unwrap();
/// assert!(current.weak_match(sent.as_tag()));
/// assert!(!current.strong_match(sent.as_tag()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Representation {
    /// The `ETag`, if it has one.
    pub entity_tag: Option<EntityTag>,
    /// The `Last-Modified`, if it has one.
    pub last_modified: Option<HttpDate>,
}

impl Validators for Representation {
    fn strong_match(&self, tag: EntityTagRef<'_>) -> bool {
        self.entity_tag
            .as_ref()
            .is_some_and(|current| current.strong_eq(tag))
    }

    fn weak_match(&self, tag: EntityTagRef<'_>) -> bool {
        self.entity_tag
            .as_ref()
            .is_some_and(|current| current.weak_eq(tag))
    }

    fn last_modified(&self) -> Option<HttpDate> {
        self.last_modified
    }
}

/// How preconditions apply to a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MethodClass {
    /// GET, HEAD and QUERY: select a representation and leave it as it is. A true `If-None-Match`
    /// match is 304.
    ///
    /// QUERY is counted here after RFC 10008, which answers 304 to it; RFC 9110 alone names GET and
    /// HEAD.
    Read,
    /// Every other method, the unknown included: it may change its target. Names are case-sensitive
    /// (RFC 9110 §9.1), so `put` is an unknown method.
    Write,
    /// OPTIONS, TRACE and CONNECT: they neither select nor modify a representation, and
    /// preconditions on them are ignored (§13.2.1).
    Unconditional,
}

impl MethodClass {
    /// The class of a method.
    ///
    /// ```
    /// use http::Method;
    /// use http_precondition::MethodClass;
    ///
    /// assert_eq!(MethodClass::of(&Method::HEAD), MethodClass::Read);
    /// assert_eq!(MethodClass::of(&Method::DELETE), MethodClass::Write);
    /// assert_eq!(MethodClass::of(&Method::OPTIONS), MethodClass::Unconditional);
    /// ```
    pub fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::QUERY => Self::Read,
            Method::OPTIONS | Method::TRACE | Method::CONNECT => Self::Unconditional,
            _ => Self::Write,
        }
    }
}

/// What an evaluation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a verdict that nobody looks at lets every request through"]
pub enum Verdict {
    /// Nothing was evaluated (§13.2.1): OPTIONS, TRACE, CONNECT, or an absent target that the
    /// method does not create, where the answer without conditions would be 404.
    Ignored,
    /// Every condition is true, or there is none. The guard says what of it protects a write.
    Proceed(Guard),
    /// 304: the client has the current representation, by this field.
    NotModified(Field),
    /// 412: this field's condition is false.
    Failed(Field),
    /// 400: this field cannot be evaluated, and to pass it over would drop a protection that the
    /// client asked for.
    Refused(Field, Defect),
    /// 428: nothing protects the write and the gate is closed. Only [`Verdict::required`] gives it.
    Required,
}

impl Verdict {
    /// The gate of RFC 6585 §3: a request that nothing guards becomes [`Verdict::Required`]. All
    /// else stays, and what was not evaluated stays ignored. For requests whose method is a
    /// [`MethodClass::Write`].
    ///
    /// ```
    /// use http_precondition::{Guard, Verdict};
    ///
    /// assert_eq!(Verdict::Proceed(Guard::None).required(), Verdict::Required);
    /// assert_eq!(Verdict::Proceed(Guard::Version).required(), Verdict::Proceed(Guard::Version));
    /// assert_eq!(Verdict::Ignored.required(), Verdict::Ignored);
    /// ```
    pub fn required(self) -> Self {
        match self {
            Self::Proceed(Guard::None) => Self::Required,
            other => other,
        }
    }

    /// The status of the answer, or `None` where the request goes on.
    ///
    /// ```
    /// use http::StatusCode;
    /// use http_precondition::{Field, Guard, Verdict};
    ///
    /// assert_eq!(Verdict::Failed(Field::IfMatch).status(), Some(StatusCode::PRECONDITION_FAILED));
    /// assert_eq!(Verdict::Proceed(Guard::None).status(), None);
    /// ```
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Ignored | Self::Proceed(_) => None,
            Self::NotModified(_) => Some(StatusCode::NOT_MODIFIED),
            Self::Failed(_) => Some(StatusCode::PRECONDITION_FAILED),
            Self::Refused(..) => Some(StatusCode::BAD_REQUEST),
            Self::Required => Some(StatusCode::PRECONDITION_REQUIRED),
        }
    }
}

/// What a true evaluation says about the state, and so protects a write against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// Nothing: no condition, one that had to be ignored, or only tags in `If-None-Match`, which
    /// exclude some states and leave every other.
    None,
    /// `If-Unmodified-Since`, really evaluated: no `If-Match` beside it, a valid date, a target
    /// with a date. As good as the store's dates: two writes within one second share one.
    Date,
    /// `If-Match: *`: some representation exists.
    Existing,
    /// `If-None-Match: *`: none exists.
    Absent,
    /// A member of the `If-Match` list is the current tag.
    Version,
}

/// Why a field cannot be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    /// See [`TagCondition::Malformed`].
    Malformed,
    /// See [`TagCondition::Oversized`].
    Oversized,
}

impl Defect {
    fn of(condition: &TagCondition) -> Option<Self> {
        match condition {
            TagCondition::Malformed => Some(Self::Malformed),
            TagCondition::Oversized => Some(Self::Oversized),
            _ => None,
        }
    }
}
