//! Chains that were good once, against all that makes a difference afterwards. The clock of a
//! verifier is moved here behind its back, as a real one moves. Whether it looked again shows in
//! the signatures that were checked.

use core::time::Duration;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::ServerName;
use waxwing_core::limits::MAX_VERDICT_AGE;
use waxwing_crypto::{CryptoError, CryptoProvider, SignatureAlgorithm, VerifySignature};
use waxwing_testkit::revocation as kit;
use waxwing_testkit::revocation::{
    Authority, CrlSpec, HOUR, Leaf, NAME, OcspSpec, OcspStatus, Responder,
};

use crate::path::Judge;
use crate::revocation::{Crl, CrlSet, Evidence, Mode, RevocationPolicy};
use crate::{Clock, Code, Peer, Policy, TrustAnchors, UnixTime};

const MINUTE: i64 = 60;

struct Counting {
    verifier: &'static dyn VerifySignature,
    count: &'static AtomicUsize,
}

impl VerifySignature for Counting {
    fn verify(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.verifier.verify(key, message, signature)
    }
}

/// A judge of whose signatures somebody keeps count.
struct Watched {
    judge: Judge,
    name: ServerName,
    count: &'static AtomicUsize,
}

/// How a verdict came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// From the memory, and it was yes.
    Remembered,
    /// From a new judgement.
    Judged(Result<(), Code>),
}

use Came::{Judged, Remembered};

const ACCEPTED: Came = Judged(Ok(()));

const fn refused(code: Code) -> Came {
    Judged(Err(code))
}

impl Watched {
    fn new(anchor: &[u8]) -> Self {
        let count: &AtomicUsize = Box::leak(Box::default());
        let signatures = PROVIDER.signatures.iter().map(|own| SignatureAlgorithm {
            scheme: own.scheme,
            key_algorithm: own.key_algorithm,
            signature_algorithm: own.signature_algorithm,
            verifier: Box::leak(Box::new(Counting {
                verifier: own.verifier,
                count,
            })),
        });
        let provider = CryptoProvider {
            signatures: Vec::leak(signatures.collect()),
            ..PROVIDER
        };
        let anchors = TrustAnchors::from_pem_or_der(anchor).unwrap();
        Self {
            judge: Judge::new(&provider, anchors.into()),
            name: NAME.parse().unwrap(),
            count,
        }
    }

    fn revocation(mut self, policy: RevocationPolicy) -> Self {
        self.judge.set_revocation(Arc::new(policy));
        self
    }

    /// Moves the clock to so many seconds after the kit's time.
    fn at(&mut self, seconds: i64) -> &mut Self {
        self.judge.policy.clock = Clock::Fixed(after(seconds));
        self
    }

    fn ask(&self, peer: Peer<'_>, chain: &[&[u8]], evidence: &Evidence<'_>) -> Came {
        let before = self.count.load(Ordering::Relaxed);
        let outcome = self.judge.handshake(chain, peer, evidence);
        let silent = before == self.count.load(Ordering::Relaxed);
        match outcome {
            Ok(_) if silent => Remembered,
            outcome => Judged(outcome.map(drop).map_err(|failure| failure.code)),
        }
    }

    fn server(&self, chain: &[&[u8]]) -> Came {
        self.stapling(chain, None)
    }

    fn stapling(&self, chain: &[&[u8]], staple: Option<&[u8]>) -> Came {
        let peer = Peer::Server(&self.name);
        self.ask(peer, chain, &Evidence::of_server(staple, None))
    }

    fn client(&self, chain: &[&[u8]]) -> Came {
        self.ask(Peer::Client, chain, &Evidence::of_client())
    }
}

fn after(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(kit::at(seconds).seconds())
}

const SERIAL: [u8; 2] = [7, 7];

/// A root, an authority under it and a leaf, all valid for two months.
struct World {
    root: Authority,
    authority: Authority,
    leaf: Vec<u8>,
}

impl World {
    fn new() -> Self {
        Self::with(&Leaf::default())
    }

    fn with(leaf: &Leaf<'_>) -> Self {
        let root = Authority::root("Root");
        let authority = root.under("Authority");
        let serial = SERIAL.to_vec();
        let (leaf, _) = authority.leaf(&Leaf {
            serial,
            ..leaf.clone()
        });
        Self {
            root,
            authority,
            leaf,
        }
    }

    fn chain(&self) -> [&[u8]; 2] {
        [&self.leaf, &self.authority.certificate]
    }

    fn watched(&self) -> Watched {
        let mut watched = Watched::new(&self.root.certificate);
        watched.at(0);
        watched
    }

    fn list(&self, spec: CrlSpec) -> Crl {
        Crl::from_der(self.authority.crl(&spec)).unwrap()
    }

    fn revoking(&self) -> Crl {
        self.list(CrlSpec {
            revoked: vec![SERIAL.to_vec()],
            ..CrlSpec::default()
        })
    }

    fn staple(&self, signer: &Responder, spec: &OcspSpec) -> Vec<u8> {
        signer.respond(&self.authority, &SERIAL, spec)
    }
}

#[test]
fn the_same_again_is_not_judged_again() {
    let world = World::new();
    let watched = world.watched();
    assert_eq!(watched.server(&world.chain()), ACCEPTED);
    let key = watched.judge.handshake(
        &world.chain(),
        Peer::Server(&watched.name),
        &Evidence::of_server(None, None),
    );
    let spki = crate::end_entity::spki(&world.leaf).unwrap();
    assert_eq!(key.unwrap().spki(), spki);
    assert_eq!(watched.server(&world.chain()), Remembered);

    let world = World::with(&Leaf {
        for_clients: true,
        ..Leaf::default()
    });
    let watched = world.watched();
    assert_eq!(watched.client(&world.chain()), ACCEPTED);
    assert_eq!(watched.client(&world.chain()), Remembered);
}

#[test]
fn whatever_differs_is_judged_anew() {
    let world = World::new();
    let [leaf, middle] = world.chain();
    let root = world.root.certificate.as_slice();
    let watched = world.watched();
    let base = || watched.server(&[leaf, middle, root]);
    assert_eq!(base(), ACCEPTED);
    // The order, something more, something less.
    let others: [&[&[u8]]; 4] = [
        &[leaf, root, middle],
        &[leaf, middle, root, root],
        &[leaf, middle, root, b""],
        &[leaf, middle],
    ];
    for other in others {
        assert_eq!(watched.server(other), ACCEPTED);
        assert_eq!(base(), Remembered);
    }
    let alone = watched.server(&[leaf]);
    assert_eq!(alone, refused(Code::NoIssuerLocally));
    // One bit.
    let mut changed = middle.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    let outcome = watched.server(&[leaf, &changed, root]);
    assert!(matches!(outcome, Judged(Err(_))), "{outcome:?}");
    // What comes beside the chain.
    for evidence in [
        Evidence::of_server(Some(b"a"), None),
        Evidence::of_server(Some(b"b"), None),
        Evidence::of_server(None, Some(b"a")),
        Evidence::of_server(Some(b""), Some(b"")),
    ] {
        let peer = Peer::Server(&watched.name);
        let outcome = watched.ask(peer, &[leaf, middle, root], &evidence);
        assert_eq!(outcome, ACCEPTED, "{evidence:?}");
        assert_eq!(base(), Remembered);
    }
    // Another name, and another role.
    let other = "other.example".parse().unwrap();
    let evidence = Evidence::of_server(None, None);
    let outcome = watched.ask(Peer::Server(&other), &[leaf, middle, root], &evidence);
    assert_eq!(outcome, refused(Code::HostnameMismatch));
    let outcome = watched.client(&[leaf, middle, root]);
    assert_eq!(outcome, refused(Code::InvalidPurpose));
    assert_eq!(base(), Remembered);
}

/// A chain that is valid between days of January 2030, each for its own.
fn chain(root: (u8, u8), middle: (u8, u8), leaf: (u8, u8)) -> (Vec<u8>, [Vec<u8>; 2]) {
    let params = |name: &str, (from, to): (u8, u8)| {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params.not_before = date_time_ymd(2030, 1, from);
        params.not_after = date_time_ymd(2030, 1, to);
        params
    };
    let authority = |name, days| {
        let mut params = params(name, days);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
    };
    let [root_key, middle_key, key] = [(); 3].map(|()| KeyPair::generate().unwrap());
    let (root, middle) = (authority("Root", root), authority("Middle", middle));
    let anchor = root.self_signed(&root_key).unwrap();
    let root = Issuer::new(root, root_key);
    let issued = middle.signed_by(&middle_key, &root).unwrap();
    let middle = Issuer::new(middle, middle_key);
    let mut leaf = params("leaf", leaf);
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.subject_alt_names = vec![rcgen::SanType::DnsName(NAME.try_into().unwrap())];
    let leaf = leaf.signed_by(&key, &middle).unwrap();
    let ders = [leaf.der().to_vec(), issued.der().to_vec()];
    (anchor.der().to_vec(), ders)
}

/// Midnight of a day of January 2030.
const fn day(day: i64) -> i64 {
    (day - 1) * 24 * HOUR
}

#[test]
fn each_certificate_expires_on_time() {
    let long = (2, 28);
    for (root, middle, leaf) in [
        ((2, 9), long, long),
        (long, (2, 9), long),
        (long, long, (2, 9)),
    ] {
        let (anchor, chain) = chain(root, middle, leaf);
        let chain = [chain[0].as_slice(), &chain[1]];
        let mut watched = Watched::new(&anchor);
        let end = day(9);
        assert_eq!(watched.at(end - 10 * MINUTE).server(&chain), ACCEPTED);
        assert_eq!(watched.at(end).server(&chain), Remembered);
        assert_eq!(watched.at(end + 1).server(&chain), refused(Code::Expired));
        // Gone for good, and if the clock goes back it is judged again.
        assert_eq!(watched.at(end).server(&chain), ACCEPTED);
    }
}

#[test]
fn a_certificate_that_is_itself_trusted_expires_on_time() {
    let (_, [leaf, _]) = chain((2, 28), (2, 28), (2, 9));
    let mut watched = Watched::new(&leaf);
    let end = day(9);
    // No signature is checked of these, so that it does not show whether it was remembered.
    for (time, accepted) in [(end - MINUTE, true), (end, true), (end + 1, false)] {
        let Judged(Err(code)) = watched.at(time).server(&[&leaf]) else {
            assert!(accepted, "{time}");
            continue;
        };
        assert_eq!((code, accepted), (Code::Expired, false), "{time}");
    }
}

#[test]
fn nothing_is_accepted_before_its_time_by_a_clock_that_was_set_back() {
    let long = (2, 28);
    for (root, middle, leaf) in [
        ((9, 28), long, long),
        (long, (9, 28), long),
        (long, long, (9, 28)),
    ] {
        let (anchor, chain) = chain(root, middle, leaf);
        let chain = [chain[0].as_slice(), &chain[1]];
        let mut watched = Watched::new(&anchor);
        let start = day(9);
        let early = watched.at(start - 1).server(&chain);
        assert_eq!(early, refused(Code::NotYetValid));
        assert_eq!(watched.at(start + MINUTE).server(&chain), ACCEPTED);
        let early = watched.at(start - 1).server(&chain);
        assert_eq!(early, refused(Code::NotYetValid));
        // Not even before it was judged.
        assert_eq!(watched.at(start + MINUTE).server(&chain), ACCEPTED);
        assert_eq!(watched.at(start + MINUTE - 1).server(&chain), ACCEPTED);
        assert_eq!(watched.at(start + MINUTE).server(&chain), Remembered);
    }
}

#[test]
fn no_verdict_grows_older_than_the_maximum() {
    let world = World::new();
    let mut watched = world.watched();
    let age = i64::try_from(MAX_VERDICT_AGE).unwrap();
    assert_eq!(watched.server(&world.chain()), ACCEPTED);
    assert_eq!(watched.at(age - 1).server(&world.chain()), Remembered);
    // To be asked for does not make it younger.
    assert_eq!(watched.at(age).server(&world.chain()), ACCEPTED);
    assert_eq!(watched.at(2 * age - 1).server(&world.chain()), Remembered);
}

#[test]
fn what_is_refused_is_judged_each_time() {
    let world = World::new();
    let mut watched = world.watched();
    watched.name = "other.example".parse().unwrap();
    for _ in 0..3 {
        let before = watched.count.load(Ordering::Relaxed);
        let outcome = watched.server(&world.chain());
        assert_eq!(outcome, refused(Code::HostnameMismatch));
        assert!(watched.count.load(Ordering::Relaxed) > before);
    }
    // And once it is good it is accepted.
    let mut watched = world.watched();
    let late = 61 * 24 * HOUR;
    let outcome = watched.at(late).server(&world.chain());
    assert_eq!(outcome, refused(Code::Expired));
    assert_eq!(watched.at(0).server(&world.chain()), ACCEPTED);
}

#[test]
fn a_list_that_comes_later_counts_at_once() {
    let world = World::new();
    let good = || Arc::new(world.list(CrlSpec::default()));
    for mode in [Mode::Soft, Mode::Hard] {
        let set = Arc::new(CrlSet::new(&PROVIDER, []));
        set.replace([good()]);
        let policy = RevocationPolicy::new(&PROVIDER)
            .lists_vouch_for(crate::revocation::Depth::EndEntity)
            .lists(Arc::clone(&set), mode);
        let watched = world.watched().revocation(policy);
        assert_eq!(watched.server(&world.chain()), ACCEPTED);
        assert_eq!(watched.server(&world.chain()), Remembered);
        set.replace([Arc::new(world.revoking())]);
        let outcome = watched.server(&world.chain());
        assert_eq!(outcome, refused(Code::Revoked));
        set.replace([good()]);
        assert_eq!(watched.server(&world.chain()), ACCEPTED);
        assert_eq!(watched.server(&world.chain()), Remembered);
    }
}

#[test]
fn lists_end_and_begin_on_time() {
    let world = World::new();
    let good = world.list(CrlSpec {
        next_update: 20 * MINUTE,
        ..CrlSpec::default()
    });
    let policy = |lists: Vec<Crl>, mode| {
        RevocationPolicy::new(&PROVIDER)
            .lists_vouch_for(crate::revocation::Depth::EndEntity)
            .lists(Arc::new(CrlSet::new(&PROVIDER, lists)), mode)
    };
    let mut watched = world.watched().revocation(policy(vec![good], Mode::Hard));
    assert_eq!(watched.server(&world.chain()), ACCEPTED);
    let end = 20 * MINUTE;
    assert_eq!(watched.at(end - 1).server(&world.chain()), Remembered);
    let outcome = watched.at(end).server(&world.chain());
    assert_eq!(outcome, refused(Code::ListExpired));

    // A list from the future, beside one that hides it. Clocks may be five minutes apart.
    let good = world.list(CrlSpec::default());
    let future = world.list(CrlSpec {
        this_update: 30 * MINUTE,
        revoked: vec![SERIAL.to_vec()],
        ..CrlSpec::default()
    });
    let policy = policy(vec![good, future], Mode::Soft);
    let mut watched = world.watched().revocation(policy);
    assert_eq!(watched.server(&world.chain()), ACCEPTED);
    let start = 25 * MINUTE;
    assert_eq!(watched.at(start - 1).server(&world.chain()), Remembered);
    let outcome = watched.at(start).server(&world.chain());
    assert_eq!(outcome, refused(Code::Revoked));
}

#[test]
fn staples_end_and_begin_on_time() {
    let world = World::new();
    let issuer = Responder::issuer(&world.authority);
    let hard = || RevocationPolicy::new(&PROVIDER).staple(Mode::Hard);
    let chain = world.chain();
    let staple = world.staple(
        &issuer,
        &OcspSpec {
            next_update: Some(20 * MINUTE),
            ..OcspSpec::default()
        },
    );
    let mut watched = world.watched().revocation(hard());
    let staple = Some(staple.as_slice());
    assert_eq!(watched.stapling(&chain, staple), ACCEPTED);
    let end = 20 * MINUTE;
    assert_eq!(watched.at(end - 1).stapling(&chain, staple), Remembered);
    let outcome = watched.at(end).stapling(&chain, staple);
    assert_eq!(outcome, refused(Code::BadStatus));
    // A good one does not vouch for its lack, nor for another.
    assert_eq!(watched.at(0).stapling(&chain, staple), ACCEPTED);
    assert_eq!(watched.server(&chain), refused(Code::StapleMissing));
    let revoked = OcspSpec {
        status: OcspStatus::Revoked,
        ..OcspSpec::default()
    };
    let revoked = world.staple(&issuer, &revoked);
    let outcome = watched.stapling(&chain, Some(&revoked));
    assert_eq!(outcome, refused(Code::Revoked));

    // One that says "revoked" from the future on.
    let future = OcspSpec {
        status: OcspStatus::Revoked,
        this_update: 30 * MINUTE,
        ..OcspSpec::default()
    };
    let future = world.staple(&issuer, &future);
    let future = Some(future.as_slice());
    let mut watched = world.watched().revocation(RevocationPolicy::new(&PROVIDER));
    assert_eq!(watched.stapling(&chain, future), ACCEPTED);
    let start = 25 * MINUTE;
    assert_eq!(watched.at(start - 1).stapling(&chain, future), Remembered);
    let outcome = watched.at(start).stapling(&chain, future);
    assert_eq!(outcome, refused(Code::Revoked));
}

#[test]
fn a_staple_ends_with_the_certificate_of_who_signed_it() {
    let world = World::new();
    let (certificate, key) = world.authority.leaf(&Leaf {
        serial: vec![42],
        for_ocsp: true,
        no_check: true,
        ..Leaf::default()
    });
    let signer = Responder::delegated(certificate, key);
    let staple = world.staple(
        &signer,
        &OcspSpec {
            next_update: Some(100 * 24 * HOUR),
            ..OcspSpec::default()
        },
    );
    let staple = Some(staple.as_slice());
    // Time does not matter to this verifier, but for answers.
    let policy = RevocationPolicy::new(&PROVIDER).staple(Mode::Hard);
    let mut watched = world.watched().revocation(policy);
    watched
        .judge
        .set_policy(Policy::new().dangerously_accept_any_time());
    let end = 60 * 24 * HOUR;
    let chain = world.chain();
    let before = watched.at(end - MINUTE).stapling(&chain, staple);
    assert_eq!(before, ACCEPTED);
    assert_eq!(watched.at(end).stapling(&chain, staple), Remembered);
    let outcome = watched.at(end + 1).stapling(&chain, staple);
    assert_eq!(outcome, refused(Code::BadStatus));
}

#[cfg(feature = "crlite")]
#[test]
fn filters_that_come_later_count_at_once_and_end_on_time() {
    use crate::revocation::crlite::{Filter, FilterSet, Filters};
    use waxwing_testkit::revocation::{CtLog, filter};

    let log = CtLog::new();
    let world = World::with(&Leaf {
        logs: vec![(&log, kit::at(-HOUR))],
        ..Leaf::default()
    });
    let times = (kit::at(-24 * HOUR), kit::at(24 * HOUR));
    let filters = |revoked| {
        let serials: [(&[u8], bool); 1] = [(&SERIAL, revoked)];
        let bytes = filter(&world.authority.certificate, log.id(), times, &serials);
        let filters = vec![Arc::new(Filter::from_bytes(&bytes).unwrap())];
        Filters::new(filters, Some(after(0)))
    };
    let age = Duration::from_secs(20 * 60);
    let set = Arc::new(FilterSet::new(filters(false)).max_age(age));
    let policy = RevocationPolicy::new(&PROVIDER).filters(Arc::clone(&set), Mode::Hard);
    let mut watched = world.watched().revocation(policy);
    assert_eq!(watched.server(&world.chain()), ACCEPTED);
    let end = 20 * MINUTE;
    assert_eq!(watched.at(end - 1).server(&world.chain()), Remembered);
    set.replace(filters(true));
    let outcome = watched.server(&world.chain());
    assert_eq!(outcome, refused(Code::Revoked));
    set.replace(filters(false));
    assert_eq!(watched.server(&world.chain()), ACCEPTED);
    let outcome = watched.at(end).server(&world.chain());
    assert_eq!(outcome, refused(Code::ListExpired));
}

/// Runs something before it checks a signature.
struct Interrupted {
    verifier: &'static dyn VerifySignature,
    first: &'static (dyn Fn() + Sync),
}

impl VerifySignature for Interrupted {
    fn verify(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        (self.first)();
        self.verifier.verify(key, message, signature)
    }
}

#[test]
fn lists_that_come_during_a_judgement_count_from_the_next_one_on() {
    static SET: OnceLock<(Arc<CrlSet>, Arc<Crl>)> = OnceLock::new();
    let world = World::new();
    let signatures = PROVIDER.signatures.iter().map(|own| SignatureAlgorithm {
        scheme: own.scheme,
        key_algorithm: own.key_algorithm,
        signature_algorithm: own.signature_algorithm,
        verifier: Box::leak(Box::new(Interrupted {
            verifier: own.verifier,
            first: &|| {
                let (set, list) = SET.get().expect("nobody asks before");
                set.replace([Arc::clone(list)]);
            },
        })),
    });
    let provider = CryptoProvider {
        signatures: Vec::leak(signatures.collect()),
        ..PROVIDER
    };
    // The signature of the good list is checked when it is asked, and then it is too late to
    // look at others.
    let set = Arc::new(CrlSet::new(&provider, [world.list(CrlSpec::default())]));
    let revoking = Arc::new(world.revoking());
    assert!(SET.set((Arc::clone(&set), revoking)).is_ok());
    let policy = RevocationPolicy::new(&PROVIDER).lists(set, Mode::Soft);
    let watched = world.watched().revocation(policy);
    assert_eq!(watched.server(&world.chain()), ACCEPTED);
    let outcome = watched.server(&world.chain());
    assert_eq!(outcome, refused(Code::Revoked));
}

/// Who learns that the lists were replaced never gets an answer by those before.
#[test]
fn of_eight_threads_none_is_told_what_older_lists_said() {
    let world = World::new();
    let set = Arc::new(CrlSet::new(&PROVIDER, []));
    let policy = RevocationPolicy::new(&PROVIDER).lists(Arc::clone(&set), Mode::Soft);
    let watched = world.watched().revocation(policy);
    let [good, bad] = [world.list(CrlSpec::default()), world.revoking()].map(Arc::new);
    for _ in 0..40 {
        set.replace([Arc::clone(&good)]);
        let revoked = AtomicBool::new(false);
        let accepted = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    loop {
                        let known = revoked.load(Ordering::SeqCst);
                        let evidence = Evidence::of_server(None, None);
                        let peer = Peer::Server(&watched.name);
                        let outcome = watched.judge.handshake(&world.chain(), peer, &evidence);
                        if known {
                            assert_eq!(outcome.unwrap_err().code, Code::Revoked);
                            return;
                        }
                        accepted.fetch_add(usize::from(outcome.is_ok()), Ordering::SeqCst);
                    }
                });
            }
            while accepted.load(Ordering::SeqCst) < 8 {
                std::thread::yield_now();
            }
            set.replace([Arc::clone(&bad)]);
            revoked.store(true, Ordering::SeqCst);
        });
    }
}
