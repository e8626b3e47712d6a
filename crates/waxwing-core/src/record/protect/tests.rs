//! Record protection of TLS 1.3.

#![allow(clippy::arithmetic_side_effects)]

use alloc::vec::Vec;

use waxwing_aws_lc::SUITES13;

use super::super::testing::{keys, short_lived};
use super::*;

const DATA: ContentType = ContentType::APPLICATION_DATA;

fn pair(keys: &EpochKeys) -> (SealKey, OpenKey) {
    (SealKey::new(keys).unwrap(), OpenKey::new(keys).unwrap())
}

fn open(key: &mut OpenKey, record: &[u8]) -> Result<(ContentType, Vec<u8>), Error> {
    let (header, body) = record.split_first_chunk().unwrap();
    let mut body = body.to_vec();
    let (typ, place) = key.open(header, &mut body, MAX_PLAINTEXT)?;
    Ok((typ, body[place].to_vec()))
}

#[test]
fn rfc_8448_simple_handshake_client_records() {
    // RFC 8448, Section 3: "client_application_traffic_secret_0" and the two records
    // under it.
    let secret =
        hex::decode("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5").unwrap();
    let keys = EpochKeys {
        epoch: Epoch::Application,
        suite: &waxwing_aws_lc::TLS13_AES_128_GCM_SHA256,
        secret: Digest::from_slice(&secret).unwrap(),
    };
    let mut key = SealKey::new(&keys).unwrap();
    let mut out = Buffer::new();
    let data: Vec<u8> = (0..50).collect();
    key.seal(DATA, &data, 0, &mut out).unwrap();
    assert_eq!(
        hex::encode(out.as_slice()),
        "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd5\
         4a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4"
    );
    out.clear();
    key.seal(ContentType::ALERT, &[1, 0], 0, &mut out).unwrap();
    assert_eq!(
        hex::encode(out.as_slice()),
        "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3"
    );
}

#[test]
fn every_size_comes_back_with_every_padding() {
    let plain: Vec<u8> = (0..MAX_PLAINTEXT).map(|i| (i * 7) as u8).collect();
    for suite in SUITES13 {
        let (mut seal, mut open_key) = pair(&keys(suite, Epoch::Application, 3));
        let mut out = Buffer::new();
        let lengths = (0..70).chain(MAX_PLAINTEXT - 40..=MAX_PLAINTEXT);
        for len in lengths {
            for pad in [0, 1, SHORT_PADDING, SHORT_PADDING + 1, 500] {
                let sealed = seal.seal(DATA, &plain[..len], pad, &mut out);
                if len + pad > MAX_PLAINTEXT {
                    assert_eq!(sealed, Err(Misuse::TooLong.into()));
                    assert!(out.is_empty());
                    continue;
                }
                assert_eq!(sealed, Ok(()));
                assert_eq!(out.len(), len + pad + seal.overhead());
                let opened = open(&mut open_key, out.as_slice()).unwrap();
                assert!(opened == (DATA, plain[..len].to_vec()), "{len} + {pad}");
                out.clear();
            }
        }
    }
}

#[test]
fn any_changed_bit_is_noticed_and_costs_no_sequence_number() {
    let (mut seal, mut open_key) = pair(&short_lived());
    let mut out = Buffer::new();
    seal.seal(ContentType::HANDSHAKE, b"hello", 3, &mut out)
        .unwrap();
    let record = out.as_slice().to_vec();
    for at in 0..record.len() * 8 {
        let mut forged = record.clone();
        forged[at / 8] ^= 1 << (at % 8);
        let refused = open(&mut open_key, &forged);
        assert_eq!(refused, Err(PeerError::BadRecordMac.into()), "bit {at}");
    }
    for len in RECORD_HEADER..record.len() {
        let refused = open(&mut open_key, &record[..len]);
        assert_eq!(refused, Err(PeerError::BadRecordMac.into()), "{len} bytes");
    }
    assert_eq!(open_key.0.seq, 0);
    assert!(open(&mut open_key, &record).is_ok());
    // The same record again is a replay.
    let replayed = open(&mut open_key, &record);
    assert_eq!(replayed, Err(PeerError::BadRecordMac.into()));
}

#[test]
fn all_padding_and_too_much_of_it_are_refused() {
    let (mut seal, mut open_key) = pair(&short_lived());
    let mut out = Buffer::new();
    seal.seal(ContentType(0), &[0; 9], 40, &mut out).unwrap();
    let refused = open(&mut open_key, out.as_slice());
    assert_eq!(refused, Err(PeerError::NoContentType.into()));

    for (over, expected) in [
        (0, Ok((DATA, Vec::new()))),
        (1, Err(PeerError::RecordOverflow.into())),
    ] {
        let mut body = alloc::vec![0; MAX_PLAINTEXT + 1 + over + 16];
        body[0] = DATA.0;
        let header = record_header(DATA, 0x0303, body.len() as u16);
        let nonce = open_key.0.nonce();
        open_key
            .0
            .aead
            .seal_in_place(&nonce, &header, &mut body)
            .unwrap();
        let opened = open(&mut open_key, &[&header, body.as_slice()].concat());
        assert_eq!(opened, expected);
    }
}

#[test]
fn key_updates_keep_in_step() {
    let (mut seal, mut open_key) = pair(&short_lived());
    let mut out = Buffer::new();
    for generation in 0..5u8 {
        for _ in 0..2 {
            out.clear();
            seal.seal(DATA, &[generation], 0, &mut out).unwrap();
            let opened = open(&mut open_key, out.as_slice());
            assert_eq!(opened, Ok((DATA, alloc::vec![generation])));
        }
        seal.update().unwrap();
        out.clear();
        seal.seal(DATA, b"ahead", 0, &mut out).unwrap();
        let refused = open(&mut open_key, out.as_slice());
        assert_eq!(refused, Err(PeerError::BadRecordMac.into()));
        open_key.update().unwrap();
        assert!(open(&mut open_key, out.as_slice()).is_ok());
    }
}

#[test]
fn a_key_asks_for_its_update_before_the_limit() {
    let (mut seal, _) = pair(&short_lived());
    let mut out = Buffer::new();
    for _ in 0..6 {
        assert!(!seal.needs_update());
        seal.seal(DATA, &[], 0, &mut out).unwrap();
    }
    assert!(seal.needs_update());
    seal.update().unwrap();
    assert!(!seal.needs_update());
}

#[test]
fn sequence_numbers_never_wrap() {
    let (mut seal, mut open_key) = pair(&short_lived());
    let mut out = Buffer::new();
    seal.0.seq = u64::MAX - 1;
    open_key.0.seq = u64::MAX - 1;
    seal.seal(DATA, b"last", 0, &mut out).unwrap();
    assert!(open(&mut open_key, out.as_slice()).is_ok());
    let worn_out = Error::Crypto(CryptoError::Misuse);
    assert_eq!(seal.seal(DATA, b"x", 0, &mut out), Err(worn_out.clone()));
    assert_eq!(open(&mut open_key, out.as_slice()), Err(worn_out));
}

#[test]
fn padding_reaches_a_multiple_or_the_record_s_end() {
    assert_eq!(RecordPadding::None.padding_for(77), 0);
    for unit in [1, 2, 64, 1000, 4096, 16384, 65535] {
        let padding = RecordPadding::ToMultipleOf(NonZeroU16::new(unit).unwrap());
        for len in 0..=MAX_PLAINTEXT {
            let padded = len + padding.padding_for(len);
            assert!(
                padded.is_multiple_of(usize::from(unit)) || padded == MAX_PLAINTEXT,
                "{len} to {unit}"
            );
            assert!(padded <= MAX_PLAINTEXT && padded - len < usize::from(unit));
        }
    }
}
