//! CertificateRequest (RFC 9846, Section 4.4.2).

use waxwing_crypto::SignatureScheme;

use super::extensions::{
    self, DistinguishedName, Place, certificate_authorities, signature_algorithms,
};
use super::registry::ExtensionType;
use crate::Error;
use crate::codec::{List, Reader, Writer};
use crate::error::PeerError;

/// A server's request for a certificate of the client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CertificateRequest<'a> {
    /// `certificate_request_context`, which the client's Certificate echoes.
    pub(crate) context: &'a [u8],
    pub(crate) signature_algorithms: List<'a, SignatureScheme>,
    pub(crate) signature_algorithms_cert: Option<List<'a, SignatureScheme>>,
    pub(crate) certificate_authorities: Option<List<'a, DistinguishedName<'a>>>,
}

impl<'a> CertificateRequest<'a> {
    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("CertificateRequest", body);
        let context = reader.vec8("certificate_request_context")?.take_rest();
        let block = reader.vec16("extensions")?;
        reader.finish()?;
        let mut schemes = None;
        let mut schemes_cert = None;
        let mut authorities = None;
        extensions::walk(block, Place::CertificateRequest, None, &mut |typ, data| {
            match typ {
                ExtensionType::SIGNATURE_ALGORITHMS => {
                    schemes = Some(signature_algorithms::read(data)?);
                }
                ExtensionType::SIGNATURE_ALGORITHMS_CERT => {
                    schemes_cert = Some(signature_algorithms::read(data)?);
                }
                ExtensionType::CERTIFICATE_AUTHORITIES => {
                    authorities = Some(certificate_authorities::read(data)?);
                }
                // RFC 9846, Section 4.4.2: clients ignore unrecognised extensions.
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self {
            context,
            // RFC 9846, Section 4.4.2: signature_algorithms must be there.
            signature_algorithms: schemes.ok_or(PeerError::MissingExtension)?,
            signature_algorithms_cert: schemes_cert,
            certificate_authorities: authorities,
        })
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.vec8(|w| {
            w.bytes(self.context);
            Ok(())
        })?;
        w.vec16(|w| {
            extensions::write(w, ExtensionType::SIGNATURE_ALGORITHMS, |w| {
                signature_algorithms::write_signature_algorithms(
                    w,
                    self.signature_algorithms.iter(),
                )
            })?;
            if let Some(authorities) = self.certificate_authorities {
                extensions::write(w, ExtensionType::CERTIFICATE_AUTHORITIES, |w| {
                    certificate_authorities::write_certificate_authorities(
                        w,
                        authorities.iter().map(|name| name.0),
                    )
                })?;
            }
            if let Some(schemes) = self.signature_algorithms_cert {
                extensions::write(w, ExtensionType::SIGNATURE_ALGORITHMS_CERT, |w| {
                    signature_algorithms::write_signature_algorithms(w, schemes.iter())
                })?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{assert_exact, block, malformed, written};
    use super::*;
    use crate::error::Problem;

    const SCHEMES: (ExtensionType, &[u8]) = (ExtensionType::SIGNATURE_ALGORITHMS, &[0, 2, 8, 4]);

    fn body(entries: &[(ExtensionType, &[u8])]) -> Vec<u8> {
        written(|w| {
            w.bytes(&[1, 9]);
            w.vec16(|w| {
                w.bytes(&block(entries));
                Ok(())
            })
        })
    }

    fn error(entries: &[(ExtensionType, &[u8])]) -> Error {
        CertificateRequest::read(&body(entries)).unwrap_err()
    }

    #[test]
    fn what_is_written_is_read() {
        let names = (
            ExtensionType::CERTIFICATE_AUTHORITIES,
            &[0, 4, 0, 2, 0x30, 0][..],
        );
        let cert = (ExtensionType::SIGNATURE_ALGORITHMS_CERT, &[0, 2, 4, 1][..]);
        let body = body(&[SCHEMES, names, cert]);
        let message = CertificateRequest::read(&body).unwrap();
        assert_eq!(message.context, [9]);
        let schemes = message.signature_algorithms.iter();
        assert!(schemes.eq([SignatureScheme::RSA_PSS_RSAE_SHA256]));
        let schemes = message.signature_algorithms_cert.unwrap().iter();
        assert!(schemes.eq([SignatureScheme::RSA_PKCS1_SHA256]));
        let names = message.certificate_authorities.unwrap();
        assert!(names.iter().eq([DistinguishedName(&[0x30, 0])]));
        assert_eq!(written(|w| message.write(w)), body);
        assert_exact(&body, &[], |body| {
            CertificateRequest::read(body).map(|_| ())
        });
    }

    #[test]
    fn signature_algorithms_must_be_there() {
        assert_eq!(error(&[]), PeerError::MissingExtension.into());
        let empty = error(&[(SCHEMES.0, &[0, 0])]);
        assert_eq!(
            empty,
            malformed("supported_signature_algorithms", Problem::Length)
        );
    }

    #[test]
    fn unknown_extensions_are_ignored_and_known_ones_have_their_place() {
        let unknown = (ExtensionType(0x3a3a), &[1][..]);
        let body = body(&[unknown, SCHEMES]);
        assert!(CertificateRequest::read(&body).is_ok());
        assert_eq!(
            error(&[SCHEMES, SCHEMES]),
            PeerError::DuplicateExtension.into()
        );
        let alpn = (ExtensionType::ALPN, &[][..]);
        assert_eq!(
            error(&[SCHEMES, alpn]),
            PeerError::MisplacedExtension.into()
        );
    }
}
