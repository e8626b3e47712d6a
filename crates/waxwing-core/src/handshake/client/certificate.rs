//! What the server's certificate leads to, in every version.

use super::super::certificate_type;
use super::Env;
use crate::config::credentials::CertifiedKey;
use crate::config::verifier::{ServerCertRequest, Verdict, Verified};
use crate::connection::event::OwnedServerCertRequest;
use crate::messages::CertificateType;
use crate::session::PeerIdentity;
use crate::{Error, Incompatible};

/// The verifier's answer, or the question if it answers later.
pub(super) enum Judged {
    Accepted(Verified),
    Later(OwnedServerCertRequest),
}

/// Settles what the Certificate of each side will hold, from the server's answers to our offers
/// (RFC 7250, Section 4.2). `with_psk`: the server shows none, as a PSK says who it is.
pub(super) fn settle_types(
    server: Option<CertificateType>,
    client: Option<CertificateType>,
    with_psk: bool,
    env: &mut Env<'_>,
) -> Result<(), Error> {
    let config = env.config;
    let server = certificate_type::chosen(server, &config.server_certificate_types)?;
    // Where a session is resumed, it says what the server showed then.
    if !with_psk {
        // Without an answer it is X.509, which we need not accept.
        if !config.server_certificate_types.contains(&server) {
            return Err(Incompatible::CertificateType.into());
        }
        env.cx.info.server_certificate_type = server;
    }
    // This one matters only if the server asks for a certificate.
    let client = certificate_type::chosen(client, &config.client_certificate_types)?;
    env.cx.info.client_certificate_type = client;
    Ok(())
}

/// Checks that what we are about to show is what the server expects.
pub(super) fn check_own_type(key: &CertifiedKey, agreed: CertificateType) -> Result<(), Error> {
    if key.certificate_type() == agreed {
        Ok(())
    } else {
        Err(Incompatible::CertificateType.into())
    }
}

/// Asks the verifier, and keeps what the configuration wants kept.
pub(super) fn judge(request: &ServerCertRequest<'_>, env: &mut Env<'_>) -> Result<Judged, Error> {
    certificate_type::check(request.certificate_type, request.chain)?;
    if env.config.keep_peer_chain {
        env.cx.info.peer_chain = request.chain.iter().map(|der| (*der).into()).collect();
        env.cx.info.ocsp = request.ocsp.map(Into::into);
        env.cx.info.scts = request.scts.map(Into::into);
    }
    if env.config.sessions.is_some() {
        env.cx.peer = PeerIdentity::keep(
            request.certificate_type,
            request.chain,
            request.ocsp,
            request.scts,
        );
    }
    match env.config.verifier.verify(request) {
        Verdict::Accepted(verified) => Ok(Judged::Accepted(verified)),
        Verdict::Rejected(rejection) => Err(rejection.into()),
        Verdict::Pending => Ok(Judged::Later(OwnedServerCertRequest {
            certificate_type: request.certificate_type,
            chain: request.chain.iter().map(|der| der.to_vec()).collect(),
            ocsp: request.ocsp.map(<[u8]>::to_vec),
            scts: request.scts.map(<[u8]>::to_vec),
            name: request.name.clone(),
        })),
    }
}
