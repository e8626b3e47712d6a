//! What a test does on its connection.

use crate::checks;
use crate::errors::Failure;
use crate::options::Options;
use crate::session::{Session, Step};

/// Runs a test on `session`.
pub(crate) fn run(options: &Options, session: &mut Session) -> Result<(), Failure> {
    if !options.implicit_handshake {
        session.handshake()?;
        checks::handshake(options, session)?;
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
        return shut_down(options, session);
    }
    let clean = echo(options, session)?;
    if options.check_close_notify {
        session.close();
        if !clean {
            return Err(session.judge_end());
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
        let [client, server] = session.setup().seen.lock().secrets.clone();
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

/// Sends back all that comes, every bit the other way round. Whether the peer ended it cleanly.
fn echo(options: &Options, session: &mut Session) -> Result<bool, Failure> {
    let mut checked = !options.implicit_handshake;
    loop {
        if options.key_update_before_read {
            session.handshake()?;
            session.update_key()?;
        }
        let data = match session.step()? {
            Step::Complete => {
                if !checked {
                    checks::handshake(options, session)?;
                    checked = true;
                }
                continue;
            }
            Step::Data(data) => data,
            Step::Closed => return Ok(true),
            Step::End => {
                session.handshake()?;
                return Ok(false);
            }
        };
        session.release();
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
    }
}

/// Ends the connection before the peer does.
fn shut_down(options: &Options, session: &mut Session) -> Result<(), Failure> {
    session.handshake()?;
    if !options.check_close_notify {
        return Ok(());
    }
    session.close();
    loop {
        match session.step()? {
            Step::Closed => return Ok(()),
            Step::End => return Err(session.judge_end()),
            Step::Complete => {}
            Step::Data(_) => {
                return Err(Failure::Unexpected("data after our close_notify".into()));
            }
        }
    }
}
