//! Hexadecimal digits, and the small hash that explains and never decides.

/// The number in 16 lowercase digits.
pub(super) fn hex(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    digits[..8].copy_from_slice(&half(number >> 32));
    digits[8..].copy_from_slice(&half(number & 0xFFFF_FFFF));
    digits
}

/// Eight digits at once, one in each byte of a word.
fn half(mut word: u64) -> [u8; 8] {
    const EACH: u64 = u64::MAX / 0xFF;
    word = (word << 16 | word) & 0x0000_FFFF_0000_FFFF;
    word = (word << 8 | word) & 0x00FF_00FF_00FF_00FF;
    word = (word << 4 | word) & 0x0F0F_0F0F_0F0F_0F0F;
    // From ten upwards, adding six carries into the high half of the byte.
    let letters = (word + 6 * EACH) >> 4 & EACH;
    (word + u64::from(b'0') * EACH + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

/// The number that 16 lowercase digits spell.
pub(super) fn from_hex(digits: [u8; 16]) -> Option<u64> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => 0xFF,
    };
    let values = digits.map(value);
    // No early exit, so that the compiler looks at all of them at once.
    let unfit = values.iter().fold(0, |unfit, value| unfit | value) > 0xF;
    let number = values
        .iter()
        .fold(0, |number, value| number << 4 | u64::from(*value));
    (!unfit).then_some(number)
}

pub(super) const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a with eight bytes in place of one at each step, least significant first; the last ones are filled with zeros.
pub(super) fn fnv(start: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let mut hash = start;
    for word in words {
        hash = step(hash, u64::from_le_bytes(*word));
    }
    if rest.is_empty() {
        return hash;
    }
    let last = rest.iter().rev();
    step(
        hash,
        last.fold(0, |word, byte| word << 8 | u64::from(*byte)),
    )
}

/// One step of it.
pub(super) fn step(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3)
}

/// Folds the eight bytes of a hash into one.
pub(super) fn fold(hash: u64) -> u8 {
    let half = hash ^ hash >> 32;
    let quarter = half ^ half >> 16;
    let [low, ..] = (quarter ^ quarter >> 8).to_le_bytes();
    low
}
