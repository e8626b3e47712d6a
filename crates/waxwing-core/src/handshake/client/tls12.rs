//! The client after ServerHello, in TLS 1.2 (RFC 5246, Section 7.3).
//!
//! ```text
//!   resume12                        goes its own way if the server resumes a session
//!   AwaitCertificate             <- Certificate
//!   AwaitCertificateStatus       <- CertificateStatus, which may be missing
//!   AwaitVerdict                    only if the verifier answers later
//!   AwaitServerKeyExchange       <- ServerKeyExchange
//!   AwaitServerHelloDone         <- CertificateRequest (at most one), ServerHelloDone
//!   finish12                        our flight, and the server's Finished
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{CryptoError, SharedSecret, Suite12};

use super::super::auth::check_signature12;
use super::super::proof::SignatureOk;
use super::super::record_limits::{self, Wish};
use super::super::schedule12::Randoms;
use super::super::{ChangeCipherSpec, SessionId, StepOutcome};
use super::certificate::{Judged, judge, settle_types};
use super::finish12::{
    AwaitChangeCipherSpec, AwaitChoice, AwaitFinished, AwaitNewSessionTicket, AwaitSignature,
    OurTurn,
};
#[cfg(feature = "psk12")]
use super::psk12;
use super::resume12;
use super::{Env, hello_writer};
use crate::config::credentials::{CertChoice, CertificateRequestView};
use crate::config::verifier::{ServerCertRequest, Verified};
use crate::connection::event::{OwnedServerCertRequest, Question, Wait};
use crate::messages::certificate::Stapled;
use crate::messages::certificate_request12::CertificateRequest12;
use crate::messages::certificate_status::CertificateStatus;
use crate::messages::certificate12;
use crate::messages::extensions::{ExtensionSet, ec_point_formats};
use crate::messages::server_hello::ServerHello;
use crate::messages::server_hello_done::ServerHelloDone;
use crate::messages::server_hello12::ServerHelloExtensions12;
use crate::messages::server_key_exchange::{ServerKeyExchange, signed_content};
use crate::messages::{HandshakeType, ProtocolVersion};
use crate::record::joiner::Message;
use crate::session::Session;
use crate::{Error, Incompatible, PeerError, Rejection};

/// Where the client stands, in the order of the protocol.
pub(super) enum Step {
    Certificate(AwaitCertificate),
    #[cfg(feature = "psk12")]
    PskServerKeyExchange(psk12::AwaitServerKeyExchange),
    #[cfg(feature = "psk12")]
    PskServerHelloDone(Box<psk12::AwaitServerHelloDone>),
    CertificateStatus(AwaitCertificateStatus),
    Verdict(Box<AwaitVerdict>),
    ServerKeyExchange(AwaitServerKeyExchange),
    ServerHelloDone(Box<AwaitServerHelloDone>),
    Choice(Box<AwaitChoice>),
    Signature(Box<AwaitSignature>),
    NewSessionTicket(Box<AwaitNewSessionTicket>),
    ChangeCipherSpec(Box<AwaitChangeCipherSpec>),
    Finished(Box<AwaitFinished>),
}

pub(super) type Outcome = StepOutcome<super::Step>;

impl Step {
    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        match self {
            #[cfg(feature = "psk12")]
            Self::PskServerKeyExchange(step) => step.expects(typ),
            #[cfg(feature = "psk12")]
            Self::PskServerHelloDone(_) => typ == HandshakeType::SERVER_HELLO_DONE,
            Self::Certificate(_) => typ == HandshakeType::CERTIFICATE,
            Self::CertificateStatus(_) => matches!(
                typ,
                HandshakeType::CERTIFICATE_STATUS | HandshakeType::SERVER_KEY_EXCHANGE
            ),
            Self::ServerKeyExchange(_) => typ == HandshakeType::SERVER_KEY_EXCHANGE,
            Self::ServerHelloDone(step) => {
                typ == HandshakeType::SERVER_HELLO_DONE
                    || typ == HandshakeType::CERTIFICATE_REQUEST && step.request.is_none()
            }
            Self::NewSessionTicket(_) => typ == HandshakeType::NEW_SESSION_TICKET,
            Self::Finished(_) => typ == HandshakeType::FINISHED,
            Self::Verdict(_) | Self::Choice(_) | Self::Signature(_) | Self::ChangeCipherSpec(_) => {
                false
            }
        }
    }

    pub(super) fn on_message(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        match self {
            #[cfg(feature = "psk12")]
            Self::PskServerKeyExchange(step) => step.on_message(message, env),
            #[cfg(feature = "psk12")]
            Self::PskServerHelloDone(step) => step.on_server_hello_done(message, env),
            Self::Certificate(step) => step.on_certificate(message, env),
            Self::CertificateStatus(step) if message.typ == HandshakeType::CERTIFICATE_STATUS => {
                step.on_certificate_status(message, env)
            }
            Self::CertificateStatus(step) => step.on_server_key_exchange(message, env),
            Self::ServerKeyExchange(step) => step.on_server_key_exchange(message, env),
            Self::ServerHelloDone(step) if message.typ == HandshakeType::CERTIFICATE_REQUEST => {
                step.on_certificate_request(message, env)
            }
            Self::ServerHelloDone(step) => step.on_server_hello_done(message, env),
            Self::NewSessionTicket(step) => step.on_new_session_ticket(message, env),
            Self::Finished(step) => step.on_finished(message, env),
            Self::Verdict(_) | Self::Choice(_) | Self::Signature(_) | Self::ChangeCipherSpec(_) => {
                Err(PeerError::UnexpectedMessage.into())
            }
        }
    }

    /// Takes the server's change_cipher_spec: the next step, and the keys from here on.
    pub(super) fn on_change_cipher_spec(self) -> Result<(Self, ChangeCipherSpec), Error> {
        match self {
            Self::ChangeCipherSpec(step) => {
                let (next, keys) = step.on_change_cipher_spec();
                let next = Self::Finished(Box::new(next));
                Ok((next, ChangeCipherSpec::Keys(keys)))
            }
            // Out of place it would bring keys that nobody agreed on (CVE-2014-0224).
            _ => Err(PeerError::UnexpectedChangeCipherSpec.into()),
        }
    }

    pub(super) fn question(&self) -> Option<Question<'_>> {
        match self {
            Self::Verdict(step) => Some(Question::Verdict(&step.request)),
            Self::Choice(step) => {
                // It was read before, so it can be read again.
                let request = CertificateRequest12::read(&step.request).ok()?;
                let view = CertificateRequestView::tls12(&request, step.certificate_type);
                Some(Question::ClientCertificate(view))
            }
            Self::Signature(step) => Some(Question::Signature {
                key: &step.key,
                scheme: step.scheme,
                message: &step.message,
            }),
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

/// What the hellos settled.
#[derive(Clone, Copy)]
pub(super) struct Settled {
    pub(super) suite: &'static Suite12,
    server_random: [u8; 32],
    /// What the server calls the session.
    pub(super) session_id: SessionId,
    /// Whether a NewSessionTicket will come.
    pub(super) ticket: bool,
}

impl Settled {
    pub(super) const fn randoms(&self, env: &Env<'_>) -> Randoms {
        Randoms {
            client: env.cx.client_random,
            server: self.server_random,
        }
    }
}

/// What of our hello matters here.
pub(super) struct Sent<'a> {
    pub(super) extensions: &'a ExtensionSet,
    pub(super) session_id: &'a [u8],
    /// The session that the id stands for, if one was offered.
    pub(super) session: Option<Box<Session>>,
}

impl Sent<'_> {
    /// The session, if the server resumes it: by the same id (RFC 5077, Section 3.4; RFC 5246,
    /// Section 7.4.1.3).
    fn resumed(self, session_id: &[u8]) -> Result<Option<Box<Session>>, Error> {
        if session_id.is_empty() || session_id != self.session_id {
            return Ok(None);
        }
        // RFC 9846, Section 4.2.2: else the id is for middleboxes, and names no session.
        Ok(Some(self.session.ok_or(PeerError::SessionIdEcho)?))
    }
}

/// The server chose TLS 1.2 (RFC 5246, Section 7.4.1.3).
pub(super) fn on_server_hello(
    hello: &ServerHello<'_>,
    sent: Sent<'_>,
    message: Message<'_>,
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    let extensions = ServerHelloExtensions12::read(hello.block, sent.extensions)?;
    let resumed = sent.resumed(hello.session_id)?;
    if hello.compression_method != 0 {
        return Err(PeerError::Compression.into());
    }
    let suites = &env.config.common.suites12;
    let suite = *suites
        .iter()
        .find(|suite| suite.id == hello.cipher_suite)
        .ok_or(PeerError::SuiteNotOffered)?;
    check_extensions(&extensions, resumed.is_some(), env)?;

    let info = &mut env.cx.info;
    info.version = Some(ProtocolVersion::TLS12);
    info.cipher_suite = Some(suite.id);
    info.extended_main_secret = extensions.extended_main_secret;
    info.secure_renegotiation = extensions.renegotiation_info.is_some();
    info.alpn = extensions.alpn.map(Into::into);
    // With a PSK no certificate is asked for.
    let may_sign = resumed.is_none() && !suite.authentication.is_psk();
    if env.config.certificates.is_some() && may_sign {
        env.cx.transcript.start_logged(suite.hash);
    } else {
        env.cx.transcript.start(suite.hash);
    }
    env.cx.transcript.add(message.bytes);
    let theirs = Wish {
        max_fragment_length: extensions.max_fragment_length,
        record_size_limit: extensions.record_size_limit,
    };
    let ours = hello_writer::record_limits(env.config);
    record_limits::apply(theirs, ours, ProtocolVersion::TLS12, env.cx, env.flight)?;
    let settled = Settled {
        suite,
        server_random: *hello.random,
        session_id: SessionId::copy(hello.session_id),
        ticket: extensions.session_ticket,
    };
    if let Some(session) = resumed {
        return resume12::on_server_hello(session, settled, &extensions, env);
    }
    #[cfg(feature = "psk12")]
    if suite.authentication.is_psk() {
        let step = psk12::AwaitServerKeyExchange { settled };
        return Ok(Step::PskServerKeyExchange(step).next());
    }
    settle_types(
        extensions.server_certificate_type,
        extensions.client_certificate_type,
        false,
        env,
    )?;
    let step = AwaitCertificate {
        settled,
        status: extensions.status_request,
        scts: extensions.scts.map(Into::into),
    };
    Ok(Step::Certificate(step).next())
}

fn check_extensions(
    extensions: &ServerHelloExtensions12<'_>,
    resumed: bool,
    env: &Env<'_>,
) -> Result<(), Error> {
    let common = &env.config.common;
    match extensions.renegotiation_info {
        // RFC 5746, Section 3.4: empty in the first handshake.
        Some([_, ..]) => return Err(PeerError::RenegotiationInfo.into()),
        None if common.require_secure_renegotiation => {
            return Err(Incompatible::SecureRenegotiation.into());
        }
        _ => {}
    }
    // A session that is resumed has a rule of its own.
    if common.require_extended_main_secret && !resumed && !extensions.extended_main_secret {
        return Err(Incompatible::ExtendedMainSecret.into());
    }
    // RFC 8422, Section 5.2.
    if let Some(formats) = extensions.ec_point_formats
        && !formats.contains(&ec_point_formats::UNCOMPRESSED)
    {
        return Err(PeerError::PointFormats.into());
    }
    if let Some(name) = extensions.alpn
        && !common.alpn.iter().any(|offered| offered == name)
    {
        return Err(PeerError::AlpnNotOffered.into());
    }
    Ok(())
}

/// The server has to show who it is.
pub(super) struct AwaitCertificate {
    settled: Settled,
    /// Whether a CertificateStatus may follow.
    status: bool,
    /// Signed certificate timestamps, which come before the certificate.
    scts: Option<Box<[u8]>>,
}

impl AwaitCertificate {
    fn on_certificate(self, message: Message<'_>, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let typ = env.cx.info.server_certificate_type;
        let chain = certificate12::read_chain(message.body(), typ)?;
        if chain.is_empty() {
            return Err(PeerError::EmptyCertificate.into());
        }
        env.cx.transcript.add(message.bytes);
        let Self {
            settled,
            status,
            scts,
        } = self;
        if status {
            let chain = chain.into_iter().map(Into::into).collect();
            let step = AwaitCertificateStatus {
                settled,
                chain,
                scts,
            };
            return Ok(Step::CertificateStatus(step).next());
        }
        let stapled = Stapled {
            ocsp: None,
            scts: scts.as_deref(),
        };
        judge_chain(settled, &chain, stapled, env)
    }
}

/// Has the chain judged; goes on to ServerKeyExchange.
fn judge_chain(
    settled: Settled,
    chain: &[&[u8]],
    stapled: Stapled<'_>,
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    let request = ServerCertRequest {
        certificate_type: env.cx.info.server_certificate_type,
        chain,
        ocsp: stapled.ocsp,
        scts: stapled.scts,
        name: env.name,
    };
    match judge(&request, env)? {
        Judged::Accepted(verified) => {
            let step = AwaitServerKeyExchange { settled, verified };
            Ok(Step::ServerKeyExchange(step).next())
        }
        Judged::Later(request) => {
            let step = AwaitVerdict {
                settled,
                request,
                key_exchange: None,
            };
            Ok(Step::Verdict(Box::new(step)).wait(Wait::Verdict))
        }
    }
}

/// The server said that the status of its certificate may follow (RFC 6066, Section 8).
pub(super) struct AwaitCertificateStatus {
    settled: Settled,
    chain: Vec<Box<[u8]>>,
    scts: Option<Box<[u8]>>,
}

impl AwaitCertificateStatus {
    fn on_certificate_status(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let status = CertificateStatus::read(message.body())?;
        env.cx.transcript.add(message.bytes);
        let chain: Vec<&[u8]> = self.chain.iter().map(|der| &**der).collect();
        let stapled = Stapled {
            ocsp: Some(status.response),
            scts: self.scts.as_deref(),
        };
        judge_chain(self.settled, &chain, stapled, env)
    }

    /// The status did not come. A verifier that answers later leaves this message to wait.
    fn on_server_key_exchange(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let chain: Vec<&[u8]> = self.chain.iter().map(|der| &**der).collect();
        let request = ServerCertRequest {
            certificate_type: env.cx.info.server_certificate_type,
            chain: &chain,
            ocsp: None,
            scts: self.scts.as_deref(),
            name: env.name,
        };
        let settled = self.settled;
        match judge(&request, env)? {
            Judged::Accepted(verified) => {
                AwaitServerKeyExchange { settled, verified }.on_server_key_exchange(message, env)
            }
            Judged::Later(request) => {
                let step = AwaitVerdict {
                    settled,
                    request,
                    key_exchange: Some(message.bytes.into()),
                };
                Ok(Step::Verdict(Box::new(step)).wait(Wait::Verdict))
            }
        }
    }
}

/// The verifier will answer later.
pub(super) struct AwaitVerdict {
    settled: Settled,
    request: OwnedServerCertRequest,
    /// A ServerKeyExchange that came instead of the status.
    key_exchange: Option<Box<[u8]>>,
}

impl AwaitVerdict {
    pub(super) fn on_verdict(
        self,
        verdict: Result<Verified, Rejection>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let step = AwaitServerKeyExchange {
            settled: self.settled,
            verified: verdict?,
        };
        match self.key_exchange {
            Some(bytes) => {
                let typ = HandshakeType::SERVER_KEY_EXCHANGE;
                let bytes = &*bytes;
                step.on_server_key_exchange(Message { typ, bytes }, env)
            }
            None => Ok(Step::ServerKeyExchange(step).next()),
        }
    }
}

/// The certificate is good; the server signs its share with the certificate's key.
pub(super) struct AwaitServerKeyExchange {
    settled: Settled,
    verified: Verified,
}

impl AwaitServerKeyExchange {
    fn on_server_key_exchange(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Self { settled, verified } = self;
        let exchange = ServerKeyExchange::read(message.body())?;
        let common = &env.config.common;
        let group = common
            .groups12()
            .find(|group| group.name() == exchange.group)
            .ok_or(PeerError::GroupNotOffered)?;
        // RFC 8422, Section 2: the suite says how the server authenticates. A scheme that is for no
        // suite was not offered either, which is found below.
        let authentication = exchange.scheme.tls12_authentication();
        if authentication.is_some_and(|own| own != settled.suite.authentication) {
            return Err(PeerError::SchemeUnfit.into());
        }
        let content = signed_content(
            &env.cx.client_random,
            &settled.server_random,
            exchange.params,
        );
        let signature = check_signature12(
            common.provider,
            exchange.scheme,
            &verified,
            &content,
            exchange.signature,
        )?;
        let (public, shared) = group
            .respond(common.provider.random, exchange.public)
            .map_err(|error| match error {
                CryptoError::InvalidPublicValue => PeerError::BadKeyShare.into(),
                other => Error::from(other),
            })?;
        env.cx.info.signature_scheme = Some(exchange.scheme);
        env.cx.info.peer_note = verified.note().cloned();
        env.cx.info.group = Some(exchange.group);
        env.cx.transcript.add(message.bytes);
        let step = AwaitServerHelloDone {
            settled,
            share: Share { public, shared },
            request: None,
            _signature: signature,
        };
        Ok(Step::ServerHelloDone(Box::new(step)).next())
    }
}

/// Our half of the key exchange, and what came out.
pub(super) struct Share {
    pub(super) public: Vec<u8>,
    pub(super) shared: SharedSecret,
}

/// The server may ask for a certificate; then it is our turn.
pub(super) struct AwaitServerHelloDone {
    settled: Settled,
    share: Share,
    /// The body of a CertificateRequest.
    request: Option<Box<[u8]>>,
    /// The server proved to hold its key.
    _signature: SignatureOk,
}

impl AwaitServerHelloDone {
    fn on_certificate_request(
        mut self: Box<Self>,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        CertificateRequest12::read(message.body())?;
        env.cx.info.client_auth_requested = true;
        env.cx.transcript.add(message.bytes);
        self.request = Some(message.body().into());
        Ok(Step::ServerHelloDone(self).next())
    }

    fn on_server_hello_done(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        ServerHelloDone::read(message.body())?;
        env.cx.transcript.add(message.bytes);
        let Self {
            settled,
            share,
            request,
            ..
        } = self;
        let turn = OurTurn { settled, share };
        let Some(request) = request else {
            return turn.without_certificate(env);
        };
        let read = CertificateRequest12::read(&request)?;
        let certificate_type = env.cx.info.client_certificate_type;
        let view = CertificateRequestView::tls12(&read, certificate_type);
        let choice = match &env.config.certificates {
            Some(resolver) => resolver.resolve(&view),
            None => CertChoice::None,
        };
        match choice {
            CertChoice::Use(key) => turn.with_certificate(Some(key), &request, env),
            CertChoice::None => turn.with_certificate(None, &request, env),
            CertChoice::Pending => {
                let step = AwaitChoice {
                    turn,
                    request,
                    certificate_type,
                };
                Ok(Step::Choice(Box::new(step)).wait(Wait::Certificate))
            }
        }
    }
}
