//! What is measured: the authentication, key exchange and cipher of a handshake, and the sizes of
//! application writes.

/// The key type of the whole chain: root, intermediate and leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    EcdsaP256,
    Rsa2048,
    Ed25519,
}

impl Auth {
    pub(crate) const ALL: [Self; 3] = [Self::EcdsaP256, Self::Rsa2048, Self::Ed25519];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ECDSA-P256",
            Self::Rsa2048 => "RSA-2048",
            Self::Ed25519 => "Ed25519",
        }
    }
}

/// The only group that both sides offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    X25519,
    P256,
    X25519MlKem768,
}

impl Group {
    pub(crate) const ALL: [Self; 3] = [Self::X25519, Self::P256, Self::X25519MlKem768];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X25519 => "X25519",
            Self::P256 => "P-256",
            Self::X25519MlKem768 => "X25519MLKEM768",
        }
    }
}

/// The only cipher suite that both sides offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    Aes128,
    Aes256,
    ChaCha20,
}

impl Suite {
    pub(crate) const ALL: [Self; 3] = [Self::Aes128, Self::Aes256, Self::ChaCha20];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "AES-128-GCM",
            Self::Aes256 => "AES-256-GCM",
            Self::ChaCha20 => "ChaCha20-Poly1305",
        }
    }
}

/// One TLS 1.3 handshake: full, server authentication only, no tickets issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) auth: Auth,
    pub(crate) group: Group,
    pub(crate) suite: Suite,
}

impl Scenario {
    /// The handshake that the memory figures and the record figures are taken after.
    pub(crate) const BASE: Self = Self {
        auth: Auth::EcdsaP256,
        group: Group::X25519,
        suite: Suite::Aes128,
    };

    /// Every authentication with every group, AES-128-GCM.
    pub(crate) fn handshakes() -> Vec<Self> {
        let with = |auth| {
            Group::ALL.map(|group| Self {
                auth,
                group,
                ..Self::BASE
            })
        };
        Auth::ALL.into_iter().flat_map(with).collect()
    }

    /// A name without spaces, used as an argument and as a key of the summary.
    pub(crate) fn id(self) -> String {
        format!(
            "{}+{}+{}",
            self.auth.name(),
            self.group.name(),
            self.suite.name()
        )
    }

    /// The scenario with this [`Scenario::id`].
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        let ids = Auth::ALL.into_iter().flat_map(|auth| {
            Group::ALL
                .into_iter()
                .flat_map(move |group| Suite::ALL.map(|suite| Self { auth, group, suite }))
        });
        ids.into_iter().find(|scenario| scenario.id() == id)
    }
}

/// Application writes of one size, each of them one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Writes {
    /// Plaintext bytes of each write.
    pub(crate) size: usize,
    /// Writes made before the other side reads.
    pub(crate) count: usize,
}

impl Writes {
    /// From full records to the smallest that matter. A batch stays within a second-level cache.
    pub(crate) const ALL: [Self; 4] = [
        Self {
            size: 16_384,
            count: 16,
        },
        Self {
            size: 1_400,
            count: 128,
        },
        Self {
            size: 512,
            count: 256,
        },
        Self {
            size: 64,
            count: 1_024,
        },
    ];

    /// Plaintext bytes of the whole batch.
    pub(crate) fn bytes(self) -> usize {
        self.size * self.count
    }
}
