//! The decision as a table, without a runtime, a store or a request.

use http::Method;
use http_precondition::{Conditions, DateCondition, EntityTag, HttpDate, TagCondition};
use version_store::{Demand, Version};

use super::*;
use crate::tag::TagMint;

const KEY: u64 = 7;

fn tags() -> TagMint<u64> {
    TagMint::new("posts")
}

fn version(revision: u64) -> Version {
    Version::new(revision).with_modified_at(std::time::UNIX_EPOCH)
}

fn tag_of(key: u64, revision: u64) -> EntityTag {
    tags().tag(&key, &version(revision)).unwrap()
}

/// What a request says, in short.
#[derive(Clone, Copy, Debug)]
enum Says {
    Nothing,
    /// `If-Match` with the tag of the current version, 6.
    Fits,
    /// `If-Match` with the tag of version 5.
    Stale,
    /// `If-Match` with another resource's tag.
    Foreign,
    /// `If-Match` with the current tag, weakened.
    Weak,
    /// `If-Match: *`
    Any,
    Malformed,
    /// `If-None-Match: *`
    NoneMatchAny,
    /// `If-None-Match` with the tag of version 5.
    NoneMatchStale,
    /// `If-Unmodified-Since` the current version.
    Date,
}

impl Says {
    fn conditions(self) -> Conditions {
        let list = |tag: String| TagCondition::parse([tag.as_bytes()]);
        let mut conditions = Conditions::default();
        match self {
            Self::Nothing => {}
            Self::Fits => conditions.if_match = list(tag_of(KEY, 6).to_string()),
            Self::Stale => conditions.if_match = list(tag_of(KEY, 5).to_string()),
            Self::Foreign => conditions.if_match = list(tag_of(8, 6).to_string()),
            Self::Weak => conditions.if_match = list(format!("W/{}", tag_of(KEY, 6))),
            Self::Any => conditions.if_match = list("*".to_owned()),
            Self::Malformed => conditions.if_match = list("v6".to_owned()),
            Self::NoneMatchAny => conditions.if_none_match = list("*".to_owned()),
            Self::NoneMatchStale => {
                conditions.if_none_match = list(tag_of(KEY, 5).to_string());
            }
            Self::Date => {
                conditions.if_unmodified_since =
                    DateCondition::At(HttpDate::from(std::time::UNIX_EPOCH));
            }
        }
        conditions
    }
}

/// A decision in a word: what is demanded, with what is waived, or why it is refused.
fn word(decision: &Decision<u64>) -> String {
    match decision {
        Decision::Go { demand, waived } => {
            let demand = match demand {
                Demand::Version(version) => format!("version {}", version.revision()),
                Demand::Exists => "exists".to_owned(),
                Demand::NotExists => "not exists".to_owned(),
                Demand::Any => "any".to_owned(),
                Demand::Never => "never".to_owned(),
            };
            match waived {
                Some(reason) => format!("go: {demand}, waived {reason}"),
                None => format!("go: {demand}"),
            }
        }
        Decision::Absent => "absent".to_owned(),
        Decision::Refuse(refusal, held) => {
            let held = held
                .as_ref()
                .map(|held| format!(", holds {}", held.revision()));
            format!(
                "{} {}{}",
                refusal.status().as_u16(),
                refusal.reason(),
                held.unwrap_or_default()
            )
        }
    }
}

fn decided(
    policy: &Policy,
    dates_advance: bool,
    method: &Method,
    says: Says,
    current: Option<u64>,
) -> String {
    let tags = tags();
    let rules = Rules {
        policy,
        tags: &tags,
        dates_advance,
    };
    let current = current.map(version);
    word(&rules.decide(method, &says.conditions(), &KEY, current))
}

/// Method, what the request says, the current version, what becomes of it.
type Row = (Method, Says, Option<u64>, &'static str);

fn hold(policy: &Policy, dates_advance: bool, rows: &[Row]) {
    for (method, says, current, expected) in rows {
        let word = decided(policy, dates_advance, method, *says, *current);
        assert_eq!(word, *expected, "{method} {says:?} on {current:?}");
    }
}

#[test]
fn by_default_every_write_needs_a_condition_and_only_put_creates() {
    let put = || Method::PUT;
    let patch = || Method::PATCH;
    hold(
        &Policy::new(),
        false,
        &[
            (put(), Says::Nothing, Some(6), "428 missing_condition"),
            (put(), Says::Nothing, None, "428 missing_condition"),
            (put(), Says::Fits, Some(6), "go: version 6"),
            (put(), Says::Stale, Some(6), "412 stale_version, holds 5"),
            (put(), Says::Foreign, Some(6), "412 foreign_tag"),
            (put(), Says::Weak, Some(6), "412 weak_tag"),
            (put(), Says::Any, Some(6), "go: exists"),
            (put(), Says::Malformed, Some(6), "400 malformed_condition"),
            (put(), Says::Fits, None, "412 absent"),
            (put(), Says::Any, None, "412 absent"),
            (put(), Says::NoneMatchAny, None, "go: not exists"),
            (put(), Says::NoneMatchAny, Some(6), "412 exists"),
            (
                put(),
                Says::NoneMatchStale,
                Some(6),
                "428 missing_condition",
            ),
            (put(), Says::Date, Some(6), "428 missing_condition"),
            (patch(), Says::Fits, Some(6), "go: version 6"),
            (patch(), Says::Fits, None, "absent"),
            (patch(), Says::Nothing, None, "absent"),
            (patch(), Says::Malformed, None, "absent"),
            (
                Method::DELETE,
                Says::Stale,
                Some(6),
                "412 stale_version, holds 5",
            ),
        ],
    );
}

#[test]
fn what_was_sent_is_held_to_under_any_policy() {
    let put = || Method::PUT;
    for policy in [
        Policy::new().with_condition_optional(Method::PUT),
        Policy::new().with_condition_exempt(Method::PUT),
    ] {
        hold(
            &policy,
            false,
            &[
                (put(), Says::Nothing, Some(6), "go: any"),
                (put(), Says::Nothing, None, "go: any"),
                (put(), Says::Fits, Some(6), "go: version 6"),
                (put(), Says::Stale, Some(6), "412 stale_version, holds 5"),
                (put(), Says::Malformed, Some(6), "400 malformed_condition"),
                (put(), Says::NoneMatchStale, Some(6), "go: any"),
                (put(), Says::Date, Some(6), "go: version 6"),
                (
                    Method::PATCH,
                    Says::Nothing,
                    Some(6),
                    "428 missing_condition",
                ),
            ],
        );
    }
}

#[test]
fn report_only_waives_428_and_nothing_else() {
    let put = || Method::PUT;
    hold(
        &Policy::new().with_report_only(),
        false,
        &[
            (
                put(),
                Says::Nothing,
                Some(6),
                "go: any, waived missing_condition",
            ),
            (
                put(),
                Says::NoneMatchStale,
                Some(6),
                "go: any, waived missing_condition",
            ),
            (
                put(),
                Says::Date,
                Some(6),
                "go: version 6, waived missing_condition",
            ),
            (put(), Says::Fits, Some(6), "go: version 6"),
            (put(), Says::Stale, Some(6), "412 stale_version, holds 5"),
            (put(), Says::Malformed, Some(6), "400 malformed_condition"),
        ],
    );
}

#[test]
fn options_and_the_stores_word_change_one_verdict_each() {
    let put = || Method::PUT;
    let wildcard = Policy::new().with_wildcard_refused();
    hold(
        &wildcard,
        false,
        &[
            (put(), Says::Any, Some(6), "428 missing_condition"),
            (put(), Says::Any, None, "412 absent"),
            (put(), Says::Fits, Some(6), "go: version 6"),
        ],
    );
    let weakened = Policy::new().with_weakened_tags_accepted();
    hold(
        &weakened,
        false,
        &[(put(), Says::Weak, Some(6), "go: version 6")],
    );
    hold(
        &Policy::new(),
        true,
        &[
            (put(), Says::Date, Some(6), "go: version 6"),
            (put(), Says::Date, None, "428 missing_condition"),
        ],
    );
    let creating = Policy::new().with_creating_methods([Method::PATCH]);
    hold(
        &creating,
        false,
        &[
            (Method::PATCH, Says::NoneMatchAny, None, "go: not exists"),
            (put(), Says::NoneMatchAny, None, "absent"),
        ],
    );
}

#[test]
fn a_write_that_lost_its_race_gets_what_a_later_request_would_get() {
    let tags = tags();
    let decided = |policy: &Policy, method: Method, says: Says, current: Option<u64>| {
        let rules = Rules {
            policy,
            tags: &tags,
            dates_advance: false,
        };
        let current = current.map(version);
        word(&rules.decide_lost(&method, &says.conditions(), &KEY, current))
    };
    let closed = Policy::new();
    let put = Method::PUT;
    for (says, current, expected) in [
        (Says::Stale, Some(6), "412 stale_version, holds 5"),
        (Says::Fits, None, "412 absent"),
        // The condition holds, also where it is the one that was raced for.
        (Says::Any, Some(6), "412 lost_race"),
        (Says::Fits, Some(6), "412 lost_race"),
        (Says::NoneMatchAny, Some(6), "412 exists"),
        (Says::NoneMatchAny, None, "412 lost_race"),
    ] {
        let word = decided(&closed, put.clone(), says, current);
        assert_eq!(word, expected, "{says:?} on {current:?}");
    }
    for says in [Says::Fits, Says::Any, Says::Nothing] {
        let gone = decided(&closed, Method::PATCH, says, None);
        assert_eq!(gone, "404 absent", "{says:?}");
    }
    let optional = Policy::new().with_condition_optional(Method::PATCH);
    let lost = decided(&optional, Method::PATCH, Says::Nothing, Some(6));
    assert_eq!(lost, "412 lost_race");
    let gone = decided(&optional, Method::PATCH, Says::Nothing, None);
    assert_eq!(gone, "404 absent");
}

/// The one resource that a store is not even asked about.
#[test]
fn nobody_is_asked_where_nothing_is_required_and_nothing_was_sent() {
    let tags = tags();
    let exempt = Policy::new().with_condition_exempt(Method::POST);
    let rules = Rules {
        policy: &exempt,
        tags: &tags,
        dates_advance: false,
    };
    let unasked = |method: &Method, says: Says| {
        let decision = rules.decide_unasked(method, says.conditions().is_empty());
        decision.as_ref().map(word)
    };
    assert_eq!(
        unasked(&Method::POST, Says::Nothing).as_deref(),
        Some("go: any")
    );
    assert_eq!(unasked(&Method::POST, Says::Fits), None);
    assert_eq!(unasked(&Method::PUT, Says::Nothing), None);
    let optional = Policy::new().with_condition_optional(Method::PUT);
    let rules = Rules {
        policy: &optional,
        ..rules
    };
    let asked = rules.decide_unasked(&Method::PUT, true);
    assert!(asked.is_none());
}
