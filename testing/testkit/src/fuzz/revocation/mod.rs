//! What peers and servers of lists say of revocation: OCSP responses, timestamps of logs,
//! certificates, revocation lists, filters and their manifests.
//!
//! The first byte says what the others are. They are judged twice: by the provider for which any
//! signature is valid, so that bytes get past it, and by the real one, for which none of them
//! can be, as nobody has the keys of these certificates any more. The seeds have their
//! signatures damaged.

use core::time::Duration;
use std::sync::{Arc, LazyLock};

use waxwing_aws_lc::PROVIDER;
use waxwing_crypto::CryptoProvider;
use waxwing_pki::revocation::crlite::{Filter, FilterSet, Filters, Manifest};
use waxwing_pki::revocation::refresh::{Job, ListJob, Progress, StapleJob};
use waxwing_pki::revocation::{
    Crl, CrlSet, Evidence, LogList, Mode, Outcome, RevocationPolicy, Status, Transparency,
    VerifiedChain,
};

use crate::fake;
use crate::revocation::NOW;

/// A certificate with all extensions that matter, what issued it, and the root.
const LEAF: &[u8] = include_bytes!("leaf.der");
const ISSUER: &[u8] = include_bytes!("issuer.der");
const ROOT: &[u8] = include_bytes!("root.der");
/// The key of a log.
const LOG: &[u8] = include_bytes!("log.der");

static FORGIVING: LazyLock<World> = LazyLock::new(|| World::new(&fake::PROVIDER));
static REAL: LazyLock<World> = LazyLock::new(|| World::new(&PROVIDER));

struct World {
    provider: &'static CryptoProvider,
    transparency: Transparency,
}

impl World {
    fn new(provider: &'static CryptoProvider) -> Self {
        let logs = LogList::new().with(LOG, "log").expect("a key");
        Self {
            provider,
            transparency: Transparency::new(provider, logs).at_least(1, 1),
        }
    }

    fn judge(&self, leaf: &[u8], lists: Vec<Crl>, evidence: &Evidence<'_>) -> Option<Outcome> {
        let lists = Arc::new(CrlSet::new(self.provider, lists));
        let policy = RevocationPolicy::new(self.provider)
            .lists(lists, Mode::Soft)
            .staple(Mode::Soft)
            .transparency(self.transparency.clone());
        let chain = [leaf, ISSUER, ROOT];
        let chain = VerifiedChain::in_order(&chain).ok()?;
        Some(policy.check(&chain, evidence, NOW))
    }
}

/// Judges what follows the first byte.
pub fn run(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    match kind % 6 {
        0 => staple(data),
        1 => list(data),
        2 => timestamps(data),
        3 => certificate(data),
        4 => manifest(data),
        _ => filter(data),
    }
}

fn staple(data: &[u8]) {
    let evidence = Evidence::of_server(Some(data), None);
    let outcome = FORGIVING.judge(LEAF, Vec::new(), &evidence);
    assert_eq!(outcome, FORGIVING.judge(LEAF, Vec::new(), &evidence));
    assert_silent(REAL.judge(LEAF, Vec::new(), &evidence));
    let mut job = StapleJob::new(FORGIVING.provider, "", LEAF, ISSUER).expect("certificates");
    if let Ok(Progress::Done(fresh)) = job.answer(data, NOW) {
        assert!(fresh.until > NOW && fresh.value == data);
        assert!(fresh.made <= NOW.plus(Duration::from_secs(300)));
    }
}

fn list(data: &[u8]) {
    let parse = || Crl::from_pem_or_der(data).unwrap_or_default();
    for list in parse() {
        assert!(list.len() < data.len());
    }
    FORGIVING.judge(LEAF, parse(), &Evidence::default());
    assert_silent(REAL.judge(LEAF, parse(), &Evidence::default()));
    let mut job = ListJob::new(FORGIVING.provider, "", ISSUER).expect("a certificate");
    if let Ok(Progress::Done(fresh)) = job.answer(data, NOW) {
        assert_eq!(fresh.until, fresh.value.next_update());
    }
}

fn timestamps(data: &[u8]) {
    let evidence = Evidence::of_server(None, Some(data));
    FORGIVING.judge(LEAF, Vec::new(), &evidence);
    let real = REAL
        .judge(LEAF, Vec::new(), &evidence)
        .expect("certificates");
    let report = real.transparency.expect("it was asked for");
    // The certificate has a good one within it.
    assert_eq!((report.logs(), report.operators()), (1, 1));
}

fn certificate(data: &[u8]) {
    FORGIVING.judge(data, Vec::new(), &Evidence::default());
    // As its own issuer too.
    let _ = VerifiedChain::in_order(&[data, data]);
    if let Ok(mut job) = StapleJob::new(FORGIVING.provider, "", data, ISSUER) {
        let request = job.start();
        assert!(request.body.is_some_and(|(_, body)| body.len() > 50));
    }
}

fn manifest(data: &[u8]) {
    if let Ok(manifest) = Manifest::from_json(data) {
        let hidden = |name: &str| name.starts_with('.') || name.contains(['/', '\\', '?', '#']);
        assert!(manifest.files().iter().all(|file| !hidden(&file.filename)));
    }
}

/// Nobody signs filters: whoever gives them is believed, but they must be harmless to read.
fn filter(data: &[u8]) {
    let Ok(filter) = Filter::from_bytes(data) else {
        return;
    };
    let filters = FilterSet::new(Filters::new(vec![Arc::new(filter)], Some(NOW)));
    let policy = RevocationPolicy::new(REAL.provider)
        .staple(Mode::Off)
        .must_staple(false)
        .filters(Arc::new(filters), Mode::Soft);
    let chain = [LEAF, ISSUER, ROOT];
    let chain = VerifiedChain::in_order(&chain).expect("certificates");
    let outcome = policy.check(&chain, &Evidence::default(), NOW);
    assert_eq!(outcome.findings.len(), 1);
}

/// Nobody has the key, so nobody says anything.
fn assert_silent(outcome: Option<Outcome>) {
    for finding in outcome.expect("certificates").findings {
        assert!(
            matches!(finding.status, Status::Silent(_)),
            "believed without a signature: {finding}"
        );
    }
}
