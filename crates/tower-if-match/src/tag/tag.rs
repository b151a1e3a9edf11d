//! Entity tags: minting them.
//!
//! # The format
//!
//! ```text
//! "v6-9f1c2ab04d77e310.gzip"
//!   │ └────┬─────┘│ │ └─ variant, on representations only
//!   │      │      │ └─── check: 2 digits over everything before it
//!   │      │      └───── resource: 2 digits over scope and key
//!   │      └──────────── state: 12 digits of a keyed hash over scope, key, incarnation and revision
//!   └─────────────────── revision, readable
//! ```
//!
//! | part | made of | distinguishes |
//! | --- | --- | --- |
//! | revision | [`Revision::write_text`] | the versions that stale tags name |
//! | state | the high 48 bits of SipHash-1-3 over the [canonical encoding](version_store::KeyEncoder) of key, incarnation (integer) and revision (text) | a version of this resource in this incarnation from everything else; two states share it with a probability of 2⁻⁴⁸ |
//! | resource | FNV-1a over the encoding of scope (text), then over that of key; the eight bytes of the hash are combined by exclusive or | an earlier incarnation of this resource from another resource; only explains, never decides |
//! | check | FNV-1a over the tag key, then over the revision's text, then over state and resource as one integer of 56 bits; combined like the resource | what this service minted from what others invented or an intermediary changed; only explains, never decides |
//!
//! Digits are lowercase hexadecimal, most significant first. The key of SipHash is derived once for each mint: the
//! first 16 bytes of blake3 over the encoding of the scope, keyed with the tag key; SipHash reads it as two integers,
//! least significant byte first. FNV-1a, of 64 bits, takes eight bytes at each step in place of one, as an integer,
//! least significant byte first; what is left at the end of a text is filled with zeros.
//!
//! Whether a tag matches is decided on revision, state, resource and check together, byte by byte. The
//! format is a stable promise: a change would make every tag that clients hold unknown. The golden test
//! enforces it, and `tests/golden_tags.py` computes the same from this page.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use http::header::ETAG;
use http::{HeaderMap, HeaderValue};
use http_precondition::EntityTag;
use smallvec::SmallVec;
use version_store::{Key, Revision, Tagging, Version};

use super::hash::{FNV_OFFSET, fnv, hex};
use super::minted::{MintKey, Minted};
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
    pub(super) keys: SmallVec<[MintKey; 1]>,
}

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
        let keys = keys.into_iter();
        let keys = keys.map(|key| MintKey::new(&key, &scope)).collect();
        let shared = ScopeAndKeys { scope, keys };
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
                let minted = self.mint(key, version)?;
                with_variant(minted.opaque(), variant)
            }
        }
    }

    /// The tag of a resource's state as a field value.
    pub(crate) fn field_value(&self, key: &K, version: &Version<R>) -> Option<HeaderValue> {
        match version.tagging() {
            Tagging::Untagged => None,
            Tagging::Own(tag) => Some(tag.to_header_value()),
            Tagging::Minted => HeaderValue::from_bytes(self.mint(key, version)?.field()).ok(),
        }
    }

    /// Whether these bytes are the strong tag of the state as this mint sends it: the one tag that satisfies If-Match
    /// without being parsed. If not, the tag that was minted to find that out.
    pub(crate) fn is_strong_tag(
        &self,
        field: &[u8],
        key: &K,
        version: &Version<R>,
    ) -> Result<(), Option<Minted>> {
        let fits = match version.tagging() {
            Tagging::Untagged => false,
            Tagging::Own(tag) => !tag.is_weak() && tag.as_bytes() == field,
            Tagging::Minted => match self.mint(key, version) {
                Some(minted) if minted.field() == field => true,
                minted => return Err(minted),
            },
        };
        if fits { Ok(()) } else { Err(None) }
    }

    fn mint(&self, key: &K, version: &Version<R>) -> Option<Minted> {
        self.shared.keys[0].mint(key, version)
    }
}

/// An opaque tag with a variant.
type Variant = SmallVec<[u8; 64]>;

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
    let mut tagged = Variant::from_slice(opaque);
    tagged.push(b'.');
    tagged.extend_from_slice(variant.as_bytes());
    EntityTag::strong(&tagged).ok()
}

/// A weak tag that still distinguishes the variant: even by weak comparison, a client that holds one body must
/// not be told that it holds another. The variant is hashed, because the handler may have named anything.
fn weak_variant(opaque: &[u8], variant: &str) -> Option<EntityTag> {
    let mut tagged = Variant::from_slice(opaque);
    tagged.push(b'.');
    tagged.extend_from_slice(&hex(fnv(FNV_OFFSET, variant.as_bytes())));
    EntityTag::weak(&tagged).ok()
}

/// Sets or removes the entity tag of a response.
pub(crate) fn set_tag(fields: &mut HeaderMap, tag: Option<HeaderValue>) {
    match tag {
        Some(tag) => drop(fields.insert(ETAG, tag)),
        None => drop(fields.remove(ETAG)),
    }
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
