//! A derived key is what it is made of.

#![cfg(feature = "derive")]

use version_store::{Key, KeyEncoder, MemoryStore};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Key)]
struct PostId(u64);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Key)]
struct CommentId {
    post: PostId,
    r#type: String,
    number: i64,
}

#[derive(Clone, Debug, PartialEq, Key)]
struct Of<T, const N: usize>(T, [u8; N]);

/// More than the tuples that are keys.
#[derive(Clone, Debug, PartialEq, Key)]
struct Five(u8, u8, u8, u8, u8);

#[test]
fn one_field_is_the_key_that_it_wraps() {
    assert_eq!(KeyEncoder::of(&PostId(7)), KeyEncoder::of(&7_u64));
    assert_ne!(KeyEncoder::of(&PostId(7)), KeyEncoder::of(&(7_u64,)));
}

#[test]
fn several_fields_are_their_tuple() {
    let text = || "reply".to_owned();
    let comment = CommentId {
        post: PostId(7),
        r#type: text(),
        number: -1,
    };
    let tuple = (7_u64, text(), -1_i64);
    assert_eq!(KeyEncoder::of(&comment), KeyEncoder::of(&tuple));

    let five = KeyEncoder::of(&Five(1, 2, 3, 4, 5));
    assert_eq!(five.as_bytes()[..2], *b"t\x05");
    assert_eq!(five.as_bytes().len(), 2 + 5 * 9);
}

#[test]
fn parameters_are_keys_too() {
    let of = Of(PostId(7), [1, 2]);
    assert_eq!(KeyEncoder::of(&of), KeyEncoder::of(&(7_u64, [1_u8, 2])));
}

#[test]
fn a_derived_key_names_documents() {
    let posts: MemoryStore<PostId, &str> = MemoryStore::new();
    posts.create(PostId(7), "first").unwrap();
    assert!(posts.get(&PostId(7)).is_some() && posts.get(&PostId(8)).is_none());
}
