//! Revocation lists.

use core::time::Duration;

use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope,
    KeyIdMethod, RevokedCertParams, SerialNumber, date_time_ymd,
};

use super::authority::Authority;
use super::{DAY, HOUR, at, time};

/// What is in a revocation list. The times are relative to [`NOW`](super::NOW).
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

impl Authority {
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
