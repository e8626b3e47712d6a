//! The story of a connection as lines of JSON, for `--trace`.
//!
//! Every line carries the schema's name and `t_us`, microseconds since the start. Fields are
//! only ever added to a schema; anything else makes a new number. No secrets: neither keys, nor
//! tickets, nor cookies, nor Finished values, nor application data.

use core::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use waxwing::{Epoch, Trace, TraceEvent};

mod messages;

use messages::Messages;

/// The name of the format.
const SCHEMA: &str = "waxwing.trace/1";

/// Writes what it hears to a file.
pub(crate) struct TraceFile {
    start: Instant,
    out: Mutex<Out>,
}

struct Out {
    file: BufWriter<File>,
    messages: Messages,
    /// The first failure; tracing must not break the connection, so it is told at the end.
    error: Option<io::Error>,
}

impl TraceFile {
    /// Starts a new file.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            start: Instant::now(),
            out: Mutex::new(Out {
                file: BufWriter::new(File::create(path)?),
                messages: Messages::default(),
                error: None,
            }),
        })
    }

    /// Writes out what is left; tells whether all of it was written.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.error.take() {
            Some(error) => Err(error),
            None => out.file.flush(),
        }
    }
}

impl Trace for TraceFile {
    fn event(&self, event: &TraceEvent<'_>) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(told) = Told::new(event, &mut out.messages) else {
            return;
        };
        let line = Line {
            schema: SCHEMA,
            t_us: u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX),
            told,
        };
        if let Err(error) = line.write(&mut out.file) {
            out.error.get_or_insert(error);
        }
    }
}

impl fmt::Debug for TraceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceFile").finish_non_exhaustive()
    }
}

/// One line.
#[derive(Debug, Serialize)]
struct Line {
    schema: &'static str,
    t_us: u64,
    #[serde(flatten)]
    told: Told,
}

impl Line {
    fn write(&self, file: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *file, self)?;
        file.write_all(b"\n")
    }
}

/// What is told of an event.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Told {
    Record {
        direction: String,
        #[serde(rename = "type")]
        typ: Value,
        length: usize,
        /// What was inside a protected record; only told of received ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        inner_type: Option<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        inner_length: Option<usize>,
    },
    Message {
        direction: String,
        message: String,
        length: usize,
        #[serde(skip_serializing_if = "Value::is_null")]
        detail: Value,
    },
    Alert {
        direction: String,
        description: String,
    },
    Keys {
        direction: String,
        epoch: &'static str,
    },
    /// What the peer offers or uses that is never spoken.
    Refused {
        what: &'static str,
        why: &'static str,
        document: &'static str,
    },
    HandshakeComplete,
    Failed {
        error: String,
        /// What the peer is told.
        alert: Option<String>,
    },
}

impl Told {
    /// `None` for kinds of events that this format does not know.
    fn new(event: &TraceEvent<'_>, messages: &mut Messages) -> Option<Self> {
        Some(match event {
            TraceEvent::Record {
                direction,
                outer_type,
                length,
                inner,
            } => Self::Record {
                direction: direction.to_string(),
                typ: content_type(*outer_type),
                length: *length,
                inner_type: inner.map(|(typ, _)| content_type(typ)),
                inner_length: inner.map(|(_, length)| length),
            },
            TraceEvent::Message {
                direction,
                typ,
                bytes,
            } => Self::Message {
                direction: direction.to_string(),
                message: typ.to_string(),
                length: bytes.len(),
                detail: messages.detail(*typ, bytes),
            },
            TraceEvent::Alert {
                direction,
                description,
            } => Self::Alert {
                direction: direction.to_string(),
                description: description.to_string(),
            },
            TraceEvent::Keys { direction, epoch } => Self::Keys {
                direction: direction.to_string(),
                epoch: epoch_name(*epoch),
            },
            TraceEvent::Refused(refused) => Self::Refused {
                what: refused.what(),
                why: refused.why(),
                document: refused.document(),
            },
            TraceEvent::HandshakeComplete => Self::HandshakeComplete,
            TraceEvent::Failed(error) => Self::Failed {
                error: error.to_string(),
                alert: error.alert().map(|alert| alert.to_string()),
            },
            _ => return None,
        })
    }
}

fn content_type(typ: u8) -> Value {
    match typ {
        20 => "change_cipher_spec".into(),
        21 => "alert".into(),
        22 => "handshake".into(),
        23 => "application_data".into(),
        other => other.into(),
    }
}

const fn epoch_name(epoch: Epoch) -> &'static str {
    match epoch {
        Epoch::Initial => "initial",
        Epoch::Early => "early",
        Epoch::Handshake => "handshake",
        Epoch::Application => "application",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxwing::{AlertDescription, Direction, HandshakeType, Refused};

    #[test]
    fn every_line_is_a_document_of_the_schema() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        let trace = TraceFile::create(&path).unwrap();
        let direction = Direction::Sent;
        trace.event(&TraceEvent::Record {
            direction,
            outer_type: 23,
            length: 7,
            inner: Some((22, 3)),
        });
        trace.event(&TraceEvent::Message {
            direction,
            typ: HandshakeType::FINISHED,
            bytes: b"\x14\0\0\x06secret",
        });
        trace.event(&TraceEvent::Alert {
            direction,
            description: AlertDescription::CLOSE_NOTIFY,
        });
        trace.event(&TraceEvent::Refused(Refused::Rc4));
        trace.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(lines.iter().all(|line| line["schema"] == SCHEMA));
        assert_eq!(lines[0]["inner_type"], "handshake");
        assert_eq!(lines[1]["length"], 10);
        assert_eq!(lines[2]["description"], "close_notify");
        assert_eq!(lines[3]["event"], "refused");
        assert_eq!(lines[3]["what"], "RC4");
        assert_eq!(lines[3]["document"], "RFC 7465");
        assert!(!text.contains("secret"));
    }
}
