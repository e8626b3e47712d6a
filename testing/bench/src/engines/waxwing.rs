//! Waxwing's core with its aws-lc-rs provider, its webpki verifier, and its stores of sessions.

use std::sync::Arc;

use waxwing::crypto::{CipherSuite, KeyEncoding, NamedGroup};
use waxwing::pki::{ClientVerifier, TrustAnchors, Verifier};
use waxwing::{
    Buffer, CertifiedKey, ClientAuth, ClientConfig, ClientSessionCache, Connection,
    EarlyDataStatus, Event, PROVIDER, ProtocolVersions, ServerConfig, ServerName, SystemClock,
};
use waxwing_server::{LocalReplayGuard, TicketKeys};

use crate::engines::WAXWING;
use crate::pair::{Basis, Engine, Outgoing, Peer};
use crate::pki::{Pki, SERVER_NAME};
use crate::scenario::{Auth, EARLY, Group, Kind, MAX_EARLY, Scenario, Suite, Version};

/// Hellos with early data that the server remembers: more than a run has in twenty seconds.
const REPLAY_CAPACITY: usize = 1 << 18;

pub(crate) struct Waxwing {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    name: ServerName,
    early: bool,
}

fn suite(scenario: Scenario) -> CipherSuite {
    let rsa = scenario.auth == Auth::Rsa2048;
    match (scenario.version, scenario.suite) {
        (Version::Tls13, Suite::Aes128) => CipherSuite::TLS13_AES_128_GCM_SHA256,
        (Version::Tls13, Suite::Aes256) => CipherSuite::TLS13_AES_256_GCM_SHA384,
        (Version::Tls13, Suite::ChaCha20) => CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        (Version::Tls12, _) if rsa => CipherSuite::TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
        (Version::Tls12, _) => CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
    }
}

fn certified(pki: &Pki) -> Arc<CertifiedKey> {
    let key = PROVIDER.keys.load(KeyEncoding::Pkcs8, &pki.key);
    let chain = vec![pki.leaf.clone(), pki.intermediate.clone()];
    Arc::new(CertifiedKey::new(chain, key.expect("the key is PKCS #8")))
}

/// Verdicts that a verifier remembers: none, so that every handshake is with a stranger, unless the
/// scenario is about that.
fn verdicts(scenario: Scenario) -> usize {
    if scenario.kind.knows_chains() { 16 } else { 0 }
}

pub(crate) fn client_config(pki: &Pki, scenario: Scenario) -> Arc<ClientConfig> {
    let verifier = Verifier::new(&PROVIDER, anchors(pki)).verdict_cache(verdicts(scenario));
    let mut client = ClientConfig::builder(&PROVIDER, Arc::new(verifier))
        .versions(versions(scenario))
        .cipher_suites([suite(scenario)])
        .groups(groups(scenario));
    if scenario.kind.is_mutual() {
        client = client.client_certificate(Arc::new(certified(pki)));
    }
    if scenario.kind.resumes() {
        let clock = Arc::new(SystemClock);
        let sessions = ClientSessionCache::new(32, clock.clone());
        client = client
            .sessions(Arc::new(sessions), clock)
            .early_data(scenario.kind == Kind::EarlyData);
    }
    client.build().expect("the provider has what is measured")
}

pub(crate) fn server_config(pki: &Pki, scenario: Scenario) -> Arc<ServerConfig> {
    let mut server = ServerConfig::builder(&PROVIDER, Arc::new(certified(pki)))
        .versions(versions(scenario))
        .cipher_suites([suite(scenario)])
        .groups(groups(scenario));
    if scenario.kind.is_mutual() {
        let verifier = ClientVerifier::new(&PROVIDER, anchors(pki))
            .without_hints()
            .verdict_cache(verdicts(scenario));
        server = server.client_auth(ClientAuth::Required(Arc::new(verifier)));
    }
    if scenario.kind.resumes() {
        let clock = Arc::new(SystemClock);
        let keys = TicketKeys::new(&PROVIDER, clock.clone()).expect("there is randomness");
        server = server.sessions(Arc::new(keys), clock).tickets(1);
    }
    if scenario.kind == Kind::EarlyData {
        let clock = Arc::new(SystemClock);
        let guard = LocalReplayGuard::beside_new_keys(REPLAY_CAPACITY, clock);
        server = server.early_data(MAX_EARLY, Arc::new(guard));
    }
    server.build().expect("the provider has what is measured")
}

fn versions(scenario: Scenario) -> ProtocolVersions {
    match scenario.version {
        Version::Tls13 => ProtocolVersions::TLS13,
        Version::Tls12 => ProtocolVersions::TLS12,
    }
}

fn groups(scenario: Scenario) -> Vec<NamedGroup> {
    let name = |group| match group {
        Group::X25519 => NamedGroup::X25519,
        Group::P256 => NamedGroup::SECP256R1,
        Group::X25519MlKem768 => NamedGroup::X25519_MLKEM768,
    };
    scenario.groups().into_iter().map(name).collect()
}

fn anchors(pki: &Pki) -> TrustAnchors {
    TrustAnchors::from_pem_or_der(&pki.root).expect("the root is an anchor")
}

impl Engine for Waxwing {
    const NAME: &'static str = WAXWING;

    type Out = Buffer;
    type Client = Connection;
    type Server = Connection;

    fn new(pki: &Pki, scenario: Scenario) -> Option<Self> {
        Some(Self {
            client: client_config(pki, scenario),
            server: server_config(pki, scenario),
            name: SERVER_NAME.parse().expect("a DNS name"),
            early: scenario.kind == Kind::EarlyData,
        })
    }

    fn client(&self, out: &mut Buffer) -> Connection {
        let mut client = Connection::client(Arc::clone(&self.client), self.name.clone(), out)
            .expect("the configuration is usable");
        if self.early && client.early_data_left() > 0 {
            let taken = client.write_early(&EARLY, out);
            assert_eq!(taken, Ok(EARLY.len()));
        }
        client
    }

    fn server(&self) -> Connection {
        Connection::server(Arc::clone(&self.server))
    }

    fn basis(client: &Connection) -> Basis {
        let info = client.info();
        Basis {
            resumed: info.resumed,
            early: info.early_data == EarlyDataStatus::Accepted,
        }
    }
}

impl Outgoing for Buffer {
    fn reserve(&mut self, capacity: usize) {
        self.space(capacity);
    }

    fn bytes(&self) -> &[u8] {
        self.as_slice()
    }

    fn clear(&mut self) {
        Self::clear(self);
    }
}

impl Peer for Connection {
    type Out = Buffer;

    fn handshake(&mut self, input: &mut Vec<u8>, out: &mut Buffer) -> bool {
        process(self, input, out).complete
    }

    fn send(&mut self, plain: &[u8], out: &mut Buffer) {
        let written = self
            .write(&[plain], out)
            .expect("the handshake is complete");
        assert_eq!(written, plain.len());
    }

    fn receive(&mut self, input: &mut Vec<u8>) -> usize {
        process(self, input, &mut Buffer::new()).received
    }
}

/// What a call brought about.
#[derive(Default)]
struct Outcome {
    complete: bool,
    received: usize,
}

/// Processes all of `input`.
fn process(connection: &mut Connection, input: &mut Vec<u8>, out: &mut Buffer) -> Outcome {
    let mut outcome = Outcome::default();
    let mut rest = input.as_mut_slice();
    loop {
        let progress = connection.process(rest, out).expect("the peer is honest");
        match progress.event {
            Event::NeedInput(_) => break,
            Event::HandshakeComplete => outcome.complete = true,
            Event::AppData(place) | Event::EarlyData(place) => {
                outcome.received += rest[place].len()
            }
            event => panic!("Waxwing: unexpected {event:?}"),
        }
        rest = &mut rest[progress.consumed..];
    }
    input.clear();
    outcome
}
