//! The slot that layer and handler share: taken once, and closed for good.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use schedules::Search::{Every, Many};
use schedules::{Search, fails, holds};
use shuttle::sync::Mutex;
use shuttle::thread;
use version_store::handover::{Ending, Made, Slot};
use version_store::{Demand, Expected, MemoryStore, Version};

/// What is tested of a slot.
trait Offer: Clone + Send + Sync + 'static {
    type Taken: Send + 'static;

    fn offered() -> Self;
    fn take(&self) -> Option<Self::Taken>;
    fn settle(taken: Self::Taken);
    fn close(&self) -> Closed;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    Untaken,
    Unsettled,
    Written,
}

impl Offer for Slot<Expected<MemoryStore<u64, u64>>> {
    type Taken = Expected<MemoryStore<u64, u64>>;

    fn offered() -> Self {
        Slot::new(7, Demand::Any)
    }

    fn take(&self) -> Option<Self::Taken> {
        self.take().ok()
    }

    fn settle(taken: Self::Taken) {
        taken.written(Version::new(2));
    }

    fn close(&self) -> Closed {
        match self.close() {
            Ending::Untaken => Closed::Untaken,
            Ending::Unsettled => Closed::Unsettled,
            Ending::Written(Made {
                version: Some(_), ..
            }) => Closed::Written,
            ending => panic!("{ending:?}"),
        }
    }
}

/// A model of the slot, with what may be missing in it.
struct Model<F>(Arc<Mutex<State>>, F);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Offered,
    Taken,
    Settled,
    Closed,
}

trait Flaw: Copy + Default + Send + Sync + 'static {
    const TAKES_WHATEVER_THE_STATE: bool = false;
    const LOOKS_AND_TAKES_IN_TWO_STEPS: bool = false;
    const SETTLES_WHATEVER_THE_STATE: bool = false;
}

#[derive(Clone, Copy, Default)]
struct Flawless;
impl Flaw for Flawless {}

#[derive(Clone, Copy, Default)]
struct TakesWhateverTheState;
impl Flaw for TakesWhateverTheState {
    const TAKES_WHATEVER_THE_STATE: bool = true;
}

#[derive(Clone, Copy, Default)]
struct LooksAndTakesInTwoSteps;
impl Flaw for LooksAndTakesInTwoSteps {
    const LOOKS_AND_TAKES_IN_TWO_STEPS: bool = true;
}

#[derive(Clone, Copy, Default)]
struct SettlesWhateverTheState;
impl Flaw for SettlesWhateverTheState {
    const SETTLES_WHATEVER_THE_STATE: bool = true;
}

impl<F: Flaw> Clone for Model<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), self.1)
    }
}

impl<F: Flaw> Offer for Model<F> {
    type Taken = Self;

    fn offered() -> Self {
        Self(Arc::new(Mutex::new(State::Offered)), F::default())
    }

    fn take(&self) -> Option<Self> {
        let mut state = self.0.lock().unwrap();
        if *state != State::Offered && !F::TAKES_WHATEVER_THE_STATE {
            return None;
        }
        if F::LOOKS_AND_TAKES_IN_TWO_STEPS {
            drop(state);
            state = self.0.lock().unwrap();
        }
        *state = State::Taken;
        drop(state);
        Some(self.clone())
    }

    fn settle(taken: Self) {
        let mut state = taken.0.lock().unwrap();
        if *state == State::Taken || F::SETTLES_WHATEVER_THE_STATE {
            *state = State::Settled;
        }
    }

    fn close(&self) -> Closed {
        match std::mem::replace(&mut *self.0.lock().unwrap(), State::Closed) {
            State::Offered => Closed::Untaken,
            State::Taken | State::Closed => Closed::Unsettled,
            State::Settled => Closed::Written,
        }
    }
}

/// Handlers that all hold the request's extensions: one gets what was lent, and its word is kept.
fn taken_once<O: Offer>(handlers: usize) -> impl Fn() {
    move || {
        let slot = O::offered();
        let handlers: Vec<_> = (0..handlers)
            .map(|_| {
                let slot = slot.clone();
                thread::spawn(move || slot.take().map(O::settle).is_some())
            })
            .collect();
        let ended = handlers.into_iter().map(|handler| handler.join().unwrap());
        assert_eq!(ended.filter(|took| *took).count(), 1, "how many took it");
        assert_eq!(slot.close(), Closed::Written);
    }
}

/// The layer gives up on handlers that may still be at work: what it was told is true, and what comes
/// later is told to nobody.
fn closed_for_good<O: Offer>(handlers: usize) -> impl Fn() {
    move || {
        let slot = O::offered();
        let handlers: Vec<_> = (0..handlers)
            .map(|_| {
                let slot = slot.clone();
                thread::spawn(move || slot.take().map(O::settle).is_some())
            })
            .collect();
        let told = slot.close();
        let took = handlers
            .into_iter()
            .map(|handler| handler.join().unwrap())
            .filter(|took| *took)
            .count();
        assert_eq!(
            took,
            usize::from(told != Closed::Untaken),
            "how many took it"
        );
        assert!(
            slot.take().is_none(),
            "how many took it: one more, after the end"
        );
        assert_eq!(slot.close(), Closed::Unsettled, "told after the end");
    }
}

type Real = Slot<Expected<MemoryStore<u64, u64>>>;

fn searches() -> [(usize, Search); 3] {
    [(2, Every), (4, Many), (6, Many)]
}

#[test]
fn one_handler_takes_it() {
    for (handlers, search) in searches() {
        let what = format!("slot, {handlers} handlers");
        holds(&what, search, taken_once::<Real>(handlers));
    }
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    for (handlers, search) in searches() {
        let what = format!("slot, {handlers} handlers and an end");
        holds(&what, search, closed_for_good::<Real>(handlers));
    }
}

#[test]
fn a_model_without_flaws_holds() {
    for (handlers, search) in searches() {
        let what = format!("model of the slot, {handlers} handlers");
        holds(&what, search, taken_once::<Model<Flawless>>(handlers));
        let what = format!("model of the slot, {handlers} handlers and an end");
        holds(&what, search, closed_for_good::<Model<Flawless>>(handlers));
    }
}

#[test]
fn taking_without_looking_is_found() {
    for (handlers, search) in searches() {
        let what = format!("taken whatever the state, {handlers} handlers");
        let test = taken_once::<Model<TakesWhateverTheState>>(handlers);
        fails(&what, search, &["how many took it"], test);
        let what = format!("taken whatever the state, {handlers} handlers and an end");
        let test = closed_for_good::<Model<TakesWhateverTheState>>(handlers);
        fails(&what, search, &["how many took it"], test);
    }
}

#[test]
fn looking_and_taking_in_two_steps_is_found() {
    for (handlers, search) in searches() {
        let what = format!("looked at and taken in two steps, {handlers} handlers");
        let test = taken_once::<Model<LooksAndTakesInTwoSteps>>(handlers);
        fails(&what, search, &["how many took it"], test);
    }
}

#[test]
fn settling_after_the_end_is_found() {
    for (handlers, search) in searches() {
        let what = format!("settled after the end, {handlers} handlers and an end");
        let test = closed_for_good::<Model<SettlesWhateverTheState>>(handlers);
        fails(&what, search, &["told after the end"], test);
    }
}
