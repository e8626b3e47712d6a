//! CertificateVerify (RFC 9846, Section 4.4.3).

use alloc::vec::Vec;

use waxwing_crypto::SignatureScheme;

use crate::Error;
use crate::codec::{Read, Reader, Writer};

/// Proof that the sender holds the private key of its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateVerify<'a> {
    pub(crate) scheme: SignatureScheme,
    pub(crate) signature: &'a [u8],
}

impl<'a> CertificateVerify<'a> {
    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("CertificateVerify", body);
        let scheme = SignatureScheme::read(&mut reader)?;
        let signature = reader.vec16("signature")?.take_rest();
        reader.finish()?;
        Ok(Self { scheme, signature })
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.u16(self.scheme.0);
        w.vec16(|w| {
            w.bytes(self.signature);
            Ok(())
        })
    }
}

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Server,
    Client,
}

/// What the signature covers: padding and a context string that keep it apart from signatures of
/// other protocols and of the other side, then the transcript hash up to this message.
pub(crate) fn signed_content(signer: Signer, transcript_hash: &[u8]) -> Vec<u8> {
    let context: &[u8] = match signer {
        Signer::Server => b"TLS 1.3, server CertificateVerify",
        Signer::Client => b"TLS 1.3, client CertificateVerify",
    };
    [&[b' '; 64], context, &[0], transcript_hash].concat()
}
