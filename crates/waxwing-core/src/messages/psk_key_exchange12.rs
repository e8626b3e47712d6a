//! The key exchange of the PSK and ECDHE_PSK suites of TLS 1.2 (RFC 4279, Section 2; RFC 5489,
//! Section 2). Nothing in it is signed: the key itself vouches for both sides.

use alloc::vec::Vec;

use waxwing_crypto::{Authentication12, NamedGroup};
use zeroize::Zeroizing;

use super::server_key_exchange::{NAMED_CURVE, write_params};
use crate::Error;
use crate::codec::{Read, Reader, Writer};
use crate::error::PeerError;

/// A public value and its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ephemeral<'a> {
    pub(crate) group: NamedGroup,
    /// Not empty.
    pub(crate) public: &'a [u8],
}

/// ServerKeyExchange. Where nothing is exchanged and there is no hint, it is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PskServerKeyExchange<'a> {
    /// `psk_identity_hint`: which identity to use; empty if there is nothing to say.
    pub(crate) hint: &'a [u8],
    /// There with ECDHE_PSK alone.
    pub(crate) share: Option<Ephemeral<'a>>,
}

impl<'a> PskServerKeyExchange<'a> {
    /// Reads the body, for suites of that kind.
    pub(crate) fn read(body: &'a [u8], kind: Authentication12) -> Result<Self, Error> {
        let mut reader = Reader::new("ServerKeyExchange", body);
        let hint = reader.vec16("psk_identity_hint")?.take_rest();
        let mut share = None;
        if kind == Authentication12::EcdhePsk {
            // RFC 8422, Section 5.4.
            if reader.u8()? != NAMED_CURVE {
                return Err(PeerError::CurveType.into());
            }
            share = Some(Ephemeral {
                group: NamedGroup::read(&mut reader)?,
                public: reader.vec8("ECPoint")?.non_empty()?.take_rest(),
            });
        }
        reader.finish()?;
        Ok(Self { hint, share })
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.vec16(|w| {
            w.bytes(self.hint);
            Ok(())
        })?;
        match self.share {
            Some(share) => write_params(w, share.group, share.public),
            None => Ok(()),
        }
    }
}

/// ClientKeyExchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PskClientKeyExchange<'a> {
    /// `psk_identity`.
    pub(crate) identity: &'a [u8],
    /// The public value, there with ECDHE_PSK alone.
    pub(crate) public: Option<&'a [u8]>,
}

impl<'a> PskClientKeyExchange<'a> {
    /// Reads the body, for suites of that kind.
    pub(crate) fn read(body: &'a [u8], kind: Authentication12) -> Result<Self, Error> {
        let mut reader = Reader::new("ClientKeyExchange", body);
        let identity = reader.vec16("psk_identity")?.take_rest();
        let public = match kind {
            Authentication12::EcdhePsk => Some(reader.vec8("ECPoint")?.non_empty()?.take_rest()),
            _ => None,
        };
        reader.finish()?;
        Ok(Self { identity, public })
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.vec16(|w| {
            w.bytes(self.identity);
            Ok(())
        })?;
        match self.public {
            Some(public) => w.vec8(|w| {
                w.bytes(public);
                Ok(())
            }),
            None => Ok(()),
        }
    }
}

/// The premaster secret: what was exchanged, or as many zeros as the key has bytes, and the key
/// (RFC 4279, Section 2; RFC 5489, Section 2).
pub(crate) fn premaster(shared: Option<&[u8]>, key: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let zeros = Zeroizing::new(alloc::vec![0; key.len()]);
    let other = shared.unwrap_or(&zeros);
    // Room for all of it, so that no part of it is left behind by growing.
    let len = other.len().saturating_add(key.len()).saturating_add(4);
    let mut secret = Zeroizing::new(Vec::with_capacity(len));
    let mut w = Writer::new(&mut secret);
    for part in [other, key] {
        w.vec16(|w| {
            w.bytes(part);
            Ok(())
        })?;
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, malformed, written};
    use super::*;
    use crate::error::Problem;

    const KINDS: [Authentication12; 2] = [Authentication12::EcdhePsk, Authentication12::Psk];

    #[test]
    fn what_is_written_is_read() {
        for kind in KINDS {
            let share = (kind == Authentication12::EcdhePsk).then_some(Ephemeral {
                group: NamedGroup::X25519,
                public: &[7, 8],
            });
            let hint = b"hint";
            let message = PskServerKeyExchange { hint, share };
            let body = written(|w| message.write(w));
            assert_eq!(PskServerKeyExchange::read(&body, kind), Ok(message));
            assert_exact(&body, &[], |body| {
                PskServerKeyExchange::read(body, kind).map(|_| ())
            });
            let message = PskClientKeyExchange {
                identity: b"who",
                public: share.map(|share| share.public),
            };
            let body = written(|w| message.write(w));
            assert_eq!(body[..5], *b"\0\x03who");
            assert_eq!(PskClientKeyExchange::read(&body, kind), Ok(message));
            assert_exact(&body, &[], |body| {
                PskClientKeyExchange::read(body, kind).map(|_| ())
            });
        }
    }

    #[test]
    fn what_is_not_exchanged_is_refused() {
        let kind = Authentication12::EcdhePsk;
        let curve = PskServerKeyExchange::read(&[0, 0, 1, 0, 29, 1, 7], kind);
        assert_eq!(curve, Err(PeerError::CurveType.into()));
        let empty = malformed("ECPoint", Problem::Length);
        let server = PskServerKeyExchange::read(&[0, 0, 3, 0, 29, 0], kind);
        assert_eq!(server, Err(empty.clone()));
        let client = PskClientKeyExchange::read(&[0, 0, 0], kind);
        assert_eq!(client, Err(empty));
    }

    #[test]
    fn the_premaster_secret_is_that_of_the_rfcs() {
        let plain = premaster(None, b"key").unwrap();
        assert_eq!(**plain, *b"\0\x03\0\0\0\0\x03key");
        let mixed = premaster(Some(b"shared"), b"key").unwrap();
        assert_eq!(**mixed, *b"\0\x06shared\0\x03key");
    }
}
