//! Why a tag does not name the current state: explains, never decides.

use http_precondition::{EntityTagRef, Validators};
use version_store::{Key, Revision, Tagging};

use super::form::{Dissected, dissect};
use super::minted::{Digits, MintKey};
use super::state::{CurrentState, is_representation};
use super::tag::TagMint;

/// Why a tag does not strongly match the current state.
#[derive(Debug, PartialEq)]
pub(crate) enum Recognised<R> {
    /// It is a weak tag of the current state.
    Weakened,
    /// It belongs to this revision of this resource, in its current incarnation. A store's own tags reveal nothing;
    /// most likely such a tag was the current one before.
    Stale(Option<R>),
    /// This service minted it for this resource in another incarnation.
    EarlierIncarnation,
    /// This service minted it for another resource.
    Foreign,
    /// It begins like a tag of this service, but was changed.
    Mangled,
    /// None of the above.
    Unknown,
}

impl<K: Key, R: Revision> CurrentState<'_, K, R> {
    /// Says why a tag does not match. This only explains, and never decides.
    pub(crate) fn recognise(&self, tag: EntityTagRef<'_>) -> Recognised<R> {
        if tag.is_weak() && self.weak_match(tag) {
            return Recognised::Weakened;
        }
        match self.version.tagging() {
            Tagging::Own(_) => Recognised::Stale(None),
            Tagging::Untagged => Recognised::Unknown,
            Tagging::Minted => self.recognise_minted(tag.opaque()),
        }
    }

    fn recognise_minted(&self, opaque: &[u8]) -> Recognised<R> {
        let Some(Dissected {
            revision,
            digits,
            rest,
        }) = dissect(opaque)
        else {
            let began = self
                .minted()
                .iter()
                .any(|minted| opaque.starts_with(minted.opaque()));
            return if began {
                Recognised::Mangled
            } else {
                Recognised::Unknown
            };
        };
        let incarnation = self.version.incarnation();
        let mut keys = self.tags.shared.keys.iter();
        let names_this_incarnation =
            |mint_key: &MintKey| mint_key.digits(self.key, incarnation, revision) == digits;
        // Try each key first, because the check digits alone match by chance once in a while.
        if keys.clone().any(names_this_incarnation) {
            if !is_representation(rest) {
                return Recognised::Mangled;
            }
            return Recognised::Stale(R::from_text(revision));
        }
        if keys.any(|mint_key| mint_key.checks(revision, digits)) {
            return if self.tags.is_of(self.key, digits) {
                Recognised::EarlierIncarnation
            } else {
                Recognised::Foreign
            };
        }
        Recognised::Unknown
    }
}

impl<K: Key, R: Revision> TagMint<K, R> {
    /// Whether this mint made the tag for a representation of this resource, as far as that can be told without the
    /// current version.
    pub(crate) fn minted_for(&self, key: &K, tag: EntityTagRef<'_>) -> bool {
        let Some(tag) = dissect(tag.opaque()) else {
            return false;
        };
        let mut keys = self.shared.keys.iter();
        is_representation(tag.rest)
            && self.is_of(key, tag.digits)
            && keys.any(|mint_key| mint_key.checks(tag.revision, tag.digits))
    }

    /// Whether the digits of a tag are those of this resource, as far as one byte can tell.
    fn is_of(&self, key: &K, digits: Digits) -> bool {
        self.shared.keys[0].resource(key) == digits.resource()
    }
}
