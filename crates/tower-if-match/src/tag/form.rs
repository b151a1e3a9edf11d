//! The form of a minted tag: its parts, and what may follow them.

use super::hash::from_hex;
use super::minted::{DIGITS, Digits};
use super::tag::{is_revision_byte, is_variant_byte};

/// An opaque tag that has the form of a minted one.
pub(super) struct Dissected<'a> {
    pub(super) revision: &'a str,
    pub(super) digits: Digits,
    /// What follows the digits: nothing, a variant, an intermediary's suffix.
    pub(super) rest: &'a [u8],
}

pub(super) fn dissect(opaque: &[u8]) -> Option<Dissected<'_>> {
    let behind_v = opaque.strip_prefix(b"v")?;
    let length = behind_v.iter().position(|byte| !is_revision_byte(*byte))?;
    let (revision, behind) = behind_v.split_at(length);
    let (digits, rest) = behind.strip_prefix(b"-")?.split_first_chunk::<DIGITS>()?;
    let digits = Digits(from_hex(*digits)?);
    let revision = std::str::from_utf8(revision).ok()?;
    (1..=64).contains(&length).then_some(Dissected {
        revision,
        digits,
        rest,
    })
}

/// Splits a tag that has the form of a minted one, whichever mint made it: what names the state, and the variant.
pub(crate) fn split_variant(opaque: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let rest = dissect(opaque)?.rest;
    let state = &opaque[..opaque.len() - rest.len()];
    match rest.strip_prefix(b".") {
        Some(variant) => is_variant(variant).then_some((state, Some(variant))),
        None => rest.is_empty().then_some((state, None)),
    }
}

/// Whether this is the tag of a state itself, in the form of a minted one.
pub(crate) fn has_no_variant(opaque: &[u8]) -> bool {
    matches!(split_variant(opaque), Some((_, None)))
}

pub(super) fn is_variant(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_variant_byte)
}
