//! The server after ClientHello, in TLS 1.3 (RFC 9846, Section 2).
//!
//! ```text
//!   AwaitChoice        the certificate, only if the resolver answers later
//!                      -> ServerHello, EncryptedExtensions, CertificateRequest (if
//!                         configured), Certificate
//!   AwaitSignature     only if the key answers later
//!                      -> CertificateVerify, Finished
//!   finish13           the client's last flight
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{
    CryptoError, CryptoProvider, KxGroup, NamedGroup, SharedSecret, SignatureScheme, Signing,
    Suite13,
};

use super::super::auth::pick_scheme;
use super::super::record_limits::{self, Wish};
use super::super::schedule13::{HandshakeSecrets, verify_data};
use super::super::{SessionId, StepOutcome};
use super::Env;
use super::certificate::TypeOffers;
use super::finish13::{
    AwaitCertificate, AwaitCertificateVerify, AwaitFinished, AwaitVerdict, Confirmation,
};
use super::request13::OwnRequest;
use crate::config::credentials::{CertChoice, CertifiedKey, ClientHelloView, Settled};
use crate::connection::event::{Question, Wait};
use crate::connection::info::Exporter;
use crate::messages::certificate::{Certificate, Wanted};
use crate::messages::certificate_verify::{CertificateVerify, server_signed_content};
use crate::messages::client_hello::ClientHello;
use crate::messages::encrypted_extensions::EncryptedExtensions;
use crate::messages::extensions::ExtensionSet;
use crate::messages::extensions::key_share::KeyShareEntry;
use crate::messages::finished::Finished;
use crate::messages::server_hello::{ServerHello, ServerHelloExtensions};
use crate::messages::{CertificateCompressionAlgorithm, HandshakeType, ProtocolVersion};
use crate::record::joiner::Message;
use crate::{Error, Incompatible, PeerError};

/// Where the server stands, in the order of the protocol.
pub(super) enum Step {
    Choice(Box<AwaitChoice>),
    Signature(Box<AwaitSignature>),
    Certificate(Box<AwaitCertificate>),
    Verdict(Box<AwaitVerdict>),
    CertificateVerify(Box<AwaitCertificateVerify>),
    Finished(Box<AwaitFinished>),
}

pub(super) type Outcome = StepOutcome<super::Step>;

impl Step {
    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        match self {
            Self::Choice(_) | Self::Signature(_) | Self::Verdict(_) => false,
            Self::Certificate(step) => step.expects(typ),
            Self::CertificateVerify(_) => typ == HandshakeType::CERTIFICATE_VERIFY,
            Self::Finished(_) => typ == HandshakeType::FINISHED,
        }
    }

    pub(super) fn on_message(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        match self {
            Self::Certificate(step) => step.on_certificate(message, env),
            Self::CertificateVerify(step) => step.on_certificate_verify(message, env),
            Self::Finished(step) => step.on_finished(message, env),
            Self::Choice(_) | Self::Signature(_) | Self::Verdict(_) => {
                Err(PeerError::UnexpectedMessage.into())
            }
        }
    }

    pub(super) fn question(&self) -> Option<Question<'_>> {
        match self {
            Self::Choice(step) => {
                // It was read before, so it can be read again.
                let hello = ClientHello::read(&step.hello).ok()?;
                Some(Question::Certificate(ClientHelloView::new(
                    hello,
                    &step.hello,
                    Settled::Tls13,
                )))
            }
            Self::Signature(step) => Some(Question::Signature {
                key: &step.key,
                scheme: step.scheme,
                message: &step.message,
            }),
            Self::Verdict(step) => Some(step.question()),
            Self::Certificate(_) | Self::CertificateVerify(_) | Self::Finished(_) => None,
        }
    }

    pub(super) const fn next(self) -> Outcome {
        StepOutcome::step(super::Step::Tls13(self))
    }

    pub(super) const fn wait(self, wait: Wait) -> Outcome {
        StepOutcome::wait(super::Step::Tls13(self), wait)
    }
}

/// Our half of the key exchange, and what came out.
pub(super) struct Exchange {
    group: NamedGroup,
    public: Vec<u8>,
    shared: SharedSecret,
}

impl Exchange {
    pub(super) fn respond(
        group: &'static dyn KxGroup,
        share: &[u8],
        provider: &CryptoProvider,
    ) -> Result<Self, Error> {
        let (public, shared) =
            group
                .respond(provider.random, share)
                .map_err(|error| match error {
                    CryptoError::InvalidPublicValue => Error::from(PeerError::BadKeyShare),
                    other => other.into(),
                })?;
        Ok(Self {
            group: group.name(),
            public,
            shared,
        })
    }
}

/// What was agreed from the hello alone.
pub(super) struct Agreed {
    pub(super) suite: &'static Suite13,
    pub(super) exchange: Exchange,
    pub(super) session_id: SessionId,
    /// What the client can check.
    pub(super) schemes: Vec<SignatureScheme>,
    /// What the client wants beside the certificates.
    pub(super) wanted: Wanted,
    /// The ways of compressing certificates that the client can undo.
    pub(super) compression: Vec<CertificateCompressionAlgorithm>,
    /// Whether the client named a server, which the chosen certificate acknowledges.
    pub(super) acknowledge_name: bool,
    pub(super) types: TypeOffers,
    /// What the client says about the length of records.
    pub(super) wish: Wish,
    /// Whether a change_cipher_spec has yet to go out for the sake of middleboxes.
    pub(super) change_cipher_spec: bool,
}

impl Agreed {
    pub(super) fn choose_certificate(
        self,
        view: &ClientHelloView<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        match env.config.certificates.resolve(view) {
            CertChoice::Use(key) => self.answer_hello(key, env),
            CertChoice::None => Err(Incompatible::NoCertificate.into()),
            CertChoice::Pending => {
                let step = AwaitChoice {
                    agreed: self,
                    hello: view.as_bytes().into(),
                };
                Ok(Step::Choice(Box::new(step)).wait(Wait::Certificate))
            }
        }
    }

    /// Sends ServerHello to Certificate, then signs.
    fn answer_hello(self, key: Arc<CertifiedKey>, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let types = self.types.settle(&key, env)?;
        let scheme = pick_scheme(key.key().schemes(), |scheme| self.schemes.contains(&scheme))
            .ok_or(Incompatible::SignatureScheme)?;
        self.send_server_hello(env)?;
        let transcript = env.cx.transcript.current();
        let secrets =
            HandshakeSecrets::new(self.suite, None, Some(&self.exchange.shared), &transcript)?;
        env.cx.log_traffic(&secrets.traffic);
        env.cx.info.signature_scheme = Some(scheme);
        if self.change_cipher_spec {
            env.flight.change_cipher_spec();
        }
        env.cx
            .install_write(env.flight, secrets.traffic.server_keys())?;
        let read = secrets.traffic.client_keys();

        let version = ProtocolVersion::TLS13;
        let limits = record_limits::answer(self.wish, &env.config.common, version);
        record_limits::apply(self.wish, limits, version, env.cx, env.flight)?;
        let alpn = env.cx.info.alpn.clone();
        let extensions = EncryptedExtensions {
            alpn: alpn.as_deref(),
            server_name: self.acknowledge_name,
            max_fragment_length: limits.max_fragment_length,
            record_size_limit: limits.record_size_limit,
            server_certificate_type: types.server,
            client_certificate_type: types.client,
            ..EncryptedExtensions::default()
        };
        env.cx
            .send(env.flight, HandshakeType::ENCRYPTED_EXTENSIONS, &mut |w| {
                extensions.write(w)
            })?;
        let requested = request_certificate(env)?;
        self.send_certificate(&key, env)?;
        let flight = Flight { secrets, requested };
        flight
            .sign(key, scheme, env)
            .map(|outcome| outcome.read_with(read))
    }

    /// Sends our certificates, compressed if the client can undo it (RFC 8879).
    fn send_certificate(&self, key: &CertifiedKey, env: &mut Env<'_>) -> Result<(), Error> {
        let known = |algorithm| self.compression.contains(&algorithm);
        let stapled = key.stapled(self.wanted);
        if let Some(message) = key.compressed(stapled, known) {
            let typ = HandshakeType::COMPRESSED_CERTIFICATE;
            return env.cx.send(env.flight, typ, &mut |w| message.write(w));
        }
        env.cx
            .send(env.flight, HandshakeType::CERTIFICATE, &mut |w| {
                Certificate::write(w, &[], key.chain(), stapled)
            })
    }

    fn send_server_hello(&self, env: &mut Env<'_>) -> Result<(), Error> {
        let mut random = [0; 32];
        env.config.common.provider.random.fill(&mut random)?;
        let hello = ServerHello {
            legacy_version: ProtocolVersion::TLS12,
            random: &random,
            session_id: self.session_id.as_ref(),
            cipher_suite: self.suite.id,
            compression_method: 0,
            extensions: ServerHelloExtensions {
                selected_version: Some(ProtocolVersion::TLS13),
                key_share: Some(KeyShareEntry {
                    group: self.exchange.group,
                    key_exchange: &self.exchange.public,
                }),
                ..ServerHelloExtensions::default()
            },
            block: &[],
        };
        env.cx
            .send(env.flight, HandshakeType::SERVER_HELLO, &mut |w| {
                hello.write(w)
            })
    }
}

/// The certificate will be chosen later.
pub(super) struct AwaitChoice {
    agreed: Agreed,
    /// The ClientHello's body, for whoever chooses.
    hello: Box<[u8]>,
}

impl AwaitChoice {
    pub(super) fn on_choice(
        self,
        choice: Option<Arc<CertifiedKey>>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        self.agreed
            .answer_hello(choice.ok_or(Incompatible::NoCertificate)?, env)
    }
}

/// Asks for the client's certificate, if the configuration says so: the extensions that were
/// offered for it (RFC 9846, Section 4.4.2).
fn request_certificate(env: &mut Env<'_>) -> Result<Option<ExtensionSet>, Error> {
    let Some(auth) = &env.config.client_auth else {
        return Ok(None);
    };
    let request = OwnRequest::new(&env.config.common, auth)?;
    let request = request.with_context(&[])?;
    env.cx
        .send(env.flight, HandshakeType::CERTIFICATE_REQUEST, &mut |w| {
            request.write(w)
        })?;
    Ok(Some(request.offered()))
}

/// Our flight up to Certificate is out.
struct Flight {
    secrets: HandshakeSecrets,
    /// What the client's Certificate may contain, if we asked for one.
    requested: Option<ExtensionSet>,
}

impl Flight {
    /// Asks the key for the signature of CertificateVerify.
    fn sign(
        self,
        key: Arc<CertifiedKey>,
        scheme: SignatureScheme,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let message = server_signed_content(env.cx.transcript.current().as_ref());
        match key.key().sign(scheme, &message)? {
            Signing::Done(signature) => self.finish(scheme, &signature, env),
            Signing::Pending => {
                let step = AwaitSignature {
                    flight: self,
                    key,
                    scheme,
                    message,
                };
                Ok(Step::Signature(Box::new(step)).wait(Wait::Signature))
            }
        }
    }

    /// Sends CertificateVerify and Finished; from here on we may send application data.
    fn finish(
        self,
        scheme: SignatureScheme,
        signature: &[u8],
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Self { secrets, requested } = self;
        env.cx
            .send(env.flight, HandshakeType::CERTIFICATE_VERIFY, &mut |w| {
                CertificateVerify { scheme, signature }.write(w)
            })?;
        let hash = secrets.hash();
        let ours = verify_data(hash, &secrets.traffic.server, &env.cx.transcript.current())?;
        env.cx.send(env.flight, HandshakeType::FINISHED, &mut |w| {
            Finished {
                verify_data: ours.as_ref(),
            }
            .write(w)
        })?;
        let application = secrets.application(&env.cx.transcript.current())?;
        env.cx
            .install_write(env.flight, application.traffic.server_keys())?;
        env.flight.end_flight()?;
        env.cx.log_application(&application);
        let confirmation = Confirmation {
            hash,
            base: secrets.traffic.client,
            client_keys: application.traffic.client_keys(),
            exporter: Exporter::tls13(hash, application.exporter),
        };
        Ok(confirmation.expect(requested))
    }
}

/// The key will sign later.
pub(super) struct AwaitSignature {
    flight: Flight,
    key: Arc<CertifiedKey>,
    scheme: SignatureScheme,
    message: Vec<u8>,
}

impl AwaitSignature {
    pub(super) fn on_signature(
        self,
        signature: &[u8],
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        self.flight.finish(self.scheme, signature, env)
    }
}
