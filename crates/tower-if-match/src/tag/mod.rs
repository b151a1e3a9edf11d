//! Entity tags: minting them, recognising them, and their variants.

mod coding;
mod recognise;
mod scope;
mod tag;
#[cfg(test)]
mod tests;

#[cfg(feature = "variant")]
pub(crate) use coding::{CodingNamed, Codings, codings, sole_tag};
pub(crate) use coding::{variant_of, without_suffix};
#[cfg(feature = "variant")]
pub(crate) use recognise::split_variant;
pub(crate) use recognise::{CurrentState, Recognised, has_no_variant};
pub(crate) use scope::Scope;
#[cfg(feature = "variant")]
pub(crate) use tag::MAX_VARIANT;
pub use tag::{PUBLIC_TAG_KEY, TagKey, TagMint};
