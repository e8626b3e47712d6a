//! What the client's certificate leads to, in every version.

use super::super::certificate_type::{self, TypeOffer};
use super::Env;
use crate::config::credentials::CertifiedKey;
use crate::config::verifier::{ClientAuth, ClientCertRequest, Verdict, Verified};
use crate::connection::event::OwnedClientCertRequest;
use crate::messages::CertificateType;
use crate::messages::client_hello::ClientExtensions;
use crate::session::PeerIdentity;
use crate::{Error, Incompatible};

/// The verifier's answer, or the question if it answers later.
pub(crate) enum Judged {
    /// The client has no certificate, and needs none.
    Nobody,
    Accepted(Verified),
    Later(OwnedClientCertRequest),
}

/// What a ClientHello says of the types of both sides' certificates (RFC 7250, Section 4.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct TypeOffers {
    server: TypeOffer,
    client: TypeOffer,
}

/// What we say to that.
pub(super) struct TypeAnswers {
    pub(super) server: Option<CertificateType>,
    pub(super) client: Option<CertificateType>,
}

impl TypeOffers {
    pub(super) fn read(extensions: &ClientExtensions<'_>) -> Result<Self, Error> {
        Ok(Self {
            server: TypeOffer::read(extensions.server_certificate_types)?,
            client: TypeOffer::read(extensions.client_certificate_types)?,
        })
    }

    /// Settles what the Certificate of each side will hold: ours shows this key.
    pub(super) fn settle(
        self,
        key: &CertifiedKey,
        env: &mut Env<'_>,
    ) -> Result<TypeAnswers, Error> {
        let own = key.certificate_type();
        env.cx.info.server_certificate_type = self.server.first_of(&[own])?;
        let mut client = None;
        // RFC 7250, Section 4.2: nothing is said of a certificate that is never asked for.
        if env.config.client_auth.is_some() || env.cx.info.post_handshake_auth {
            let chosen = self.client.first_of(&env.config.client_certificate_types)?;
            env.cx.info.client_certificate_type = chosen;
            client = self.client.answer(chosen);
        }
        Ok(TypeAnswers {
            server: self.server.answer(own),
            client,
        })
    }
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
    let certificate_type = env.cx.info.client_certificate_type;
    if env.config.sessions.is_some() {
        env.cx.peer = PeerIdentity::keep(certificate_type, chain, None, None);
    }
    judge_by(auth, certificate_type, chain, missing)
}

/// Asks this verifier.
pub(crate) fn judge_by(
    auth: &ClientAuth,
    certificate_type: CertificateType,
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
    certificate_type::check(certificate_type, chain)?;
    let request = ClientCertRequest {
        certificate_type,
        chain,
    };
    match auth.verifier().verify(&request) {
        Verdict::Accepted(verified) => Ok(Judged::Accepted(verified)),
        Verdict::Rejected(rejection) => Err(rejection.into()),
        Verdict::Pending => Ok(Judged::Later(OwnedClientCertRequest {
            certificate_type,
            chain: chain.iter().map(|der| der.to_vec()).collect(),
        })),
    }
}
