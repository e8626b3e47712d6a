//! ServerKeyExchange of the ECDHE suites of TLS 1.2 (RFC 8422, Section 5.4).

use alloc::vec::Vec;

use waxwing_crypto::{NamedGroup, SignatureScheme};

use crate::Error;
use crate::codec::{Read, Reader, Writer};
use crate::error::PeerError;

/// The ECCurveType `named_curve`.
pub(super) const NAMED_CURVE: u8 = 3;
/// Bytes of ServerECDHParams before the point: the type, the group, the length of the point.
const PARAMS_HEAD: usize = 4;

/// The server's share, signed with the key of its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerKeyExchange<'a> {
    pub(crate) group: NamedGroup,
    /// The public value, not empty.
    pub(crate) public: &'a [u8],
    /// The encoded ServerECDHParams, which the signature covers.
    pub(crate) params: &'a [u8],
    pub(crate) scheme: SignatureScheme,
    pub(crate) signature: &'a [u8],
}

impl<'a> ServerKeyExchange<'a> {
    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("ServerKeyExchange", body);
        let mut params = reader.clone();
        // RFC 8422, Section 5.4: curves of the server's own are no longer allowed.
        if reader.u8()? != NAMED_CURVE {
            return Err(PeerError::CurveType.into());
        }
        let group = NamedGroup::read(&mut reader)?;
        let public = reader.vec8("ECPoint")?.non_empty()?.take_rest();
        let params = params.take(public.len().saturating_add(PARAMS_HEAD))?;
        let scheme = SignatureScheme::read(&mut reader)?;
        let signature = reader.vec16("signature")?.take_rest();
        reader.finish()?;
        Ok(Self {
            group,
            public,
            params,
            scheme,
            signature,
        })
    }

    /// Writes the body: ServerECDHParams as [`write_params`] writes them, and their signature.
    pub(crate) fn write(
        w: &mut Writer<'_>,
        params: &[u8],
        scheme: SignatureScheme,
        signature: &[u8],
    ) -> Result<(), Error> {
        w.bytes(params);
        w.u16(scheme.0);
        w.vec16(|w| {
            w.bytes(signature);
            Ok(())
        })
    }
}

/// Writes ServerECDHParams.
pub(crate) fn write_params(
    w: &mut Writer<'_>,
    group: NamedGroup,
    public: &[u8],
) -> Result<(), Error> {
    w.u8(NAMED_CURVE);
    w.u16(group.0);
    w.vec8(|w| {
        w.bytes(public);
        Ok(())
    })
}

/// What the signature covers: both randoms, so that it is of use in this handshake only, and the
/// parameters (RFC 8422, Section 5.4).
pub(crate) fn signed_content(
    client_random: &[u8; 32],
    server_random: &[u8; 32],
    params: &[u8],
) -> Vec<u8> {
    [client_random, server_random, params].concat()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, malformed, written};
    use super::*;
    use crate::error::Problem;

    const PARAMS: &[u8] = &[3, 0, 0x1d, 2, 7, 8];

    fn body(params: &[u8]) -> Vec<u8> {
        written(|w| {
            let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
            ServerKeyExchange::write(w, params, scheme, b"sig")
        })
    }

    #[test]
    fn what_is_written_is_read() {
        let params = written(|w| write_params(w, NamedGroup::X25519, &[7, 8]));
        assert_eq!(params, PARAMS);
        let body = body(&params);
        assert_eq!(body[6..], [4, 3, 0, 3, b's', b'i', b'g']);
        let expected = ServerKeyExchange {
            group: NamedGroup::X25519,
            public: &[7, 8],
            params: PARAMS,
            scheme: SignatureScheme::ECDSA_SECP256R1_SHA256,
            signature: b"sig",
        };
        assert_eq!(ServerKeyExchange::read(&body), Ok(expected));
        assert_exact(&body, &[], |body| ServerKeyExchange::read(body).map(|_| ()));
    }

    #[test]
    fn only_named_curves_are_read() {
        for typ in (0..=255).filter(|typ| *typ != NAMED_CURVE) {
            let error = ServerKeyExchange::read(&body(&[typ, 0, 0x1d, 1, 7])).unwrap_err();
            assert_eq!(error, PeerError::CurveType.into());
        }
    }

    #[test]
    fn the_public_value_is_not_empty() {
        let error = ServerKeyExchange::read(&body(&[3, 0, 0x1d, 0])).unwrap_err();
        assert_eq!(error, malformed("ECPoint", Problem::Length));
    }

    #[test]
    fn the_signature_covers_both_randoms_in_order() {
        let content = signed_content(&[1; 32], &[2; 32], PARAMS);
        assert_eq!(content, [&[1; 32][..], &[2; 32], PARAMS].concat());
    }
}
