use std::sync::Barrier;

use std::time::Duration;

use super::documents::next_date;
use super::*;
use crate::Demand;
use crate::conflict::{Conflicts, Describe};
use crate::handover::{Ending, Made, Slot};

type Posts = MemoryStore<u64, String>;

fn expecting(demand: Demand<u64>) -> (Slot<Expected<Posts>>, Expected<Posts>) {
    let slot = Slot::new(7, demand);
    let expected = slot.take().unwrap();
    (slot, expected)
}

fn current(posts: &Posts) -> Option<Version> {
    posts.get(&7).map(|post| post.version().clone())
}

#[test]
fn of_many_writers_on_one_version_one_succeeds() {
    let posts = Posts::new();
    posts.create(7, "first".to_owned()).unwrap();
    let seen = current(&posts).unwrap();
    let start = Barrier::new(8);
    let won: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (_, expected) = expecting(Demand::Version(seen.clone()));
                let (posts, start) = (&posts, &start);
                scope.spawn(move || {
                    start.wait();
                    usize::from(posts.put(format!("by {writer}"), expected).is_ok())
                })
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .sum()
    });
    assert_eq!(won, 1);
}

/// The negative control of the test above: comparing in front and writing blindly afterwards lets
/// several succeed, deterministically, because all compare before any writes.
#[test]
fn comparing_in_front_lets_several_succeed() {
    let posts = Posts::new();
    posts.create(7, "first".to_owned()).unwrap();
    let seen = current(&posts).unwrap();
    let passed: Vec<_> = (0..8)
        .filter(|_| Demand::Version(seen.clone()).admits(current(&posts).as_ref()))
        .collect();
    for _ in &passed {
        let (_, expected) = expecting(Demand::Any);
        posts.put("blindly".to_owned(), expected).unwrap();
    }
    assert_eq!(passed.len(), 8);
}

#[test]
fn each_demand_admits_what_it_names() {
    let posts = Posts::new();
    let (slot, expected) = expecting(Demand::Exists);
    assert!(posts.put("x".to_owned(), expected).is_err());
    assert!(matches!(slot.close(), Ending::Lost));

    let (slot, expected) = expecting(Demand::NotExists);
    assert!(matches!(
        posts.put("x".to_owned(), expected),
        Ok(Put::Created(_))
    ));
    assert!(matches!(
        slot.close(),
        Ending::Written(Made {
            version: Some(_),
            ..
        })
    ));

    let (_, expected) = expecting(Demand::NotExists);
    assert!(posts.put("x".to_owned(), expected).is_err());
    let (_, expected) = expecting(Demand::Exists);
    assert!(matches!(
        posts.put("y".to_owned(), expected),
        Ok(Put::Replaced(_))
    ));
    let (_, expected) = expecting(Demand::Any);
    assert!(posts.put("z".to_owned(), expected).is_ok());
    let (slot, expected) = expecting(Demand::Never);
    assert!(posts.put("z".to_owned(), expected).is_err());
    assert!(matches!(slot.close(), Ending::Lost));
}

#[test]
fn only_exactly_names_a_version() {
    let version = Version::new(3).with_incarnation(2);
    let (_, expected) = expecting(Demand::Version(version.clone()));
    assert!(expected.version().unwrap().same_state(&version));
    for demand in [
        Demand::Exists,
        Demand::NotExists,
        Demand::Any,
        Demand::Never,
    ] {
        assert!(expecting(demand).1.version().is_none());
    }
}

#[test]
fn removing_settles_as_removed_lost_or_absent() {
    let posts = Posts::new();
    for demand in [Demand::Any, Demand::Never] {
        let (slot, expected) = expecting(demand);
        assert!(matches!(posts.remove(expected), Err(WriteError::Absent)));
        assert!(matches!(slot.close(), Ending::Unchanged));
    }
    let (_, expected) = expecting(Demand::Exists);
    assert!(matches!(posts.remove(expected), Err(WriteError::Lost(_))));

    posts.create(7, "x".to_owned()).unwrap();
    let old = current(&posts).unwrap();
    let (_, expected) = expecting(Demand::Exists);
    posts.put("y".to_owned(), expected).unwrap();
    let (slot, expected) = expecting(Demand::Version(old));
    assert!(matches!(posts.remove(expected), Err(WriteError::Lost(_))));
    assert!(matches!(slot.close(), Ending::Lost));

    let (slot, expected) = expecting(Demand::Version(current(&posts).unwrap()));
    posts.remove(expected).unwrap();
    assert!(matches!(
        slot.close(),
        Ending::Written(Made { version: None, .. })
    ));
    assert!(current(&posts).is_none());
}

#[test]
fn no_version_of_an_earlier_life_or_instance_returns() {
    let posts = Posts::new();
    posts.create(7, "x".to_owned()).unwrap();
    let first = current(&posts).unwrap();
    let (_, expected) = expecting(Demand::Exists);
    posts.remove(expected).unwrap();
    posts.create(7, "x".to_owned()).unwrap();
    let second = current(&posts).unwrap();
    assert!(second.revision() != first.revision() && second.incarnation() != first.incarnation());

    let restarted = Posts::new();
    restarted.create(7, "x".to_owned()).unwrap();
    assert!(!current(&restarted).unwrap().same_state(&first));
}

#[test]
fn dates_advance_by_a_second_with_each_write_and_across_incarnations() {
    let posts = Posts::new();
    let mut last = posts
        .create(7, "x".to_owned())
        .unwrap()
        .modified_at()
        .unwrap();
    for write in 0..6 {
        let (_, expected) = expecting(Demand::Any);
        if write % 3 == 2 {
            posts.remove(expected).unwrap();
            continue;
        }
        posts.put("x".to_owned(), expected).unwrap();
        let date = current(&posts).unwrap().modified_at().unwrap();
        assert!(date >= last + Duration::from_secs(1));
        last = date;
    }
}

#[test]
fn the_past_is_kept_as_long_as_it_was_asked_for() {
    let posts = Posts::with_history(2);
    let mut versions = vec![posts.create(7, "0".to_owned()).unwrap()];
    for n in 1..=3 {
        let (_, expected) = expecting(Demand::Exists);
        posts.put(n.to_string(), expected).unwrap();
        versions.push(current(&posts).unwrap());
    }
    let past: Vec<_> = versions
        .iter()
        .map(|version| posts.past(&7, version))
        .collect();
    assert_eq!(
        past,
        [None, Some("1".into()), Some("2".into()), Some("3".into())]
    );
}

#[test]
fn an_expected_that_was_narrowed_admits_that_version_only() {
    let posts = Posts::new();
    posts.create(7, "x".to_owned()).unwrap();
    let (_, expected) = expecting(Demand::Exists);
    let expected = expected.require_version(&current(&posts).unwrap()).unwrap();
    let (_, other) = expecting(Demand::Exists);
    posts.put("y".to_owned(), other).unwrap();
    assert!(posts.put("z".to_owned(), expected).is_err());

    let (slot, expected) = expecting(Demand::NotExists);
    assert!(expected.require_version(&current(&posts).unwrap()).is_err());
    assert!(matches!(slot.close(), Ending::Lost));
}

/// What is settled after the layer gave its answer changes nothing any more.
#[test]
fn a_closed_slot_is_settled_no_more() {
    let (slot, expected) = expecting(Demand::Any);
    assert!(matches!(slot.close(), Ending::Unsettled));
    expected.unchanged();
    assert!(matches!(slot.close(), Ending::Unsettled));
    assert!(slot.take().is_err());
}

/// Whoever kept the request's extensions has nothing to write with once the response is out.
#[test]
fn a_closed_slot_lends_no_more() {
    let slot: Slot<Expected<Posts>> = Slot::new(7, Demand::Any);
    assert!(matches!(slot.close(), Ending::Untaken));
    assert!(slot.take().is_err());
    assert!(matches!(slot.close(), Ending::Unsettled));
}

#[test]
fn a_write_is_dated_now_unless_the_last_one_is_not_a_second_ago() {
    let now = SystemTime::now();
    let second = Duration::from_secs(1);
    assert_eq!(next_date(now, None), now);
    assert_eq!(next_date(now, Some(now - 5 * second)), now);
    assert_eq!(next_date(now, Some(now)), now + second);
    assert_eq!(next_date(now, Some(now + 5 * second)), now + 6 * second);
}

/// What is created is dated after whatever was removed, not only after what was removed last.
#[test]
fn dates_advance_across_the_lives_of_several_keys() {
    let posts = Posts::new();
    // Enough keys for each shard, so for that of 7 too.
    for key in 1000..2000 {
        posts.create(key, "x".to_owned()).unwrap();
    }
    let mut latest = posts.create(7, "x".to_owned()).unwrap();
    for _ in 0..9 {
        let (_, expected) = expecting(Demand::Exists);
        posts.put("x".to_owned(), expected).unwrap();
        latest = current(&posts).unwrap();
    }
    let (_, expected) = expecting(Demand::Exists);
    posts.remove(expected).unwrap();
    for key in 1000..2000 {
        let expected = Slot::new(key, Demand::Exists).take().unwrap();
        posts.remove(expected).unwrap();
    }
    let again = posts.create(7, "x".to_owned()).unwrap();
    let second = Duration::from_secs(1);
    assert!(again.modified_at().unwrap() >= latest.modified_at().unwrap() + second);
}

#[test]
fn a_list_has_each_document_with_its_version() {
    let posts = Posts::new();
    assert!(posts.list().is_empty());
    for key in 0..100 {
        posts.create(key, key.to_string()).unwrap();
    }
    let mut all = posts.list();
    all.sort_by_key(|(key, _)| *key);
    assert_eq!(all.len(), 100);
    for (place, (key, post)) in (0..).zip(&all) {
        assert_eq!(*key, place);
        assert_eq!(*post.body(), place.to_string());
        assert!(posts.get(key).unwrap().version().same_state(post.version()));
    }
}

/// A document that knows nothing of its author.
#[derive(Clone)]
struct Anonymous(&'static str);

impl Describe for Anonymous {
    fn changed_since(&self, earlier: &Self) -> Vec<String> {
        vec![format!("{} to {}", earlier.0, self.0)]
    }

    fn to_json(&self) -> String {
        format!("{:?}", self.0)
    }
}

#[tokio::test]
async fn a_conflict_is_about_the_current_version_and_what_changed_since() {
    let store: MemoryStore<u64, Anonymous> = MemoryStore::with_history(1);
    let first = store.create(7, Anonymous("first")).unwrap();
    let expected = Slot::new(7, Demand::Exists).take().unwrap();
    store.put(Anonymous("second"), expected).unwrap();
    let current = store.get(&7).unwrap().version().clone();

    let Ok(conflict) = store.conflict(&7, Some(&first)).await;
    let conflict = conflict.unwrap();
    assert!(conflict.version.same_state(&current));
    assert_eq!(conflict.version.modified_by(), None);
    assert_eq!(conflict.version.modified_at(), current.modified_at());
    assert_eq!(conflict.current.as_deref(), Some("\"second\""));
    assert_eq!(conflict.changed.unwrap(), ["first to second"]);

    let unknown = first.with_incarnation(1);
    for held in [None, Some(&unknown)] {
        let Ok(conflict) = store.conflict(&7, held).await;
        assert!(conflict.unwrap().changed.is_none());
    }
    let Ok(absent) = store.conflict(&8, None).await;
    assert!(absent.is_none());
}

#[test]
fn the_current_version_is_known_beside_the_past_and_another_life_is_not() {
    let posts = Posts::with_history(1);
    let first = posts.create(7, "x".to_owned()).unwrap();
    assert_eq!(posts.past(&7, &first).as_deref(), Some("x"));
    let other_incarnation = first
        .clone()
        .with_incarnation(first.incarnation().wrapping_add(1));
    assert_eq!(posts.past(&7, &other_incarnation), None);
    assert_eq!(posts.past(&8, &first), None);
}
