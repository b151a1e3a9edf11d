//! What the register takes for a history of its own, and what it does not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use rand::{RngExt, rngs::StdRng};
use simulation::history::{Answer, Call, End, Event, History, Tag, Value};
use simulation::pace::draws;
use simulation::register::{Search, is_linearizable};

const CREATE: Call = Call::Write {
    expected: None,
    value: Value(1),
};
const REPLACE: Call = Call::Write {
    expected: Some(Tag(1)),
    value: Value(2),
};
const DELETE: Call = Call::Delete { expected: Tag(1) };
const FIRST: Answer = Answer::Shown(Some((Tag(1), Value(1))));
const SECOND: Answer = Answer::Shown(Some((Tag(2), Value(2))));

fn invoked(thread: u32, call: Call) -> Event {
    event(thread, End::Invoked(call))
}

fn returned(thread: u32, answer: Answer) -> Event {
    event(thread, End::Returned(answer))
}

fn event(thread: u32, end: End) -> Event {
    Event {
        thread,
        register: 7,
        end,
    }
}

fn answered(thread: u32, call: Call, answer: Answer) -> [Event; 2] {
    [invoked(thread, call), returned(thread, answer)]
}

fn holds(events: impl IntoIterator<Item = Event>) -> bool {
    let history = History {
        events: events.into_iter().collect(),
    };
    let verdict = is_linearizable(&history, 7, Search::Remembering);
    assert_eq!(
        verdict,
        is_linearizable(&history, 7, Search::Plain),
        "{history}"
    );
    verdict
}

/// A create that was answered, and what comes after it.
fn created(then: impl IntoIterator<Item = Event>) -> bool {
    let create = answered(1, CREATE, Answer::Written(Tag(1)));
    holds(create.into_iter().chain(then))
}

/// A create that was answered, a replacement that was not, and what comes while it goes on.
fn replacing(then: impl IntoIterator<Item = Event>) -> bool {
    created([invoked(2, REPLACE)].into_iter().chain(then))
}

#[test]
fn a_version_has_one_successor() {
    let replace = answered(1, REPLACE, Answer::Written(Tag(2)));
    assert!(created(replace));
    let other = answered(1, DELETE, Answer::Deleted);
    assert!(!created(replace.into_iter().chain(other)));
    let again = answered(1, CREATE, Answer::Written(Tag(3)));
    assert!(!created(again));
}

#[test]
fn a_refusal_is_right_only_while_the_register_is_elsewhere() {
    assert!(!created(answered(
        1,
        REPLACE,
        Answer::Refused(Some(Tag(1)))
    )));
    assert!(!created(answered(1, REPLACE, Answer::Refused(None))));
    assert!(!created(answered(1, DELETE, Answer::Absent)));
    assert!(created(answered(2, CREATE, Answer::Refused(Some(Tag(1))))));
    assert!(created(answered(2, CREATE, Answer::Raced)));
    assert!(!created(answered(1, REPLACE, Answer::Raced)));
    assert!(holds(answered(1, REPLACE, Answer::Refused(None))));
    assert!(holds(answered(1, DELETE, Answer::Absent)));
    assert!(!holds(answered(1, CREATE, Answer::Raced)));
}

#[test]
fn a_refusal_tells_the_tag_of_its_time() {
    let replaced = answered(1, REPLACE, Answer::Written(Tag(2)));
    let refused = |tag| answered(1, DELETE, Answer::Refused(Some(Tag(tag))));
    assert!(created(replaced.into_iter().chain(refused(2))));
    assert!(!created(replaced.into_iter().chain(refused(3))));
}

#[test]
fn a_read_shows_what_stands_and_not_what_stood() {
    assert!(created(answered(2, Call::Read, FIRST)));
    assert!(!created(answered(2, Call::Read, Answer::Shown(None))));
    let mixed = Answer::Shown(Some((Tag(1), Value(2))));
    assert!(!created(answered(2, Call::Read, mixed)));
    let replaced = answered(1, REPLACE, Answer::Written(Tag(2)));
    let late = answered(2, Call::Read, FIRST);
    assert!(!created(replaced.into_iter().chain(late)));
    // While the write goes on, both are right, but not the later one first.
    let reads = |one, other| {
        let reads = [answered(3, Call::Read, one), answered(3, Call::Read, other)];
        let ends = [returned(2, Answer::Written(Tag(2)))];
        replacing(reads.into_iter().flatten().chain(ends))
    };
    assert!(reads(FIRST, FIRST) && reads(FIRST, SECOND) && reads(SECOND, SECOND));
    assert!(!reads(SECOND, FIRST));
}

#[test]
fn what_is_unknown_may_have_taken_effect_at_any_time_or_never() {
    assert!(replacing([]));
    let reads = |answers: &[Answer]| {
        let reads = answers.iter();
        replacing(reads.flat_map(|answer| answered(3, Call::Read, *answer)))
    };
    assert!(reads(&[FIRST, FIRST]) && reads(&[FIRST, SECOND]) && reads(&[SECOND]));
    assert!(!reads(&[SECOND, FIRST]));
    let other = answered(1, DELETE, Answer::Deleted);
    assert!(replacing(other));
    let seen = answered(3, Call::Read, SECOND);
    assert!(!replacing(other.into_iter().chain(seen)));
}

#[test]
fn a_refusal_may_be_all_that_tells_the_tag_of_an_unknown_write() {
    let refused = |tag| answered(1, DELETE, Answer::Refused(Some(Tag(tag))));
    assert!(replacing(refused(9)));
    assert!(replacing(refused(9).into_iter().chain(refused(9))));
    assert!(!replacing(refused(9).into_iter().chain(refused(8))));
    let written = Call::Write {
        expected: Some(Tag(9)),
        value: Value(3),
    };
    let written = answered(1, written, Answer::Written(Tag(10)));
    assert!(replacing(refused(9).into_iter().chain(written)));
}

#[test]
fn what_was_unavailable_had_no_effect() {
    let unavailable = answered(1, REPLACE, Answer::Unavailable);
    assert!(created(unavailable));
    let seen = answered(3, Call::Read, SECOND);
    assert!(!created(unavailable.into_iter().chain(seen)));
}

/// The histories of a register whose threads take turns at random; in most of them an answer or
/// two are replaced by those of other calls.
#[test]
fn what_was_tried_need_not_be_tried_again() {
    let mut verdicts = [0, 0];
    let mut draws = draws(1, 0);
    for turn in 0..3_000 {
        let mut history = random(&mut draws);
        let answers: Vec<usize> = (0..history.events.len())
            .filter(|at| matches!(history.events[*at].end, End::Returned(_)))
            .collect();
        let mut any = || answers[draws.random_range(0..answers.len())];
        for _ in 0..turn % 3 {
            history.events[any()].end = history.events[any()].end;
        }
        let verdict = is_linearizable(&history, 7, Search::Remembering);
        assert_eq!(
            verdict,
            is_linearizable(&history, 7, Search::Plain),
            "{history}"
        );
        verdicts[usize::from(verdict)] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 300), "{verdicts:?}");
}

fn random(draws: &mut StdRng) -> History {
    #[derive(Clone, Copy)]
    enum Step {
        Idle,
        Open(Call),
        Done(Answer),
        Gone,
    }
    let mut threads = vec![Step::Idle; 3];
    let mut current = None;
    let mut tags = 0;
    let mut events = Vec::new();
    for turn in 0..24 {
        let at = draws.random_range(0..threads.len());
        let thread = u32::try_from(at).unwrap();
        threads[at] = match threads[at] {
            Step::Idle => {
                let expected = (tags > 0).then(|| Tag(draws.random_range(0..=tags)));
                let call = match (draws.random_range(0..4), expected) {
                    (0, _) => Call::Read,
                    (1, Some(expected)) => Call::Delete { expected },
                    _ => Call::Write {
                        expected: expected.filter(|_| draws.random_bool(0.7)),
                        value: Value(turn),
                    },
                };
                events.push(invoked(thread, call));
                Step::Open(call)
            }
            Step::Open(call) => {
                let tag = current.map(|(tag, _)| tag);
                Step::Done(match call {
                    Call::Read => Answer::Shown(current),
                    Call::Write { expected, value } if expected == tag => {
                        tags += 1;
                        current = Some((Tag(tags), value));
                        Answer::Written(Tag(tags))
                    }
                    Call::Delete { expected } if Some(expected) == tag => {
                        current = None;
                        Answer::Deleted
                    }
                    Call::Delete { .. } if tag.is_none() => Answer::Absent,
                    Call::Write { .. } | Call::Delete { .. } => Answer::Refused(tag),
                })
            }
            // Now and then the answer never comes, and the thread never calls again.
            Step::Done(_) if threads.len() < 5 && draws.random_bool(0.15) => {
                threads.push(Step::Idle);
                Step::Gone
            }
            Step::Gone => Step::Gone,
            Step::Done(answer) => {
                events.push(returned(thread, answer));
                Step::Idle
            }
        };
    }
    History { events }
}
