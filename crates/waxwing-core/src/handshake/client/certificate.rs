//! What the server's certificate leads to, in every version.

use super::Env;
use crate::Error;
use crate::config::verifier::{ServerCertRequest, Verdict, Verified};
use crate::connection::event::OwnedServerCertRequest;

/// The verifier's answer, or the question if it answers later.
pub(super) enum Judged {
    Accepted(Verified),
    Later(OwnedServerCertRequest),
}

/// Asks the verifier, and keeps what the configuration wants kept.
pub(super) fn judge(request: &ServerCertRequest<'_>, env: &mut Env<'_>) -> Result<Judged, Error> {
    if env.config.keep_peer_chain {
        env.cx.info.peer_chain = request.chain.iter().map(|der| (*der).into()).collect();
        env.cx.info.ocsp = request.ocsp.map(Into::into);
    }
    match env.config.verifier.verify(request) {
        Verdict::Accepted(verified) => Ok(Judged::Accepted(verified)),
        Verdict::Rejected(rejection) => Err(rejection.into()),
        Verdict::Pending => Ok(Judged::Later(OwnedServerCertRequest {
            chain: request.chain.iter().map(|der| der.to_vec()).collect(),
            ocsp: request.ocsp.map(<[u8]>::to_vec),
            name: request.name.clone(),
        })),
    }
}
