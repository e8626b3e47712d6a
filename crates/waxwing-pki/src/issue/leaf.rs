//! What can be said of a certificate for an end entity, whoever issues it.

use alloc::string::String;
use core::time::Duration;

use super::KeyType;
use super::template::{Purpose, Template};
use crate::{AltName, UnixTime};

/// What a certificate shall be like that `I` issues: [`Itself`], or a
/// [`LocalAuthority`](crate::LocalAuthority).
#[derive(Clone, Debug)]
pub struct LeafBuilder<I> {
    pub(super) issuer: I,
    pub(super) template: Template,
    pub(super) key_type: KeyType,
}

/// The issuer of a certificate that vouches for itself.
#[derive(Clone, Copy, Debug)]
pub struct Itself;

impl<I> LeafBuilder<I> {
    pub(super) fn new(issuer: I, names: impl IntoIterator<Item = AltName>) -> Self {
        Self {
            issuer,
            template: Template::new(names),
            key_type: KeyType::default(),
        }
    }

    /// The common name; the first of the names unless told otherwise, if it is short enough.
    #[must_use]
    pub fn common_name(mut self, name: impl Into<String>) -> Self {
        self.template.common_name = Some(name.into());
        self
    }

    /// For a client instead of a server. A server that has a certificate as a trust anchor of its
    /// [`ClientVerifier`](crate::ClientVerifier) lets in whoever holds its key, also if it is
    /// self-signed.
    #[must_use]
    pub fn for_clients(mut self) -> Self {
        self.template.purpose = Purpose::Clients;
        self
    }

    /// For a peer that is a server here and a client there.
    #[must_use]
    pub fn for_servers_and_clients(mut self) -> Self {
        self.template.purpose = Purpose::Both;
        self
    }

    /// The kind of key; ECDSA on P-256 unless told otherwise.
    #[must_use]
    pub fn key_type(mut self, key_type: KeyType) -> Self {
        self.key_type = key_type;
        self
    }

    /// When its validity begins; one hour ago unless told otherwise.
    #[must_use]
    pub fn valid_from(mut self, not_before: UnixTime) -> Self {
        self.template.not_before = Some(not_before);
        self
    }

    /// How long it is valid; 365 days unless told otherwise, and never longer than an authority
    /// that issues it. See [`MAX_BROWSER_VALIDITY`](crate::MAX_BROWSER_VALIDITY).
    #[must_use]
    pub fn valid_for(mut self, validity: Duration) -> Self {
        self.template.validity = Some(validity);
        self
    }
}
