//! What a server checks of a session before it goes on with it, in every version.

use alloc::boxed::Box;

use waxwing_crypto::{CipherSuite, Digest};

use super::Env;
use super::certificate::{Judged, judge_by};
use crate::config::sessions::ServerSessionConfig;
use crate::config::verifier::Verified;
use crate::connection::event::OwnedClientCertRequest;
use crate::messages::ProtocolVersion;
use crate::session::{Session, UnixMillis, Vouched};
use crate::{DnsName, Incompatible};

/// Whether this session is for what the client asks for, and for us. Its suite and who the client
/// is are checked apart from that.
pub(super) fn fits(session: &Session, version: ProtocolVersion, env: &Env<'_>) -> bool {
    let Some(sessions) = &env.config.sessions else {
        return false;
    };
    session.version == version
        && session.is_valid_at(sessions.clock.now())
        && *session.context == *sessions.context
        // RFC 6066, Section 3; RFC 9846, Section 4.3.11: a session is for one name.
        && *session.server_name == *name_of(env)
}

/// The name that the client asked for; empty if there is none.
fn name_of<'a>(env: &'a Env<'_>) -> &'a str {
    env.cx.info.server_name.as_ref().map_or("", DnsName::as_str)
}

/// What all sessions of this connection have in common, but for their secret. The peers proved who
/// they are now, unless it says when.
pub(super) fn template(
    version: ProtocolVersion,
    authenticated_at: Option<UnixMillis>,
    sessions: &ServerSessionConfig,
    env: &Env<'_>,
) -> Session {
    let now = sessions.clock.now();
    let info = &env.cx.info;
    Session {
        version,
        cipher_suite: info.cipher_suite.unwrap_or(CipherSuite(0)),
        secret: Digest::zeros(0),
        issued_at: now,
        authenticated_at: authenticated_at.unwrap_or(now),
        lifetime: sessions.lifetime,
        age_add: 0,
        max_early_data: 0,
        server_name: name_of(env).into(),
        alpn: info.alpn.clone().unwrap_or_default(),
        context: sessions.context.as_slice().into(),
        extended_main_secret: info.extended_main_secret,
        ticket: Box::default(),
        session_id: Box::default(),
        peer: env.cx.peer.clone(),
        vouched: Vouched::default(),
    }
}

/// Whether a session's client may come back as who it was.
pub(super) enum Client {
    /// It may; the verdict if it showed a certificate.
    Welcome(Option<Verified>),
    /// The verifier will answer later.
    Later(OwnedClientCertRequest),
    /// It has to show who it is.
    Unknown,
}

/// Judges the client that a session stands for. Its certificate may have expired or been revoked
/// since, and other certificates may be accepted here than where the session was made.
pub(super) fn judge_client(session: &Session, env: &Env<'_>) -> Client {
    let chain = session.peer.chain();
    let types = &env.config.client_certificate_types;
    if !chain.is_empty() && !types.contains(&session.peer.certificate_type) {
        return Client::Unknown;
    }
    match &env.config.client_auth {
        None if chain.is_empty() => Client::Welcome(None),
        None => Client::Unknown,
        Some(auth) => {
            let typ = session.peer.certificate_type;
            match judge_by(auth, typ, &chain, Incompatible::NoClientCertificate) {
                Ok(Judged::Nobody) => Client::Welcome(None),
                Ok(Judged::Accepted(verified)) => Client::Welcome(Some(verified)),
                Ok(Judged::Later(request)) => Client::Later(request),
                Err(_) => Client::Unknown,
            }
        }
    }
}

/// Takes over from a session who the client is.
pub(super) fn adopt(session: &Session, verified: Option<&Verified>, env: &mut Env<'_>) {
    let info = &mut env.cx.info;
    info.resumed = true;
    if let Some(verified) = verified {
        info.client_authenticated = true;
        info.client_certificate_type = session.peer.certificate_type;
        info.peer_note = verified.note().cloned();
        if env.config.keep_peer_chain {
            info.peer_chain = session.peer.chain.to_vec();
        }
    }
    env.cx.peer = session.peer.clone();
}
