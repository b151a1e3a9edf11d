use super::*;
use crate::tag_list::TagList;

fn tags(text: &str) -> TagCondition {
    TagCondition::parse([text.as_bytes()])
}

fn at(seconds: i64) -> DateCondition {
    DateCondition::At(HttpDate::from_unix(seconds))
}

fn current() -> Representation {
    Representation {
        entity_tag: Some(EntityTag::strong("v1").unwrap()),
        last_modified: Some(HttpDate::from_unix(100)),
    }
}

fn put(conditions: &Conditions, current: Option<&Representation>) -> Verdict {
    evaluate(&Method::PUT, conditions, current, true)
}

#[test]
fn guards() {
    let cases = [
        (Conditions::default(), true, Guard::None),
        (
            Conditions {
                if_match: tags("\"v0\", \"v1\""),
                if_unmodified_since: at(0),
                ..Conditions::default()
            },
            true,
            Guard::Version,
        ),
        (
            Conditions {
                if_match: TagCondition::Any,
                if_none_match: tags("\"v0\""),
                ..Conditions::default()
            },
            true,
            Guard::Existing,
        ),
        (
            Conditions {
                if_unmodified_since: at(100),
                if_none_match: tags("\"v0\""),
                ..Conditions::default()
            },
            true,
            Guard::Date,
        ),
        (
            Conditions {
                if_unmodified_since: DateCondition::Invalid,
                if_none_match: tags("\"v0\""),
                ..Conditions::default()
            },
            true,
            Guard::None,
        ),
        (
            Conditions {
                if_none_match: TagCondition::Any,
                if_unmodified_since: at(0),
                ..Conditions::default()
            },
            false,
            Guard::Absent,
        ),
        (
            Conditions {
                if_none_match: tags("\"v1\""),
                if_unmodified_since: at(0),
                ..Conditions::default()
            },
            false,
            Guard::None,
        ),
    ];
    for (conditions, exists, guard) in cases {
        let current = exists.then(current);
        let verdict = put(&conditions, current.as_ref());
        assert_eq!(verdict, Verdict::Proceed(guard), "{conditions:?}");
        let required = match guard {
            Guard::None => Verdict::Required,
            _ => verdict,
        };
        assert_eq!(verdict.required(), required);
    }
}

#[test]
fn a_defect_comes_before_any_evaluation() {
    let conditions = Conditions {
        if_match: tags("\"v0\""),
        if_none_match: TagCondition::Malformed,
        ..Conditions::default()
    };
    let refused = Verdict::Refused(Field::IfNoneMatch, Defect::Malformed);
    assert_eq!(put(&conditions, Some(&current())), refused);
    assert_eq!(put(&conditions, None), refused);
    let get = evaluate(&Method::GET, &conditions, Some(&current()), false);
    assert_eq!(get, Verdict::Failed(Field::IfMatch));

    let both = Conditions {
        if_match: TagCondition::Oversized,
        ..conditions
    };
    let refused = Verdict::Refused(Field::IfMatch, Defect::Oversized);
    for method in [Method::PUT, Method::GET] {
        assert_eq!(evaluate(&method, &both, Some(&current()), true), refused);
    }
}

#[test]
fn an_unreadable_if_none_match_on_a_read_is_true_and_keeps_the_date_out() {
    for if_none_match in [
        TagCondition::Malformed,
        TagCondition::Oversized,
        TagCondition::Empty,
    ] {
        let conditions = Conditions {
            if_none_match,
            if_modified_since: at(100),
            ..Conditions::default()
        };
        let verdict = evaluate(&Method::GET, &conditions, Some(&current()), false);
        assert_eq!(verdict, Verdict::Proceed(Guard::None));
    }
}

#[test]
fn nothing_is_evaluated_where_the_answer_would_be_404() {
    let conditions = Conditions {
        if_match: TagCondition::Malformed,
        if_none_match: TagCondition::Any,
        ..Conditions::default()
    };
    let absent = None::<&Representation>;
    for (method, creates) in [
        (Method::DELETE, false),
        (Method::PATCH, false),
        (Method::GET, false),
        (Method::GET, true),
        (Method::QUERY, true),
    ] {
        let verdict = evaluate(&method, &conditions, absent, creates);
        assert_eq!(verdict, Verdict::Ignored, "{method}");
        assert_eq!(verdict.required(), Verdict::Ignored);
    }
    for method in [Method::OPTIONS, Method::TRACE, Method::CONNECT] {
        let verdict = evaluate(&method, &conditions, Some(&current()), true);
        assert_eq!(verdict, Verdict::Ignored, "{method}");
    }
}

#[test]
fn the_class_of_a_method_is_case_sensitive() {
    for (name, class) in [
        ("GET", MethodClass::Read),
        ("HEAD", MethodClass::Read),
        ("QUERY", MethodClass::Read),
        ("get", MethodClass::Write),
        ("options", MethodClass::Write),
        ("POST", MethodClass::Write),
        ("PROPFIND", MethodClass::Write),
        ("TRACE", MethodClass::Unconditional),
    ] {
        let method = Method::from_bytes(name.as_bytes()).unwrap();
        assert_eq!(MethodClass::of(&method), class, "{name}");
    }
}

/// RFC 9110 §13.2.2 once more, as its prose reads, over every combination of what the fields and the
/// state can be. It is slower and flatter than the evaluation and shares no code with it.
#[test]
fn every_combination_agrees_with_the_prose() {
    let tag_states = || {
        let list: TagList = match tags("\"v1\", W/\"w1\"") {
            TagCondition::Tags(list) => list,
            other => panic!("{other:?}"),
        };
        [
            TagCondition::Absent,
            TagCondition::Empty,
            TagCondition::Any,
            TagCondition::Tags(list),
            tags("\"v0\""),
            TagCondition::Malformed,
            TagCondition::Oversized,
        ]
    };
    let dates = [
        DateCondition::Absent,
        DateCondition::Invalid,
        at(99),
        at(100),
        at(101),
    ];
    let entity_tags = [
        None,
        Some("\"v1\""),
        Some("W/\"v1\""),
        Some("\"w1\""),
        Some("\"x\""),
    ];
    let mut states = vec![None];
    for tag in entity_tags {
        for last_modified in [None, Some(HttpDate::from_unix(100))] {
            let entity_tag = tag.map(|tag| tag.parse().unwrap());
            states.push(Some(Representation {
                entity_tag,
                last_modified,
            }));
        }
    }
    let methods = [
        Method::GET,
        Method::QUERY,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let mut count = 0;
    for if_match in tag_states() {
        for if_none_match in tag_states() {
            for if_modified_since in dates {
                for if_unmodified_since in dates {
                    let conditions = Conditions {
                        if_match: if_match.clone(),
                        if_none_match: if_none_match.clone(),
                        if_modified_since,
                        if_unmodified_since,
                    };
                    for state in &states {
                        for method in &methods {
                            for creates in [false, true] {
                                let verdict =
                                    evaluate(method, &conditions, state.as_ref(), creates);
                                assert_eq!(
                                    verdict.status().map(|status| status.as_u16()),
                                    prose(method, &conditions, state.as_ref(), creates),
                                    "{method} {conditions:?} {state:?} {creates} {verdict:?}"
                                );
                                count += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(count, 7 * 7 * 5 * 5 * 11 * 5 * 2);
}

fn prose(
    method: &Method,
    conditions: &Conditions,
    state: Option<&Representation>,
    creates: bool,
) -> Option<u16> {
    let read = [Method::GET, Method::QUERY].contains(method);
    let ignored = method == Method::OPTIONS || (state.is_none() && (read || !creates));
    let unreadable = [TagCondition::Malformed, TagCondition::Oversized];
    if ignored {
        return None;
    }
    if unreadable.contains(&conditions.if_match)
        || (!read && unreadable.contains(&conditions.if_none_match))
    {
        return Some(400);
    }
    let listed = |condition: &TagCondition, strong: bool| match (condition, state) {
        (TagCondition::Any, state) => state.is_some(),
        (
            TagCondition::Tags(tags),
            Some(Representation {
                entity_tag: Some(current),
                ..
            }),
        ) => tags.iter().any(|tag| {
            let same = tag.opaque() == current.opaque();
            same && !(strong && (tag.is_weak() || current.is_weak()))
        }),
        _ => false,
    };
    let modified = state.and_then(|state| state.last_modified);
    // Step 1 and step 2.
    if conditions.if_match != TagCondition::Absent {
        if !listed(&conditions.if_match, true) {
            return Some(412);
        }
    } else if let (DateCondition::At(date), Some(modified)) =
        (conditions.if_unmodified_since, modified)
        && modified.unix() > date.unix()
    {
        return Some(412);
    }
    // Step 3 and step 4.
    if conditions.if_none_match != TagCondition::Absent {
        if listed(&conditions.if_none_match, false) {
            return Some(if read { 304 } else { 412 });
        }
    } else if let (true, DateCondition::At(date), Some(modified)) =
        (read, conditions.if_modified_since, modified)
        && modified.unix() <= date.unix()
    {
        return Some(304);
    }
    None
}
