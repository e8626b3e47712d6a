//! What is measured: the version, kind, authentication, key exchange and cipher of a handshake, and the
//! sizes of application writes.

/// The only version that both sides speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Tls13,
    Tls12,
}

impl Version {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tls13 => "1.3",
            Self::Tls12 => "1.2",
        }
    }
}

/// How the peers come to trust each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By the server's chain. No tickets are issued.
    Full,
    /// The client shows a chain too.
    Mutual,
    /// By a ticket of the handshake before: with a key exchange in TLS 1.3, without in TLS 1.2.
    Resumed,
    /// The same, and the client says something in its first flight.
    EarlyData,
    /// By the server's chain, which the client has verified before.
    KnownChain,
    /// By two chains, each of which the other side has verified before.
    KnownMutual,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Mutual => "mutual",
            Self::Resumed => "resumed",
            Self::EarlyData => "0-RTT",
            Self::KnownChain => "known chain",
            Self::KnownMutual => "mutual, known chains",
        }
    }

    /// Whether the client shows a chain.
    pub(crate) fn is_mutual(self) -> bool {
        matches!(self, Self::Mutual | Self::KnownMutual)
    }

    /// Whether a verdict of an earlier handshake may be remembered.
    pub(crate) fn knows_chains(self) -> bool {
        matches!(self, Self::KnownChain | Self::KnownMutual)
    }

    /// Whether each handshake rests on a ticket of the one before.
    pub(crate) fn resumes(self) -> bool {
        matches!(self, Self::Resumed | Self::EarlyData)
    }
}

/// What a client says early: about a request with its headers.
pub(crate) const EARLY: [u8; 512] = [0x65; 512];

/// Bytes of early data that a server allows for.
pub(crate) const MAX_EARLY: u32 = 16_384;

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

/// The group that is agreed on.
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

/// One handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) version: Version,
    pub(crate) kind: Kind,
    pub(crate) auth: Auth,
    pub(crate) group: Group,
    pub(crate) suite: Suite,
}

impl Scenario {
    /// The handshake that the memory figures and the record figures are taken after.
    pub(crate) const BASE: Self = Self {
        version: Version::Tls13,
        kind: Kind::Full,
        auth: Auth::EcdsaP256,
        group: Group::X25519,
        suite: Suite::Aes128,
    };

    /// The same in TLS 1.2.
    pub(crate) const BASE12: Self = Self {
        version: Version::Tls12,
        ..Self::BASE
    };

    pub(crate) const fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    const fn auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    const fn group(self, group: Group) -> Self {
        Self { group, ..self }
    }

    /// Every authentication with every group, and the other kinds with the most usual of them.
    /// AES-128-GCM. There is no hybrid group in TLS 1.2.
    pub(crate) fn handshakes() -> Vec<Self> {
        let full = |base: Self, groups: &'static [Group]| {
            let with = move |auth| {
                groups
                    .iter()
                    .map(move |group| base.auth(auth).group(*group))
            };
            Auth::ALL.into_iter().flat_map(with)
        };
        let (new, old) = (Self::BASE, Self::BASE12);
        let others = [
            new.kind(Kind::Mutual),
            new.kind(Kind::Mutual).auth(Auth::Rsa2048),
            old.kind(Kind::Mutual),
            new.kind(Kind::KnownChain),
            new.kind(Kind::KnownChain).auth(Auth::Rsa2048),
            new.kind(Kind::KnownMutual),
            new.kind(Kind::Resumed),
            new.kind(Kind::Resumed).group(Group::X25519MlKem768),
            new.kind(Kind::EarlyData),
            old.kind(Kind::Resumed),
        ];
        full(new, &Group::ALL)
            .chain(full(old, &[Group::X25519, Group::P256]))
            .chain(others)
            .collect()
    }

    /// One of each kind and version: what instructions are counted of in every change.
    pub(crate) fn representatives() -> Vec<Self> {
        let (new, old) = (Self::BASE, Self::BASE12);
        vec![
            new,
            new.auth(Auth::Rsa2048),
            new.auth(Auth::Ed25519),
            new.group(Group::X25519MlKem768),
            new.kind(Kind::Mutual),
            new.kind(Kind::KnownMutual),
            new.kind(Kind::Resumed),
            new.kind(Kind::EarlyData),
            old,
            old.kind(Kind::Mutual),
            old.kind(Kind::Resumed),
        ]
    }

    /// What both sides offer: the group, and in TLS 1.2 also that of the certificates' keys, which is
    /// in the same list there (RFC 8422, Section 5.1.1).
    pub(crate) fn groups(self) -> Vec<Group> {
        let of_keys = self.version == Version::Tls12 && self.group != Group::P256;
        let of_keys = of_keys.then_some(Group::P256);
        [self.group].into_iter().chain(of_keys).collect()
    }

    /// What the tables call it. A resumption knows no certificates, TLS 1.2's no key exchange.
    pub(crate) fn title(self) -> String {
        let (version, name) = (self.version.name(), self.kind.name());
        let (auth, group) = (self.auth.name(), self.group.name());
        match (self.kind, self.version) {
            (Kind::Full, _) => format!("{version} {auth}, {group}"),
            (kind, Version::Tls13) if kind.resumes() => format!("{version} {name}, {group}"),
            (kind, Version::Tls12) if kind.resumes() => format!("{version} {name}"),
            _ => format!("{version} {name}, {auth}, {group}"),
        }
    }

    /// A name without spaces, used as an argument and as a key of the summary.
    pub(crate) fn id(self) -> String {
        let parts = [
            self.version.name(),
            self.kind.name(),
            self.auth.name(),
            self.group.name(),
            self.suite.name(),
        ];
        parts.join("+").replace(", ", "-").replace(' ', "-")
    }

    /// The scenario with this [`Scenario::id`], of those that are measured.
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        let mut all = Self::handshakes().into_iter();
        all.find(|scenario| scenario.id() == id)
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
