//! Records and messages as bytes, made and read without the engine's own code.

use crate::fake::{CONSTANT_TAG, TAG_LEN};

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

/// `body` behind its length in `N` bytes. Too long a body gets a length that wrapped.
pub(super) fn vec<const N: usize>(body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u64).to_be_bytes();
    [&len[8 - N..], body].concat()
}

/// The explicit nonce of every record of TLS 1.2: the peer may choose any.
const NONCE: [u8; 8] = [0x77; 8];

/// A handshake message.
pub(super) fn message(typ: u8, body: &[u8]) -> Vec<u8> {
    [&[typ], vec::<3>(body).as_slice()].concat()
}

/// An extension.
pub(super) fn extension(typ: u16, data: &[u8]) -> Vec<u8> {
    [&typ.to_be_bytes(), vec::<2>(data).as_slice()].concat()
}

/// A record as it stands on the wire.
pub(super) fn record(typ: u8, body: &[u8]) -> Vec<u8> {
    [&[typ, 3, 3], vec::<2>(body).as_slice()].concat()
}

/// A protected record under a suite with a constant tag.
pub(super) fn sealed(inner_type: u8, content: &[u8], padding: usize) -> Vec<u8> {
    let mut body = content.to_vec();
    body.push(inner_type);
    body.resize(body.len() + padding, 0);
    body.extend_from_slice(&CONSTANT_TAG);
    record(APPLICATION_DATA, &body)
}

/// A protected record of TLS 1.2 under a suite with a constant tag and an explicit nonce.
pub(super) fn sealed12(typ: u8, content: &[u8]) -> Vec<u8> {
    record(typ, &[&NONCE, content, &CONSTANT_TAG].concat())
}

/// The records in `bytes`: type and body.
///
/// # Panics
/// If it is not a whole number of records that RFC 9846, Section 5.1 allows to send.
pub(super) fn records(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let Some((&[typ, 3, minor, high, low], rest)) = bytes.split_first_chunk() {
        assert!(matches!(minor, 1 | 3), "version of a record");
        assert!(matches!(typ, 20..=23), "type of a record");
        let len = usize::from(u16::from_be_bytes([high, low]));
        let (body, rest) = rest.split_at(len);
        // In TLS 1.2 other types may be protected too, but nobody sends them as long as that.
        let most = if typ == APPLICATION_DATA { 256 } else { 0 };
        assert!((1..=(1 << 14) + most).contains(&len), "length of a record");
        found.push((typ, body));
        bytes = rest;
    }
    assert!(bytes.is_empty(), "a part of a record was sent");
    found
}

/// Type and content of a protected record under a suite with a constant tag.
pub(super) fn opened(body: &[u8]) -> (u8, &[u8]) {
    let (text, tag) = body.split_at(body.len() - TAG_LEN);
    assert_eq!(tag, CONSTANT_TAG);
    let end = text.iter().rposition(|byte| *byte != 0);
    let (inner_type, content) = text[..=end.expect("a type")].split_last().expect("a type");
    (*inner_type, content)
}

/// The content of a protected record of TLS 1.2 under a suite with a constant tag.
pub(super) fn opened12(body: &[u8]) -> &[u8] {
    let (text, tag) = body.split_at(body.len() - TAG_LEN);
    assert_eq!(tag, CONSTANT_TAG);
    &text[NONCE.len()..]
}

/// Takes a length of `N` bytes and what it stands for off the front of `bytes`.
pub(super) fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, rest) = bytes.split_at_checked(N)?;
    let len = len
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let (taken, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

/// Takes two bytes off the front of `bytes`.
pub(super) fn take_u16(bytes: &mut &[u8]) -> Option<u16> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u16::from_be_bytes(*first))
}
