//! Whether a complete handshake came out as the test expects.

use core::fmt::Display;

use waxwing_core::{ConnectionInfo, EarlyDataStatus, ProtocolVersion};
use waxwing_pki::Pin;

use crate::credential::certificates;
use crate::errors::Failure;
use crate::exchange::Exchange;
use crate::memory::Memory;
use crate::options::Options;
use crate::session::Session;

/// Checks all that the options expect.
pub(crate) fn handshake(exchange: &Exchange<'_>, session: &Session) -> Result<(), Failure> {
    let options = exchange.options;
    let hooks = session.hooks();
    if let Some(wrong) = hooks.seen.lock().wrong.take() {
        return Err(Failure::Unexpected(wrong));
    }
    let info = session
        .info()
        .ok_or_else(|| Failure::Unexpected("no connection".into()))?;
    let key = info.psk_identity.as_deref();
    let chosen = key
        .and_then(|identity| hooks.keys.number_of(identity))
        .or(hooks.seen.lock().credential)
        .unwrap_or(-1);
    same("credential", options.expect.credential, Some(chosen))?;
    resumption(exchange, session, info)?;
    early_data(exchange, info)?;
    numbers(options, info)?;
    names(options, info)?;
    if options.expect.ocsp.is_some() && info.ocsp.as_deref() != options.expect.ocsp.as_deref() {
        return Err(Failure::Unexpected("another OCSP response".into()));
    }
    if options.expect.scts.is_some() && info.scts.as_deref() != options.expect.scts.as_deref() {
        return Err(Failure::Unexpected("other certificate timestamps".into()));
    }
    // BoringSSL takes it for granted that a peer has one.
    let silent = info.psk_identity.is_some() || options.expect.no_peer_certificate;
    let asked = !options.server || options.require_client_certificate;
    if !silent && asked && info.peer_chain.is_empty() {
        return Err(Failure::Unexpected("the peer has no certificate".into()));
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

/// Whether a session was resumed, and kept.
fn resumption(
    exchange: &Exchange<'_>,
    session: &Session,
    info: &ConnectionInfo,
) -> Result<(), Failure> {
    let expect = &exchange.options.expect;
    if info.resumed != (exchange.resumed && !expect.session_miss) {
        return Err(Failure::Unexpected(format!("resumed is {}", info.resumed)));
    }
    let kept = session.hooks().sessions.kept();
    if expect.session_id.is_some_and(|expected| expected != kept) && !exchange.resumed {
        return Err(Failure::Unexpected(format!("kept is {kept}")));
    }
    Ok(())
}

/// What became of early data, and why.
fn early_data(exchange: &Exchange<'_>, info: &ConnectionInfo) -> Result<(), Failure> {
    let Options { expect, .. } = exchange.options;
    let status = info.early_data;
    let accepted = status == EarlyDataStatus::Accepted;
    let expected = expect.early_data;
    if expected.is_some_and(|expected| expected != accepted) {
        return Err(Failure::Unexpected(format!("early data is {status:?}")));
    }
    if expect.no_early_offer && status != EarlyDataStatus::NotOffered {
        return Err(Failure::Unexpected("early data was offered".into()));
    }
    // The engine keeps no reasons, but what it does tell must not contradict them.
    let so = match expect.early_data_reason.as_deref() {
        None => true,
        Some("accept") => accepted,
        Some(_) if accepted => false,
        Some("disabled") => !exchange.options.early_data,
        Some("protocol_version") => info.version != Some(ProtocolVersion::TLS13),
        Some("no_session_offered" | "session_not_resumed") => !info.resumed,
        Some("hello_retry_request") => info.retried,
        Some("peer_declined") => status == EarlyDataStatus::Rejected,
        Some("alpn_mismatch" | "ticket_age_skew" | "unsupported_for_session") => info.resumed,
        Some(_) => false,
    };
    if so {
        return Ok(());
    }
    Err(Failure::Unexpected(format!(
        "early data is {status:?}, which needs another reason"
    )))
}

/// Checks the session that a client came by.
pub(crate) fn new_session(
    options: &Options,
    session: &Session,
    memory: &Memory,
) -> Result<(), Failure> {
    let Some(info) = session.info().filter(|_| !options.server) else {
        return Ok(());
    };
    let expect = &options.expect;
    let fresh = memory.ours.fresh();
    let expected = !expect.no_session
        && if info.version == Some(ProtocolVersion::TLS13) {
            !options.shuts_down
        } else {
            !info.resumed || expect.renewal
        };
    if fresh.is_some() != expected {
        return Err(Failure::Unexpected(format!(
            "a session came is {}",
            fresh.is_some()
        )));
    }
    let early = fresh.map(|session| session.max_early_data() > 0);
    match early {
        Some(early) if early != expect.early_data_ticket => Err(Failure::Unexpected(format!(
            "the session takes early data is {early}"
        ))),
        _ => Ok(()),
    }
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
    // BoringSSL remembers it, where a resumed session of TLS 1.2 needs none.
    let curve = expect
        .curve
        .filter(|_| !info.resumed || info.group.is_some());
    same("group", curve, info.group.map(|group| group.0))?;
    let scheme = if options.server {
        info.client_signature_scheme
    } else {
        info.signature_scheme
    };
    let scheme = scheme.map(|scheme| scheme.0);
    // BoringSSL remembers the one that it saw in a session's first handshake.
    let expected = expect.peer_signature_scheme.filter(|_| !info.resumed);
    same("signature scheme", expected, scheme)?;
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
