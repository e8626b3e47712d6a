//! One entry for fuzz targets: every message, read and written back.

use alloc::vec::Vec;

use super::HandshakeType;
use super::alert::Alert;
use super::certificate::Certificate;
use super::certificate_request::CertificateRequest;
use super::certificate_verify::CertificateVerify;
use super::client_hello::ClientHello;
use super::encrypted_extensions::EncryptedExtensions;
use super::end_of_early_data::EndOfEarlyData;
use super::extensions::ExtensionSet;
use super::finished::Finished;
use super::key_update::KeyUpdate;
use super::new_session_ticket::NewSessionTicket;
use super::registry::ExtensionType;
use super::server_hello::ServerHello;
use crate::codec::Writer;

/// Reads `body` as the handshake message of that type, or as an alert if there is none of that
/// type. A message that can be read is written back and read again.
///
/// # Panics
///
/// If the message read the second time is not the same: a bug for the fuzzer to find.
pub fn parse_for_fuzzing(typ: u8, body: &[u8]) {
    macro_rules! round_trip {
        ($read:expr) => {
            if let Ok(message) = $read(body) {
                let mut out = Vec::new();
                assert_eq!(message.write(&mut Writer::new(&mut out)), Ok(()));
                assert_eq!($read(out.as_slice()), Ok(message));
            }
        };
    }
    let offered = known();
    match HandshakeType(typ) {
        HandshakeType::CLIENT_HELLO => {
            if let Ok(hello) = ClientHello::read(body) {
                let types = hello.extensions.types();
                let len: usize = types.map(|(_, data)| data.len().saturating_add(4)).sum();
                assert_eq!(len, hello.extensions.block.len());
            }
            round_trip!(ClientHello::read);
        }
        HandshakeType::SERVER_HELLO => round_trip!(|body| ServerHello::read(body, &offered)),
        HandshakeType::ENCRYPTED_EXTENSIONS => {
            round_trip!(|body| EncryptedExtensions::read(body, &offered));
        }
        HandshakeType::CERTIFICATE => certificate(body, &offered),
        HandshakeType::CERTIFICATE_REQUEST => round_trip!(CertificateRequest::read),
        HandshakeType::CERTIFICATE_VERIFY => round_trip!(CertificateVerify::read),
        HandshakeType::FINISHED => round_trip!(Finished::read),
        HandshakeType::NEW_SESSION_TICKET => round_trip!(NewSessionTicket::read),
        HandshakeType::KEY_UPDATE => round_trip!(KeyUpdate::read),
        HandshakeType::END_OF_EARLY_DATA => {
            assert_eq!(EndOfEarlyData::read(body).is_ok(), body.is_empty());
        }
        _ => round_trip!(Alert::read),
    }
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
    let written = Certificate::write(&mut w, message.context, &chain, message.ocsp());
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

    use super::super::testing::{
        CERTIFICATE_VERIFY, CLIENT_HELLO, ENCRYPTED_EXTENSIONS, HELLO_RETRY_REQUEST, SERVER_HELLO,
        bytes, written,
    };
    use super::*;

    fn samples() -> Vec<(HandshakeType, Vec<u8>)> {
        let ticket = NewSessionTicket {
            lifetime: 1,
            age_add: 2,
            nonce: &[3],
            ticket: &[4, 5],
            max_early_data: Some(6),
        };
        let certificate = |w: &mut Writer<'_>| {
            Certificate::write(w, &[1], &[[0x30, 0], [0x30, 1]], Some(&[7, 8]))
        };
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
            (HandshakeType(255), alloc::vec![2, 40]),
        ]
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
