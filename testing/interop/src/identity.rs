//! A server's certificate, as files for a peer and as our own.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use waxwing::pki::{KeyType, to_pem};
use waxwing::{
    CertifiedKey, ClientConfig, ClientConfigBuilder, PROVIDER, ProtocolVersions, ServerConfig,
    ServerConfigBuilder,
};
use waxwing_testkit::pki::{self, Case, Credentials, PemFiles};

/// A chain and key of the test kit for `localhost`.
#[derive(Debug)]
pub struct Identity {
    dir: TempDir,
    files: PemFiles,
    intermediate: PathBuf,
    certified: Arc<CertifiedKey>,
    credentials: Arc<Credentials>,
}

impl Identity {
    /// One with this kind of key, under the root that [`Self::client`] trusts.
    ///
    /// # Panics
    /// If the files cannot be written.
    #[must_use]
    pub fn new(key_type: KeyType) -> Self {
        Self::of(Case::Good(key_type))
    }

    /// One of the test kit's special cases.
    ///
    /// # Panics
    /// If the files cannot be written.
    #[must_use]
    pub fn of(case: Case) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        let files = pki::write_pem(case, dir.path()).expect("files of the test kit");
        let intermediate = dir.path().join("intermediate.pem");
        let pem = to_pem("CERTIFICATE", pki::intermediate());
        std::fs::write(&intermediate, &*pem).expect("a file of the test kit");
        Self {
            dir,
            files,
            intermediate,
            certified: pki::certified_key_for(case),
            credentials: pki::credentials(case),
        }
    }

    /// The chain in PEM, the leaf first.
    #[must_use]
    pub fn chain(&self) -> &str {
        text(&self.files.chain)
    }

    /// The intermediate certificate in PEM.
    #[must_use]
    pub fn intermediate(&self) -> &str {
        text(&self.intermediate)
    }

    /// The private key in PEM.
    #[must_use]
    pub fn key(&self) -> &str {
        text(&self.files.key)
    }

    /// The private key in PKCS#8 DER, not as a file.
    #[must_use]
    pub fn key_der(&self) -> &[u8] {
        &self.credentials.key
    }

    /// What to trust, in PEM.
    #[must_use]
    pub fn anchor(&self) -> &str {
        text(&self.files.anchor)
    }

    /// A place for a file that goes away with this.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// As our own.
    #[must_use]
    pub const fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }

    /// A server that presents this.
    pub fn server(&self) -> ServerConfigBuilder {
        ServerConfig::builder(&PROVIDER, Arc::new(Arc::clone(&self.certified)))
    }

    /// A client that trusts the test kit's root, and so this.
    pub fn client() -> ClientConfigBuilder {
        ClientConfig::builder(&PROVIDER, pki::verifier())
    }

    /// As [`Self::client`], ready, for one version.
    ///
    /// # Panics
    /// Never: there is nothing to contradict.
    #[must_use]
    pub fn client_of(versions: ProtocolVersions) -> Arc<ClientConfig> {
        let config = Self::client().versions(versions).build();
        config.expect("a usual configuration")
    }

    /// As [`Self::server`], ready, for one version.
    ///
    /// # Panics
    /// Never: there is nothing to contradict.
    #[must_use]
    pub fn server_of(&self, versions: ProtocolVersions) -> Arc<ServerConfig> {
        let config = self.server().versions(versions).build();
        config.expect("a usual configuration")
    }
}

fn text(path: &std::path::Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
