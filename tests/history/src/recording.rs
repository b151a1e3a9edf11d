//! All that happened in a race.

use std::collections::BTreeMap;

use crate::{Operation, Read, Report, State, check};

/// The first states, every write, every read, and the states at the end.
///
/// ```
/// use history::{Content, History, Kind, Marker, Moment, Operation, Outcome, Span, State, ViolationKind};
///
/// let first = State::Present { tag: "\"1\"".into(), content: Content::replaced(Marker(1)) };
/// let put = |marker, tag: &str, began| Operation {
///     key: 7,
///     kind: Kind::Put,
///     sent: Some("\"1\"".into()),
///     marker: Marker(marker),
///     outcome: Outcome::Acknowledged { tag: Some(tag.into()), created: false },
///     span: Span { began: Moment(began), ended: Moment(began + 1) },
/// };
/// let mut history = History::default();
/// history.initial.insert(7, first);
/// history.operations.extend([put(2, "\"2\"", 1), put(3, "\"3\"", 3)]);
/// history.finals.insert(7, State::Present { tag: "\"3\"".into(), content: Content::replaced(Marker(3)) });
///
/// let report = history.check();
/// assert!(report.has(ViolationKind::Fork) && report.has(ViolationKind::Lost));
/// assert_eq!(report.counts.lost, 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The state of each key before the first operation; a key that is not in it was absent.
    pub initial: BTreeMap<u64, State>,
    /// Every write, in any order.
    pub operations: Vec<Operation>,
    /// Every read, in any order.
    pub reads: Vec<Read>,
    /// The state of each key after the last operation.
    pub finals: BTreeMap<u64, State>,
    /// Answers that the contract does not have and that belong to no write: the key and what came.
    pub unexpected: Vec<(u64, String)>,
}

impl History {
    /// Appends what happened afterwards, such as after the server was started again. The first
    /// states stay this history's, except for keys that it did not have; the final states become
    /// the later ones.
    pub fn extend(&mut self, later: Self) {
        for (key, state) in later.initial {
            self.initial.entry(key).or_insert(state);
        }
        self.operations.extend(later.operations);
        self.reads.extend(later.reads);
        self.finals.extend(later.finals);
        self.unexpected.extend(later.unexpected);
    }

    /// Looks for everything that cannot have happened on one versioned register for each key.
    pub fn check(&self) -> Report {
        check::check(self)
    }
}
