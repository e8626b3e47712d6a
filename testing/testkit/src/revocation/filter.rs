//! CRLite filters.

use clubcard::builder::ClubcardBuilder;
use clubcard_crlite::builder::CRLiteBuilderItem;
use clubcard_crlite::{CRLiteClubcard, CRLiteCoverage, CRLiteQuery, Encoding, IssuerSpkiHash};
use sha2::{Digest, Sha256};
use waxwing_pki::UnixTime;

use super::der::{content, integer, spki};

/// A CRLite filter that covers what the log with this name stamped between two times. It has
/// these serial numbers of the certificate `issuer` (DER), each revoked or not, and a hundred
/// others.
#[must_use]
pub fn filter(
    issuer: &[u8],
    log: [u8; 32],
    (from, to): (UnixTime, UnixTime),
    serials: &[(&[u8], bool)],
) -> Vec<u8> {
    let id = IssuerSpkiHash(Sha256::digest(spki(issuer)).into());
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
