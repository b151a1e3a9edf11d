//! What clients asked, what they were answered, and in which order.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// An entity tag, by the order in which tags were first seen: a store may draw its tags at random, and
/// the history of a seed is the same all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

/// What was written. No two writes of a history write the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub u32);

/// Who calls, one call after the other. A client whose call was never answered goes on as another
/// thread, because that call may still be going on.
pub type Thread = u32;

/// The id of a register.
pub type RegisterId = u64;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// GET.
    Read,
    /// PUT.
    Write {
        /// The tag in If-Match, or none for `If-None-Match: *`.
        expected: Option<Tag>,
        /// The body.
        value: Value,
    },
    /// DELETE.
    Delete {
        /// The tag in If-Match.
        expected: Tag,
    },
}

/// What it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// To a read: what is there, if anything.
    Shown(Option<(Tag, Value)>),
    /// The write took place and made the version with this tag.
    Written(Tag),
    /// The resource was removed.
    Deleted,
    /// 412 with the current tag, or with the word that there is no resource.
    Refused(Option<Tag>),
    /// 412 `lost_race`: the write lost, and its condition holds again.
    Raced,
    /// 404 to a delete.
    Absent,
    /// 503, and nothing was written.
    Unavailable,
    /// None came, or 503 `outcome_unknown`. The call may take effect at any time after it began, or
    /// never.
    Unknown,
}

/// One end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The request is about to be sent.
    Invoked(Call),
    /// The answer is there.
    Returned(Answer),
}

/// What happened at one moment. A simulation runs on one thread, so events have an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who called.
    pub thread: Thread,
    /// What was called.
    pub register: RegisterId,
    /// What happened.
    pub end: End,
}

/// All that the clients of one simulation saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// In the order in which they happened.
    pub events: Vec<Event>,
}

/// A call with its answer.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Who called.
    pub thread: Thread,
    /// What was called.
    pub register: RegisterId,
    /// What was asked.
    pub call: Call,
    /// [`Answer::Unknown`] where none came.
    pub answer: Answer,
    /// The place of the call among the events.
    pub invoked: usize,
    /// The place of the answer among the events.
    pub returned: Option<usize>,
}

impl History {
    /// The registers that were called.
    pub fn registers(&self) -> Vec<RegisterId> {
        let mut all: Vec<_> = self.events.iter().map(|event| event.register).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The calls in the order in which they began.
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations: Vec<Operation> = Vec::new();
        let mut open = BTreeMap::new();
        for (at, event) in self.events.iter().enumerate() {
            match event.end {
                End::Invoked(call) => {
                    let before = open.insert(event.thread, operations.len());
                    assert_eq!(before, None, "a thread has one call at a time");
                    operations.push(Operation {
                        thread: event.thread,
                        register: event.register,
                        call,
                        answer: Answer::Unknown,
                        invoked: at,
                        returned: None,
                    });
                }
                End::Returned(answer) => {
                    let call = open.remove(&event.thread).unwrap();
                    operations[call].answer = answer;
                    operations[call].returned = Some(at);
                }
            }
        }
        operations
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for operation in self.operations() {
            let Operation {
                thread,
                register,
                call,
                answer,
                invoked,
                returned,
            } = operation;
            let returned = returned.map_or("…".to_owned(), |at| at.to_string());
            writeln!(
                f,
                "{invoked:>4} to {returned:>4}  register {register}, thread {thread}: {call:?} -> {answer:?}"
            )?;
        }
        Ok(())
    }
}

/// What the clients of a simulation write their history with.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Rc<RefCell<Recording>>);

#[derive(Debug, Default)]
struct Recording {
    history: History,
    tags: Vec<String>,
    threads: Thread,
    values: u32,
    hang_ups: u64,
    outcomes_unknown: u64,
}

impl Recorder {
    /// A thread that nobody else is.
    pub fn thread(&self) -> Thread {
        let mut recording = self.0.borrow_mut();
        recording.threads += 1;
        recording.threads
    }

    /// A value that nobody has written.
    pub fn value(&self) -> Value {
        let mut recording = self.0.borrow_mut();
        recording.values += 1;
        Value(recording.values)
    }

    /// The tag that stood in a field.
    pub fn tag(&self, text: &str) -> Tag {
        let mut recording = self.0.borrow_mut();
        let known = recording.tags.iter().position(|tag| tag == text);
        let place = known.unwrap_or_else(|| {
            recording.tags.push(text.to_owned());
            recording.tags.len() - 1
        });
        Tag(u32::try_from(place).unwrap())
    }

    /// The tag as it stands in a field.
    pub fn text(&self, tag: Tag) -> String {
        self.0.borrow().tags[tag.0 as usize].clone()
    }

    /// Writes down one end of a call.
    pub fn record(&self, thread: Thread, register: RegisterId, end: End) {
        self.0.borrow_mut().history.events.push(Event {
            thread,
            register,
            end,
        });
    }

    /// Counts a client that did not wait for its answer.
    pub fn hung_up(&self) {
        self.0.borrow_mut().hang_ups += 1;
    }

    /// How many did not wait.
    pub fn hang_ups(&self) -> u64 {
        self.0.borrow().hang_ups
    }

    /// Counts a 503 `outcome_unknown`.
    pub fn outcome_unknown(&self) {
        self.0.borrow_mut().outcomes_unknown += 1;
    }

    /// How many of these there were.
    pub fn outcomes_unknown(&self) -> u64 {
        self.0.borrow().outcomes_unknown
    }

    /// What was written down so far.
    pub fn history(&self) -> History {
        self.0.borrow().history.clone()
    }
}
