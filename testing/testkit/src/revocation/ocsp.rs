//! OCSP responders and what they say.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::authority::Authority;
use super::der::{generalized, integer, names_and_key, tlv};
use super::{DAY, HOUR, at, sign};

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

/// An OCSP response. The times are relative to [`NOW`](super::NOW).
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
    /// A list of timestamps, as [`sct_list`](super::sct_list) makes it.
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
