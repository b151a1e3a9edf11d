//! The fields of a request that the layer reads, found in one walk.

use http::header::{
    ACCEPT, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE,
};
use http_precondition::{Conditions, Field, HttpDate, TagCondition};

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest header section that is walked over. In a longer one, six look-ups are cheaper.
const MOST_WALKED: usize = 32;

/// What stands in a request's header section, before anything of it is parsed.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(super) conditions: ConditionLines<'a>,
    pub(super) accept: Lines<'a>,
    pub(super) request_id: Option<&'a HeaderValue>,
}

/// The condition fields.
#[derive(Clone, Copy)]
pub(super) enum ConditionLines<'a> {
    None,
    /// One line of If-Match or If-None-Match, and nothing else.
    Sole(Field, &'a HeaderValue),
    Several,
}

/// The lines of one field.
#[derive(Clone, Copy)]
pub(super) enum Lines<'a> {
    None,
    One(&'a HeaderValue),
    Several,
}

impl<'a> Fields<'a> {
    #[inline]
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        let mut fields = Self {
            conditions: ConditionLines::None,
            accept: Lines::None,
            request_id: None,
        };
        if headers.len() > MOST_WALKED {
            fields.look_up(headers);
            return fields;
        }
        for (name, value) in headers {
            // Few fields have a name of one of these lengths, and to compare names costs more.
            match name.as_str().len() {
                6 if *name == ACCEPT => fields.accept.add(value),
                8 if *name == IF_MATCH => fields.conditions.add(Field::IfMatch, value),
                12 if *name == X_REQUEST_ID => {
                    fields.request_id.get_or_insert(value);
                }
                13 if *name == IF_NONE_MATCH => fields.conditions.add(Field::IfNoneMatch, value),
                17 if *name == IF_MODIFIED_SINCE => fields.conditions = ConditionLines::Several,
                19 if *name == IF_UNMODIFIED_SINCE => fields.conditions = ConditionLines::Several,
                _ => {}
            }
        }
        fields
    }

    #[cold]
    fn look_up(&mut self, headers: &'a HeaderMap) {
        for (name, field) in [
            (IF_MATCH, Field::IfMatch),
            (IF_NONE_MATCH, Field::IfNoneMatch),
        ] {
            for line in headers.get_all(name) {
                self.conditions.add(field, line);
            }
        }
        if headers.contains_key(IF_MODIFIED_SINCE) || headers.contains_key(IF_UNMODIFIED_SINCE) {
            self.conditions = ConditionLines::Several;
        }
        for line in headers.get_all(ACCEPT) {
            self.accept.add(line);
        }
        self.request_id = headers.get(&X_REQUEST_ID);
    }

    /// Whether no condition was sent.
    pub(crate) fn are_unconditional(&self) -> bool {
        matches!(self.conditions, ConditionLines::None)
    }

    /// The line of If-Match, if it is the only one and there is no other condition.
    pub(crate) fn sole_if_match(&self) -> Option<&'a HeaderValue> {
        match self.conditions {
            ConditionLines::Sole(Field::IfMatch, line) => Some(line),
            _ => None,
        }
    }

    /// The conditions, parsed. `headers` is the section in which the fields were found.
    #[inline]
    pub(crate) fn parse(&self, headers: &HeaderMap, now: impl FnOnce() -> HttpDate) -> Conditions {
        match self.conditions {
            ConditionLines::None => Conditions::default(),
            ConditionLines::Sole(field, line) => parse_sole(field, line),
            ConditionLines::Several => Conditions::from_headers(headers, now),
        }
    }
}

impl<'a> ConditionLines<'a> {
    fn add(&mut self, field: Field, line: &'a HeaderValue) {
        *self = match self {
            Self::None => Self::Sole(field, line),
            Self::Sole(..) | Self::Several => Self::Several,
        };
    }
}

impl<'a> Lines<'a> {
    fn add(&mut self, line: &'a HeaderValue) {
        *self = match self {
            Self::None => Self::One(line),
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

/// The conditions of a request with one line.
#[inline]
pub(super) fn parse_sole(field: Field, line: &HeaderValue) -> Conditions {
    let mut conditions = Conditions::default();
    let parsed = TagCondition::parse([line.as_bytes()]);
    if field == Field::IfNoneMatch {
        conditions.if_none_match = parsed;
    } else {
        conditions.if_match = parsed;
    }
    conditions
}
