//! Whether a complete handshake came out as the test expects.

use core::fmt::Display;

use waxwing_core::{ConnectionInfo, ProtocolVersion};
use waxwing_pki::Pin;

use crate::credential::certificates;
use crate::errors::Failure;
use crate::options::Options;
use crate::session::Session;

/// Checks all that the options expect.
pub(crate) fn handshake(options: &Options, session: &Session) -> Result<(), Failure> {
    let seen = session.setup().seen.lock().wrong.take();
    if let Some(wrong) = seen {
        return Err(Failure::Unexpected(wrong));
    }
    let chosen = session.setup().seen.lock().credential.unwrap_or(-1);
    same("credential", options.expect.credential, Some(chosen))?;
    let info = session
        .info()
        .ok_or_else(|| Failure::Unexpected("no connection".into()))?;
    numbers(options, info)?;
    names(options, info)?;
    if options.expect.ocsp.is_some() && info.ocsp.as_deref() != options.expect.ocsp.as_deref() {
        return Err(Failure::Unexpected("another OCSP response".into()));
    }
    if options.expect.scts.is_some() && info.scts.as_deref() != options.expect.scts.as_deref() {
        return Err(Failure::Unexpected("other certificate timestamps".into()));
    }
    if options.expect.no_peer_certificate && !info.peer_chain.is_empty() {
        return Err(Failure::Unexpected("the peer has a certificate".into()));
    }
    peer_type(options, info)?;
    if let Some(path) = &options.expect.peer_certificate {
        let expected = certificates(path)?;
        let same = info.peer_chain.iter().map(|der| &**der);
        if !same.eq(expected.iter().map(Vec::as_slice)) {
            return Err(Failure::Unexpected("another chain of the peer".into()));
        }
    }
    Ok(())
}

/// The kind of the peer's certificate, and the key that it may be instead.
fn peer_type(options: &Options, info: &ConnectionInfo) -> Result<(), Failure> {
    let typ = if options.server {
        info.client_certificate_type
    } else {
        info.server_certificate_type
    };
    let expected = options.expect.peer_certificate_type;
    same("certificate type", expected, Some(typ.0))?;
    let Some(hash) = &options.expect.peer_raw_key else {
        return Ok(());
    };
    match &*info.peer_chain {
        [key] if matches!(Pin::of_spki(key), Pin::Key(found) if found == **hash) => Ok(()),
        _ => Err(Failure::Unexpected("another raw key of the peer".into())),
    }
}

/// What has a number in the protocol.
fn numbers(options: &Options, info: &ConnectionInfo) -> Result<(), Failure> {
    let expect = &options.expect;
    let version = info.version.map(|version| version.0);
    same("version", expect.version, version)?;
    same(
        "cipher suite",
        expect.cipher,
        info.cipher_suite.map(|suite| suite.0),
    )?;
    same("group", expect.curve, info.group.map(|group| group.0))?;
    let scheme = if options.server {
        info.client_signature_scheme
    } else {
        info.signature_scheme
    };
    let scheme = scheme.map(|scheme| scheme.0);
    same("signature scheme", expect.peer_signature_scheme, scheme)?;
    // What TLS 1.2 has to ask for is always there in TLS 1.3.
    let bound = info.version == Some(ProtocolVersion::TLS13);
    if expect.extended_main_secret && !bound && !info.extended_main_secret {
        return Err(Failure::Unexpected("no extended main secret".into()));
    }
    let signaled = bound || info.secure_renegotiation;
    if expect
        .secure_renegotiation
        .is_some_and(|expected| expected != signaled)
    {
        return Err(Failure::Unexpected(format!(
            "secure renegotiation is {signaled}"
        )));
    }
    if expect.retry.is_some_and(|retry| retry != info.retried) {
        return Err(Failure::Unexpected(format!("retried is {}", info.retried)));
    }
    Ok(())
}

fn same<T: PartialEq + Display>(
    what: &str,
    expected: Option<T>,
    found: Option<T>,
) -> Result<(), Failure> {
    match (expected, found) {
        (Some(expected), Some(found)) if expected != found => Err(Failure::Unexpected(format!(
            "{what} is {found}, not {expected}"
        ))),
        (Some(expected), None) => Err(Failure::Unexpected(format!(
            "there is no {what}, which should be {expected}"
        ))),
        _ => Ok(()),
    }
}

fn names(options: &Options, info: &ConnectionInfo) -> Result<(), Failure> {
    let expect = &options.expect;
    let server_name = info.server_name.as_ref().map(|name| name.as_str());
    if expect.server_name.is_some() && server_name != expect.server_name.as_deref() {
        return Err(Failure::Unexpected(format!("name is {server_name:?}")));
    }
    if expect.no_server_name && server_name.is_some() {
        return Err(Failure::Unexpected(format!("name is {server_name:?}")));
    }
    let alpn = if options.server {
        &options.select_alpn
    } else {
        &expect.alpn
    };
    if info.alpn.as_deref() != alpn.as_deref() {
        return Err(Failure::Unexpected(format!("protocol is {:?}", info.alpn)));
    }
    Ok(())
}
