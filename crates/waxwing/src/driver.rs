//! What moves a connection on: the engine and its buffers, without a transport.
//!
//! Blocking and async streams, whole and split, differ only in how they reach the transport.
//! Everything else is here, behind two traits:
//!
//! ```text
//!              Inbound                      Outbound
//!   Driver     Connection + InBuf           Connection + Output
//!   Receiver   core ReadHalf + InBuf
//!   Sender                                  core WriteHalf + Output
//!                 `----------- Mailbox -----------^
//! ```

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use waxwing_core::{
    Answer, Buffer, CertificateError, Connection, ConnectionInfo, EarlyDataStatus, Error, Event,
    ExportError, Exported, ImportError, Imported, Importer, Misuse, PeerAction, Progress,
    ProtocolVersion, Question, ReadHalf, Rejection, Role, Unfinished, Wait, WriteHalf,
};
use waxwing_crypto::CryptoError;

use crate::buffer::{InBuf, Output, ReadAhead, with_limited};
use crate::gathered::MAX_GATHERED;

/// A receiving direction.
pub(crate) trait Inbound {
    /// What arrived.
    fn input(&mut self) -> &mut InBuf;

    /// Processes input up to the next event. Plaintext must have been taken before.
    fn step(&mut self) -> Result<Event, Error>;

    /// Judges the end of the transport.
    fn end_of_input(&self) -> Result<(), Error>;

    /// The next event, unless there is plaintext left from the last.
    fn fill(&mut self) -> Result<Event, Error> {
        let left = self.input().plain().len();
        if left > 0 {
            return Ok(Event::AppData(0..left));
        }
        self.step()
    }
}

/// A sending direction.
pub(crate) trait Outbound {
    /// What waits to be sent.
    fn output(&mut self) -> &mut Output;

    /// Seals `parts`, all of it.
    fn seal(&mut self, parts: &[&[u8]]) -> Result<usize, Error>;

    /// Does what the receiving direction asked for, if it is a separate one.
    fn attend(&mut self) -> Result<(), Error>;

    /// Seals close_notify, the first time. If what was written cannot be sealed there is none: it
    /// would say that this was all.
    fn close(&mut self) -> Result<(), Error>;

    /// Seals what small writes left: before anything else is sealed, and before it is flushed.
    fn seal_gathered(&mut self) -> Result<(), Error> {
        if self.output().gathered.is_empty() {
            return Ok(());
        }
        self.seal_with_gathered(core::iter::empty(), MAX_GATHERED)?;
        Ok(())
    }

    /// Takes as much of `parts` as may wait; 0 only if there is nothing in them. Little is gathered
    /// for a common record, much is sealed from where it is.
    fn accept<'a>(
        &mut self,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Result<usize, Error> {
        let count = parts
            .clone()
            .map(<[u8]>::len)
            .fold(0, usize::saturating_add);
        if self.output().is_large(count) {
            let allowance = self.output().allowance();
            return self.seal_with_gathered(parts, allowance);
        }
        if self.output().gathered.is_empty() {
            // Whoever may not write has to know it now.
            self.seal(&[])?;
        }
        for part in parts {
            self.gather(part)?;
        }
        Ok(count)
    }

    /// Adds to what waits for a record, and seals it each time that there is enough for one.
    fn gather(&mut self, part: &[u8]) -> Result<(), Error> {
        let mut rest = self.output().gathered.push(part);
        while self.output().gathered.is_full() {
            self.seal_gathered()?;
            rest = self.output().gathered.push(rest);
        }
        debug_assert!(rest.is_empty(), "it is full or takes all");
        Ok(())
    }

    /// Seals what was gathered and then `parts`, together no more than `limit` bytes, which is more
    /// than what was gathered. Returns how many are of `parts`.
    fn seal_with_gathered<'a>(
        &mut self,
        parts: impl Iterator<Item = &'a [u8]>,
        limit: usize,
    ) -> Result<usize, Error> {
        let mut gathered = core::mem::take(&mut self.output().gathered);
        let sealed = with_limited(gathered.as_slice(), parts, limit, |parts| self.seal(parts));
        let result = sealed.map(|count| count - gathered.len());
        if result.is_ok() {
            gathered.clear();
        }
        self.output().gathered = gathered;
        result
    }
}

/// Runs an engine over what waits in `input`.
fn process(
    input: &mut InBuf,
    engine: impl FnOnce(&mut [u8]) -> Result<Progress, Error>,
) -> Result<Event, Error> {
    let Progress { consumed, event } = engine(input.waiting()).inspect_err(|_| input.clear())?;
    let plain = match &event {
        Event::AppData(range) => range.clone(),
        Event::EarlyData(range) => {
            input.keep_early(range.clone());
            0..0
        }
        _ => 0..0,
    };
    input.processed(consumed, plain);
    if event == Event::PeerClosed && input.read_ahead != ReadAhead::Exact {
        // What follows is not TLS (RFC 9846, Section 6.1), and has been read by mistake.
        input.clear();
    }
    Ok(event)
}

/// Both directions of a connection.
pub(crate) struct Driver {
    pub(crate) conn: Connection,
    input: InBuf,
    output: Output,
    pub(crate) asked: Asked,
}

/// Whether the client was asked for a certificate after the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    No,
    /// It has not answered.
    Open,
    /// It has; whether it showed one.
    Answered(bool),
}

impl Driver {
    pub(crate) fn new(conn: Connection, input: InBuf, output: Buffer) -> Self {
        Self {
            conn,
            input,
            output: Output::new(output),
            asked: Asked::No,
        }
    }

    /// Turns the connection, and all that lies in its buffers, into bytes.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the driver, given back"
    )]
    pub(crate) fn export(mut self) -> Result<Exported, (Self, ExportError)> {
        if let Err(error) = self.seal_gathered() {
            return Err((self, ExportError::Failed(error)));
        }
        let Self {
            conn,
            input,
            output,
            asked,
        } = self;
        let unfinished = Unfinished {
            plaintext: input.plain(),
            input: input.unprocessed(),
            output: output.buffer.as_slice(),
        };
        conn.export_with(&unfinished).map_err(|(conn, reason)| {
            let driver = Self {
                conn,
                input,
                output,
                asked,
            };
            (driver, reason)
        })
    }

    /// Makes of such bytes a driver that goes on.
    pub(crate) fn import(
        bytes: &[u8],
        importer: &Importer<'_>,
        read_ahead: ReadAhead,
    ) -> Result<Self, ImportError> {
        let Imported {
            connection,
            unfinished,
        } = importer.import(bytes)?;
        let input = InBuf::resume(read_ahead, unfinished.plaintext, unfinished.input);
        let mut output = Buffer::new();
        output.extend_from_slice(unfinished.output);
        Ok(Self::new(connection, input, output))
    }

    /// Asks the client for a certificate.
    pub(crate) fn request_client_certificate(&mut self) -> Result<(), Error> {
        self.seal_gathered()?;
        self.conn
            .request_client_certificate(&mut self.output.buffer)?;
        self.asked = Asked::Open;
        Ok(())
    }

    /// Answers the open question.
    pub(crate) fn answer(&mut self, answer: Answer) -> Result<(), Error> {
        self.seal_gathered()?;
        self.conn.answer(answer, &mut self.output.buffer)
    }

    /// Ends the handshake, or our side of the connection after it, because nobody answers; the
    /// peer is told.
    pub(crate) fn refuse(&mut self, wait: Wait) -> Error {
        if let Some(Question::ClientCertificate(_)) = self.conn.question() {
            // There is no such answer: a client without a certificate just goes on.
            let _ = self.close();
            return Misuse::Unanswered.into();
        }
        let answer = match wait {
            Wait::Certificate => Answer::Certificate(None),
            Wait::Verdict => Answer::Verdict(Err(Rejection::from(CertificateError::Refused))),
            _ => Answer::Signature(Err(CryptoError::Failed)),
        };
        let _ = self.answer(answer);
        Misuse::Unanswered.into()
    }

    pub(crate) const fn set_read_ahead(&mut self, read_ahead: ReadAhead) {
        self.input.read_ahead = read_ahead;
    }

    /// Seals early data, as much as can be sent.
    pub(crate) fn write_early(&mut self, data: &[u8]) -> Result<usize, Error> {
        if data.is_empty() || self.conn.early_data_left() == 0 {
            return Ok(0);
        }
        self.conn.write_early(data, &mut self.output.buffer)
    }

    /// Whether the handshake ends with messages that the peer does not wait for: the tickets of
    /// TLS 1.3.
    pub(crate) fn ends_with_tickets(&self) -> bool {
        self.conn.role() == Role::Server && self.conn.info().version == Some(ProtocolVersion::TLS13)
    }

    /// Whether the server took our early data.
    pub(crate) fn early_data_accepted(&self) -> bool {
        self.conn.info().early_data == EarlyDataStatus::Accepted
    }

    pub(crate) fn update_key(&mut self, ask_peer: bool) -> Result<(), Error> {
        self.seal_gathered()?;
        self.conn.update_key(ask_peer, &mut self.output.buffer)
    }

    pub(crate) fn memory(&self) -> usize {
        self.input.capacity() + self.output.capacity()
    }

    /// Separates the directions. Those of a connection that failed repeat its error.
    pub(crate) fn split(self) -> (Receiver, Sender) {
        let Self {
            conn,
            input,
            output,
            ..
        } = self;
        let mailbox = Arc::new(Mailbox::default());
        let (read, write, info) = match conn.split() {
            Ok((read, write, info)) => (Ok(read), Ok(write), info),
            Err(conn) => {
                let error = conn.failure().cloned();
                let error = error.unwrap_or_else(|| Misuse::HandshakePending.into());
                (Err(error.clone()), Err(error), ConnectionInfo::default())
            }
        };
        let info = Arc::new(info);
        let receiver = Receiver {
            half: read,
            input,
            mailbox: Arc::clone(&mailbox),
            info: Arc::clone(&info),
        };
        let sender = Sender {
            half: write,
            output,
            mailbox,
            info,
        };
        (receiver, sender)
    }
}

impl Inbound for Driver {
    fn input(&mut self) -> &mut InBuf {
        &mut self.input
    }

    fn step(&mut self) -> Result<Event, Error> {
        // The answer to what arrived may be an alert, and nothing can be sealed after that.
        self.seal_gathered()?;
        let Self {
            conn,
            input,
            output,
            asked,
        } = self;
        let event = process(input, |bytes| conn.process(bytes, &mut output.buffer))?;
        match &event {
            Event::ClientAuthenticated => *asked = Asked::Answered(true),
            Event::ClientDeclined => *asked = Asked::Answered(false),
            _ => {}
        }
        Ok(event)
    }

    fn end_of_input(&self) -> Result<(), Error> {
        self.conn.end_of_input()
    }
}

impl Outbound for Driver {
    fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    fn seal(&mut self, parts: &[&[u8]]) -> Result<usize, Error> {
        self.conn.write(parts, &mut self.output.buffer)
    }

    fn attend(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        self.seal_gathered()?;
        self.conn.close(&mut self.output.buffer);
        Ok(())
    }
}

/// What the receiving direction of a split connection tells the sending one. Nobody ever waits.
#[derive(Debug, Default)]
struct Mailbox {
    /// The peer asked for new keys. Several such requests need only one answer (RFC 9846,
    /// Section 4.7.3).
    update_key: AtomicBool,
    /// The peer updated its key, so it may be asked to again.
    key_updated: AtomicBool,
    /// The peer wants to renegotiate. One refusal is enough for several such requests.
    #[cfg(feature = "tls12")]
    refuse_renegotiation: AtomicBool,
    /// Receiving failed: the peer is to be told.
    failure: OnceLock<Error>,
}

impl Mailbox {
    fn flag(&self, action: PeerAction) -> Option<&AtomicBool> {
        match action {
            PeerAction::UpdateKey => Some(&self.update_key),
            PeerAction::KeyUpdated => Some(&self.key_updated),
            #[cfg(feature = "tls12")]
            PeerAction::RefuseRenegotiation => Some(&self.refuse_renegotiation),
            _ => None,
        }
    }

    fn put(&self, action: PeerAction) {
        if let Some(flag) = self.flag(action) {
            flag.store(true, Ordering::Release);
        }
    }

    /// Takes out the actions that were put in, each once.
    fn take(&self) -> impl Iterator<Item = PeerAction> {
        let actions = [
            PeerAction::KeyUpdated,
            PeerAction::UpdateKey,
            #[cfg(feature = "tls12")]
            PeerAction::RefuseRenegotiation,
        ];
        actions.into_iter().filter(|action| {
            self.flag(*action)
                // To look costs nothing, and almost always nothing is there.
                .is_some_and(|flag| {
                    flag.load(Ordering::Relaxed) && flag.swap(false, Ordering::Acquire)
                })
        })
    }
}

/// The receiving direction of a split connection.
pub(crate) struct Receiver {
    half: Result<ReadHalf, Error>,
    input: InBuf,
    mailbox: Arc<Mailbox>,
    pub(crate) info: Arc<ConnectionInfo>,
}

impl Receiver {
    pub(crate) const fn memory(&self) -> usize {
        self.input.capacity()
    }
}

impl Inbound for Receiver {
    fn input(&mut self) -> &mut InBuf {
        &mut self.input
    }

    fn step(&mut self) -> Result<Event, Error> {
        loop {
            let half = self.half.as_mut().map_err(|error| error.clone())?;
            match process(&mut self.input, |bytes| half.process(bytes)) {
                Ok(Event::PeerAction(action)) => self.mailbox.put(action),
                Ok(event) => return Ok(event),
                Err(error) => {
                    // The first failure counts; there is no second.
                    let _ = self.mailbox.failure.set(error.clone());
                    self.half = Err(error);
                }
            }
        }
    }

    fn end_of_input(&self) -> Result<(), Error> {
        match &self.half {
            Ok(half) => half.end_of_input(),
            Err(error) => Err(error.clone()),
        }
    }
}

/// The sending direction of a split connection.
pub(crate) struct Sender {
    half: Result<WriteHalf, Error>,
    output: Output,
    mailbox: Arc<Mailbox>,
    pub(crate) info: Arc<ConnectionInfo>,
}

impl Sender {
    pub(crate) fn memory(&self) -> usize {
        self.output.capacity()
    }

    pub(crate) fn update_key(&mut self, ask_peer: bool) -> Result<(), Error> {
        self.attend()?;
        self.seal_gathered()?;
        let half = self.half.as_mut().map_err(|error| error.clone())?;
        half.update_key(ask_peer, &mut self.output.buffer)
    }
}

impl Outbound for Sender {
    fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    fn seal(&mut self, parts: &[&[u8]]) -> Result<usize, Error> {
        let half = self.half.as_mut().map_err(|error| error.clone())?;
        half.write(parts, &mut self.output.buffer)
    }

    fn attend(&mut self) -> Result<(), Error> {
        if let Some(error) = self.mailbox.failure.get().cloned()
            && self.half.is_ok()
        {
            // What was written before comes before the alert. If it cannot be sealed it is lost,
            // and so is the connection.
            let _ = self.seal_gathered();
            self.output.gathered.clear();
            if let Ok(half) = &mut self.half {
                half.fail(&error, &mut self.output.buffer);
            }
            self.half = Err(error);
        }
        let half = self.half.as_mut().map_err(|error| error.clone())?;
        for action in self.mailbox.take() {
            half.apply(action, &mut self.output.buffer)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        self.seal_gathered()?;
        if let Ok(half) = &mut self.half {
            half.close(&mut self.output.buffer);
        }
        Ok(())
    }
}
