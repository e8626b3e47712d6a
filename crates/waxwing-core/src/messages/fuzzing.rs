//! One entry for fuzz targets: every message, read and written back.

use alloc::vec::Vec;

#[cfg(feature = "psk12")]
use waxwing_crypto::Authentication12;

use super::HandshakeType;
use super::alert::Alert;
use super::certificate::{Certificate, Stapled};
use super::certificate_request::CertificateRequest;
#[cfg(feature = "tls12")]
use super::certificate_request12::CertificateRequest12;
#[cfg(feature = "tls12")]
use super::certificate_status::CertificateStatus;
use super::certificate_verify::CertificateVerify;
#[cfg(feature = "tls12")]
use super::certificate12::{self, Certificate12};
use super::client_hello::ClientHello;
#[cfg(feature = "tls12")]
use super::client_key_exchange::ClientKeyExchange;
use super::compressed_certificate::CompressedCertificate;
use super::encrypted_extensions::EncryptedExtensions;
use super::end_of_early_data::EndOfEarlyData;
use super::extensions::ExtensionSet;
use super::finished::Finished;
#[cfg(feature = "tls12")]
use super::hello_request::HelloRequest;
use super::key_update::KeyUpdate;
use super::new_session_ticket::NewSessionTicket;
#[cfg(feature = "tls12")]
use super::new_session_ticket12::NewSessionTicket12;
#[cfg(feature = "psk12")]
use super::psk_key_exchange12::{PskClientKeyExchange, PskServerKeyExchange};
use super::registry::ExtensionType;
use super::server_hello::ServerHello;
#[cfg(feature = "tls12")]
use super::server_hello_done::ServerHelloDone;
#[cfg(feature = "tls12")]
use super::server_hello12::ServerHelloExtensions12;
#[cfg(feature = "tls12")]
use super::server_key_exchange::{self, ServerKeyExchange};
#[cfg(feature = "tls12")]
use crate::Error;
use crate::codec::Writer;

macro_rules! round_trip {
    ($body:expr, $read:expr) => {
        if let Ok(message) = $read($body) {
            let mut out = Vec::new();
            assert_eq!(message.write(&mut Writer::new(&mut out)), Ok(()));
            assert_eq!($read(out.as_slice()), Ok(message));
        }
    };
}

/// Reads `body` as the handshake message of that type, in each version that has it, or as an alert
/// if there is none of that type. A message that can be read is written back and read again.
///
/// # Panics
///
/// If the message read the second time is not the same: a bug for the fuzzer to find.
pub fn parse_for_fuzzing(typ: u8, body: &[u8]) {
    let offered = known();
    #[cfg(feature = "tls12")]
    tls12(HandshakeType(typ), body, &offered);
    #[cfg(feature = "psk12")]
    psk12(HandshakeType(typ), body);
    match HandshakeType(typ) {
        HandshakeType::CLIENT_HELLO => {
            if let Ok(hello) = ClientHello::read(body) {
                let types = hello.extensions.types();
                let len: usize = types.map(|(_, data)| data.len().saturating_add(4)).sum();
                assert_eq!(len, hello.extensions.block.len());
            }
            round_trip!(body, ClientHello::read);
        }
        HandshakeType::SERVER_HELLO => {
            round_trip!(body, |body| ServerHello::read(body, &offered));
        }
        HandshakeType::ENCRYPTED_EXTENSIONS => {
            round_trip!(body, |body| EncryptedExtensions::read(body, &offered));
        }
        HandshakeType::CERTIFICATE => certificate(body, &offered),
        HandshakeType::CERTIFICATE_REQUEST => round_trip!(body, CertificateRequest::read),
        HandshakeType::CERTIFICATE_VERIFY => round_trip!(body, CertificateVerify::read),
        HandshakeType::FINISHED => round_trip!(body, Finished::read),
        HandshakeType::NEW_SESSION_TICKET => round_trip!(body, NewSessionTicket::read),
        HandshakeType::KEY_UPDATE => round_trip!(body, KeyUpdate::read),
        HandshakeType::COMPRESSED_CERTIFICATE => round_trip!(body, CompressedCertificate::read),
        HandshakeType::END_OF_EARLY_DATA => {
            assert_eq!(EndOfEarlyData::read(body).is_ok(), body.is_empty());
        }
        _ => round_trip!(body, Alert::read),
    }
}

/// The messages that TLS 1.2 alone has, or has in another form.
#[cfg(feature = "tls12")]
fn tls12(typ: HandshakeType, body: &[u8], offered: &ExtensionSet) {
    match typ {
        HandshakeType::HELLO_REQUEST => {
            assert_eq!(HelloRequest::read(body).is_ok(), body.is_empty());
        }
        HandshakeType::SERVER_HELLO => {
            if let Ok(hello) = ServerHello::read(body, offered) {
                round_trip!(hello.block, |block| ServerHelloExtensions12::read(
                    block, offered
                ));
            }
        }
        HandshakeType::CERTIFICATE => {
            if let Ok(message) = Certificate12::read(body) {
                let chain: Vec<&[u8]> = message.chain.iter().map(|one| one.0).collect();
                assert_written(body, |w| Certificate12::write(w, &chain));
            }
            if let Ok(key) = certificate12::read_raw_public_key(body) {
                assert_written(body, |w| certificate12::write_raw_public_key(w, key));
            }
        }
        HandshakeType::SERVER_KEY_EXCHANGE => {
            if let Ok(message) = ServerKeyExchange::read(body) {
                assert_written(message.params, |w| {
                    server_key_exchange::write_params(w, message.group, message.public)
                });
                assert_written(body, |w| {
                    ServerKeyExchange::write(w, message.params, message.scheme, message.signature)
                });
            }
        }
        HandshakeType::CERTIFICATE_REQUEST => {
            if let Ok(message) = CertificateRequest12::read(body) {
                assert_written(body, |w| {
                    CertificateRequest12::write(
                        w,
                        message.certificate_types,
                        message.signature_algorithms.iter(),
                        message.certificate_authorities.iter().map(|name| name.0),
                    )
                });
            }
        }
        HandshakeType::SERVER_HELLO_DONE => {
            assert_eq!(ServerHelloDone::read(body).is_ok(), body.is_empty());
        }
        HandshakeType::CLIENT_KEY_EXCHANGE => round_trip!(body, ClientKeyExchange::read),
        HandshakeType::NEW_SESSION_TICKET => round_trip!(body, NewSessionTicket12::read),
        HandshakeType::CERTIFICATE_STATUS => round_trip!(body, CertificateStatus::read),
        _ => {}
    }
}

/// The messages that have another form with the suites of a PSK.
#[cfg(feature = "psk12")]
fn psk12(typ: HandshakeType, body: &[u8]) {
    for kind in [Authentication12::EcdhePsk, Authentication12::Psk] {
        match typ {
            HandshakeType::SERVER_KEY_EXCHANGE => {
                round_trip!(body, |body| PskServerKeyExchange::read(body, kind));
            }
            HandshakeType::CLIENT_KEY_EXCHANGE => {
                round_trip!(body, |body| PskClientKeyExchange::read(body, kind));
            }
            _ => {}
        }
    }
}

/// What has one encoding only is written as it came.
#[cfg(feature = "tls12")]
fn assert_written(expected: &[u8], write: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>) {
    let mut out = Vec::new();
    assert_eq!(write(&mut Writer::new(&mut out)), Ok(()));
    assert_eq!(out, expected);
}

/// The writer does not know every extension, so only what it knows is compared.
fn certificate(body: &[u8], offered: &ExtensionSet) {
    let answer = Certificate::read(body, Some(offered));
    let Ok(message) = Certificate::read(body, None) else {
        // Whoever accepts an answer to an offer accepts it without one.
        assert!(answer.is_err());
        return;
    };
    let chain: Vec<&[u8]> = message.entries.iter().map(|e| e.certificate).collect();
    let mut out = Vec::new();
    let mut w = Writer::new(&mut out);
    let (ocsp, scts) = (message.ocsp(), message.scts());
    let stapled = Stapled { ocsp, scts };
    let written = Certificate::write(&mut w, message.context, &chain, stapled);
    assert_eq!(written, Ok(()));
    let Ok(again) = Certificate::read(&out, Some(offered)) else {
        unreachable!("what was written can be read");
    };
    assert_eq!(again.context, message.context);
    assert_eq!(again.ocsp(), message.ocsp());
    assert!(again.entries.iter().map(|e| e.certificate).eq(chain));
}

/// The extensions known here: all types below 64, and the two above.
fn known() -> ExtensionSet {
    let mut set = ExtensionSet::default();
    (0..64).for_each(|typ| set.insert(ExtensionType(typ)));
    set.insert(ExtensionType::ENCRYPTED_CLIENT_HELLO);
    set.insert(ExtensionType::RENEGOTIATION_INFO);
    set
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use waxwing_crypto::CipherSuite;

    use super::super::registry::ProtocolVersion;
    use super::super::server_hello::ServerHelloExtensions;
    use super::super::testing::{
        CERTIFICATE_VERIFY, CLIENT_HELLO, ENCRYPTED_EXTENSIONS, HELLO_RETRY_REQUEST, SERVER_HELLO,
        block, bytes, written,
    };
    use super::*;

    const STAPLED: Stapled<'static> = Stapled {
        ocsp: Some(&[7, 8]),
        scts: Some(&[0, 3, 0, 1, 9]),
    };

    fn samples() -> Vec<(HandshakeType, Vec<u8>)> {
        let ticket = NewSessionTicket {
            lifetime: 1,
            age_add: 2,
            nonce: &[3],
            ticket: &[4, 5],
            max_early_data: Some(6),
        };
        let certificate =
            |w: &mut Writer<'_>| Certificate::write(w, &[1], &[[0x30, 0], [0x30, 1]], STAPLED);
        alloc::vec![
            (HandshakeType::CLIENT_HELLO, bytes(CLIENT_HELLO)),
            (HandshakeType::SERVER_HELLO, bytes(SERVER_HELLO)),
            (HandshakeType::SERVER_HELLO, bytes(HELLO_RETRY_REQUEST)),
            (
                HandshakeType::ENCRYPTED_EXTENSIONS,
                bytes(ENCRYPTED_EXTENSIONS)
            ),
            (HandshakeType::CERTIFICATE, written(certificate)),
            (
                HandshakeType::CERTIFICATE_REQUEST,
                bytes("00 0008 000d 0004 0002 0403")
            ),
            (HandshakeType::CERTIFICATE_VERIFY, bytes(CERTIFICATE_VERIFY)),
            (
                HandshakeType::NEW_SESSION_TICKET,
                written(|w| ticket.write(w))
            ),
            (HandshakeType::KEY_UPDATE, alloc::vec![1]),
            (HandshakeType::FINISHED, alloc::vec![1; 48]),
            (HandshakeType::END_OF_EARLY_DATA, Vec::new()),
            (
                HandshakeType::COMPRESSED_CERTIFICATE,
                bytes("0001 000009 000003 070809")
            ),
            (HandshakeType(255), alloc::vec![2, 40]),
            // TLS 1.2.
            (HandshakeType::HELLO_REQUEST, Vec::new()),
            (HandshakeType::SERVER_HELLO, server_hello12()),
            (
                HandshakeType::CERTIFICATE,
                bytes("00000b 000003 300107 000002 3000")
            ),
            (HandshakeType::CERTIFICATE, bytes("000003 300107")),
            (
                HandshakeType::SERVER_KEY_EXCHANGE,
                bytes("03 001d 02 0708 0403 0003 010203")
            ),
            (
                HandshakeType::CERTIFICATE_REQUEST,
                bytes("02 0140 0004 0403 0804 0004 0002 3000")
            ),
            (HandshakeType::SERVER_HELLO_DONE, Vec::new()),
            (HandshakeType::CLIENT_KEY_EXCHANGE, bytes("02 0708")),
            (HandshakeType::CLIENT_KEY_EXCHANGE, bytes("0001 61 02 0708")),
            (
                HandshakeType::SERVER_KEY_EXCHANGE,
                bytes("0001 61 03 001d 02 0708")
            ),
            (HandshakeType::CERTIFICATE_STATUS, bytes("01 000002 0708")),
            (
                HandshakeType::NEW_SESSION_TICKET,
                bytes("00001c20 0002 0708")
            ),
        ]
    }

    /// A ServerHello of TLS 1.2 with an extension of each form.
    fn server_hello12() -> Vec<u8> {
        let extensions = block(&[
            (ExtensionType::RENEGOTIATION_INFO, &[0]),
            (ExtensionType::EXTENDED_MAIN_SECRET, &[]),
            (ExtensionType::EC_POINT_FORMATS, &[1, 0]),
            (ExtensionType::ALPN, b"\0\x03\x02h2"),
            (ExtensionType::RECORD_SIZE_LIMIT, &[0x40, 0]),
            (ExtensionType::SERVER_CERTIFICATE_TYPE, &[2]),
        ]);
        let hello = ServerHello {
            legacy_version: ProtocolVersion::TLS12,
            random: &[7; 32],
            session_id: &[8; 32],
            cipher_suite: CipherSuite(0xc02b),
            compression_method: 0,
            extensions: ServerHelloExtensions::default(),
            block: &extensions,
        };
        written(|w| hello.write(w))
    }

    #[test]
    fn samples_with_any_byte_changed_do_not_panic() {
        for (typ, sample) in samples() {
            parse_for_fuzzing(typ.0, &sample);
            for at in 0..sample.len() {
                for change in [1, 2, 4, 0x10, 0x80, 0xff] {
                    let mut changed = sample.clone();
                    changed[at] ^= change;
                    parse_for_fuzzing(typ.0, &changed);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
            for (typ, _) in samples() {
                parse_for_fuzzing(typ.0, &body);
            }
        }

        #[test]
        fn samples_with_parts_replaced_do_not_panic(
            which in 0..samples().len(),
            at in any::<prop::sample::Index>(),
            removed in 0..8_usize,
            inserted in prop::collection::vec(any::<u8>(), 0..8),
        ) {
            let (typ, mut body) = samples().swap_remove(which);
            let start = at.index(body.len() + 1);
            let end = body.len().min(start + removed);
            body.splice(start..end, inserted);
            parse_for_fuzzing(typ.0, &body);
        }
    }
}
