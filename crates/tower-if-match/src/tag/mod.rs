//! Entity tags: minted, recognised again, varied.

mod recognise;
mod scope;
mod tag;
#[cfg(test)]
mod tests;

pub(crate) use recognise::{
    CurrentState, Recognised, has_no_variant, split_variant, without_suffix,
};
pub(crate) use scope::Scope;
pub(crate) use tag::MAX_VARIANT;
pub use tag::{PUBLIC_TAG_KEY, TagKey, TagMint};
