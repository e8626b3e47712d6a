//! A key as plain values: to be made again in another process, or to be given to the kernel.

use waxwing_crypto::{CipherSuite, CryptoError, IV_LEN, MAX_KEY_LEN};
use zeroize::Zeroizing;

use super::{Form, OpenKey, Protection, RESERVED_RECORDS, SealKey, derive_key};
use crate::Error;
use crate::messages::ProtocolVersion;
use crate::record::EpochKeys;
#[cfg(feature = "tls12")]
use crate::record::protect12::Keys12;

/// All that one direction's key is made of.
pub(crate) struct Carried {
    pub(crate) keys: Keys,
    /// Of the next record.
    pub(crate) seq: u64,
}

/// What a key comes from, in either version.
pub(crate) enum Keys {
    Tls13(EpochKeys),
    #[cfg(feature = "tls12")]
    Tls12(Keys12),
}

impl Keys {
    pub(crate) const fn version(&self) -> ProtocolVersion {
        match self {
            Self::Tls13(_) => ProtocolVersion::TLS13,
            #[cfg(feature = "tls12")]
            Self::Tls12(_) => ProtocolVersion::TLS12,
        }
    }

    pub(crate) const fn suite(&self) -> CipherSuite {
        match self {
            Self::Tls13(keys) => keys.suite.id,
            #[cfg(feature = "tls12")]
            Self::Tls12(keys) => keys.suite.id,
        }
    }
}

/// What the AEAD itself takes.
pub(crate) struct RawKey {
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: CipherSuite,
    /// As many bytes at the front as `key_len` says.
    pub(crate) key: Zeroizing<[u8; MAX_KEY_LEN]>,
    pub(crate) key_len: usize,
    /// In TLS 1.2 as many bytes at the front as the suite fixes.
    pub(crate) iv: Zeroizing<[u8; IV_LEN]>,
    /// Of the next record.
    pub(crate) seq: u64,
}

impl Protection {
    fn carried(&self) -> Carried {
        let keys = match &self.form {
            Form::Tls13 {
                suite,
                secret,
                epoch,
            } => Keys::Tls13(EpochKeys {
                epoch: *epoch,
                suite,
                secret: secret.clone(),
            }),
            #[cfg(feature = "tls12")]
            Form::Tls12 { suite, key } => Keys::Tls12(Keys12 {
                suite,
                key: key.clone(),
                iv: self.iv.clone(),
            }),
        };
        Carried {
            keys,
            seq: self.seq,
        }
    }

    fn resume(carried: &Carried) -> Result<Self, Error> {
        let fresh = match &carried.keys {
            Keys::Tls13(keys) => Self::from_keys(keys)?,
            #[cfg(feature = "tls12")]
            Keys::Tls12(keys) => Self::from_keys12(keys)?,
        };
        Ok(Self {
            seq: carried.seq,
            ..fresh
        })
    }

    fn raw(&self) -> Result<RawKey, CryptoError> {
        let (version, suite, key, key_len) = match &self.form {
            Form::Tls13 { suite, secret, .. } => {
                let key = derive_key(suite, &suite.hash.hmac_key(secret.as_ref()))?;
                (ProtocolVersion::TLS13, suite.id, key, suite.aead.key_len())
            }
            #[cfg(feature = "tls12")]
            Form::Tls12 { suite, key } => {
                let key_len = suite.aead.key_len();
                (ProtocolVersion::TLS12, suite.id, key.clone(), key_len)
            }
        };
        Ok(RawKey {
            version,
            suite,
            key,
            key_len,
            iv: self.iv.clone(),
            seq: self.seq,
        })
    }
}

impl SealKey {
    pub(crate) fn carried(&self) -> Carried {
        self.0.carried()
    }

    /// A key that goes on where the carried one stopped.
    pub(crate) fn resume(carried: &Carried) -> Result<Self, Error> {
        Protection::resume(carried).map(Self)
    }

    pub(crate) fn raw(&self) -> Result<RawKey, CryptoError> {
        self.0.raw()
    }

    /// Somebody else sealed all records before this one.
    pub(crate) fn sealed_elsewhere(&mut self, seq: u64) {
        self.0.seq = seq;
    }

    /// Records that may be sealed before the key has to be updated, or in TLS 1.2 before the
    /// connection has to end.
    pub(crate) const fn seals_left(&self) -> u64 {
        match self.records_left() {
            Some(left) => left,
            None => {
                let limit = self.0.limits.seal_records;
                limit
                    .saturating_sub(RESERVED_RECORDS)
                    .saturating_sub(self.0.seq)
            }
        }
    }
}

impl OpenKey {
    pub(crate) fn carried(&self) -> Carried {
        self.0.carried()
    }

    /// A key that goes on where the carried one stopped.
    pub(crate) fn resume(carried: &Carried) -> Result<Self, Error> {
        Protection::resume(carried).map(Self)
    }

    pub(crate) fn raw(&self) -> Result<RawKey, CryptoError> {
        self.0.raw()
    }
}
