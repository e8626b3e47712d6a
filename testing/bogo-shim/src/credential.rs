//! Our certificate and key, from the files that the runner wrote.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use waxwing_core::CertifiedKey;
use waxwing_crypto::{CryptoError, CryptoProvider, SignatureScheme, Signing, SigningKey};
use waxwing_pki::load_private_key;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use crate::errors::Failure;
use crate::options::{CredentialFiles, Options};

/// A key that signs with some of its schemes only, and perhaps not at once.
#[derive(Debug)]
pub(crate) struct TestKey {
    key: Arc<dyn SigningKey>,
    schemes: Vec<SignatureScheme>,
    later: bool,
}

impl SigningKey for TestKey {
    fn schemes(&self) -> &[SignatureScheme] {
        &self.schemes
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Signing, CryptoError> {
        if self.later {
            return Ok(Signing::Pending);
        }
        self.key.sign(scheme, message)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        self.key.public_key()
    }
}

/// What the engine presents, and the key to answer it with when it asks for a signature.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) certified: Arc<CertifiedKey>,
    /// Which of several it is; -1 for the one without a number.
    pub(crate) number: i32,
    key: Arc<dyn SigningKey>,
    must_match_issuer: bool,
}

impl Credential {
    /// All that the options name, the preferred one first.
    pub(crate) fn load_all(
        provider: &CryptoProvider,
        options: &Options,
    ) -> Result<Vec<Self>, Failure> {
        let more = (0..).zip(&options.more_credentials);
        more.chain([(-1, &options.credential)])
            .filter_map(|(number, files)| Self::load(provider, options, files, number).transpose())
            .collect()
    }

    /// Whether it may be shown to a peer that trusts these authorities.
    pub(crate) fn may_be_shown_to(&self, authorities: &[&[u8]]) -> bool {
        let issuers = self.certified.chain().iter().filter_map(|der| {
            let certificate = Certificate::from_der(der).ok()?;
            certificate.tbs_certificate().issuer().to_der().ok()
        });
        !self.must_match_issuer
            || issuers
                .into_iter()
                .any(|issuer| authorities.contains(&issuer.as_slice()))
    }

    /// Loads what the files hold; `None` if there are none.
    fn load(
        provider: &CryptoProvider,
        options: &Options,
        files: &CredentialFiles,
        number: i32,
    ) -> Result<Option<Self>, Failure> {
        let Some(key) = &files.key else {
            return Ok(None);
        };
        if !files.raw && files.certificate.is_none() {
            return Ok(None);
        }
        let key = load_private_key(provider, &read(key)?)
            .map_err(|error| Failure::Environment(error.to_string()))?;
        let able = |scheme: &SignatureScheme| key.schemes().contains(scheme);
        let schemes = match options.policy {
            _ if !files.signing_prefs.is_empty() => {
                let wanted = files.signing_prefs.iter().copied().map(SignatureScheme);
                wanted.filter(able).collect()
            }
            Some(policy) if !policy.schemes.is_empty() => {
                policy.schemes.iter().copied().filter(able).collect()
            }
            _ => key.schemes().to_vec(),
        };
        let limited = TestKey {
            key: Arc::clone(&key),
            schemes,
            later: options.piecemeal,
        };
        let limited = Arc::new(limited);
        let mut certified = match &files.certificate {
            Some(path) if !files.raw => CertifiedKey::new(certificates(path)?, limited),
            _ => CertifiedKey::raw_public_key(limited)
                .ok_or_else(|| Failure::Environment("a key that does not tell itself".into()))?,
        };
        if let Some(response) = files.ocsp.as_ref().filter(|_| !options.decline_ocsp) {
            certified = certified.with_ocsp(response.clone());
        }
        if let Some(list) = &files.scts {
            certified = certified.with_scts(list.clone());
        }
        Ok(Some(Self {
            certified: Arc::new(certified),
            number,
            key,
            must_match_issuer: files.must_match_issuer,
        }))
    }

    /// Signs now.
    pub(crate) fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        match self.key.sign(scheme, message)? {
            Signing::Done(signature) => Ok(signature),
            Signing::Pending => Err(CryptoError::Misuse),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::Environment(format!("{}: {error}", path.display())))
}

/// The certificates in a PEM file, in DER, as they are: some tests want them broken.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let broken = || Failure::Environment(format!("{} is no PEM", path.display()));
    let text = String::from_utf8(read(path)?).map_err(|_| broken())?;
    text.split(BEGIN)
        .skip(1)
        .map(|section| {
            let (body, _) = section.split_once(END).ok_or_else(broken)?;
            let body: String = body.split_whitespace().collect();
            BASE64_STANDARD.decode(body).map_err(|_| broken())
        })
        .collect()
}
