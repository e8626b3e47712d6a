//! CertificateRequest of TLS 1.2 (RFC 5246, Section 7.4.4).

use waxwing_crypto::{Authentication12, SignatureScheme};

use super::extensions::{DistinguishedName, certificate_authorities, signature_algorithms};
use crate::Error;
use crate::codec::{List, Reader, Writer};

/// The ClientCertificateType of RSA keys (RFC 5246, Section 7.4.4).
pub(crate) const RSA_SIGN: u8 = 1;
/// That of ECDSA keys, which stands for EdDSA too (RFC 8422, Section 5.5).
pub(crate) const ECDSA_SIGN: u8 = 64;

/// A server's request for a certificate of the client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CertificateRequest12<'a> {
    /// The ClientCertificateTypes, not empty.
    pub(crate) certificate_types: &'a [u8],
    /// `supported_signature_algorithms`, not empty; most wanted first.
    pub(crate) signature_algorithms: List<'a, SignatureScheme>,
    /// Empty if any will do.
    pub(crate) certificate_authorities: List<'a, DistinguishedName<'a>>,
}

impl<'a> CertificateRequest12<'a> {
    /// Whether a client may sign with this scheme: it is among those listed, and so is its kind
    /// of key (RFC 5246, Section 7.4.4).
    pub(crate) fn allows(&self, scheme: SignatureScheme) -> bool {
        let typ = match scheme.tls12_authentication() {
            Some(Authentication12::Rsa) => RSA_SIGN,
            Some(Authentication12::Ecdsa) => ECDSA_SIGN,
            _ => return false,
        };
        self.certificate_types.contains(&typ) && self.signature_algorithms.contains(&scheme)
    }

    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("CertificateRequest", body);
        let message = Self {
            certificate_types: reader.vec8("certificate_types")?.non_empty()?.take_rest(),
            signature_algorithms: List::parse(
                reader
                    .vec16("supported_signature_algorithms")?
                    .non_empty()?,
            )?,
            certificate_authorities: List::parse(reader.vec16("certificate_authorities")?)?,
        };
        reader.finish()?;
        Ok(message)
    }

    /// Writes the body; names are in DER.
    pub(crate) fn write(
        w: &mut Writer<'_>,
        certificate_types: &[u8],
        schemes: impl IntoIterator<Item = SignatureScheme>,
        names: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> Result<(), Error> {
        w.vec8(|w| {
            w.bytes(certificate_types);
            Ok(())
        })?;
        // The two lists have the form of the extensions of those names.
        signature_algorithms::write_signature_algorithms(w, schemes)?;
        certificate_authorities::write_certificate_authorities(w, names)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, malformed, written};
    use super::*;
    use crate::error::Problem;

    #[test]
    fn a_scheme_needs_its_kind_of_key() {
        const RSA: SignatureScheme = SignatureScheme::RSA_PSS_RSAE_SHA256;
        const ECDSA: SignatureScheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
        const ED25519: SignatureScheme = SignatureScheme::ED25519;
        for (types, allowed) in [
            (&[RSA_SIGN, ECDSA_SIGN][..], &[RSA, ECDSA, ED25519][..]),
            (&[RSA_SIGN], &[RSA]),
            (&[ECDSA_SIGN], &[ECDSA, ED25519]),
            (&[2], &[]),
        ] {
            let names: [[u8; 2]; 0] = [];
            let all = [RSA, ECDSA, ED25519, SignatureScheme::MLDSA44];
            let body = written(|w| CertificateRequest12::write(w, types, all, names));
            let message = CertificateRequest12::read(&body).unwrap();
            let found = all.into_iter().filter(|scheme| message.allows(*scheme));
            assert!(found.eq(allowed.iter().copied()), "{types:?}");
            let unlisted = SignatureScheme::RSA_PKCS1_SHA256;
            assert!(!message.allows(unlisted));
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let schemes = [
            SignatureScheme::ECDSA_SECP256R1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA256,
        ];
        let names = [[0x30, 0], [0x31, 0]];
        let body = written(|w| CertificateRequest12::write(w, &[1, 64], schemes, names));
        let expected = b"\x02\x01\x40\0\x04\x04\x03\x04\x01\0\x08\0\x02\x30\0\0\x02\x31\0";
        assert_eq!(body, expected);
        let message = CertificateRequest12::read(&body).unwrap();
        assert_eq!(message.certificate_types, [1, 64]);
        assert!(message.signature_algorithms.iter().eq(schemes));
        let authorities = message.certificate_authorities.iter();
        assert!(authorities.map(|name| name.0).eq(names));
        assert_exact(&body, &[], |body| {
            CertificateRequest12::read(body).map(|_| ())
        });
    }

    #[test]
    fn only_the_authorities_may_be_empty() {
        let read = |body| CertificateRequest12::read(body).map(|_| ());
        assert_eq!(read(&[1, 1, 0, 2, 4, 1, 0, 0]), Ok(()));
        let cases: [(&[u8], _, _); 4] = [
            (&[0, 0, 2, 4, 1, 0, 0], "certificate_types", Problem::Length),
            (
                &[1, 1, 0, 0, 0, 0],
                "supported_signature_algorithms",
                Problem::Length,
            ),
            (
                &[1, 1, 0, 3, 4, 1, 4, 0, 0],
                "supported_signature_algorithms",
                Problem::Short,
            ),
            (
                &[1, 1, 0, 2, 4, 1, 0, 2, 0, 0],
                "DistinguishedName",
                Problem::Length,
            ),
        ];
        for (body, field, problem) in cases {
            assert_eq!(read(body), Err(malformed(field, problem)));
        }
    }
}
