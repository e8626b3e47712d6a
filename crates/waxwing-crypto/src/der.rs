//! The frame of DER: tag, length, content (X.690, Sections 8.1 and 10.1). What is inside is for a
//! library to read, but for the little that a handshake takes apart itself.

/// Takes one element with the given tag, which has one octet: its content, and what follows it.
/// `None` if another comes first, or its length is not definite, not at most 65,535, or not in its
/// only DER form.
#[must_use]
#[inline]
pub fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = input.split_first()?;
    if *first != tag {
        return None;
    }
    let (len, rest) = length(rest)?;
    rest.split_at_checked(len)
}

#[inline]
fn length(input: &[u8]) -> Option<(usize, &[u8])> {
    match *input {
        [short @ 0..=0x7f, ref rest @ ..] => Some((usize::from(short), rest)),
        [0x81, len @ 0x80..=0xff, ref rest @ ..] => Some((usize::from(len), rest)),
        [0x82, high @ 1..=0xff, low, ref rest @ ..] => {
            Some((usize::from(u16::from_be_bytes([high, low])), rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_length_form_is_der() {
        assert_eq!(length(&[0x81, 0x7f]), None);
        assert_eq!(length(&[0x82, 0x00, 0x80]), None);
        assert_eq!(length(&[0x80]), None);
        assert_eq!(length(&[0x82, 0x01, 0x00]), Some((256, &[][..])));
    }

    #[test]
    fn an_element_ends_where_its_length_says() {
        assert_eq!(element(&[4, 1, 9, 5, 0], 4), Some((&[9][..], &[5, 0][..])));
        assert_eq!(element(&[4, 1, 9], 5), None);
        assert_eq!(element(&[4, 2, 9], 4), None);
        assert_eq!(element(&[], 4), None);
    }
}
