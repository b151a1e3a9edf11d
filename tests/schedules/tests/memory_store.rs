//! The store in memory: of the writes that expect one version, one takes effect.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod posts;

use schedules::Search::{Every, Many};
use schedules::{Search, fails, holds};
use shuttle::thread;
use version_store::handover::{Ending, Made, Slot};
use version_store::{Demand, Expected, MemoryStore, Version};

use crate::posts::{Posts, TwoSteps};

const KEY: u64 = 7;

/// A store whose documents can be removed, too.
trait Removes: Posts {
    fn remove(&self, expected: Expected<Self>) -> bool;
}

impl Removes for MemoryStore<u64, u64> {
    fn remove(&self, expected: Expected<Self>) -> bool {
        self.remove(expected).is_ok()
    }
}

impl Removes for TwoSteps {
    fn remove(&self, expected: Expected<Self>) -> bool {
        let admitted = expected.admits(self.version().as_ref());
        if admitted {
            *self.0.lock().unwrap() = None;
            expected.removed();
        } else {
            let _lost = expected.lost();
        }
        admitted
    }
}

/// What a writer tries, and what it says if it took effect.
#[derive(Clone, Copy)]
enum Write {
    Put,
    Remove,
    Create,
}

impl Write {
    /// Whether it took effect, and the version that it made.
    fn run<S: Removes>(self, posts: &S, demand: Demand<u64>, text: u64) -> (bool, Option<Version>) {
        let slot = Slot::new(KEY, demand);
        let expected = slot.take().unwrap();
        let took_effect = match self {
            Self::Put => posts.put(text, expected).is_ok(),
            Self::Remove => posts.remove(expected),
            Self::Create => return (posts.create(KEY, text), None),
        };
        match (took_effect, slot.close()) {
            (
                true,
                Ending::Written(Made {
                    version: Some(version),
                    ..
                }),
            ) => (true, Some(version)),
            (true, Ending::Written(Made { version: None, .. })) => (true, None),
            (false, Ending::Lost) => (false, None),
            (_, ending) => panic!("settled as {ending:?}"),
        }
    }
}

/// `writers` with one demand each, taken in turn from `writes`; one of them takes effect, and what is
/// stored in the end is its work.
fn one_successor<S: Removes>(present: bool, writes: &'static [Write], writers: u64) -> impl Fn() {
    move || {
        let posts = S::empty();
        let demand = if present {
            assert!(posts.create(KEY, 0));
            Demand::Version(posts.stored(KEY).unwrap().0)
        } else {
            Demand::NotExists
        };
        let before = posts.stored(KEY).map(|(version, _)| version);
        let writers: Vec<_> = (1..=writers)
            .zip(writes.iter().cycle())
            .map(|(text, write)| {
                let (posts, demand) = (posts.clone(), demand.clone());
                thread::spawn(move || (text, write.run(&posts, demand, text)))
            })
            .collect();
        let ended = writers.into_iter().map(|writer| writer.join().unwrap());
        let successors: Vec<_> = ended.filter(|(_, (took_effect, _))| *took_effect).collect();
        assert_eq!(successors.len(), 1, "successors of one version");

        let (text, (_, made)) = &successors[0];
        match (posts.stored(KEY), made) {
            (Some((version, stored)), made) => {
                assert_eq!(stored, *text, "the text that is stored");
                let first = before.map_or(0, |before| *before.revision());
                assert_eq!(*version.revision(), first + 1, "one version was made");
                assert!(made.as_ref().is_none_or(|made| made.same_state(&version)));
            }
            (None, made) => assert!(made.is_none(), "what was written is gone"),
        }
    }
}

/// Two writers whom any version suits: both take effect, and whoever reads meanwhile sees each text
/// with its own version.
fn whole_versions<S: Removes>() {
    let posts = S::empty();
    assert!(posts.create(KEY, 0));
    let first = posts.stored(KEY).unwrap().0;
    let writers: Vec<_> = (1..=2)
        .map(|text| {
            let posts = posts.clone();
            thread::spawn(move || {
                let (took_effect, made) = Write::Put.run(&posts, Demand::Exists, text);
                assert!(took_effect);
                (*made.unwrap().revision(), text)
            })
        })
        .collect();
    let seen = posts.stored(KEY).unwrap();
    let mut made: Vec<_> = writers.into_iter().map(|w| w.join().unwrap()).collect();
    made.push((*first.revision(), 0));
    made.sort_unstable();
    let revisions: Vec<_> = made.iter().map(|(revision, _)| *revision).collect();
    assert_eq!(revisions, [1, 2, 3], "each write made one version");
    assert!(
        made.contains(&(*seen.0.revision(), seen.1)),
        "a text with another's version"
    );
    assert_eq!(
        posts.stored(KEY).unwrap().1,
        made[2].1,
        "the last version's text"
    );
}

type Memory = MemoryStore<u64, u64>;

const PUTS: &[Write] = &[Write::Put];
const PUTS_AND_REMOVES: &[Write] = &[Write::Put, Write::Remove];
const CREATES: &[Write] = &[Write::Create];
const CREATES_AND_PUTS: &[Write] = &[Write::Create, Write::Put];

fn searches() -> [(u64, Search); 3] {
    [(2, Every), (4, Many), (6, Many)]
}

#[test]
fn one_put_succeeds() {
    for (writers, search) in searches() {
        let what = format!("memory, {writers} puts");
        holds(&what, search, one_successor::<Memory>(true, PUTS, writers));
    }
}

#[test]
fn one_put_or_remove_succeeds() {
    for (writers, search) in searches() {
        let what = format!("memory, {writers} puts and removes");
        holds(
            &what,
            search,
            one_successor::<Memory>(true, PUTS_AND_REMOVES, writers),
        );
    }
}

#[test]
fn one_creation_succeeds() {
    for (writers, search) in searches() {
        let what = format!("memory, {writers} creations");
        holds(
            &what,
            search,
            one_successor::<Memory>(false, CREATES, writers),
        );
    }
}

#[test]
fn one_creation_or_put_where_nothing_is_succeeds() {
    for (writers, search) in searches() {
        let what = format!("memory, {writers} creations and puts where nothing is");
        holds(
            &what,
            search,
            one_successor::<Memory>(false, CREATES_AND_PUTS, writers),
        );
    }
}

#[test]
fn a_reader_sees_whole_versions() {
    let what = "memory, 2 puts on any version and a read";
    holds(what, Many, whole_versions::<Memory>);
}

#[test]
fn comparing_and_writing_in_two_steps_is_found() {
    for (writers, search) in searches() {
        for (writes, name) in [(PUTS, "puts"), (PUTS_AND_REMOVES, "puts and removes")] {
            let what = format!("two steps, {writers} {name}");
            let test = one_successor::<TwoSteps>(true, writes, writers);
            fails(&what, search, &["successors of one version"], test);
        }
        let what = format!("two steps, {writers} creations");
        let test = one_successor::<TwoSteps>(false, CREATES, writers);
        fails(&what, search, &["successors of one version"], test);
    }
    let what = "two steps, 2 puts on any version and a read";
    fails(what, Many, &["version"], whole_versions::<TwoSteps>);
}
