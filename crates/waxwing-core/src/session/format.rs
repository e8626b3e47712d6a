//! Sessions as bytes, and back. The layout is in `docs/internals/sessions.md`.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use waxwing_crypto::{CipherSuite, Digest};
use zeroize::Zeroizing;

use super::{PeerIdentity, Session, Vouched};
use crate::codec::{Reader, Writer};
use crate::limits::{MAX_CHAIN, MAX_SESSION_BYTES};
use crate::messages::{CertificateType, ProtocolVersion};
use crate::{DecodeError, Error};

/// What every encoding begins with: whose it is, then the number of the layout.
const MAGIC: [u8; 4] = *b"WXS\x01";

/// Bits of the flags.
const EXTENDED_MAIN_SECRET: u8 = 1;
const OCSP: u8 = 2;
const SCTS: u8 = 4;
const KNOWN_FLAGS: u8 = EXTENDED_MAIN_SECRET | OCSP | SCTS;

/// Why bytes are no session of this library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSession {
    /// They do not begin as one does.
    NotASession,
    /// They do, but in a layout that this release does not know: the number it gives.
    UnknownLayout(u8),
    /// There are more than any session has.
    TooLong,
    /// Something is cut short, too long or too much; the field is named.
    Malformed(DecodeError),
    /// A value that no session has; the field is named.
    Value(&'static str),
}

impl fmt::Display for InvalidSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASession => f.write_str("these bytes are no session of Waxwing"),
            Self::UnknownLayout(layout) => {
                write!(f, "a session of layout {layout}, which is not known here")
            }
            Self::TooLong => write!(f, "a session has at most {MAX_SESSION_BYTES} bytes"),
            Self::Malformed(error) => write!(f, "a session that is damaged: {error}"),
            Self::Value(field) => write!(f, "a session whose {field} cannot be"),
        }
    }
}

impl core::error::Error for InvalidSession {}

impl From<DecodeError> for InvalidSession {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl Session {
    /// Writes it down, its secret included: keep the bytes as a key is kept.
    ///
    /// The layout is versioned: a later release reads what an earlier one wrote, or says that it
    /// cannot. `None` if something in it is too long to be written.
    ///
    /// What a verifier noted of the peer is not part of it. A session that is read again has its
    /// peer's certificates judged anew before it is used.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(256));
        self.write(&mut Writer::new(&mut bytes)).ok()?;
        (bytes.len() <= MAX_SESSION_BYTES).then_some(bytes)
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.bytes(&MAGIC);
        w.u16(self.version.0);
        w.u16(self.cipher_suite.0);
        let flag = |on, bit| if on { bit } else { 0 };
        w.u8(flag(self.extended_main_secret, EXTENDED_MAIN_SECRET)
            | flag(self.peer.ocsp.is_some(), OCSP)
            | flag(self.peer.scts.is_some(), SCTS));
        w.u8(self.peer.certificate_type.0);
        w.bytes(&self.issued_at.to_be_bytes());
        w.bytes(&self.authenticated_at.to_be_bytes());
        w.u32(self.lifetime);
        w.u32(self.age_add);
        w.u32(self.max_early_data);
        for short in [
            self.secret.as_ref(),
            self.server_name.as_bytes(),
            &self.alpn,
            &self.context,
            &self.session_id,
        ] {
            w.vec8(|w| {
                w.bytes(short);
                Ok(())
            })?;
        }
        w.vec16(|w| {
            w.bytes(&self.ticket);
            Ok(())
        })?;
        w.vec24(|w| {
            self.peer.chain.iter().try_for_each(|der| {
                w.vec24(|w| {
                    w.bytes(der);
                    Ok(())
                })
            })
        })?;
        for long in [&self.peer.ocsp, &self.peer.scts].into_iter().flatten() {
            w.vec24(|w| {
                w.bytes(long);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// What is wrong with the bytes. There is no panic and no unbounded work in it, whatever they
    /// are; that nobody else wrote them is for the caller to know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSession> {
        if bytes.len() > MAX_SESSION_BYTES {
            return Err(InvalidSession::TooLong);
        }
        let [magic @ .., layout] = MAGIC;
        let Some((&start, rest)) = bytes.split_first_chunk::<4>() else {
            return Err(InvalidSession::NotASession);
        };
        match start {
            MAGIC => Self::read(Reader::new("session", rest)),
            [w, x, s, other] if [w, x, s] == magic => {
                debug_assert_ne!(other, layout);
                Err(InvalidSession::UnknownLayout(other))
            }
            _ => Err(InvalidSession::NotASession),
        }
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, InvalidSession> {
        let version = ProtocolVersion(reader.u16()?);
        if !matches!(version, ProtocolVersion::TLS13 | ProtocolVersion::TLS12) {
            return Err(InvalidSession::Value("version"));
        }
        let cipher_suite = CipherSuite(reader.u16()?);
        let flags = reader.u8()?;
        if flags & !KNOWN_FLAGS != 0 {
            return Err(InvalidSession::Value("flags"));
        }
        let certificate_type = CertificateType(reader.u8()?);
        let issued_at = u64::from_be_bytes(*reader.array()?);
        let authenticated_at = u64::from_be_bytes(*reader.array()?);
        let lifetime = reader.u32()?;
        let age_add = reader.u32()?;
        let max_early_data = reader.u32()?;
        let secret = reader.vec8("secret")?.non_empty()?.take_rest();
        let secret = Digest::from_slice(secret).ok_or(InvalidSession::Value("secret"))?;
        let name = reader.vec8("server_name")?.take_rest();
        let name = String::from_utf8(name.into()).map_err(|_| InvalidSession::Value("name"))?;
        let alpn = reader.vec8("alpn")?.take_rest();
        let context = reader.vec8("context")?.take_rest();
        let session_id = reader.vec8("session_id")?.take_rest();
        if session_id.len() > 32 {
            return Err(InvalidSession::Value("session_id"));
        }
        let ticket = reader.vec16("ticket")?.take_rest();
        let chain = read_chain(reader.vec24("chain")?)?;
        let mut long = |bit, name| {
            if flags & bit == 0 {
                return Ok(None);
            }
            let field: Box<[u8]> = reader.vec24(name)?.take_rest().into();
            Ok::<_, DecodeError>(Some(field))
        };
        let ocsp = long(OCSP, "ocsp")?;
        let scts = long(SCTS, "scts")?;
        reader.finish()?;
        Ok(Self {
            version,
            cipher_suite,
            secret,
            issued_at,
            authenticated_at,
            lifetime,
            age_add,
            max_early_data,
            server_name: name,
            alpn: alpn.into(),
            context: context.into(),
            extended_main_secret: flags & EXTENDED_MAIN_SECRET != 0,
            ticket: ticket.into(),
            session_id: session_id.into(),
            peer: PeerIdentity {
                certificate_type,
                chain: chain.into(),
                ocsp,
                scts,
            },
            vouched: Vouched::default(),
        })
    }
}

fn read_chain(mut reader: Reader<'_>) -> Result<Vec<Box<[u8]>>, InvalidSession> {
    let mut chain = Vec::new();
    while !reader.is_empty() {
        if chain.len() == MAX_CHAIN {
            return Err(InvalidSession::Value("chain"));
        }
        chain.push(reader.vec24("certificate")?.non_empty()?.take_rest().into());
    }
    Ok(chain)
}
