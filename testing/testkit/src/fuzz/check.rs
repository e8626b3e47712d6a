//! What must hold of a view and of what was agreed.

use waxwing_core::{
    ClientHelloView, ConnectionInfo, EarlyDataStatus, Error, Exporter, ProtocolVersion, Trace,
    TraceEvent,
};
use waxwing_crypto::CipherSuite;

/// Checks what a connection tells of itself.
pub(super) struct Watch;

impl Trace for Watch {
    fn event(&self, event: &TraceEvent<'_>) {
        match event {
            TraceEvent::Message { typ, bytes, .. } => {
                let (header, body) = bytes.split_at(4);
                let len = (body.len() as u32).to_be_bytes();
                assert_eq!(header, [typ.0, len[1], len[2], len[3]]);
            }
            TraceEvent::Record { length, inner, .. } => {
                assert!(inner.is_none_or(|(_, content)| content <= *length));
            }
            _ => {}
        }
    }
}

/// An error has words, and is the peer's fault or its alert.
pub(super) fn error(error: &Error) {
    assert!(!error.to_string().is_empty());
    let from_peer = matches!(error, Error::Alert(_));
    assert_eq!(error.alert().is_none(), from_peer, "{error:?}");
}

/// Walks through all that a ClientHello says.
pub(super) fn view(view: &ClientHelloView<'_>) {
    let extensions: usize = view.extensions().map(|(_, data)| data.len() + 4).sum();
    assert!(extensions <= view.as_bytes().len());
    let lists = view.cipher_suites().count()
        + view.groups().count()
        + view.signature_schemes().count()
        + view.versions().count();
    assert!(2 * lists <= view.as_bytes().len());
    let names = view.alpn().chain(view.certificate_authorities());
    let names: usize = names.map(<[u8]>::len).sum();
    let server_name = view.server_name().unwrap_or_default().len();
    assert!(names + server_name <= view.as_bytes().len());
}

/// Whether early data is met by keys that it is not for, and opens all the same: under suites that
/// protect nothing, a server that takes none cannot tell it from what is out of order.
pub(super) fn is_misread(early: &[u8], server: &ConnectionInfo) -> bool {
    let open = |suite| suite != CipherSuite::TLS13_CHACHA20_POLY1305_SHA256;
    !early.is_empty()
        && server.early_data == EarlyDataStatus::Rejected
        && !server.retried
        && server.cipher_suite.is_some_and(open)
}

/// What a side that completed its handshake knows.
pub(super) fn complete(info: &ConnectionInfo) {
    let version = info.version.expect("a version");
    assert!((ProtocolVersion::TLS12..=ProtocolVersion::TLS13).contains(&version));
    assert!(info.cipher_suite.is_some() && info.exporter.is_some());
    // With a secret from before there may be no key exchange, and nobody signs.
    let knew = info.resumed || info.psk_identity.is_some();
    assert!(knew || info.group.is_some());
    assert_eq!(knew, info.signature_scheme.is_none());
    assert!(!(info.resumed && info.psk_identity.is_some()));
    let taken = info.early_data == EarlyDataStatus::Accepted;
    assert_eq!(taken, info.early_exporter.is_some());
    assert!(info.resumed || !taken);
    assert_ne!(info.early_data, EarlyDataStatus::Offered);
}

/// Two sides that both completed their handshake, with each other, agree on everything.
pub(super) fn agree(client: &ConnectionInfo, server: &ConnectionInfo) {
    complete(client);
    complete(server);
    assert_eq!(client.version, server.version);
    assert_eq!(client.cipher_suite, server.cipher_suite);
    assert_eq!(client.group, server.group);
    assert_eq!(client.signature_scheme, server.signature_scheme);
    assert_eq!(client.alpn, server.alpn);
    assert_eq!(client.retried, server.retried);
    assert_eq!(client.extended_main_secret, server.extended_main_secret);
    let shown = client.client_signature_scheme;
    // What is shown after the handshake may be on its way still, or lost.
    if !(client.post_handshake_auth && server.client_signature_scheme.is_none()) {
        assert_eq!(shown, server.client_signature_scheme);
    }
    // Who resumes has shown it before.
    assert!(server.client_authenticated || shown.is_none() || client.post_handshake_auth);
    assert!(shown.is_some() || !server.client_authenticated || server.resumed);
    assert_eq!(client.resumed, server.resumed);
    assert_eq!(client.psk_identity, server.psk_identity);
    assert_eq!(client.early_data, server.early_data);
    for exporters in [
        (client.exporter.as_ref(), server.exporter.as_ref()),
        (
            client.early_exporter.as_deref(),
            server.early_exporter.as_deref(),
        ),
    ] {
        assert_eq!(exporters.0.map(exported), exporters.1.map(exported));
    }
}

fn exported(exporter: &Exporter) -> [u8; 32] {
    let mut out = [0; 32];
    let exported = exporter.export(b"EXPORTER-fuzz", Some(b"context"), &mut out);
    assert_eq!(exported, Ok(()));
    out
}
