//! What a full handshake, or a resumption of TLS 1.3, has to do besides with public keys: so many
//! blocks of SHA-256, made with the bare compression function, and with bare aws-lc-rs the keys of the
//! records, the records of the flights, and 32 random bytes.
//!
//! The blocks are counted from the RFCs. An HMAC key takes two blocks, and an HMAC over no more than
//! 55 bytes two more. Nobody pays for less than that unless by leaving something out.

use std::hint::black_box;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, UnboundKey};
use aws_lc_rs::rand;
use sha2::block_api::compress256;

use super::{HEADER, nonce};
use crate::pki::Pki;
use crate::scenario::{EARLY, Kind, Scenario, Version};

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;
/// About the bytes of a ClientHello without a ticket, and of what a server sends before Certificate.
const HELLOS: usize = 250 + 130;
/// A Finished of TLS 1.3 (RFC 9846, Section 4.5.3), and of TLS 1.2 (RFC 5246, Section 7.4.9).
const FINISHED: usize = 36;
const FINISHED12: usize = 16;
/// About the bytes of CertificateVerify, or ServerKeyExchange, beside its signature.
const AROUND_SIGNATURE: usize = 16;
/// About the bytes of a ticket with what is around it.
const TICKET: usize = 220;

/// The key schedule of TLS 1.3 (RFC 9846, Section 7.1) without a PSK: 4 blocks for the Handshake
/// Secret, 2 for its key, 6 for what is derived from it, 16 for keys, IVs and Finished keys of two
/// directions, 8 for the two Finished, 4 for the Main Secret, 2 for its key, 4 for two traffic
/// secrets, 12 for keys and IVs of those.
const SCHEDULE: usize = 4 + 2 + 6 + 16 + 8 + 4 + 2 + 4 + 12;
/// With a ticket, which another follows: Early Secret and its key 4, binder key 2, binder 6, "derived"
/// 2, resumption secret 2, and 4 for the PSK of the ticket that follows. The blocks of the Early Secret's
/// own salt are constants.
const WITH_TICKET: usize = 4 + 2 + 6 + 2 + 2 + 4;
/// Early traffic secret, key and IV.
const EARLY_KEYS: usize = 2 + 2 + 2 + 2;
/// That of TLS 1.2 with extended_master_secret (RFC 5246, Sections 5, 6.3 and 8.1; RFC 7627): 12 for
/// the main secret, 13 for keys and IVs, 5 for each Finished.
const SCHEDULE12: usize = 12 + 13 + 2 * 5;
/// Hashes of the messages so far that the schedule needs, each another block.
const SNAPSHOTS: usize = 4;

/// One side's symmetric work, the same for both but for who seals and who opens.
pub(super) struct Symmetric {
    blocks: usize,
    /// Directions and epochs that have a key.
    keys: usize,
    /// Bytes of the client's records, and of the server's.
    client: Vec<usize>,
    server: Vec<usize>,
}

impl Symmetric {
    pub(super) fn new(pki: &Pki, scenario: Scenario, signature: usize) -> Self {
        let Scenario { version, kind, .. } = scenario;
        let proof = pki.leaf.len() + pki.intermediate.len() + signature + AROUND_SIGNATURE;
        let proof_of = |side: bool| if side { proof } else { 0 };
        let (server, client) = (proof_of(!kind.resumes()), proof_of(kind.is_mutual()));
        if version == Version::Tls12 {
            let hashed = HELLOS + server + client + 2 * FINISHED12;
            return Self {
                blocks: hashed.div_ceil(BLOCK) + SNAPSHOTS + SCHEDULE12,
                keys: 2,
                client: vec![FINISHED12],
                server: vec![FINISHED12],
            };
        }
        let (resumes, early) = (kind.resumes(), kind == Kind::EarlyData);
        let ticket = if resumes { TICKET } else { 0 };
        let hashed = HELLOS + ticket + server + client + 2 * FINISHED;
        let mut this = Self {
            blocks: hashed.div_ceil(BLOCK) + SNAPSHOTS + SCHEDULE,
            keys: 4,
            client: vec![client + FINISHED],
            server: vec![server + FINISHED],
        };
        if resumes {
            this.blocks += WITH_TICKET;
            this.server.push(TICKET);
        }
        if early {
            this.blocks += EARLY_KEYS;
            this.keys += 1;
            this.client.push(EARLY.len());
        }
        this
    }

    pub(super) fn client_side(&self) {
        self.work(&self.client, &self.server);
    }

    pub(super) fn server_side(&self) {
        self.work(&self.server, &self.client);
    }

    fn work(&self, sealed: &[usize], opened: &[usize]) {
        let mut random = [0; 32];
        rand::fill(&mut random).expect("randomness");
        let mut state = [0; 8];
        let block = [0x5a; BLOCK];
        for _ in 0..self.blocks {
            compress256(black_box(&mut state), &[black_box(block)]);
        }
        let keys: Vec<_> = (0..self.keys).map(|_| key()).collect();
        // What is opened costs as much as sealing it again.
        for (number, len) in (0..).zip(sealed.iter().chain(opened)) {
            let mut record = [0; 4_096];
            let plain = &mut record[..*len];
            let aad = Aad::from([0x17; HEADER]);
            let tag = keys[0].seal_in_place_separate_tag(nonce(number), aad, plain);
            black_box(tag.expect("a new key").as_ref());
        }
        black_box(&keys);
    }
}

fn key() -> LessSafeKey {
    let key = UnboundKey::new(&AES_128_GCM, black_box(&[0x42; 16]));
    LessSafeKey::new(key.expect("the length is right"))
}
