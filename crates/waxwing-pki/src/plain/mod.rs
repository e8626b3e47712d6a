//! Certificates with nothing to explain, judged where they stand: no copy, no allocation.
//!
//! Nearly all chains are good and hold nothing rare. For them it is enough to see that no rule is
//! broken; which one, and how to say it, matters only for the others. Those are decoded and held
//! to [`rules`](crate::rules) one by one, which has the last word: whatever is not understood
//! here, or not liked, is left to it. So this may refuse what the rules allow, and never the other
//! way round; the tests hold it to that.

mod extensions;
mod path;
#[cfg(test)]
mod tests;

use x509_cert::der::Decode;
use x509_cert::der::oid::{ObjectIdentifier, ObjectIdentifierRef};
use x509_cert::time::Time;

use crate::explain::is_broken;
use crate::public_key::Strength;
use crate::rules::{MAX_SERIAL, Role};
use crate::tlv::{self, Elements};
use crate::{PublicKeyKind, UnixTime};
use extensions::Extensions;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// UTF8String, PrintableString, TeletexString, IA5String, BMPString: what names are made of.
const STRINGS: [u8; 5] = [0x0c, 0x13, 0x14, 0x16, 0x1e];

/// `version [0]` with v3 (RFC 5280, Section 4.1.2.1).
const V3: [u8; 3] = [tlv::INTEGER, 1, 2];

/// A certificate in which all is well formed and nothing is rare.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    /// The content of the INTEGER.
    serial: &'a [u8],
    /// The object identifier of the signature's algorithm.
    signature: &'a [u8],
    /// The content of the name.
    issuer: &'a [u8],
    /// The content of the name.
    subject: &'a [u8],
    /// The first second of its validity.
    pub(crate) not_before: UnixTime,
    /// The last second of its validity.
    pub(crate) not_after: UnixTime,
    /// The SubjectPublicKeyInfo in DER.
    pub(crate) spki: &'a [u8],
    key: PublicKeyKind,
    extensions: Extensions<'a>,
}

impl<'a> Plain<'a> {
    /// Reads a certificate in DER (RFC 5280, Section 4.1).
    pub(crate) fn read(der: &'a [u8]) -> Option<Self> {
        let mut certificate = Elements::inside(der, tlv::SEQUENCE)?;
        let mut fields = Elements::of(certificate.take(tlv::SEQUENCE)?);
        let algorithm = certificate.take(tlv::SEQUENCE)?;
        whole_octets(certificate.take(tlv::BIT_STRING)?)?;
        certificate.finish()?;

        let version = fields.take(tlv::constructed(0))?;
        let serial = integer(fields.take(tlv::INTEGER)?)?;
        let same_algorithm = fields.take(tlv::SEQUENCE)?;
        if version != V3 || same_algorithm != algorithm {
            return None;
        }
        let issuer = name(fields.take(tlv::SEQUENCE)?)?;
        let mut validity = Elements::of(fields.take(tlv::SEQUENCE)?);
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        validity.finish()?;
        let subject = name(fields.take(tlv::SEQUENCE)?)?;
        let spki = fields.take_whole(tlv::SEQUENCE)?;
        let extensions = Extensions::read(fields.take(tlv::constructed(3))?)?;
        fields.finish()?;
        Some(Self {
            serial,
            signature: algorithm_id(algorithm)?,
            issuer,
            subject,
            not_before,
            not_after,
            spki,
            key: key(spki)?,
            extensions,
        })
    }

    /// Whether nothing is wrong with it, by the strict profile, for a certificate that stands
    /// there.
    pub(crate) fn is_good(&self, role: Role, strength: Strength) -> bool {
        !is_broken(self.signature)
            && self.has_good_key(strength)
            && self.has_good_serial()
            && self.has_good_names(role)
            && self.extensions.are_good(role)
    }

    /// Whether subject and issuer are the same.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether its keyUsage allows to sign a handshake.
    pub(crate) fn may_sign(&self) -> bool {
        self.extensions.allow_signatures()
    }

    fn has_good_key(&self, strength: Strength) -> bool {
        let whole = match &self.key {
            PublicKeyKind::Rsa(bits) => bits.is_multiple_of(8),
            PublicKeyKind::Ed448 | PublicKeyKind::Other(_) => false,
            _ => true,
        };
        whole && strength.admits(&self.key)
    }

    /// RFC 5280, Section 4.1.2.2.
    fn has_good_serial(&self) -> bool {
        match self.serial {
            [0] | [0x80..=0xff, ..] => false,
            [0, rest @ ..] => rest.len() <= MAX_SERIAL,
            all => all.len() <= MAX_SERIAL,
        }
    }

    /// RFC 5280, Sections 4.1.2.4, 4.1.2.6 and 4.2.1.6.
    fn has_good_names(&self, role: Role) -> bool {
        let unnamed = || role == Role::EndEntity && self.extensions.name_critically();
        !self.issuer.is_empty() && (!self.subject.is_empty() || unnamed())
    }
}

/// A BIT STRING's content without unused bits: what it holds.
const fn whole_octets(content: &[u8]) -> Option<&[u8]> {
    match content {
        [0, octets @ ..] => Some(octets),
        _ => None,
    }
}

/// An INTEGER's content, if it is the shortest form (X.690, Section 8.3.2).
const fn integer(content: &[u8]) -> Option<&[u8]> {
    match content {
        [] | [0, ..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => None,
        _ => Some(content),
    }
}

/// An object identifier's content, if it is one, and not longer than x509-cert can hold.
fn object_id(content: &[u8]) -> Option<&[u8]> {
    if content.is_empty() || content.len() > ObjectIdentifier::MAX_SIZE {
        return None;
    }
    ObjectIdentifierRef::from_bytes(content).ok()?;
    Some(content)
}

/// The object identifier in an AlgorithmIdentifier, of which this is the content.
fn algorithm_id(content: &[u8]) -> Option<&[u8]> {
    let mut parts = Elements::of(content);
    let id = object_id(parts.take(tlv::OBJECT_IDENTIFIER)?)?;
    let kinds = [tlv::NULL, tlv::OBJECT_IDENTIFIER, tlv::SEQUENCE];
    let _parameters = kinds.into_iter().find_map(|kind| parts.take(kind));
    parts.finish()?;
    Some(id)
}

/// A name's content, if all its parts have one attribute each, which is text.
fn name(content: &[u8]) -> Option<&[u8]> {
    let mut parts = Elements::of(content);
    while !parts.is_empty() {
        let mut attribute = Elements::inside(parts.take(tlv::SET)?, tlv::SEQUENCE)?;
        object_id(attribute.take(tlv::OBJECT_IDENTIFIER)?)?;
        STRINGS.into_iter().find_map(|tag| attribute.take(tag))?;
        attribute.finish()?;
    }
    Some(content)
}

/// RFC 5280, Section 4.1.2.5.
fn time(validity: &mut Elements<'_>) -> Option<UnixTime> {
    let whole = validity
        .take_whole(UTC_TIME)
        .or_else(|| validity.take_whole(GENERALIZED_TIME))?;
    Some(Time::from_der(whole).ok()?.into())
}

/// The kind of the key in a SubjectPublicKeyInfo in DER.
fn key(spki: &[u8]) -> Option<PublicKeyKind> {
    let mut parts = Elements::inside(spki, tlv::SEQUENCE)?;
    algorithm_id(parts.take(tlv::SEQUENCE)?)?;
    whole_octets(parts.take(tlv::BIT_STRING)?)?;
    parts.finish()?;
    PublicKeyKind::of_spki(spki)
}
