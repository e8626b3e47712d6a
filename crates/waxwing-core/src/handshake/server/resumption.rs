//! What a server checks of a session before it goes on with it, in every version.

use super::Env;
use super::certificate::{Judged, judge_by};
use crate::Incompatible;
use crate::config::verifier::Verified;
use crate::connection::event::OwnedClientCertRequest;
use crate::messages::ProtocolVersion;
use crate::session::Session;

/// Whether this session is for what the client asks for, and for us. Its suite and who the client
/// is are checked apart from that.
pub(super) fn fits(session: &Session, version: ProtocolVersion, env: &Env<'_>) -> bool {
    let Some(sessions) = &env.config.sessions else {
        return false;
    };
    let name = env.cx.info.server_name.as_ref();
    session.version == version
        && session.is_valid_at(sessions.clock.now())
        && *session.context == *sessions.context
        // RFC 6066, Section 3; RFC 9846, Section 4.3.11: a session is for one name.
        && &*session.server_name == name.map_or("", |name| name.as_str())
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
