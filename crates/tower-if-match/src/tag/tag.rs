//! Entity tags: minting them.
//!
//! # The format
//!
//! ```text
//! "v6-9f1c2ab04d77e310.gzip"
//!   │ └────┬─────┘│ │ └─ variant, on representations only
//!   │      │      │ └─── check: 2 digits over everything before it
//!   │      │      └───── resource: 2 digits over scope and key
//!   │      └──────────── state: 12 digits of keyed blake3 over scope, key, incarnation and revision
//!   └─────────────────── revision, readable
//! ```
//!
//! | part | made of | distinguishes |
//! | --- | --- | --- |
//! | revision | [`Revision::write_text`] | the versions that stale tags name |
//! | state | the first 48 bits of keyed blake3 over the [canonical encoding](version_store::KeyEncoder) of scope (text), key, incarnation (integer) and revision (text) | a version of this resource in this incarnation from everything else; two states share it with a probability of 2⁻⁴⁸ |
//! | resource | 8 bits of FNV-1a over the encoding of scope and key | an earlier incarnation of this resource from another resource; only explains, never decides |
//! | check | 8 bits of FNV-1a over the mint's key and the text before it | what this service minted from what others invented or an intermediary changed; only explains, never decides |
//!
//! Whether a tag matches is decided on revision, state, resource and check together, byte by byte. The
//! format is a stable promise: a change would make every tag that clients hold unknown. The golden test
//! enforces it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use http::HeaderValue;
use http_precondition::EntityTag;
use smallvec::{SmallVec, smallvec};
use version_store::{Key, KeyEncoder, Revision, RevisionText, Tagging, Version};

use super::hash::{FNV_OFFSET, fnv, fold, hex};
use super::scope::Scope;

/// The default key for minting tags. It is public, so that all processes of a service agree without
/// configuration. A tag is not a secret and authorises nothing.
///
/// To switch to a key of your own, list this one after it for a while, so that the tags that clients hold
/// are still recognised.
///
/// ```
/// use tower_if_match::{IfMatchLayer, MemoryStore, PUBLIC_TAG_KEY, PathKey, TagMint};
/// # let posts: MemoryStore<u64, String> = MemoryStore::new();
/// # let own = [7; 32];
///
/// let tags = TagMint::with_keys("posts", [own, PUBLIC_TAG_KEY]);
/// let guard = IfMatchLayer::new(tags, posts, PathKey);
/// ```
pub const PUBLIC_TAG_KEY: TagKey = *b"tower-if-match: public tag key 1";

/// A key for minting tags.
pub type TagKey = [u8; 32];

/// Digits of a minted tag after its revision.
pub(super) const DIGITS: usize = 16;

/// Which of them identify the resource.
pub(super) const RESOURCE: Range<usize> = DIGITS - 4..DIGITS - 2;

/// The maximum length of a variant, in bytes.
pub(crate) const MAX_VARIANT: usize = 64;

/// Mints the entity tags of one scope: the same tags as the layer, for code outside the layer.
///
/// Cloning is cheap. The 201 of a collection's POST, the items of a list, and events need tags, too; mint
/// them here, never with a second formatter.
///
/// ```
/// use tower_if_match::{TagMint, Version};
///
/// let tags: TagMint<u64> = TagMint::new("posts");
/// let tag = tags.tag(&77, &Version::new(6)).unwrap();
/// assert!(tag.to_string().starts_with("\"v6-"));
/// assert_ne!(tags.tag(&78, &Version::new(6)), Some(tag), "no tag matches another resource");
/// ```
pub struct TagMint<K, R = u64> {
    pub(super) shared: Arc<ScopeAndKeys>,
    of: PhantomData<fn(&K, &R)>,
}

pub(super) struct ScopeAndKeys {
    pub(super) scope: Scope,
    /// The hash of the scope's encoding.
    scope_hash: u64,
    pub(super) keys: SmallVec<[MintKey; 1]>,
}

/// A key, and what all tags that are minted with it have in common.
#[derive(Clone)]
pub(super) struct MintKey {
    key: TagKey,
    check: u64,
}

impl From<TagKey> for MintKey {
    fn from(key: TagKey) -> Self {
        Self {
            key,
            check: fnv(FNV_OFFSET, &key),
        }
    }
}

impl MintKey {
    /// The check digits for this part of a tag.
    pub(super) fn check(&self, before: &[u8]) -> u8 {
        fold(fnv(self.check, before))
    }
}

/// An opaque tag (without quotes) under construction: `v6-9f1c2ab04d77e310`.
pub(super) type Opaque = SmallVec<[u8; 48]>;

impl<K: Key, R: Revision> TagMint<K, R> {
    /// A mint for one kind of resource, with the public key.
    ///
    /// The scope names the kind (a table, a collection, a tenant) and keeps a post's tag from matching a
    /// comment with the same id. Never share a scope between tables.
    pub fn new(scope: &str) -> Self {
        Self::with_keys(scope, [PUBLIC_TAG_KEY])
    }

    /// A mint with keys of your own: tags are minted with the first key and recognised with any of them, so
    /// that you can rotate keys while clients hold tags.
    pub fn with_keys<const N: usize>(scope: &str, keys: [TagKey; N]) -> Self {
        const { assert!(N > 0, "a mint needs a key") };
        Self::of(Scope::new(scope), keys)
    }

    /// The scope of the tags.
    pub(crate) fn scope(&self) -> &Scope {
        &self.shared.scope
    }

    fn of(scope: Scope, keys: impl IntoIterator<Item = TagKey>) -> Self {
        let keys = keys.into_iter().map(MintKey::from).collect();
        let scope_hash = fnv(FNV_OFFSET, scope.encoded.as_bytes());
        let shared = ScopeAndKeys {
            scope,
            scope_hash,
            keys,
        };
        Self {
            shared: Arc::new(shared),
            of: PhantomData,
        }
    }

    /// The tag of a resource's state, or `None` if the store declares it untagged.
    pub fn tag(&self, key: &K, version: &Version<R>) -> Option<EntityTag> {
        self.representation(key, version, None)
    }

    /// The tag of one representation of a resource's state: the state's tag plus a variant that names what
    /// else the body depends on, as in [`Versioned::with_variant`](crate::Versioned::with_variant).
    pub fn representation(
        &self,
        key: &K,
        version: &Version<R>,
        variant: Option<&str>,
    ) -> Option<EntityTag> {
        match version.tagging() {
            Tagging::Untagged => None,
            // It is impossible to tell which of a store's own tags are variants of one another, so a body
            // that varies gets no strong tag.
            Tagging::Own(tag) => match variant {
                Some(variant) => weak_variant(tag.opaque(), variant),
                None => Some(tag.clone()),
            },
            Tagging::Minted => {
                let opaque = self.mint(&self.shared.keys[0], key, version)?;
                with_variant(&opaque, variant)
            }
        }
    }

    /// The tag of a resource's state as a field value.
    pub(crate) fn field_value(&self, key: &K, version: &Version<R>) -> Option<HeaderValue> {
        match version.tagging() {
            Tagging::Untagged => None,
            Tagging::Own(tag) => Some(tag.to_header_value()),
            Tagging::Minted => {
                let opaque = self.mint(&self.shared.keys[0], key, version)?;
                let mut field: SmallVec<[u8; 64]> = smallvec![b'"'];
                field.extend_from_slice(&opaque);
                field.push(b'"');
                HeaderValue::from_bytes(&field).ok()
            }
        }
    }

    pub(super) fn mint(&self, mint_key: &MintKey, key: &K, version: &Version<R>) -> Option<Opaque> {
        let mut text = RevisionText::default();
        version.revision().write_text(&mut text);
        let Some(revision) = text.as_str() else {
            tracing::error!(
                revision = ?version.revision(),
                "no tag for a revision whose text is not 1 to 64 of A-Z a-z 0-9 _"
            );
            return None;
        };
        Some(self.mint_text(mint_key, key, version.incarnation(), revision))
    }

    /// The tag of a revision, given as text of at most 64 bytes.
    pub(super) fn mint_text(
        &self,
        mint_key: &MintKey,
        key: &K,
        incarnation: u64,
        revision: &str,
    ) -> Opaque {
        let mut encoded = self.shared.scope.encoded.clone();
        key.encode(&mut encoded);
        let resource = self.resource(&encoded);
        encoded.unsigned(incarnation);
        encoded.text(revision);
        let digest = blake3::keyed_hash(&mint_key.key, encoded.as_bytes());

        let mut digits = [0; DIGITS];
        for (pair, byte) in digits
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip(&digest.as_bytes()[..6])
        {
            *pair = hex(*byte);
        }
        digits[RESOURCE].copy_from_slice(&hex(resource));
        let mut opaque = Opaque::new();
        opaque.push(b'v');
        opaque.extend_from_slice(revision.as_bytes());
        opaque.push(b'-');
        opaque.extend_from_slice(&digits[..DIGITS - 2]);
        let check = mint_key.check(&opaque);
        opaque.extend_from_slice(&hex(check));
        opaque
    }

    /// The byte that distinguishes a resource from most others, from the encoding of scope and key.
    pub(super) fn resource(&self, encoded: &KeyEncoder) -> u8 {
        let behind_scope = &encoded.as_bytes()[self.shared.scope.encoded.as_bytes().len()..];
        fold(fnv(self.shared.scope_hash, behind_scope))
    }
}

fn with_variant(opaque: &[u8], variant: Option<&str>) -> Option<EntityTag> {
    let Some(variant) = variant else {
        return EntityTag::strong(opaque).ok();
    };
    let valid = (1..=MAX_VARIANT).contains(&variant.len()) && variant.bytes().all(is_variant_byte);
    if !valid {
        // Without the variant, bodies that differ would share a strong tag.
        tracing::error!(
            variant,
            "a variant must be 1 to 64 of A-Z a-z 0-9 _ - and .; the tag is weak instead"
        );
        return weak_variant(opaque, variant);
    }
    let mut tagged = Opaque::from_slice(opaque);
    tagged.push(b'.');
    tagged.extend_from_slice(variant.as_bytes());
    EntityTag::strong(&tagged).ok()
}

/// A weak tag that still distinguishes the variant: even by weak comparison, a client that holds one body must
/// not be told that it holds another. The variant is hashed, because the handler may have named anything.
fn weak_variant(opaque: &[u8], variant: &str) -> Option<EntityTag> {
    let mut tagged = Opaque::from_slice(opaque);
    tagged.push(b'.');
    for byte in fnv(FNV_OFFSET, variant.as_bytes()).to_be_bytes() {
        tagged.extend_from_slice(&hex(byte));
    }
    EntityTag::weak(&tagged).ok()
}

pub(super) fn is_variant_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

pub(super) fn is_revision_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A mint for one kind of resource, with the public key.
impl<K: Key, R: Revision> From<&str> for TagMint<K, R> {
    fn from(scope: &str) -> Self {
        Self::new(scope)
    }
}

/// Shares the mint.
impl<K, R> Clone for TagMint<K, R> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            of: PhantomData,
        }
    }
}

/// Hides the keys: even the public one does not belong in a log.
impl<K, R> fmt::Debug for TagMint<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TagMint")
            .field("scope", &self.shared.scope.name())
            .field("keys", &self.shared.keys.len())
            .finish()
    }
}
