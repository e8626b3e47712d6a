//! The key schedule of TLS 1.2 (RFC 5246, Sections 6.3 and 8.1, with RFC 7627).
//!
//! ```text
//!   (EC)DHE --- "extended master secret", hash of the messages --> MainSecret
//!                 | "key expansion"       -> Keys12 of client and server
//!                 | "client finished", "server finished"
//!                 | any other label       -> Exporter
//! ```

use waxwing_crypto::{
    CryptoError, Digest, HmacKey, IV_LEN, MAX_KEY_LEN, SharedSecret, Suite12, kdf,
};
use zeroize::Zeroizing;

use crate::connection::info::Exporter;
use crate::record::protect12::Keys12;

/// Bytes of the main secret (RFC 5246, Section 8.1: "master secret").
const MAIN_SECRET_LEN: usize = 48;
/// Bytes of `verify_data` (RFC 5246, Section 7.4.9).
pub(crate) const VERIFY_DATA_LEN: usize = 12;

/// The randoms of both hellos.
#[derive(Clone, Copy)]
pub(crate) struct Randoms {
    pub(crate) client: [u8; 32],
    pub(crate) server: [u8; 32],
}

/// What a hash of the session is bound to.
pub(crate) enum Binding<'a> {
    /// The hash of all messages up to ClientKeyExchange (RFC 7627, Section 4).
    Extended(&'a Digest),
    /// The randoms alone, which leaves room for the triple handshake attack.
    Randoms,
}

/// The secret that everything else of a connection comes from.
pub(crate) struct MainSecret {
    suite: &'static Suite12,
    randoms: Randoms,
    secret: Zeroizing<[u8; MAIN_SECRET_LEN]>,
    key: HmacKey,
}

impl MainSecret {
    pub(crate) fn new(
        suite: &'static Suite12,
        shared: &SharedSecret,
        randoms: Randoms,
        binding: &Binding<'_>,
    ) -> Result<Self, CryptoError> {
        let premaster = suite.hash.hmac_key(shared.as_ref());
        let mut secret = Zeroizing::new([0; MAIN_SECRET_LEN]);
        match binding {
            Binding::Extended(session) => kdf::prf12(
                &premaster,
                b"extended master secret",
                &[session.as_ref()],
                secret.as_mut_slice(),
            )?,
            Binding::Randoms => kdf::prf12(
                &premaster,
                b"master secret",
                &[&randoms.client, &randoms.server],
                secret.as_mut_slice(),
            )?,
        }
        let key = suite.hash.hmac_key(secret.as_slice());
        Ok(Self {
            suite,
            randoms,
            secret,
            key,
        })
    }

    /// For the key log.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.secret.as_slice()
    }

    /// What the client and the server protect their records with (RFC 5246, Section 6.3).
    pub(crate) fn keys(&self) -> Result<(Keys12, Keys12), CryptoError> {
        let key_len = self.suite.aead.key_len();
        let iv_len = self.suite.nonce.fixed_iv_len();
        let mut block = Zeroizing::new([0; 2 * (MAX_KEY_LEN + IV_LEN)]);
        let both = key_len.saturating_add(iv_len).saturating_mul(2);
        let used = block.get_mut(..both).ok_or(CryptoError::Misuse)?;
        let Randoms { client, server } = &self.randoms;
        kdf::prf12(&self.key, b"key expansion", &[server, client], used)?;
        let mut rest: &[u8] = used;
        let mut next = |len| {
            let (part, after) = rest.split_at_checked(len).ok_or(CryptoError::Misuse)?;
            rest = after;
            Ok::<&[u8], CryptoError>(part)
        };
        let client_key = next(key_len)?;
        let server_key = next(key_len)?;
        let client_iv = next(iv_len)?;
        let server_iv = next(iv_len)?;
        Ok((
            self.direction(client_key, client_iv),
            self.direction(server_key, server_iv),
        ))
    }

    fn direction(&self, key: &[u8], iv: &[u8]) -> Keys12 {
        let mut keys = Keys12 {
            suite: self.suite,
            key: Zeroizing::new([0; MAX_KEY_LEN]),
            iv: Zeroizing::new([0; IV_LEN]),
        };
        for (place, byte) in keys.key.iter_mut().zip(key) {
            *place = *byte;
        }
        for (place, byte) in keys.iv.iter_mut().zip(iv) {
            *place = *byte;
        }
        keys
    }

    /// The `verify_data` of the client's Finished (RFC 5246, Section 7.4.9).
    pub(crate) fn client_verify_data(&self, transcript: &Digest) -> Result<Digest, CryptoError> {
        self.verify_data(b"client finished", transcript)
    }

    /// The `verify_data` of the server's Finished.
    pub(crate) fn server_verify_data(&self, transcript: &Digest) -> Result<Digest, CryptoError> {
        self.verify_data(b"server finished", transcript)
    }

    fn verify_data(&self, label: &[u8], transcript: &Digest) -> Result<Digest, CryptoError> {
        let mut data = [0; VERIFY_DATA_LEN];
        kdf::prf12(&self.key, label, &[transcript.as_ref()], &mut data)?;
        Digest::from_slice(&data).ok_or(CryptoError::Misuse)
    }

    /// Keying material for other protocols (RFC 5705).
    pub(crate) fn exporter(self) -> Exporter {
        Exporter::tls12(self.key, self.randoms.client, self.randoms.server)
    }
}
