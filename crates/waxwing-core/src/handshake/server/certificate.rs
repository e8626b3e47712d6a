//! What the client's certificate leads to, in every version.

use super::Env;
use crate::config::verifier::{ClientAuth, ClientCertRequest, Verdict, Verified};
use crate::connection::event::OwnedClientCertRequest;
use crate::{Error, Incompatible};

/// The verifier's answer, or the question if it answers later.
pub(crate) enum Judged {
    /// The client has no certificate, and needs none.
    Nobody,
    Accepted(Verified),
    Later(OwnedClientCertRequest),
}

/// Asks the verifier of the handshake, and keeps what the configuration wants kept. `missing` is
/// the error if there is no certificate and must be one.
pub(super) fn judge(
    chain: &[&[u8]],
    missing: Incompatible,
    env: &mut Env<'_>,
) -> Result<Judged, Error> {
    let Some(auth) = &env.config.client_auth else {
        return Ok(Judged::Nobody);
    };
    if env.config.keep_peer_chain {
        env.cx.info.peer_chain = chain.iter().map(|der| (*der).into()).collect();
    }
    judge_by(auth, chain, missing)
}

/// Asks this verifier.
pub(crate) fn judge_by(
    auth: &ClientAuth,
    chain: &[&[u8]],
    missing: Incompatible,
) -> Result<Judged, Error> {
    if chain.is_empty() {
        return if auth.is_required() {
            Err(missing.into())
        } else {
            Ok(Judged::Nobody)
        };
    }
    match auth.verifier().verify(&ClientCertRequest { chain }) {
        Verdict::Accepted(verified) => Ok(Judged::Accepted(verified)),
        Verdict::Rejected(rejection) => Err(rejection.into()),
        Verdict::Pending => Ok(Judged::Later(OwnedClientCertRequest {
            chain: chain.iter().map(|der| der.to_vec()).collect(),
        })),
    }
}
