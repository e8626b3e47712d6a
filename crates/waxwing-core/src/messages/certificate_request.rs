//! CertificateRequest (RFC 9846, Section 4.4.2).

use waxwing_crypto::SignatureScheme;

use super::extensions::{
    self, DistinguishedName, ExtensionSet, Place, certificate_authorities, compress_certificate,
    signature_algorithms,
};
use super::registry::{CertificateCompressionAlgorithm, ExtensionType};
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
    /// What the server can decompress.
    pub(crate) compress_certificate: Option<List<'a, CertificateCompressionAlgorithm>>,
    /// Whether the server asks for an OCSP response.
    pub(crate) status_request: bool,
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
        let mut compression = None;
        let mut status_request = false;
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
                ExtensionType::COMPRESS_CERTIFICATE => {
                    compression = Some(compress_certificate::read(data)?);
                }
                // RFC 9846, Section 4.5.1.1: here it is empty.
                ExtensionType::STATUS_REQUEST => {
                    data.finish()?;
                    status_request = true;
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
            compress_certificate: compression,
            status_request,
        })
    }

    /// The extensions it offers, of those known here: what the client's Certificate may answer.
    pub(crate) fn offered(&self) -> ExtensionSet {
        let offers = [
            (ExtensionType::SIGNATURE_ALGORITHMS, true),
            (
                ExtensionType::SIGNATURE_ALGORITHMS_CERT,
                self.signature_algorithms_cert.is_some(),
            ),
            (
                ExtensionType::CERTIFICATE_AUTHORITIES,
                self.certificate_authorities.is_some(),
            ),
            (
                ExtensionType::COMPRESS_CERTIFICATE,
                self.compress_certificate.is_some(),
            ),
            (ExtensionType::STATUS_REQUEST, self.status_request),
        ];
        let mut offered = ExtensionSet::default();
        for (typ, _) in offers.into_iter().filter(|(_, there)| *there) {
            offered.insert(typ);
        }
        offered
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
            if let Some(algorithms) = self.compress_certificate {
                extensions::write(w, ExtensionType::COMPRESS_CERTIFICATE, |w| {
                    compress_certificate::write_compress_certificate(w, algorithms.iter())
                })?;
            }
            if self.status_request {
                extensions::write(w, ExtensionType::STATUS_REQUEST, |_| Ok(()))?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{assert_exact, block, malformed, set, written};
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
        let compression = (ExtensionType::COMPRESS_CERTIFICATE, &[4, 0, 1, 0, 3][..]);
        let status = (ExtensionType::STATUS_REQUEST, &[][..]);
        let body = body(&[SCHEMES, names, cert, compression, status]);
        let message = CertificateRequest::read(&body).unwrap();
        assert_eq!(message.context, [9]);
        let schemes = message.signature_algorithms.iter();
        assert!(schemes.eq([SignatureScheme::RSA_PSS_RSAE_SHA256]));
        let schemes = message.signature_algorithms_cert.unwrap().iter();
        assert!(schemes.eq([SignatureScheme::RSA_PKCS1_SHA256]));
        let names = message.certificate_authorities.unwrap();
        assert!(names.iter().eq([DistinguishedName(&[0x30, 0])]));
        let algorithms = message.compress_certificate.unwrap().iter();
        assert!(algorithms.eq([
            CertificateCompressionAlgorithm::ZLIB,
            CertificateCompressionAlgorithm::ZSTD,
        ]));
        assert!(message.status_request);
        assert_eq!(written(|w| message.write(w)), body);
        assert_exact(&body, &[], |body| {
            CertificateRequest::read(body).map(|_| ())
        });
    }

    #[test]
    fn the_certificate_may_answer_what_is_there() {
        let body = body(&[SCHEMES]);
        let message = CertificateRequest::read(&body).unwrap();
        assert_eq!(message.offered(), set(&[SCHEMES.0]));
        let all = CertificateRequest {
            signature_algorithms_cert: Some(message.signature_algorithms),
            certificate_authorities: Some(List::default()),
            compress_certificate: Some(List::default()),
            status_request: true,
            ..message
        };
        let expected = set(&[
            SCHEMES.0,
            ExtensionType::SIGNATURE_ALGORITHMS_CERT,
            ExtensionType::CERTIFICATE_AUTHORITIES,
            ExtensionType::COMPRESS_CERTIFICATE,
            ExtensionType::STATUS_REQUEST,
        ]);
        assert_eq!(all.offered(), expected);
    }

    #[test]
    fn a_request_for_a_status_is_empty() {
        let request = (ExtensionType::STATUS_REQUEST, &[1, 0, 0, 0, 0][..]);
        let trailing = malformed("status_request", Problem::Trailing);
        assert_eq!(error(&[SCHEMES, request]), trailing);
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
