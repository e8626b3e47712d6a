//! Certificate (RFC 9846, Section 4.5.1).

use super::extensions::{self, ExtensionSet, Place, signed_certificate_timestamp, status_request};
use super::registry::ExtensionType;
use crate::Error;
use crate::codec::{List, Read, Reader, Writer};
use crate::error::{DecodeError, Problem};
use crate::limits::MAX_CHAIN;

/// A certificate chain, the end entity's certificate first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Certificate<'a> {
    /// `certificate_request_context`.
    pub(crate) context: &'a [u8],
    /// Empty if a client has no certificate.
    pub(crate) entries: List<'a, CertificateEntry<'a>>,
}

/// One certificate of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateEntry<'a> {
    /// `cert_data`: DER, not empty.
    pub(crate) certificate: &'a [u8],
    /// The content of the `extensions` vector.
    pub(crate) extensions: &'a [u8],
}

impl<'a> Read<'a> for CertificateEntry<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            certificate: reader.vec24("cert_data")?.non_empty()?.take_rest(),
            extensions: reader.vec16("extensions")?.take_rest(),
        })
    }
}

impl<'a> Certificate<'a> {
    /// Reads the body. `offered` are the extensions of the ClientHello or CertificateRequest that
    /// it answers; without them, any known extension of a Certificate is accepted.
    pub(crate) fn read(body: &'a [u8], offered: Option<&ExtensionSet>) -> Result<Self, Error> {
        let mut reader = Reader::new("Certificate", body);
        let context = reader.vec8("certificate_request_context")?.take_rest();
        let content = reader.vec24("certificate_list")?;
        reader.finish()?;
        let limit = content.error(Problem::Limit);
        let entries: List<'_, CertificateEntry<'_>> = List::parse(content)?;
        if entries.iter().nth(MAX_CHAIN).is_some() {
            return Err(limit.into());
        }
        for entry in entries.iter() {
            let block = Reader::new("extensions", entry.extensions);
            extensions::walk(block, Place::Certificate, offered, &mut |typ, data| {
                match typ {
                    ExtensionType::STATUS_REQUEST => {
                        status_request::read_response(data)?;
                    }
                    ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => {
                        signed_certificate_timestamp::read(data)?;
                    }
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(Self { context, entries })
    }

    /// The OCSP response for the end entity's certificate, in DER.
    pub(crate) fn ocsp(&self) -> Option<&'a [u8]> {
        let first = self.entries.iter().next()?;
        let data = extensions::find(first.extensions, ExtensionType::STATUS_REQUEST)?;
        status_request::read_response(data).ok()
    }

    /// The SignedCertificateTimestampList for the end entity's certificate.
    pub(crate) fn scts(&self) -> Option<&'a [u8]> {
        let first = self.entries.iter().next()?;
        let wanted = ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP;
        signed_certificate_timestamp::read(extensions::find(first.extensions, wanted)?).ok()
    }

    /// Writes the body: a chain of certificates in DER, the end entity's first and with what is
    /// stapled to it.
    pub(crate) fn write(
        w: &mut Writer<'_>,
        context: &[u8],
        chain: &[impl AsRef<[u8]>],
        stapled: Stapled<'_>,
    ) -> Result<(), Error> {
        w.vec8(|w| {
            w.bytes(context);
            Ok(())
        })?;
        // Lengths and empty extensions; what is stapled grows the buffer once more.
        let around = |len: usize| len.saturating_add(8);
        let lengths = chain.iter().map(|der| around(der.as_ref().len()));
        w.reserve(lengths.fold(0, usize::saturating_add));
        w.vec24(|w| {
            let mut stapled = Some(stapled);
            for certificate in chain {
                w.vec24(|w| {
                    w.bytes(certificate.as_ref());
                    Ok(())
                })?;
                w.vec16(|w| stapled.take().unwrap_or_default().write(w))?;
            }
            Ok(())
        })
    }
}

/// What goes along with the end entity's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stapled<'a> {
    /// An OCSP response in DER (RFC 9846, Section 4.5.1.1).
    pub(crate) ocsp: Option<&'a [u8]>,
    /// An encoded SignedCertificateTimestampList (RFC 6962, Section 3.3.1).
    pub(crate) scts: Option<&'a [u8]>,
}

/// Which of it a peer asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) ocsp: bool,
    pub(crate) scts: bool,
}

impl Wanted {
    /// Which of it is there.
    pub(crate) const fn of(stapled: Stapled<'_>) -> Self {
        Self {
            ocsp: stapled.ocsp.is_some(),
            scts: stapled.scts.is_some(),
        }
    }
}

impl Stapled<'_> {
    fn write(self, w: &mut Writer<'_>) -> Result<(), Error> {
        if let Some(response) = self.ocsp {
            extensions::write(w, ExtensionType::STATUS_REQUEST, |w| {
                status_request::write_ocsp_response(w, response)
            })?;
        }
        if let Some(list) = self.scts {
            extensions::write(w, ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP, |w| {
                signed_certificate_timestamp::write_scts(w, list)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{assert_exact, block, malformed, set, written};
    use super::*;
    use crate::error::PeerError;

    fn chain(len: usize) -> Vec<u8> {
        written(|w| Certificate::write(w, &[], &alloc::vec![[0x30]; len], Stapled::default()))
    }

    /// A chain of one certificate with these extensions.
    fn with_extensions(block: &[u8]) -> Vec<u8> {
        written(|w| {
            w.u8(0);
            w.vec24(|w| {
                w.bytes(&[0, 0, 1, 0x30]);
                w.vec16(|w| {
                    w.bytes(block);
                    Ok(())
                })
            })
        })
    }

    #[test]
    fn what_is_written_is_read() {
        let stapled = Stapled {
            ocsp: Some(b"good"),
            scts: Some(&[0, 3, 0, 1, 9]),
        };
        let body = written(|w| Certificate::write(w, b"ctx", &["leaf", "root"], stapled));
        let message = Certificate::read(&body, None).unwrap();
        assert_eq!(message.context, b"ctx");
        let certificates = message.entries.iter().map(|entry| entry.certificate);
        assert!(certificates.eq([&b"leaf"[..], b"root"]));
        let (ocsp, scts) = (message.ocsp(), message.scts());
        assert_eq!(Stapled { ocsp, scts }, stapled);
        assert_exact(&body, &[], |body| Certificate::read(body, None).map(|_| ()));
        let rest = message.entries.iter().nth(1).unwrap();
        assert!(rest.extensions.is_empty());
    }

    #[test]
    fn a_chain_may_be_empty_and_has_a_limit() {
        assert!(
            Certificate::read(&chain(0), None)
                .unwrap()
                .entries
                .iter()
                .next()
                .is_none()
        );
        assert!(Certificate::read(&chain(MAX_CHAIN), None).is_ok());
        let error = Certificate::read(&chain(MAX_CHAIN + 1), None).unwrap_err();
        assert_eq!(error, malformed("certificate_list", Problem::Limit));
    }

    #[test]
    fn certificates_are_not_empty() {
        let body = written(|w| Certificate::write(w, &[], &[""], Stapled::default()));
        let error = Certificate::read(&body, None).unwrap_err();
        assert_eq!(error, malformed("cert_data", Problem::Length));
    }

    #[test]
    fn extensions_of_every_entry_are_checked() {
        let response = [1, 0, 0, 1, 5];
        let ocsp = (ExtensionType::STATUS_REQUEST, &response[..]);
        let body = with_extensions(&block(&[ocsp]));
        let asked = set(&[ExtensionType::STATUS_REQUEST]);
        let read = Certificate::read(&body, Some(&asked)).unwrap();
        assert_eq!(read.ocsp(), Some(&[5][..]));
        let error = Certificate::read(&body, Some(&ExtensionSet::default())).unwrap_err();
        assert_eq!(error, PeerError::UnsolicitedExtension.into());

        type Entries<'a> = &'a [(ExtensionType, &'a [u8])];
        let cases: [(Entries<'_>, Error); 5] = [
            (&[ocsp, ocsp], PeerError::DuplicateExtension.into()),
            (
                &[(ExtensionType::KEY_SHARE, &[])],
                PeerError::MisplacedExtension.into(),
            ),
            (
                &[(ocsp.0, &[2, 0, 0, 1, 5])],
                PeerError::BadExtension.into(),
            ),
            (
                &[(ocsp.0, &[1, 0, 0, 0])],
                malformed("OCSPResponse", Problem::Length),
            ),
            (
                &[(ocsp.0, &[1, 0, 0, 1, 5, 6])],
                malformed("status_request", Problem::Trailing),
            ),
        ];
        for (entries, expected) in cases {
            let body = with_extensions(&block(entries));
            assert_eq!(Certificate::read(&body, None).unwrap_err(), expected);
        }
    }
}
