//! Record protection of TLS 1.2 with an AEAD (RFC 5246, Section 6.2.3.3): nonce and additional
//! data. Keys come from the key block, and there is one pair for each connection.

use alloc::boxed::Box;

use waxwing_crypto::{AeadKey, CryptoError, IV_LEN, MAX_KEY_LEN, Nonce12, Suite12};
use zeroize::Zeroizing;

use super::protect::xor_nonce;
use crate::limits::{MAX_RENEGOTIATIONS, RECORD_HEADER};

/// Bytes of the additional data: sequence number, type, version, length.
pub(super) const AAD_LEN: usize = 13;
/// Records kept back from a key's limit: for each refusal to renegotiate, and for the last alert.
pub(super) const RESERVED_ALERTS: u64 = MAX_RENEGOTIATIONS as u64 + 1;

/// One direction's part of the key block (RFC 5246, Section 6.3).
pub(crate) struct Keys12 {
    pub(crate) suite: &'static Suite12,
    /// As many bytes at the front as the AEAD takes.
    pub(crate) key: Zeroizing<[u8; MAX_KEY_LEN]>,
    /// As many bytes at the front as the suite fixes.
    pub(crate) iv: Zeroizing<[u8; IV_LEN]>,
}

impl Keys12 {
    pub(super) fn aead_key(&self) -> Result<Box<dyn AeadKey>, CryptoError> {
        let key = self.key.get(..self.suite.aead.key_len());
        self.suite.aead.new_key(key.ok_or(CryptoError::Misuse)?)
    }
}

/// The nonce of the record with this sequence number, which stands in the record too where the
/// suite says so. The number itself never repeats (RFC 5288, Section 3).
pub(super) fn nonce(kind: Nonce12, iv: &[u8; IV_LEN], seq: u64) -> [u8; IV_LEN] {
    match kind {
        Nonce12::Explicit => explicit_nonce(iv, seq.to_be_bytes()),
        Nonce12::Implicit => xor_nonce(iv, seq),
    }
}

/// The nonce of a record that carries this part of it.
pub(super) fn explicit_nonce(iv: &[u8; IV_LEN], explicit: [u8; 8]) -> [u8; IV_LEN] {
    let mut nonce = *iv;
    for (place, byte) in nonce.iter_mut().rev().zip(explicit.iter().rev()) {
        *place = *byte;
    }
    nonce
}

/// The additional data of a record with this header and `len` bytes of content.
pub(super) fn additional_data(seq: u64, header: &[u8; RECORD_HEADER], len: u16) -> [u8; AAD_LEN] {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = seq.to_be_bytes();
    let &[typ, major, minor, _, _] = header;
    let [high, low] = len.to_be_bytes();
    [s0, s1, s2, s3, s4, s5, s6, s7, typ, major, minor, high, low]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects)]

    use alloc::vec::Vec;

    use waxwing_aws_lc::PROVIDER;

    use super::super::ContentType;
    use super::super::protect::{OpenKey, SealKey, record_header};
    use super::super::testing::{SHORT_LIVED12, keys12};
    use super::*;
    use crate::error::{Misuse, PeerError};
    use crate::limits::MAX_PLAINTEXT;
    use crate::record::gather::Gather;
    use crate::{Buffer, Error};

    const DATA: ContentType = ContentType::APPLICATION_DATA;

    fn pair(keys: &Keys12) -> (SealKey, OpenKey) {
        (SealKey::new12(keys).unwrap(), OpenKey::new12(keys).unwrap())
    }

    fn open(key: &mut OpenKey, record: &[u8]) -> Result<(ContentType, Vec<u8>), Error> {
        let (header, body) = record.split_first_chunk().unwrap();
        let mut body = body.to_vec();
        let (typ, place) = key.open(header, &mut body, MAX_PLAINTEXT)?;
        Ok((typ, body[place].to_vec()))
    }

    /// A record put together by hand, as RFC 5246, Section 6.2.3.3, RFC 5288, Section 3, and
    /// RFC 7905, Section 2 say.
    fn by_hand(keys: &Keys12, seq: u64, explicit: [u8; 8], typ: u8, content: &[u8]) -> Vec<u8> {
        let mut nonce = [0; IV_LEN];
        let (salt, rest) = nonce.split_at_mut(4);
        salt.copy_from_slice(&keys.iv[..4]);
        match keys.suite.nonce {
            Nonce12::Explicit => rest.copy_from_slice(&explicit),
            Nonce12::Implicit => {
                for (place, (iv, seq)) in rest.iter_mut().zip(keys.iv[4..].iter().zip(explicit)) {
                    *place = iv ^ seq;
                }
            }
        }
        let len = content.len() as u16;
        let aad = [&seq.to_be_bytes()[..], &[typ, 3, 3], &len.to_be_bytes()].concat();
        let mut sealed = alloc::vec![0; content.len() + 16];
        let key = keys.aead_key().unwrap();
        key.seal(&nonce, &aad, content, &[], &mut sealed).unwrap();
        let explicit = &explicit[..keys.suite.nonce.explicit_len()];
        let len = (explicit.len() + sealed.len()) as u16;
        [&[typ, 3, 3], &len.to_be_bytes()[..], explicit, &sealed].concat()
    }

    #[test]
    fn records_are_those_of_the_rfcs() {
        for suite in PROVIDER.suites12 {
            let keys = keys12(suite, 9);
            let (mut seal, mut open_key) = pair(&keys);
            let mut out = Buffer::new();
            let contents = [
                (22, &b"message"[..]),
                (21, &[1, 0]),
                (23, b""),
                (23, b"data"),
            ];
            for (seq, (typ, content)) in (0u64..).zip(contents) {
                let expected = by_hand(&keys, seq, seq.to_be_bytes(), typ, content);
                out.clear();
                seal.seal(ContentType(typ), content, 0, &mut out).unwrap();
                assert_eq!(out.as_slice(), expected, "{suite:?}");
                assert_eq!(out.len(), content.len() + seal.overhead());
                let opened = open(&mut open_key, &expected);
                assert_eq!(opened, Ok((ContentType(typ), content.to_vec())));
            }
        }
    }

    #[test]
    fn every_size_comes_back_however_it_is_sealed() {
        let plain: Vec<u8> = (0..MAX_PLAINTEXT).map(|i| (i * 7) as u8).collect();
        for suite in PROVIDER.suites12 {
            let (mut seal, mut open_key) = pair(&keys12(suite, 3));
            let mut out = Buffer::new();
            for len in (0..70).chain(MAX_PLAINTEXT - 40..=MAX_PLAINTEXT) {
                let (first, second) = plain[..len].split_at(len / 3);
                for parts in [&[&plain[..len]][..], &[first, second]] {
                    let mut parts = Gather::new(parts);
                    // Padding is for TLS 1.3 alone.
                    seal.seal_gather(DATA, &mut parts, len, 500, &mut out)
                        .unwrap();
                    assert_eq!(out.len(), len + seal.overhead());
                    let opened = open(&mut open_key, out.as_slice()).unwrap();
                    assert!(opened == (DATA, plain[..len].to_vec()), "{len}");
                    out.clear();
                }
            }
            let long = [plain.as_slice(), &[0]].concat();
            let refused = seal.seal(DATA, &long, 0, &mut out);
            assert_eq!(refused, Err(Misuse::TooLong.into()));
            assert!(out.is_empty());
        }
    }

    #[test]
    fn the_peer_chooses_the_explicit_nonce() {
        let keys = keys12(&SHORT_LIVED12, 5);
        let (_, mut open_key) = pair(&keys);
        let chosen = [7, 7, 0, u64::MAX, 1 << 63];
        for (seq, explicit) in (0..).zip(chosen) {
            let record = by_hand(&keys, seq, explicit.to_be_bytes(), 23, b"free");
            let opened = open(&mut open_key, &record);
            assert_eq!(opened, Ok((DATA, b"free".to_vec())), "{explicit}");
        }
        // The sequence number it does not choose.
        let record = by_hand(&keys, 6, 5u64.to_be_bytes(), 23, b"free");
        let refused = open(&mut open_key, &record);
        assert_eq!(refused, Err(PeerError::BadRecordMac.into()));
    }

    #[test]
    fn any_changed_bit_is_noticed_and_costs_no_sequence_number() {
        for suite in PROVIDER.suites12 {
            let (mut seal, mut open_key) = pair(&keys12(suite, 7));
            let mut out = Buffer::new();
            seal.seal(ContentType::HANDSHAKE, b"hello", 0, &mut out)
                .unwrap();
            let record = out.as_slice().to_vec();
            let refused = Err(PeerError::BadRecordMac.into());
            // All but the length of the record: cutting it is for below.
            let bits = (0..record.len() * 8).filter(|bit| !(3..5).contains(&(bit / 8)));
            for at in bits {
                let mut forged = record.clone();
                forged[at / 8] ^= 1 << (at % 8);
                assert_eq!(open(&mut open_key, &forged), refused, "bit {at}");
            }
            for len in 5..record.len() {
                assert_eq!(open(&mut open_key, &record[..len]), refused, "{len} bytes");
            }
            let longer = [record.as_slice(), &[0]].concat();
            assert_eq!(open(&mut open_key, &longer), refused);
            assert!(open(&mut open_key, &record).is_ok());
            // The same record again is a replay.
            assert_eq!(open(&mut open_key, &record), refused);
        }
    }

    #[test]
    fn content_has_a_limit() {
        for suite in PROVIDER.suites12 {
            let keys = keys12(suite, 1);
            let (_, mut open_key) = pair(&keys);
            for (seq, over, expected) in [
                (0u64, 0, Ok(MAX_PLAINTEXT)),
                (1, 1, Err(PeerError::RecordOverflow.into())),
            ] {
                let content = alloc::vec![1; MAX_PLAINTEXT + over];
                let record = by_hand(&keys, seq, seq.to_be_bytes(), 23, &content);
                let opened = open(&mut open_key, &record).map(|(_, content)| content.len());
                assert_eq!(opened, expected);
            }
        }
    }

    #[test]
    fn a_key_has_an_end_and_no_successor() {
        let (mut seal, mut open_key) = pair(&keys12(&SHORT_LIVED12, 1));
        let mut out = Buffer::new();
        let left = seal.records_left().unwrap();
        assert_eq!(left + RESERVED_ALERTS, SHORT_LIVED12.limits.seal_records);
        for sealed in 1..=SHORT_LIVED12.limits.seal_records {
            seal.seal(DATA, &[], 0, &mut out).unwrap();
            assert_eq!(seal.records_left(), Some(left.saturating_sub(sealed)));
        }
        let refused = Err(Misuse::NoKeyUpdate.into());
        assert_eq!(seal.update(), refused);
        assert_eq!(open_key.update(), refused);
    }

    #[test]
    fn the_header_belongs_to_the_additional_data() {
        let header = record_header(ContentType(0x17), 0x0303, 0x1234);
        let data = additional_data(0x0102_0304_0506_0708, &header, 0x090a);
        let expected = [1, 2, 3, 4, 5, 6, 7, 8, 0x17, 3, 3, 9, 0x0a];
        assert_eq!(data, expected);
    }
}
