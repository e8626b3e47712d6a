//! CertificateVerify (RFC 9846, Section 4.5.2).

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

/// What a server's signature covers, given the transcript hash up to this message.
pub(crate) fn server_signed_content(transcript_hash: &[u8]) -> Vec<u8> {
    signed_content(b"TLS 1.3, server CertificateVerify", transcript_hash)
}

/// What a client's signature covers, given the transcript hash up to this message.
pub(crate) fn client_signed_content(transcript_hash: &[u8]) -> Vec<u8> {
    signed_content(b"TLS 1.3, client CertificateVerify", transcript_hash)
}

/// Padding and a context string keep it apart from signatures of other protocols and of the other
/// side (RFC 9846, Section 4.5.2).
fn signed_content(context: &[u8], transcript_hash: &[u8]) -> Vec<u8> {
    [&[b' '; 64], context, &[0], transcript_hash].concat()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CERTIFICATE_VERIFY, assert_exact, bytes, written};
    use super::*;

    #[test]
    fn reads_and_writes_the_message_of_rfc_8448() {
        let body = bytes(CERTIFICATE_VERIFY);
        let message = CertificateVerify::read(&body).unwrap();
        assert_eq!(message.scheme, SignatureScheme::RSA_PSS_RSAE_SHA256);
        assert_eq!(message.signature.len(), 128);
        assert_eq!(written(|w| message.write(w)), body);
        assert_exact(&body, &[], |body| CertificateVerify::read(body).map(|_| ()));
    }

    #[test]
    fn signed_content_is_that_of_the_example() {
        // RFC 9846, Section 4.5.2, with a transcript hash of 32 bytes of 01.
        let padding = "20".repeat(64);
        let server = "544c5320312e332c207365727665722043657274696669636174655665726966 79";
        let expected = [&padding, server, "00", &"01".repeat(32)].concat();
        assert_eq!(server_signed_content(&[1; 32]), bytes(&expected));
        let client = "544c5320312e332c20636c69656e7420436572746966696361746556657269667900";
        let expected = [&padding, client, &"01".repeat(32)].concat();
        assert_eq!(client_signed_content(&[1; 32]), bytes(&expected));
    }
}
