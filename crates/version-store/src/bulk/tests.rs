use std::sync::Arc;
use std::thread;

use super::*;
use crate::MemoryStore;

type Posts = MemoryStore<u64, &'static str>;

fn posts() -> Posts {
    let posts = Posts::new();
    for key in 0..100 {
        posts.create(key, "first");
    }
    posts
}

fn version(posts: &Posts, key: u64) -> Version {
    posts.get(&key).unwrap().version().clone()
}

/// Demands of these resources what they are now.
fn slot(posts: &Posts, keys: &[u64]) -> Slot<ExpectedItems<Posts>> {
    let exactly = |key: &u64| {
        let current = posts.get(key).map(|found| found.version().clone());
        (*key, current.map_or(Demand::NotExists, Demand::Version))
    };
    Slot::of_items(keys.iter().map(exactly))
}

#[test]
fn everything_is_written_in_the_order_of_the_items() {
    let posts = posts();
    let slot = slot(&posts, &[9, 200, 3]);
    let made = posts
        .put_all(vec!["nine", "new", "three"], slot.take().unwrap())
        .unwrap();
    for (key, text, made) in [
        (9, "nine", &made[0]),
        (200, "new", &made[1]),
        (3, "three", &made[2]),
    ] {
        let found = posts.get(&key).unwrap();
        assert_eq!(*found.body(), text);
        assert!(found.version().same_state(made));
    }
    let Ending::Written(settled) = slot.close() else {
        panic!("not settled as written");
    };
    assert_eq!(settled.len(), 3);
}

#[test]
fn one_other_version_and_nothing_is_written() {
    let posts = posts();
    for other in [0, 1, 2] {
        let keys = [4, 5, 6];
        let slot = slot(&posts, &keys);
        let faster = Slot::of_items([(keys[other], Demand::Any)]);
        posts
            .put_all(vec!["faster"], faster.take().unwrap())
            .unwrap();
        let before = keys.map(|key| version(&posts, key));
        posts
            .put_all(vec!["late"; 3], slot.take().unwrap())
            .unwrap_err();
        for (key, before) in keys.iter().zip(&before) {
            assert!(version(&posts, *key).same_state(before));
        }
        assert!(matches!(slot.close(), Ending::Lost));
    }
}

#[test]
fn what_is_none_is_removed() {
    let posts = posts();
    let slot = slot(&posts, &[1, 2]);
    let before = version(&posts, 1);
    let made = posts
        .write_all(vec![None, Some("second")], slot.take().unwrap())
        .unwrap();
    assert!(made[0].is_none() && posts.get(&1).is_none());
    assert_eq!(*posts.get(&2).unwrap().body(), "second");
    let again = posts.create(1, "again").unwrap();
    assert!(
        again.modified_at() > before.modified_at(),
        "dates advance across incarnations"
    );
}

#[test]
fn lent_once_and_closed_for_good() {
    let posts = posts();
    let slot = slot(&posts, &[1]);
    let mut extensions = Extensions::new();
    assert!(ExpectedItems::<Posts>::from_extensions(&extensions).is_err());
    slot.lend(&mut extensions);
    let expected = ExpectedItems::<Posts>::from_extensions(&extensions).unwrap();
    let twice = ExpectedItems::<Posts>::from_extensions(&extensions).unwrap_err();
    assert!(twice.to_string().contains("twice"));
    assert!(matches!(slot.close(), Ending::Unsettled));
    expected.unchanged();
    assert!(matches!(slot.close(), Ending::Unsettled));
}

#[test]
fn another_number_of_versions_settles_nothing() {
    let posts = posts();
    let slot = slot(&posts, &[1, 2]);
    slot.take().unwrap().written(vec![Some(Version::new(1))]);
    assert!(matches!(slot.close(), Ending::Unsettled));
}

#[test]
#[should_panic(expected = "one document for each item")]
fn another_number_of_documents_is_a_mistake() {
    let posts = posts();
    let slot = slot(&posts, &[1, 2]);
    posts.put_all(vec!["one"], slot.take().unwrap()).ok();
}

#[test]
fn narrowed_to_what_was_read() {
    let posts = posts();
    let [one, two] = [1, 2].map(|key| version(&posts, key));
    let demands = || [(1, Demand::Exists), (2, Demand::Any)];
    let narrowed = |read: &[Option<Version>]| {
        let slot: Slot<ExpectedItems<Posts>> = Slot::of_items(demands());
        slot.take().unwrap().require_versions(read)
    };
    let expected = narrowed(&[Some(one.clone()), Some(two.clone())]).unwrap();
    let another = Version::new(1_000);
    assert!(expected.admits(&[Some(one.clone()), Some(two.clone())]));
    assert!(!expected.admits(&[Some(one.clone()), Some(another)]));
    assert!(
        !expected.admits(&[Some(one.clone())]),
        "one version for each item"
    );
    let absent = narrowed(&[Some(one.clone()), None]).unwrap();
    assert!(absent.admits(&[Some(one), None]));
    narrowed(&[None, Some(two)]).unwrap_err();
}

/// A lock per shard, taken in the order of the items, would have these two wait for each other.
#[test]
fn opposite_orders_do_not_wait_for_each_other() {
    let posts = Arc::new(posts());
    let keys: Vec<u64> = (0..100).collect();
    let reversed: Vec<u64> = keys.iter().rev().copied().collect();
    let write = |keys: Vec<u64>| {
        let posts = Arc::clone(&posts);
        thread::spawn(move || {
            for _ in 0..200 {
                let slot = slot(&posts, &keys);
                posts
                    .put_all(vec!["x"; keys.len()], slot.take().unwrap())
                    .ok();
            }
        })
    };
    let writers = [write(keys), write(reversed)];
    for writer in writers {
        writer.join().unwrap();
    }
}
