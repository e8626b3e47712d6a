//! What is not taken when a client authenticates after the handshake.

use alloc::vec;
use alloc::vec::Vec;

use super::super::Stage;
use super::super::post_handshake::{answer, ask, client, flood, optional, strict};
use super::Case;
use crate::messages::HandshakeType as T;
use crate::testing::client_auth::{TrustClient, known_client};
use crate::testing::{CERTIFICATE, message};
use crate::{Error, Incompatible as I, PeerError as P};

pub(super) const CASES: &[Case] = &[
    (
        "too many requests for a certificate",
        Error::Peer(P::TooManyCertificateRequests),
        || flood().1,
    ),
    (
        "no certificate after the handshake",
        Error::Incompatible(I::NoClientCertificate),
        || {
            let mut stage = strict();
            let request = ask(&mut stage);
            let messages = answer(&mut stage, &request, &[]);
            give(&mut stage, &messages)
        },
    ),
    (
        "answer to another request",
        Error::Peer(P::AnswerContext),
        || {
            let mut stage = optional(TrustClient::Now);
            let mut request = ask(&mut stage);
            request[5] ^= 1;
            let messages = answer(&mut stage, &request, &[CERTIFICATE]);
            give(&mut stage, &messages)
        },
    ),
    (
        "answer without a context",
        Error::Peer(P::AnswerContext),
        || edited(0, |body| [&[0], &body[33..]].concat()),
    ),
    (
        "answer to the request before",
        Error::Peer(P::AnswerContext),
        || {
            let mut stage = optional(TrustClient::Now);
            let request = ask(&mut stage);
            let messages = answer(&mut stage, &request, &[CERTIFICATE]);
            let record = stage.protected(22, &messages.concat());
            stage.give(&record).unwrap();
            ask(&mut stage);
            give(&mut stage, &messages)
        },
    ),
    (
        "data within an answer",
        Error::Peer(P::AnswerInterrupted),
        || {
            let mut stage = optional(TrustClient::Now);
            let request = ask(&mut stage);
            let messages = answer(&mut stage, &request, &[CERTIFICATE]);
            let record = stage.protected(22, &messages[0]);
            stage.give(&record).unwrap();
            let data = stage.protected(23, b"data");
            stage.refuse(&data)
        },
    ),
    (
        "bad signature after the handshake",
        Error::Peer(P::BadSignature),
        || {
            edited(1, |body| {
                let mut body = body.to_vec();
                *body.last_mut().unwrap() ^= 1;
                body
            })
        },
    ),
    (
        "PKCS#1 signature after the handshake",
        Error::Peer(P::SchemeNotOffered),
        || edited(1, |body| [&[4, 1], &body[2..]].concat()),
    ),
    (
        "bad Finished after the handshake",
        Error::Peer(P::BadFinished),
        || edited(2, |body| vec![7; body.len()]),
    ),
    (
        "request without algorithms after the handshake",
        Error::Peer(P::MissingExtension),
        || {
            let mut stage = client(known_client());
            let request = message(T::CERTIFICATE_REQUEST, &[1, 7, 0, 0]);
            give(&mut stage, &[request])
        },
    ),
];

/// What the connection says to these messages.
fn give(stage: &mut Stage, messages: &[Vec<u8>]) -> Error {
    let record = stage.protected(22, &messages.concat());
    stage.refuse(&record)
}

/// What a server says to an answer whose message `index` is edited.
fn edited(index: usize, edit: fn(&[u8]) -> Vec<u8>) -> Error {
    let mut stage = optional(TrustClient::Now);
    let request = ask(&mut stage);
    let mut messages = answer(&mut stage, &request, &[CERTIFICATE]);
    let bytes = &messages[index];
    messages[index] = message(T(bytes[0]), &edit(&bytes[4..]));
    give(&mut stage, &messages)
}
