//! Who may connect, and who has connected.

use core::fmt;
use core::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use waxwing::pki::{ClientVerifier, Identity, TrustAnchors};
use waxwing::{ClientAuth, ConnectionInfo, PROVIDER};

use crate::args::{ClientAuthMode, ServeArgs};
use crate::exit::Failure;

/// What --client-ca and --client-auth ask for.
pub(crate) fn client_auth(args: &ServeArgs) -> Result<Option<ClientAuth>, Failure> {
    if args.client_ca.is_empty() {
        return Ok(None);
    }
    let mut anchors = TrustAnchors::none();
    for path in &args.client_ca {
        let more = TrustAnchors::from_file(path);
        anchors.extend(more.map_err(|error| Failure::usage(error.to_string()))?);
    }
    let verifier = Arc::new(ClientVerifier::new(&PROVIDER, anchors));
    Ok(Some(match args.client_auth.unwrap_or_default() {
        ClientAuthMode::Optional => ClientAuth::Optional(verifier),
        ClientAuthMode::Required => ClientAuth::Required(verifier),
    }))
}

/// The other end of a connection: its address and, if it showed a certificate, whose that is.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) address: SocketAddr,
    certificate: Option<Certificate>,
}

#[derive(Clone, Debug)]
struct Certificate {
    /// Safe to print.
    label: String,
    issuer: String,
    header: HeaderValue,
}

impl Visitor {
    pub(crate) fn new(address: SocketAddr, info: &ConnectionInfo) -> Self {
        let shown = info
            .peer_chain
            .first()
            .filter(|_| info.client_authenticated);
        Self {
            address,
            certificate: shown.and_then(|der| Certificate::new(der)),
        }
    }

    /// Who it is and who says so, if it showed a certificate.
    pub(crate) fn introduction(&self) -> Option<String> {
        let Certificate { label, issuer, .. } = self.certificate.as_ref()?;
        Some(format!("{} is {label}, by {issuer}", self.address))
    }

    /// The value of the Client-Cert header field: the certificate in DER, as a byte sequence
    /// (RFC 9440, Section 2.2).
    pub(crate) fn client_cert(&self) -> Option<HeaderValue> {
        Some(self.certificate.as_ref()?.header.clone())
    }
}

impl Certificate {
    fn new(der: &[u8]) -> Option<Self> {
        let identity = Identity::from_der(der).ok()?;
        let header = format!(":{}:", BASE64_STANDARD.encode(der));
        Some(Self {
            label: identity.label(),
            issuer: identity.issuer,
            header: HeaderValue::from_str(&header).ok()?,
        })
    }
}

/// The address, and the name in the certificate.
impl fmt::Display for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        match &self.certificate {
            Some(certificate) => write!(f, " ({})", certificate.label),
            None => Ok(()),
        }
    }
}
