//! The certificate chains of x509-limbo, BetterTLS among them: what is in the file, and where.
//!
//! The file is `limbo.json.xz`: the suite's `limbo.json`, compressed. It is no part of this
//! repository. `WAXWING_LIMBO` names it, or it lies in `../shared/data` beside the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use waxwing::pki::{AltName, UnixTime};

/// All cases.
#[derive(Debug, Deserialize)]
pub struct Suite {
    /// Them.
    pub testcases: Vec<Case>,
}

/// One chain, and what should come of it.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Its name; those of BetterTLS begin with `bettertls::`.
    pub id: String,
    /// The names of cases that say the opposite, under another standard.
    pub conflicts_with: Vec<String>,
    /// Who is judged.
    pub validation_kind: Kind,
    /// The roots, in PEM.
    pub trusted_certs: Vec<String>,
    /// What the peer sends besides its certificate, in PEM.
    pub untrusted_intermediates: Vec<String>,
    /// The peer's certificate, in PEM.
    pub peer_certificate: String,
    /// When; now if nothing is said.
    pub validation_time: Option<String>,
    /// What its keyUsage must allow.
    pub key_usage: Vec<String>,
    /// The purposes that the certificate must allow.
    pub extended_key_usage: Vec<String>,
    /// What should come of it.
    pub expected_result: Expected,
    /// The name that the certificate must have.
    pub expected_peer_name: Option<Name>,
    /// The names that a client's certificate must have.
    pub expected_peer_names: Vec<Name>,
    /// How many intermediate certificates are allowed.
    pub max_chain_depth: Option<u8>,
    /// Lists of revoked certificates, in PEM.
    pub crls: Vec<String>,
}

/// Who is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Kind {
    Server,
    Client,
}

/// What should come of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Expected {
    Success,
    Failure,
}

/// A name, and of which kind.
#[derive(Debug, Deserialize)]
pub struct Name {
    /// `DNS`, `IP` or `RFC822`.
    pub kind: String,
    /// The name.
    pub value: String,
}

impl Name {
    /// As it stands in certificates.
    ///
    /// # Panics
    /// If the suite has a new kind of names.
    #[must_use]
    pub fn alt_name(&self) -> AltName {
        match self.kind.as_str() {
            "DNS" => AltName::Dns(self.value.clone()),
            "IP" => AltName::Ip(self.value.parse().expect("an address")),
            "RFC822" => AltName::Email(self.value.clone()),
            other => panic!("names of kind {other}"),
        }
    }
}

impl Suite {
    /// Reads the file; `None` if it is not there.
    ///
    /// # Panics
    /// If it is not there but `WAXWING_REQUIRE_PEERS=1` demands it, or cannot be read.
    #[must_use]
    pub fn load() -> Option<Self> {
        let path = std::env::var_os("WAXWING_LIMBO").map_or_else(beside, PathBuf::from);
        if !path.is_file() {
            let required = std::env::var_os("WAXWING_REQUIRE_PEERS").is_some_and(|set| set == "1");
            assert!(!required, "{} is missing", path.display());
            println!("skipped: {} is missing", path.display());
            return None;
        }
        let output = Command::new("xz")
            .arg("-dc")
            .arg(&path)
            .output()
            .expect("xz runs");
        assert!(output.status.success(), "xz failed");
        Some(serde_json::from_slice(&output.stdout).expect("the suite's format"))
    }
}

/// The folder beside the checkout.
fn beside() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/limbo.json.xz")
}

impl Case {
    /// Whether it is one of BetterTLS, not of limbo itself.
    #[must_use]
    pub fn is_better_tls(&self) -> bool {
        self.id.starts_with("bettertls::")
    }

    /// What the peer sends, in DER, its own certificate first.
    ///
    /// # Panics
    /// If the suite has something else than PEM.
    #[must_use]
    pub fn chain(&self) -> Vec<Vec<u8>> {
        let intermediates = self.untrusted_intermediates.iter();
        let all = core::iter::once(&self.peer_certificate).chain(intermediates);
        all.map(|pem| {
            let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            BASE64_STANDARD
                .decode(body)
                .expect("base64 between the lines of PEM")
        })
        .collect()
    }

    /// When the chain is judged; `None` is now. Fractions of a second are left out.
    ///
    /// # Panics
    /// If the suite has another form of times.
    #[must_use]
    pub fn time(&self) -> Option<UnixTime> {
        let text = self.validation_time.as_deref()?;
        let (date, zone) = text.split_at(19);
        assert!(zone.ends_with("+00:00"), "{text}");
        Some(format!("{date}Z").parse().expect("a time of RFC 3339"))
    }
}
