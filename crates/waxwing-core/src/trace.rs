//! What a connection does, told as it happens. Carries no secrets.

use core::fmt;

use crate::{AlertDescription, Epoch, Error, HandshakeType, Refused};

/// Receives the story of connections. Called in line, so it should be quick.
pub trait Trace: Send + Sync {
    /// Something happened.
    fn event(&self, event: &TraceEvent<'_>);
}

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From us to the peer.
    Sent,
    /// From the peer to us.
    Received,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "sent",
            Self::Received => "received",
        })
    }
}

/// One thing that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum TraceEvent<'a> {
    /// A record went over the wire.
    Record {
        /// Which way.
        direction: Direction,
        /// The type in its header; 23 for every protected record.
        outer_type: u8,
        /// Bytes after the header.
        length: usize,
        /// For a received record: the type and length of what was inside.
        inner: Option<(u8, usize)>,
    },
    /// A handshake message.
    Message {
        /// Which way.
        direction: Direction,
        /// Its type.
        typ: HandshakeType,
        /// All of it, header included.
        bytes: &'a [u8],
    },
    /// An alert.
    Alert {
        /// Which way.
        direction: Direction,
        /// What it says.
        description: AlertDescription,
    },
    /// New keys protect one direction from here on.
    Keys {
        /// Which direction.
        direction: Direction,
        /// Of which epoch.
        epoch: Epoch,
    },
    /// The peer offers or uses something that is known here and never spoken. Each thing is told
    /// once for a message. Most of it is harmless as long as something better is offered too.
    Refused(Refused),
    /// The handshake is complete.
    HandshakeComplete,
    /// The connection failed.
    Failed(&'a Error),
}

impl fmt::Debug for dyn Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace")
    }
}
