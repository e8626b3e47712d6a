//! How long records may be: `max_fragment_length` (RFC 6066, Section 4) and its successor
//! `record_size_limit` (RFC 8449).

use super::Context;
use crate::config::Common;
use crate::limits::MAX_PLAINTEXT;
use crate::messages::ProtocolVersion;
use crate::messages::extensions::max_fragment_length::MaxFragmentLength;
use crate::record::Flight;
use crate::{Error, PeerError};

/// What one side's hello says about the length of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// The code of `max_fragment_length`.
    pub(super) max_fragment_length: Option<u8>,
    pub(super) record_size_limit: Option<u16>,
}

/// The server's answer to a client's wish. The newer extension wins (RFC 8449, Section 5).
pub(super) fn answer(wish: Wish, config: &Common, version: ProtocolVersion) -> Wish {
    match wish.record_size_limit {
        Some(_) => Wish {
            max_fragment_length: None,
            record_size_limit: Some(config.record_size_limit.unwrap_or_else(|| most(version))),
        },
        None => wish,
    }
}

/// Follows what was agreed: `theirs` is what the peer said, `ours` what we said.
pub(super) fn apply(
    theirs: Wish,
    ours: Wish,
    version: ProtocolVersion,
    cx: &mut Context,
    flight: &mut dyn Flight,
) -> Result<(), Error> {
    let (send, receive) = match (theirs, ours) {
        (
            Wish {
                record_size_limit: Some(send),
                ..
            },
            Wish {
                record_size_limit: Some(receive),
                ..
            },
        ) => (content(send, version), content(receive, version)),
        (
            Wish {
                max_fragment_length: Some(theirs),
                ..
            },
            Wish {
                max_fragment_length: Some(ours),
                ..
            },
        ) => {
            // RFC 6066, Section 4: the answer is what was asked for, or nothing.
            if theirs != ours {
                return Err(PeerError::FragmentLength.into());
            }
            let length = MaxFragmentLength::bytes_of(ours).unwrap_or(MAX_PLAINTEXT);
            (length, length)
        }
        _ => return Ok(()),
    };
    flight.limit_records(send);
    cx.max_received = receive;
    Ok(())
}

/// The largest limit that means something in this version: in TLS 1.3 the content type counts
/// (RFC 8449, Section 4).
const fn most(version: ProtocolVersion) -> u16 {
    const PLAINTEXT: u16 = 1 << 14;
    match version {
        ProtocolVersion::TLS13 => PLAINTEXT + 1,
        _ => PLAINTEXT,
    }
}

/// Bytes of content and padding under a limit.
fn content(limit: u16, version: ProtocolVersion) -> usize {
    let inner_type = u16::from(version == ProtocolVersion::TLS13);
    usize::from(limit.saturating_sub(inner_type)).min(MAX_PLAINTEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_counts_in_tls13_alone() {
        for (version, least, largest) in [
            (ProtocolVersion::TLS12, 64, 16384),
            (ProtocolVersion::TLS13, 63, 16384),
        ] {
            assert_eq!(content(64, version), least);
            assert_eq!(content(most(version), version), largest);
            assert_eq!(content(u16::MAX, version), MAX_PLAINTEXT);
        }
    }
}
