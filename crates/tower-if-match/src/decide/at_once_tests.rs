//! The short way to "yes" ([`Rules::is_current`]) says it only where the decision does.

use http::{HeaderValue, Method};
use http_precondition::{Conditions, EntityTag, TagCondition};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use version_store::{Demand, Tagging, Version};

use super::{Decision, Policy, Rules};
use crate::tag::TagMint;

const KEY: u64 = 7;

/// What is decided on: a store's tagging, a mint, a policy, a method, and the only line.
#[derive(Clone, Debug)]
struct Case {
    current: Version,
    keys: usize,
    policy: Policy,
    method: Method,
    line: HeaderValue,
    dates_advance: bool,
}

impl Case {
    fn tags(&self) -> TagMint<u64> {
        mint(self.keys)
    }
}

fn mint(keys: usize) -> TagMint<u64> {
    match keys {
        1 => TagMint::with_keys("posts", [[1; 32]]),
        _ => TagMint::with_keys("posts", [[2; 32], [1; 32]]),
    }
}

/// A short way.
type Shortcut = fn(&Rules<'_, u64, u64>, &HeaderValue, &Version) -> bool;

const OURS: Shortcut = |rules, line, current| rules.is_current(line, &KEY, current).is_ok();

/// Whether a short way agrees with the decision on this case: what it lets pass has to pass there, too, with the same
/// demand.
fn agrees(case: &Case, shortcut: Shortcut) -> bool {
    let tags = case.tags();
    let rules = Rules {
        policy: &case.policy,
        tags: &tags,
        dates_advance: case.dates_advance,
    };
    let conditions = Conditions {
        if_match: TagCondition::parse([case.line.as_bytes()]),
        ..Conditions::default()
    };
    let decided = rules.decide(&case.method, &conditions, &KEY, Some(case.current.clone()));
    if !shortcut(&rules, &case.line, &case.current) {
        // What the short way has minted is good for the decision.
        let minted = rules.is_current(&case.line, &KEY, &case.current);
        let knowing = rules.decide_knowing(
            &case.method,
            &conditions,
            &KEY,
            Some(case.current.clone()),
            minted.err().flatten(),
        );
        return format!("{decided:?}") == format!("{knowing:?}");
    }
    matches!(
        decided,
        Decision::Go { demand: Demand::Version(version), waived: None } if version.same_state(&case.current)
    )
}

/// The current version, and tags from which lines are made.
fn current() -> impl Strategy<Value = (Version, usize, Vec<String>)> {
    let own = prop_oneof![
        "[!#-~]{0,20}",
        Just(String::new()),
        Just("a".repeat(8190)),
        Just("a".repeat(8191)),
    ];
    let tagging = (0..4, own).prop_map(|(kind, text)| match kind {
        0 => Tagging::Untagged,
        1 => Tagging::Own(EntityTag::strong(text).unwrap()),
        2 => Tagging::Own(EntityTag::weak(text).unwrap()),
        _ => Tagging::Minted,
    });
    (0..9_u64, 0..3_u64, tagging, 1..3_usize).prop_map(|(revision, incarnation, tagging, keys)| {
        let minted = Version::new(revision).with_incarnation(incarnation);
        let version = match tagging {
            Tagging::Untagged => minted.clone().without_tag(),
            Tagging::Own(tag) => minted.clone().with_own_tag(tag),
            Tagging::Minted => minted.clone(),
        };
        let others = [
            mint(keys).tag(&KEY, &version),
            mint(keys).representation(&KEY, &version, Some("fr.gzip")),
            mint(1).tag(&KEY, &minted),
            mint(2).tag(&KEY, &minted),
            mint(keys).tag(&8, &minted),
            mint(keys).tag(
                &KEY,
                &Version::new(revision + 1).with_incarnation(incarnation),
            ),
            mint(keys).tag(
                &KEY,
                &Version::new(revision).with_incarnation(incarnation + 1),
            ),
        ];
        let mut tags: Vec<_> = others
            .into_iter()
            .flatten()
            .map(|tag| tag.to_string())
            .collect();
        tags.extend(["*", "\"x\"", "", "\"", "W/\"x\""].map(str::to_owned));
        (version, keys, tags)
    })
}

/// A line from one tag or several: as it is, weakened, changed.
fn line(tags: Vec<String>) -> impl Strategy<Value = HeaderValue> {
    let changed = (prop::sample::select(tags), 0..9).prop_map(|(tag, change)| match change {
        0 => format!("W/{tag}"),
        1 => tag.replace("W/", ""),
        2 => format!("{}-gzip\"", tag.trim_end_matches('"')),
        3 => format!("{tag} "),
        4 => tag.trim_matches('"').to_owned(),
        _ => tag,
    });
    let separator = prop::sample::select(&[",", ", ", " "][..]);
    (prop::collection::vec(changed, 1..3), separator)
        .prop_filter_map("no field value", |(tags, separator)| {
            HeaderValue::from_str(&tags.join(separator)).ok()
        })
}

fn policy() -> impl Strategy<Value = Policy> {
    let method = || prop::sample::select(&[Method::PUT, Method::PATCH, Method::POST][..]);
    (any::<[bool; 6]>(), method()).prop_map(|(set, method)| {
        let mut policy = Policy::new();
        if set[0] {
            policy = policy.with_condition_optional(method.clone());
        }
        if set[1] {
            policy = policy.with_condition_exempt(method);
        }
        if set[2] {
            policy = policy.with_creating_methods([Method::PATCH]);
        }
        if set[3] {
            policy = policy.with_wildcard_refused();
        }
        if set[4] {
            policy = policy.with_weakened_tags_accepted();
        }
        if set[5] {
            policy = policy.with_report_only();
        }
        policy
    })
}

fn cases() -> impl Strategy<Value = Case> {
    let methods = [Method::PUT, Method::PATCH, Method::POST, Method::DELETE];
    let method = prop::sample::select(methods.to_vec());
    (current(), policy(), method, any::<bool>()).prop_flat_map(
        |((current, keys, tags), policy, method, dates_advance)| {
            line(tags).prop_map(move |line| Case {
                current: current.clone(),
                keys,
                policy: policy.clone(),
                method: method.clone(),
                line,
                dates_advance,
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_short_way_agrees_with_the_decision(case in cases()) {
        prop_assert!(agrees(&case, OURS), "{case:?}");
    }
}

/// It is taken for what clients nearly always send.
#[test]
fn the_current_tag_takes_the_short_way() {
    let policy = Policy::new();
    for keys in [1, 2] {
        let tags = mint(keys);
        let rules = Rules {
            policy: &policy,
            tags: &tags,
            dates_advance: false,
        };
        let own = Version::new(6).with_own_tag(EntityTag::strong("own").unwrap());
        for version in [Version::new(6).with_incarnation(3), own] {
            let tag = tags.tag(&KEY, &version).unwrap().to_header_value();
            assert!(rules.is_current(&tag, &KEY, &version).is_ok());
            let later = Version::new(7).with_incarnation(3);
            assert!(rules.is_current(&tag, &KEY, &later).is_err());
        }
    }
}

/// The property can fail: each of these short ways is one that someone might write.
#[test]
fn wrong_short_ways_are_found() {
    let wrong: [(&str, Shortcut); 5] = [
        ("a weak tag", |rules, line, current| {
            tag_of(rules, current).is_some_and(|tag| tag == line.as_bytes())
        }),
        ("a prefix", |rules, line, current| {
            tag_of(rules, current)
                .is_some_and(|tag| !tag.starts_with(b"W/") && tag.starts_with(line.as_bytes()))
        }),
        ("a member of a list", |rules, line, current| {
            tag_of(rules, current)
                .is_some_and(|tag| !tag.starts_with(b"W/") && line.as_bytes().starts_with(&tag))
        }),
        ("no limit of length", |rules, line, current| {
            rules
                .tags
                .is_strong_tag(line.as_bytes(), &KEY, current)
                .is_ok()
        }),
        ("without the quotes", |rules, line, current| {
            tag_of(rules, current).is_some_and(|tag| {
                let inner = |text: &[u8]| String::from_utf8_lossy(text).replace('"', "");
                !tag.starts_with(b"W/") && inner(&tag) == inner(line.as_bytes())
            })
        }),
    ];
    for (what, shortcut) in wrong {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let found = (0..20_000).any(|_| {
            let case = cases().new_tree(&mut runner).unwrap().current();
            !agrees(&case, shortcut)
        });
        assert!(found, "{what}");
    }
}

fn tag_of(rules: &Rules<'_, u64, u64>, current: &Version) -> Option<Vec<u8>> {
    let tag = rules.tags.tag(&KEY, current)?;
    Some(tag.as_bytes().to_vec())
}
