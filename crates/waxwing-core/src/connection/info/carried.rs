//! An exporter as bytes; see [`super::super::export`].

#[cfg(feature = "tls12")]
use alloc::boxed::Box;

use waxwing_crypto::{Digest, Hash};
#[cfg(feature = "tls12")]
use zeroize::Zeroizing;

use super::{Exporter, Kind};
#[cfg(feature = "tls12")]
use super::{MAIN_SECRET_LEN, Tls12};
use crate::codec::Writer;

impl Exporter {
    /// Writes its secret; in TLS 1.2 the randoms of client and server follow.
    pub(in crate::connection) fn write(&self, writer: &mut Writer<'_>) {
        match &self.0 {
            Kind::Tls13 { secret, .. } => writer.bytes(secret.as_ref()),
            #[cfg(feature = "tls12")]
            Kind::Tls12(exporter) => {
                writer.bytes(exporter.main_secret.as_slice());
                writer.bytes(&exporter.client_random);
                writer.bytes(&exporter.server_random);
            }
        }
    }

    /// Reads one of TLS 1.3; `None` if its length is not that of the hash.
    pub(in crate::connection) fn read13(hash: &'static Hash, bytes: &[u8]) -> Option<Self> {
        let secret = Digest::from_slice(bytes)?;
        (secret.len() == hash.output_len()).then(|| Self::tls13(hash, secret))
    }

    /// Reads one of TLS 1.2; `None` if its length is wrong.
    #[cfg(feature = "tls12")]
    pub(in crate::connection) fn read12(hash: &'static Hash, bytes: &[u8]) -> Option<Self> {
        let (main_secret, randoms) = bytes.split_first_chunk::<MAIN_SECRET_LEN>()?;
        let (client_random, server_random) = randoms.split_first_chunk()?;
        Some(Self(Kind::Tls12(Box::new(Tls12 {
            hash,
            main_secret: Zeroizing::new(*main_secret),
            client_random: *client_random,
            server_random: server_random.try_into().ok()?,
        }))))
    }
}
