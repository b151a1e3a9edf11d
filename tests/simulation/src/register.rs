//! The one versioned register that a resource has to be like, and the search for an order of the calls
//! that it would have given the same answers in.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use crate::history::{Answer, Call, History, Operation, RegisterId, Tag, Thread, Value};

/// How an order is looked for. Both find the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Calls without an answer are told to the tester as such, and it forgets what it has tried. It
    /// tries every order of them, so this is for short histories only.
    Plain,
    /// A call without an answer returns after all others, and the register refuses the tester what
    /// it has tried before.
    Remembering,
}

/// Whether the calls of one register have an order in which a versioned register gives the answers
/// that they got, and which no call enters before it began or after it was answered.
pub fn is_linearizable(history: &History, register: RegisterId, search: Search) -> bool {
    let calls: Vec<Operation> = history
        .operations()
        .into_iter()
        .filter(|operation| operation.register == register && says_something(operation))
        .collect();
    let mut tester = LinearizabilityTester::new(Register::of(&calls, search));

    let mut ends = BTreeMap::new();
    for (place, call) in calls.iter().enumerate() {
        ends.insert(call.invoked, (place, true));
        if let Some(returned) = call.returned {
            ends.insert(returned, (place, false));
        }
    }
    for (place, begins) in ends.into_values() {
        let Operation { thread, answer, .. } = calls[place];
        if begins {
            invoke(&mut tester, thread, Placed::of(&calls, place));
        } else {
            tester.on_return(thread, answer).unwrap();
        }
    }
    if search == Search::Remembering {
        for call in calls.iter().filter(|call| call.returned.is_none()) {
            tester.on_return(call.thread, Answer::Unknown).unwrap();
        }
    }
    tester.is_consistent()
}

fn invoke(tester: &mut LinearizabilityTester<Thread, Register>, thread: Thread, call: Placed) {
    tester.on_invoke(thread, call).unwrap();
}

/// A read without an answer says nothing, and neither does a call that was refused by an unavailable
/// store: that one must not have had an effect, so leaving it out is what demands it.
fn says_something(operation: &Operation) -> bool {
    !matches!(
        (operation.call, operation.answer),
        (_, Answer::Unavailable) | (Call::Read, Answer::Unknown)
    )
}

/// A call with what the order needs to know of it.
#[derive(Clone, Debug)]
pub struct Placed {
    place: usize,
    call: Call,
    /// For a write: the tag of the version that it made, where anybody saw it.
    makes: Option<Tag>,
}

impl Placed {
    fn of(calls: &[Operation], place: usize) -> Self {
        let call = calls[place].call;
        let makes = match (call, calls[place].answer) {
            (Call::Write { .. }, Answer::Written(tag)) => Some(tag),
            (Call::Write { value, .. }, _) => calls.iter().find_map(|other| match other.answer {
                Answer::Shown(Some((tag, shown))) if shown == value => Some(tag),
                _ => None,
            }),
            _ => None,
        };
        Self { place, call, makes }
    }
}

/// A register that is absent, or has a value under a tag.
#[derive(Clone, Debug)]
pub struct Register {
    version: Option<Version>,
    /// The calls that have their place in the order, one bit each.
    placed: u128,
    /// The calls that were answered.
    answered: u128,
    /// The tags of which it is known what they are the tag of.
    attributed: Rc<BTreeSet<Tag>>,
    tried: Option<Tried>,
}

/// What was reached, by whatever order of the same calls. Going on from there once more would end
/// where it ended before.
type Tried = Rc<RefCell<HashSet<(u128, Option<Version>)>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Version {
    /// None for what a write made whose answer and whose value nobody has seen. A refusal may have
    /// told its tag, which is then this one from there on.
    tag: Option<Tag>,
    value: Value,
}

impl Register {
    fn of(calls: &[Operation], search: Search) -> Self {
        assert!(calls.len() <= 128, "a history is at most 128 calls long");
        let answered = calls.iter().enumerate();
        let answered = answered.filter(|(_, call)| call.returned.is_some());
        let attributed = calls.iter().filter_map(|call| match call.answer {
            Answer::Shown(Some((tag, _))) | Answer::Written(tag) => Some(tag),
            _ => None,
        });
        Self {
            version: None,
            placed: 0,
            answered: answered.fold(0, |all, (place, _)| all | (1 << place)),
            attributed: Rc::new(attributed.collect()),
            tried: (search == Search::Remembering).then(Tried::default),
        }
    }

    fn gives(&mut self, Placed { call, makes, .. }: &Placed, answer: Answer) -> bool {
        match (*call, answer) {
            (Call::Read, Answer::Shown(None)) | (Call::Delete { .. }, Answer::Absent) => {
                self.version.is_none()
            }
            (Call::Read, Answer::Shown(Some((tag, value)))) => {
                self.is_at(tag) && self.version.is_some_and(|version| version.value == value)
            }
            (Call::Write { expected, value }, Answer::Written(_)) => {
                let writes = self.admits(expected);
                self.version = Some(Version { tag: *makes, value });
                writes
            }
            (Call::Delete { expected }, Answer::Deleted) => {
                let removes = self.is_at(expected);
                self.version = None;
                removes
            }
            // A refusal tells the tag that the register is at.
            (Call::Write { expected, .. }, Answer::Refused(Some(current))) => {
                self.is_at(current) && !self.admits(expected)
            }
            (Call::Delete { expected }, Answer::Refused(Some(current))) => {
                self.is_at(current) && !self.is_at(expected)
            }
            (Call::Write { expected, .. }, Answer::Refused(None)) => {
                self.version.is_none() && expected.is_some()
            }
            // Only a create can lose and find its condition true again: no tag comes back.
            (Call::Write { expected: None, .. }, Answer::Raced) => self.version.is_some(),
            (_, Answer::Unknown) => self.may_take(*call, *makes),
            _ => false,
        }
    }

    /// A call that nobody knows the end of either takes effect, or none whenever it is over. The
    /// latter has one place only, after all others: elsewhere it would say the same.
    fn may_take(&mut self, call: Call, makes: Option<Tag>) -> bool {
        self.takes(call, makes) || self.answered & !self.placed == 0
    }

    fn takes(&mut self, call: Call, makes: Option<Tag>) -> bool {
        match call {
            Call::Read => {}
            Call::Write { expected, value } if self.admits(expected) => {
                self.version = Some(Version { tag: makes, value });
            }
            Call::Delete { expected } if self.is_at(expected) => self.version = None,
            Call::Write { .. } | Call::Delete { .. } => return false,
        }
        true
    }

    fn admits(&mut self, expected: Option<Tag>) -> bool {
        match expected {
            Some(tag) => self.is_at(tag),
            None => self.version.is_none(),
        }
    }

    fn is_at(&mut self, tag: Tag) -> bool {
        let Some(version) = &mut self.version else {
            return false;
        };
        if version.tag.is_none() && !self.attributed.contains(&tag) {
            version.tag = Some(tag);
        }
        version.tag == Some(tag)
    }
}

impl SequentialSpec for Register {
    type Op = Placed;
    type Ret = Answer;

    /// The tester asks this of calls that it was never told the end of.
    fn invoke(&mut self, op: &Placed) -> Answer {
        self.takes(op.call, op.makes);
        Answer::Unknown
    }

    fn is_valid_step(&mut self, op: &Placed, ret: &Answer) -> bool {
        self.placed |= 1 << op.place;
        self.gives(op, *ret)
            && self
                .tried
                .as_ref()
                .is_none_or(|tried| tried.borrow_mut().insert((self.placed, self.version)))
    }
}
