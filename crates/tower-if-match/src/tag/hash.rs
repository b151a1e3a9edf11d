//! Hexadecimal digits, and the small hash that explains and never decides.

pub(super) fn hex(byte: u8) -> [u8; 2] {
    const DIGIT: &[u8; 16] = b"0123456789abcdef";
    [DIGIT[usize::from(byte >> 4)], DIGIT[usize::from(byte & 15)]]
}

pub(super) const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

pub(super) fn fnv(start: u64, octets: &[u8]) -> u64 {
    octets.iter().fold(start, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Folds the eight bytes of a hash into one.
pub(super) fn fold(hash: u64) -> u8 {
    hash.to_be_bytes()
        .into_iter()
        .fold(0, |folded, byte| folded ^ byte)
}
