//! Content codings in entity tags: their names, what intermediaries append for them, and which variants name one.

use std::borrow::Cow;

use super::form::split_variant;

/// The names of content codings. A handler's variant may end like one: `br` is also Breton.
const CODINGS: [&str; 8] = [
    "br", "compress", "dcb", "dcz", "deflate", "gzip", "x-gzip", "zstd",
];

/// What intermediaries are known to append to an opaque tag, inside its quotes, when they encode a body.
/// RFC 9110 §8.8.3.3 requires different strong tags for different codings, so they may do so. A tag that this
/// service minted is still recognised, a deviation that the docs mention.
// `--gzip` comes before `-gzip`, which is its suffix.
const SUFFIXES: [&[u8]; 10] = [
    b"--gzip",
    b"-gzip",
    b"-br",
    b"-zstd",
    b"-deflate",
    b";gzip",
    b";br",
    b";zstd",
    b";deflate",
    b"+gzip",
];

/// The bytes without an intermediary's suffix, if they have one.
pub(super) fn strip_suffix(bytes: &[u8]) -> Option<&[u8]> {
    SUFFIXES
        .iter()
        .find_map(|suffix| bytes.strip_suffix(*suffix))
}

/// A tag without an intermediary's suffix, if it has one after a tag of the form of a minted one.
pub(crate) fn without_suffix(opaque: &[u8]) -> Option<&[u8]> {
    let stripped = strip_suffix(opaque)?;
    split_variant(stripped).map(|_| stripped)
}

/// The variant of a body: the handler's variant, and the coding. An encoded body differs from the plain one, and
/// must not share its strong tag.
pub(crate) fn variant_of<'a>(
    named: Option<&'a str>,
    coding: Option<&'a str>,
) -> Option<Cow<'a, str>> {
    match (named, coding) {
        (Some(variant), Some(coding)) if !names(variant, coding) => {
            Some(Cow::Owned(format!("{}.{coding}", apart(variant))))
        }
        (Some(variant), None) => Some(apart(variant)),
        (variant, coding) => variant.or(coding).map(Cow::Borrowed),
    }
}

/// Distinguishes a variant that ends like a coding (`br` for Breton) from the variant that the plain body gets when
/// it is encoded.
fn apart(variant: &str) -> Cow<'_, str> {
    let last = variant.rsplit('.').next().unwrap_or_default();
    let ends_like_one = CODINGS
        .iter()
        .any(|coding| coding.eq_ignore_ascii_case(last));
    if ends_like_one {
        Cow::Owned(format!("{variant}_"))
    } else {
        Cow::Borrowed(variant)
    }
}

/// Whether the handler's variant already includes the coding.
fn names(variant: &str, coding: &str) -> bool {
    variant.split('.').any(|part| part == coding)
}

#[cfg(feature = "variant")]
pub(crate) use encoded::{CodingNamed, Codings, codings, sole_tag};

/// What the layer around an encoder needs, too.
#[cfg(feature = "variant")]
mod encoded {
    use http::header::{CONTENT_ENCODING, ETAG};
    use http::{HeaderMap, Response};
    use http_precondition::EntityTagRef;
    use smallvec::SmallVec;

    use crate::tag::form::split_variant;

    /// The codings of a body in the order in which they were applied, in lower case.
    pub(crate) type Codings = SmallVec<[SmallVec<[u8; 16]>; 1]>;

    pub(crate) fn codings(fields: &HeaderMap) -> Codings {
        let lines = fields.get_all(CONTENT_ENCODING).iter();
        let members = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
        members
            .map(<[u8]>::trim_ascii)
            .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
            .map(|coding| coding.iter().map(u8::to_ascii_lowercase).collect())
            .collect()
    }

    /// The only entity tag of a response.
    pub(crate) fn sole_tag(fields: &HeaderMap) -> Option<EntityTagRef<'_>> {
        let mut lines = fields.get_all(ETAG).iter();
        let tag = lines.next()?;
        if lines.next().is_some() {
            return None;
        }
        EntityTagRef::parse(tag.as_bytes()).ok()
    }

    /// Marks a response whose tag was made for the body as the handler encoded it. The variant alone is ambiguous: `br`
    /// is a coding, and also Breton.
    #[derive(Clone, Debug)]
    pub(crate) struct CodingNamed(Codings);

    impl CodingNamed {
        /// Marks an encoded response with the tag that was made for it, or that names its codings.
        pub(crate) fn mark<B>(response: &mut Response<B>, made_for_it: bool) {
            let fields = response.headers();
            if !fields.contains_key(CONTENT_ENCODING) {
                return;
            }
            let codings = codings(fields);
            if made_for_it || sole_tag(fields).is_some_and(|tag| names(tag, &codings)) {
                response.extensions_mut().insert(Self(codings));
            }
        }

        /// Whether these are the codings that the tag was made for.
        pub(crate) fn names(&self, codings: &Codings) -> bool {
            self.0 == *codings
        }
    }

    /// Whether each coding is a part of the tag's variant.
    fn names(tag: EntityTagRef<'_>, codings: &Codings) -> bool {
        let Some((_, Some(variant))) = split_variant(tag.opaque()) else {
            return false;
        };
        codings.iter().all(|coding| {
            let mut parts = variant.split(|byte| *byte == b'.');
            parts.any(|part| part.eq_ignore_ascii_case(coding))
        })
    }
}
