//! Entity tags: minting them, recognising them, and their variants.

mod coding;
mod form;
mod hash;
mod minted;
mod recognise;
mod scope;
mod state;
mod tag;
#[cfg(test)]
mod tests;

#[cfg(feature = "variant")]
pub(crate) use coding::{CodingNamed, Codings, codings, sole_tag};
pub(crate) use coding::{variant_of, without_suffix};
pub(crate) use form::has_no_variant;
#[cfg(feature = "variant")]
pub(crate) use form::split_variant;
pub(crate) use minted::Minted;
pub(crate) use recognise::Recognised;
pub(crate) use scope::Scope;
pub(crate) use state::CurrentState;
#[cfg(feature = "variant")]
pub(crate) use tag::MAX_VARIANT;
pub(crate) use tag::set_tag;
pub use tag::{PUBLIC_TAG_KEY, TagKey, TagMint};
