//! Certificate of TLS 1.2 (RFC 5246, Section 7.4.2), and its form for a raw public key
//! (RFC 7250, Section 3).

use alloc::vec::Vec;

use super::registry::CertificateType;
use crate::Error;
use crate::codec::{List, Read, Reader, Writer};
use crate::error::{DecodeError, Problem};
use crate::limits::MAX_CHAIN;

/// A certificate chain, the end entity's certificate first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Certificate12<'a> {
    /// Empty if a client has no certificate.
    pub(crate) chain: List<'a, Asn1Cert<'a>>,
}

/// A certificate in DER, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asn1Cert<'a>(pub(crate) &'a [u8]);

impl<'a> Read<'a> for Asn1Cert<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let certificate = reader.vec24("ASN.1Cert")?.non_empty()?.take_rest();
        Ok(Self(certificate))
    }
}

impl<'a> Certificate12<'a> {
    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("Certificate", body);
        let content = reader.vec24("certificate_list")?;
        reader.finish()?;
        let limit = content.error(Problem::Limit);
        let chain: List<'_, Asn1Cert<'_>> = List::parse(content)?;
        if chain.iter().nth(MAX_CHAIN).is_some() {
            return Err(limit.into());
        }
        Ok(Self { chain })
    }

    /// Writes the body: a chain of certificates in DER, the end entity's first.
    pub(crate) fn write(w: &mut Writer<'_>, chain: &[impl AsRef<[u8]>]) -> Result<(), Error> {
        w.vec24(|w| {
            for certificate in chain {
                w.vec24(|w| {
                    w.bytes(certificate.as_ref());
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

/// Reads the body if a raw public key was agreed on: a SubjectPublicKeyInfo in DER. It is empty
/// if a client has none: the definition forbids that, but gives no other form for it, and these
/// are the bytes of an empty chain too.
pub(crate) fn read_raw_public_key(body: &[u8]) -> Result<&[u8], Error> {
    let mut reader = Reader::new("Certificate", body);
    let key = reader.vec24("ASN.1_subjectPublicKeyInfo")?.take_rest();
    reader.finish()?;
    Ok(key)
}

/// Writes the body with a raw public key: a SubjectPublicKeyInfo in DER.
pub(crate) fn write_raw_public_key(w: &mut Writer<'_>, key: &[u8]) -> Result<(), Error> {
    w.vec24(|w| {
        w.bytes(key);
        Ok(())
    })
}

/// Reads the body where certificates of this type were agreed on. Empty if a client has none.
pub(crate) fn read_chain(body: &[u8], typ: CertificateType) -> Result<Vec<&[u8]>, Error> {
    if typ == CertificateType::RAW_PUBLIC_KEY {
        let key = read_raw_public_key(body)?;
        return Ok(Some(key)
            .filter(|key| !key.is_empty())
            .into_iter()
            .collect());
    }
    let message = Certificate12::read(body)?;
    Ok(message.chain.iter().map(|entry| entry.0).collect())
}

/// Writes the body with certificates of this type.
pub(crate) fn write_chain(
    w: &mut Writer<'_>,
    typ: CertificateType,
    chain: &[impl AsRef<[u8]>],
) -> Result<(), Error> {
    match (typ, chain) {
        (CertificateType::RAW_PUBLIC_KEY, [key]) => write_raw_public_key(w, key.as_ref()),
        _ => Certificate12::write(w, chain),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, malformed, written};
    use super::*;

    fn chain(len: usize) -> Vec<u8> {
        written(|w| Certificate12::write(w, &alloc::vec![[0x30]; len]))
    }

    #[test]
    fn what_is_written_is_read() {
        let body = written(|w| Certificate12::write(w, &["leaf", "ca"]));
        assert_eq!(body, b"\0\0\x0c\0\0\x04leaf\0\0\x02ca");
        let message = Certificate12::read(&body).unwrap();
        let expected = [Asn1Cert(b"leaf"), Asn1Cert(b"ca")];
        assert!(message.chain.iter().eq(expected));
        assert_exact(&body, &[], |body| Certificate12::read(body).map(|_| ()));
    }

    #[test]
    fn a_chain_may_be_empty_and_has_a_limit() {
        let count = |body: &[u8]| Certificate12::read(body).map(|m| m.chain.iter().count());
        assert_eq!(count(&chain(0)), Ok(0));
        assert_eq!(count(&chain(MAX_CHAIN)), Ok(MAX_CHAIN));
        let limit = malformed("certificate_list", Problem::Limit);
        assert_eq!(count(&chain(MAX_CHAIN + 1)), Err(limit));
    }

    #[test]
    fn certificates_are_not_empty() {
        let body = written(|w| Certificate12::write(w, &["leaf", ""]));
        let empty = malformed("ASN.1Cert", Problem::Length);
        assert_eq!(Certificate12::read(&body), Err(empty));
    }

    #[test]
    fn each_type_has_its_form_and_nothing_has_one_for_both() {
        for (typ, one) in [
            (CertificateType::X509, &b"\0\0\x05\0\0\x02ab"[..]),
            (CertificateType::RAW_PUBLIC_KEY, b"\0\0\x02ab"),
        ] {
            for (chain, expected) in [(&["ab"][..], one), (&[], &[0; 3])] {
                let body = written(|w| write_chain(w, typ, chain));
                assert_eq!(body, expected);
                let read = read_chain(&body, typ).unwrap();
                assert_eq!(
                    read,
                    chain.iter().map(|one| one.as_bytes()).collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn a_raw_public_key_stands_alone() {
        let body = written(|w| write_raw_public_key(w, b"key"));
        assert_eq!(body, b"\0\0\x03key");
        assert_eq!(read_raw_public_key(&body), Ok(&b"key"[..]));
        assert_exact(&body, &[], |body| read_raw_public_key(body).map(|_| ()));
    }
}
