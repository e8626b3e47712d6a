//! rustls 0.23 with its aws-lc-rs provider, buffered (`std`) API.

use std::io::{self, BufRead, ErrorKind, Write};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, HandshakeKind, RootCertStore, ServerConfig,
    ServerConnection, SupportedCipherSuite, SupportedProtocolVersion, version,
};

use crate::pair::{Basis, Engine, Peer};
use crate::pki::{Pki, SERVER_NAME};
use crate::scenario::{Auth, EARLY, Group, Kind, MAX_EARLY, Scenario, Suite, Version};

pub(crate) struct Rustls {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    name: ServerName<'static>,
}

fn suite(scenario: Scenario) -> SupportedCipherSuite {
    use aws_lc_rs::cipher_suite as suites;
    let rsa = scenario.auth == Auth::Rsa2048;
    match (scenario.version, scenario.suite) {
        (Version::Tls13, Suite::Aes128) => suites::TLS13_AES_128_GCM_SHA256,
        (Version::Tls13, Suite::Aes256) => suites::TLS13_AES_256_GCM_SHA384,
        (Version::Tls13, Suite::ChaCha20) => suites::TLS13_CHACHA20_POLY1305_SHA256,
        (Version::Tls12, _) if rsa => suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        (Version::Tls12, _) => suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    }
}

fn provider(scenario: Scenario) -> Arc<CryptoProvider> {
    let group = |group| match group {
        Group::X25519 => aws_lc_rs::kx_group::X25519,
        Group::P256 => aws_lc_rs::kx_group::SECP256R1,
        Group::X25519MlKem768 => aws_lc_rs::kx_group::X25519MLKEM768,
    };
    Arc::new(CryptoProvider {
        cipher_suites: vec![suite(scenario)],
        kx_groups: scenario.groups().into_iter().map(group).collect(),
        ..aws_lc_rs::default_provider()
    })
}

fn only_version(scenario: Scenario) -> [&'static SupportedProtocolVersion; 1] {
    match scenario.version {
        Version::Tls13 => [&version::TLS13],
        Version::Tls12 => [&version::TLS12],
    }
}

fn roots(pki: &Pki) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from(pki.root.clone());
    roots.add(root).expect("the root is a trust anchor");
    Arc::new(roots)
}

fn certified(pki: &Pki) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = [&pki.leaf, &pki.intermediate].map(|der| CertificateDer::from(der.clone()));
    let key = PrivatePkcs8KeyDer::from(pki.key.clone());
    (chain.to_vec(), PrivateKeyDer::from(key))
}

fn client_config(pki: &Pki, scenario: Scenario) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(provider(scenario))
        .with_protocol_versions(&only_version(scenario))
        .expect("the version is there")
        .with_root_certificates(roots(pki));
    let (chain, key) = certified(pki);
    let mut client = match scenario.kind.is_mutual() {
        true => builder
            .with_client_auth_cert(chain, key)
            .expect("the key belongs to the leaf"),
        false => builder.with_no_client_auth(),
    };
    client.resumption = match scenario.kind.resumes() {
        true => Resumption::in_memory_sessions(32),
        false => Resumption::disabled(),
    };
    client.enable_early_data = scenario.kind == Kind::EarlyData;
    client
}

pub(crate) fn server_config(pki: &Pki, scenario: Scenario) -> ServerConfig {
    let provider = provider(scenario);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&only_version(scenario))
        .expect("the version is there");
    let builder = match scenario.kind.is_mutual() {
        true => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots(pki), provider)
                .clear_root_hint_subjects()
                .build();
            builder.with_client_cert_verifier(verifier.expect("there is a root"))
        }
        false => builder.with_no_client_auth(),
    };
    let (chain, key) = certified(pki);
    let mut server = builder
        .with_single_cert(chain, key)
        .expect("the key belongs to the leaf");
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = usize::from(scenario.kind.resumes());
    match scenario.kind {
        Kind::Resumed => server.ticketer = aws_lc_rs::Ticketer::new().expect("a ticket key"),
        // It takes early data only with sessions that it keeps itself, so that each serves once.
        Kind::EarlyData => {
            server.session_storage = ServerSessionMemoryCache::new(256);
            server.max_early_data_size = MAX_EARLY;
        }
        _ => {}
    }
    server
}

impl Engine for Rustls {
    const NAME: &'static str = "rustls";

    type Out = Vec<u8>;
    type Client = ClientConnection;
    type Server = ServerConnection;

    fn new(pki: &Pki, scenario: Scenario) -> Option<Self> {
        Some(Self {
            client: Arc::new(client_config(pki, scenario)),
            server: Arc::new(server_config(pki, scenario)),
            name: ServerName::try_from(SERVER_NAME).expect("a DNS name"),
        })
    }

    fn client(&self, out: &mut Vec<u8>) -> ClientConnection {
        let mut client = ClientConnection::new(Arc::clone(&self.client), self.name.clone())
            .expect("the configuration is usable");
        if let Some(mut early) = client.early_data() {
            early.write_all(&EARLY).expect("there is room");
        }
        write_all(&mut client, out);
        client
    }

    fn server(&self) -> ServerConnection {
        ServerConnection::new(Arc::clone(&self.server)).expect("the configuration is usable")
    }

    fn basis(client: &ClientConnection) -> Basis {
        Basis {
            resumed: client.handshake_kind() == Some(HandshakeKind::Resumed),
            early: client.is_early_data_accepted(),
        }
    }
}

impl Peer for ClientConnection {
    type Out = Vec<u8>;

    fn handshake(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
        handshake(self, input, out)
    }

    fn send(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        send(self, plain, out);
    }

    fn receive(&mut self, input: &mut Vec<u8>) -> usize {
        receive(self, input)
    }
}

impl Peer for ServerConnection {
    type Out = Vec<u8>;

    fn handshake(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
        let complete = handshake(self, input, out);
        if let Some(mut early) = self.early_data() {
            let read = io::copy(&mut early, &mut io::sink()).expect("it is in memory");
            assert!(read == 0 || read == EARLY.len() as u64);
        }
        complete
    }

    fn send(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        send(self, plain, out);
    }

    fn receive(&mut self, input: &mut Vec<u8>) -> usize {
        receive(self, input)
    }
}

fn write_all<D>(peer: &mut ConnectionCommon<D>, out: &mut Vec<u8>) {
    while peer.wants_write() {
        peer.write_tls(out).expect("a vector takes all bytes");
    }
}

fn handshake<D>(peer: &mut ConnectionCommon<D>, input: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
    let mut rest = input.as_slice();
    while !rest.is_empty() {
        peer.read_tls(&mut rest).expect("there is room");
        peer.process_new_packets().expect("the peer is honest");
    }
    input.clear();
    write_all(peer, out);
    !peer.is_handshaking()
}

fn send<D>(peer: &mut ConnectionCommon<D>, plain: &[u8], out: &mut Vec<u8>) {
    peer.writer().write_all(plain).expect("there is room");
    write_all(peer, out);
}

fn receive<D>(peer: &mut ConnectionCommon<D>, input: &mut Vec<u8>) -> usize {
    let mut received = 0;
    let mut rest = input.as_slice();
    while !rest.is_empty() {
        peer.read_tls(&mut rest).expect("there is room");
        peer.process_new_packets().expect("the peer is honest");
        let mut reader = peer.reader();
        loop {
            let len = match reader.fill_buf() {
                Ok(chunk) => chunk.len(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("rustls: {error}"),
            };
            reader.consume(len);
            received += len;
        }
    }
    input.clear();
    received
}
