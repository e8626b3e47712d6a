//! An engine with its transport: whole, waiting for its configuration, or in two halves.

use std::sync::Arc;

use waxwing_core::{
    Accepting, Acceptor, Answer, Buffer, Connection, ConnectionInfo, EarlyDataStatus, Error, Event,
    Progress, Question, ReadHalf, Rejection, ServerConfig, Verdict, Verified, WriteHalf,
};

use crate::config::{Hooks, Setup, Side};
use crate::errors::Failure;
use crate::options::Options;
use crate::transport::Transport;

#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum Engine {
    /// A server that reads the ClientHello before it is configured.
    Accepting(Acceptor, Arc<ServerConfig>),
    Whole(Connection),
    Halves(ReadHalf, WriteHalf, ConnectionInfo),
    /// Between two of the others.
    Gone,
}

/// What a step led to.
pub(crate) enum Step {
    /// The handshake is not complete, but data may be exchanged.
    Early,
    /// The handshake is complete.
    Complete,
    /// Application data.
    Data(Vec<u8>),
    /// The peer sent close_notify.
    Closed,
    /// The transport ended.
    End,
}

/// A connection to the runner.
pub(crate) struct Session {
    transport: Transport,
    engine: Engine,
    hooks: Hooks,
    out: Buffer,
    client: bool,
    split: bool,
    /// Early data was told of.
    early: bool,
    complete: bool,
    /// What early data has no room for.
    late: Vec<u8>,
    /// Data that came before it was asked for.
    unread: Option<Vec<u8>>,
    /// Output does not get out.
    held: bool,
}

impl Session {
    /// Connects and starts the engine.
    pub(crate) fn start(options: &Options, setup: Setup) -> Result<Self, Failure> {
        let mut out = Buffer::new();
        let Setup { side, hooks } = setup;
        let engine = match side {
            Side::Client(config, name) => {
                Engine::Whole(Connection::client(config, name, &mut out)?)
            }
            Side::Server(config) if options.read_hello_first => {
                Engine::Accepting(Acceptor::new(), config)
            }
            Side::Server(config) => Engine::Whole(Connection::server(config)),
        };
        hooks.seen.lock().started = true;
        Ok(Self {
            transport: Transport::connect(options)?,
            engine,
            hooks,
            out,
            client: !options.server,
            split: options.piecemeal,
            early: false,
            complete: false,
            late: Vec::new(),
            unread: None,
            held: false,
        })
    }

    /// What was agreed.
    pub(crate) fn info(&self) -> Option<&ConnectionInfo> {
        match &self.engine {
            Engine::Whole(connection) => Some(connection.info()),
            Engine::Halves(_, _, info) => Some(info),
            Engine::Accepting(..) | Engine::Gone => None,
        }
    }

    /// The configuration's hooks.
    pub(crate) const fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// Completes the handshake if it is not complete, or gets it so far that data may be sent.
    pub(crate) fn handshake(&mut self) -> Result<(), Failure> {
        self.flush();
        while !self.complete && !self.in_early_data() {
            match self.step()? {
                Step::Complete | Step::Early => {}
                Step::End => return Err(self.judge_end()),
                Step::Data(data) if self.in_early_data() => self.unread = Some(data),
                Step::Data(_) | Step::Closed => {
                    return Err(Failure::Unexpected("data before the handshake".into()));
                }
            }
        }
        Ok(())
    }

    /// Goes on until this handshake message has come.
    pub(crate) fn handshake_until(&mut self, message: u8) -> Result<(), Failure> {
        self.flush();
        while self.hooks.seen.lock().message != Some(message) {
            match self.process()? {
                Happened::NeedInput if self.transport.more() => {}
                Happened::Nothing => {}
                _ => return Err(Failure::Unexpected("the message did not come".into())),
            }
        }
        Ok(())
    }

    /// Whether data may be exchanged although the handshake is not complete.
    pub(crate) fn in_early_data(&self) -> bool {
        let status = match &self.engine {
            Engine::Whole(connection) if connection.is_handshaking() => {
                connection.info().early_data
            }
            _ => EarlyDataStatus::NotOffered,
        };
        status == EarlyDataStatus::Accepted || self.client && status == EarlyDataStatus::Offered
    }

    /// Whether the handshake is complete.
    pub(crate) const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether a client has to say all again.
    pub(crate) fn is_rejected(&self) -> bool {
        self.client
            && self.complete
            && self.info().map(|info| info.early_data) == Some(EarlyDataStatus::Rejected)
    }

    /// Goes on until there is something to tell.
    pub(crate) fn step(&mut self) -> Result<Step, Failure> {
        if let Some(data) = self.unread.take() {
            return Ok(Step::Data(data));
        }
        loop {
            if !self.early && self.in_early_data() {
                self.early = true;
                return Ok(Step::Early);
            }
            let event = match self.process() {
                Ok(event) => event,
                Err(error) => {
                    self.flush();
                    return Err(error.into());
                }
            };
            self.flush();
            match event {
                Happened::NeedInput if self.early && !self.complete && self.held => self.release(),
                Happened::NeedInput if self.transport.more() => {}
                Happened::NeedInput => return Ok(Step::End),
                Happened::Nothing => {}
                Happened::Step(step) => return Ok(step),
            }
        }
    }

    fn process(&mut self) -> Result<Happened, Error> {
        let input = self.transport.input();
        let Progress { consumed, event } = match &mut self.engine {
            Engine::Accepting(acceptor, _) => {
                let (consumed, accepting) = acceptor.process(input, &mut self.out)?;
                self.transport.consume(consumed);
                return Ok(match accepting {
                    Accepting::NeedInput(_) => Happened::NeedInput,
                    Accepting::HelloRead => self.accept(),
                });
            }
            Engine::Whole(connection) => connection.process(input, &mut self.out)?,
            Engine::Halves(read, write, _) => read
                .process(input)
                .inspect_err(|error| write.fail(error, &mut self.out))?,
            Engine::Gone => unreachable!("put back at once"),
        };
        let data = match &event {
            Event::AppData(range) | Event::EarlyData(range) => {
                input.get(range.clone()).unwrap_or_default().to_vec()
            }
            _ => Vec::new(),
        };
        self.transport.consume(consumed);
        match event {
            Event::NeedInput(_) => return Ok(Happened::NeedInput),
            Event::AppData(_) | Event::EarlyData(_) => return Ok(Happened::Step(Step::Data(data))),
            Event::PeerClosed => return Ok(Happened::Step(Step::Closed)),
            Event::HandshakeComplete => {
                self.complete()?;
                return Ok(Happened::Step(Step::Complete));
            }
            Event::Wait(_) => self.answer()?,
            Event::PeerAction(action) => {
                if let Engine::Halves(_, write, _) = &mut self.engine {
                    write.apply(action, &mut self.out)?;
                }
            }
            other => unreachable!("an event that nobody here knows: {other:?}"),
        }
        Ok(Happened::Nothing)
    }

    fn accept(&mut self) -> Happened {
        if let Engine::Accepting(acceptor, config) =
            core::mem::replace(&mut self.engine, Engine::Gone)
        {
            if let Some(hello) = acceptor.hello() {
                self.hooks.resolver.look_at(&hello);
            }
            self.engine = Engine::Whole(acceptor.accept(config));
        }
        Happened::Nothing
    }

    /// Answers the open question. The answer to the last one may complete the handshake.
    fn answer(&mut self) -> Result<(), Error> {
        let Engine::Whole(connection) = &mut self.engine else {
            return Ok(());
        };
        let hooks = &self.hooks;
        let answer = match connection.question() {
            Some(Question::Certificate(hello)) => {
                Answer::Certificate(hooks.resolver.for_client(&hello))
            }
            Some(Question::ClientCertificate(request)) => {
                Answer::Certificate(hooks.resolver.for_server(&request))
            }
            Some(Question::ClientVerdict(request)) => Answer::Verdict(judged(
                request.with(|request| hooks.judge.decide_client(request)),
            )),
            Some(Question::Signature {
                key,
                scheme,
                message,
            }) => {
                let credential = hooks.resolver.credential_of(key);
                let refused = Err(waxwing_crypto::CryptoError::Misuse);
                Answer::Signature(
                    credential.map_or(refused, |credential| credential.sign(scheme, message)),
                )
            }
            Some(Question::Verdict(request)) => {
                Answer::Verdict(judged(request.with(|request| hooks.judge.decide(request))))
            }
            Some(Question::Session { handle, is_id }) => {
                Answer::Session(hooks.sessions.look(handle, is_id))
            }
            Some(Question::Psk { identity }) => Answer::Psk(hooks.keys.look(identity)),
            Some(Question::FirstUse { .. }) => Answer::FirstUse(true),
            other => unreachable!("a question that nobody here knows: {other:?}"),
        };
        connection.answer(answer, &mut self.out)
    }

    /// The handshake is complete: says what is late, and goes on in halves if wanted.
    fn complete(&mut self) -> Result<(), Error> {
        self.complete = true;
        let late = core::mem::take(&mut self.late);
        if let Engine::Whole(connection) = &mut self.engine
            && connection.info().early_data == EarlyDataStatus::Accepted
            && !late.is_empty()
        {
            connection.write(&[&late], &mut self.out)?;
        }
        if !self.split {
            return Ok(());
        }
        self.engine = match core::mem::replace(&mut self.engine, Engine::Gone) {
            Engine::Whole(connection) => match connection.split() {
                Ok((read, write, info)) => Engine::Halves(read, write, info),
                Err(connection) => Engine::Whole(connection),
            },
            other => other,
        };
        Ok(())
    }

    /// Sends application data, early if need be. What there is no room for then goes out later.
    pub(crate) fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        let early = self.client && self.in_early_data();
        let out = &mut self.out;
        let result = match &mut self.engine {
            Engine::Whole(connection) if early => {
                let room = connection.early_data_left().min(data.len());
                let (now, late) = data.split_at(room);
                self.late.extend_from_slice(late);
                if now.is_empty() {
                    Ok(0)
                } else {
                    connection.write_early(now, out)
                }
            }
            Engine::Whole(connection) => connection.write(&[data], out),
            Engine::Halves(_, write, _) => write.write(&[data], out),
            Engine::Accepting(..) | Engine::Gone => unreachable!("after the handshake"),
        };
        self.flush();
        result.map(|_| ()).map_err(Failure::from)
    }

    /// Changes our key, without asking the peer to change its own.
    pub(crate) fn update_key(&mut self) -> Result<(), Failure> {
        let out = &mut self.out;
        let result = match &mut self.engine {
            Engine::Whole(connection) => connection.update_key(false, out),
            Engine::Halves(_, write, _) => write.update_key(false, out),
            Engine::Accepting(..) | Engine::Gone => unreachable!("after the handshake"),
        };
        self.flush();
        result.map_err(Failure::from)
    }

    /// Sends close_notify.
    pub(crate) fn close(&mut self) {
        match &mut self.engine {
            Engine::Whole(connection) => connection.close(&mut self.out),
            Engine::Halves(_, write, _) => write.close(&mut self.out),
            Engine::Accepting(..) | Engine::Gone => {}
        }
        self.flush();
    }

    /// What the engine says to the end of the transport.
    pub(crate) fn judge_end(&self) -> Failure {
        let verdict = match &self.engine {
            Engine::Whole(connection) => connection.end_of_input(),
            Engine::Halves(read, ..) => read.end_of_input(),
            Engine::Accepting(..) | Engine::Gone => Err(Error::HandshakeCut),
        };
        match verdict {
            Err(error) => error.into(),
            Ok(()) => Failure::Unexpected("the transport ended well".into()),
        }
    }

    /// Ends the transport.
    pub(crate) fn finish(self) {
        self.transport.finish();
    }

    /// From here on, output does not get out.
    pub(crate) const fn hold(&mut self) {
        self.held = true;
    }

    /// Lets out what was held.
    pub(crate) fn release(&mut self) {
        self.held = false;
        self.flush();
    }

    fn flush(&mut self) {
        if !self.held && !self.out.is_empty() {
            self.transport.send(&mut self.out);
        }
    }
}

fn judged(verdict: Verdict) -> Result<Verified, Rejection> {
    match verdict {
        Verdict::Accepted(verified) => Ok(verified),
        Verdict::Rejected(rejection) => Err(rejection),
        Verdict::Pending => unreachable!("decided now"),
    }
}

/// What a call of the engine led to.
enum Happened {
    Nothing,
    NeedInput,
    Step(Step),
}
