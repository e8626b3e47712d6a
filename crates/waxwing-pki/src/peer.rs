//! Who is judged.

use waxwing_core::ServerName;
use webpki::KeyUsage;

use crate::Identity;

/// Who presents a certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer<'a> {
    /// A server that should have this name.
    Server(&'a ServerName),
    /// A client, whose name is not known beforehand.
    Client,
}

impl<'a> Peer<'a> {
    /// The word for it in a sentence.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Server(_) => "server",
            Self::Client => "client",
        }
    }

    /// The name that its certificate must have.
    pub(crate) const fn name(self) -> Option<&'a ServerName> {
        match self {
            Self::Server(name) => Some(name),
            Self::Client => None,
        }
    }

    /// What extendedKeyUsage has to allow, where there is one (RFC 5280, Section 4.2.1.12).
    pub(crate) fn usage(self) -> KeyUsage {
        match self {
            Self::Server(_) => KeyUsage::server_auth(),
            Self::Client => KeyUsage::client_auth(),
        }
    }

    /// Whether a certificate is for such a peer.
    pub(crate) const fn fits(self, identity: &Identity) -> bool {
        match self {
            Self::Server(_) => identity.for_servers,
            Self::Client => identity.for_clients,
        }
    }
}
