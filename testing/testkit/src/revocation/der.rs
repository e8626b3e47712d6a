//! Structures, put together and taken apart byte by byte.

use waxwing_crypto::SubjectPublicKeyInfo;
use waxwing_pki::UnixTime;

/// A structure of DER.
#[must_use]
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut der = vec![tag];
    match content.len() {
        short @ ..0x80 => der.push(u8::try_from(short).expect("short")),
        long => {
            let bytes = long.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let count = u8::try_from(bytes.len() - zeros).expect("short");
            der.push(0x80 | count);
            der.extend(&bytes[zeros..]);
        }
    }
    der.extend(content);
    der
}

pub(super) fn integer(magnitude: &[u8]) -> Vec<u8> {
    match magnitude.first() {
        Some(0x80..) => tlv(2, &[&[0], magnitude]),
        _ => tlv(2, &[magnitude]),
    }
}

/// A GeneralizedTime.
pub(super) fn generalized(time: UnixTime) -> Vec<u8> {
    let digits: String = time
        .to_string()
        .chars()
        .filter(|c| c.is_ascii_digit())
        .collect();
    tlv(0x18, &[digits.as_bytes(), b"Z"])
}

pub(super) fn vec16(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("short");
    [&length.to_be_bytes(), bytes].concat()
}

pub(super) fn vec24(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("short").to_be_bytes();
    [&length[1..], bytes].concat()
}

/// The content of the structure `der`.
pub(super) fn content(der: &[u8]) -> Vec<u8> {
    der[header(der).0..].to_vec()
}

/// The structures in the structure `der`.
pub(super) fn fields(der: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &der[header(der).0..];
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (start, length) = header(rest);
        fields.push(rest[..start + length].to_vec());
        rest = &rest[start + length..];
    }
    fields
}

/// Bytes of tag and length, and the length.
pub(super) fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ ..0x80 => (2, short.into()),
        long => {
            let count = usize::from(long & 0x7f);
            let length = der[2..2 + count].iter();
            let length = length.fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (2 + count, length)
        }
    }
}

/// The SubjectPublicKeyInfo of a certificate.
pub(super) fn spki(certificate: &[u8]) -> Vec<u8> {
    fields(&fields(certificate)[0])[6].clone()
}

/// Subject and key bits of a certificate.
pub(super) fn names_and_key(certificate: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let tbs = fields(&fields(certificate)[0]);
    let spki = SubjectPublicKeyInfo::parse(&tbs[6]).expect("a certificate of rcgen");
    (tbs[5].clone(), spki.public_key.to_vec())
}
