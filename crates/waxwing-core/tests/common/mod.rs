//! Two engines and what lies between them. No sockets, no certificates: the verifier here
//! trusts one key.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod client_auth;

use std::sync::{Arc, OnceLock};

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    Buffer, CertifiedKey, ClientConfig, ClientConfigBuilder, Connection, Error, Event,
    ServerCertRequest, ServerCertVerifier, ServerConfig, ServerConfigBuilder, ServerName, Verdict,
    Verified,
};
use waxwing_crypto::{KeyEncoding, SigningKey};

/// The one server key of these tests, P-256, as PKCS#8.
const KEY: &[u8] = include_bytes!("../../../waxwing-crypto/src/vectors/data/p256.pk8.der");

pub(crate) fn server_key() -> Arc<dyn SigningKey> {
    static LOADED: OnceLock<Arc<dyn SigningKey>> = OnceLock::new();
    let load = || PROVIDER.keys.load(KeyEncoding::Pkcs8, KEY).unwrap();
    Arc::clone(LOADED.get_or_init(load))
}

/// Stands for a certificate: these engines do not look inside.
pub(crate) const CERTIFICATE: &[u8] = b"a certificate";

pub(crate) fn certified_key() -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::new(vec![CERTIFICATE.to_vec()], server_key()))
}

/// What verifiers want known of the peers that they accept.
pub(crate) const NOTE: &str = "a note";

/// Accepts [`CERTIFICATE`] for any name.
#[derive(Debug)]
pub(crate) struct TrustOne;

impl ServerCertVerifier for TrustOne {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        assert_eq!(request.chain, [CERTIFICATE]);
        let verified = Verified::holder_of(server_key().public_key().unwrap());
        Verdict::Accepted(verified.with_note(Arc::new(NOTE)))
    }
}

pub(crate) fn client_builder() -> ClientConfigBuilder {
    ClientConfig::builder(&PROVIDER, Arc::new(TrustOne))
}

pub(crate) fn server_builder() -> ServerConfigBuilder {
    ServerConfig::builder(&PROVIDER, Arc::new(certified_key()))
}

pub(crate) fn name() -> ServerName {
    "server.example".parse().unwrap()
}

/// Whether the verifier's note of an accepted peer is known at this end.
pub(crate) fn has_note(end: &End) -> bool {
    let note = end.connection.info().peer_note.as_ref();
    note.is_some_and(|note| note.downcast_ref() == Some(&NOTE))
}

/// One end: an engine, what waits to be processed, and what came out.
pub(crate) struct End {
    pub(crate) connection: Connection,
    pub(crate) input: Vec<u8>,
    pub(crate) out: Buffer,
    pub(crate) received: Vec<u8>,
    pub(crate) events: Vec<Event>,
    /// How many pieces of what was received came early.
    pub(crate) early: usize,
}

impl End {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            input: Vec::new(),
            out: Buffer::new(),
            received: Vec::new(),
            events: Vec::new(),
            early: 0,
        }
    }

    /// Processes all input there is. Data goes to `received`, everything else to `events`;
    /// hints for more input are dropped.
    pub(crate) fn run(&mut self) -> Result<(), Error> {
        loop {
            let progress = self.connection.process(&mut self.input, &mut self.out)?;
            if let Event::AppData(range) | Event::EarlyData(range) = &progress.event {
                self.received.extend_from_slice(&self.input[range.clone()]);
            }
            self.input.drain(..progress.consumed);
            match progress.event {
                Event::NeedInput(hint) => {
                    assert!(hint > 0);
                    return Ok(());
                }
                Event::AppData(_) => {}
                Event::EarlyData(_) => self.early += 1,
                event @ (Event::Wait(_) | Event::PeerClosed) => {
                    self.events.push(event);
                    return Ok(());
                }
                event => self.events.push(event),
            }
        }
    }

    pub(crate) fn write(&mut self, data: &[u8]) {
        assert_eq!(
            self.connection.write(&[data], &mut self.out),
            Ok(data.len())
        );
    }
}

/// Two ends with a wire between them.
pub(crate) struct Pair {
    pub(crate) client: End,
    pub(crate) server: End,
}

impl Pair {
    pub(crate) fn new(client: ClientConfigBuilder, server: ServerConfigBuilder) -> Self {
        let mut out = Buffer::new();
        let connection = Connection::client(client.build().unwrap(), name(), &mut out).unwrap();
        let mut client = End::new(connection);
        client.out = out;
        let server = End::new(Connection::server(server.build().unwrap()));
        Self { client, server }
    }

    /// An established pair with default configurations.
    pub(crate) fn established() -> Self {
        let mut pair = Self::new(client_builder(), server_builder());
        pair.settle().unwrap();
        assert!(!pair.client.connection.is_handshaking());
        assert!(!pair.server.connection.is_handshaking());
        pair
    }

    /// Carries bytes both ways until neither side has anything to send.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        while !self.client.out.is_empty() || !self.server.out.is_empty() {
            carry(&mut self.client, &mut self.server);
            self.server.run()?;
            carry(&mut self.server, &mut self.client);
            self.client.run()?;
        }
        Ok(())
    }
}

/// Moves what `from` has to send into what `to` has to process.
pub(crate) fn carry(from: &mut End, to: &mut End) {
    to.input.extend_from_slice(from.out.as_slice());
    from.out.clear();
}
