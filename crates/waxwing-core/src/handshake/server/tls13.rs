//! The server after ClientHello, in TLS 1.3 (RFC 9846, Section 2).
//!
//! ```text
//!   AwaitLookup        the session or key that the client means, only if whoever knows answers
//!                      later
//!   AwaitChoice        the certificate, only if the resolver answers later
//!                      -> ServerHello, EncryptedExtensions, CertificateRequest (if
//!                         configured), Certificate; of these the first two where a PSK says who
//!                         we are
//!   AwaitSignature     only if the key answers later
//!                      -> CertificateVerify, Finished
//!   finish13           the client's last flight
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{
    CryptoError, KxGroup, NamedGroup, SecureRandom, SharedSecret, SignatureScheme, Signing, Suite13,
};

use super::super::auth::pick_scheme;
use super::super::record_limits::{self, Wish};
use super::super::schedule13::{HandshakeSecrets, verify_data};
use super::super::{MaySend, SessionId, StepOutcome};
use super::Env;
use super::certificate::{TypeAnswers, TypeOffers};
use super::finish13::{
    AwaitCertificate, AwaitCertificateVerify, AwaitEndOfEarlyData, AwaitFinished, AwaitVerdict,
    Confirmation,
};
use super::hello::AwaitClientHello;
use super::psk13::{ChosenPsk, Pending, PskSource, Stage};
use super::request13::OwnRequest;
use super::resumption;
use super::tickets13::{Issue, TicketCount};
use crate::config::credentials::{CertChoice, CertifiedKey, ClientHelloView, Settled};
use crate::connection::event::{Answer, Question, Wait};
use crate::connection::info::Exporter;
use crate::error::Misuse;
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
use crate::record::{Epoch, EpochKeys};
use crate::session::UnixMillis;
use crate::{Error, Incompatible, PeerError};

/// Where the server stands, in the order of the protocol.
pub(super) enum Step {
    Lookup(Box<AwaitLookup>),
    Choice(Box<AwaitChoice>),
    Signature(Box<AwaitSignature>),
    Certificate(Box<AwaitCertificate>),
    Verdict(Box<AwaitVerdict>),
    CertificateVerify(Box<AwaitCertificateVerify>),
    EndOfEarlyData(Box<AwaitEndOfEarlyData>),
    Finished(Box<AwaitFinished>),
}

pub(super) type Outcome = StepOutcome<super::Step>;

impl Step {
    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        match self {
            Self::Lookup(_) | Self::Choice(_) | Self::Signature(_) | Self::Verdict(_) => false,
            Self::EndOfEarlyData(_) => typ == HandshakeType::END_OF_EARLY_DATA,
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
            Self::EndOfEarlyData(step) => step.on_end_of_early_data(message, env),
            Self::Finished(step) => step.on_finished(message, env),
            Self::Lookup(_) | Self::Choice(_) | Self::Signature(_) | Self::Verdict(_) => {
                Err(PeerError::UnexpectedMessage.into())
            }
        }
    }

    pub(super) fn question(&self) -> Option<Question<'_>> {
        match self {
            Self::Lookup(step) => Some(step.pending.question()),
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
            Self::Certificate(_)
            | Self::CertificateVerify(_)
            | Self::EndOfEarlyData(_)
            | Self::Finished(_) => None,
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
        random: &dyn SecureRandom,
    ) -> Result<Self, Error> {
        let (public, shared) = group.respond(random, share).map_err(|error| match error {
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
    /// `None` where a PSK does without.
    pub(super) exchange: Option<Exchange>,
    pub(super) psk: Option<ChosenPsk>,
    pub(super) tickets: TicketCount,
    pub(super) session_id: SessionId,
    /// The ServerHello's.
    pub(super) random: [u8; 32],
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
            CertChoice::Use(key) => self.answer_hello(Some(key), env),
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

    /// Sends ServerHello to Certificate, then signs; without a certificate it is the PSK that says
    /// who we are.
    pub(super) fn answer_hello(
        self,
        key: Option<Arc<CertifiedKey>>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let own = match key {
            Some(key) => Some(Own::new(key, &self, env)?),
            None => None,
        };
        let early_data = self.adopt_psk(env)?;
        self.send_server_hello(env)?;
        let transcript = env.cx.transcript.current();
        let early = self.psk.as_ref().map(|psk| &psk.early);
        let shared = self.exchange.as_ref().map(|exchange| &exchange.shared);
        let secrets = HandshakeSecrets::new(self.suite, early, shared, &transcript)?;
        env.cx.log_traffic(&secrets.traffic);
        if self.change_cipher_spec {
            env.flight.change_cipher_spec();
        }
        env.cx
            .install_write(env.flight, secrets.traffic.server_keys())?;
        let client_keys = secrets.traffic.client_keys();
        let (read, after_early_data) = match early_data {
            Some(keys) => (keys, Some(client_keys)),
            None => (client_keys, None),
        };
        self.send_encrypted_extensions(own.as_ref(), after_early_data.is_some(), env)?;
        let requested = match &own {
            Some(_) => request_certificate(env)?,
            None => None,
        };
        let flight = Flight {
            secrets,
            requested,
            tickets: self.tickets.count,
            authenticated_at: self.authenticated_at(),
            after_early_data,
        };
        let outcome = match own {
            Some(own) => {
                self.send_certificate(&own.key, env)?;
                flight.sign(own.key, own.scheme, env)
            }
            None => flight.finish(env),
        };
        outcome.map(|outcome| outcome.read_with(read))
    }

    /// Takes over what the PSK stands for. Gives the keys of early data, if it is accepted.
    fn adopt_psk(&self, env: &mut Env<'_>) -> Result<Option<EpochKeys>, Error> {
        let Some(psk) = &self.psk else {
            return Ok(None);
        };
        match &psk.source {
            PskSource::Session(session, verified) => {
                resumption::adopt(session, verified.as_ref(), env);
            }
            PskSource::External(identity) => {
                env.cx.info.psk_identity = Some(identity.clone());
            }
        }
        let (true, Some(config)) = (psk.early_data, &env.config.early_data) else {
            return Ok(None);
        };
        let hello = env.cx.transcript.current();
        let secret = psk.early.traffic(&hello)?;
        let exporter = psk.early.exporter(&hello)?;
        env.cx.log_early(&secret, &exporter);
        env.cx.info.early_exporter = Some(Box::new(Exporter::tls13(self.suite.hash, exporter)));
        env.cx.early_data_left = Some(config.max);
        Ok(Some(EpochKeys {
            epoch: Epoch::Early,
            suite: self.suite,
            secret,
        }))
    }

    /// When the peers proved who they are, if the PSK goes back to that.
    const fn authenticated_at(&self) -> Option<UnixMillis> {
        match &self.psk {
            Some(ChosenPsk {
                source: PskSource::Session(session, _),
                ..
            }) => Some(session.authenticated_at),
            _ => None,
        }
    }

    fn send_encrypted_extensions(
        &self,
        own: Option<&Own>,
        early_data: bool,
        env: &mut Env<'_>,
    ) -> Result<(), Error> {
        let version = ProtocolVersion::TLS13;
        let limits = record_limits::answer(self.wish, &env.config.common, version);
        record_limits::apply(self.wish, limits, version, env.cx, env.flight)?;
        let alpn = env.cx.info.alpn.clone();
        let extensions = EncryptedExtensions {
            alpn: alpn.as_deref(),
            // RFC 6066, Section 3: not where a session is resumed, which has its name.
            server_name: self.acknowledge_name && own.is_some(),
            early_data,
            ticket_count: self.tickets.expected,
            max_fragment_length: limits.max_fragment_length,
            record_size_limit: limits.record_size_limit,
            server_certificate_type: own.and_then(|own| own.types.server),
            client_certificate_type: own.and_then(|own| own.types.client),
        };
        env.cx
            .send(env.flight, HandshakeType::ENCRYPTED_EXTENSIONS, &mut |w| {
                extensions.write(w)
            })
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
        let hello = ServerHello {
            legacy_version: ProtocolVersion::TLS12,
            random: &self.random,
            session_id: self.session_id.as_ref(),
            cipher_suite: self.suite.id,
            compression_method: 0,
            extensions: ServerHelloExtensions {
                selected_version: Some(ProtocolVersion::TLS13),
                key_share: self.exchange.as_ref().map(|exchange| KeyShareEntry {
                    group: exchange.group,
                    key_exchange: &exchange.public,
                }),
                pre_shared_key: self.psk.as_ref().map(|psk| psk.index),
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

/// Our certificate, and what was agreed on it.
struct Own {
    key: Arc<CertifiedKey>,
    types: TypeAnswers,
    scheme: SignatureScheme,
}

impl Own {
    fn new(key: Arc<CertifiedKey>, agreed: &Agreed, env: &mut Env<'_>) -> Result<Self, Error> {
        let types = agreed.types.settle(&key, env)?;
        let known = |scheme| agreed.schemes.contains(&scheme);
        let scheme =
            pick_scheme(key.key().schemes(), known).ok_or(Incompatible::SignatureScheme)?;
        env.cx.info.signature_scheme = Some(scheme);
        Ok(Self { key, types, scheme })
    }
}

/// Somebody else knows the session or the key that the client means.
pub(super) struct AwaitLookup {
    hello: AwaitClientHello,
    /// The ClientHello.
    message: Box<[u8]>,
    pending: Pending,
}

impl AwaitLookup {
    pub(super) fn new(hello: AwaitClientHello, message: Message<'_>, pending: Pending) -> Self {
        Self {
            hello,
            message: message.bytes.into(),
            pending,
        }
    }

    pub(super) fn wait(self) -> Outcome {
        let wait = self.pending.wait();
        Step::Lookup(Box::new(self)).wait(wait)
    }

    /// Whether this answers the question.
    pub(super) const fn is_for(&self, answer: &Answer) -> bool {
        matches!(
            (&self.pending, answer),
            (Pending::Session(..), Answer::Session(_))
                | (Pending::Client(..), Answer::Verdict(_))
                | (Pending::Psk(..), Answer::Psk(_))
                | (Pending::FirstUse(..), Answer::FirstUse(_))
        )
    }

    pub(super) fn on_answer(self, answer: Answer, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let stage = match (self.pending, answer) {
            (Pending::Session(index, _), Answer::Session(session)) => {
                Stage::Session(index, session)
            }
            (Pending::Client(index, session, _), Answer::Verdict(verdict)) => {
                Stage::Client(index, session, verdict)
            }
            (Pending::Psk(index, _), Answer::Psk(psk)) => Stage::Psk(index, psk),
            (Pending::FirstUse(chosen, _), Answer::FirstUse(new)) => Stage::FirstUse(chosen, new),
            _ => return Err(Misuse::NoSuchQuestion.into()),
        };
        let message = Message {
            typ: HandshakeType::CLIENT_HELLO,
            bytes: &self.message,
        };
        self.hello.go_on(message, stage, env)
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
        let key = choice.ok_or(Incompatible::NoCertificate)?;
        self.agreed.answer_hello(Some(key), env)
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
    /// How many tickets to send in the end.
    tickets: u8,
    /// When the peers proved who they are, if that was before.
    authenticated_at: Option<UnixMillis>,
    /// What the client sends under once its early data ends, if we take that.
    after_early_data: Option<EpochKeys>,
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
            Signing::Done(signature) => self.finish_signed(scheme, &signature, env),
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

    fn finish_signed(
        self,
        scheme: SignatureScheme,
        signature: &[u8],
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        env.cx
            .send(env.flight, HandshakeType::CERTIFICATE_VERIFY, &mut |w| {
                CertificateVerify { scheme, signature }.write(w)
            })?;
        self.finish(env)
    }

    /// Sends Finished; from here on we may send application data.
    fn finish(self, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let Self {
            secrets, requested, ..
        } = self;
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
        // Nothing is said to a client that has yet to show who it is.
        if requested.is_none() {
            env.cx.may_send = MaySend::HalfRtt;
        }
        let client_keys = application.traffic.client_keys();
        let exporter = Exporter::tls13(hash, application.exporter.clone());
        let issue = (self.tickets > 0).then(|| Issue {
            source: application.into_resumption_source(),
            count: self.tickets,
            authenticated_at: self.authenticated_at,
        });
        let confirmation = Confirmation {
            hash,
            base: secrets.traffic.client,
            client_keys,
            exporter,
            tickets: issue,
        };
        match self.after_early_data {
            Some(keys) => {
                let step = AwaitEndOfEarlyData { confirmation, keys };
                Ok(Step::EndOfEarlyData(Box::new(step)).next())
            }
            None => Ok(confirmation.expect(requested)),
        }
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
        self.flight.finish_signed(self.scheme, signature, env)
    }
}
