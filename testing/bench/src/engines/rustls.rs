//! rustls 0.23 with its aws-lc-rs provider, buffered (`std`) API.

use std::io::{BufRead, ErrorKind, Write};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::NoServerSessionStorage;
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConfig,
    ServerConnection, version,
};

use crate::pair::{Engine, Peer};
use crate::pki::{Pki, SERVER_NAME};
use crate::scenario::{Group, Scenario, Suite};

pub(crate) struct Rustls {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    name: ServerName<'static>,
}

fn provider(scenario: Scenario) -> CryptoProvider {
    let suite = match scenario.suite {
        Suite::Aes128 => aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
        Suite::Aes256 => aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384,
        Suite::ChaCha20 => aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    };
    let group = match scenario.group {
        Group::X25519 => aws_lc_rs::kx_group::X25519,
        Group::P256 => aws_lc_rs::kx_group::SECP256R1,
        Group::X25519MlKem768 => aws_lc_rs::kx_group::X25519MLKEM768,
    };
    CryptoProvider {
        cipher_suites: vec![suite],
        kx_groups: vec![group],
        ..aws_lc_rs::default_provider()
    }
}

impl Engine for Rustls {
    const NAME: &'static str = "rustls";

    type Out = Vec<u8>;
    type Client = ClientConnection;
    type Server = ServerConnection;

    fn new(pki: &Pki, scenario: Scenario) -> Option<Self> {
        let provider = Arc::new(provider(scenario));
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(pki.root.clone()))
            .expect("the root is a trust anchor");
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&version::TLS13])
            .expect("TLS 1.3 is there")
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = rustls::client::Resumption::disabled();

        let chain = [&pki.leaf, &pki.intermediate].map(|der| CertificateDer::from(der.clone()));
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pki.key.clone()));
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])
            .expect("TLS 1.3 is there")
            .with_no_client_auth()
            .with_single_cert(chain.to_vec(), key)
            .expect("the key belongs to the leaf");
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;

        Some(Self {
            client: Arc::new(client),
            server: Arc::new(server),
            name: ServerName::try_from(SERVER_NAME).expect("a DNS name"),
        })
    }

    fn client(&self, out: &mut Vec<u8>) -> ClientConnection {
        let mut client = ClientConnection::new(Arc::clone(&self.client), self.name.clone())
            .expect("the configuration is usable");
        write_all(&mut client, out);
        client
    }

    fn server(&self) -> ServerConnection {
        ServerConnection::new(Arc::clone(&self.server)).expect("the configuration is usable")
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
        handshake(self, input, out)
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
