//! An established connection whose records the kernel protects (Linux: kernel TLS).
//!
//! ```text
//!   key.rs   KernelKey: what setsockopt takes
//!   mod.rs   Connection::into_kernel; KernelTraffic, which stays and takes what is not data
//! ```

use alloc::boxed::Box;
use core::fmt;

use super::event::{Event, PeerAction};
use super::export::ExportError;
use super::halves::{ReadHalf, WriteHalf};
use super::info::ConnectionInfo;
use super::{Connection, State};
use crate::messages::alert::Alert;
use crate::record::ContentType;
use crate::{AlertDescription, Error};

mod key;

pub use key::KernelKey;

/// The keys for the kernel, and what stays.
#[derive(Debug)]
pub struct ForKernel {
    /// For what is received (TLS_RX).
    pub receive: KernelKey,
    /// For what is sent (TLS_TX).
    pub send: KernelKey,
    /// What stays in the application.
    pub traffic: KernelTraffic,
}

/// What of a connection stays in the application when the kernel protects its records: the traffic
/// secrets, from which the next keys come, and the rules for all that is not data.
///
/// ```text
///   data                 -> read and write the socket, as if it was plain
///   any other record     -> recvmsg with TLS_GET_RECORD_TYPE -> received
///   KernelEvent::ReceiveKey    -> setsockopt TLS_RX
///   KernelEvent::SendAlert     -> sendmsg with TLS_SET_RECORD_TYPE 21
///   is_update_due, update_key  -> sendmsg with TLS_SET_RECORD_TYPE 22, then setsockopt TLS_TX
///   close, fail                -> sendmsg with TLS_SET_RECORD_TYPE 21
/// ```
pub struct KernelTraffic {
    info: Box<ConnectionInfo>,
    read: ReadHalf,
    write: WriteHalf,
}

/// What a record means that the kernel received.
#[derive(Debug)]
#[non_exhaustive]
pub enum KernelEvent {
    /// Nothing that has to be done.
    Nothing,
    /// The peer has a new key: nothing can be received until the kernel has it, too.
    ReceiveKey(KernelKey),
    /// This has to be sent, as the content of a record of type 21 (alert).
    SendAlert([u8; 2]),
    /// The peer sent close_notify: it will send nothing more.
    PeerClosed,
}

/// A new key for what is sent.
#[derive(Debug)]
pub struct KernelUpdate {
    /// The KeyUpdate: to be sent **before** the kernel gets the key, as the content of a record of
    /// type 22 (handshake).
    pub message: [u8; 5],
    /// The key after it.
    pub send: KernelKey,
}

impl Connection {
    /// Hands the protection of records over to the kernel.
    ///
    /// Before it is called all that was received has to be processed, up to a record's end, and
    /// all output has to be sent: the kernel begins at a boundary of records, in both directions.
    /// With `read_ahead` off, or reading no more than the hint of [`Event::NeedInput`] asks for,
    /// that is so whenever nothing waits.
    ///
    /// As in [`Self::split`], authentication of the client after the handshake ends here. Padding
    /// and the limits of record sizes that were agreed on are the kernel's: see
    /// [`KernelTraffic::max_sent_fragment`].
    ///
    /// # Errors
    /// The connection itself, unchanged, and why: as [`Self::export`], or
    /// [`ExportError::NotForKernel`].
    #[expect(
        clippy::result_large_err,
        reason = "the error is the connection, given back"
    )]
    pub fn into_kernel(self) -> Result<ForKernel, (Self, ExportError)> {
        let keys = self.can_export().and_then(|()| self.kernel_keys());
        match (keys, self.state) {
            (Ok((receive, send)), State::Traffic(info, read, write, _)) => Ok(ForKernel {
                receive,
                send,
                traffic: KernelTraffic { info, read, write },
            }),
            (keys, state) => {
                let role = self.role;
                let reason = keys.err().unwrap_or(ExportError::HandshakePending);
                Err((Self { state, role }, reason))
            }
        }
    }

    fn kernel_keys(&self) -> Result<(KernelKey, KernelKey), ExportError> {
        let State::Traffic(_, read, write, _) = &self.state else {
            return Err(ExportError::HandshakePending);
        };
        let receive = read.key()?.raw().map_err(Error::from)?;
        let send = write.key()?.raw().map_err(Error::from)?;
        Ok((KernelKey::new(receive)?, KernelKey::new(send)?))
    }
}

impl KernelTraffic {
    /// What was agreed.
    #[must_use]
    pub const fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    /// Takes a record from the kernel: its type, as `TLS_GET_RECORD_TYPE` tells it, and its
    /// content. Data (type 23) need not be given, but a peer is trusted longer with its KeyUpdates
    /// and other messages if this hears of data between them.
    ///
    /// # Errors
    /// Any breach of the protocol, or the peer's alert: give it to [`Self::fail`], send what that
    /// returns, and close the socket. The same error comes again from every later call.
    pub fn received(&mut self, content_type: u8, content: &[u8]) -> Result<KernelEvent, Error> {
        match self.read.take_opened(ContentType(content_type), content)? {
            Some(Event::PeerClosed) => Ok(KernelEvent::PeerClosed),
            Some(Event::PeerAction(action)) => self.act(action),
            _ => Ok(KernelEvent::Nothing),
        }
    }

    fn act(&mut self, action: PeerAction) -> Result<KernelEvent, Error> {
        #[cfg(feature = "tls12")]
        if action == PeerAction::RefuseRenegotiation {
            let alert = [Alert::WARNING, AlertDescription::NO_RENEGOTIATION.0];
            return Ok(if self.write.is_closed() {
                KernelEvent::Nothing
            } else {
                KernelEvent::SendAlert(alert)
            });
        }
        self.write.note_update(action);
        let key = self.read.key()?.raw()?;
        let key = KernelKey::new(key).map_err(|_| waxwing_crypto::CryptoError::Misuse)?;
        Ok(KernelEvent::ReceiveKey(key))
    }

    /// The kernel has sealed all records up to this sequence number, the one of the next record
    /// (`rec_seq` of what `getsockopt` tells of TLS_TX). To be called from time to time: without
    /// it, nobody knows when a key is worn out.
    pub fn set_send_sequence(&mut self, rec_seq: u64) {
        self.write.sealed_elsewhere(rec_seq);
    }

    /// Records that may be sealed before [`Self::update_key`] is due, or, in TLS 1.2, before the
    /// connection has to be closed (RFC 9846, Section 5.5), counted from the last
    /// [`Self::set_send_sequence`]. What is received has no such limit: a record that does not open
    /// ends the connection.
    #[must_use]
    pub fn records_left(&self) -> u64 {
        self.write.key().map_or(0, |key| key.seals_left())
    }

    /// Whether the next thing to send is a KeyUpdate: the peer asked for it, or the key is worn out.
    /// Never so in TLS 1.2.
    #[must_use]
    pub fn is_update_due(&self) -> bool {
        self.write.owes_update(self.records_left())
    }

    /// Bytes of content that a record may have at most: what the peer, or the configuration,
    /// limits it to. The kernel makes records of up to 16,384 bytes; if this is less, send in
    /// pieces of this size.
    #[must_use]
    pub const fn max_sent_fragment(&self) -> usize {
        self.write.max_fragment()
    }

    /// Changes the sending key; with `ask_peer`, the peer changes its own in turn, unless it was
    /// asked before and has not done so.
    ///
    /// # Errors
    /// [`Misuse::NoKeyUpdate`](crate::Misuse::NoKeyUpdate) in TLS 1.2,
    /// [`Misuse::WriteClosed`](crate::Misuse::WriteClosed) after [`Self::close`];
    /// [`Error::Crypto`] if the provider fails.
    pub fn update_key(&mut self, ask_peer: bool) -> Result<KernelUpdate, Error> {
        let message = self.write.update_elsewhere(ask_peer)?;
        let send = self.write.key()?.raw()?;
        let send = KernelKey::new(send).map_err(|_| waxwing_crypto::CryptoError::Misuse)?;
        Ok(KernelUpdate { message, send })
    }

    /// Nothing more will be sent but this close_notify, the content of a record of type 21. The
    /// second time there is none.
    #[must_use = "the peer has to hear of it"]
    pub fn close(&mut self) -> Option<[u8; 2]> {
        let close = [Alert::WARNING, AlertDescription::CLOSE_NOTIFY.0];
        self.write.end_elsewhere().then_some(close)
    }

    /// What to tell the peer of an error, if it is for the peer: the content of a record of type
    /// 21. Nothing more will be sent.
    #[must_use = "the peer has to hear of it"]
    pub fn fail(&mut self, error: &Error) -> Option<[u8; 2]> {
        let open = self.write.end_elsewhere();
        let description = error.alert().filter(|_| open)?;
        Some([Alert::FATAL, description.0])
    }

    /// Judges the end of the transport: it is an error unless close_notify came first.
    ///
    /// # Errors
    /// [`Error::Truncated`], or what [`Self::received`] failed with.
    pub fn end_of_input(&self) -> Result<(), Error> {
        self.read.end_of_input()
    }
}

impl fmt::Debug for KernelTraffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelTraffic").finish_non_exhaustive()
    }
}
