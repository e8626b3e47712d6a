//! Whom to trust: root certificates from the system, from this crate, or from the user.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::fs;
use std::path::Path;

use rustls_pki_types::{CertificateDer, TrustAnchor};
use sha2::{Digest, Sha256};
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Encode, Tag};

use crate::explain::webpki_words;
use crate::{LoadError, pem};

/// The authorities that chains may end in, and single certificates that are trusted as they are.
///
/// Each certificate given here serves both ways. As an authority it vouches for what it issued;
/// and a peer that presents exactly this certificate is accepted too, even if it is
/// self-signed or marked as an authority, which path building would refuse.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors {
    anchors: Vec<TrustAnchor<'static>>,
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
        Self {
            anchors: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            ..Self::default()
        }
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
        self.anchors.extend(other.anchors);
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
        if self.certificates.insert(Sha256::digest(certificate).into()) {
            self.anchors.push(anchor.to_owned());
        }
        Ok(())
    }

    /// The distinguished names of all of them, in DER.
    pub(crate) fn subjects(&self) -> Vec<Vec<u8>> {
        self.anchors
            .iter()
            // An anchor has the content of the name alone, so that it has to become one again.
            .filter_map(|anchor| {
                AnyRef::new(Tag::Sequence, &anchor.subject)
                    .ok()?
                    .to_der()
                    .ok()
            })
            .collect()
    }

    pub(crate) fn as_webpki(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// Whether exactly this certificate was given.
    pub(crate) fn hold_exactly(&self, certificate: &[u8]) -> bool {
        let hash: [u8; 32] = Sha256::digest(certificate).into();
        self.certificates.contains(&hash)
    }
}
