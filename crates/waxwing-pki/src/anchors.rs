//! Whom to trust: root certificates from the system, from this crate, or from the user.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::fs;
use std::path::Path;

use rustls_pki_types::{CertificateDer, Der, TrustAnchor};
use sha2::{Digest, Sha256};
use webpki::EndEntityCert;
use x509_cert::Certificate;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Encode, Tag};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, NameConstraints, SubjectKeyIdentifier,
};

use crate::explain::webpki_words;
use crate::horizon::Horizon;
use crate::rules::{self, Role};
use crate::tlv::{self, Elements};
use crate::{Code, Failure, Identity, LoadError, Profile, PublicKeyKind, UnixTime, pem};

/// The authorities that chains may end in, and single certificates that are trusted as they are.
///
/// Each certificate given here serves both ways. As an authority it vouches for what it issued;
/// and a peer that presents exactly this certificate is accepted too, even if it is
/// self-signed or marked as an authority, which path building would refuse.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors {
    anchors: Vec<Anchor>,
    /// Places in `anchors` by subject, as webpki has it: without tag and length.
    by_subject: BTreeMap<Vec<u8>, Vec<usize>>,
    /// SHA-256 of each certificate.
    certificates: BTreeSet<[u8; 32]>,
    skipped: Vec<String>,
}

impl TrustAnchors {
    /// None at all; fill it with [`Self::add`].
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The system's store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    ///
    /// Certificates that are of no use are left out; [`Self::skipped`] names them.
    ///
    /// # Errors
    /// [`LoadError::NoSystemStore`] if nothing usable is left.
    pub fn system() -> Result<Self, LoadError> {
        let found = rustls_native_certs::load_native_certs();
        let mut anchors = Self::none();
        anchors.skipped = found.errors.iter().map(ToString::to_string).collect();
        for (index, certificate) in found.certs.iter().enumerate() {
            if let Err(error) = anchors.add_certificate(index, certificate) {
                anchors.skipped.push(error.to_string());
            }
        }
        if anchors.is_empty() {
            let reason = anchors
                .skipped
                .first()
                .map_or("it is empty", String::as_str);
            return Err(LoadError::NoSystemStore(reason.to_owned()));
        }
        Ok(anchors)
    }

    /// The roots of Mozilla's programme, as they were when this crate was built.
    #[must_use]
    pub fn bundled() -> Self {
        let mut anchors = Self::none();
        for root in webpki_roots::TLS_SERVER_ROOTS {
            anchors.push(Anchor::new(root.clone(), None));
        }
        anchors
    }

    /// The system's store, or the bundled roots where the system has none.
    ///
    /// # Errors
    /// As [`Self::system`], if `SSL_CERT_FILE` or `SSL_CERT_DIR` is set: who sets them wants
    /// no other roots.
    pub fn system_or_bundled() -> Result<Self, LoadError> {
        let chosen = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
        match Self::system() {
            Err(error) if chosen("SSL_CERT_FILE") || chosen("SSL_CERT_DIR") => Err(error),
            Err(_) => Ok(Self::bundled()),
            found => found,
        }
    }

    /// The certificates in `bytes`: PEM, with any text around them, or one in DER.
    ///
    /// # Errors
    /// If there is none, or any of them is malformed.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, LoadError> {
        let mut anchors = Self::none();
        anchors.add(bytes)?;
        Ok(anchors)
    }

    /// As [`Self::from_pem_or_der`], from a file.
    ///
    /// # Errors
    /// [`LoadError::InFile`], with the reason.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        fs::read(path)
            .map_err(|error| LoadError::unreadable(&error))
            .and_then(|bytes| Self::from_pem_or_der(&bytes))
            .map_err(|error| error.in_file(path))
    }

    /// Adds the certificates in `bytes`, PEM or DER; says how many.
    ///
    /// # Errors
    /// If there is none, or any of them is malformed; then those before it are added.
    pub fn add(&mut self, bytes: &[u8]) -> Result<usize, LoadError> {
        let certificates = pem::certificates(bytes)?;
        for (index, certificate) in certificates.iter().enumerate() {
            self.add_certificate(index, certificate)?;
        }
        Ok(certificates.len())
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        for anchor in other.anchors {
            let known = anchor
                .facts
                .as_ref()
                .is_some_and(|facts| !self.certificates.insert(facts.hash));
            if !known {
                self.push(anchor);
            }
        }
        self.certificates.extend(other.certificates);
        self.skipped.extend(other.skipped);
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// What was left out of the system's store, and why, in words.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    fn add_certificate(
        &mut self,
        index: usize,
        certificate: &CertificateDer<'_>,
    ) -> Result<(), LoadError> {
        let anchor = webpki::anchor_from_trusted_cert(certificate).map_err(|error| {
            LoadError::BadCertificate {
                number: index + 1,
                reason: webpki_words(&error),
            }
        })?;
        let hash = Sha256::digest(certificate).into();
        if self.certificates.insert(hash) {
            let facts = Facts::of(certificate, hash).map(Arc::new);
            self.push(Anchor::new(anchor.to_owned(), facts));
        }
        Ok(())
    }

    fn push(&mut self, anchor: Anchor) {
        let places = self.by_subject.entry(anchor.trust.subject.to_vec());
        places.or_default().push(self.anchors.len());
        self.anchors.push(anchor);
    }

    /// Those with this subject, which is the content of the name.
    pub(crate) fn named<'a>(&'a self, subject: &[u8]) -> impl Iterator<Item = &'a Anchor> {
        let places = self.by_subject.get(subject);
        places
            .into_iter()
            .flatten()
            .filter_map(|place| self.anchors.get(*place))
    }

    /// The distinguished names of all of them, in DER.
    pub(crate) fn subjects(&self) -> Vec<Vec<u8>> {
        self.anchors
            .iter()
            // An anchor has the content of the name alone, so that it has to become one again.
            .filter_map(|anchor| {
                AnyRef::new(Tag::Sequence, &anchor.trust.subject)
                    .ok()?
                    .to_der()
                    .ok()
            })
            .collect()
    }

    /// Whether exactly this certificate was given.
    pub(crate) fn hold_exactly(&self, certificate: &[u8]) -> bool {
        let hash: [u8; 32] = Sha256::digest(certificate).into();
        self.certificates.contains(&hash)
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    trust: TrustAnchor<'static>,
    /// `None` if it is malformed.
    key: Option<PublicKeyKind>,
    /// There if the whole certificate is known, and can be decoded.
    facts: Option<Arc<Facts>>,
}

impl Anchor {
    fn new(trust: TrustAnchor<'static>, facts: Option<Arc<Facts>>) -> Self {
        let mut anchor = Self {
            trust,
            key: None,
            facts,
        };
        anchor.key = PublicKeyKind::of_spki(&anchor.spki());
        anchor
    }

    /// The kind of its key; `None` if that is malformed.
    pub(crate) const fn key(&self) -> Option<&PublicKeyKind> {
        self.key.as_ref()
    }

    /// Whether it has nameConstraints.
    pub(crate) const fn is_constrained(&self) -> bool {
        self.trust.name_constraints.is_some()
    }

    pub(crate) fn facts(&self) -> Option<&Facts> {
        self.facts.as_deref()
    }

    /// Whether this is its subject, in DER.
    pub(crate) fn has_name(&self, name: &[u8]) -> bool {
        let name = AnyRef::from_der(name);
        name.is_ok_and(|name| name.value() == &*self.trust.subject)
    }

    /// The DER SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> Vec<u8> {
        let content = &self.trust.subject_public_key_info;
        let spki = AnyRef::new(Tag::Sequence, content).and_then(|spki| spki.to_der());
        spki.unwrap_or_default()
    }

    /// Its nameConstraints.
    pub(crate) fn constraints(&self) -> Result<Option<NameConstraints>, Failure> {
        let Some(content) = &self.trust.name_constraints else {
            return Ok(None);
        };
        let constraints = AnyRef::new(Tag::Sequence, content)
            .and_then(|constraints| constraints.to_der())
            .and_then(|der| NameConstraints::from_der(&der));
        constraints.map(Some).map_err(|error| {
            let reason = format!("the nameConstraints of the trust anchor is malformed: {error}");
            Failure::new(Code::ConstraintSyntax, reason)
        })
    }
}

/// What is known of an anchor whose certificate was given.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    hash: [u8; 32],
    pub(crate) label: String,
    pub(crate) sha256: String,
    pub(crate) self_issued: bool,
    /// subjectKeyIdentifier.
    key_id: Option<Vec<u8>>,
    /// How many intermediates may follow.
    pub(crate) path_len: Option<u8>,
    /// Whether its keyUsage, if it has one, allows to sign revocation lists.
    pub(crate) signs_lists: bool,
    not_before: UnixTime,
    not_after: UnixTime,
    /// What is wrong with it by each profile that looks at it.
    strict_flaw: Option<Failure>,
    web_flaw: Option<Failure>,
}

impl Facts {
    fn of(der: &[u8], hash: [u8; 32]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let identity = Identity::from_der(der).ok()?;
        let key_id = certificate
            .tbs_certificate()
            .get_extension::<SubjectKeyIdentifier>()
            .ok()
            .flatten()
            .map(|(_, id)| id.0.as_bytes().to_vec());
        let path_len = certificate
            .tbs_certificate()
            .get_extension::<BasicConstraints>()
            .ok()
            .flatten()
            .and_then(|(_, constraints)| constraints.path_len_constraint);
        let usage = certificate.tbs_certificate().get_extension::<KeyUsage>();
        let flaw = |profile| rules::check(&certificate, Role::Anchor, profile).err();
        Some(Self {
            hash,
            label: identity.label(),
            sha256: identity.sha256,
            self_issued: identity.self_issued,
            key_id,
            path_len,
            signs_lists: usage.is_ok_and(|usage| usage.is_none_or(|(_, usage)| usage.crl_sign())),
            not_before: identity.not_before,
            not_after: identity.not_after,
            strict_flaw: flaw(Profile::Strict),
            web_flaw: flaw(Profile::WebPki),
        })
    }

    pub(crate) fn flaw(&self, profile: Profile) -> Option<Failure> {
        match profile {
            Profile::Path => None,
            Profile::Strict => self.strict_flaw.clone(),
            Profile::WebPki => self.web_flaw.clone(),
        }
    }

    pub(crate) fn valid_at(&self, now: UnixTime, horizon: &Horizon) -> Result<(), Failure> {
        horizon.asked_within(now, self.not_before, self.not_after);
        if now < self.not_before {
            let reason = format!(
                "it is valid from {}; the time now is {now}",
                self.not_before
            );
            return Err(Failure::new(Code::NotYetValid, reason));
        }
        if now > self.not_after {
            let reason = format!(
                "it is expired since {}; the time now is {now}",
                self.not_after
            );
            return Err(Failure::new(Code::Expired, reason));
        }
        Ok(())
    }
}

/// The anchors that can have issued one of the certificates presented, by their names. First come
/// those whose subjectKeyIdentifier is named too (RFC 5280, Section 4.2.1.1).
#[derive(Debug)]
pub(crate) struct Candidates<'a> {
    anchors: Vec<&'a Anchor>,
    webpki: Vec<TrustAnchor<'a>>,
}

impl<'a> Candidates<'a> {
    pub(crate) fn of(sets: &'a [Arc<TrustAnchors>], chain: &[&[u8]]) -> Self {
        let mut anchors: Vec<&Anchor> = Vec::new();
        for der in chain {
            let Some(issuer) = issuer(der) else {
                continue;
            };
            if anchors.iter().any(|other| *other.trust.subject == *issuer) {
                continue;
            }
            let known = anchors.len();
            anchors.extend(sets.iter().flat_map(|set| set.named(issuer)));
            let named = anchors.get_mut(known..).unwrap_or_default();
            if named.len() < 2 {
                continue;
            }
            // One that is malformed has no say in who comes first.
            if !can_be_read(der) {
                anchors.truncate(known);
                continue;
            }
            let wanted = issuer_key_id(der);
            named.sort_by_key(|anchor| {
                let own = anchor.facts().and_then(|facts| facts.key_id.as_ref());
                wanted.is_none() || own != wanted.as_ref()
            });
        }
        // The constraints of anchors are checked here, not by webpki.
        let webpki = anchors
            .iter()
            .map(|anchor| TrustAnchor {
                subject: Der::from_slice(&anchor.trust.subject),
                subject_public_key_info: Der::from_slice(&anchor.trust.subject_public_key_info),
                name_constraints: None,
            })
            .collect();
        Self { anchors, webpki }
    }

    pub(crate) fn all(&self) -> &[&'a Anchor] {
        &self.anchors
    }

    pub(crate) fn as_webpki(&self) -> &[TrustAnchor<'a>] {
        &self.webpki
    }

    /// Those with the name and key of this one.
    pub(crate) fn like(&self, other: &TrustAnchor<'_>) -> impl Iterator<Item = &'a Anchor> {
        self.anchors.iter().copied().filter(|anchor| {
            anchor.trust.subject == other.subject
                && anchor.trust.subject_public_key_info == other.subject_public_key_info
        })
    }
}

/// The content of the name of a certificate's issuer.
fn issuer(der: &[u8]) -> Option<&[u8]> {
    let mut fields = Elements::inside(der, tlv::SEQUENCE)?;
    let mut fields = Elements::of(fields.take(tlv::SEQUENCE)?);
    fields.take(tlv::constructed(0))?;
    fields.take(tlv::INTEGER)?;
    fields.take(tlv::SEQUENCE)?;
    fields.take(tlv::SEQUENCE)
}

/// Whether webpki takes it for a certificate.
fn can_be_read(der: &[u8]) -> bool {
    EndEntityCert::try_from(&CertificateDer::from(der)).is_ok()
}

/// The keyIdentifier in authorityKeyIdentifier.
pub(crate) fn issuer_key_id(der: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(der).ok()?;
    let tbs = certificate.tbs_certificate();
    let (_, id) = tbs
        .get_extension::<AuthorityKeyIdentifier>()
        .ok()
        .flatten()?;
    Some(id.key_identifier?.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The strict profile must not shut out who the systems trust.
    #[test]
    fn every_root_of_mozillas_programme_passes_the_strict_profile() {
        let mut anchors = TrustAnchors::none();
        for (index, root) in webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().enumerate() {
            anchors.add_certificate(index, root).unwrap();
        }
        assert!(anchors.len() > 100);
        for anchor in &anchors.anchors {
            let facts = anchor.facts().expect("a root that can be decoded");
            assert_eq!(facts.flaw(Profile::Strict), None, "{}", facts.label);
            assert_eq!(facts.flaw(Profile::Path), None, "{}", facts.label);
        }
        let strictest = |anchor: &&Anchor| anchor.facts().unwrap().flaw(Profile::WebPki).is_some();
        assert!(anchors.anchors.iter().filter(strictest).count() > 0);
    }
}
