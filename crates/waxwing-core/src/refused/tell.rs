//! Looks for it in what a peer says, for a trace. A second, forgiving reading: what cannot be read
//! is left to the handshake, which refuses it.

use waxwing_crypto::{CipherSuite, SignatureScheme};

use super::Refused;
use crate::codec::{Read, Reader};
use crate::error::DecodeError;
use crate::messages::certificate_verify::CertificateVerify;
use crate::messages::client_hello::ClientHello;
use crate::messages::{HandshakeType, ProtocolVersion, extensions};
use crate::record::joiner::Message;
use crate::trace::{Trace, TraceEvent};

/// What was found in one message: each is told once, in the order of [`Refused::ALL`].
#[derive(Default)]
struct Found(u64);

const _: () = assert!(Refused::ALL.len() <= 64);

impl Found {
    fn add(&mut self, refused: Option<Refused>) {
        if let Some(refused) = refused {
            self.0 |= 1 << refused as u8;
        }
    }

    fn tell(&self, trace: &dyn Trace) {
        for refused in Refused::ALL {
            if self.0 & (1 << *refused as u8) != 0 {
                trace.event(&TraceEvent::Refused(*refused));
            }
        }
    }
}

/// Tells of what stands in a message of the handshake.
pub(crate) fn tell(trace: &dyn Trace, message: Message<'_>) {
    let mut found = Found::default();
    found.add(super::message(message.typ));
    let body = message.body();
    // What cannot be read is not told of.
    let _ = match message.typ {
        HandshakeType::CLIENT_HELLO => client_hello(&mut found, body),
        HandshakeType::SERVER_HELLO => server_hello(&mut found, body),
        HandshakeType::CERTIFICATE_VERIFY => {
            let verify = CertificateVerify::read(body);
            found.add(verify.ok().and_then(|verify| super::scheme(verify.scheme)));
            Ok(())
        }
        HandshakeType::SERVER_KEY_EXCHANGE => server_key_exchange(&mut found, body),
        _ => Ok(()),
    };
    found.tell(trace);
}

/// Tells of what a message after the handshake stands for.
pub(crate) fn tell_established(trace: &dyn Trace, typ: HandshakeType) {
    let mut found = Found::default();
    found.add(super::message(typ));
    if typ == HandshakeType::CLIENT_HELLO {
        found.add(Some(Refused::Renegotiation));
    }
    found.tell(trace);
}

fn client_hello(found: &mut Found, body: &[u8]) -> Result<(), DecodeError> {
    let Ok(hello) = ClientHello::read(body) else {
        return Ok(());
    };
    let versions = hello.extensions.supported_versions;
    match versions {
        Some(versions) => versions
            .iter()
            .for_each(|version| found.add(super::version(version))),
        None => found.add(super::version(hello.legacy_version)),
    }
    hello
        .cipher_suites
        .iter()
        .for_each(|id| found.add(super::suite(id)));
    if hello.compression_methods.iter().any(|method| *method != 0) {
        found.add(Some(Refused::Compression));
    }
    for (typ, _) in hello.extensions.types() {
        found.add(super::extension(typ));
    }
    match hello.extensions.signature_algorithms {
        Some(schemes) => schemes
            .iter()
            .for_each(|scheme| found.add(super::scheme(scheme))),
        // RFC 5246, Section 7.4.1.4.1: without the list a client of TLS 1.2 means SHA-1.
        None if versions.is_none() => found.add(Some(Refused::Md5OrSha1Signature)),
        None => {}
    }
    Ok(())
}

fn server_hello(found: &mut Found, body: &[u8]) -> Result<(), DecodeError> {
    let mut reader = Reader::new("ServerHello", body);
    found.add(super::version(ProtocolVersion::read(&mut reader)?));
    reader.array::<32>()?;
    reader.vec8("legacy_session_id")?;
    found.add(super::suite(CipherSuite::read(&mut reader)?));
    if reader.u8()? != 0 {
        found.add(Some(Refused::Compression));
    }
    for extension in extensions::iter(reader.vec16("extensions")?.take_rest()) {
        found.add(super::extension(extension.typ));
    }
    Ok(())
}

/// Of TLS 1.2, for a named curve (RFC 8422, Section 5.4).
fn server_key_exchange(found: &mut Found, body: &[u8]) -> Result<(), DecodeError> {
    let mut reader = Reader::new("ServerKeyExchange", body);
    // With a PSK a hint stands first, and nothing is signed.
    let [3, _, _] = reader.array()? else {
        return Ok(());
    };
    reader.vec8("ECPoint")?;
    found.add(super::scheme(SignatureScheme::read(&mut reader)?));
    Ok(())
}
