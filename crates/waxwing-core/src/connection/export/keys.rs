//! One direction's keys, and the small fields of both.

use waxwing_crypto::{CipherSuite, CryptoProvider, Digest, Suite13};
#[cfg(feature = "tls12")]
use waxwing_crypto::{IV_LEN, MAX_KEY_LEN, Suite12};
#[cfg(feature = "tls12")]
use zeroize::Zeroizing;

use super::ImportError;
use crate::codec::{Reader, Writer};
use crate::error::Problem;
use crate::limits::MAX_PLAINTEXT;
use crate::messages::ProtocolVersion;
use crate::record::protect::{Carried, Keys};
#[cfg(feature = "tls12")]
use crate::record::protect12::Keys12;
use crate::record::{Epoch, EpochKeys};
use crate::{DecodeError, Error};

/// The version and its cipher suite.
#[derive(Clone, Copy)]
pub(in crate::connection) enum Suite {
    Tls13(&'static Suite13),
    #[cfg(feature = "tls12")]
    Tls12(&'static Suite12),
}

impl Suite {
    pub(in crate::connection) const fn version(self) -> ProtocolVersion {
        match self {
            Self::Tls13(_) => ProtocolVersion::TLS13,
            #[cfg(feature = "tls12")]
            Self::Tls12(_) => ProtocolVersion::TLS12,
        }
    }

    pub(in crate::connection) const fn id(self) -> CipherSuite {
        match self {
            Self::Tls13(suite) => suite.id,
            #[cfg(feature = "tls12")]
            Self::Tls12(suite) => suite.id,
        }
    }
}

pub(super) fn write_suite(carried: &Carried, writer: &mut Writer<'_>) {
    writer.u16(carried.keys.version().0);
    writer.u16(carried.keys.suite().0);
}

pub(super) fn read_suite(
    reader: &mut Reader<'_>,
    provider: &CryptoProvider,
) -> Result<Suite, ImportError> {
    let version = ProtocolVersion(reader.u16()?);
    let id = CipherSuite(reader.u16()?);
    let unknown = ImportError::CipherSuite(id);
    match version {
        ProtocolVersion::TLS13 => provider.suite13(id).map(Suite::Tls13).ok_or(unknown),
        #[cfg(feature = "tls12")]
        ProtocolVersion::TLS12 => provider.suite12(id).map(Suite::Tls12).ok_or(unknown),
        other => Err(ImportError::Version(other)),
    }
}

/// Writes the sequence number and the traffic secret, or in TLS 1.2 the key and the fixed part of
/// the IV.
pub(in crate::connection) fn write(
    carried: &Carried,
    writer: &mut Writer<'_>,
) -> Result<(), Error> {
    writer.bytes(&carried.seq.to_be_bytes());
    match &carried.keys {
        Keys::Tls13(keys) => {
            writer.vec8(|writer| {
                writer.bytes(keys.secret.as_ref());
                Ok(())
            })?;
            writer.vec8(|_| Ok(()))
        }
        #[cfg(feature = "tls12")]
        Keys::Tls12(keys) => {
            let front = |bytes, len| <[u8]>::get(bytes, ..len).unwrap_or_default();
            writer.vec8(|writer| {
                writer.bytes(front(keys.key.as_slice(), keys.suite.aead.key_len()));
                Ok(())
            })?;
            writer.vec8(|writer| {
                writer.bytes(front(keys.iv.as_slice(), keys.suite.nonce.fixed_iv_len()));
                Ok(())
            })
        }
    }
}

pub(in crate::connection) fn read(
    reader: &mut Reader<'_>,
    suite: Suite,
) -> Result<Carried, ImportError> {
    let seq = u64::from_be_bytes(*reader.array()?);
    let secret = reader.vec8("secret")?.take_rest();
    let iv = reader.vec8("fixed IV")?.take_rest();
    let keys = match suite {
        Suite::Tls13(suite) => {
            exactly("secret", secret, suite.hash.output_len())?;
            exactly("fixed IV", iv, 0)?;
            Keys::Tls13(EpochKeys {
                epoch: Epoch::Application,
                suite,
                secret: Digest::from_slice(secret).ok_or(length("secret"))?,
            })
        }
        #[cfg(feature = "tls12")]
        Suite::Tls12(suite) => {
            exactly("secret", secret, suite.aead.key_len())?;
            exactly("fixed IV", iv, suite.nonce.fixed_iv_len())?;
            let mut keys = Keys12 {
                suite,
                key: Zeroizing::new([0; MAX_KEY_LEN]),
                iv: Zeroizing::new([0; IV_LEN]),
            };
            for (place, byte) in keys.key.iter_mut().zip(secret) {
                *place = *byte;
            }
            for (place, byte) in keys.iv.iter_mut().zip(iv) {
                *place = *byte;
            }
            Keys::Tls12(keys)
        }
    };
    Ok(Carried { keys, seq })
}

/// The bits of those flags that are set.
pub(in crate::connection) fn set(flags: &[(bool, u8)]) -> u8 {
    let bits = flags.iter().filter(|(is_set, _)| *is_set);
    bits.fold(0, |sum, (_, bit)| sum | bit)
}

/// Reads a byte with no other bits than those in `known`.
pub(in crate::connection) fn flags(
    reader: &mut Reader<'_>,
    field: &'static str,
    known: u8,
) -> Result<u8, ImportError> {
    let flags = reader.u8()?;
    if flags & !known == 0 {
        Ok(flags)
    } else {
        Err(ImportError::Illegal(field))
    }
}

/// Reads how much content a record may have.
pub(in crate::connection) fn record_size(
    reader: &mut Reader<'_>,
    field: &'static str,
) -> Result<usize, ImportError> {
    let size = usize::from(reader.u16()?);
    if (1..=MAX_PLAINTEXT).contains(&size) {
        Ok(size)
    } else {
        Err(ImportError::Illegal(field))
    }
}

fn exactly(field: &'static str, bytes: &[u8], len: usize) -> Result<(), ImportError> {
    if bytes.len() == len {
        Ok(())
    } else {
        Err(length(field).into())
    }
}

const fn length(field: &'static str) -> DecodeError {
    DecodeError {
        field,
        problem: Problem::Length,
    }
}
