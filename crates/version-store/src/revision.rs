use std::fmt::Debug;

use arrayvec::ArrayString;

/// What names a version within an incarnation. A minted tag starts with it in readable form (`"v6-…"`),
/// so that a stale tag tells which version its sender had.
///
/// Implemented for the unsigned integers, `i16`, `i32`, `i64` and `String`. The text of a UUID has
/// dashes; its simple form does not, and fits.
///
/// ```
/// use version_store::{Revision, RevisionText};
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Generation(u32);
///
/// impl Revision for Generation {
///     fn write_text(&self, to: &mut RevisionText) {
///         self.0.write_text(to);
///     }
///     fn from_text(text: &str) -> Option<Self> {
///         u32::from_text(text).map(Generation)
///     }
/// }
/// ```
pub trait Revision: Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Writes the text that tells the revision from all others of the same incarnation.
    fn write_text(&self, to: &mut RevisionText);

    /// The revision that writes exactly this text, or `None`.
    fn from_text(text: &str) -> Option<Self>;
}

/// The text of a revision: 1 to 64 of `A–Z a–z 0–9 _`. With any other text the resource has no tag, and
/// an error is logged.
#[derive(Clone, Debug, Default)]
pub struct RevisionText {
    text: ArrayString<64>,
    unfit: bool,
}

impl RevisionText {
    /// Appends text.
    pub fn push_str(&mut self, text: &str) {
        let fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        self.unfit |= !text.bytes().all(fit) || self.text.try_push_str(text).is_err();
    }

    /// Appends a number in decimal.
    pub fn push_decimal(&mut self, number: impl Into<u128>) {
        let number = number.into();
        let mut buffer = itoa::Buffer::new();
        // Nearly all revisions fit 64 bits, and 128 are slow to print.
        let text = match u64::try_from(number) {
            Ok(number) => buffer.format(number),
            Err(_) => buffer.format(number),
        };
        self.unfit |= self.text.try_push_str(text).is_err();
    }

    /// The text, if it is one that a tag can hold.
    pub fn as_str(&self) -> Option<&str> {
        (!self.unfit && !self.text.is_empty()).then_some(&self.text)
    }
}

macro_rules! decimal_revision {
    ($($integer:ty),*) => {$(
        impl Revision for $integer {
            fn write_text(&self, to: &mut RevisionText) {
                to.push_decimal(*self);
            }

            fn from_text(text: &str) -> Option<Self> {
                // Only the spelling that `write_text` writes: no sign, no leading zero.
                let canonical = text == "0" || text.starts_with(|c: char| matches!(c, '1'..='9'));
                canonical.then(|| text.parse().ok()).flatten()
            }
        }
    )*};
}

decimal_revision!(u8, u16, u32, u64, u128);

macro_rules! signed_revision {
    ($($integer:ty),*) => {$(
        /// Not negative: a negative revision has no text, and its resource no tag.
        impl Revision for $integer {
            fn write_text(&self, to: &mut RevisionText) {
                match u64::try_from(*self) {
                    Ok(revision) => to.push_decimal(revision),
                    Err(_) => to.push_str("-"),
                }
            }

            fn from_text(text: &str) -> Option<Self> {
                u64::from_text(text)?.try_into().ok()
            }
        }
    )*};
}

signed_revision!(i16, i32, i64);

impl Revision for String {
    fn write_text(&self, to: &mut RevisionText) {
        to.push_str(self);
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}
