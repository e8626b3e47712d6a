//! The session that a client resumes: taken from the store, and checked before it is offered.

use alloc::string::ToString;
use alloc::sync::Arc;

use waxwing_crypto::{CipherSuite, Digest};

use super::Env;
use crate::ServerName;
use crate::config::client::ClientConfig;
use crate::config::verifier::{Note, ServerCertRequest, Verdict};
use crate::limits::MAX_TICKET;
use crate::messages::ProtocolVersion;
use crate::session::{Session, UnixMillis, Vouched};

/// Takes a session for this server that can be offered.
pub(super) fn take(env: &Env<'_>) -> Option<Session> {
    let sessions = env.config.sessions.as_ref()?;
    let session = sessions.store.take(env.name)?;
    let config = env.config;
    let types = &config.server_certificate_types;
    let usable = session.is_valid_at(sessions.clock.now())
        && config.common.versions.contains(session.version)
        && session.ticket.len() <= MAX_TICKET
        && is_for(&session, env.name)
        && types.contains(&session.peer.certificate_type);
    if usable {
        vouched(session, env.config, env.name)
    } else {
        None
    }
}

fn is_for(session: &Session, name: &ServerName) -> bool {
    match name.dns() {
        Some(name) => *session.server_name == *name,
        None => *session.server_name == *name.to_string(),
    }
}

/// A session says who the server is, so our verifier must have accepted that. If it was not this
/// one, or not in this process, it is asked now.
fn vouched(mut session: Session, config: &ClientConfig, name: &ServerName) -> Option<Session> {
    if session.vouched.is_by(&config.verifier) {
        return Some(session);
    }
    let chain = session.peer.chain();
    if chain.is_empty() {
        return None;
    }
    let request = ServerCertRequest {
        certificate_type: session.peer.certificate_type,
        chain: &chain,
        ocsp: session.peer.ocsp.as_deref(),
        scts: session.peer.scts.as_deref(),
        name,
    };
    match config.verifier.verify(&request) {
        Verdict::Accepted(verified) => {
            let note = verified.note().cloned();
            session.vouched = vouch(config, note);
            Some(session)
        }
        Verdict::Rejected(_) | Verdict::Pending => None,
    }
}

/// Our verifier accepted the server.
fn vouch(config: &ClientConfig, note: Option<Note>) -> Vouched {
    Vouched {
        by: Some(Arc::downgrade(&config.verifier)),
        note,
    }
}

/// Takes over from a session who the server is.
pub(super) fn adopt_peer(session: &Session, env: &mut Env<'_>) {
    let info = &mut env.cx.info;
    info.resumed = true;
    info.server_certificate_type = session.peer.certificate_type;
    info.peer_note.clone_from(&session.vouched.note);
    if env.config.keep_peer_chain {
        info.peer_chain = session.peer.chain.to_vec();
        info.ocsp.clone_from(&session.peer.ocsp);
        info.scts.clone_from(&session.peer.scts);
    }
    env.cx.peer = session.peer.clone();
}

/// What all sessions of this connection have in common. What a ticket brings is not set.
pub(super) fn template(authenticated_at: UnixMillis, env: &Env<'_>) -> Session {
    let info = &env.cx.info;
    Session {
        version: info.version.unwrap_or(ProtocolVersion::TLS13),
        cipher_suite: info.cipher_suite.unwrap_or(CipherSuite(0)),
        secret: Digest::zeros(0),
        issued_at: 0,
        authenticated_at,
        lifetime: 0,
        age_add: 0,
        max_early_data: 0,
        server_name: env.name.to_string(),
        alpn: info.alpn.clone().unwrap_or_default(),
        context: [].into(),
        extended_main_secret: info.extended_main_secret,
        ticket: [].into(),
        session_id: [].into(),
        peer: env.cx.peer.clone(),
        vouched: vouch(env.config, info.peer_note.clone()),
    }
}
