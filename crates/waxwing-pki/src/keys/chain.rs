//! Bringing a chain into the order that TLS wants.

use alloc::string::ToString;
use alloc::vec::Vec;

use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::name::Name;

use crate::{Identity, LoadError, PublicKeyKind, end_entity};

/// One certificate of a chain.
pub(super) struct Link {
    number: usize,
    der: Vec<u8>,
    spki: Vec<u8>,
    subject: Name,
    issuer: Name,
    identity: Identity,
}

impl Link {
    pub(super) fn decode(number: usize, der: Vec<u8>) -> Result<Self, LoadError> {
        let bad = |reason| LoadError::BadCertificate { number, reason };
        let identity = Identity::from_der(&der).map_err(|error| bad(error.to_string()))?;
        let spki = end_entity::spki(&der).map_err(|error| bad(error.to_string()))?;
        let certificate = Certificate::from_der(&der).map_err(|error| bad(error.to_string()))?;
        let tbs = certificate.tbs_certificate();
        let (subject, issuer) = (tbs.subject().clone(), tbs.issuer().clone());
        Ok(Self {
            number,
            der,
            spki,
            subject,
            issuer,
            identity,
        })
    }
}

/// Puts the certificate of the key first, and then each one's issuer after it.
///
/// A key that cannot tell its public half has to take the first certificate as its own.
pub(super) fn order(
    mut links: Vec<Link>,
    public_key: Option<&[u8]>,
) -> Result<Vec<Vec<u8>>, LoadError> {
    let leaf = match public_key {
        Some(key) => links.iter().position(|link| link.spki == key),
        None => Some(0),
    };
    let Some(leaf) = leaf else {
        return Err(mismatch(&links, public_key));
    };
    let mut sorted = vec![links.remove(leaf)];
    // The issuer of the last one goes next. An authority may have several certificates (cross-
    // signing), so after that come those that issued any of the others.
    while !links.is_empty() {
        links.retain(|link| sorted.iter().all(|placed| placed.der != link.der));
        let issuer_of = |placed: &Link| links.iter().position(|link| link.subject == placed.issuer);
        let next = sorted
            .last()
            .and_then(issuer_of)
            .or_else(|| sorted.iter().find_map(issuer_of));
        match (next, links.first()) {
            (Some(next), _) => sorted.push(links.remove(next)),
            (None, None) => break,
            (None, Some(stray)) => {
                return Err(LoadError::Unconnected {
                    number: stray.number,
                    subject: stray.identity.label(),
                });
            }
        }
    }
    Ok(sorted.into_iter().map(|link| link.der).collect())
}

fn mismatch(links: &[Link], public_key: Option<&[u8]>) -> LoadError {
    let private = public_key.and_then(PublicKeyKind::of_spki);
    match (links.first(), private) {
        (Some(first), Some(private)) => LoadError::KeyMismatch {
            subject: first.identity.label(),
            certificate: first.identity.key.clone(),
            private,
        },
        _ => LoadError::UnusableKey,
    }
}
