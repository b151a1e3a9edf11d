//! What stands in a minted tag. The format is documented in [`tag.rs`](super::tag).

use siphasher::sip::SipHasher13;
use version_store::{Key, KeyEncoder, Revision, RevisionText, Version};

use super::hash::{FNV_OFFSET, fnv, fold, hex, step};
use super::scope::Scope;

/// Digits of a minted tag after its revision.
pub(super) const DIGITS: usize = 16;

/// The quotes, the `v`, the hyphen and the digits around a revision of at most 64 bytes.
const LONGEST: usize = 64 + DIGITS + 4;

/// A minted tag of a state: `"v6-9f1c2ab04d77e310"`.
pub(crate) struct Minted {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Minted {
    /// A revision's text has at most 64 bytes.
    fn new(revision: &str, digits: Digits) -> Self {
        let mut bytes = [0; LONGEST];
        bytes[..2].copy_from_slice(b"\"v");
        let digits_at = 3 + revision.len();
        bytes[2..digits_at - 1].copy_from_slice(revision.as_bytes());
        bytes[digits_at - 1] = b'-';
        let quote_at = digits_at + DIGITS;
        bytes[digits_at..quote_at].copy_from_slice(&hex(digits.0));
        bytes[quote_at] = b'"';
        let len = quote_at + 1;
        Self { bytes, len }
    }

    /// The tag as a field value.
    pub(super) fn field(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// What stands between the quotes.
    pub(super) fn opaque(&self) -> &[u8] {
        &self.bytes[1..self.len - 1]
    }
}

/// The digits of a minted tag as a number: 48 bits of the state, 8 of the resource, 8 of the check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Digits(pub(super) u64);

impl Digits {
    pub(super) fn resource(self) -> u8 {
        let [.., resource, _] = self.0.to_be_bytes();
        resource
    }

    fn check(self) -> u8 {
        let [.., check] = self.0.to_be_bytes();
        check
    }
}

/// A tag key, and what all tags that a mint makes with it have in common.
#[derive(Clone)]
pub(super) struct MintKey {
    state: SipHasher13,
    /// The hash of the scope, where that of a resource begins.
    resource: u64,
    /// The hash of the tag key, where that of a check begins: the same in all scopes, so that a tag of another one is
    /// recognised as foreign.
    check: u64,
}

impl MintKey {
    pub(super) fn new(key: &[u8; 32], scope: &Scope) -> Self {
        let scope = scope.encoded.as_bytes();
        let derived = blake3::keyed_hash(key, scope);
        let (words, _) = derived.as_bytes().as_chunks();
        let [k0, k1] = [words[0], words[1]].map(u64::from_le_bytes);
        Self {
            state: SipHasher13::new_with_keys(k0, k1),
            resource: fnv(FNV_OFFSET, scope),
            check: fnv(FNV_OFFSET, key),
        }
    }

    /// The tag of this version, or `None` if its revision has no text.
    pub(super) fn mint<R: Revision>(&self, key: &impl Key, version: &Version<R>) -> Option<Minted> {
        let mut text = RevisionText::default();
        version.revision().write_text(&mut text);
        let Some(revision) = text.as_str() else {
            tracing::error!(
                revision = ?version.revision(),
                "no tag for a revision whose text is not 1 to 64 of A-Z a-z 0-9 _"
            );
            return None;
        };
        let digits = self.digits(key, version.incarnation(), revision);
        Some(Minted::new(revision, digits))
    }

    /// The digits after a revision, given as text.
    pub(super) fn digits(&self, key: &impl Key, incarnation: u64, revision: &str) -> Digits {
        let mut encoded = KeyEncoder::of(key);
        let resource = self.resource_of(&encoded);
        encoded.unsigned(incarnation);
        encoded.text(revision);
        let state = self.state.hash(encoded.as_bytes()) & !0xFFFF;
        let before_check = Digits(state | u64::from(resource) << 8);
        Digits(before_check.0 | u64::from(self.check_of(revision, before_check)))
    }

    /// The byte that distinguishes a resource from most others.
    pub(super) fn resource(&self, key: &impl Key) -> u8 {
        self.resource_of(&KeyEncoder::of(key))
    }

    fn resource_of(&self, key: &KeyEncoder) -> u8 {
        fold(fnv(self.resource, key.as_bytes()))
    }

    /// Whether this key minted the tag, as far as its check can tell.
    pub(super) fn checks(&self, revision: &str, digits: Digits) -> bool {
        digits.check() == self.check_of(revision, digits)
    }

    fn check_of(&self, revision: &str, digits: Digits) -> u8 {
        fold(step(fnv(self.check, revision.as_bytes()), digits.0 >> 8))
    }
}
