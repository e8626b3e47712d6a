//! An engine under test: feeds it, answers its questions, and checks at every step what holds
//! for any input.

use std::sync::Arc;

use waxwing_core::limits::{EARLY_DATA_AGE_WINDOW, MAX_PLAINTEXT, MAX_RECORD, MAX_TICKET};
use waxwing_core::{
    Accepting, Acceptor, Answer, Buffer, CertificateError, CertifiedKey, Connection,
    ConnectionInfo, EarlyDataStatus, Error, Event, Misuse, Progress, ProtocolVersion, Question,
    ReadHalf, ServerConfig, Verified, Wait, WriteHalf,
};

use super::known::Known;
use crate::fake;

/// How questions are answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// Only when the script says so.
    pub(super) late: bool,
    pub(super) refuse: bool,
    /// What the server shows.
    pub(super) key: Option<Arc<CertifiedKey>>,
    /// What a server knows of its clients.
    pub(super) known: Option<Arc<Known>>,
}

enum Engine {
    Accepting(Acceptor, Arc<ServerConfig>),
    Whole(Connection),
    Halves(ReadHalf, WriteHalf, Box<ConnectionInfo>),
}

/// The engine with its buffers, and all that it told so far.
pub(super) struct Driven {
    engine: Option<Engine>,
    answers: Answers,
    input: Vec<u8>,
    out: Buffer,
    /// Everything sent.
    pub(super) sent: Vec<u8>,
    /// Everything fed, as it was before it was opened in place.
    pub(super) fed: Vec<u8>,
    pub(super) events: Vec<Event>,
    pub(super) received: Vec<u8>,
    /// Early data that arrived; it is not among what was received.
    pub(super) early: Vec<u8>,
    pub(super) error: Option<Error>,
    /// Bytes that it sent unasked.
    first: usize,
    /// Bytes given to `write`.
    written: usize,
    /// Calls that may send a small record of their own.
    calls: usize,
}

impl Driven {
    pub(super) fn new(connection: Connection, out: Buffer, answers: Answers) -> Self {
        Self::with(Engine::Whole(connection), out, answers)
    }

    /// A server that gets its configuration when the ClientHello is there.
    pub(super) fn acceptor(config: Arc<ServerConfig>, answers: Answers) -> Self {
        let engine = Engine::Accepting(Acceptor::new(), config);
        Self::with(engine, Buffer::new(), answers)
    }

    fn with(engine: Engine, out: Buffer, answers: Answers) -> Self {
        let mut driven = Self {
            engine: Some(engine),
            first: out.len(),
            answers,
            input: Vec::new(),
            out,
            sent: Vec::new(),
            fed: Vec::new(),
            events: Vec::new(),
            received: Vec::new(),
            early: Vec::new(),
            error: None,
            written: 0,
            calls: 0,
        };
        driven.collect();
        driven
    }

    /// Whether nothing that comes can matter any more.
    pub(super) fn is_over(&self) -> bool {
        self.error.is_some() || self.events.last() == Some(&Event::PeerClosed)
    }

    pub(super) fn is_established(&self) -> bool {
        self.error.is_none()
            && match &self.engine {
                Some(Engine::Whole(connection)) => !connection.is_handshaking(),
                Some(Engine::Halves(..)) => true,
                _ => false,
            }
    }

    /// Whether TLS 1.2 is agreed on.
    pub(super) fn is_tls12(&self) -> bool {
        match &self.engine {
            None | Some(Engine::Accepting(..)) => false,
            Some(_) => self.info().version == Some(ProtocolVersion::TLS12),
        }
    }

    pub(super) fn info(&self) -> &ConnectionInfo {
        match self.engine.as_ref().expect("an engine") {
            Engine::Accepting(..) => unreachable!("nothing is agreed"),
            Engine::Whole(connection) => connection.info(),
            Engine::Halves(_, _, info) => info,
        }
    }

    /// Gives `bytes` in pieces of `cut` bytes; 0 means in one piece.
    pub(super) fn feed(&mut self, bytes: &[u8], cut: usize) {
        let cut = if cut == 0 { usize::MAX } else { cut };
        for piece in bytes.chunks(cut) {
            if self.is_over() {
                return;
            }
            self.fed.extend_from_slice(piece);
            self.input.extend_from_slice(piece);
            self.run();
        }
    }

    /// Processes all input there is.
    pub(super) fn run(&mut self) {
        // Each round consumes a record, tells one of a handful of events, or is the last.
        let mut rounds = self.input.len() / 5 + 16;
        while !self.is_over() && self.round() {
            rounds = rounds.checked_sub(1).expect("processing comes to an end");
        }
        self.collect();
    }

    /// One call of `process`; returns whether another is of use.
    fn round(&mut self) -> bool {
        let len = self.input.len();
        let Progress { consumed, event } = match self.process() {
            Ok(progress) => progress,
            Err(error) => {
                self.failed(error);
                return false;
            }
        };
        assert!(consumed <= len, "consumed more than there was");
        if let Event::AppData(place) = &event {
            assert!(place.start < place.end && place.end <= consumed);
            assert!(place.len() <= MAX_PLAINTEXT);
            self.received.extend_from_slice(&self.input[place.clone()]);
        }
        if let Event::EarlyData(place) = &event {
            assert!(place.start < place.end && place.end <= consumed);
            assert_eq!(self.info().early_data, EarlyDataStatus::Accepted);
            self.early.extend_from_slice(&self.input[place.clone()]);
        }
        self.input.drain(..consumed);
        match event {
            Event::NeedInput(hint) => {
                assert!(hint > 0, "needs nothing");
                assert!(self.input.len() + hint <= MAX_RECORD, "needs too much");
                false
            }
            Event::Wait(wait) => {
                self.on_wait(wait);
                !self.answers.late && self.error.is_none()
            }
            // Its content was taken; its place depends on how the stream was cut.
            Event::AppData(_) | Event::EarlyData(_) => true,
            event => {
                self.events.push(event);
                true
            }
        }
    }

    fn process(&mut self) -> Result<Progress, Error> {
        match self.engine.as_mut().expect("an engine") {
            Engine::Accepting(acceptor, _) => {
                let (consumed, state) = acceptor.process(&mut self.input, &mut self.out)?;
                if let Accepting::NeedInput(hint) = state {
                    let event = Event::NeedInput(hint);
                    return Ok(Progress { consumed, event });
                }
                super::check::view(&acceptor.hello().expect("a ClientHello"));
                self.input.drain(..consumed);
                self.accept();
                self.process()
            }
            Engine::Whole(connection) => connection.process(&mut self.input, &mut self.out),
            Engine::Halves(read, write, _) => {
                let result = read.process(&mut self.input);
                match &result {
                    Ok(Progress {
                        event: Event::PeerAction(action),
                        ..
                    }) => write.apply(*action, &mut self.out)?,
                    Ok(_) => {}
                    Err(error) => write.fail(error, &mut self.out),
                }
                result
            }
        }
    }

    /// Chooses the configuration.
    fn accept(&mut self) {
        self.engine = match self.engine.take() {
            Some(Engine::Accepting(acceptor, config)) => {
                Some(Engine::Whole(acceptor.accept(config)))
            }
            engine => engine,
        };
    }

    fn failed(&mut self, error: Error) {
        assert!(
            !matches!(error, Error::Misuse(_) | Error::Crypto(_)),
            "{error:?}"
        );
        super::check::error(&error);
        if let Some(Engine::Whole(connection)) = &mut self.engine {
            let before = self.out.len();
            // Every error is final.
            let again = connection.process(&mut self.input, &mut self.out);
            assert_eq!(again, Err(error.clone()));
            let write = connection.write(&[b"x"], &mut self.out);
            assert_eq!(write, Err(error.clone()));
            connection.close(&mut self.out);
            assert_eq!(self.out.len(), before, "sent something after an error");
        }
        self.error = Some(error);
    }

    fn on_wait(&mut self, wait: Wait) {
        let event = Event::Wait(wait);
        if self.events.last() != Some(&event) {
            self.events.push(event);
            self.wrong_answer(wait);
        }
        if !self.answers.late {
            self.answer();
        }
    }

    /// An answer to another question changes nothing.
    fn wrong_answer(&mut self, wait: Wait) {
        let Some(Engine::Whole(connection)) = &mut self.engine else {
            unreachable!("only whole connections ask")
        };
        let wrong = match wait {
            Wait::Signature => Answer::Certificate(None),
            _ => Answer::Signature(Ok(vec![1])),
        };
        let refused = connection.answer(wrong, &mut self.out);
        assert_eq!(refused, Err(Error::Misuse(Misuse::NoSuchQuestion)));
        assert!(connection.question().is_some());
    }

    /// Answers the open question, if there is one, and goes on.
    pub(super) fn answer(&mut self) {
        let Some(Engine::Whole(connection)) = &mut self.engine else {
            return;
        };
        let refuse = self.answers.refuse;
        let answer = match connection.question() {
            None => return,
            Some(Question::Certificate(view)) => {
                super::check::view(&view);
                Answer::Certificate(self.answers.key.clone().filter(|_| !refuse))
            }
            Some(Question::Signature { message, .. }) => {
                // RFC 9846, Section 4.5.2: 64 spaces, a context string, a zero, a hash. In TLS 1.2
                // it is a ServerKeyExchange with its randoms, or everything since the ClientHello.
                let tls12 = connection.info().version == Some(ProtocolVersion::TLS12);
                assert!(tls12 || message.starts_with(&[b' '; 64]));
                assert!(message.len() > 64);
                Answer::Signature(if refuse {
                    Err(waxwing_crypto::CryptoError::Unauthentic)
                } else {
                    Ok(fake::SIGNATURE.to_vec())
                })
            }
            Some(Question::Verdict(request)) => {
                assert!(request.with(|request| !request.chain.is_empty()));
                Answer::Verdict(if refuse {
                    Err(CertificateError::ALL[0].into())
                } else {
                    Ok(Verified::holder_of(fake::spki()))
                })
            }
            Some(Question::ClientCertificate(request)) => {
                assert!(request.signature_schemes().next().is_some());
                Answer::Certificate(self.answers.key.clone().filter(|_| !refuse))
            }
            Some(Question::ClientVerdict(request)) => {
                assert!(request.with(|request| !request.chain.is_empty()));
                Answer::Verdict(if refuse {
                    Err(CertificateError::ALL[0].into())
                } else {
                    Ok(Verified::holder_of(fake::spki()))
                })
            }
            Some(Question::Session { handle, is_id }) => {
                let most = if is_id { 32 } else { MAX_TICKET };
                assert!((1..=most).contains(&handle.len()));
                let known = self.answers.known.as_ref();
                let session = known.and_then(|known| known.session(handle, is_id));
                Answer::Session(session.filter(|_| !refuse))
            }
            Some(Question::Psk { identity }) => {
                let known = self.answers.known.as_ref();
                Answer::Psk(
                    known
                        .and_then(|known| known.psk(identity))
                        .filter(|_| !refuse),
                )
            }
            Some(Question::FirstUse { id, window }) => {
                assert_eq!(window, 2 * EARLY_DATA_AGE_WINDOW);
                let known = self.answers.known.as_ref();
                Answer::FirstUse(known.is_some_and(|known| known.is_new(id)) && !refuse)
            }
            Some(_) => unreachable!("a question of a new kind"),
        };
        if let Err(error) = connection.answer(answer, &mut self.out) {
            self.error = Some(error);
        }
    }

    pub(super) fn answer_late(&mut self) {
        self.answer();
        self.run();
    }

    pub(super) fn write(&mut self, data: &[u8]) -> bool {
        self.calls += 1;
        self.accept();
        let written = match self.engine.as_mut().expect("an engine") {
            Engine::Accepting(..) => unreachable!("accepted"),
            Engine::Whole(connection) => connection.write(&[data], &mut self.out),
            Engine::Halves(_, write, _) => write.write(&[data], &mut self.out),
        };
        self.written += data.len();
        self.collect();
        match written {
            Ok(len) => {
                assert_eq!(len, data.len());
                true
            }
            Err(Error::Misuse(
                Misuse::HandshakePending | Misuse::WriteClosed | Misuse::KeyWornOut,
            )) => false,
            Err(error) => {
                assert_eq!(Some(error), self.error);
                false
            }
        }
    }

    /// Bytes of early data that went out.
    pub(super) fn write_early(&mut self, data: &[u8]) -> usize {
        let Some(Engine::Whole(connection)) = &mut self.engine else {
            return 0;
        };
        self.calls += 1;
        let left = connection.early_data_left();
        let written = connection.write_early(data, &mut self.out);
        let now_left = connection.early_data_left();
        self.collect();
        match written {
            Ok(len) => {
                assert_eq!(len, data.len().min(left));
                assert_eq!(now_left, left - len);
                self.written += len;
                len
            }
            Err(Error::Misuse(Misuse::EarlyDataLimit)) => {
                assert_eq!(left, 0);
                0
            }
            Err(error) => {
                assert_eq!(Some(error), self.error);
                0
            }
        }
    }

    pub(super) fn update_key(&mut self, ask: bool) {
        self.calls += 1;
        // Refused while it cannot be done, which changes nothing.
        let _ = match self.engine.as_mut().expect("an engine") {
            Engine::Accepting(..) => return,
            Engine::Whole(connection) => connection.update_key(ask, &mut self.out),
            Engine::Halves(_, write, _) => write.update_key(ask, &mut self.out),
        };
        self.collect();
    }

    /// Asks a client for its certificate after the handshake; whether that can be done now.
    pub(super) fn request_client_certificate(&mut self) -> bool {
        self.calls += 2;
        let Some(Engine::Whole(connection)) = &mut self.engine else {
            return false;
        };
        // Refused while it cannot be done, which changes nothing.
        let asked = connection.request_client_certificate(&mut self.out).is_ok();
        self.collect();
        asked
    }

    pub(super) fn close(&mut self) {
        self.calls += 1;
        match self.engine.as_mut().expect("an engine") {
            Engine::Accepting(..) => return,
            Engine::Whole(connection) => {
                connection.close(&mut self.out);
                // A handshake ends so.
                self.error = connection.failure().cloned();
            }
            Engine::Halves(_, write, _) => write.close(&mut self.out),
        }
        self.collect();
    }

    /// Goes on in two halves, if the handshake is complete.
    pub(super) fn split(&mut self) {
        self.engine = match self.engine.take() {
            Some(Engine::Whole(connection)) => Some(match connection.split() {
                Ok((read, write, info)) => Engine::Halves(read, write, Box::new(info)),
                Err(connection) => Engine::Whole(connection),
            }),
            engine => engine,
        };
    }

    /// The engine alone.
    pub(super) fn into_connection(self) -> Connection {
        match self.engine {
            Some(Engine::Whole(connection)) => connection,
            _ => unreachable!("only whole connections move"),
        }
    }

    /// Moves what is to be sent to what was sent.
    fn collect(&mut self) {
        self.sent.extend_from_slice(self.out.as_slice());
        self.out.clear();
        // What a peer can make an engine send is bounded by what it gave: a few small flights,
        // and one KeyUpdate for each one received. A call writes a record at least, which may be
        // padded to 64 bytes.
        let most = 4096 + 2 * (self.first + self.fed.len() + self.written) + 128 * self.calls;
        assert!(
            self.sent.len() <= most,
            "{} sent for {}",
            self.sent.len(),
            self.fed.len()
        );
    }
}
