//! A resumption by ticket in TLS 1.2: the calls of HMAC, AEAD and the random generator that it cannot
//! do without, made with bare aws-lc-rs.
//!
//! Each side derives the keys and two Finished from the main secret (RFC 5246, Sections 5, 6.3 and
//! 7.4.9), seals its own Finished and opens the other's, and draws its random value. The server opens
//! the ticket besides. Nothing is hashed, no new ticket is sealed, and the key of the ticket is set up
//! before.

use std::hint::black_box;
use std::sync::LazyLock;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, UnboundKey};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand;

use super::{TAG, nonce};
use crate::pair::Meter;

/// Two outputs of HMAC cover the 40 bytes of keys and IVs of AES-128-GCM, one covers a Finished; each
/// has its own A(i) besides.
const HMACS: usize = 2 * 2 + 2 + 2;
/// Label and seed, or label and hash of the transcript.
const SEED: [u8; 77] = [0x5a; 77];
/// A Finished with its header (RFC 5246, Section 7.4.9).
const FINISHED: usize = 16;
/// Additional data of a record (RFC 5246, Section 6.2.3.3).
const RECORD_AAD: [u8; 13] = [0x16; 13];
/// About what a ticket holds.
const TICKET: usize = 160;

/// The ticket's key, and a ticket.
static SEALED: LazyLock<(LessSafeKey, Vec<u8>)> = LazyLock::new(|| {
    let key = key(&AES_256_GCM);
    let mut ticket = vec![0x11; TICKET];
    key.seal_in_place_append_tag(nonce(1), Aad::empty(), &mut ticket)
        .expect("a new key");
    (key, ticket)
});

fn key(algorithm: &'static Algorithm) -> LessSafeKey {
    let bytes = &[0x42; 32][..algorithm.key_len()];
    LessSafeKey::new(UnboundKey::new(algorithm, bytes).expect("the length is right"))
}

/// What both sides do: the keys, and the own Finished. Returns that and the key of the other side.
fn derive_and_seal() -> ([u8; FINISHED + TAG], LessSafeKey) {
    let mut random = [0; 32];
    rand::fill(&mut random).expect("randomness");
    let secret = hmac::Key::new(HMAC_SHA256, &[0x42; 48]);
    for _ in 0..HMACS {
        black_box(hmac::sign(&secret, &SEED));
    }
    let (ours, theirs) = (key(&AES_128_GCM), key(&AES_128_GCM));
    let mut record = [0; FINISHED + TAG];
    let (plain, tag) = record.split_at_mut(FINISHED);
    let sealed = ours.seal_in_place_separate_tag(nonce(1), Aad::from(RECORD_AAD), plain);
    tag.copy_from_slice(sealed.expect("a new key").as_ref());
    (record, theirs)
}

fn open(mut record: [u8; FINISHED + TAG], key: &LessSafeKey) {
    key.open_in_place(nonce(1), Aad::from(RECORD_AAD), &mut record)
        .expect("both sides have the same keys");
}

/// The server's flight is the first, the client's Finished the last.
pub(super) fn handshake(meter: &mut dyn Meter) {
    let (ticket_key, ticket) = &*SEALED;
    let mut server = None;
    meter.server(&mut || {
        let mut ticket = ticket.clone();
        ticket_key
            .open_in_place(nonce(1), Aad::empty(), &mut ticket)
            .expect("the ticket is ours");
        server = Some(derive_and_seal());
    });
    let (flight, server_key) = server.expect("the meter runs its work");
    let mut answer = None;
    meter.client(&mut || {
        let (record, key) = derive_and_seal();
        open(flight, &key);
        answer = Some(record);
    });
    let answer = answer.expect("the meter runs its work");
    meter.server(&mut || open(answer, &server_key));
}
