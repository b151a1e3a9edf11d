//! Whether a tag names the current state: what decides.

use std::cell::OnceCell;

use http_precondition::{EntityTag, EntityTagRef, HttpDate, Validators};
use smallvec::{SmallVec, smallvec};
use version_store::{Key, Revision, Tagging, Version};

use super::coding::strip_suffix;
use super::form::is_variant;
use super::minted::Minted;
use super::tag::TagMint;

/// The current state of a resource as the validator for a write's conditions: writes compare the state, so the
/// tag of any representation of the current state matches.
pub(crate) struct CurrentState<'a, K, R> {
    pub(super) tags: &'a TagMint<K, R>,
    pub(super) key: &'a K,
    pub(super) version: &'a Version<R>,
    weakened_accepted: bool,
    /// The opaque tags that name the current state, one for each key of the mint. They are minted on first use, because
    /// not every condition or refusal needs them.
    minted: OnceCell<SmallVec<[Minted; 1]>>,
}

impl<'a, K: Key, R: Revision> CurrentState<'a, K, R> {
    pub(crate) fn new(tags: &'a TagMint<K, R>, key: &'a K, version: &'a Version<R>) -> Self {
        Self {
            tags,
            key,
            version,
            weakened_accepted: false,
            minted: OnceCell::new(),
        }
    }

    /// The same state, but a weak tag names it as well as a strong one, if this service minted it: then it was
    /// weakened in transit. Under RFC 9110 §13.1.1 a weak tag never matches.
    pub(crate) fn accepting_weakened(mut self, accepted: bool) -> Self {
        self.weakened_accepted = accepted;
        self
    }

    /// The same state, for which the first key has minted this tag already.
    pub(crate) fn knowing(self, minted: Option<Minted>) -> Self {
        if let Some(minted) = minted
            && self.tags.shared.keys.len() == 1
        {
            self.minted.get_or_init(|| smallvec![minted]);
        }
        self
    }

    pub(crate) fn version(&self) -> &'a Version<R> {
        self.version
    }

    /// The tag of the state.
    pub(crate) fn tag(&self) -> Option<EntityTag> {
        match self.version.tagging() {
            Tagging::Own(tag) => Some(tag.clone()),
            Tagging::Untagged => None,
            Tagging::Minted => EntityTag::parse(self.minted().first()?.field()).ok(),
        }
    }

    pub(super) fn minted(&self) -> &[Minted] {
        self.minted.get_or_init(|| {
            let keys = self.tags.shared.keys.iter();
            keys.filter_map(|mint_key| mint_key.mint(self.key, self.version))
                .collect()
        })
    }

    fn names_state(&self, opaque: &[u8]) -> bool {
        self.minted().iter().any(|minted| {
            opaque
                .strip_prefix(minted.opaque())
                .is_some_and(is_representation)
        })
    }
}

impl<K: Key, R: Revision> Validators for CurrentState<'_, K, R> {
    fn strong_match(&self, tag: EntityTagRef<'_>) -> bool {
        match self.version.tagging() {
            Tagging::Minted => {
                (!tag.is_weak() || self.weakened_accepted) && self.names_state(tag.opaque())
            }
            Tagging::Own(own) => own.strong_eq(tag),
            Tagging::Untagged => false,
        }
    }

    fn weak_match(&self, tag: EntityTagRef<'_>) -> bool {
        match self.version.tagging() {
            Tagging::Minted => self.names_state(tag.opaque()),
            Tagging::Own(own) => own.weak_eq(tag),
            Tagging::Untagged => false,
        }
    }

    fn last_modified(&self) -> Option<HttpDate> {
        self.version.modified_at().map(HttpDate::from)
    }
}

/// Whether what follows a state's tag makes it the tag of a representation: nothing, a variant, an intermediary's
/// suffix, or both.
pub(super) fn is_representation(rest: &[u8]) -> bool {
    let rest = strip_suffix(rest).unwrap_or(rest);
    match rest.strip_prefix(b".") {
        Some(variant) => is_variant(variant),
        None => rest.is_empty(),
    }
}
