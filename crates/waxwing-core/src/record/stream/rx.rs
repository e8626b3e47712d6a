//! The receiving side: finds, checks and opens records in the caller's buffer.

use core::ops::Range;

use waxwing_crypto::Digest;

use crate::Error;
use crate::error::{Misuse, PeerError};
use crate::limits::{MAX_CIPHERTEXT, MAX_EMPTY_RECORDS, MAX_PLAINTEXT, RECORD_HEADER};
use crate::record::joiner::{Joiner, Message};
use crate::record::protect::OpenKey;
#[cfg(feature = "tls12")]
use crate::record::protect12::Keys12;
use crate::record::{ContentType, EpochKeys};

/// What [`Rx::open`] found at the front of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Not a whole record. This many more bytes (at least 1) complete its header or, once that
    /// is there, the record: whoever reads no more than that never reads past its end.
    NeedInput(usize),
    /// A record.
    Record {
        content_type: ContentType,
        /// Where its content is, in the input.
        body: Range<usize>,
        /// Bytes of the input that it took.
        consumed: usize,
    },
    /// A record of early data that this side does not accept was dropped (see
    /// [`Rx::skip_early_data`]); the next one may follow.
    Skipped {
        /// Bytes of the input that it took.
        consumed: usize,
    },
}

/// The receiving state of a connection.
pub(crate) struct Rx {
    key: Option<OpenKey>,
    /// Messages cut over several records, and those that must wait.
    pub(crate) joiner: Joiner,
    /// Bytes of early data that may still be dropped; `None` when no more is to come.
    skip_budget: Option<u32>,
    /// Bytes of content that a protected record may have; at most 2^14.
    pub(crate) max_content: usize,
    /// Records without content, in a row.
    empty_records: u8,
    /// Whether the peer sent a whole record yet.
    started: bool,
}

impl Rx {
    pub(crate) const fn new() -> Self {
        Self {
            key: None,
            joiner: Joiner::new(),
            skip_budget: None,
            max_content: MAX_PLAINTEXT,
            empty_records: 0,
            started: false,
        }
    }

    /// Goes on where another stopped, after the handshake and between two messages.
    pub(crate) const fn resume(key: OpenKey, max_content: usize, empty_records: u8) -> Self {
        Self {
            key: Some(key),
            joiner: Joiner::new(),
            skip_budget: None,
            max_content,
            empty_records,
            started: true,
        }
    }

    /// What opens the next record.
    pub(crate) const fn key(&self) -> Option<&OpenKey> {
        self.key.as_ref()
    }

    /// Records without content, in a row, up to now.
    pub(crate) const fn empty_records(&self) -> u8 {
        self.empty_records
    }

    /// Opens the record at the front of `input` in place.
    #[inline(always)]
    pub(crate) fn open(&mut self, input: &mut [u8]) -> Result<Opened, Error> {
        let available = input.len();
        let Some((header, rest)) = input.split_first_chunk_mut::<RECORD_HEADER>() else {
            return Ok(Opened::NeedInput(RECORD_HEADER.saturating_sub(available)));
        };
        let header = &*header;
        let body_len = self.check_header(header)?;
        let consumed = RECORD_HEADER.saturating_add(body_len);
        let Some(body) = rest.get_mut(..body_len) else {
            return Ok(Opened::NeedInput(consumed.saturating_sub(available)));
        };
        self.started = true;
        let outer_type = ContentType(header[0]);
        let (content_type, place) = if self.protects(outer_type) {
            match self.open_protected(header, body)? {
                Some(opened) => opened,
                None => return Ok(Opened::Skipped { consumed }),
            }
        } else {
            self.check_plaintext(outer_type, body)?;
            (outer_type, 0..body_len)
        };
        self.check_content(content_type, place.len())?;
        let in_input = |place: usize| RECORD_HEADER.saturating_add(place);
        Ok(Opened::Record {
            content_type,
            body: in_input(place.start)..in_input(place.end),
            consumed,
        })
    }

    /// Whether a record that shows this type is protected. In TLS 1.3 all of those look like
    /// application data; in TLS 1.2 a record keeps its type.
    #[inline]
    fn protects(&self, outer_type: ContentType) -> bool {
        outer_type == ContentType::APPLICATION_DATA
            || self.key.as_ref().is_some_and(OpenKey::is_tls12)
    }

    /// The next message, as [`Joiner::take`] finds it, and the traffic secret of TLS 1.3 that
    /// its end was protected under.
    pub(crate) fn message<'a, 'f: 'a>(
        &'a mut self,
        fragment: &mut &'f [u8],
    ) -> Result<Option<(Message<'a>, Option<&'a Digest>)>, Error> {
        let secret = self.key.as_ref().and_then(OpenKey::traffic_secret);
        let message = self.joiner.take(fragment)?;
        Ok(message.map(|message| (message, secret)))
    }

    /// Records from now on are protected with these keys.
    ///
    /// The caller sees to it that no handshake bytes are left in the record at hand, this
    /// function that none wait in the joiner (RFC 9846, Section 5.1).
    pub(crate) fn install(&mut self, keys: &EpochKeys) -> Result<(), Error> {
        self.check_boundary()?;
        self.key = Some(OpenKey::new(keys)?);
        Ok(())
    }

    /// Records from now on are protected with these keys: a change_cipher_spec of TLS 1.2 came.
    #[cfg(feature = "tls12")]
    pub(crate) fn change_keys(&mut self, keys: &Keys12) -> Result<(), Error> {
        self.check_boundary()?;
        self.key = Some(OpenKey::new12(keys)?);
        Ok(())
    }

    /// Records from now on are protected with the next generation of keys: the peer sent a
    /// KeyUpdate (RFC 9846, Section 4.7.3).
    pub(crate) fn update_key(&mut self) -> Result<(), Error> {
        self.check_boundary()?;
        let key = self.key.as_mut().ok_or(Misuse::HandshakePending)?;
        key.update()
    }

    /// A client sends early data that this server does not accept (RFC 9846, Section 4.3.10).
    ///
    /// Before keys are installed (the server asked for another ClientHello) application data
    /// records are dropped until a handshake record comes; with keys, records that do not open
    /// until one does. The dropped records, headers included, may be `budget` bytes together.
    pub(crate) const fn skip_early_data(&mut self, budget: u32) {
        self.skip_budget = Some(budget);
    }

    /// Checks everything that a header tells, before the body is waited for; returns the
    /// length of the body.
    #[inline]
    fn check_header(&self, header: &[u8; RECORD_HEADER]) -> Result<usize, Error> {
        // Nothing speaks against a record like this one, which nearly all are.
        const DATA: u8 = ContentType::APPLICATION_DATA.0;
        if let &[DATA, 3, 3, high, low] = header
            && let len = usize::from(u16::from_be_bytes([high, low]))
            && len <= MAX_CIPHERTEXT
            && self.started
            && self.key.is_some()
        {
            return Ok(len);
        }
        self.check_rare_header(header)
    }

    #[cold]
    fn check_rare_header(&self, header: &[u8; RECORD_HEADER]) -> Result<usize, Error> {
        if !self.started {
            check_first_bytes(header)?;
        }
        // RFC 9846, Section 5.1: the version must be ignored. Only the first record's tells
        // whether this is TLS at all, and those under a key of TLS 1.2 are of that version.
        let &[typ, _, _, len_high, len_low] = header;
        let len = usize::from(u16::from_be_bytes([len_high, len_low]));
        let typ = ContentType(typ);
        if !self.allows(typ) {
            return Err(unexpected(typ).into());
        }
        // RFC 5246, Section 6.2.1: no other in TLS 1.2.
        if self.key.as_ref().is_some_and(OpenKey::is_tls12) && !matches!(header, [_, 3, 3, ..]) {
            return Err(PeerError::RecordVersion.into());
        }
        if self.protects(typ) {
            // RFC 9846, Section 5.2.
            if len > MAX_CIPHERTEXT {
                return Err(PeerError::RecordOverflow.into());
            }
            return Ok(len);
        }
        if len > MAX_PLAINTEXT {
            return Err(PeerError::RecordOverflow.into());
        }
        // RFC 9846, Section 5: exactly the single byte 1.
        if typ == ContentType::CHANGE_CIPHER_SPEC && len != 1 {
            return Err(PeerError::UnexpectedChangeCipherSpec.into());
        }
        if len == 0 {
            return Err(PeerError::EmptyHandshakeRecord.into());
        }
        Ok(len)
    }

    /// Whether a record with this type on the outside may come now.
    fn allows(&self, typ: ContentType) -> bool {
        match (&self.key, typ) {
            // The one change_cipher_spec has come; another would start a renegotiation.
            (Some(key), typ) if key.is_tls12() => typ != ContentType::CHANGE_CIPHER_SPEC,
            (_, ContentType::CHANGE_CIPHER_SPEC)
            | (None, ContentType::ALERT | ContentType::HANDSHAKE)
            | (Some(_), ContentType::APPLICATION_DATA) => true,
            (None, ContentType::APPLICATION_DATA) => self.skip_budget.is_some(),
            // A peer that could not make sense of our hello has no keys for its alert.
            (Some(key), ContentType::ALERT) => key.is_untried_handshake_key(),
            _ => false,
        }
    }

    /// Opens a protected record; `None` if it is early data to drop.
    #[inline(always)]
    fn open_protected(
        &mut self,
        header: &[u8; RECORD_HEADER],
        body: &mut [u8],
    ) -> Result<Option<(ContentType, Range<usize>)>, Error> {
        let failure = match &mut self.key {
            None => PeerError::UnexpectedRecord.into(),
            Some(key) => match key.open(header, body, self.max_content) {
                // RFC 9846, Section 5: a protected one is forbidden.
                Ok((ContentType::CHANGE_CIPHER_SPEC, _)) => {
                    return Err(PeerError::UnexpectedChangeCipherSpec.into());
                }
                Ok(opened) => {
                    self.skip_budget = None;
                    return Ok(Some(opened));
                }
                Err(error) => error,
            },
        };
        self.drop_early_data(body.len(), failure).map(|()| None)
    }

    /// Drops a record with a body of `len` bytes that could not be opened because of `failure`,
    /// which it returns if that is not early data to drop.
    #[cold]
    fn drop_early_data(&mut self, len: usize, failure: Error) -> Result<(), Error> {
        let (Some(budget), Error::Peer(PeerError::BadRecordMac | PeerError::UnexpectedRecord)) =
            (self.skip_budget, &failure)
        else {
            return Err(failure);
        };
        let dropped = u32::try_from(RECORD_HEADER.saturating_add(len)).unwrap_or(u32::MAX);
        self.skip_budget = Some(budget.checked_sub(dropped).ok_or(failure)?);
        Ok(())
    }

    fn check_plaintext(&mut self, typ: ContentType, body: &[u8]) -> Result<(), Error> {
        match typ {
            ContentType::CHANGE_CIPHER_SPEC if body != [1] => {
                Err(PeerError::UnexpectedChangeCipherSpec.into())
            }
            ContentType::HANDSHAKE => {
                // The second ClientHello: no early data follows it.
                self.skip_budget = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The rules for what was inside, protected or not.
    #[inline]
    pub(crate) fn check_content(&mut self, typ: ContentType, len: usize) -> Result<(), Error> {
        match typ {
            ContentType::ALERT | ContentType::HANDSHAKE if len == 0 => {
                return Err(PeerError::EmptyHandshakeRecord.into());
            }
            ContentType::CHANGE_CIPHER_SPEC
            | ContentType::ALERT
            | ContentType::HANDSHAKE
            | ContentType::APPLICATION_DATA => {}
            other => return Err(unexpected(other).into()),
        }
        // RFC 9846, Section 5.1: no other record between the parts of a message.
        if typ != ContentType::HANDSHAKE && !self.joiner.is_empty() {
            return Err(PeerError::InterleavedRecord.into());
        }
        if typ == ContentType::ALERT {
            // A warning carries nothing either, but it has a limit of its own.
        } else if len > 0 {
            self.empty_records = 0;
        } else if self.empty_records < MAX_EMPTY_RECORDS {
            self.empty_records = self.empty_records.saturating_add(1);
        } else {
            return Err(PeerError::TooManyEmptyRecords.into());
        }
        Ok(())
    }

    fn check_boundary(&self) -> Result<(), Error> {
        if self.joiner.is_empty() {
            Ok(())
        } else {
            Err(PeerError::MessageSpansKeyChange.into())
        }
    }
}

/// Why a record of this type may not come now.
const fn unexpected(typ: ContentType) -> PeerError {
    match typ {
        ContentType::CHANGE_CIPHER_SPEC => PeerError::UnexpectedChangeCipherSpec,
        ContentType::HEARTBEAT => PeerError::Heartbeat,
        _ => PeerError::UnexpectedRecord,
    }
}

/// Tells what the peer speaks if its first bytes are not TLS.
fn check_first_bytes(header: &[u8; RECORD_HEADER]) -> Result<(), PeerError> {
    match header {
        [b'G', b'E', b'T', b' ', _]
        | [b'P', b'U', b'T', b' ', _]
        | [b'P', b'R', b'I', b' ', b'*']
        | b"POST "
        | b"HEAD "
        | b"PATCH"
        | b"TRACE"
        | b"DELET"
        | b"OPTIO"
        | b"CONNE"
        | b"HTTP/" => Err(PeerError::PlaintextHttp),
        // RFC 6101, Appendix E: a length of two bytes with its high bit set, then client_hello.
        [high, _, 1, _, _] if high & 0x80 != 0 => Err(PeerError::Ssl2Hello),
        [_, major, ..] if *major != 3 => Err(PeerError::NotTls),
        _ => Ok(()),
    }
}
