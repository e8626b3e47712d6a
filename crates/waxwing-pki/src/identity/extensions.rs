//! What the extensions of a certificate say (RFC 5280, Section 4.2).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use x509_cert::TbsCertificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints,
    ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};

use super::{algorithm_name, printable};
use crate::tls_feature::{TLS_FEATURE, lists_status_request};

/// RFC 5280, Section 4.2.2.1.
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
const CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");
/// SignedCertificateTimestampList (RFC 6962, Section 3.3).
const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// The bits of keyUsage by their names in RFC 5280, Section 4.2.1.3.
const KEY_USAGES: [(KeyUsages, &str); 9] = [
    (KeyUsages::DigitalSignature, "digitalSignature"),
    (KeyUsages::NonRepudiation, "nonRepudiation"),
    (KeyUsages::KeyEncipherment, "keyEncipherment"),
    (KeyUsages::DataEncipherment, "dataEncipherment"),
    (KeyUsages::KeyAgreement, "keyAgreement"),
    (KeyUsages::KeyCertSign, "keyCertSign"),
    (KeyUsages::CRLSign, "cRLSign"),
    (KeyUsages::EncipherOnly, "encipherOnly"),
    (KeyUsages::DecipherOnly, "decipherOnly"),
];

/// What an extension that lists purposes, or an algorithm, is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named {
    /// The dotted object identifier.
    pub id: String,
    /// Its name, or the same again where it has none here.
    pub name: String,
}

impl Named {
    fn of(id: &ObjectIdentifier) -> Self {
        Self {
            id: id.to_string(),
            name: algorithm_name(id),
        }
    }
}

/// The extensions of a certificate that tell people something. What is malformed counts as
/// absent here: it is the verifier's task to refuse it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extensions {
    /// Every extension, and whether it is critical.
    pub all: Vec<(Named, bool)>,
    /// What the key may be used for, by the names of RFC 5280; `None` is everything.
    pub key_usage: Option<Vec<&'static str>>,
    /// The purposes in extendedKeyUsage; `None` is every purpose.
    pub purposes: Option<Vec<Named>>,
    /// How many intermediate authorities may follow this one, if that is limited.
    pub path_len: Option<u8>,
    /// The identifier of the key in hexadecimal.
    pub subject_key_id: Option<String>,
    /// The identifier of the issuer's key in hexadecimal.
    pub authority_key_id: Option<String>,
    /// Where its issuer's OCSP responder is.
    pub ocsp: Vec<String>,
    /// Where its issuer's certificate is.
    pub ca_issuers: Vec<String>,
    /// Where its issuer's revocation lists are.
    pub crls: Vec<String>,
    /// Whether servers have to staple an OCSP response (RFC 7633).
    pub must_staple: bool,
    /// How many signed certificate timestamps are in it (RFC 6962).
    pub scts: usize,
}

impl Extensions {
    pub(super) fn of(tbs: &TbsCertificate) -> Self {
        let all = tbs.extensions().map(Vec::as_slice).unwrap_or_default();
        let (ocsp, ca_issuers) = access(tbs);
        Self {
            all: all
                .iter()
                .map(|extension| (Named::of(&extension.extn_id), extension.critical))
                .collect(),
            key_usage: find::<KeyUsage>(tbs).map(|usage| {
                let named = KEY_USAGES.iter().filter(|(bit, _)| usage.0.contains(*bit));
                named.map(|(_, name)| *name).collect()
            }),
            purposes: find::<ExtendedKeyUsage>(tbs)
                .map(|purposes| purposes.0.iter().map(Named::of).collect()),
            path_len: find::<BasicConstraints>(tbs).and_then(|basic| basic.path_len_constraint),
            subject_key_id: find::<SubjectKeyIdentifier>(tbs)
                .map(|id| hex::encode(id.0.as_bytes())),
            authority_key_id: find::<AuthorityKeyIdentifier>(tbs)
                .and_then(|id| Some(hex::encode(id.key_identifier?.as_bytes()))),
            ocsp,
            ca_issuers,
            crls: crls(tbs),
            must_staple: raw(tbs, &TLS_FEATURE)
                .is_some_and(|features| lists_status_request(features).unwrap_or(false)),
            scts: raw(tbs, &SCT_LIST).and_then(scts).unwrap_or_default(),
        }
    }
}

fn find<'a, T: Decode<'a> + AssociatedOid>(tbs: &'a TbsCertificate) -> Option<T> {
    tbs.get_extension::<T>()
        .ok()
        .flatten()
        .map(|(_, value)| value)
}

fn raw<'a>(tbs: &'a TbsCertificate, id: &ObjectIdentifier) -> Option<&'a [u8]> {
    let found = tbs
        .extensions()?
        .iter()
        .find(|found| found.extn_id == *id)?;
    Some(found.extn_value.as_bytes())
}

/// The URIs of OCSP responders, and those of the issuer's certificate.
fn access(tbs: &TbsCertificate) -> (Vec<String>, Vec<String>) {
    let Some(access) = find::<AuthorityInfoAccessSyntax>(tbs) else {
        return (Vec::new(), Vec::new());
    };
    let by = |method| {
        let with = access
            .0
            .iter()
            .filter(|entry| entry.access_method == method);
        with.filter_map(|entry| uri(&entry.access_location))
            .collect()
    };
    (by(OCSP), by(CA_ISSUERS))
}

fn crls(tbs: &TbsCertificate) -> Vec<String> {
    let Some(points) = find::<CrlDistributionPoints>(tbs) else {
        return Vec::new();
    };
    let names = points
        .0
        .iter()
        .filter_map(|point| match &point.distribution_point {
            Some(DistributionPointName::FullName(names)) => Some(names),
            _ => None,
        });
    names.flatten().filter_map(uri).collect()
}

fn uri(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(text) => Some(printable(text.as_str())),
        _ => None,
    }
}

/// The length of a SignedCertificateTimestampList (RFC 6962, Section 3.3).
fn scts(der: &[u8]) -> Option<usize> {
    let list = OctetString::from_der(der).ok()?;
    let (_, mut rest) = list.as_bytes().split_first_chunk::<2>()?;
    let mut count = 0_usize;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        rest = after.get(usize::from(u16::from_be_bytes(*length))..)?;
        count = count.saturating_add(1);
    }
    Some(count)
}
