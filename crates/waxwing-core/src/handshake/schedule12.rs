//! The key schedule of TLS 1.2 (RFC 5246, Sections 6.3 and 8.1, with RFC 7627).
//!
//! ```text
//!   (EC)DHE --- "extended master secret", hash of the messages --> MainSecret
//!                 | "key expansion"       -> Keys12 of client and server
//!                 | "client finished", "server finished"
//!                 | any other label       -> Exporter
//! ```

use waxwing_crypto::{CryptoError, Digest, HmacKey, IV_LEN, MAX_KEY_LEN, Suite12, kdf};
use zeroize::Zeroizing;

use crate::connection::info::Exporter;
use crate::record::protect12::Keys12;

/// Bytes of the main secret (RFC 5246, Section 8.1: "master secret").
pub(crate) const MAIN_SECRET_LEN: usize = 48;
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
        premaster: &[u8],
        randoms: Randoms,
        binding: &Binding<'_>,
    ) -> Result<Self, CryptoError> {
        let premaster = suite.hash.hmac_key(premaster);
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
        Ok(Self::known(suite, secret, randoms))
    }

    /// That of a session, for another connection (RFC 5246, Section 8.1: the randoms make its
    /// keys new). `None` if it has a wrong length.
    pub(crate) fn resumed(
        suite: &'static Suite12,
        secret: &[u8],
        randoms: Randoms,
    ) -> Option<Self> {
        let secret: &[u8; MAIN_SECRET_LEN] = secret.try_into().ok()?;
        Some(Self::known(suite, Zeroizing::new(*secret), randoms))
    }

    fn known(
        suite: &'static Suite12,
        secret: Zeroizing<[u8; MAIN_SECRET_LEN]>,
        randoms: Randoms,
    ) -> Self {
        let key = suite.hash.hmac_key(secret.as_slice());
        Self {
            suite,
            randoms,
            secret,
            key,
        }
    }

    /// The suite that it is used with.
    pub(crate) const fn suite(&self) -> &'static Suite12 {
        self.suite
    }

    /// For the key log, and for sessions.
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
        let Randoms { client, server } = self.randoms;
        Exporter::tls12(self.suite.hash, self.secret, client, server)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use waxwing_aws_lc::PROVIDER;
    use waxwing_crypto::{Hash, Nonce12};

    use super::*;

    const RANDOMS: Randoms = Randoms {
        client: [0xc1; 32],
        server: [0x5e; 32],
    };
    const SHARED: [u8; 32] = [7; 32];

    /// P_hash of RFC 5246, Section 5, written down a second time.
    fn prf(hash: &'static Hash, secret: &[u8], label: &str, seed: &[u8], len: usize) -> Vec<u8> {
        let hmac = |parts: &[&[u8]]| hash.hmac_key(secret).sign(parts).as_ref().to_vec();
        let seed = [label.as_bytes(), seed].concat();
        let (mut out, mut a) = (Vec::new(), seed.clone());
        while out.len() < len {
            a = hmac(&[&a]);
            out.extend(hmac(&[&a, &seed]));
        }
        out.truncate(len);
        out
    }

    fn secret(suite: &'static Suite12, binding: &Binding<'_>) -> MainSecret {
        MainSecret::new(suite, &SHARED, RANDOMS, binding).unwrap()
    }

    #[test]
    fn the_main_secret_is_bound_as_agreed() {
        let both = [RANDOMS.client, RANDOMS.server].concat();
        for suite in PROVIDER.suites12 {
            let session = suite.hash.digest(&[b"all messages"]);
            let extended = secret(suite, &Binding::Extended(&session));
            let label = "extended master secret";
            let expected = prf(suite.hash, &SHARED, label, session.as_ref(), 48);
            assert_eq!(extended.as_bytes(), expected);
            let plain = secret(suite, &Binding::Randoms);
            let expected = prf(suite.hash, &SHARED, "master secret", &both, 48);
            assert_eq!(plain.as_bytes(), expected);
        }
    }

    #[test]
    fn the_key_block_is_cut_in_order() {
        // The order of the randoms is not that of the main secret.
        let both = [RANDOMS.server, RANDOMS.client].concat();
        for suite in PROVIDER.suites12 {
            let secret = secret(suite, &Binding::Randoms);
            let key_len = suite.aead.key_len();
            let iv_len = match suite.nonce {
                Nonce12::Explicit => 4,
                Nonce12::Implicit => 12,
            };
            let len = 2 * (key_len + iv_len);
            let block = prf(suite.hash, secret.as_bytes(), "key expansion", &both, len);
            let (client, server) = secret.keys().unwrap();
            let parts = [
                &client.key[..key_len],
                &server.key[..key_len],
                &client.iv[..iv_len],
                &server.iv[..iv_len],
            ];
            assert_eq!(parts.concat(), block, "{suite:?}");
            assert!(client.iv[iv_len..].iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn finished_depends_on_the_side() {
        for suite in PROVIDER.suites12 {
            let secret = secret(suite, &Binding::Randoms);
            let transcript = suite.hash.digest(&[b"messages"]);
            let data = |label| {
                let seed = transcript.as_ref();
                prf(suite.hash, secret.as_bytes(), label, seed, VERIFY_DATA_LEN)
            };
            let client = secret.client_verify_data(&transcript).unwrap();
            assert_eq!(client.as_ref(), data("client finished"));
            let server = secret.server_verify_data(&transcript).unwrap();
            assert_eq!(server.as_ref(), data("server finished"));
        }
    }

    /// RFC 5705, Section 4.
    #[test]
    fn exporters_start_from_the_main_secret() {
        let suite = PROVIDER.suites12[0];
        let main = secret(suite, &Binding::Randoms).as_bytes().to_vec();
        let both = [RANDOMS.client, RANDOMS.server].concat();
        let with_context = [&both[..], &[0, 3], b"abc"].concat();
        let exporter = secret(suite, &Binding::Randoms).exporter();
        for (context, seed) in [(None, both), (Some(&b"abc"[..]), with_context)] {
            let mut out = [0; 50];
            exporter.export(b"EXPORTER-x", context, &mut out).unwrap();
            let expected = prf(suite.hash, &main, "EXPORTER-x", &seed, 50);
            assert_eq!(out[..], expected);
        }
    }
}
