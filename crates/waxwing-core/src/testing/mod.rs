//! What the unit tests of this crate share: a key, configurations, and a handshake without
//! records.

pub(crate) mod client_auth;
pub(crate) mod hellos;
pub(crate) mod psk;
pub(crate) mod rfc8448;
#[allow(dead_code, unreachable_pub, reason = "it is shared with other crates")]
#[path = "../../../../testing/testkit/src/sessions.rs"]
pub(crate) mod sessions;
pub(crate) mod tls12;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use std::sync::{Mutex, OnceLock};

use waxwing_aws_lc::PROVIDER;
use waxwing_crypto::{CryptoError, Digest, KeyEncoding, SignatureScheme, Signing, SigningKey};

use crate::codec::Writer;
use crate::config::credentials::ClientHelloView;
use crate::connection::event::Answer;
use crate::handshake::schedule13::verify_data;
use crate::handshake::transcript::Transcript;
use crate::handshake::{ChangeCipherSpec, EarlyData, Handshake, Status};
use crate::messages::certificate_verify::{CertificateVerify, server_signed_content};
use crate::messages::{HandshakeType, ProtocolVersion};
use crate::record::joiner::Message;
use crate::record::protect12::Keys12;
use crate::record::{Epoch, EpochKeys, Flight};
use crate::{
    CertChoice, CertResolver, CertifiedKey, ClientConfig, ClientConfigBuilder, Error, KeyLog,
    ServerCertRequest, ServerCertVerifier, ServerConfig, ServerConfigBuilder, ServerName, Verdict,
    Verified,
};

/// The one server key of these tests, P-256, as PKCS#8.
const KEY: &[u8] = include_bytes!("../../../waxwing-crypto/src/vectors/data/p256.pk8.der");

/// Stands for a certificate: this crate never looks inside one.
pub(crate) const CERTIFICATE: &[u8] = b"a certificate";

pub(crate) fn server_key() -> Arc<dyn SigningKey> {
    static LOADED: OnceLock<Arc<dyn SigningKey>> = OnceLock::new();
    let load = || PROVIDER.keys.load(KeyEncoding::Pkcs8, KEY).unwrap();
    Arc::clone(LOADED.get_or_init(load))
}

pub(crate) fn certified_key() -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::new(vec![CERTIFICATE.to_vec()], server_key()))
}

pub(crate) fn verified() -> Verified {
    Verified::holder_of(server_key().public_key().unwrap())
}

/// Accepts any chain as that of the holder of [`server_key`], now or later.
#[derive(Debug)]
pub(crate) enum Trust {
    Now,
    Later,
}

impl ServerCertVerifier for Trust {
    fn verify(&self, _: &ServerCertRequest<'_>) -> Verdict {
        match self {
            Self::Now => Verdict::Accepted(verified()),
            Self::Later => Verdict::Pending,
        }
    }
}

/// A key that signs later.
#[derive(Debug)]
pub(crate) struct SlowKey;

impl SigningKey for SlowKey {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ECDSA_SECP256R1_SHA256]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Signing, CryptoError> {
        Ok(Signing::Pending)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        server_key().public_key()
    }
}

/// A resolver that chooses later.
#[derive(Debug)]
pub(crate) struct SlowChoice;

impl CertResolver for SlowChoice {
    fn resolve(&self, _: &ClientHelloView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

pub(crate) fn client_builder() -> ClientConfigBuilder {
    ClientConfig::builder(&PROVIDER, Arc::new(Trust::Now))
}

pub(crate) fn server_builder() -> ServerConfigBuilder {
    ServerConfig::builder(&PROVIDER, Arc::new(certified_key()))
}

pub(crate) fn name() -> ServerName {
    "server.example".parse().unwrap()
}

/// Keeps every secret.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<Vec<(std::string::String, Vec<u8>)>>);

impl KeyLog for Secrets {
    fn log(&self, label: &str, _: &[u8; 32], secret: &[u8]) {
        let mut log = self.0.lock().unwrap();
        log.push((label.into(), secret.to_vec()));
    }
}

impl Secrets {
    pub(crate) fn find(&self, label: &str) -> Option<Digest> {
        let log = self.0.lock().unwrap();
        let (_, secret) = log.iter().find(|(logged, _)| logged == label)?;
        Digest::from_slice(secret)
    }
}

/// Hands out messages with their epochs, and the secrets: all that QUIC would take.
///
/// In TLS 1.2 what goes out after change_cipher_spec, the Finished, has the application epoch.
pub(crate) struct Levels {
    epoch: Epoch,
    pub(crate) sent: Vec<(Epoch, Vec<u8>)>,
    pub(crate) keys: Vec<EpochKeys>,
    pub(crate) keys12: Option<Keys12>,
    pub(crate) flights: usize,
}

impl Flight for Levels {
    fn message(
        &mut self,
        typ: HandshakeType,
        body: &mut dyn FnMut(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<&[u8], Error> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        writer.u8(typ.0);
        writer.vec24(|writer| body(writer))?;
        self.sent.push((self.epoch, bytes));
        Ok(self.sent.last().map_or(&[], |(_, bytes)| bytes))
    }

    fn change_cipher_spec(&mut self) {}

    fn install_write(&mut self, keys: EpochKeys) -> Result<(), Error> {
        self.epoch = keys.epoch;
        self.keys.push(keys);
        Ok(())
    }

    fn leave_early_data(&mut self, keys: Option<EpochKeys>) -> Result<(), Error> {
        self.epoch = keys.as_ref().map_or(Epoch::Initial, |keys| keys.epoch);
        self.keys.extend(keys);
        Ok(())
    }

    fn limit_records(&mut self, _: usize) {}

    fn change_keys(&mut self, keys: &Keys12) -> Result<(), Error> {
        self.epoch = Epoch::Application;
        self.keys12 = Some(Keys12 {
            suite: keys.suite,
            key: keys.key.clone(),
            iv: keys.iv.clone(),
        });
        Ok(())
    }

    fn end_flight(&mut self) -> Result<(), Error> {
        self.flights += 1;
        Ok(())
    }
}

/// One side of a handshake that is given messages, not records.
pub(crate) struct Side {
    pub(crate) handshake: Handshake,
    pub(crate) flight: Levels,
    pub(crate) status: Status,
    pub(crate) read: Vec<EpochKeys>,
    pub(crate) read12: Option<Box<Keys12>>,
    pub(crate) early_data: EarlyData,
}

impl Side {
    pub(crate) fn client(builder: ClientConfigBuilder) -> Self {
        let mut flight = Levels::new();
        let config = builder.build().unwrap();
        let handshake = Handshake::client(config, name(), &mut flight).unwrap();
        Self::new(handshake, flight)
    }

    pub(crate) fn server(builder: ServerConfigBuilder) -> Self {
        Self::new(Handshake::server(builder.build().unwrap()), Levels::new())
    }

    pub(crate) const fn new(handshake: Handshake, flight: Levels) -> Self {
        Self {
            handshake,
            flight,
            status: Status::Message,
            read: Vec::new(),
            read12: None,
            early_data: EarlyData::None,
        }
    }

    /// Gives it one whole message.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let typ = HandshakeType(bytes[0]);
        let message = Message { typ, bytes };
        let outcome = self.handshake.on_message(message, &mut self.flight)?;
        self.status = outcome.status;
        self.early_data = outcome.early_data;
        self.read.extend(outcome.read);
        Ok(())
    }

    /// Gives it a change_cipher_spec.
    pub(crate) fn take_change_cipher_spec(&mut self) -> Result<(), Error> {
        if let ChangeCipherSpec::Keys(keys) = self.handshake.on_change_cipher_spec()? {
            self.read12 = Some(keys);
        }
        Ok(())
    }

    /// Whether TLS 1.2 is agreed on.
    pub(crate) fn is_tls12(&self) -> bool {
        self.handshake.cx.info.version == Some(ProtocolVersion::TLS12)
    }

    pub(crate) fn answer(&mut self, answer: Answer) -> Result<(), Error> {
        let outcome = self.handshake.answer(answer, &mut self.flight)?;
        self.status = outcome.status;
        self.read.extend(outcome.read);
        Ok(())
    }

    /// The messages since the last call.
    pub(crate) fn sent(&mut self) -> Vec<Vec<u8>> {
        self.flight.sent.drain(..).map(|(_, bytes)| bytes).collect()
    }
}

impl Levels {
    pub(crate) const fn new() -> Self {
        Self {
            epoch: Epoch::Initial,
            sent: Vec::new(),
            keys: Vec::new(),
            keys12: None,
            flights: 0,
        }
    }
}

/// A message with its header.
pub(crate) fn message(typ: HandshakeType, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32).to_be_bytes();
    [&[typ.0, len[1], len[2], len[3]], body].concat()
}

/// A CertificateRequest that asks for a signature on P-256.
pub(crate) fn certificate_request(context: &[u8]) -> Vec<u8> {
    let extensions = [0, 13, 0, 4, 0, 2, 4, 3];
    let body = [&[context.len() as u8], context, &[0, 8], &extensions].concat();
    message(HandshakeType::CERTIFICATE_REQUEST, &body)
}

/// The messages of a server from EncryptedExtensions on, made again over another transcript:
/// `before` are those until ServerHello, and a `request` comes after EncryptedExtensions.
pub(crate) fn with_request(
    before: &[Vec<u8>],
    flight: &[Vec<u8>],
    keys: &EpochKeys,
    request: Vec<u8>,
) -> Vec<Vec<u8>> {
    let [extensions, certificate, ..] = flight else {
        panic!("a whole flight is needed");
    };
    let mut transcript = Transcript::new();
    transcript.start(keys.suite.hash);
    before.iter().for_each(|message| transcript.add(message));
    let mut flight = vec![extensions.clone(), request, certificate.clone()];
    flight.iter().for_each(|message| transcript.add(message));

    let key = server_key();
    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let content = server_signed_content(transcript.current().as_ref());
    let Signing::Done(signature) = key.sign(scheme, &content).unwrap() else {
        panic!("this key signs at once");
    };
    let mut body = Vec::new();
    let signature = signature.as_slice();
    let verify = CertificateVerify { scheme, signature };
    verify.write(&mut Writer::new(&mut body)).unwrap();
    let verify = message(HandshakeType::CERTIFICATE_VERIFY, &body);
    transcript.add(&verify);
    let mac = verify_data(keys.suite.hash, &keys.secret, &transcript.current()).unwrap();
    flight.extend([verify, message(HandshakeType::FINISHED, mac.as_ref())]);
    flight
}
