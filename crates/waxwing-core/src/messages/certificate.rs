//! Certificate (RFC 9846, Section 4.4.2).

use super::extensions::{self, ExtensionSet, Place, status_request};
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
                if typ == ExtensionType::STATUS_REQUEST {
                    status_request::read_response(data)?;
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

    /// Writes the body: a chain of certificates in DER, the end entity's first and with this
    /// OCSP response.
    pub(crate) fn write(
        w: &mut Writer<'_>,
        context: &[u8],
        chain: &[impl AsRef<[u8]>],
        ocsp: Option<&[u8]>,
    ) -> Result<(), Error> {
        w.vec8(|w| {
            w.bytes(context);
            Ok(())
        })?;
        w.vec24(|w| {
            let mut ocsp = ocsp;
            for certificate in chain {
                w.vec24(|w| {
                    w.bytes(certificate.as_ref());
                    Ok(())
                })?;
                w.vec16(|w| match ocsp.take() {
                    Some(response) => extensions::write(w, ExtensionType::STATUS_REQUEST, |w| {
                        status_request::write_ocsp_response(w, response)
                    }),
                    None => Ok(()),
                })?;
            }
            Ok(())
        })
    }
}
