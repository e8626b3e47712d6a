//! Splits a SubjectPublicKeyInfo (RFC 5280, Section 4.1.2.7) into its two parts.
//!
//! All that a handshake needs of a public key, whether it came in a certificate or bare
//! (RFC 7250). Certificates themselves are parsed elsewhere, by a library.

use crate::CryptoError;
use crate::der::element;

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
}
