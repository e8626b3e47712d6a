//! Keys that both sides got some other way (RFC 9846, Section 2.2), and how they are imported
//! (RFC 9258).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use waxwing_crypto::{CryptoError, CryptoProvider, Hash, HashId, kdf};
use zeroize::Zeroizing;

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::handshake::schedule13::EarlySecret;
use crate::limits::MAX_PSK_LEN;
use crate::messages::ProtocolVersion;

/// A key shared with a peer, known by an identity.
///
/// The key must be random: from a password it can be guessed off-line by whoever records one
/// handshake (RFC 9257, Section 4.2). Do not use one key for two servers or two roles.
///
/// Copies share what there is of it.
#[derive(Clone)]
pub struct ExternalPsk(Arc<Known>);

#[derive(Clone)]
struct Known {
    identity: Box<[u8]>,
    key: Zeroizing<Box<[u8]>>,
    hash: HashId,
    /// The context, if it is to be imported.
    import: Option<Box<[u8]>>,
    /// What was derived before it was needed.
    ready: Vec<Tls13Psk>,
}

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidPsk {
    /// The identity is empty or longer than it can be sent.
    Identity,
    /// The key has fewer than 16 bytes (RFC 9257, Section 6) or more than
    /// [`MAX_PSK_LEN`](crate::limits::MAX_PSK_LEN).
    Key,
}

impl fmt::Display for InvalidPsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("a PSK's identity must have 1 to 1024 bytes"),
            Self::Key => write!(f, "a PSK must have 16 to {MAX_PSK_LEN} bytes"),
        }
    }
}

impl core::error::Error for InvalidPsk {}

/// Bytes of the longest identity and context taken.
pub(crate) const MAX_IDENTITY: usize = 1024;
/// Bytes of the shortest key taken: RFC 9257, Section 6 asks for 128 bits.
const MIN_KEY: usize = 16;

impl ExternalPsk {
    /// A key as it is, for suites with this hash alone (RFC 9846, Section 4.3.11; where nothing
    /// else is said it is SHA-256). For TLS 1.2 the hash does not matter.
    ///
    /// # Errors
    /// A length that cannot be.
    pub fn new(identity: &[u8], key: &[u8], hash: HashId) -> Result<Self, InvalidPsk> {
        Known::new(identity, key, hash, None).map(Self::from)
    }

    /// The same key, to be imported (RFC 9258): each protocol version and hash gets a key of its
    /// own derived from it, bound to `context`, which both sides must know. `hash` then is the one
    /// that the derivation uses.
    ///
    /// # Errors
    /// A length that cannot be.
    pub fn importable(
        identity: &[u8],
        key: &[u8],
        hash: HashId,
        context: &[u8],
    ) -> Result<Self, InvalidPsk> {
        if context.len() > MAX_IDENTITY {
            return Err(InvalidPsk::Identity);
        }
        Known::new(identity, key, hash, Some(context)).map(Self::from)
    }

    /// Derives now what each connection of TLS 1.3 would derive anew, with the hashes of this
    /// provider.
    ///
    /// A client's configuration does so with its keys. A server's resolver should give out keys that
    /// are prepared.
    #[must_use]
    pub fn prepared(self, provider: &CryptoProvider) -> Self {
        let own = |id| provider.hash(id);
        let hashes = [HashId::Sha256, HashId::Sha384].into_iter().filter_map(own);
        let mut known = Arc::unwrap_or_clone(self.0);
        // What fails here fails again, and is told, where it is used.
        let ready = hashes.filter_map(|hash| known.derive(hash, own).ok()?);
        known.ready = ready.collect();
        Self::from(known)
    }

    /// What it is known by.
    #[must_use]
    pub fn identity(&self) -> &[u8] {
        &self.0.identity
    }

    /// The key itself, for TLS 1.2.
    #[cfg(feature = "psk12")]
    pub(crate) fn key(&self) -> &[u8] {
        &self.0.key
    }

    /// Whether it is imported.
    #[cfg(feature = "tls12")]
    pub(crate) fn is_imported(&self) -> bool {
        self.0.import.is_some()
    }

    /// What to offer for suites with this hash; `None` if it is not for them. `own` is the hash
    /// function of the provider with an id.
    pub(crate) fn for_tls13(
        &self,
        hash: &'static Hash,
        own: impl Fn(HashId) -> Option<&'static Hash>,
    ) -> Result<Option<Cow<'_, Tls13Psk>>, Error> {
        let mut ready = self.0.ready.iter();
        match ready.find(|ready| ready.early.hash().id() == hash.id()) {
            Some(ready) => Ok(Some(Cow::Borrowed(ready))),
            None => Ok(self.0.derive(hash, own)?.map(Cow::Owned)),
        }
    }
}

impl From<Known> for ExternalPsk {
    fn from(known: Known) -> Self {
        Self(Arc::new(known))
    }
}

impl Known {
    fn new(
        identity: &[u8],
        key: &[u8],
        hash: HashId,
        import: Option<&[u8]>,
    ) -> Result<Self, InvalidPsk> {
        if !(1..=MAX_IDENTITY).contains(&identity.len()) {
            return Err(InvalidPsk::Identity);
        }
        if !(MIN_KEY..=MAX_PSK_LEN).contains(&key.len()) {
            return Err(InvalidPsk::Key);
        }
        Ok(Self {
            identity: identity.into(),
            key: Zeroizing::new(key.into()),
            hash,
            import: import.map(Into::into),
            ready: Vec::new(),
        })
    }

    fn derive(
        &self,
        hash: &'static Hash,
        own: impl Fn(HashId) -> Option<&'static Hash>,
    ) -> Result<Option<Tls13Psk>, Error> {
        let Some(context) = &self.import else {
            return Ok((self.hash == hash.id()).then(|| Tls13Psk {
                identity: self.identity.clone(),
                early: EarlySecret::new(hash, &self.key),
                imported: false,
            }));
        };
        let Some(own) = own(self.hash) else {
            return Ok(None);
        };
        let imported = ImportedIdentity {
            external_identity: &self.identity,
            context,
            target_protocol: ProtocolVersion::TLS13.0,
            target_kdf: kdf_id(hash.id()),
        };
        let mut identity = Vec::new();
        imported.write(&mut Writer::new(&mut identity))?;
        let key = imported_key(own, &self.key, &identity, hash.output_len())?;
        Ok(Some(Tls13Psk {
            early: EarlySecret::new(hash, &key),
            identity: identity.into(),
            imported: true,
        }))
    }
}

/// RFC 9258, Section 5.1: epskx = HKDF-Extract(0, epsk), ipskx = HKDF-Expand-Label(epskx,
/// "derived psk", Hash(ImportedIdentity), L).
fn imported_key(
    own: &'static Hash,
    key: &[u8],
    identity: &[u8],
    len: usize,
) -> Result<Zeroizing<Box<[u8]>>, CryptoError> {
    let extracted = kdf::extract(own, &[], key);
    let context = own.digest(&[identity]);
    let mut derived = Zeroizing::new(alloc::vec![0; len].into_boxed_slice());
    let extracted = own.hmac_key(extracted.as_ref());
    kdf::expand_label(&extracted, b"derived psk", context.as_ref(), &mut derived)?;
    Ok(derived)
}

/// A key in the form that the key schedule of TLS 1.3 starts from.
#[derive(Clone)]
pub(crate) struct Tls13Psk {
    pub(crate) identity: Box<[u8]>,
    pub(crate) early: EarlySecret,
    /// Whether the binder says so (RFC 9258, Section 5.2).
    pub(crate) imported: bool,
}

/// The code points of RFC 9258, Section 10 (TLS KDF Identifiers).
const fn kdf_id(hash: HashId) -> u16 {
    match hash {
        HashId::Sha384 => 2,
        _ => 1,
    }
}

/// What stands in for an identity on the wire (RFC 9258, Section 5.1).
pub(crate) struct ImportedIdentity<'a> {
    pub(crate) external_identity: &'a [u8],
    pub(crate) context: &'a [u8],
    target_protocol: u16,
    target_kdf: u16,
}

impl<'a> ImportedIdentity<'a> {
    fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        for field in [self.external_identity, self.context] {
            w.vec16(|w| {
                w.bytes(field);
                Ok(())
            })?;
        }
        w.u16(self.target_protocol);
        w.u16(self.target_kdf);
        Ok(())
    }

    /// Reads an identity if it has this form. Others are none of it, not errors.
    pub(crate) fn read(identity: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new("ImportedIdentity", identity);
        let read = Self {
            external_identity: reader.vec16("external_identity").ok()?.take_rest(),
            context: reader.vec16("context").ok()?.take_rest(),
            target_protocol: reader.u16().ok()?,
            target_kdf: reader.u16().ok()?,
        };
        (reader.is_empty() && read.target_protocol == ProtocolVersion::TLS13.0).then_some(read)
    }
}

impl fmt::Debug for ExternalPsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalPsk")
            .field("identity", &self.identity())
            .finish_non_exhaustive()
    }
}

/// Finds the keys that a server shares with its clients.
pub trait PskResolver: Send + Sync + fmt::Debug {
    /// Finds a key by the identity that the client sent; of an imported one by its external
    /// identity. It should be [prepared](ExternalPsk::prepared).
    fn find(&self, identity: &[u8]) -> PskLookup;

    /// What to tell clients of TLS 1.2 about which identity to use (RFC 4279, Section 5.2).
    fn hint(&self) -> Option<&[u8]> {
        None
    }
}

/// What a [`PskResolver`] answers.
#[derive(Debug)]
pub enum PskLookup {
    /// This key.
    Found(ExternalPsk),
    /// There is none.
    None,
    /// The answer will come later, through the engine's `answer`.
    Pending,
}

#[cfg(test)]
mod tests {
    use waxwing_aws_lc::PROVIDER;
    use waxwing_crypto::Digest;

    use super::*;
    use crate::handshake::schedule13::PskOrigin;

    #[test]
    fn only_whole_imported_identities_are_read() {
        let imported = ImportedIdentity {
            external_identity: b"device",
            context: b"home",
            target_protocol: 0x0304,
            target_kdf: 1,
        };
        let mut bytes = Vec::new();
        imported.write(&mut Writer::new(&mut bytes)).unwrap();
        let read = ImportedIdentity::read(&bytes).unwrap();
        assert_eq!(read.external_identity, b"device");
        assert_eq!(read.context, b"home");
        for cut in 0..bytes.len() {
            assert!(ImportedIdentity::read(&bytes[..cut]).is_none(), "{cut}");
        }
        assert!(ImportedIdentity::read(&[&bytes[..], &[0]].concat()).is_none());
    }

    #[test]
    fn what_is_prepared_is_what_would_be_derived() {
        let hash = |id| PROVIDER.hash(id);
        let plain = ExternalPsk::new(b"device", &[7; 16], HashId::Sha384).unwrap();
        let imported =
            ExternalPsk::importable(b"device", &[7; 16], HashId::Sha256, b"home").unwrap();
        for (psk, count) in [(plain, 1), (imported, 2)] {
            let prepared = psk.clone().prepared(&PROVIDER);
            assert_eq!(prepared.0.ready.len(), count);
            assert!(psk.0.ready.is_empty());
            for id in [HashId::Sha256, HashId::Sha384] {
                let hash_of_hello = Digest::zeros(32);
                let of = |psk: &ExternalPsk| {
                    let derived = psk.for_tls13(hash(id).unwrap(), hash).unwrap()?;
                    let binder = derived.early.binder(PskOrigin::Imported, &hash_of_hello);
                    let binder = binder.unwrap().as_ref().to_vec();
                    Some((derived.identity.clone(), derived.imported, binder))
                };
                assert_eq!(of(&prepared), of(&psk), "{id:?}");
            }
        }
    }

    #[test]
    fn lengths_are_checked_and_keys_are_not_shown() {
        let key = [0x4b; 16];
        let psk = |identity: &[u8], key: &[u8]| ExternalPsk::new(identity, key, HashId::Sha256);
        assert_eq!(psk(b"", &key).unwrap_err(), InvalidPsk::Identity);
        assert_eq!(psk(b"a", &key[1..]).unwrap_err(), InvalidPsk::Key);
        let shown = alloc::format!("{:?}", psk(b"a", &key).unwrap());
        assert!(!shown.contains("75"), "{shown}");
    }
}
