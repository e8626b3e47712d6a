//! What a test does on its connection.

use crate::checks;
use crate::errors::Failure;
use crate::memory::Memory;
use crate::options::Options;
use crate::session::{Session, Step};

/// One connection of a test.
pub(crate) struct Exchange<'a> {
    pub(crate) options: &'a Options,
    /// What holds once a client's early data was rejected.
    pub(crate) retry: &'a Options,
    /// Whether it has a session to resume.
    pub(crate) resumed: bool,
    /// Whether the early data was rejected.
    pub(crate) rejected: bool,
}

/// How an attempt ended.
enum Ended {
    /// Whether the peer ended it cleanly.
    Well(bool),
    /// Early data was rejected: all has to be said again.
    Rejected,
}

impl Exchange<'_> {
    /// Runs a test on `session`.
    pub(crate) fn run(mut self, session: &mut Session, memory: &Memory) -> Result<(), Failure> {
        let mut ended = self.attempt(session)?;
        if matches!(ended, Ended::Rejected) {
            if self.options.expect.early_data != Some(false) {
                return Err(Failure::Unexpected("early data was rejected".into()));
            }
            self.options = self.retry;
            self.rejected = true;
            ended = self.attempt(session)?;
        } else if self.resumed && !self.options.server {
            let expected = self.options.expect.early_data == Some(false);
            if expected {
                return Err(Failure::Unexpected("early data was not rejected".into()));
            }
        }
        let Ended::Well(clean) = ended else {
            return Err(Failure::Unexpected("early data was rejected twice".into()));
        };
        checks::new_session(self.options, session, memory)?;
        if self.options.shuts_down {
            return shut_down(self.options, session);
        }
        if self.options.check_close_notify {
            session.close();
            if !clean {
                return Err(session.judge_end());
            }
        }
        Ok(())
    }

    /// Whether a client's early data was rejected just now.
    fn is_rejected(&self, session: &Session) -> bool {
        !self.rejected && session.is_rejected()
    }

    fn attempt(&self, session: &mut Session) -> Result<Ended, Failure> {
        let options = self.options;
        let mut checked = false;
        if !options.implicit_handshake {
            session.handshake()?;
            if self.is_rejected(session) {
                return Ok(Ended::Rejected);
            }
            if session.is_complete() {
                checks::handshake(self, session)?;
                checked = true;
            } else if options.expect.no_early_offer {
                return Err(Failure::Unexpected("early data was offered".into()));
            }
            if let Some(message) = options.early_write_after {
                session.handshake_until(message)?;
            }
        }
        exports(options, session)?;
        if options.unfinished_write {
            session.handshake()?;
            session.hold();
            session.write(&options.initial_write)?;
        } else if options.writes_first {
            session.handshake()?;
            for _ in 0..options.initial_writes {
                session.write(&options.initial_write)?;
            }
        }
        if options.shuts_down {
            session.handshake()?;
            return Ok(Ended::Well(true));
        }
        self.echo(session, checked)
    }

    /// Sends back all that comes, every bit the other way round.
    fn echo(&self, session: &mut Session, mut checked: bool) -> Result<Ended, Failure> {
        let options = self.options;
        loop {
            if options.key_update_before_read {
                session.handshake()?;
                session.update_key()?;
            }
            let data = match session.step()? {
                Step::Early => continue,
                Step::Complete => {
                    if self.is_rejected(session) {
                        return Ok(Ended::Rejected);
                    }
                    if !checked {
                        checks::handshake(self, session)?;
                        checked = true;
                    }
                    continue;
                }
                Step::Data(data) => data,
                Step::Closed => return Ok(Ended::Well(true)),
                Step::End if !session.is_complete() => return Err(session.judge_end()),
                Step::End => return Ok(Ended::Well(false)),
            };
            session.release();
            answer(options, session, &data)?;
        }
    }
}

/// Answers what was read.
fn answer(options: &Options, session: &mut Session, data: &[u8]) -> Result<(), Failure> {
    if options.export_between_reads {
        export(session, b"", None, &mut [0])?;
    }
    let mut parts = data.chunks(options.read_size).peekable();
    while let Some(part) = parts.next() {
        if options.key_update {
            session.update_key()?;
        }
        let answer: Vec<u8> = part.iter().map(|byte| byte ^ 0xff).collect();
        session.write(&answer)?;
        if options.key_update_before_read && parts.peek().is_some() {
            session.update_key()?;
        }
    }
    Ok(())
}

/// Sends what the runner compares with its own secrets.
fn exports(options: &Options, session: &mut Session) -> Result<(), Failure> {
    if options.export_length > 0 {
        session.handshake()?;
        let mut material = vec![0; options.export_length];
        let context = options
            .use_export_context
            .then_some(&*options.export_context);
        export(session, &options.export_label, context, &mut material)?;
        session.write(&material)?;
    }
    if options.export_traffic_secrets {
        session.handshake()?;
        let [client, server] = session.hooks().seen.lock().secrets.clone();
        let (read, write) = if options.server {
            (client, server)
        } else {
            (server, client)
        };
        let length = u16::try_from(read.len()).unwrap_or(u16::MAX);
        session.write(&length.to_le_bytes())?;
        session.write(&read)?;
        session.write(&write)?;
    }
    Ok(())
}

fn export(
    session: &Session,
    label: &[u8],
    context: Option<&[u8]>,
    out: &mut [u8],
) -> Result<(), Failure> {
    let exporter = session.info().and_then(|info| info.exporter.as_ref());
    let exporter = exporter.ok_or_else(|| Failure::Unexpected("no exporter".into()))?;
    Ok(exporter.export(label, context, out)?)
}

/// Ends the connection before the peer does.
fn shut_down(options: &Options, session: &mut Session) -> Result<(), Failure> {
    if !options.check_close_notify {
        return Ok(());
    }
    session.close();
    loop {
        match session.step()? {
            Step::Closed => return Ok(()),
            Step::End => return Err(session.judge_end()),
            Step::Complete | Step::Early => {}
            Step::Data(_) => {
                return Err(Failure::Unexpected("data after our close_notify".into()));
            }
        }
    }
}
