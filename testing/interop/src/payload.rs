//! What is sent to peers.

/// A mebibyte.
pub const MEBIBYTE: usize = 1024 * 1024;

/// Without the letters that `openssl s_client` and `s_server` take for commands at the start of
/// a line.
const ALPHABET: &[u8; 32] = b"0123456789adefghijlmnopstuvwxyz_";
const LINE: usize = 64;

/// `length` bytes of text in lines, without any pattern, always the same. Text, because some
/// peers read their input as such.
#[must_use]
pub fn text(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let byte = |place: usize| {
        // Marsaglia's xorshift
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if place % LINE == LINE - 1 || place + 1 == length {
            b'\n'
        } else {
            ALPHABET[(state >> 59) as usize]
        }
    };
    (0..length).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_its_length_and_ends_with_a_line() {
        for length in [1, 63, 64, 65, 100_000] {
            let text = text(length);
            assert_eq!(text.len(), length);
            assert_eq!(text.last(), Some(&b'\n'));
            assert!(text.is_ascii());
        }
    }
}
