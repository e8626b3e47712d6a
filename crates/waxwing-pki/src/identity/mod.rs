//! A decoded certificate, for people.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::der::oid::db::DB;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, SubjectAltName};

use crate::{AltName, LoadError, Pin, PublicKeyKind, UnixTime, pem};

mod extensions;
mod parts;

pub use extensions::{Extensions, Named};
pub use parts::NamePart;
pub(crate) use parts::parts;

/// No text out of a certificate is longer than this when shown, in characters.
const MAX_TEXT: usize = 256;

/// id-kp-serverAuth (RFC 5280, Section 4.2.1.12).
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
/// id-kp-clientAuth (RFC 5280, Section 4.2.1.12).
pub(crate) const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// What a certificate says.
///
/// The texts come from whoever issued it. They are made safe to print, except where it says
/// otherwise: control characters and those that change the direction of writing are replaced, and
/// long ones are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// Whom it is about, in the form of RFC 4514; often empty.
    pub subject: String,
    /// Who issued it, in the form of RFC 4514.
    pub issuer: String,
    /// The attributes of the subject, in the order of the certificate.
    pub subject_parts: Vec<NamePart>,
    /// The attributes of the issuer, in the order of the certificate.
    pub issuer_parts: Vec<NamePart>,
    /// Whether subject and issuer are the same.
    pub self_issued: bool,
    /// The names in subjectAltName.
    pub names: Vec<AltName>,
    /// The first second of its validity.
    pub not_before: UnixTime,
    /// The last second of its validity.
    pub not_after: UnixTime,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// The kind of its key.
    pub key: PublicKeyKind,
    /// The algorithm of the issuer's signature: a name, or the dotted object identifier.
    pub signature_algorithm: String,
    /// Whether it may issue certificates (basicConstraints with cA).
    pub authority: bool,
    /// Whether a server may use it: extendedKeyUsage is absent or lists serverAuth.
    pub for_servers: bool,
    /// Whether a client may use it: extendedKeyUsage is absent or lists clientAuth.
    pub for_clients: bool,
    /// What else its extensions say.
    pub extensions: Extensions,
    /// SHA-1 of the certificate in hexadecimal: a name for it in old lists, no proof of anything.
    pub sha1: String,
    /// SHA-256 of the certificate in hexadecimal.
    pub sha256: String,
    /// SHA-512 of the certificate in hexadecimal.
    pub sha512: String,
    /// The pin of its key.
    pub key_pin: Pin,
    /// Its SubjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
    /// All of it in DER.
    pub der: Vec<u8>,
}

impl Identity {
    /// Decodes a certificate in DER.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn from_der(der: &[u8]) -> Result<Self, Unreadable> {
        let certificate =
            Certificate::from_der(der).map_err(|error| Unreadable(error.to_string()))?;
        let tbs = certificate.tbs_certificate();
        let spki = tbs
            .subject_public_key_info()
            .to_der()
            .map_err(|error| Unreadable(error.to_string()))?;
        let key = PublicKeyKind::of_spki(&spki)
            .ok_or_else(|| Unreadable("the public key is malformed".into()))?;
        let names = tbs.get_extension::<SubjectAltName>().ok().flatten();
        let constraints = tbs.get_extension::<BasicConstraints>().ok().flatten();
        Ok(Self {
            subject: printable(&tbs.subject().to_string()),
            issuer: printable(&tbs.issuer().to_string()),
            subject_parts: parts(tbs.subject()),
            issuer_parts: parts(tbs.issuer()),
            self_issued: tbs.subject() == tbs.issuer(),
            names: names.map_or_else(Vec::new, |(_, names)| {
                names.0.iter().map(alt_name).collect()
            }),
            not_before: tbs.validity().not_before.into(),
            not_after: tbs.validity().not_after.into(),
            serial: hex::encode(tbs.serial_number().as_bytes()),
            key,
            signature_algorithm: algorithm_name(&certificate.signature_algorithm().oid),
            authority: constraints.is_some_and(|(_, constraints)| constraints.ca),
            for_servers: allows(&certificate, &SERVER_AUTH),
            for_clients: allows(&certificate, &CLIENT_AUTH),
            extensions: Extensions::of(tbs),
            sha1: hex::encode(Sha1::digest(der)),
            sha256: hex::encode(Sha256::digest(der)),
            sha512: hex::encode(Sha512::digest(der)),
            key_pin: Pin::of_spki(&spki),
            spki,
            der: der.to_vec(),
        })
    }

    /// Decodes every certificate of a chain, in its order.
    ///
    /// # Errors
    /// If one of them is malformed.
    pub fn of_chain<C: AsRef<[u8]>>(
        chain: impl IntoIterator<Item = C>,
    ) -> Result<Vec<Self>, Unreadable> {
        chain
            .into_iter()
            .map(|der| Self::from_der(der.as_ref()))
            .collect()
    }

    /// Decodes the certificates in `bytes`: PEM, with any text around them, or one in DER.
    ///
    /// # Errors
    /// If there is none, or one of them is malformed.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Vec<Self>, LoadError> {
        let certificates = pem::certificates(bytes)?;
        let numbered = certificates.iter().enumerate();
        numbered
            .map(|(index, der)| {
                Self::from_der(der).map_err(|Unreadable(reason)| LoadError::BadCertificate {
                    number: index + 1,
                    reason,
                })
            })
            .collect()
    }

    /// What to call it in a sentence: the subject, or else the first name.
    #[must_use]
    pub fn label(&self) -> String {
        match self.names.first() {
            _ if !self.subject.is_empty() => self.subject.clone(),
            Some(name) => name.to_string(),
            None => format!(
                "a certificate without a name (serial number {})",
                self.serial
            ),
        }
    }
}

/// A few lines, without a final line break.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "subject   {}",
            if self.subject.is_empty() {
                "(none)"
            } else {
                &self.subject
            }
        )?;
        writeln!(f, "names     {}", list(&self.names, usize::MAX))?;
        let by_itself = if self.self_issued {
            " (self-issued)"
        } else {
            ""
        };
        writeln!(f, "issuer    {}{by_itself}", self.issuer)?;
        writeln!(f, "validity  {} to {}", self.not_before, self.not_after)?;
        writeln!(f, "key       {}", self.key)?;
        writeln!(f, "serial    {}", self.serial)?;
        writeln!(f, "sha256    {}", self.sha256)?;
        write!(f, "key pin   {}", self.key_pin)
    }
}

/// A certificate that cannot be decoded, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    pub(crate) fn because(reason: &impl ToString) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate cannot be decoded: {}", self.0)
    }
}

impl core::error::Error for Unreadable {}

/// The first `limit` names, and how many more there are.
pub(crate) fn list(names: &[AltName], limit: usize) -> String {
    if names.is_empty() {
        return "(none)".into();
    }
    let shown: Vec<_> = names.iter().take(limit).map(ToString::to_string).collect();
    match names.len().saturating_sub(limit) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The name of an algorithm, or its number where it has none here.
pub(crate) fn algorithm_name(id: &ObjectIdentifier) -> String {
    DB.by_oid(id)
        .map_or_else(|| id.to_string(), ToString::to_string)
}

/// Makes text from a stranger safe to show.
pub(crate) fn printable(text: &str) -> String {
    let mut characters = text.chars();
    let mut safe: String = characters
        .by_ref()
        .take(MAX_TEXT)
        .map(|c| {
            if hides(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect();
    if characters.next().is_some() {
        safe.push('…');
    }
    safe
}

/// Control characters, and the invisible ones that reorder what surrounds them.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{61c}' | '\u{feff}')
}

pub(crate) fn alt_name(name: &GeneralName) -> AltName {
    match name {
        GeneralName::DnsName(text) => AltName::Dns(printable(text.as_str())),
        GeneralName::Rfc822Name(text) => AltName::Email(printable(text.as_str())),
        GeneralName::UniformResourceIdentifier(text) => AltName::Uri(printable(text.as_str())),
        GeneralName::IpAddress(octets) => address(octets).map_or_else(
            || AltName::Other("an address of a wrong length".into()),
            AltName::Ip,
        ),
        GeneralName::DirectoryName(name) => AltName::Other(printable(&name.to_string())),
        GeneralName::RegisteredId(id) => AltName::Other(format!("registered ID {id}")),
        GeneralName::OtherName(other) => {
            AltName::Other(format!("other name of type {}", other.type_id))
        }
        GeneralName::EdiPartyName(_) => AltName::Other("EDI party name".into()),
    }
}

pub(crate) fn address(octets: &OctetString) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets.as_bytes()).map(IpAddr::from);
    let v6 = <[u8; 16]>::try_from(octets.as_bytes()).map(IpAddr::from);
    v4.or(v6).ok()
}

/// Whether extendedKeyUsage is absent or lists `purpose`.
fn allows(certificate: &Certificate, purpose: &ObjectIdentifier) -> bool {
    match certificate
        .tbs_certificate()
        .get_extension::<ExtendedKeyUsage>()
    {
        Ok(None) => true,
        Ok(Some((_, purposes))) => purposes.0.contains(purpose),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_strangers_cannot_play_tricks() {
        assert_eq!(printable("CN=Bücher"), "CN=Bücher");
        assert_eq!(
            printable("a\u{1b}[2Jb\u{9b}c\u{202e}d"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d"
        );
        let long = printable(&"x".repeat(10_000));
        assert_eq!(long.chars().count(), MAX_TEXT + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<_> = (0..7)
            .map(|i| AltName::Dns(format!("{i}.example")))
            .collect();
        assert_eq!(list(&names[..2], 5), "0.example, 1.example");
        assert!(list(&names, 5).ends_with("4.example and 2 more"));
    }
}
