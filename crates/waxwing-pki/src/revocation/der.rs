//! Taking DER apart without decoding what nobody asks for, and putting it together again.
//!
//! What is signed has to be checked byte by byte as it came, so these work on slices.

use alloc::vec::Vec;

use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{
    Decode, Encode, Error, ErrorKind, Reader, Result, SliceReader, Tag, TagNumber,
};
use x509_cert::ext::Extension;

/// An explicit tag `[number]`.
pub(super) const fn explicit(number: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(number),
    }
}

/// `version [0]` of a TBSCertificate (RFC 5280, Section 4.1).
const VERSION: Tag = explicit(0);
/// `extensions [3]`, its last field.
pub(super) const EXTENSIONS: Tag = explicit(3);

/// The content of the structure `der`, of whatever type.
pub(super) fn content(der: &[u8]) -> Result<&[u8]> {
    AnyRef::from_der(der).map(AnyRef::value)
}

/// The structures that follow one another in `content`, whole.
pub(super) fn parts(content: &[u8]) -> Result<Vec<&[u8]>> {
    let mut reader = SliceReader::new(content)?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        parts.push(reader.tlv_bytes()?);
    }
    Ok(parts)
}

/// A structure has fewer parts than it should.
pub(super) fn incomplete() -> Error {
    ErrorKind::Failed.into()
}

/// The structure with this tag and these parts. Fails only beyond 256 MiB.
pub(super) fn wrap(tag: Tag, parts: &[&[u8]]) -> Result<Vec<u8>> {
    AnyRef::new(tag, &parts.concat())?.to_der()
}

/// A certificate's fields, each as it is encoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    /// What the issuer signed.
    pub(super) tbs: &'a [u8],
    /// The content of the INTEGER.
    pub(super) serial: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) validity: &'a [u8],
    pub(super) subject: &'a [u8],
    pub(super) spki: &'a [u8],
    /// The Extension structures, one after the other.
    extensions: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn of(certificate: &'a [u8]) -> Result<Self> {
        let mut outer = SliceReader::new(content(certificate)?)?;
        let tbs = outer.tlv_bytes()?;
        let mut fields = SliceReader::new(content(tbs)?)?;
        if Tag::peek(&fields)? == VERSION {
            fields.tlv_bytes()?;
        }
        let serial = content(fields.tlv_bytes()?)?;
        let _algorithm = fields.tlv_bytes()?;
        let issuer = fields.tlv_bytes()?;
        let validity = fields.tlv_bytes()?;
        let subject = fields.tlv_bytes()?;
        let spki = fields.tlv_bytes()?;
        let mut extensions: &[u8] = &[];
        while !fields.is_finished() {
            let is_list = Tag::peek(&fields)? == EXTENSIONS;
            let field = fields.tlv_bytes()?;
            if is_list {
                extensions = content(content(field)?)?;
            }
        }
        Ok(Self {
            tbs,
            serial,
            issuer,
            validity,
            subject,
            spki,
            extensions,
        })
    }

    /// The content of an extension's `extnValue`.
    pub(crate) fn extension(&self, id: &ObjectIdentifier) -> Result<Option<Vec<u8>>> {
        for extension in parts(self.extensions)? {
            let extension = Extension::from_der(extension)?;
            if extension.extn_id == *id {
                return Ok(Some(extension.extn_value.into_bytes().into()));
            }
        }
        Ok(None)
    }
}
