//! The extensions of a certificate that is not decoded (RFC 5280, Section 4.2).

use super::object_id;
use crate::rules::Role;
use crate::tlv::{self, Elements};

/// An `extnValue`'s content, and whether it is critical.
#[derive(Clone, Copy, Debug)]
struct Extension<'a> {
    critical: bool,
    value: &'a [u8],
}

/// Those that the rules look at, each of which is there once at most.
#[derive(Debug, Default)]
pub(super) struct Extensions<'a> {
    authority_key_id: Option<Extension<'a>>,
    subject_key_id: Option<Extension<'a>>,
    key_usage: Option<Extension<'a>>,
    basic_constraints: Option<Extension<'a>>,
    alt_name: Option<Extension<'a>>,
    purposes: Option<Extension<'a>>,
    lists: Option<Extension<'a>>,
    access: Option<Extension<'a>>,
}

impl<'a> Extensions<'a> {
    /// Reads the content of the field `extensions [3]`.
    pub(super) fn read(field: &'a [u8]) -> Option<Self> {
        let mut list = Elements::inside(field, tlv::SEQUENCE)?;
        let mut found = Self::default();
        while !list.is_empty() {
            let mut parts = Elements::of(list.take(tlv::SEQUENCE)?);
            let id = object_id(parts.take(tlv::OBJECT_IDENTIFIER)?)?;
            let critical = match parts.take(tlv::BOOLEAN) {
                None => false,
                Some([0xff]) => true,
                // FALSE is the default, which is not encoded (X.690, Section 11.5).
                Some(_) => return None,
            };
            let value = parts.take(tlv::OCTET_STRING)?;
            parts.finish()?;
            found.remember(id, Extension { critical, value })?;
        }
        Some(found)
    }

    fn remember(&mut self, id: &[u8], extension: Extension<'a>) -> Option<()> {
        let place = match id {
            b"\x55\x1d\x0e" => &mut self.subject_key_id,
            b"\x55\x1d\x0f" => &mut self.key_usage,
            b"\x55\x1d\x11" => &mut self.alt_name,
            b"\x55\x1d\x13" => &mut self.basic_constraints,
            b"\x55\x1d\x1f" => &mut self.lists,
            b"\x55\x1d\x23" => &mut self.authority_key_id,
            b"\x55\x1d\x25" => &mut self.purposes,
            b"\x2b\x06\x01\x05\x05\x07\x01\x01" => &mut self.access,
            // nameConstraints, policyConstraints, tlsfeature: rare, and much depends on them.
            b"\x55\x1d\x1e" | b"\x55\x1d\x24" | b"\x2b\x06\x01\x05\x05\x07\x01\x18" => {
                return None;
            }
            // No rule is about any other.
            _ => return Some(()),
        };
        place.replace(extension).is_none().then_some(())
    }

    pub(super) fn are_good(&self, role: Role) -> bool {
        self.key_ids_are_good(role)
            && fits(self.access, is_access)
            && fits(self.lists, is_list_of_points)
            && fits(self.purposes, is_list_of_purposes)
            && match role {
                // RFC 5280, Section 4.2.1.3: who signs certificates is an authority.
                Role::EndEntity => self.usage_is(|usage| !usage.signs_certificates),
                Role::Intermediate => {
                    self.usage_is(|usage| usage.signs_certificates) && self.mark_an_authority()
                }
                Role::Anchor => false,
            }
    }

    /// RFC 5280, Sections 4.2.1.1 and 4.2.1.2.
    fn key_ids_are_good(&self, role: Role) -> bool {
        let optional = self.subject_key_id.is_some() || role == Role::EndEntity;
        optional
            && fits_uncritical(self.authority_key_id, is_key_id_alone)
            && fits_uncritical(self.subject_key_id, |value| {
                tlv::only(value, tlv::OCTET_STRING).is_some()
            })
    }

    /// RFC 5280, Section 4.2.1.9: basicConstraints with cA, and critical.
    fn mark_an_authority(&self) -> bool {
        let Some(Extension {
            critical: true,
            value,
        }) = self.basic_constraints
        else {
            return false;
        };
        matches!(
            tlv::only(value, tlv::SEQUENCE),
            Some([tlv::BOOLEAN, 1, 0xff] | [tlv::BOOLEAN, 1, 0xff, tlv::INTEGER, 1, ..=0x7f])
        )
    }

    /// Whether subjectAltName is critical, and names hosts alone (RFC 5280, Section 4.2.1.6).
    pub(super) fn name_critically(&self) -> bool {
        let names = self.alt_name.filter(|extension| extension.critical);
        names.is_some_and(|extension| is_list_of_hosts(extension.value).is_some())
    }

    pub(super) fn allow_signatures(&self) -> bool {
        self.usage_is(|usage| usage.signs)
    }

    /// RFC 5280, Section 4.2.1.3: without keyUsage a key is for everything.
    fn usage_is(&self, good: fn(Usage) -> bool) -> bool {
        self.key_usage
            .is_none_or(|extension| Usage::read(extension.value).is_some_and(good))
    }
}

/// What keyUsage allows (RFC 5280, Section 4.2.1.3).
#[derive(Clone, Copy, Debug)]
struct Usage {
    signs: bool,
    signs_certificates: bool,
}

impl Usage {
    fn read(value: &[u8]) -> Option<Self> {
        let (unused, first, last) = match *tlv::only(value, tlv::BIT_STRING)? {
            [unused @ 0..=7, only] => (unused, only, only),
            [unused @ 0..=7, first, last] => (unused, first, last),
            _ => return None,
        };
        // X.690, Section 11.2.1: unused bits are zero.
        if last.trailing_zeros() < u32::from(unused) {
            return None;
        }
        Some(Self {
            signs: first & 0x80 != 0,
            signs_certificates: first & 0x04 != 0,
        })
    }
}

/// Whether it is absent, or `read` takes its value.
fn fits(extension: Option<Extension<'_>>, read: fn(&[u8]) -> Option<()>) -> bool {
    extension.is_none_or(|extension| read(extension.value).is_some())
}

fn fits_uncritical(extension: Option<Extension<'_>>, is_good: fn(&[u8]) -> bool) -> bool {
    extension.is_none_or(|extension| !extension.critical && is_good(extension.value))
}

/// An AuthorityKeyIdentifier with nothing but the key's (RFC 5280, Section 4.2.1.1).
fn is_key_id_alone(value: &[u8]) -> bool {
    tlv::only(value, tlv::SEQUENCE).is_some_and(|content| {
        content.is_empty() || tlv::only(content, tlv::primitive(0)).is_some()
    })
}

/// A sequence of purposes (RFC 5280, Section 4.2.1.12).
fn is_list_of_purposes(value: &[u8]) -> Option<()> {
    let mut list = Elements::inside(value, tlv::SEQUENCE)?;
    while !list.is_empty() {
        object_id(list.take(tlv::OBJECT_IDENTIFIER)?)?;
    }
    Some(())
}

/// An AuthorityInfoAccessSyntax of URIs (RFC 5280, Section 4.2.2.1).
fn is_access(value: &[u8]) -> Option<()> {
    let mut list = Elements::inside(value, tlv::SEQUENCE)?;
    while !list.is_empty() {
        let mut description = Elements::of(list.take(tlv::SEQUENCE)?);
        object_id(description.take(tlv::OBJECT_IDENTIFIER)?)?;
        uri(&mut description)?;
        description.finish()?;
    }
    Some(())
}

/// CRLDistributionPoints with a name of URIs each (RFC 5280, Section 4.2.1.13).
fn is_list_of_points(value: &[u8]) -> Option<()> {
    let mut list = Elements::inside(value, tlv::SEQUENCE)?;
    while !list.is_empty() {
        let name = tlv::only(list.take(tlv::SEQUENCE)?, tlv::constructed(0))?;
        let mut names = Elements::inside(name, tlv::constructed(0))?;
        while !names.is_empty() {
            uri(&mut names)?;
        }
    }
    Some(())
}

/// GeneralNames that are DNS names or addresses.
fn is_list_of_hosts(value: &[u8]) -> Option<()> {
    let mut names = Elements::inside(value, tlv::SEQUENCE)?;
    while !names.is_empty() {
        match names.take(tlv::primitive(2)) {
            Some(name) => name.is_ascii().then_some(())?,
            None => drop(names.take(tlv::primitive(7))?),
        }
    }
    Some(())
}

/// A uniformResourceIdentifier, which is an IA5String.
fn uri(names: &mut Elements<'_>) -> Option<()> {
    names.take(tlv::primitive(6))?.is_ascii().then_some(())
}
