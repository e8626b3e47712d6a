//! The CertificateRequest of TLS 1.3 (RFC 9846, Section 4.4.2), in the handshake and after it.

use alloc::vec::Vec;

use waxwing_crypto::SignatureScheme;

use crate::Error;
use crate::codec::{List, Read, Reader, Writer};
use crate::config::Common;
use crate::config::verifier::ClientAuth;
use crate::messages::certificate_request::CertificateRequest;
use crate::messages::extensions::certificate_authorities::{self, write_certificate_authorities};

/// What we ask a client for, encoded.
pub(crate) struct OwnRequest {
    schemes: Vec<u8>,
    /// Empty if it would say the same.
    certificate_schemes: Vec<u8>,
    /// The content of the extension; empty if there are no hints.
    authorities: Vec<u8>,
    /// What we can decompress; empty if that is nothing.
    compression: Vec<u8>,
}

impl OwnRequest {
    pub(crate) fn new(common: &Common, auth: &ClientAuth) -> Result<Self, Error> {
        let known = common.signature_schemes.iter().copied();
        let in_handshakes = known.clone();
        let in_handshakes = in_handshakes.filter(|scheme| scheme.allowed_in_tls13_handshake());
        let schemes = encode(in_handshakes);
        let mut certificate_schemes = encode(known);
        if certificate_schemes == schemes {
            certificate_schemes.clear();
        }
        let names = auth.verifier().authorities();
        // A name may not be empty (RFC 9846, Section 4.3.4).
        let mut names = names.iter().filter(|name| !name.is_empty()).peekable();
        let mut authorities = Vec::new();
        if names.peek().is_some() {
            write_certificate_authorities(&mut Writer::new(&mut authorities), names)?;
        }
        Ok(Self {
            schemes,
            certificate_schemes,
            authorities,
            compression: common
                .decompressors
                .iter()
                .flat_map(|known| known.algorithm().0.to_be_bytes())
                .collect(),
        })
    }

    /// The message with this context.
    pub(crate) fn with_context<'a>(
        &'a self,
        context: &'a [u8],
    ) -> Result<CertificateRequest<'a>, Error> {
        let certificate_schemes = unless_empty(&self.certificate_schemes);
        let authorities = unless_empty(&self.authorities);
        let compression = unless_empty(&self.compression);
        Ok(CertificateRequest {
            context,
            signature_algorithms: list(&self.schemes)?,
            signature_algorithms_cert: certificate_schemes.map(list).transpose()?,
            certificate_authorities: authorities
                .map(|bytes| {
                    certificate_authorities::read(Reader::new("certificate_authorities", bytes))
                })
                .transpose()?,
            compress_certificate: compression.map(list).transpose()?,
            status_request: false,
        })
    }
}

fn unless_empty(bytes: &[u8]) -> Option<&[u8]> {
    Some(bytes).filter(|bytes| !bytes.is_empty())
}

fn encode(schemes: impl Iterator<Item = SignatureScheme>) -> Vec<u8> {
    schemes.flat_map(|scheme| scheme.0.to_be_bytes()).collect()
}

fn list<'a, T: Read<'a>>(bytes: &'a [u8]) -> Result<List<'a, T>, Error> {
    Ok(List::parse(Reader::new("CertificateRequest", bytes))?)
}
