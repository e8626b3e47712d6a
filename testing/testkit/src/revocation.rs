//! Authorities with revocation lists, OCSP responders, logs and filters, at a time that stands
//! still.
//!
//! All times are relative to [`NOW`]. Structures that no library of this workspace writes are put
//! together here byte by byte, so that a mistake in reading them is not made in writing too.

use core::time::Duration;

use clubcard::builder::ClubcardBuilder;
use clubcard_crlite::builder::CRLiteBuilderItem;
use clubcard_crlite::{CRLiteClubcard, CRLiteCoverage, CRLiteQuery, Encoding, IssuerSpkiHash};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CrlScope, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, SigningKey,
    date_time_ymd,
};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use waxwing_crypto::SubjectPublicKeyInfo;
use waxwing_pki::{KeyType, UnixTime};

/// 2030-01-01T00:00:00Z.
pub const NOW: UnixTime = UnixTime::from_seconds(1_893_456_000);
/// The name of every leaf.
pub const NAME: &str = "www.example.com";
/// One hour, in seconds.
pub const HOUR: i64 = 60 * 60;
/// One day, in seconds.
pub const DAY: i64 = 24 * HOUR;

/// So many seconds after [`NOW`].
#[must_use]
pub const fn at(seconds: i64) -> UnixTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        NOW.minus(distance)
    } else {
        NOW.plus(distance)
    }
}

/// A time as rcgen wants it.
macro_rules! time {
    ($seconds:expr) => {
        date_time_ymd(1970, 1, 1) + Duration::from_secs(at($seconds).seconds())
    };
}

/// An authority.
pub struct Authority {
    /// Its certificate in DER.
    pub certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
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

    /// A revocation list in DER.
    #[must_use]
    pub fn crl(&self, crl: &CrlSpec) -> Vec<u8> {
        let revoked = crl.revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: time!(-DAY),
            reason_code: Some(rcgen::RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
        let point = crl.place.as_ref().map(|place| CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec![place.clone()],
            },
            scope: crl.users_only.then_some(CrlScope::UserCertsOnly),
        });
        let params = CertificateRevocationListParams {
            this_update: time!(crl.this_update),
            next_update: time!(crl.next_update),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: point,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer).expect("a list");
        list.der().to_vec()
    }
}

/// What is in a revocation list. The times are relative to [`NOW`].
#[derive(Clone, Debug)]
pub struct CrlSpec {
    /// The serial numbers of those that are revoked.
    pub revoked: Vec<Vec<u8>>,
    /// When it was made.
    pub this_update: i64,
    /// When the next one comes.
    pub next_update: i64,
    /// The name of the partition, if it is one.
    pub place: Option<String>,
    /// Whether it is for end entities only. Takes a `place`.
    pub users_only: bool,
}

impl Default for CrlSpec {
    fn default() -> Self {
        Self {
            revoked: Vec::new(),
            this_update: -HOUR,
            next_update: DAY,
            place: None,
            users_only: false,
        }
    }
}

/// What an OCSP response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OcspStatus {
    /// good
    Good,
    /// revoked, for keyCompromise
    Revoked,
    /// unknown
    Unknown,
}

/// An OCSP response. The times are relative to [`NOW`].
#[derive(Clone, Debug)]
pub struct OcspSpec {
    /// What it says.
    pub status: OcspStatus,
    /// Since when.
    pub this_update: i64,
    /// When the next one comes.
    pub next_update: Option<i64>,
    /// Whether hashes are SHA-256 instead of SHA-1.
    pub sha256: bool,
    /// Whether the responder is named by its key instead of its name.
    pub by_key: bool,
    /// A list of timestamps, as [`sct_list`] makes it.
    pub scts: Option<Vec<u8>>,
    /// Whether it has an extension that is critical and means nothing.
    pub critical: bool,
}

impl Default for OcspSpec {
    fn default() -> Self {
        Self {
            status: OcspStatus::Good,
            this_update: -HOUR,
            next_update: Some(DAY),
            sha256: false,
            by_key: false,
            scts: None,
            critical: false,
        }
    }
}

/// Who signs OCSP responses.
#[derive(Clone, Debug)]
pub struct Responder {
    subject: Vec<u8>,
    public_key: Vec<u8>,
    key: Vec<u8>,
    certificate: Option<Vec<u8>>,
}

impl Responder {
    /// The authority itself.
    #[must_use]
    pub fn issuer(authority: &Authority) -> Self {
        let key = authority.key();
        Self::new(&authority.certificate, key, None)
    }

    /// The holder of a certificate, which is sent along.
    #[must_use]
    pub fn delegated(certificate: Vec<u8>, key: Vec<u8>) -> Self {
        Self::new(&certificate.clone(), key, Some(certificate))
    }

    fn new(certificate: &[u8], key: Vec<u8>, sent: Option<Vec<u8>>) -> Self {
        let fields = names_and_key(certificate);
        Self {
            subject: fields.0,
            public_key: fields.1,
            key,
            certificate: sent,
        }
    }

    /// A response about the certificate of `issuer` with this serial number.
    #[must_use]
    pub fn respond(&self, issuer: &Authority, serial: &[u8], spec: &OcspSpec) -> Vec<u8> {
        let (name, key) = names_and_key(&issuer.certificate);
        let algorithm: &[u8] = if spec.sha256 { SHA256 } else { SHA1 };
        let hash = |bytes: &[u8]| match spec.sha256 {
            true => Sha256::digest(bytes).to_vec(),
            false => Sha1::digest(bytes).to_vec(),
        };
        let algorithm = tlv(0x30, &[&tlv(6, &[algorithm]), &[5, 0]]);
        let id = tlv(
            0x30,
            &[
                &algorithm,
                &tlv(4, &[&hash(&name)]),
                &tlv(4, &[&hash(&key)]),
                &integer(serial),
            ],
        );
        let status = match spec.status {
            OcspStatus::Good => vec![0x80, 0],
            // RevokedInfo: since yesterday, keyCompromise
            OcspStatus::Revoked => {
                let reason = tlv(0xa0, &[&[0x0a, 1, 1]]);
                tlv(0xa1, &[&generalized(at(-DAY)), &reason])
            }
            OcspStatus::Unknown => vec![0x82, 0],
        };
        let next = spec
            .next_update
            .map_or_else(Vec::new, |next| tlv(0xa0, &[&generalized(at(next))]));
        let mut extensions = Vec::new();
        if let Some(scts) = &spec.scts {
            let scts = tlv(4, &[&tlv(4, &[scts])]);
            extensions.extend(tlv(0x30, &[&tlv(6, &[OCSP_SCT_LIST]), &scts]));
        }
        if spec.critical {
            let id = tlv(6, &[&[0x2a, 3, 4]]);
            extensions.extend(tlv(0x30, &[&id, &[1, 1, 0xff], &tlv(4, &[&[5, 0]])]));
        }
        let extensions = match extensions.as_slice() {
            [] => Vec::new(),
            list => tlv(0xa1, &[&tlv(0x30, &[list])]),
        };
        let this = generalized(at(spec.this_update));
        let single = tlv(0x30, &[&id, &status, &this, &next, &extensions]);
        self.sign(&tlv(0x30, &[&single]), &this, spec.by_key)
    }

    fn sign(&self, responses: &[u8], produced: &[u8], by_key: bool) -> Vec<u8> {
        let responder = if by_key {
            tlv(0xa2, &[&tlv(4, &[&Sha1::digest(&self.public_key)])])
        } else {
            tlv(0xa1, &[&self.subject])
        };
        let data = tlv(0x30, &[&responder, produced, responses]);
        let algorithm = tlv(0x30, &[&tlv(6, &[ECDSA_SHA256])]);
        let signature = sign(&self.key, &data);
        let signature = tlv(3, &[&[0], &signature]);
        let certificates = self.certificate.as_ref();
        let certificates =
            certificates.map_or_else(Vec::new, |der| tlv(0xa0, &[&tlv(0x30, &[der])]));
        let basic = tlv(0x30, &[&data, &algorithm, &signature, &certificates]);
        let bytes = tlv(0x30, &[&tlv(6, &[OCSP_BASIC]), &tlv(4, &[&basic])]);
        tlv(0x30, &[&[0x0a, 1, 0], &tlv(0xa0, &[&bytes])])
    }
}

/// An OCSPResponse that has only a status other than "successful" (RFC 6960, Section 4.2.1).
#[must_use]
pub fn ocsp_error(status: u8) -> Vec<u8> {
    vec![0x30, 3, 0x0a, 1, status]
}

/// A log of certificates.
#[derive(Debug)]
pub struct CtLog {
    /// Its key, a SubjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
    key: Vec<u8>,
}

impl Default for CtLog {
    fn default() -> Self {
        Self::new()
    }
}

impl CtLog {
    /// One with a key of its own.
    #[must_use]
    pub fn new() -> Self {
        let key = key_pair();
        Self {
            spki: rcgen::PublicKeyData::subject_public_key_info(&key),
            key: key.serialize_der(),
        }
    }

    /// SHA-256 of its key.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        Sha256::digest(&self.spki).into()
    }

    /// A timestamp for a whole certificate.
    #[must_use]
    pub fn stamp(&self, certificate: &[u8], time: UnixTime) -> Vec<u8> {
        let mut entry = vec![0, 0];
        entry.extend(vec24(certificate));
        self.sct(&entry, time)
    }

    /// A timestamp to be put into `certificate`, which `issuer` then signs again.
    fn stamp_before(&self, issuer: &Authority, certificate: &[u8], time: UnixTime) -> Vec<u8> {
        let mut entry = vec![0, 1];
        let spki = spki(&issuer.certificate);
        entry.extend(Sha256::digest(spki));
        entry.extend(vec24(&fields(certificate)[0]));
        self.sct(&entry, time)
    }

    fn sct(&self, entry: &[u8], time: UnixTime) -> Vec<u8> {
        let milliseconds = (time.seconds() * 1000).to_be_bytes();
        let mut message = vec![0, 0];
        message.extend(milliseconds);
        message.extend(entry);
        message.extend([0, 0]);
        let signature = sign(&self.key, &message);
        let mut sct = vec![0];
        sct.extend(self.id());
        sct.extend(milliseconds);
        sct.extend([0, 0, 4, 3]);
        sct.extend(vec16(&signature));
        sct
    }
}

/// A SignedCertificateTimestampList (RFC 6962, Section 3.3).
#[must_use]
pub fn sct_list(scts: &[Vec<u8>]) -> Vec<u8> {
    vec16(&scts.iter().flat_map(|sct| vec16(sct)).collect::<Vec<_>>())
}

/// A CRLite filter that covers what the log with this name stamped between two times. It has
/// these serial numbers of `issuer`, each revoked or not, and a hundred others.
#[must_use]
pub fn filter(
    issuer: &Authority,
    log: [u8; 32],
    (from, to): (UnixTime, UnixTime),
    serials: &[(&[u8], bool)],
) -> Vec<u8> {
    let id = IssuerSpkiHash(Sha256::digest(spki(&issuer.certificate)).into());
    let others = (0..100u8).map(|n| (vec![1, n], n < 20));
    let ours = serials.iter();
    let ours = ours.map(|(serial, revoked)| (content(&integer(serial)), *revoked));
    let all: Vec<_> = others.chain(ours).collect();
    let revoked = || all.iter().filter(|(_, revoked)| *revoked);
    let mut builder = ClubcardBuilder::new();
    let mut approximate = builder.new_approx_builder(&id.0);
    for (serial, _) in revoked() {
        approximate.insert(CRLiteBuilderItem::revoked(id, serial.clone()));
    }
    approximate.set_universe_size(all.len());
    builder.collect_approx_ribbons(vec![approximate.into()]);
    let mut exact = builder.new_exact_builder(&id.0);
    for (serial, revoked) in &all {
        exact.insert(if *revoked {
            CRLiteBuilderItem::revoked(id, serial.clone())
        } else {
            CRLiteBuilderItem::not_revoked(id, serial.clone())
        });
    }
    builder.collect_exact_ribbons(vec![exact.into()]);
    let log = to_base64(&log);
    let (from, to) = (from.seconds() * 1000, to.seconds() * 1000);
    let coverage = format!(
        r#"[{{"LogID":"{log}","MaxTimestamp":{to},"MinTimestamp":{from},"MMD":0,"MinEntry":0}}]"#
    );
    let coverage = CRLiteCoverage::from_mozilla_ct_logs_json(coverage.as_bytes());
    let filter = builder.build::<CRLiteQuery<'_>>(coverage, ());
    let filter = CRLiteClubcard::from(filter).to_bytes(Encoding::V4);
    filter.expect("a filter of the current encoding")
}

fn to_base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

const TLS_FEATURE: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 24];
const NO_CHECK: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
const SCT_LIST: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
/// 1.3.6.1.4.1.11129.2.4.5
const OCSP_SCT_LIST: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 5];
/// 1.3.6.1.5.5.7.48.1.1
const OCSP_BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// 1.3.14.3.2.26
const SHA1: &[u8] = &[0x2b, 14, 3, 2, 26];
/// 2.16.840.1.101.3.4.2.1
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
/// 1.2.840.10045.4.3.2
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// A structure of DER.
#[must_use]
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut der = vec![tag];
    match content.len() {
        short @ ..0x80 => der.push(u8::try_from(short).expect("short")),
        long => {
            let bytes = long.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let count = u8::try_from(bytes.len() - zeros).expect("short");
            der.push(0x80 | count);
            der.extend(&bytes[zeros..]);
        }
    }
    der.extend(content);
    der
}

fn integer(magnitude: &[u8]) -> Vec<u8> {
    match magnitude.first() {
        Some(0x80..) => tlv(2, &[&[0], magnitude]),
        _ => tlv(2, &[magnitude]),
    }
}

/// A GeneralizedTime.
fn generalized(time: UnixTime) -> Vec<u8> {
    let digits: String = time
        .to_string()
        .chars()
        .filter(|c| c.is_ascii_digit())
        .collect();
    tlv(0x18, &[digits.as_bytes(), b"Z"])
}

fn vec16(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("short");
    [&length.to_be_bytes(), bytes].concat()
}

fn vec24(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("short").to_be_bytes();
    [&length[1..], bytes].concat()
}

/// The content of the structure `der`.
fn content(der: &[u8]) -> Vec<u8> {
    der[header(der).0..].to_vec()
}

/// The structures in the structure `der`.
fn fields(der: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &der[header(der).0..];
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (start, length) = header(rest);
        fields.push(rest[..start + length].to_vec());
        rest = &rest[start + length..];
    }
    fields
}

/// Bytes of tag and length, and the length.
fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ ..0x80 => (2, short.into()),
        long => {
            let count = usize::from(long & 0x7f);
            let length = der[2..2 + count].iter();
            let length = length.fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (2 + count, length)
        }
    }
}

/// The SubjectPublicKeyInfo of a certificate.
fn spki(certificate: &[u8]) -> Vec<u8> {
    fields(&fields(certificate)[0])[6].clone()
}

/// Subject and key bits of a certificate.
fn names_and_key(certificate: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let tbs = fields(&fields(certificate)[0]);
    let spki = SubjectPublicKeyInfo::parse(&tbs[6]).expect("a certificate of rcgen");
    (tbs[5].clone(), spki.public_key.to_vec())
}

fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = KeyPair::try_from(key).expect("a key of rcgen");
    key.sign(message).expect("a signature")
}

fn key_pair() -> KeyPair {
    let key = KeyType::P256.generate().expect("key generation");
    KeyPair::try_from(key.as_slice()).expect("a key that rcgen can sign with")
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
