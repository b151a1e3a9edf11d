use std::cell::OnceCell;

use http_precondition::{EntityTag, EntityTagRef, HttpDate, Validators};
use smallvec::SmallVec;
use version_store::{Key, Revision, Tagging, Version};

use super::coding::strip_suffix;

use super::tag::{DIGITS, Opaque, RESOURCE, TagMint, hex, is_revision_octet, is_variant_octet};

/// The current state of a resource as the validator for a write's conditions: writes compare the state, so the
/// tag of any representation of the current state matches.
pub(crate) struct CurrentState<'a, K, R> {
    tags: &'a TagMint<K, R>,
    key: &'a K,
    version: &'a Version<R>,
    weakened_accepted: bool,
    /// The opaque tags that name the current state, one for each key of the mint. They are minted on first use, because
    /// not every condition or refusal needs them.
    minted: OnceCell<SmallVec<[Opaque; 1]>>,
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

    pub(crate) fn version(&self) -> &'a Version<R> {
        self.version
    }

    /// The tag of the state.
    pub(crate) fn tag(&self) -> Option<EntityTag> {
        match self.version.tagging() {
            Tagging::Own(tag) => Some(tag.clone()),
            Tagging::Untagged => None,
            Tagging::Minted => EntityTag::strong(self.minted().first()?).ok(),
        }
    }

    fn minted(&self) -> &[Opaque] {
        self.minted.get_or_init(|| {
            let keys = self.tags.shared.keys.iter();
            keys.filter_map(|mint_key| self.tags.mint(mint_key, self.key, self.version))
                .collect()
        })
    }

    fn names_state(&self, opaque: &[u8]) -> bool {
        self.minted().iter().any(|minted| {
            opaque
                .strip_prefix(minted.as_slice())
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
        let Some((revision, digits, rest)) = dissect(opaque) else {
            let began = self
                .minted()
                .iter()
                .any(|minted| opaque.starts_with(&minted[..]));
            return if began {
                Recognised::Mangled
            } else {
                Recognised::Unknown
            };
        };
        let state = &opaque[..opaque.len() - rest.len()];
        let incarnation = self.version.incarnation();
        let mut keys = self.tags.shared.keys.iter();
        let names_this_incarnation = |mint_key| {
            self.tags
                .mint_text(mint_key, self.key, incarnation, revision)
                .as_slice()
                == state
        };
        // Try each key first, because the check digits alone match by chance once in a while.
        if keys.clone().any(names_this_incarnation) {
            if !is_representation(rest) {
                return Recognised::Mangled;
            }
            return Recognised::Stale(R::from_text(revision));
        }
        let (before_check, check) = state.split_at(state.len() - 2);
        if keys.any(|mint_key| hex(mint_key.check(before_check)) == check) {
            return if self.tags.is_of(self.key, digits) {
                Recognised::EarlierIncarnation
            } else {
                Recognised::Foreign
            };
        }
        Recognised::Unknown
    }
}

/// Splits an opaque tag that has the form of a minted one: revision, digits, and the rest.
fn dissect(opaque: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let behind_v = opaque.strip_prefix(b"v")?;
    let length = behind_v
        .iter()
        .position(|octet| !is_revision_octet(*octet))?;
    let (revision, behind) = behind_v.split_at(length);
    let behind = behind.strip_prefix(b"-")?;
    let (digits, rest) = behind.split_at_checked(DIGITS)?;
    let lowercase_hex = |octet: &u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
    let valid = (1..=64).contains(&revision.len()) && digits.iter().all(lowercase_hex);
    let revision = std::str::from_utf8(revision).ok()?;
    valid.then_some((revision, digits, rest))
}

/// Splits a tag that has the form of a minted one, whichever mint made it: what names the state, and the variant.
pub(crate) fn split_variant(opaque: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let (_, _, rest) = dissect(opaque)?;
    let state = &opaque[..opaque.len() - rest.len()];
    match rest.strip_prefix(b".") {
        Some(variant) => is_variant(variant).then_some((state, Some(variant))),
        None => rest.is_empty().then_some((state, None)),
    }
}

fn is_variant(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_variant_octet)
}

/// Whether this is the tag of a state itself, in the form of a minted one.
pub(crate) fn has_no_variant(opaque: &[u8]) -> bool {
    matches!(split_variant(opaque), Some((_, None)))
}

/// Whether what follows a state's tag makes it the tag of a representation: nothing, a variant, an intermediary's
/// suffix, or both.
fn is_representation(rest: &[u8]) -> bool {
    let rest = strip_suffix(rest).unwrap_or(rest);
    match rest.strip_prefix(b".") {
        Some(variant) => is_variant(variant),
        None => rest.is_empty(),
    }
}

impl<K: Key, R: Revision> TagMint<K, R> {
    /// Whether this mint made the tag for a representation of this resource, as far as that can be told without the
    /// current version.
    pub(crate) fn minted_for(&self, key: &K, tag: EntityTagRef<'_>) -> bool {
        let Some((_, digits, rest)) = dissect(tag.opaque()) else {
            return false;
        };
        let state = &tag.opaque()[..tag.opaque().len() - rest.len()];
        let (before_check, check) = state.split_at(state.len() - 2);
        let mut keys = self.shared.keys.iter();
        is_representation(rest)
            && self.is_of(key, digits)
            && keys.any(|mint_key| hex(mint_key.check(before_check)) == check)
    }

    /// Whether the digits of a tag are those of this resource, as far as one byte can tell.
    fn is_of(&self, key: &K, digits: &[u8]) -> bool {
        let mut encoded = self.shared.scope.encoded.clone();
        key.encode(&mut encoded);
        digits[RESOURCE] == hex(self.resource(&encoded))
    }
}
