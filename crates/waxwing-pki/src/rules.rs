//! What RFC 5280 and the Baseline Requirements ask of each certificate in a chain.

use alloc::string::{String, ToString};

use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::InhibitAnyPolicy;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies,
    CrlDistributionPoints, ExtendedKeyUsage, KeyUsage, NameConstraints, PolicyConstraints,
    PolicyMappings, SubjectAltName, SubjectKeyIdentifier,
};

use crate::constraints::is_domain_constraint;
use crate::{Code, Failure, Profile, PublicKeyKind};

/// anyExtendedKeyUsage (RFC 5280, Section 4.2.1.12).
const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// Octets of a serial number. Some count the sign, others do not.
pub(crate) const MAX_SERIAL: usize = 20;

/// Where a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The peer's own.
    EndEntity,
    /// Between the peer's own and the trust anchor.
    Intermediate,
    /// The trust anchor's.
    Anchor,
}

/// Checks `certificate` by itself.
pub(crate) fn check(
    certificate: &Certificate,
    role: Role,
    profile: Profile,
) -> Result<(), Failure> {
    if profile >= Profile::Strict {
        strict(certificate, role)?;
    }
    if profile >= Profile::WebPki {
        web_pki(certificate, role)?;
    }
    Ok(())
}

fn strict(certificate: &Certificate, role: Role) -> Result<(), Failure> {
    names(certificate, role)?;
    key_size(certificate)?;
    key_identifiers(certificate, role)?;
    other_extensions(certificate)?;
    match role {
        Role::EndEntity => {
            serial_number(certificate)?;
            end_entity(certificate)
        }
        Role::Intermediate => {
            serial_number(certificate)?;
            authority(certificate, role)
        }
        // Roots in the systems' stores have serial numbers of zero.
        Role::Anchor => {
            known_critical(certificate)?;
            own_key_identifier(certificate)?;
            authority(certificate, role)
        }
    }
}

/// Reads an extension; one that cannot be read is at fault.
fn read<'a, T: Decode<'a> + AssociatedOid>(
    certificate: &'a Certificate,
    name: &str,
) -> Result<Option<(bool, T)>, Failure> {
    let found = certificate.tbs_certificate().get_extension::<T>();
    found.map_err(|_| flaw(Code::InvalidExtension, format!("its {name} is malformed")))
}

fn flaw(code: Code, reason: impl Into<String>) -> Failure {
    Failure::new(code, reason)
}

/// RFC 5280, Sections 4.1.2.4, 4.1.2.6 and 4.2.1.6.
fn names(certificate: &Certificate, role: Role) -> Result<(), Failure> {
    let tbs = certificate.tbs_certificate();
    if tbs.issuer().is_empty() {
        return Err(flaw(Code::IssuerEmpty, "it names no issuer"));
    }
    if !tbs.subject().is_empty() {
        return Ok(());
    }
    if role != Role::EndEntity {
        return Err(flaw(
            Code::SubjectEmpty,
            "it is an authority's and has no subject",
        ));
    }
    match read::<SubjectAltName>(certificate, "subjectAltName")? {
        Some((false, _)) => Err(flaw(
            Code::AltNameNotCritical,
            "it has no subject, and its subjectAltName is not critical",
        )),
        _ => Ok(()),
    }
}

/// RSA keys of odd sizes come from broken software.
fn key_size(certificate: &Certificate) -> Result<(), Failure> {
    const SECTION: &str = "Baseline Requirements of the CA/Browser Forum, Section 6.1.5";
    let spki = certificate.tbs_certificate().subject_public_key_info();
    let spki = spki.to_der().unwrap_or_default();
    match PublicKeyKind::of_spki(&spki) {
        Some(PublicKeyKind::Rsa(bits)) if !bits.is_multiple_of(8) => {
            let reason = format!("its RSA key has {bits} bits, which are no whole octets");
            Err(flaw(Code::UnsupportedKey, reason).by(SECTION))
        }
        _ => Ok(()),
    }
}

/// RFC 5280, Section 4.1.2.2.
fn serial_number(certificate: &Certificate) -> Result<(), Failure> {
    const SECTION: &str = "RFC 5280, Section 4.1.2.2";
    let serial = certificate.tbs_certificate().serial_number().as_bytes();
    let (sign, rest) = serial.split_first().unwrap_or((&0, &[]));
    let reason = if *sign >= 0x80 {
        "its serial number is negative"
    } else if *sign == 0 && rest.is_empty() {
        "its serial number is zero"
    } else if serial.len() > MAX_SERIAL && !(*sign == 0 && rest.len() == MAX_SERIAL) {
        "its serial number is longer than 20 octets"
    } else {
        return Ok(());
    };
    Err(flaw(Code::Malformed, reason).by(SECTION))
}

/// RFC 5280, Sections 4.2.1.1 and 4.2.1.2.
fn key_identifiers(certificate: &Certificate, role: Role) -> Result<(), Failure> {
    let authority = read::<AuthorityKeyIdentifier>(certificate, "authorityKeyIdentifier")?;
    let own = read::<SubjectKeyIdentifier>(certificate, "subjectKeyIdentifier")?;
    if matches!(authority, Some((true, _))) {
        let reason = "its authorityKeyIdentifier is critical";
        return Err(flaw(Code::AuthorityKeyIdCritical, reason));
    }
    match own {
        Some((true, _)) => Err(flaw(
            Code::SubjectKeyIdCritical,
            "its subjectKeyIdentifier is critical",
        )),
        None if role == Role::Intermediate => Err(flaw(
            Code::NoSubjectKeyId,
            "it is an authority's and has no subjectKeyIdentifier",
        )),
        _ => Ok(()),
    }
}

/// RFC 5280, Section 4.2.1.1: the key is named, and that of a root is its own.
fn own_key_identifier(certificate: &Certificate) -> Result<(), Failure> {
    let tbs = certificate.tbs_certificate();
    let named = read::<AuthorityKeyIdentifier>(certificate, "authorityKeyIdentifier")?;
    let own = read::<SubjectKeyIdentifier>(certificate, "subjectKeyIdentifier")?;
    let (Some((_, named)), Some((_, own))) = (named, own) else {
        return Ok(());
    };
    if tbs.subject() != tbs.issuer() || named.key_identifier.as_ref() == Some(&own.0) {
        return Ok(());
    }
    let reason = "it is its own issuer, but names another key as its issuer's";
    Err(flaw(Code::InvalidExtension, reason).by("RFC 5280, Section 4.2.1.1"))
}

/// Extensions that no decision rests on, but that must be right where they are.
fn other_extensions(certificate: &Certificate) -> Result<(), Failure> {
    read::<AuthorityInfoAccessSyntax>(certificate, "authorityInfoAccess")?;
    read::<CrlDistributionPoints>(certificate, "cRLDistributionPoints")?;
    read::<ExtendedKeyUsage>(certificate, "extendedKeyUsage")?;
    if let Some((false, _)) = read::<PolicyConstraints>(certificate, "policyConstraints")? {
        let reason = "its policyConstraints is not critical";
        return Err(flaw(Code::InvalidExtension, reason).by("RFC 5280, Section 4.2.1.11"));
    }
    Ok(())
}

/// RFC 5280, Sections 4.2.1.3, 4.2.1.9 and 4.2.1.10.
fn end_entity(certificate: &Certificate) -> Result<(), Failure> {
    if read::<NameConstraints>(certificate, "nameConstraints")?.is_some() {
        let reason = "it has nameConstraints, which is for authorities";
        return Err(flaw(Code::InvalidExtension, reason).by("RFC 5280, Section 4.2.1.10"));
    }
    match read::<KeyUsage>(certificate, "keyUsage")? {
        Some((_, usage)) if usage.key_cert_sign() => Err(flaw(
            Code::CertSignWithoutCa,
            "its keyUsage allows to sign certificates, but it is no authority",
        )),
        _ => Ok(()),
    }
}

/// RFC 5280, Sections 4.2.1.3, 4.2.1.9 and 4.2.1.10.
fn authority(certificate: &Certificate, role: Role) -> Result<(), Failure> {
    match read::<BasicConstraints>(certificate, "basicConstraints")? {
        Some((true, constraints)) if constraints.ca => {}
        // So are some roots in the systems' stores.
        Some((false, constraints)) if constraints.ca && role == Role::Anchor => {}
        Some((false, constraints)) if constraints.ca => {
            let reason = "it is an authority's, and its basicConstraints is not critical";
            return Err(flaw(Code::ConstraintsNotCritical, reason));
        }
        _ => {
            let reason = "it is no authority's: it lacks basicConstraints with cA";
            return Err(flaw(Code::InvalidCa, reason));
        }
    }
    if let Some((_, usage)) = read::<KeyUsage>(certificate, "keyUsage")?
        && !usage.key_cert_sign()
    {
        let reason = "its keyUsage does not allow to sign certificates";
        return Err(flaw(Code::NoCertSign, reason));
    }
    match read::<NameConstraints>(certificate, "nameConstraints")? {
        Some((_, constraints)) => well_formed(&constraints),
        None => Ok(()),
    }
}

fn well_formed(constraints: &NameConstraints) -> Result<(), Failure> {
    let subtrees = || {
        let permitted = constraints.permitted_subtrees.iter().flatten();
        permitted.chain(constraints.excluded_subtrees.iter().flatten())
    };
    if subtrees().next().is_none() {
        let reason = "its nameConstraints is empty";
        return Err(flaw(Code::ConstraintSyntax, reason));
    }
    let malformed = subtrees().find_map(|subtree| match &subtree.base {
        GeneralName::DnsName(base) => {
            (!is_domain_constraint(base.as_str())).then(|| base.to_string())
        }
        _ => None,
    });
    malformed.map_or(Ok(()), |base| {
        let reason = format!("its nameConstraints has {base:?}, which is no domain");
        Err(flaw(Code::ConstraintSyntax, reason))
    })
}

/// webpki looks at critical extensions of all certificates but the anchor's. Those that are
/// processed here, or by what the user asks for, are known.
fn known_critical(certificate: &Certificate) -> Result<(), Failure> {
    const KNOWN: [ObjectIdentifier; 11] = [
        AuthorityKeyIdentifier::OID,
        SubjectKeyIdentifier::OID,
        KeyUsage::OID,
        BasicConstraints::OID,
        NameConstraints::OID,
        PolicyConstraints::OID,
        CertificatePolicies::OID,
        PolicyMappings::OID,
        InhibitAnyPolicy::OID,
        ExtendedKeyUsage::OID,
        SubjectAltName::OID,
    ];
    let extensions = certificate.tbs_certificate().extensions();
    let unknown = extensions
        .into_iter()
        .flatten()
        .find(|extension| extension.critical && !KNOWN.contains(&extension.extn_id));
    unknown.map_or(Ok(()), |extension| {
        let reason = format!(
            "it has a critical extension {} that is not known here",
            extension.extn_id
        );
        Err(flaw(Code::UnhandledCritical, reason))
    })
}

/// The Baseline Requirements, Sections 7.1.2 to 7.1.4.
fn web_pki(certificate: &Certificate, role: Role) -> Result<(), Failure> {
    let tbs = certificate.tbs_certificate();
    let self_issued = tbs.subject() == tbs.issuer();
    let constraints = read::<BasicConstraints>(certificate, "basicConstraints")?;
    if role == Role::Anchor && matches!(constraints, Some((false, _))) {
        let reason = "it is an authority's, and its basicConstraints is not critical";
        return Err(flaw(Code::ConstraintsNotCritical, reason));
    }
    let authority = read::<AuthorityKeyIdentifier>(certificate, "authorityKeyIdentifier")?;
    let own = read::<SubjectKeyIdentifier>(certificate, "subjectKeyIdentifier")?;
    match &authority {
        None if !(self_issued && role == Role::Anchor) => {
            let reason = "it has no authorityKeyIdentifier";
            return Err(flaw(Code::NoAuthorityKeyId, reason));
        }
        Some((_, id)) => only_the_key(id)?,
        None => {}
    }
    if own.is_none() && role == Role::Anchor {
        let reason = "it is an authority's and has no subjectKeyIdentifier";
        return Err(flaw(Code::NoSubjectKeyId, reason));
    }
    let purposes = read::<ExtendedKeyUsage>(certificate, "extendedKeyUsage")?;
    match role {
        Role::EndEntity => {
            subscriber_purposes(purposes)?;
            subscriber_names(certificate)
        }
        Role::Anchor if purposes.is_some() => {
            Err(baseline("it is a root's and has extendedKeyUsage"))
        }
        _ => Ok(()),
    }
}

fn baseline(reason: impl Into<String>) -> Failure {
    flaw(Code::BaselineViolation, reason)
}

/// Section 7.1.2.11.1: the key's identifier, and nothing else.
fn only_the_key(id: &AuthorityKeyIdentifier) -> Result<(), Failure> {
    if id.key_identifier.is_none()
        || id.authority_cert_issuer.is_some()
        || id.authority_cert_serial_number.is_some()
    {
        return Err(baseline(
            "its authorityKeyIdentifier is not just the key's identifier",
        ));
    }
    Ok(())
}

/// Section 7.1.2.7.10.
fn subscriber_purposes(purposes: Option<(bool, ExtendedKeyUsage)>) -> Result<(), Failure> {
    match purposes {
        None => Err(baseline("it has no extendedKeyUsage")),
        Some((true, _)) => Err(baseline("its extendedKeyUsage is critical")),
        Some((_, purposes)) if purposes.0.contains(&ANY_PURPOSE) => {
            Err(baseline("its extendedKeyUsage has anyExtendedKeyUsage"))
        }
        Some(_) => Ok(()),
    }
}

/// Sections 7.1.2.7.12 and 7.1.4.3.
fn subscriber_names(certificate: &Certificate) -> Result<(), Failure> {
    let tbs = certificate.tbs_certificate();
    let Some((critical, SubjectAltName(names))) = read(certificate, "subjectAltName")? else {
        return Err(baseline("it has no subjectAltName"));
    };
    if critical && !tbs.subject().is_empty() {
        return Err(baseline(
            "it has a subject, and its subjectAltName is critical",
        ));
    }
    let texts = || names.iter().filter_map(in_common_name);
    if let Some(name) = texts().find(|name| name.contains('_')) {
        return Err(baseline(format!("its name {name} has an underscore")));
    }
    let common_name = tbs.subject().common_name();
    let common_name = common_name.map_err(|_| baseline("its common name is malformed"))?;
    match common_name {
        Some(common_name) if !texts().any(|name| name == common_name.value()) => {
            Err(baseline(format!(
                "its common name {} is not in subjectAltName",
                crate::identity::printable(&common_name.value())
            )))
        }
        _ => Ok(()),
    }
}

/// How a name is written as a common name.
fn in_common_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(octets) => crate::identity::address(octets).map(|ip| ip.to_string()),
        _ => None,
    }
}
