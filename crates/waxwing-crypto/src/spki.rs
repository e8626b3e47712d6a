//! Splits a SubjectPublicKeyInfo (RFC 5280, Section 4.1.2.7) into its two parts.
//!
//! All that a handshake needs of a public key, whether it came in a certificate or bare
//! (RFC 7250). Certificates themselves are parsed elsewhere, by a library.

use crate::CryptoError;

/// A borrowed view of a SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectPublicKeyInfo<'a> {
    /// Content of the `AlgorithmIdentifier`.
    pub algorithm: &'a [u8],
    /// Content of the bit string, which has no unused bits.
    pub public_key: &'a [u8],
}

impl<'a> SubjectPublicKeyInfo<'a> {
    /// Splits `der`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] unless it is exactly SEQUENCE { SEQUENCE, BIT STRING } in
    /// DER lengths.
    pub fn parse(der: &'a [u8]) -> Result<Self, CryptoError> {
        const SEQUENCE: u8 = 0x30;
        const BIT_STRING: u8 = 0x03;
        let invalid = CryptoError::InvalidKey;
        let (outer, rest) = element(der, SEQUENCE).ok_or(invalid)?;
        let (algorithm, after) = element(outer, SEQUENCE).ok_or(invalid)?;
        let (bits, end) = element(after, BIT_STRING).ok_or(invalid)?;
        match (bits, end, rest) {
            ([0, public_key @ ..], [], []) => Ok(Self {
                algorithm,
                public_key,
            }),
            _ => Err(invalid),
        }
    }
}

/// Takes one element with the given tag: its content, and what follows it.
fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = input.split_first()?;
    if *first != tag {
        return None;
    }
    let (len, rest) = length(rest)?;
    rest.split_at_checked(len)
}

/// A definite length of at most 65,535 in its only DER form (X.690, Section 10.1).
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

    const ED25519: &str = "302a300506032b6570032100\
                           19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

    #[test]
    fn splits_an_ed25519_key() {
        let der = hex::decode(ED25519).unwrap();
        let spki = SubjectPublicKeyInfo::parse(&der).unwrap();
        assert_eq!(spki.algorithm, hex::decode("06032b6570").unwrap());
        assert_eq!(spki.public_key, &der[12..]);
    }

    #[test]
    fn every_truncation_and_extension_is_refused() {
        let mut der = hex::decode(ED25519).unwrap();
        for len in 0..der.len() {
            assert!(SubjectPublicKeyInfo::parse(&der[..len]).is_err(), "{len}");
        }
        der.push(0);
        assert!(SubjectPublicKeyInfo::parse(&der).is_err());
    }

    #[test]
    fn only_the_shortest_length_form_is_der() {
        assert_eq!(length(&[0x81, 0x7f]), None);
        assert_eq!(length(&[0x82, 0x00, 0x80]), None);
        assert_eq!(length(&[0x80]), None);
        assert_eq!(length(&[0x82, 0x01, 0x00]), Some((256, &[][..])));
    }
}
