//! Going on with a peer that is not trusted, and telling the application so.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use waxwing_core::{
    CertificateType, ClientCertRequest, ClientCertVerifier, ConnectionInfo, ServerCertRequest,
    ServerCertVerifier, Verdict, Verified,
};

use crate::end_entity;
use crate::{ClientVerifier, Failure, Verifier};

/// **Insecure unless the application looks at the [`Report`]**: completes the handshake with
/// every peer that proves to hold the key of its certificate, and reports what the verifier
/// thinks of it.
///
/// This is `rejectUnauthorized: false` of Node.js: the application has to read
/// [`Report::of`] the connection, and decide before it sends or believes anything.
///
/// ```
/// use std::sync::Arc;
/// use waxwing_aws_lc::PROVIDER;
/// use waxwing_core::{ClientConfig, Connection};
/// use waxwing_pki::{Report, ReportingVerifier, TrustAnchors, Verifier};
///
/// let verifier = Verifier::new(&PROVIDER, TrustAnchors::bundled());
/// let reporting = Arc::new(ReportingVerifier::of_servers(verifier));
/// let config = ClientConfig::builder(&PROVIDER, reporting);
/// # let _ = config;
///
/// // When the handshake is complete:
/// fn is_authorized(connection: &Connection) -> bool {
///     Report::of(connection.info()).is_some_and(Report::is_authorized)
/// }
/// # let _ = is_authorized;
/// ```
pub struct ReportingVerifier<V> {
    judge: V,
}

impl ReportingVerifier<Verifier> {
    /// Reports what `judge` thinks of servers.
    #[must_use]
    pub const fn of_servers(judge: Verifier) -> Self {
        Self { judge }
    }
}

impl ReportingVerifier<ClientVerifier> {
    /// Reports what `judge` thinks of clients.
    #[must_use]
    pub const fn of_clients(judge: ClientVerifier) -> Self {
        Self { judge }
    }
}

impl ServerCertVerifier for ReportingVerifier<Verifier> {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        answer(
            request.certificate_type,
            request.chain,
            self.judge.handshake(request),
        )
    }
}

impl ClientCertVerifier for ReportingVerifier<ClientVerifier> {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        answer(
            request.certificate_type,
            request.chain,
            self.judge.handshake(request),
        )
    }

    fn authorities(&self) -> &[Vec<u8>] {
        self.judge.authorities()
    }
}

impl<V> fmt::Debug for ReportingVerifier<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReportingVerifier (INSECURE unless its report is read)")
    }
}

/// The key must still be there: without it nothing can be proved.
fn answer(typ: CertificateType, chain: &[&[u8]], outcome: Result<Verified, Failure>) -> Verdict {
    let leaf = chain.first().copied().unwrap_or_default();
    let spki = || match typ {
        CertificateType::RAW_PUBLIC_KEY => Ok(leaf.to_vec()),
        _ => end_entity::spki(leaf),
    };
    let (verified, failure) = match outcome {
        Ok(verified) => (verified, None),
        Err(failure) => match spki() {
            Ok(spki) => (Verified::holder_of(spki), Some(failure)),
            Err(_) => return Verdict::Rejected(failure.into()),
        },
    };
    Verdict::Accepted(verified.with_note(Arc::new(Report { failure })))
}

/// What was found out about a peer in report mode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Why the peer is not trusted; `None` if it is.
    pub failure: Option<Failure>,
}

impl Report {
    /// The report on the peer of a connection. There is none if its verifier is another, before
    /// the peer has proved to hold its key, and about clients that showed no certificate.
    #[must_use]
    pub fn of(info: &ConnectionInfo) -> Option<&Self> {
        info.peer_note.as_ref()?.downcast_ref()
    }

    /// Whether the peer is trusted.
    #[must_use]
    pub const fn is_authorized(&self) -> bool {
        self.failure.is_none()
    }

    /// What Node.js calls `authorizationError`: a stable code such as `CERT_HAS_EXPIRED`, in the
    /// names of Node.js.
    #[must_use]
    pub const fn authorization_error(&self) -> Option<&'static str> {
        match &self.failure {
            Some(failure) => Some(failure.node_code),
            None => None,
        }
    }
}

/// As Node.js has it: `authorized`, `authorizationError`, and all of the failure.
#[cfg(feature = "serde")]
impl serde::Serialize for Report {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut report = serializer.serialize_struct("Report", 3)?;
        report.serialize_field("authorized", &self.is_authorized())?;
        report.serialize_field("authorizationError", &self.authorization_error())?;
        report.serialize_field("failure", &self.failure)?;
        report.end()
    }
}
