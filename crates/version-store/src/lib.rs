//! What a conditional write needs of a store.
//!
//! A precondition in an HTTP request (`If-Match`, RFC 9110 §13.1) names a version of a resource. Two
//! things make that safe, and the store has to do both: report the **current version** of a resource
//! ([`VersionStore`]), and **write only on the expected version** ([`Expected`]), in one atomic step.
//! Comparing first and writing afterwards is the race that this crate exists to close.
//!
//! # How a conditional write ends
//!
//! A layer evaluates the request's condition and lends the handler an [`Expected`]. The write consumes
//! it and settles how it ended:
//!
//! | settled as | what happened | by |
//! | --- | --- | --- |
//! | written | the write took place on the expected version and made a new one, or removed the resource | [`Expected::settle`], [`Expected::written`], [`Expected::removed`] |
//! | unchanged | nothing was written | [`Expected::unchanged`] |
//! | lost | someone else wrote first; nothing was written | [`Expected::settle`], [`Expected::lost`] |
//!
//! The outcome is kept in a slot that the handler shares with the layer ([`handover`]), not in the
//! response, so no error type, tuple or middleware in between can lose it.
//!
//! # Example
//!
//! ```
//! use version_store::{Demand, Expected, MemoryStore, handover::Slot};
//!
//! let posts: MemoryStore<u64, String> = MemoryStore::new();
//! posts.create(7, "first".to_owned());
//!
//! // What a layer does for a request whose `If-Match` fits the current version:
//! let seen = posts.get(&7).unwrap().version().clone();
//! let slot: Slot<Expected<MemoryStore<u64, String>>> = Slot::new(7, Demand::Version(seen.clone()));
//! let expected = slot.take().unwrap();
//!
//! // What a handler does: one atomic step.
//! posts.put("second".to_owned(), expected).unwrap();
//!
//! // A second write on the same version is too late.
//! let slot: Slot<Expected<MemoryStore<u64, String>>> = Slot::new(7, Demand::Version(seen));
//! assert!(posts.put("third".to_owned(), slot.take().unwrap()).is_err());
//! assert_eq!(posts.get(&7).unwrap().body(), "second");
//! ```
//!
//! # Features
//!
//! | feature | default | what |
//! | --- | --- | --- |
//! | `axum` | no | [`Expected`] and `Option<Expected>` are extractors, [`Versioned`], [`Lost`] and [`WriteError`] are responses |
//! | `conformance` | no | the suite that tests whether a store keeps its promises: module `conformance` |
//! | `derive` | no | `#[derive(Key)]` makes a struct a key |
//! | `uuid` | no | `uuid::Uuid` is a key |

#[cfg(feature = "axum")]
mod axum;
pub mod bulk;
mod column;
mod conflict;
#[cfg(feature = "conformance")]
pub mod conformance;
mod demand;
mod error;
mod expected;
pub mod handover;
mod key;
mod lent;
mod memory;
mod not_lent;
mod revision;
mod slot;
mod store;
mod store_fn;
mod sync;
mod transactional;
mod tx;
mod version;
mod versioned;

pub use column::NegativeColumn;
pub use conflict::{Conflict, Conflicts, Describe};
pub use demand::Demand;
pub use error::{Lost, WriteError};
pub use expected::Expected;
pub use key::{Key, KeyEncoder};
pub use memory::{MemoryStore, Put};
pub use not_lent::NotLent;
pub use revision::{Revision, RevisionText};
pub use store::VersionStore;
pub use store_fn::{StoreFn, store_fn};
pub use transactional::{Begun, EndError, Transactional, Versions};
pub use tx::Tx;
pub use version::{Tagging, Version};
#[cfg(feature = "derive")]
#[doc(inline)]
pub use version_store_derive::Key;
pub use versioned::Versioned;

/// What `tower-if-match` re-exports as `Key`: the trait, and the derive with paths that resolve for its
/// users.
#[doc(hidden)]
pub mod through_the_layer {
    pub use crate::key::Key;
    #[cfg(feature = "derive")]
    pub use version_store_derive::KeyThroughTheLayer as Key;
}

#[cfg(all(doctest, feature = "conformance"))]
#[doc = include_str!("../../../docs/your-own-store.md")]
mod your_own_store {}
