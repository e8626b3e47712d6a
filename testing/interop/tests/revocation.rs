//! Revocation with an authority that OpenSSL keeps, its lists, and its live OCSP responder.

#![forbid(unsafe_code)]

use core::time::Duration;
use std::sync::Arc;
use std::sync::mpsc::channel;

use waxwing::pki::revocation::refresh::{Job, Progress, Refresh, StapleJob};
use waxwing::pki::revocation::{Crl, CrlSet, Mode, RevocationPolicy, StaplingKey};
use waxwing::pki::{Clock, TrustAnchors, UnixTime, Verifier, load_certified_key_files};
use waxwing::refresh::{Refresher, Update};
use waxwing::{
    CertificateError, CertificateType, ClientConfig, Error, PROVIDER, ProtocolVersions, Rejection,
    ServerCertRequest, ServerCertVerifier, ServerConfig, ServerName, Verdict,
};
use waxwing_interop::authority::{Authority, DAYS, http};
use waxwing_interop::openssl::OPENSSL;
use waxwing_interop::{Listener, Process, Session, VERSIONS, contains, free_port, peer};

/// What is known about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    Revoked,
    Stale,
    Missing,
    WrongSigner,
    Future,
}

const STATES: [State; 6] = [
    State::Good,
    State::Revoked,
    State::Stale,
    State::Missing,
    State::WrongSigner,
    State::Future,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    List,
    Staple,
    MustStaple,
}

/// Responses, by what the certificate is called here.
type Staples = Vec<(&'static str, Vec<u8>)>;

/// An authority with a good certificate and a revoked one, each with and without must-staple,
/// and another authority of the same name.
struct World {
    authority: Authority,
    list: Vec<u8>,
    forged_list: Vec<u8>,
    staples: Staples,
    forged_staples: Staples,
}

const NAMES: [(&str, &str); 4] = [
    ("good", "server"),
    ("revoked", "server"),
    ("good_must", "must_staple"),
    ("revoked_must", "must_staple"),
];

impl World {
    fn new() -> Self {
        let (authority, impostor) = (Authority::new(), Authority::new());
        for (name, section) in NAMES {
            authority.issue(name, section);
            if name.starts_with("revoked") {
                authority.revoke(name);
            }
        }
        let forged_list = impostor.list();
        // The other responder knows the same certificates, and has the same name, but another
        // key.
        for file in ["index.txt", "root.pem"] {
            std::fs::copy(authority.path(file), impostor.path(file)).unwrap();
        }
        Self {
            list: authority.list(),
            forged_list,
            staples: staples(&authority, &authority),
            forged_staples: staples(&authority, &impostor),
            authority,
        }
    }

    fn certificate(&self, name: &str) -> Vec<u8> {
        certificate(&self.authority, name)
    }

    fn staple(&self, name: &str, state: State) -> Option<&[u8]> {
        let staples = match state {
            State::Missing => return None,
            State::WrongSigner => &self.forged_staples,
            _ => &self.staples,
        };
        let staple = staples.iter().find(|(known, _)| *known == name);
        staple.map(|(_, response)| response.as_slice())
    }

    fn lists(&self, state: State) -> Arc<CrlSet> {
        let pem = match state {
            State::Missing => None,
            State::WrongSigner => Some(&self.forged_list),
            _ => Some(&self.list),
        };
        let lists = pem.map_or_else(Vec::new, |pem| Crl::from_pem_or_der(pem).unwrap());
        Arc::new(CrlSet::new(&PROVIDER, lists))
    }

    fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_file(self.authority.path("root.pem")).unwrap()
    }

    fn verify(&self, source: Source, state: State, mode: Mode) -> Result<(), Rejection> {
        let policy = RevocationPolicy::new(&PROVIDER).staple(Mode::Off);
        let policy = match source {
            Source::List => policy.lists(self.lists(state), mode),
            Source::Staple => policy.staple(mode),
            Source::MustStaple => policy,
        };
        let now = UnixTime::now().unwrap();
        let week = Duration::from_secs(2 * DAYS * 24 * 3600);
        let clock = match state {
            State::Stale => now.plus(week),
            State::Future => now.minus(week),
            _ => now,
        };
        let name = match (state, source) {
            (State::Revoked, Source::MustStaple) => "revoked_must",
            (State::Revoked, _) => "revoked",
            (_, Source::MustStaple) => "good_must",
            _ => "good",
        };
        let verifier = Verifier::new(&PROVIDER, self.anchors())
            .clock(Clock::Fixed(clock))
            .revocation(policy);
        let ocsp = self.staple(name, state).filter(|_| source != Source::List);
        let host: ServerName = "localhost".parse().unwrap();
        let request = ServerCertRequest {
            certificate_type: CertificateType::X509,
            chain: &[&self.certificate(name)],
            ocsp,
            scts: None,
            name: &host,
        };
        match verifier.verify(&request) {
            Verdict::Accepted(_) => Ok(()),
            Verdict::Rejected(rejection) => Err(rejection),
            Verdict::Pending => panic!("this verifier answers at once"),
        }
    }
}

/// The DER of `name.pem`.
fn certificate(authority: &Authority, name: &str) -> Vec<u8> {
    let key = load_certified_key_files(
        &PROVIDER,
        authority.path(&format!("{name}.pem")),
        authority.path(&format!("{name}.key")),
    );
    key.unwrap().chain()[0].clone()
}

/// What the live responder of `responding` says of each certificate of `authority`.
fn staples(authority: &Authority, responding: &Authority) -> Staples {
    let root = certificate(authority, "root");
    let (_responder, url) = responding.responder();
    let ask = |(name, _): &(&'static str, &str)| {
        let certificate = certificate(authority, name);
        let mut job = StapleJob::new(&PROVIDER, &url, &certificate, &root).unwrap();
        (*name, http(&job.start()).unwrap())
    };
    NAMES.iter().map(ask).collect()
}

#[test]
fn every_source_of_openssl_in_every_state_soft_and_hard() {
    peer!(OPENSSL);
    let world = World::new();
    for source in [Source::List, Source::Staple, Source::MustStaple] {
        for state in STATES {
            for mode in [Mode::Soft, Mode::Hard] {
                let silent = match source {
                    Source::List => CertificateError::StatusUnknown,
                    Source::Staple | Source::MustStaple => CertificateError::BadStatus,
                };
                let expected = match (state, mode, source) {
                    (State::Revoked, ..) => Some(CertificateError::Revoked),
                    (State::Good, ..) => None,
                    (_, Mode::Hard, _) | (.., Source::MustStaple) => Some(silent),
                    _ => None,
                };
                let rejection = world.verify(source, state, mode).err();
                let code = rejection.as_ref().map(|rejection| rejection.code);
                assert_eq!(
                    code, expected,
                    "{source:?} {state:?} {mode:?}: {rejection:?}"
                );
            }
        }
    }
}

fn client(world: &World, mode: Mode, versions: ProtocolVersions) -> Arc<ClientConfig> {
    let policy = RevocationPolicy::new(&PROVIDER).staple(mode);
    let verifier = Verifier::new(&PROVIDER, world.anchors()).revocation(policy);
    let config = ClientConfig::builder(&PROVIDER, Arc::new(verifier)).versions(versions);
    config.build().unwrap()
}

#[test]
fn our_client_judges_the_staples_of_openssl_in_both_versions() {
    peer!(OPENSSL);
    let world = World::new();
    let cases = [
        ("good", State::Good, None),
        ("good_must", State::Good, None),
        ("revoked", State::Revoked, Some(CertificateError::Revoked)),
        ("good", State::Missing, Some(CertificateError::BadStatus)),
        (
            "good",
            State::WrongSigner,
            Some(CertificateError::BadStatus),
        ),
    ];
    for versions in VERSIONS {
        for (name, state, expected) in cases {
            let response = world.authority.path("response.der");
            let port = free_port();
            let address = format!("127.0.0.1:{port}");
            let path = |kind| world.authority.path(&format!("{name}.{kind}"));
            let mut server = std::process::Command::new(OPENSSL);
            server.args(["s_server", "-accept", &address, "-naccept", "1", "-cert"]);
            server.arg(path("pem")).arg("-key").arg(path("key"));
            if let Some(staple) = world.staple(name, state) {
                std::fs::write(&response, staple).unwrap();
                server.arg("-status_file").arg(&response);
            }
            let mut peer = Process::start(&mut server);
            let session = Session::connect(&client(&world, Mode::Hard, versions), port);
            match (session, expected) {
                (Ok(session), None) => {
                    session.close().unwrap();
                    peer.succeed();
                }
                (Err(fault), Some(code)) => {
                    let Some(Error::Certificate(rejection)) = fault.tls() else {
                        panic!("{fault}");
                    };
                    assert_eq!(rejection.code, code, "{rejection}");
                    let alert = match code {
                        CertificateError::Revoked => "certificate revoked",
                        _ => "bad certificate status response",
                    };
                    peer.wait_for(alert);
                }
                (other, _) => panic!("{name} {state:?} {versions:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn our_server_staples_and_openssl_shows_it_in_both_versions() {
    peer!(OPENSSL);
    let world = World::new();
    let key = load_certified_key_files(
        &PROVIDER,
        world.authority.path("good.pem"),
        world.authority.path("good.key"),
    );
    let key = Arc::new(StaplingKey::new(Arc::new(key.unwrap())));
    let anchor = world.authority.path("root.pem");
    for versions in VERSIONS {
        for staple in [None, world.staple("good", State::Good)] {
            key.staple(staple.map(<[u8]>::to_vec));
            let resolver = Arc::<StaplingKey>::clone(&key);
            let config = ServerConfig::builder(&PROVIDER, resolver).versions(versions);
            let config = config.build().unwrap();
            let listener = Listener::bind().unwrap();
            let mut client = std::process::Command::new(OPENSSL);
            client.args(["s_client", "-status", "-connect", &listener.address()]);
            client.args([
                "-servername",
                "localhost",
                "-verify_return_error",
                "-CAfile",
            ]);
            let mut peer = Process::start(client.arg(&anchor));
            let tcp = listener.accept(&mut peer).unwrap();
            let session = Session::accept(&config, tcp).unwrap();
            session.close().unwrap();
            let output = peer.succeed();
            let expected: &[&str] = match staple {
                Some(_) => &["OCSP Response Status: successful", "Cert Status: good"],
                None => &["OCSP response: no response sent"],
            };
            for words in expected {
                let output_text = String::from_utf8_lossy(&output);
                assert!(contains(&output, words.as_bytes()), "{output_text}");
            }
        }
    }
}

#[test]
fn a_servers_staple_is_fetched_from_a_live_responder() {
    peer!(OPENSSL);
    let authority = Authority::new();
    authority.issue("server", "must_staple");
    authority.issue("revoked", "server");
    authority.revoke("revoked");
    let root = certificate(&authority, "root");
    let (_responder, url) = authority.responder();
    let job = |name: &str| {
        let certificate = certificate(&authority, name);
        StapleJob::new(&PROVIDER, &url, &certificate, &root).unwrap()
    };
    let (sender, updates) = channel();
    let send = move |update: Update<Vec<u8>>| {
        // Nobody listens any more after the first.
        let _ = sender.send(update);
    };
    let _refresher = Refresher::spawn(Refresh::new(job("server"), 1), http, send).unwrap();
    let Ok(Update::Fresh(response)) = updates.recv() else {
        panic!("the responder answers");
    };
    let now = UnixTime::now().unwrap();
    let Ok(Progress::Done(fresh)) = job("server").answer(&response, now) else {
        panic!("it was believed before");
    };
    let left = fresh.until.seconds() - now.seconds();
    assert!(left.abs_diff(DAYS * 24 * 3600) < 120, "{left}");
    let refused = http(&job("revoked").start()).unwrap();
    let reason = job("revoked").answer(&refused, now).unwrap_err();
    assert!(reason.contains("revoked since"), "{reason}");
}
