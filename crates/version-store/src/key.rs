use std::cmp::Ordering;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};

/// What names a resource in a store.
///
/// Equal keys mean the same row, and each row has one key: a path that can spell an id in several ways
/// (`/7`, `/07`, `/%37`) must parse to one key, and if a column ignores case, the key folds it.
///
/// Implemented for integers, `String`, `[u8; N]` and tuples of up to four keys; with the feature `uuid`
/// also for `uuid::Uuid`. With the feature `derive`, `#[derive(Key)]` implements it for structs: a
/// single field is encoded as itself, several as a tuple in the order of declaration.
///
#[cfg_attr(feature = "derive", doc = "```")]
#[cfg_attr(not(feature = "derive"), doc = "```ignore")]
/// use version_store::Key;
///
/// #[derive(Clone, Debug, PartialEq, Eq, Hash, Key)]
/// struct CommentId {
///     post: u64,
///     number: u32,
/// }
/// ```
///
/// By hand:
///
/// ```
/// use version_store::{Key, KeyEncoder};
///
/// #[derive(Clone, Debug, PartialEq, Eq)]
/// struct PostId(u64);
///
/// impl Key for PostId {
///     fn encode(&self, to: &mut KeyEncoder) {
///         self.0.encode(to);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot name a resource in a store",
    note = "implement `version_store::Key` for it: `fn encode(&self, to: &mut KeyEncoder)`, or derive it: feature `derive`"
)]
pub trait Key: Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Writes the canonical encoding, from which tags are minted: equal keys write equal bytes, unequal
    /// keys unequal ones.
    ///
    /// It must stay the same across deployments: if a key's encoding changes, no tag that clients hold
    /// fits any more.
    fn encode(&self, to: &mut KeyEncoder);
}

/// The canonical encoding that tags are minted from: self-delimiting items, one after another.
///
/// | item | bytes |
/// | --- | --- |
/// | integer from 0 to 2^64 − 1, of any type | `u`, 8 bytes, most significant first |
/// | any other integer | `i`, 16 bytes of two's complement, most significant first |
/// | text, as UTF-8 | `s`, its length in 4 bytes, most significant first, its bytes |
/// | bytes | `b`, as text |
/// | UUID | its 16 bytes, as bytes |
/// | tuple, struct of several fields | `t`, the number of its members in one byte, its members |
/// | struct of one field | its field |
#[derive(Clone)]
pub struct KeyEncoder {
    short: [u8; SHORT],
    len: usize,
    /// All of it, once it is longer than `short` can hold.
    long: Vec<u8>,
}

/// The longest encoding that needs no heap.
const SHORT: usize = 96;

impl KeyEncoder {
    /// An empty encoding.
    pub fn new() -> Self {
        Self {
            short: [0; SHORT],
            len: 0,
            long: Vec::new(),
        }
    }

    /// The encoding of a key.
    pub fn of(key: &impl Key) -> Self {
        let mut canonical = Self::new();
        key.encode(&mut canonical);
        canonical
    }

    /// Writes an integer. The same number is the same item, whatever its type.
    pub fn integer(&mut self, value: i128) {
        match u64::try_from(value) {
            Ok(value) => self.unsigned(value),
            Err(_) => self.item(b'i', &value.to_be_bytes()),
        }
    }

    /// Writes an integer from 0 to 2^64 − 1; the same item as [`integer`](Self::integer) writes.
    pub fn unsigned(&mut self, value: u64) {
        let mut item = [b'u'; 9];
        item[1..].copy_from_slice(&value.to_be_bytes());
        self.append(&item);
    }

    /// Writes text.
    pub fn text(&mut self, value: &str) {
        self.measured(b's', value.as_bytes());
    }

    /// Writes bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        self.measured(b'b', value);
    }

    /// Writes the head of a tuple; `members` items follow.
    pub fn tuple(&mut self, members: u8) {
        self.item(b't', &[members]);
    }

    /// What has been encoded so far.
    pub fn as_bytes(&self) -> &[u8] {
        if self.long.is_empty() {
            &self.short[..self.len]
        } else {
            &self.long
        }
    }

    fn item(&mut self, kind: u8, bytes: &[u8]) {
        self.append(&[kind]);
        self.append(bytes);
    }

    fn measured(&mut self, kind: u8, bytes: &[u8]) {
        // No request head can hold a key of 4 GiB.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mut head = [kind; 5];
        head[1..].copy_from_slice(&length.to_be_bytes());
        self.append(&head);
        self.append(bytes);
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        match self.short.get_mut(self.len..end) {
            Some(room) => room.copy_from_slice(bytes),
            None => self.spill(bytes),
        }
        self.len = end;
    }

    #[cold]
    fn spill(&mut self, bytes: &[u8]) {
        if self.long.is_empty() {
            self.long.extend_from_slice(&self.short[..self.len]);
        }
        self.long.extend_from_slice(bytes);
    }
}

impl Default for KeyEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KeyEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyEncoder({})", self.as_bytes().escape_ascii())
    }
}

impl PartialEq for KeyEncoder {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for KeyEncoder {}

impl PartialOrd for KeyEncoder {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyEncoder {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for KeyEncoder {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

macro_rules! integer_key {
    ($($integer:ty),*) => {$(
        impl Key for $integer {
            fn encode(&self, to: &mut KeyEncoder) {
                to.integer(i128::from(*self));
            }
        }
    )*};
}

integer_key!(u8, u16, u32, i8, i16, i32, i64, i128);

impl Key for u64 {
    fn encode(&self, to: &mut KeyEncoder) {
        to.unsigned(*self);
    }
}

impl Key for String {
    fn encode(&self, to: &mut KeyEncoder) {
        to.text(self);
    }
}

/// The same key as its 16 bytes.
#[cfg(feature = "uuid")]
impl Key for uuid::Uuid {
    fn encode(&self, to: &mut KeyEncoder) {
        to.bytes(self.as_bytes());
    }
}

impl<const N: usize> Key for [u8; N] {
    fn encode(&self, to: &mut KeyEncoder) {
        to.bytes(self);
    }
}

macro_rules! tuple_key {
    ($members:literal: $($name:ident)*) => {
        impl<$($name: Key),*> Key for ($($name,)*) {
            #[allow(non_snake_case, reason = "the members are named as their types")]
            fn encode(&self, to: &mut KeyEncoder) {
                let ($($name,)*) = self;
                to.tuple($members);
                $($name.encode(to);)*
            }
        }
    };
}

tuple_key!(1: A);
tuple_key!(2: A B);
tuple_key!(3: A B C);
tuple_key!(4: A B C D);

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(key: &impl Key) -> Vec<u8> {
        let mut to = KeyEncoder::new();
        key.encode(&mut to);
        to.as_bytes().to_vec()
    }

    #[test]
    fn the_same_number_of_any_type_is_one_item() {
        let seven = [b'u', 0, 0, 0, 0, 0, 0, 0, 7];
        assert_eq!(encoded(&7_u64), seven);
        assert_eq!(encoded(&7_u8), seven);
        assert_eq!(encoded(&7_i64), seven);
        assert_eq!(encoded(&7_i128), seven);
        assert_ne!(encoded(&-7_i64), seven);
    }

    /// The table of [`KeyEncoder`], held: tags are minted from it.
    #[test]
    fn golden() {
        let minus_two = [&b"i"[..], &[0xff; 15], &[0xfe]].concat();
        assert_eq!(encoded(&-2_i32), minus_two);
        let beyond_u64 = [&b"i"[..], &[0; 7], &[1], &[0; 8]].concat();
        assert_eq!(encoded(&(1_i128 << 64)), beyond_u64);
        assert_eq!(encoded(&"h\u{e9}".to_owned()), b"s\0\0\0\x03h\xc3\xa9");
        assert_eq!(encoded(&[7_u8, 8]), b"b\0\0\0\x02\x07\x08");
        #[cfg(feature = "uuid")]
        {
            let id = uuid::Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
            let item =
                b"b\0\0\0\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";
            assert_eq!(encoded(&id), item);
            assert_eq!(encoded(&id), encoded(&id.into_bytes()));
        }
        let text = || String::new();
        assert_eq!(encoded(&(text(),)), b"t\x01s\0\0\0\0");
        assert_eq!(encoded(&(text(), text()))[..2], *b"t\x02");
        assert_eq!(encoded(&(text(), text(), text()))[..2], *b"t\x03");
        assert_eq!(encoded(&(text(), text(), text(), text()))[..2], *b"t\x04");
    }

    #[test]
    fn borders_between_items_are_part_of_the_encoding() {
        let text = |s: &str| s.to_owned();
        assert_ne!(
            encoded(&(text("ab"), text("c"))),
            encoded(&(text("a"), text("bc")))
        );
        assert_ne!(encoded(&text("7")), encoded(&7_u64));
        assert_ne!(encoded(&(7_u64,)), encoded(&7_u64));
        assert_ne!(
            encoded(&((1_u64, 2_u64), 3_u64)),
            encoded(&(1_u64, (2_u64, 3_u64)))
        );
        assert_ne!(encoded(&[7_u8; 2]), encoded(&text("\u{7}\u{7}")));
    }

    /// What is longer than an encoding usually is goes to the heap, and is the same.
    #[test]
    fn an_encoding_of_any_length_is_whole() {
        for length in 80_u8..120 {
            let text = "x".repeat(length.into());
            let whole = [&b"s\0\0\0"[..], &[length], text.as_bytes()].concat();
            assert_eq!(encoded(&text), whole);
            let pair = (text, 7_u64);
            let both = [&b"t\x02"[..], &whole, &encoded(&7_u64)].concat();
            assert_eq!(encoded(&pair), both);
            assert_eq!(KeyEncoder::of(&pair), KeyEncoder::of(&pair.clone()));
        }
    }
}
