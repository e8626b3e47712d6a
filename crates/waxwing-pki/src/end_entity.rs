//! Checks of the peer's own certificate that need no chain.

use alloc::string::ToString;
use alloc::vec::Vec;

use rustls_pki_types::{CertificateDer, ServerName as WebpkiName};
use waxwing_core::{CertificateError, Rejection, ServerName, Verified};
use webpki::EndEntityCert;
use x509_cert::Certificate;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::KeyUsage;

use crate::Identity;
use crate::explain::{expired, not_yet, reject, unreadable, wrong_name};
use crate::public_key::refuse_weak;
use crate::time::UnixTime;

/// The DER SubjectPublicKeyInfo of a certificate, even of one that webpki would not take.
pub(crate) fn spki(der: &[u8]) -> Result<Vec<u8>, Rejection> {
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
        .map_err(|error| reject(CertificateError::Malformed, error.to_string()))
}

/// Accepts a certificate that is trusted as it is, if it fits the name and the time.
pub(crate) fn accept(
    der: &[u8],
    name: Option<&ServerName>,
    now: Option<UnixTime>,
) -> Result<Verified, Rejection> {
    if let Some(now) = now {
        check_validity(der, now)?;
    }
    if let Some(name) = name {
        let certificate = CertificateDer::from(der);
        let certificate =
            EndEntityCert::try_from(&certificate).map_err(|error| unreadable(&error))?;
        check_name(&certificate, name)?;
    }
    holder_of(der, spki(der)?)
}

/// Checks that the certificate is for `name` (RFC 9525, Section 6).
pub(crate) fn check_name(
    certificate: &EndEntityCert<'_>,
    name: &ServerName,
) -> Result<(), Rejection> {
    let matches = for_webpki(name)
        .is_some_and(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok());
    if matches {
        return Ok(());
    }
    Err(Identity::from_der(&certificate.der()).map_or_else(
        |_| CertificateError::NameMismatch.into(),
        |identity| wrong_name(&identity, name),
    ))
}

/// The answer for a certificate that passed everything else.
pub(crate) fn holder_of(der: &[u8], spki: Vec<u8>) -> Result<Verified, Rejection> {
    refuse_weak(&spki)?;
    // RFC 9846, Sections 4.5.1.2 and 4.5.1.3; RFC 8422, Section 5.3: the key signs the
    // handshake, so keyUsage has to allow that.
    match key_usage(der) {
        Ok(Some(usage)) if !usage.digital_signature() => Err(reject(
            CertificateError::WrongUsage,
            "its keyUsage does not allow signatures, which TLS needs",
        )),
        Ok(_) => Ok(Verified::holder_of(spki)),
        Err(error) => Err(reject(CertificateError::Malformed, error.to_string())),
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

fn check_validity(der: &[u8], now: UnixTime) -> Result<(), Rejection> {
    let identity = Identity::from_der(der)
        .map_err(|error| reject(CertificateError::Malformed, error.to_string()))?;
    if now < identity.not_before {
        return Err(not_yet(&identity, now));
    }
    if now > identity.not_after {
        return Err(expired(&identity, now));
    }
    Ok(())
}

fn for_webpki(name: &ServerName) -> Option<WebpkiName<'_>> {
    match name {
        ServerName::Dns(name) => WebpkiName::try_from(name.as_str()).ok(),
        ServerName::Ip(address) => Some(WebpkiName::from(*address)),
    }
}
