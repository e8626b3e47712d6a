//! The server after ClientHello, in TLS 1.2 (RFC 5246, Section 7.3).
//!
//! ```text
//!   resume12                  goes its own way if the client names a session that can be resumed
//!   AwaitChoice               the certificate, only if the resolver answers later
//!                             -> ServerHello, Certificate, CertificateStatus (if wanted)
//!   AwaitSignature            only if the key answers later
//!                             -> ServerKeyExchange, CertificateRequest (if configured),
//!                                ServerHelloDone
//!   finish12                  the client's flight, and the end
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{KeyShare, KxGroup, NamedGroup, SignatureScheme, Signing, Suite12};

use super::super::negotiate;
use super::super::record_limits::{self, Wish};
use super::super::{ChangeCipherSpec, StepOutcome};
use super::Env;
use super::certificate::{TypeAnswers, TypeOffers};
use super::finish12::{
    AwaitCertificate, AwaitCertificateVerify, AwaitChangeCipherSpec, AwaitClientKeyExchange,
    AwaitFinished, AwaitVerdict,
};
#[cfg(feature = "psk12")]
use super::psk12;
use super::resume12::{self, AwaitSession};
use super::tickets12::Promise;

use crate::codec::Writer;
use crate::config::credentials::{CertChoice, CertifiedKey, ClientHelloView, Settled};
use crate::connection::event::{Question, Wait};
use crate::messages::certificate::{Stapled, Wanted};
use crate::messages::certificate_request12::{CertificateRequest12, ECDSA_SIGN, RSA_SIGN};
use crate::messages::certificate_status::CertificateStatus;
use crate::messages::certificate12;
use crate::messages::client_hello::ClientHello;
use crate::messages::extensions::ec_point_formats;
use crate::messages::server_hello::{ServerHello, ServerHelloExtensions};
use crate::messages::server_hello12::ServerHelloExtensions12;
use crate::messages::server_key_exchange::{self, ServerKeyExchange, signed_content};
use crate::messages::{HandshakeType, ProtocolVersion};
use crate::record::joiner::Message;
use crate::{DnsName, Error, Incompatible, PeerError};

/// The end of the random of a server that knows TLS 1.3 but chose TLS 1.2 (RFC 9846,
/// Section 4.2.3).
const DOWNGRADE_TO_TLS12: [u8; 8] = *b"DOWNGRD\x01";
/// The ClientCertificateTypes of the keys that can be checked.
const CERTIFICATE_TYPES: [u8; 2] = [RSA_SIGN, ECDSA_SIGN];
/// As many curves as there are names for in TLS 1.2.
const MAX_CURVES: usize = 5;

/// Where the server stands, in the order of the protocol.
pub(super) enum Step {
    Session(Box<AwaitSession>),
    #[cfg(feature = "psk12")]
    PskClientKeyExchange(Box<psk12::AwaitClientKeyExchange>),
    #[cfg(feature = "psk12")]
    Psk(Box<psk12::AwaitPsk>),
    ResumedVerdict(Box<resume12::AwaitVerdict>),
    ResumedChangeCipherSpec(Box<resume12::AwaitChangeCipherSpec>),
    ResumedFinished(Box<resume12::AwaitFinished>),
    Choice(Box<AwaitChoice>),
    Signature(Box<AwaitSignature>),
    Certificate(Box<AwaitCertificate>),
    Verdict(Box<AwaitVerdict>),
    ClientKeyExchange(Box<AwaitClientKeyExchange>),
    CertificateVerify(Box<AwaitCertificateVerify>),
    ChangeCipherSpec(Box<AwaitChangeCipherSpec>),
    Finished(Box<AwaitFinished>),
}

pub(super) type Outcome = StepOutcome<super::Step>;

impl Step {
    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        match self {
            Self::Certificate(_) => typ == HandshakeType::CERTIFICATE,
            #[cfg(feature = "psk12")]
            Self::PskClientKeyExchange(_) => typ == HandshakeType::CLIENT_KEY_EXCHANGE,
            #[cfg(feature = "psk12")]
            Self::Psk(_) => false,
            Self::ClientKeyExchange(_) => typ == HandshakeType::CLIENT_KEY_EXCHANGE,
            Self::CertificateVerify(_) => typ == HandshakeType::CERTIFICATE_VERIFY,
            Self::ResumedFinished(_) | Self::Finished(_) => typ == HandshakeType::FINISHED,
            Self::Session(_)
            | Self::ResumedVerdict(_)
            | Self::ResumedChangeCipherSpec(_)
            | Self::Choice(_)
            | Self::Signature(_)
            | Self::Verdict(_)
            | Self::ChangeCipherSpec(_) => false,
        }
    }

    pub(super) fn on_message(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        match self {
            Self::Certificate(step) => step.on_certificate(message, env),
            #[cfg(feature = "psk12")]
            Self::PskClientKeyExchange(step) => step.on_client_key_exchange(message, env),
            #[cfg(feature = "psk12")]
            Self::Psk(_) => Err(PeerError::UnexpectedMessage.into()),
            Self::ClientKeyExchange(step) => step.on_client_key_exchange(message, env),
            Self::CertificateVerify(step) => step.on_certificate_verify(message, env),
            Self::Finished(step) => step.on_finished(message, env),
            Self::ResumedFinished(step) => step.on_finished(message, env),
            Self::Session(_)
            | Self::ResumedVerdict(_)
            | Self::ResumedChangeCipherSpec(_)
            | Self::Choice(_)
            | Self::Signature(_)
            | Self::Verdict(_)
            | Self::ChangeCipherSpec(_) => Err(PeerError::UnexpectedMessage.into()),
        }
    }

    /// Takes the client's change_cipher_spec: the next step, and the keys from here on.
    pub(super) fn on_change_cipher_spec(self) -> Result<(Self, ChangeCipherSpec), Error> {
        match self {
            Self::ChangeCipherSpec(step) => {
                let (next, keys) = step.on_change_cipher_spec();
                let next = Self::Finished(Box::new(next));
                Ok((next, ChangeCipherSpec::Keys(keys)))
            }
            Self::ResumedChangeCipherSpec(step) => {
                let (next, keys) = step.on_change_cipher_spec();
                let next = Self::ResumedFinished(Box::new(next));
                Ok((next, ChangeCipherSpec::Keys(keys)))
            }
            // Out of place it would bring keys that nobody agreed on (CVE-2014-0224).
            _ => Err(PeerError::UnexpectedChangeCipherSpec.into()),
        }
    }

    pub(super) fn question(&self) -> Option<Question<'_>> {
        match self {
            Self::Session(step) => step.question(),
            #[cfg(feature = "psk12")]
            Self::Psk(step) => Some(step.question()),
            Self::ResumedVerdict(step) => Some(Question::ClientVerdict(&step.request)),
            Self::Choice(step) => {
                // It was read before, so it can be read again.
                let hello = ClientHello::read(&step.hello).ok()?;
                let settled = Settled::Tls12(&step.agreed.suites);
                let view = ClientHelloView::new(hello, &step.hello, settled);
                Some(Question::Certificate(view))
            }
            Self::Signature(step) => Some(Question::Signature {
                key: &step.key,
                scheme: step.scheme,
                message: &step.message,
            }),
            Self::Verdict(step) => Some(Question::ClientVerdict(&step.request)),
            _ => None,
        }
    }

    pub(super) const fn next(self) -> Outcome {
        StepOutcome::step(super::Step::Tls12(self))
    }

    pub(super) const fn wait(self, wait: Wait) -> Outcome {
        StepOutcome::wait(super::Step::Tls12(self), wait)
    }
}

/// Takes a ClientHello that leads to TLS 1.2 (RFC 5246, Section 7.4.1.2).
pub(super) fn on_client_hello(
    hello: ClientHello<'_>,
    message: Message<'_>,
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    check(&hello, env)?;
    env.cx.client_random = *hello.random;
    env.cx.transcript.add(message.bytes);
    let info = &mut env.cx.info;
    info.version = Some(ProtocolVersion::TLS12);
    info.server_name = hello.extensions.server_name.and_then(DnsName::from_wire);
    info.extended_main_secret = hello.extensions.extended_main_secret;
    info.secure_renegotiation = negotiate::secure_renegotiation(&hello);
    resume12::start(hello, message.body(), env)
}

/// Goes on without a session. `body` is that of the hello.
pub(super) fn full_handshake(
    hello: ClientHello<'_>,
    body: &[u8],
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    let config = env.config;
    let extensions = &hello.extensions;
    let suites = negotiate::suites12(
        &config.common.suites12,
        hello.cipher_suites,
        config.client_suite_order,
    )?;
    let alpn = negotiate::alpn(&config.common.alpn, extensions.alpn, config.alpn_required)?;
    env.cx.info.alpn = alpn.map(Into::into);
    #[cfg(feature = "psk12")]
    if let Some(suite) = suites.first().filter(|suite| suite.authentication.is_psk()) {
        return psk12::answer_hello(suite, &hello, env);
    }
    let group = negotiate::group12(&config.common, extensions.supported_groups)?;
    // RFC 9155, Section 2: without the list a client means SHA-1, which nobody signs with here.
    let schemes = extensions
        .signature_algorithms
        .ok_or(Incompatible::SignatureScheme)?;
    env.cx.info.group = Some(group.name());
    let agreed = Agreed {
        suites,
        group,
        schemes: schemes.iter().collect(),
        curves: extensions
            .supported_groups
            .unwrap_or_default()
            .iter()
            .filter(|group| group.allowed_in_tls12())
            .take(MAX_CURVES)
            .collect(),
        server_random: server_random(env)?,
        promise: Promise::make(extensions.session_ticket.is_some(), env)?,
        point_formats: extensions.ec_point_formats.is_some(),
        wanted: Wanted {
            ocsp: extensions.status_request,
            scts: extensions.scts,
        },
        wish: Wish {
            max_fragment_length: extensions.max_fragment_length,
            record_size_limit: extensions.record_size_limit,
        },
        types: TypeOffers::read(extensions)?,
    };
    agreed.choose_certificate(hello, body, env)
}

/// The random of our ServerHello.
pub(super) fn server_random(env: &Env<'_>) -> Result<[u8; 32], Error> {
    let common = &env.config.common;
    let mut random = [0; 32];
    common.provider.random.fill(&mut random)?;
    if common.versions.contains(ProtocolVersion::TLS13)
        && let Some(end) = random.last_chunk_mut()
    {
        *end = DOWNGRADE_TO_TLS12;
    }
    Ok(random)
}

/// Checks what TLS 1.2 asks of a ClientHello.
fn check(hello: &ClientHello<'_>, env: &Env<'_>) -> Result<(), Error> {
    let common = &env.config.common;
    // RFC 5246, Section 7.4.1.2: null must be there, and is chosen (RFC 9325, Section 3.3).
    if !hello.compression_methods.contains(&0) {
        return Err(PeerError::Compression.into());
    }
    match hello.extensions.renegotiation_info {
        // RFC 5746, Section 3.6: empty in the first handshake.
        Some([_, ..]) => return Err(PeerError::RenegotiationInfo.into()),
        None if common.require_secure_renegotiation && !negotiate::secure_renegotiation(hello) => {
            return Err(Incompatible::SecureRenegotiation.into());
        }
        _ => {}
    }
    if common.require_extended_main_secret && !hello.extensions.extended_main_secret {
        return Err(Incompatible::ExtendedMainSecret.into());
    }
    // RFC 8422, Section 5.1.2.
    if let Some(formats) = hello.extensions.ec_point_formats
        && !formats.contains(&ec_point_formats::UNCOMPRESSED)
    {
        return Err(PeerError::PointFormats.into());
    }
    Ok(())
}

/// What was agreed from the hello alone.
struct Agreed {
    /// Those that both sides know; the certificate's key decides among them.
    suites: Vec<&'static Suite12>,
    group: &'static dyn KxGroup,
    /// What the client can check.
    schemes: Vec<SignatureScheme>,
    /// The curves that the client knows; empty if it does not say.
    curves: Vec<NamedGroup>,
    server_random: [u8; 32],
    /// Whether the client told of its point formats.
    point_formats: bool,
    /// What is left for later connections.
    promise: Promise,
    /// What the client wants beside the certificates.
    wanted: Wanted,
    /// What the client says about the length of records.
    wish: Wish,
    types: TypeOffers,
}

impl Agreed {
    fn choose_certificate(
        self,
        hello: ClientHello<'_>,
        body: &[u8],
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let view = ClientHelloView::new(hello, body, Settled::Tls12(&self.suites));
        match env.config.certificates.resolve(&view) {
            CertChoice::Use(key) => self.answer_hello(key, env),
            CertChoice::None => Err(Incompatible::NoCertificate.into()),
            CertChoice::Pending => {
                let step = AwaitChoice {
                    agreed: self,
                    hello: body.into(),
                };
                Ok(Step::Choice(Box::new(step)).wait(Wait::Certificate))
            }
        }
    }

    /// Sends ServerHello to CertificateStatus, then signs the share.
    fn answer_hello(self, key: Arc<CertifiedKey>, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let types = self.types.settle(&key, env)?;
        let ours = key.key().schemes();
        let known = |scheme| self.schemes.contains(&scheme);
        let curve = |name| self.curves.is_empty() || self.curves.contains(&name);
        let (suite, scheme) = negotiate::fit12(&self.suites, ours, known, curve)?;
        env.cx.info.cipher_suite = Some(suite.id);
        env.cx.info.signature_scheme = Some(scheme);
        if env.config.client_auth.is_some() {
            env.cx.transcript.start_logged(suite.hash);
        } else {
            env.cx.transcript.start(suite.hash);
        }
        let stapled = key.stapled(self.wanted);
        self.send_server_hello(suite, stapled, types, env)?;
        env.cx
            .send(env.flight, HandshakeType::CERTIFICATE, &mut |w| {
                certificate12::write_chain(w, key.certificate_type(), key.chain())
            })?;
        if let Some(response) = stapled.ocsp {
            let typ = HandshakeType::CERTIFICATE_STATUS;
            env.cx.send(env.flight, typ, &mut |w| {
                CertificateStatus { response }.write(w)
            })?;
        }
        let offer = Offer {
            suite,
            share: self.group.start(env.config.common.provider.random)?,
            server_random: self.server_random,
            promise: self.promise,
        };
        offer.sign(key, scheme, env)
    }

    fn send_server_hello(
        &self,
        suite: &'static Suite12,
        stapled: Stapled<'_>,
        types: TypeAnswers,
        env: &mut Env<'_>,
    ) -> Result<(), Error> {
        let version = ProtocolVersion::TLS12;
        let limits = record_limits::answer(self.wish, &env.config.common, version);
        record_limits::apply(self.wish, limits, version, env.cx, env.flight)?;
        let alpn = env.cx.info.alpn.clone();
        let extensions = ServerHelloExtensions12 {
            renegotiation_info: env.cx.info.secure_renegotiation.then_some(&[]),
            extended_main_secret: env.cx.info.extended_main_secret,
            ec_point_formats: self
                .point_formats
                .then_some(&[ec_point_formats::UNCOMPRESSED]),
            server_name: env.cx.info.server_name.is_some(),
            status_request: stapled.ocsp.is_some(),
            scts: stapled.scts,
            session_ticket: matches!(self.promise, Promise::Ticket),
            server_certificate_type: types.server,
            client_certificate_type: types.client,
            alpn: alpn.as_deref(),
            max_fragment_length: limits.max_fragment_length,
            record_size_limit: limits.record_size_limit,
        };
        let session_id = self.promise.session_id();
        send_hello(suite, &self.server_random, session_id, &extensions, env)
    }
}

/// Sends a ServerHello with what is agreed in each handshake, and with these `extensions`.
pub(super) fn send_agreed(
    hello: &ClientHello<'_>,
    suite: &'static Suite12,
    random: &[u8; 32],
    session_id: &[u8],
    extensions: ServerHelloExtensions12<'_>,
    env: &mut Env<'_>,
) -> Result<(), Error> {
    let wish = Wish {
        max_fragment_length: hello.extensions.max_fragment_length,
        record_size_limit: hello.extensions.record_size_limit,
    };
    let version = ProtocolVersion::TLS12;
    let limits = record_limits::answer(wish, &env.config.common, version);
    record_limits::apply(wish, limits, version, env.cx, env.flight)?;
    let alpn = env.cx.info.alpn.clone();
    let extensions = ServerHelloExtensions12 {
        renegotiation_info: env.cx.info.secure_renegotiation.then_some(&[]),
        extended_main_secret: env.cx.info.extended_main_secret,
        alpn: alpn.as_deref(),
        max_fragment_length: limits.max_fragment_length,
        record_size_limit: limits.record_size_limit,
        ..extensions
    };
    send_hello(suite, random, session_id, &extensions, env)
}

/// Sends a ServerHello.
fn send_hello(
    suite: &'static Suite12,
    random: &[u8; 32],
    session_id: &[u8],
    extensions: &ServerHelloExtensions12<'_>,
    env: &mut Env<'_>,
) -> Result<(), Error> {
    let mut block = Vec::new();
    extensions.write(&mut Writer::new(&mut block))?;
    let hello = ServerHello {
        legacy_version: ProtocolVersion::TLS12,
        random,
        session_id,
        cipher_suite: suite.id,
        compression_method: 0,
        extensions: ServerHelloExtensions::default(),
        block: &block,
    };
    env.cx
        .send(env.flight, HandshakeType::SERVER_HELLO, &mut |w| {
            hello.write(w)
        })
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

/// Our share of the key exchange.
pub(super) struct Offer {
    pub(super) suite: &'static Suite12,
    pub(super) share: Box<dyn KeyShare>,
    pub(super) server_random: [u8; 32],
    pub(super) promise: Promise,
}

impl Offer {
    /// Asks the key to sign the share.
    fn sign(
        self,
        key: Arc<CertifiedKey>,
        scheme: SignatureScheme,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let params = self.params()?;
        let message = signed_content(&env.cx.client_random, &self.server_random, &params);
        match key.key().sign(scheme, &message)? {
            Signing::Done(signature) => self.finish_flight(scheme, &signature, env),
            Signing::Pending => {
                let step = AwaitSignature {
                    offer: self,
                    key,
                    scheme,
                    message,
                };
                Ok(Step::Signature(Box::new(step)).wait(Wait::Signature))
            }
        }
    }

    /// The encoded ServerECDHParams.
    fn params(&self) -> Result<Vec<u8>, Error> {
        let mut params = Vec::new();
        let mut writer = Writer::new(&mut params);
        server_key_exchange::write_params(&mut writer, self.share.group(), self.share.public())?;
        Ok(params)
    }

    /// Sends the rest of our first flight.
    fn finish_flight(
        self,
        scheme: SignatureScheme,
        signature: &[u8],
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let params = self.params()?;
        let typ = HandshakeType::SERVER_KEY_EXCHANGE;
        env.cx.send(env.flight, typ, &mut |w| {
            ServerKeyExchange::write(w, &params, scheme, signature)
        })?;
        let asks = env.config.client_auth.as_ref();
        if let Some(auth) = asks {
            let schemes = env.config.common.provider.handshake_schemes12();
            let schemes: Vec<SignatureScheme> = schemes.collect();
            let typ = HandshakeType::CERTIFICATE_REQUEST;
            env.cx.send(env.flight, typ, &mut |w| {
                let names = auth.verifier().authorities();
                CertificateRequest12::write(w, &CERTIFICATE_TYPES, schemes.iter().copied(), names)
            })?;
        }
        let typ = HandshakeType::SERVER_HELLO_DONE;
        env.cx.send(env.flight, typ, &mut |_| Ok(()))?;
        env.flight.end_flight()?;
        Ok(if asks.is_some() {
            Step::Certificate(Box::new(AwaitCertificate { offer: self })).next()
        } else {
            let step = AwaitClientKeyExchange {
                offer: self,
                verified: None,
            };
            Step::ClientKeyExchange(Box::new(step)).next()
        })
    }
}

/// The key will sign later.
pub(super) struct AwaitSignature {
    offer: Offer,
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
        self.offer.finish_flight(self.scheme, signature, env)
    }
}
