//! Logs of certificates and their timestamps.

use sha2::{Digest, Sha256};
use waxwing_pki::UnixTime;

use super::authority::Authority;
use super::der::{fields, spki, vec16, vec24};
use super::{key_pair, sign};

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
    pub(super) fn stamp_before(
        &self,
        issuer: &Authority,
        certificate: &[u8],
        time: UnixTime,
    ) -> Vec<u8> {
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
