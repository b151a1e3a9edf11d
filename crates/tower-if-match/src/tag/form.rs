//! The form of a minted tag: its parts, and what may follow them.

use super::tag::{DIGITS, is_revision_byte, is_variant_byte};

/// Splits an opaque tag that has the form of a minted one: revision, digits, and the rest.
pub(super) fn dissect(opaque: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let behind_v = opaque.strip_prefix(b"v")?;
    let length = behind_v.iter().position(|byte| !is_revision_byte(*byte))?;
    let (revision, behind) = behind_v.split_at(length);
    let behind = behind.strip_prefix(b"-")?;
    let (digits, rest) = behind.split_at_checked(DIGITS)?;
    let lowercase_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
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

/// Whether this is the tag of a state itself, in the form of a minted one.
pub(crate) fn has_no_variant(opaque: &[u8]) -> bool {
    matches!(split_variant(opaque), Some((_, None)))
}

pub(super) fn is_variant(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_variant_byte)
}
