//! Waxwing's core with its aws-lc-rs provider and its webpki verifier.

use std::sync::Arc;

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    Buffer, CertifiedKey, ClientConfig, Connection, Event, ServerConfig, ServerName,
};
use waxwing_crypto::{CipherSuite, KeyEncoding, NamedGroup};
use waxwing_pki::{TrustAnchors, Verifier};

use crate::engines::WAXWING;
use crate::pair::{Engine, Outgoing, Peer};
use crate::pki::{Pki, SERVER_NAME};
use crate::scenario::{Group, Scenario, Suite};

pub(crate) struct Waxwing {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    name: ServerName,
}

impl Engine for Waxwing {
    const NAME: &'static str = WAXWING;

    type Out = Buffer;
    type Client = Connection;
    type Server = Connection;

    fn new(pki: &Pki, scenario: Scenario) -> Option<Self> {
        let suite = match scenario.suite {
            Suite::Aes128 => CipherSuite::TLS13_AES_128_GCM_SHA256,
            Suite::Aes256 => CipherSuite::TLS13_AES_256_GCM_SHA384,
            Suite::ChaCha20 => CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        };
        let group = match scenario.group {
            Group::X25519 => NamedGroup::X25519,
            Group::P256 => NamedGroup::SECP256R1,
            Group::X25519MlKem768 => NamedGroup::X25519_MLKEM768,
        };
        let anchors = TrustAnchors::from_pem_or_der(&pki.root).expect("the root is an anchor");
        // Every handshake is with a stranger.
        let verifier = Verifier::new(&PROVIDER, anchors).verdict_cache(0);
        let client = ClientConfig::builder(&PROVIDER, Arc::new(verifier))
            .cipher_suites([suite])
            .groups([group])
            .build()
            .expect("the provider has what is measured");

        let key = PROVIDER.keys.load(KeyEncoding::Pkcs8, &pki.key);
        let chain = vec![pki.leaf.clone(), pki.intermediate.clone()];
        let certified = CertifiedKey::new(chain, key.expect("the key is PKCS #8"));
        let server = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(certified)))
            .cipher_suites([suite])
            .groups([group])
            .build()
            .expect("the provider has what is measured");

        Some(Self {
            client,
            server,
            name: SERVER_NAME.parse().expect("a DNS name"),
        })
    }

    fn client(&self, out: &mut Buffer) -> Connection {
        Connection::client(Arc::clone(&self.client), self.name.clone(), out)
            .expect("the configuration is usable")
    }

    fn server(&self) -> Connection {
        Connection::server(Arc::clone(&self.server))
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
            Event::AppData(place) => outcome.received += rest[place].len(),
            event => panic!("Waxwing: unexpected {event:?}"),
        }
        rest = &mut rest[progress.consumed..];
    }
    input.clear();
    outcome
}
