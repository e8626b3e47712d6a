//! Checks of the peer's own certificate that need no chain.

use alloc::string::ToString;
use alloc::vec::Vec;

use rustls_pki_types::{CertificateDer, ServerName as WebpkiName};
use waxwing_core::{ServerName, Verified};
use webpki::EndEntityCert;
use x509_cert::Certificate;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::KeyUsage;

use crate::explain::{at_fault, expired, not_yet, unreadable, wrong_name};
use crate::public_key::{Strength, refuse_weak};
use crate::rules::Role;
use crate::time::UnixTime;
use crate::{Code, Failure, Identity};

/// The DER SubjectPublicKeyInfo of a certificate, even of one that webpki would not take.
pub(crate) fn spki(der: &[u8]) -> Result<Vec<u8>, Failure> {
    let certificate = CertificateDer::from(der);
    if let Ok(certificate) = EndEntityCert::try_from(&certificate) {
        return Ok(certificate.subject_public_key_info().to_vec());
    }
    Certificate::from_der(der)
        .and_then(|certificate| {
            certificate
                .tbs_certificate()
                .subject_public_key_info()
                .to_der()
        })
        .map_err(|error| malformed(&error))
}

fn malformed(error: &impl ToString) -> Failure {
    Failure::new(Code::Malformed, error.to_string())
}

/// Accepts a certificate that is trusted as it is, if it fits the name and the time.
pub(crate) fn accept(
    der: &[u8],
    name: Option<&ServerName>,
    now: Option<UnixTime>,
    strength: Strength,
) -> Result<Verified, Failure> {
    if let Some(now) = now {
        check_validity(der, now)?;
    }
    if let Some(name) = name {
        let certificate = CertificateDer::from(der);
        let certificate =
            EndEntityCert::try_from(&certificate).map_err(|error| unreadable(&error))?;
        check_name(&certificate, name)?;
    }
    holder_of(der, spki(der)?, strength)
}

/// Checks that the certificate is for `name` (RFC 9525, Section 6).
pub(crate) fn check_name(
    certificate: &EndEntityCert<'_>,
    name: &ServerName,
) -> Result<(), Failure> {
    let matches = for_webpki(name)
        .is_some_and(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok());
    if matches {
        return Ok(());
    }
    let identity = Identity::from_der(&certificate.der()).map_err(|error| malformed(&error))?;
    Err(wrong_name(&identity, name))
}

/// The answer for a certificate that passed everything else.
pub(crate) fn holder_of(
    der: &[u8],
    spki: Vec<u8>,
    strength: Strength,
) -> Result<Verified, Failure> {
    refuse_weak(&spki, strength, Role::EndEntity)
        .map_err(|failure| at_fault(failure, &[der], 0))?;
    Ok(Verified::holder_of(spki))
}

/// Checks that the key of a certificate may sign a handshake.
pub(crate) fn check_may_sign(der: &[u8]) -> Result<(), Failure> {
    // RFC 9846, Sections 4.5.1.2 and 4.5.1.3; RFC 8422, Section 5.3: the key signs the
    // handshake, so keyUsage has to allow that.
    match key_usage(der) {
        Ok(Some(usage)) if !usage.digital_signature() => {
            let reason = "its keyUsage does not allow signatures, which TLS needs";
            Err(at_fault(
                Failure::new(Code::NoDigitalSignature, reason),
                &[der],
                0,
            ))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(malformed(&error)),
    }
}

/// The keyUsage extension (RFC 5280, Section 4.2.1.3), read without decoding the rest.
fn key_usage(der: &[u8]) -> Result<Option<KeyUsage>, x509_cert::der::Error> {
    /// `extensions [3]`, the last field of a TBSCertificate.
    const EXTENSIONS: Tag = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(3),
    };
    let certificate = AnyRef::from_der(der)?;
    let tbs = AnyRef::decode(&mut SliceReader::new(certificate.value())?)?;
    let mut fields = SliceReader::new(tbs.value())?;
    while !fields.is_finished() {
        let field = AnyRef::decode(&mut fields)?;
        if field.tag() == EXTENSIONS {
            let extensions = Extensions::from_der(field.value())?;
            let usage = extensions
                .iter()
                .find(|extension| extension.extn_id == KeyUsage::OID);
            return usage
                .map(|extension| KeyUsage::from_der(extension.extn_value.as_bytes()))
                .transpose();
        }
    }
    Ok(None)
}

fn check_validity(der: &[u8], now: UnixTime) -> Result<(), Failure> {
    let identity = Identity::from_der(der).map_err(|error| malformed(&error))?;
    if now < identity.not_before {
        return Err(not_yet(&identity, 0, now));
    }
    if now > identity.not_after {
        return Err(expired(&identity, 0, now));
    }
    Ok(())
}

fn for_webpki(name: &ServerName) -> Option<WebpkiName<'_>> {
    match name {
        ServerName::Dns(name) => WebpkiName::try_from(name.as_str()).ok(),
        ServerName::Ip(address) => Some(WebpkiName::from(*address)),
    }
}
