//! The grammar of `If-Match` and `If-None-Match` (RFC 9110 §13.1.1, §13.1.2) over the joined field
//! value.
//!
//! ```text
//! If-Match   = "*" / #entity-tag
//! #element  => [ element ] *( OWS "," OWS [ element ] )      ; what a recipient accepts, §5.6.1.2
//! entity-tag = [ %s"W/" ] DQUOTE *etagc DQUOTE
//! etagc      = %x21 / %x23-7E / obs-text
//! ```
//!
//! One index walks the text and never goes back, so the work is linear in its length whatever the
//! octets are.

/// What the text of one condition field is, before anything is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// No list member at all: nothing, white space, commas.
    Empty,
    /// `*` alone.
    Any,
    /// A well-formed list with this many members, at least one.
    Tags(usize),
    /// Anything else.
    Malformed,
}

/// Scans the joined text of one condition field.
pub(crate) fn scan(text: &[u8]) -> Scan {
    let mut tags = 0;
    let mut at = 0;
    loop {
        // Here a member may begin. Empty members are nothing but white space and commas.
        at = match text.get(at) {
            None => break,
            Some(b'"') => at + 1,
            Some(b' ' | b'\t' | b',') => {
                at += 1;
                continue;
            }
            Some(b'W') if text.get(at + 1..at + 3) == Some(b"/\"") => at + 3,
            // The wildcard is not a list member: it stands for the whole value.
            Some(b'*') if trim_ows(text) == b"*" => return Scan::Any,
            Some(_) => return Scan::Malformed,
        };
        at += opaque_len(&text[at..]);
        if text.get(at) != Some(&b'"') {
            return Scan::Malformed;
        }
        at += 1;
        tags += 1;
        // Behind a member only a comma may follow, so that `"a" "b"` is not two members.
        at = loop {
            match text.get(at) {
                None | Some(b',') => break at,
                Some(b' ' | b'\t') => at += 1,
                Some(_) => return Scan::Malformed,
            }
        };
    }
    if tags == 0 {
        Scan::Empty
    } else {
        Scan::Tags(tags)
    }
}

/// How many octets at the front may stand between the quotes of an entity tag.
pub(crate) fn opaque_len(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let others = other_than_etagc(u64::from_le_bytes(*word));
        if others != 0 {
            return place * 8 + others.trailing_zeros() as usize / 8;
        }
    }
    // The last word overlaps the one before it, all of whose octets are `etagc`.
    if let (false, Some(last)) = (rest.is_empty(), text.last_chunk()) {
        let others = other_than_etagc(u64::from_le_bytes(*last));
        return text.len() - 8 + others.trailing_zeros() as usize / 8;
    }
    let other = rest.iter().position(|&octet| !is_etagc(octet));
    words.len() * 8 + other.unwrap_or(rest.len())
}

/// Marks octets that are no `etagc`, eight at a time, because a tag is nearly all of a field. The
/// lowest mark is right; above it a borrow can mark an octet that is one.
const fn other_than_etagc(word: u64) -> u64 {
    const EACH: u64 = u64::MAX / 0xFF;
    // Where subtraction borrows into the high bit of an octet that had none, it was the smaller.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(EACH * limit) & !word
    }
    let quote = below(word ^ (EACH * b'"' as u64), 1);
    let delete = below(word ^ (EACH * 0x7F), 1);
    (below(word, b'!' as u64) | quote | delete) & (EACH * 0x80)
}

/// `etagc`: everything from `!` upwards but the double quote and DEL.
pub(crate) const fn is_etagc(octet: u8) -> bool {
    octet > b' ' && octet != b'"' && octet != 0x7F
}

/// The text without the optional white space (SP, HTAB) around it (RFC 9110 §5.6.3).
pub(crate) fn trim_ows(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_octets_agree() {
        // Every octet at every place, among neighbours on both sides of each bound.
        for filler in [b'!', b'#', b'~', 0x80, 0xFF] {
            for octet in 0..=u8::MAX {
                for length in 1..20 {
                    for place in 0..length {
                        let mut text = vec![filler; length];
                        text[place] = octet;
                        let expected = if is_etagc(octet) { length } else { place };
                        assert_eq!(opaque_len(&text), expected, "{octet:#x} in {text:?}");
                    }
                }
            }
        }
        for pair in 0..=u16::MAX {
            let text = [[b'a'; 3].as_slice(), &pair.to_le_bytes(), &[b'a'; 3]].concat();
            let expected = text.iter().position(|&octet| !is_etagc(octet));
            assert_eq!(opaque_len(&text), expected.unwrap_or(8), "{text:?}");
        }
    }
}
