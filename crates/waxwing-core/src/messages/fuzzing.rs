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
