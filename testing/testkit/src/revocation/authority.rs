//! Authorities, and the certificates that they issue.

use core::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use sha2::{Digest, Sha256};
use waxwing_pki::UnixTime;

use super::der::{content, fields, tlv};
use super::log::{CtLog, sct_list};
use super::{DAY, NAME, at, key_pair, time};

const TLS_FEATURE: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 24];
const NO_CHECK: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
const SCT_LIST: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// An authority.
pub struct Authority {
    /// Its certificate in DER.
    pub certificate: Vec<u8>,
    pub(super) issuer: Issuer<'static, KeyPair>,
    params: CertificateParams,
    key: KeyPair,
}

impl core::fmt::Debug for Authority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Authority").finish_non_exhaustive()
    }
}

/// What a certificate has beside the usual.
#[derive(Clone, Debug, Default)]
pub struct Leaf<'a> {
    /// The serial number.
    pub serial: Vec<u8>,
    /// Whether it demands a staple (RFC 7633).
    pub must_staple: bool,
    /// Where it would be listed.
    pub lists: Vec<String>,
    /// The logs whose timestamps it has within it, and their times.
    pub logs: Vec<(&'a CtLog, UnixTime)>,
    /// Whether it is for signing OCSP responses instead of for servers.
    pub for_ocsp: bool,
    /// Whether it is for clients instead of for servers.
    pub for_clients: bool,
    /// Whether it says that nobody asks whether it is revoked (RFC 6960, Section 4.2.2.2.1).
    pub no_check: bool,
}

impl Authority {
    /// A root with this name.
    #[must_use]
    pub fn root(name: &str) -> Self {
        Self::new(name, None, true)
    }

    /// An authority under this one.
    #[must_use]
    pub fn under(&self, name: &str) -> Self {
        Self::new(name, Some(&self.issuer), true)
    }

    /// An authority under this one whose keyUsage does not let it sign lists.
    #[must_use]
    pub fn without_lists(&self, name: &str) -> Self {
        Self::new(name, Some(&self.issuer), false)
    }

    fn new(name: &str, issuer: Option<&Issuer<'static, KeyPair>>, signs_lists: bool) -> Self {
        let key = key_pair();
        let twin = KeyPair::try_from(key.serialize_der()).expect("a key of rcgen");
        let mut params = params();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from_slice(&serial_of(name)));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        if signs_lists {
            params.key_usages.push(KeyUsagePurpose::CrlSign);
        }
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer),
            None => params.self_signed(&key),
        };
        let certificate = certificate.expect("parameters of an authority");
        // rcgen would not sign lists without cRLSign; that the verifier refuses is the point.
        if !signs_lists {
            params.key_usages.push(KeyUsagePurpose::CrlSign);
        }
        Self {
            certificate: certificate.der().to_vec(),
            issuer: Issuer::new(params.clone(), twin),
            params,
            key,
        }
    }

    /// Another certificate for the name and key of `other`, with the same serial number, issued
    /// by this one.
    #[must_use]
    pub fn crossed(&self, other: &Self) -> Vec<u8> {
        let certificate = other.params.signed_by(&other.key, &self.issuer);
        certificate
            .expect("parameters of an authority")
            .der()
            .to_vec()
    }

    /// Its serial number, as lists have it.
    #[must_use]
    pub fn serial(&self) -> Vec<u8> {
        content(&fields(&fields(&self.certificate)[0])[1])
    }

    /// The key that it signs with, in PKCS#8.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        self.key.serialize_der()
    }

    /// A certificate for [`NAME`], and its key in PKCS#8.
    #[must_use]
    pub fn leaf(&self, leaf: &Leaf<'_>) -> (Vec<u8>, Vec<u8>) {
        let key = key_pair();
        let mut params = params();
        params.serial_number = Some(SerialNumber::from_slice(&leaf.serial));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if leaf.for_ocsp {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
            params
                .distinguished_name
                .push(DnType::CommonName, "responder");
        } else {
            let name = NAME.try_into().expect("ASCII");
            params.subject_alt_names = vec![rcgen::SanType::DnsName(name)];
        }
        if leaf.for_clients {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
        if leaf.must_staple {
            // SEQUENCE { INTEGER 5 } (RFC 7633, Section 4.1)
            let feature = vec![0x30, 3, 2, 1, 5];
            params.custom_extensions.push(custom(TLS_FEATURE, feature));
        }
        if leaf.no_check {
            params.custom_extensions.push(custom(NO_CHECK, vec![5, 0]));
        }
        if !leaf.lists.is_empty() {
            params.crl_distribution_points = vec![CrlDistributionPoint {
                uris: leaf.lists.clone(),
            }];
        }
        if !leaf.logs.is_empty() {
            let before = params.signed_by(&key, &self.issuer).expect("a leaf");
            let stamps = leaf.logs.iter();
            let scts: Vec<_> = stamps
                .map(|(log, time)| log.stamp_before(self, before.der(), *time))
                .collect();
            let scts = tlv(0x04, &[&sct_list(&scts)]);
            params.custom_extensions.push(custom(SCT_LIST, scts));
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("a leaf");
        (certificate.der().to_vec(), key.serialize_der())
    }
}

fn custom(id: &[u64], content: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(id, content)
}

/// Different for different names.
fn serial_of(name: &str) -> [u8; 4] {
    let hash: [u8; 32] = Sha256::digest(name).into();
    [1, hash[0], hash[1], hash[2]]
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.use_authority_key_identifier_extension = true;
    params.not_before = time!(-DAY);
    params.not_after = time!(60 * DAY);
    params
}
