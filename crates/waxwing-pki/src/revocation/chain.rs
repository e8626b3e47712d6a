//! A verified chain, as checks of revocation need it: each certificate with its issuer.

use alloc::vec::Vec;

use waxwing_crypto::SubjectPublicKeyInfo;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Result};
use x509_cert::ext::pkix::KeyUsage;

use super::der::Fields;

/// id-ce-keyUsage (RFC 5280, Section 4.2.1.3).
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");

/// A chain whose signatures, times and constraints have been checked already.
#[derive(Clone, Debug)]
pub struct VerifiedChain<'a> {
    pub(super) links: Vec<Link<'a>>,
}

/// One certificate of a chain and what issued it.
#[derive(Clone, Debug)]
pub(super) struct Link<'a> {
    /// Counted from 0, the end entity.
    pub(super) place: usize,
    /// In DER.
    pub(super) certificate: &'a [u8],
    pub(super) fields: Fields<'a>,
    pub(super) issuer: Signer,
}

/// A name and key that certificates, lists and responses are signed with.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    /// The Name in DER.
    pub(super) name: Vec<u8>,
    /// The SubjectPublicKeyInfo in DER.
    pub(super) spki: Vec<u8>,
    /// Whether keyUsage lets it sign revocation lists. There is nothing to forbid it where there
    /// is no keyUsage, or where an anchor is a name and a key alone.
    pub(super) signs_lists: bool,
}

impl Signer {
    pub(super) fn of_certificate(der: &[u8]) -> Result<Self> {
        Self::of(&Fields::of(der)?)
    }

    fn of(certificate: &Fields<'_>) -> Result<Self> {
        let usage = certificate.extension(&KEY_USAGE)?;
        let usage = usage.map(|usage| KeyUsage::from_der(&usage)).transpose()?;
        Ok(Self {
            name: certificate.subject.to_vec(),
            spki: certificate.spki.to_vec(),
            signs_lists: usage.is_none_or(|usage| usage.crl_sign()),
        })
    }

    /// The content of `subjectPublicKey`, which OCSP hashes.
    pub(super) fn public_key(&self) -> Option<&[u8]> {
        SubjectPublicKeyInfo::parse(&self.spki)
            .ok()
            .map(|spki| spki.public_key)
    }
}

impl<'a> VerifiedChain<'a> {
    /// Takes `certificates` in order: each was issued by the next, and the last one, whose own
    /// revocation is nobody's to state, is the trust anchor.
    ///
    /// For who has verified them by other means than this crate's verifiers: nothing is checked
    /// here.
    ///
    /// # Errors
    /// [`Unreadable`](crate::Unreadable) if one of them is malformed.
    pub fn in_order(certificates: &[&'a [u8]]) -> core::result::Result<Self, crate::Unreadable> {
        let issuers = certificates.iter().skip(1);
        let pairs = certificates.iter().zip(issuers).enumerate();
        let links: Result<_> = pairs
            .map(|(place, (certificate, issuer))| {
                Link::new(place, certificate, Signer::of(&Fields::of(issuer)?)?)
            })
            .collect();
        let links = links.map_err(|error| crate::Unreadable::because(&error))?;
        Ok(Self { links })
    }

    /// A path whose last certificate a trust anchor with the key `spki` (DER) issued, which may
    /// sign revocation lists or not.
    pub(crate) fn to_anchor(
        certificates: &[&'a [u8]],
        spki: &[u8],
        signs_lists: bool,
    ) -> Result<Self> {
        let issuers = certificates.iter().skip(1);
        let mut signers = issuers
            .map(|issuer| Signer::of_certificate(issuer))
            .collect::<Result<Vec<_>>>()?;
        if let Some(last) = certificates.last() {
            signers.push(Signer {
                // Path building compares names byte by byte.
                name: Fields::of(last)?.issuer.to_vec(),
                spki: spki.to_vec(),
                signs_lists,
            });
        }
        let links = certificates.iter().zip(signers).enumerate();
        let links: Result<_> = links
            .map(|(place, (certificate, issuer))| Link::new(place, certificate, issuer))
            .collect();
        Ok(Self { links: links? })
    }
}

impl<'a> Link<'a> {
    pub(super) fn new(place: usize, certificate: &'a [u8], issuer: Signer) -> Result<Self> {
        Ok(Self {
            place,
            certificate,
            fields: Fields::of(certificate)?,
            issuer,
        })
    }
}
