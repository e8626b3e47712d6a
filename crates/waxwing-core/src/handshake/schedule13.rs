//! The key schedule of TLS 1.3 (RFC 9846, Section 7.1), one type per stage.
//!
//! ```text
//!        PSK -> Extract = Early Secret           EarlySecret, if there is a PSK
//!                 | ext, res or imp binder, c e traffic, e exp master
//!                 | derived                      constants while there is no PSK
//!   (EC)DHE -> Extract = Handshake Secret        HandshakeSecrets
//!                 | c hs traffic, s hs traffic
//!                 | derived
//!          0 -> Extract = Main Secret            ApplicationSecrets
//!                 | c ap traffic, s ap traffic, exp master
//!                 | res master                   ResumptionSecret
//! ```

use waxwing_crypto::{CryptoError, Digest, Hash, HashId, HmacKey, SharedSecret, Suite13, kdf};

use crate::record::{Epoch, EpochKeys};

/// Derive-Secret(Early Secret, "derived", "") where the PSK is all zeros: a constant per hash.
const fn derived_without_psk(hash: HashId) -> &'static [u8] {
    const SHA256: [u8; 32] = *b"\x6f\x26\x15\xa1\x08\xc7\x02\xc5\x67\x8f\x54\xfc\x9d\xba\xb6\x97\
        \x16\xc0\x76\x18\x9c\x48\x25\x0c\xeb\xea\xc3\x57\x6c\x36\x11\xba";
    const SHA384: [u8; 48] = *b"\x15\x91\xda\xc5\xcb\xbf\x03\x30\xa4\xa8\x4d\xe9\xc7\x53\x33\x0e\
        \x92\xd0\x1f\x0a\x88\x21\x4b\x44\x64\x97\x2f\xd6\x68\x04\x9e\x93\
        \xe5\x2f\x2b\x16\xfa\xd9\x22\xfd\xc0\x58\x44\x78\x42\x8f\x28\x2b";
    match hash {
        HashId::Sha384 => &SHA384,
        _ => &SHA256,
    }
}

/// The hash of the empty string: the context of every "derived".
const fn hash_of_nothing(hash: HashId) -> &'static [u8] {
    const SHA256: [u8; 32] = *b"\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24\
        \x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55";
    const SHA384: [u8; 48] = *b"\x38\xb0\x60\xa7\x51\xac\x96\x38\x4c\xd9\x32\x7e\xb1\xb1\xe3\x6a\
        \x21\xfd\xb7\x11\x14\xbe\x07\x43\x4c\x0c\xc7\xbf\x63\xf6\xe1\xda\
        \x27\x4e\xde\xbf\xe7\x6f\x65\xfb\xd5\x1a\xd2\xf1\x48\x98\xb9\x5b";
    match hash {
        HashId::Sha384 => &SHA384,
        _ => &SHA256,
    }
}

/// Where a PSK comes from, which its binder says (RFC 9846, Section 7.1; RFC 9258, Section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PskOrigin {
    Resumption,
    External,
    Imported,
}

impl PskOrigin {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Resumption => b"res binder",
            Self::External => b"ext binder",
            Self::Imported => b"imp binder",
        }
    }
}

/// What a PSK gives before there is a key exchange.
#[derive(Clone)]
pub(crate) struct EarlySecret {
    key: HmacKey,
}

impl EarlySecret {
    pub(crate) fn new(hash: &'static Hash, psk: &[u8]) -> Self {
        let secret = kdf::extract_unsalted(hash, psk);
        Self {
            key: hash.hmac_key(secret.as_ref()),
        }
    }

    pub(crate) fn hash(&self) -> &'static Hash {
        self.key.hash()
    }

    /// A binder over this hash of the hello without its binders, and what comes before it
    /// (RFC 9846, Section 4.3.11.2).
    pub(crate) fn binder(
        &self,
        origin: PskOrigin,
        transcript: &Digest,
    ) -> Result<Digest, CryptoError> {
        let hash = self.hash();
        let key = kdf::derive(&self.key, origin.label(), hash_of_nothing(hash.id()))?;
        verify_data(hash, &key, transcript)
    }

    /// What protects early data, from the hash of the ClientHello.
    pub(crate) fn traffic(&self, hello: &Digest) -> Result<Digest, CryptoError> {
        kdf::derive(&self.key, b"c e traffic", hello.as_ref())
    }

    /// Exports keying material before the handshake is complete.
    pub(crate) fn exporter(&self, hello: &Digest) -> Result<Digest, CryptoError> {
        kdf::derive(&self.key, b"e exp master", hello.as_ref())
    }

    fn derived(&self) -> Result<Digest, CryptoError> {
        kdf::derive(&self.key, b"derived", hash_of_nothing(self.hash().id()))
    }
}

/// The secrets that protect the two directions in one epoch.
#[derive(Debug)]
pub(crate) struct TrafficSecrets {
    suite: &'static Suite13,
    epoch: Epoch,
    pub(crate) client: Digest,
    pub(crate) server: Digest,
}

impl TrafficSecrets {
    fn derive(
        suite: &'static Suite13,
        epoch: Epoch,
        key: &HmacKey,
        [client, server]: [&[u8]; 2],
        transcript: &Digest,
    ) -> Result<Self, CryptoError> {
        Ok(Self {
            suite,
            epoch,
            client: kdf::derive(key, client, transcript.as_ref())?,
            server: kdf::derive(key, server, transcript.as_ref())?,
        })
    }

    pub(crate) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn client_keys(&self) -> EpochKeys {
        self.keys(&self.client)
    }

    pub(crate) fn server_keys(&self) -> EpochKeys {
        self.keys(&self.server)
    }

    fn keys(&self, secret: &Digest) -> EpochKeys {
        EpochKeys {
            epoch: self.epoch,
            suite: self.suite,
            secret: secret.clone(),
        }
    }
}

/// Secrets from the hellos on.
#[derive(Debug)]
pub(crate) struct HandshakeSecrets {
    /// Derive-Secret(Handshake Secret, "derived", ""): the salt of the next stage.
    derived: Digest,
    pub(crate) traffic: TrafficSecrets,
}

impl HandshakeSecrets {
    /// From the PSK if there is one, the key exchange if there is one, and the hash of
    /// ClientHello..ServerHello. There is at least one of the two.
    pub(crate) fn new(
        suite: &'static Suite13,
        psk: Option<&EarlySecret>,
        shared: Option<&SharedSecret>,
        hellos: &Digest,
    ) -> Result<Self, CryptoError> {
        let hash = suite.hash;
        let zeros = Digest::zeros(hash.output_len());
        let shared = shared.map_or_else(|| zeros.as_ref(), SharedSecret::as_ref);
        let secret = match psk {
            Some(psk) => kdf::extract(hash, psk.derived()?.as_ref(), shared),
            None => kdf::extract(hash, derived_without_psk(hash.id()), shared),
        };
        let key = hash.hmac_key(secret.as_ref());
        let labels: [&[u8]; 2] = [b"c hs traffic", b"s hs traffic"];
        Ok(Self {
            derived: kdf::derive(&key, b"derived", hash_of_nothing(hash.id()))?,
            traffic: TrafficSecrets::derive(suite, Epoch::Handshake, &key, labels, hellos)?,
        })
    }

    pub(crate) const fn hash(&self) -> &'static Hash {
        self.traffic.suite.hash
    }

    /// The next stage, from the hash of ClientHello..server Finished.
    pub(crate) fn application(
        &self,
        transcript: &Digest,
    ) -> Result<ApplicationSecrets, CryptoError> {
        let suite = self.traffic.suite;
        let zeros = Digest::zeros(suite.hash.output_len());
        let main = kdf::extract(suite.hash, self.derived.as_ref(), zeros.as_ref());
        let key = suite.hash.hmac_key(main.as_ref());
        let labels: [&[u8]; 2] = [b"c ap traffic", b"s ap traffic"];
        Ok(ApplicationSecrets {
            traffic: TrafficSecrets::derive(suite, Epoch::Application, &key, labels, transcript)?,
            exporter: kdf::derive(&key, b"exp master", transcript.as_ref())?,
            main: key,
        })
    }
}

/// Secrets from the server's Finished on.
#[derive(Debug)]
pub(crate) struct ApplicationSecrets {
    pub(crate) traffic: TrafficSecrets,
    pub(crate) exporter: Digest,
    /// The Main Secret.
    main: HmacKey,
}

impl ApplicationSecrets {
    /// What later connections resume from, once the hash of ClientHello..client Finished is known.
    pub(crate) fn resumption(&self, transcript: &Digest) -> Result<ResumptionSecret, CryptoError> {
        ResumptionSource(self.main.clone()).secret(transcript)
    }

    /// What is needed for that.
    pub(crate) fn into_resumption_source(self) -> ResumptionSource {
        ResumptionSource(self.main)
    }
}

/// The Main Secret, kept until the client's Finished is there.
#[derive(Debug)]
pub(crate) struct ResumptionSource(HmacKey);

impl ResumptionSource {
    /// From the hash of ClientHello..client Finished.
    pub(crate) fn secret(&self, transcript: &Digest) -> Result<ResumptionSecret, CryptoError> {
        let secret = kdf::derive(&self.0, b"res master", transcript.as_ref())?;
        Ok(ResumptionSecret {
            hash: self.0.hash(),
            secret,
        })
    }
}

/// What the PSKs of later connections come from.
pub(crate) struct ResumptionSecret {
    hash: &'static Hash,
    secret: Digest,
}

impl ResumptionSecret {
    /// The PSK of the ticket with this nonce (RFC 9846, Section 4.7.1).
    pub(crate) fn psk(&self, nonce: &[u8]) -> Result<Digest, CryptoError> {
        kdf::derive(
            &self.hash.hmac_key(self.secret.as_ref()),
            b"resumption",
            nonce,
        )
    }
}

/// The `verify_data` of a Finished (RFC 9846, Section 4.5.3): `base` is the sender's traffic
/// secret, that of the handshake or, after it, the current one.
pub(crate) fn verify_data(
    hash: &'static Hash,
    base: &Digest,
    transcript: &Digest,
) -> Result<Digest, CryptoError> {
    let key = kdf::derive(&hash.hmac_key(base.as_ref()), b"finished", &[])?;
    Ok(hash.hmac_key(key.as_ref()).sign(&[transcript.as_ref()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxwing_aws_lc::PROVIDER;

    #[test]
    fn the_constants_are_what_the_schedule_computes() {
        for suite in PROVIDER.suites13 {
            let hash = suite.hash;
            let zeros = Digest::zeros(hash.output_len());
            let early = kdf::extract(hash, zeros.as_ref(), zeros.as_ref());
            let empty = hash.digest_of_empty();
            let key = hash.hmac_key(early.as_ref());
            let derived = kdf::derive(&key, b"derived", empty.as_ref()).unwrap();
            assert_eq!(derived.as_ref(), derived_without_psk(hash.id()));
            assert_eq!(empty.as_ref(), hash_of_nothing(hash.id()));
        }
    }
}
