//! Record protection (RFC 9846, Section 5.2): nonce, additional data, inner content type,
//! padding, sequence numbers and key updates. Nothing of this is left to a provider. What differs
//! in TLS 1.2 is in [`super::protect12`].

use alloc::boxed::Box;
use core::num::NonZeroU16;
use core::ops::Range;

use waxwing_crypto::{
    AeadKey, CryptoError, Digest, HmacKey, IV_LEN, MAX_KEY_LEN, Suite13, UseLimits, kdf,
};
#[cfg(feature = "tls12")]
use waxwing_crypto::{Nonce12, Suite12};
use zeroize::Zeroizing;

mod carried;

pub(crate) use carried::{Carried, Keys, RawKey};

#[cfg(feature = "tls12")]
use super::protect12::{self, Keys12};

use super::gather::Gather;
use super::{ContentType, Epoch, EpochKeys};
use crate::error::{Misuse, PeerError};
use crate::limits::{MAX_PLAINTEXT, RECORD_HEADER};
use crate::{Buffer, Error};

/// Records kept back from a key's limit, so that a KeyUpdate and an alert still fit.
const RESERVED_RECORDS: u64 = 2;
/// Padding up to this many bytes is sealed from a small array; more is zeroed in the output.
const SHORT_PADDING: usize = 31;

/// How much application data is padded, so that its length tells less (RFC 9846, Section 5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordPadding {
    /// Not at all.
    #[default]
    None,
    /// Content is padded to a multiple of this many bytes, as far as a record goes.
    ToMultipleOf(NonZeroU16),
}

impl RecordPadding {
    /// Bytes of padding for `len` bytes of content. Content and padding together are at most
    /// 2^14 bytes, so with the content type the record stays within RFC 9846, Section 5.4.
    pub(crate) fn padding_for(self, len: usize) -> usize {
        match self {
            Self::None => 0,
            Self::ToMultipleOf(unit) => len
                .checked_next_multiple_of(usize::from(unit.get()))
                .unwrap_or(len)
                .min(MAX_PLAINTEXT)
                .saturating_sub(len),
        }
    }
}

/// One direction's key and what goes with it.
struct Protection {
    aead: Box<dyn AeadKey>,
    iv: Zeroizing<[u8; IV_LEN]>,
    /// Of the next record.
    seq: u64,
    tag_len: usize,
    limits: UseLimits,
    form: Form,
}

/// What a record looks like under a key.
enum Form {
    Tls13 {
        suite: &'static Suite13,
        /// The traffic secret, from which the next generation is derived.
        secret: Digest,
        epoch: Epoch,
    },
    #[cfg(feature = "tls12")]
    Tls12 {
        suite: &'static Suite12,
        /// What the AEAD was made of: nothing else of the key block is left to make it again.
        key: Zeroizing<[u8; MAX_KEY_LEN]>,
    },
}

impl Protection {
    /// Derives key and IV (RFC 9846, Section 7.3).
    fn new(suite: &'static Suite13, epoch: Epoch, secret: Digest) -> Result<Self, Error> {
        let hmac = suite.hash.hmac_key(secret.as_ref());
        let key = derive_key(suite, &hmac)?;
        let key = key.get(..suite.aead.key_len());
        let aead = suite.aead.new_key(key.ok_or(CryptoError::Misuse)?)?;
        let mut iv = Zeroizing::new([0; IV_LEN]);
        kdf::expand_label(&hmac, b"iv", &[], iv.as_mut_slice())?;
        Ok(Self {
            aead,
            iv,
            seq: 0,
            tag_len: suite.aead.tag_len(),
            limits: suite.limits,
            form: Form::Tls13 {
                suite,
                secret,
                epoch,
            },
        })
    }

    fn from_keys(keys: &EpochKeys) -> Result<Self, Error> {
        Self::new(keys.suite, keys.epoch, keys.secret.clone())
    }

    #[cfg(feature = "tls12")]
    fn from_keys12(keys: &Keys12) -> Result<Self, Error> {
        Ok(Self {
            aead: keys.aead_key()?,
            iv: keys.iv.clone(),
            seq: 0,
            tag_len: keys.suite.aead.tag_len(),
            limits: keys.suite.limits,
            form: Form::Tls12 {
                suite: keys.suite,
                key: keys.key.clone(),
            },
        })
    }

    /// The next generation of the traffic secret (RFC 9846, Section 7.2).
    fn update(&mut self) -> Result<(), Error> {
        match &self.form {
            Form::Tls13 {
                suite,
                secret,
                epoch,
            } => {
                let hmac = suite.hash.hmac_key(secret.as_ref());
                let next = kdf::derive(&hmac, b"traffic upd", &[])?;
                *self = Self::new(suite, *epoch, next)?;
                Ok(())
            }
            #[cfg(feature = "tls12")]
            Form::Tls12 { .. } => Err(Misuse::NoKeyUpdate.into()),
        }
    }

    /// The IV with the sequence number added to its end (RFC 9846, Section 5.3).
    fn nonce(&self) -> [u8; IV_LEN] {
        xor_nonce(&self.iv, self.seq)
    }

    /// The traffic secret of TLS 1.3 that it comes from.
    const fn traffic_secret(&self) -> Option<&Digest> {
        match &self.form {
            Form::Tls13 { secret, .. } => Some(secret),
            #[cfg(feature = "tls12")]
            Form::Tls12 { .. } => None,
        }
    }

    /// Whether this is a key of TLS 1.2.
    const fn is_tls12(&self) -> bool {
        match self.form {
            Form::Tls13 { .. } => false,
            #[cfg(feature = "tls12")]
            Form::Tls12 { .. } => true,
        }
    }

    /// The sequence number after this one. It must never wrap (RFC 9846, Section 5.3), so the
    /// record that would make it wrap is neither sealed nor opened.
    fn next_seq(&self) -> Result<u64, Error> {
        Ok(self.seq.checked_add(1).ok_or(CryptoError::Misuse)?)
    }
}

/// The key for records under a traffic secret (RFC 9846, Section 7.3): as many bytes at the front
/// as the AEAD takes.
fn derive_key(
    suite: &Suite13,
    hmac: &HmacKey,
) -> Result<Zeroizing<[u8; MAX_KEY_LEN]>, CryptoError> {
    let mut key = Zeroizing::new([0; MAX_KEY_LEN]);
    let used = key.get_mut(..suite.aead.key_len());
    kdf::expand_label(hmac, b"key", &[], used.ok_or(CryptoError::Misuse)?)?;
    Ok(key)
}

/// The IV with a sequence number added to its end.
///
/// It is written as one word of 8 bytes and one of 4, the way in which it is copied and read
/// later: a processor stalls on a read of what it has just written in other pieces.
#[inline]
pub(super) fn xor_nonce(iv: &[u8; IV_LEN], seq: u64) -> [u8; IV_LEN] {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *iv;
    let head = u64::from_be_bytes([a, b, c, d, e, f, g, h]) ^ (seq >> 32);
    let end = u32::from_be_bytes([i, j, k, l]) ^ (seq as u32);
    let mut nonce = [0; IV_LEN];
    nonce[..8].copy_from_slice(&head.to_be_bytes());
    nonce[8..].copy_from_slice(&end.to_be_bytes());
    nonce
}

/// Protects what we send.
pub(crate) struct SealKey(Protection);

impl SealKey {
    pub(crate) fn new(keys: &EpochKeys) -> Result<Self, Error> {
        Protection::from_keys(keys).map(Self)
    }

    /// A key of TLS 1.2.
    #[cfg(feature = "tls12")]
    pub(crate) fn new12(keys: &Keys12) -> Result<Self, Error> {
        Protection::from_keys12(keys).map(Self)
    }

    /// Moves on to the next generation of keys (RFC 9846, Section 7.2).
    pub(crate) fn update(&mut self) -> Result<(), Error> {
        self.0.update()
    }

    /// Records that may still be sealed under a key that cannot be updated; `None` if it can.
    /// Some more are kept back for alerts.
    pub(crate) const fn records_left(&self) -> Option<u64> {
        match self.0.form {
            Form::Tls13 { .. } => None,
            #[cfg(feature = "tls12")]
            Form::Tls12 { .. } => {
                let limit = self.0.limits.seal_records;
                let limit = limit.saturating_sub(protect12::RESERVED_ALERTS);
                Some(limit.saturating_sub(self.0.seq))
            }
        }
    }

    /// The traffic secret of TLS 1.3 that the key comes from.
    pub(crate) const fn traffic_secret(&self) -> Option<&Digest> {
        self.0.traffic_secret()
    }

    /// Whether the key is so near to its limit that the next record should be a KeyUpdate
    /// (RFC 9846, Section 5.5).
    pub(crate) fn needs_update(&self) -> bool {
        let limit = self.0.limits.seal_records;
        self.0.seq >= limit.saturating_sub(RESERVED_RECORDS)
    }

    /// Bytes that a record has more than its content and padding.
    pub(crate) const fn overhead(&self) -> usize {
        let in_body = match &self.0.form {
            Form::Tls13 { .. } => 1, // the inner content type
            #[cfg(feature = "tls12")]
            Form::Tls12 { suite, .. } => suite.nonce.explicit_len(),
        };
        RECORD_HEADER
            .saturating_add(in_body)
            .saturating_add(self.0.tag_len)
    }

    /// Appends one record with this content and `pad` bytes of padding to `out`.
    #[inline]
    pub(crate) fn seal(
        &mut self,
        typ: ContentType,
        plain: &[u8],
        pad: usize,
        out: &mut Buffer,
    ) -> Result<(), Error> {
        #[cfg(feature = "tls12")]
        if let Form::Tls12 { suite, .. } = &self.0.form {
            return self.seal12(
                suite.nonce,
                typ,
                plain.len(),
                out,
                |key, nonce, aad, body| key.seal(nonce, aad, plain, &[], body),
            );
        }
        if pad > SHORT_PADDING {
            let mut parts = Gather::new(core::slice::from_ref(&plain));
            return self.seal_in_output(typ, &mut parts, plain.len(), pad, out);
        }
        let mut tail = [0; SHORT_PADDING + 1];
        tail[0] = typ.0;
        let tail = tail.get(..=pad).unwrap_or_default();
        self.seal_with(plain.len(), pad, out, |key, nonce, header, body| {
            key.seal(nonce, header, plain, tail, body)
        })
    }

    /// Appends one record with the next `len` bytes of `parts`, which must have as many.
    ///
    /// They are encrypted straight from where they are if one slice holds them all, which is
    /// the rule for large writes; otherwise they are brought together in the output first.
    #[inline]
    pub(crate) fn seal_gather(
        &mut self,
        typ: ContentType,
        parts: &mut Gather<'_>,
        len: usize,
        pad: usize,
        out: &mut Buffer,
    ) -> Result<(), Error> {
        match parts.take_whole(len) {
            Some(plain) => self.seal(typ, plain, pad, out),
            None => self.seal_in_output(typ, parts, len, pad, out),
        }
    }

    fn seal_in_output(
        &mut self,
        typ: ContentType,
        parts: &mut Gather<'_>,
        len: usize,
        pad: usize,
        out: &mut Buffer,
    ) -> Result<(), Error> {
        #[cfg(feature = "tls12")]
        if let Form::Tls12 { suite, .. } = &self.0.form {
            return self.seal12(suite.nonce, typ, len, out, |key, nonce, aad, body| {
                parts.copy_to(body.get_mut(..len).ok_or(CryptoError::Misuse)?)?;
                key.seal_in_place(nonce, aad, body)
            });
        }
        self.seal_with(len, pad, out, |key, nonce, header, body| {
            let (content, tail) = body.split_at_mut_checked(len).ok_or(CryptoError::Misuse)?;
            parts.copy_to(content)?;
            let (inner_type, tail) = tail.split_first_mut().ok_or(CryptoError::Misuse)?;
            *inner_type = typ.0;
            tail.get_mut(..pad).ok_or(CryptoError::Misuse)?.fill(0);
            key.seal_in_place(nonce, header, body)
        })
    }

    /// Writes the header, has `fill` produce the encrypted part, and counts the record.
    #[inline]
    fn seal_with(
        &mut self,
        len: usize,
        pad: usize,
        out: &mut Buffer,
        fill: impl FnOnce(
            &dyn AeadKey,
            &[u8; IV_LEN],
            &[u8; RECORD_HEADER],
            &mut [u8],
        ) -> Result<(), CryptoError>,
    ) -> Result<(), Error> {
        let content_len = len.saturating_add(pad);
        if content_len > MAX_PLAINTEXT {
            return Err(Misuse::TooLong.into());
        }
        let next_seq = self.0.next_seq()?;
        let record_len = content_len.saturating_add(self.overhead());
        let space = out.space(record_len);
        let (header, body) = space
            .split_first_chunk_mut::<RECORD_HEADER>()
            .ok_or(CryptoError::Misuse)?;
        let body_len = u16::try_from(body.len()).map_err(|_| Misuse::TooLong)?;
        *header = record_header(ContentType::APPLICATION_DATA, 0x0303, body_len);
        fill(&*self.0.aead, &self.0.nonce(), header, body)?;
        out.commit(record_len);
        self.0.seq = next_seq;
        Ok(())
    }
}

#[cfg(feature = "tls12")]
impl SealKey {
    /// A record of TLS 1.2: as [`Self::seal_with`], without padding, and `fill` gets the
    /// additional data.
    fn seal12(
        &mut self,
        kind: Nonce12,
        typ: ContentType,
        len: usize,
        out: &mut Buffer,
        fill: impl FnOnce(&dyn AeadKey, &[u8; IV_LEN], &[u8], &mut [u8]) -> Result<(), CryptoError>,
    ) -> Result<(), Error> {
        let content_len = u16::try_from(len).map_err(|_| Misuse::TooLong)?;
        if len > MAX_PLAINTEXT {
            return Err(Misuse::TooLong.into());
        }
        let seq = self.0.seq;
        let next_seq = self.0.next_seq()?;
        let record_len = len.saturating_add(self.overhead());
        let (header, body) = out
            .space(record_len)
            .split_first_chunk_mut::<RECORD_HEADER>()
            .ok_or(CryptoError::Misuse)?;
        let body_len = u16::try_from(body.len()).map_err(|_| Misuse::TooLong)?;
        *header = record_header(typ, 0x0303, body_len);
        let (explicit, sealed) = body
            .split_at_mut_checked(kind.explicit_len())
            .ok_or(CryptoError::Misuse)?;
        for (place, byte) in explicit.iter_mut().zip(seq.to_be_bytes()) {
            *place = byte;
        }
        let nonce = protect12::nonce(kind, &self.0.iv, seq);
        let aad = protect12::additional_data(seq, header, content_len);
        fill(&*self.0.aead, &nonce, &aad, sealed)?;
        out.commit(record_len);
        self.0.seq = next_seq;
        Ok(())
    }
}

/// Opens what the peer protected.
pub(crate) struct OpenKey(Protection);

impl OpenKey {
    pub(crate) fn new(keys: &EpochKeys) -> Result<Self, Error> {
        Protection::from_keys(keys).map(Self)
    }

    /// A key of TLS 1.2.
    #[cfg(feature = "tls12")]
    pub(crate) fn new12(keys: &Keys12) -> Result<Self, Error> {
        Protection::from_keys12(keys).map(Self)
    }

    /// Whether this is a key of TLS 1.2, under which a record shows its type.
    pub(crate) const fn is_tls12(&self) -> bool {
        self.0.is_tls12()
    }

    /// Moves on to the next generation of keys (RFC 9846, Section 7.2).
    pub(crate) fn update(&mut self) -> Result<(), Error> {
        self.0.update()
    }

    /// The traffic secret of TLS 1.3 that the key comes from.
    pub(crate) const fn traffic_secret(&self) -> Option<&Digest> {
        self.0.traffic_secret()
    }

    /// Whether the peer may still be without keys for what it sends: these are handshake keys,
    /// and nothing has come under them.
    pub(crate) fn is_untried_handshake_key(&self) -> bool {
        let handshake =
            matches!(&self.0.form, Form::Tls13 { epoch, .. } if *epoch == Epoch::Handshake);
        handshake && self.0.seq == 0
    }

    /// Opens a record in place: its content type, and where in `body` its content is, at most
    /// `limit` bytes. A record that does not open leaves the sequence number as it was.
    #[inline(always)]
    pub(crate) fn open(
        &mut self,
        header: &[u8; RECORD_HEADER],
        body: &mut [u8],
        limit: usize,
    ) -> Result<(ContentType, Range<usize>), Error> {
        #[cfg(feature = "tls12")]
        if let Form::Tls12 { suite, .. } = &self.0.form {
            let (typ, place) = self.open12(suite.nonce, header, body, limit)?;
            return Ok((typ, place.start..place.end));
        }
        let next_seq = self.0.next_seq()?;
        let inner_len = self
            .0
            .aead
            .open_in_place(&self.0.nonce(), header, body)
            .map_err(unopened)?;
        self.0.seq = next_seq;
        // RFC 9846, Section 5.4: padding does not lift the limit; the content type is one more.
        if inner_len.saturating_sub(1) > limit {
            return Err(PeerError::RecordOverflow.into());
        }
        let inner = body.get(..inner_len).unwrap_or_default();
        let content_len = inner
            .iter()
            .rposition(|byte| *byte != 0)
            .ok_or(PeerError::NoContentType)?;
        let typ = inner.get(content_len).copied().unwrap_or_default();
        Ok((ContentType(typ), 0..content_len))
    }

    #[cfg(feature = "tls12")]
    fn open12(
        &mut self,
        kind: Nonce12,
        header: &[u8; RECORD_HEADER],
        body: &mut [u8],
        limit: usize,
    ) -> Result<(ContentType, Range<usize>), Error> {
        let seq = self.0.seq;
        let next_seq = self.0.next_seq()?;
        let start = kind.explicit_len();
        let (explicit, sealed) = body
            .split_at_mut_checked(start)
            .ok_or(PeerError::BadRecordMac)?;
        let len = sealed
            .len()
            .checked_sub(self.0.tag_len)
            .ok_or(PeerError::BadRecordMac)?;
        // The peer may choose the explicit part as it likes (RFC 5288, Section 3).
        let nonce = match explicit.first_chunk() {
            Some(explicit) => protect12::explicit_nonce(&self.0.iv, *explicit),
            None => xor_nonce(&self.0.iv, seq),
        };
        let content_len = u16::try_from(len).map_err(|_| PeerError::RecordOverflow)?;
        let aad = protect12::additional_data(seq, header, content_len);
        let opened = self.0.aead.open_in_place(&nonce, &aad, sealed);
        let len = opened.map_err(unopened)?;
        self.0.seq = next_seq;
        if len > limit {
            return Err(PeerError::RecordOverflow.into());
        }
        Ok((ContentType(header[0]), start..start.saturating_add(len)))
    }
}

#[cold]
fn unopened(error: CryptoError) -> Error {
    match error {
        CryptoError::Unauthentic => PeerError::BadRecordMac.into(),
        other => Error::Crypto(other),
    }
}

// Both live in every connection.
const _: () = assert!(size_of::<SealKey>() + size_of::<OpenKey>() <= 320);

/// The header of a record (RFC 9846, Section 5.1 and 5.2). For a protected one it is the
/// additional data too.
pub(super) const fn record_header(
    typ: ContentType,
    version: u16,
    body_len: u16,
) -> [u8; RECORD_HEADER] {
    let [major, minor] = version.to_be_bytes();
    let [high, low] = body_len.to_be_bytes();
    [typ.0, major, minor, high, low]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects)]

    use alloc::vec::Vec;

    use waxwing_aws_lc::SUITES13;

    use super::super::testing::{keys, short_lived};
    use super::*;

    const DATA: ContentType = ContentType::APPLICATION_DATA;

    fn pair(keys: &EpochKeys) -> (SealKey, OpenKey) {
        (SealKey::new(keys).unwrap(), OpenKey::new(keys).unwrap())
    }

    fn open(key: &mut OpenKey, record: &[u8]) -> Result<(ContentType, Vec<u8>), Error> {
        let (header, body) = record.split_first_chunk().unwrap();
        let mut body = body.to_vec();
        let (typ, place) = key.open(header, &mut body, MAX_PLAINTEXT)?;
        Ok((typ, body[place].to_vec()))
    }

    #[test]
    fn rfc_8448_simple_handshake_client_records() {
        // RFC 8448, Section 3: "client_application_traffic_secret_0" and the two records
        // under it.
        let secret =
            hex::decode("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5")
                .unwrap();
        let keys = EpochKeys {
            epoch: Epoch::Application,
            suite: &waxwing_aws_lc::TLS13_AES_128_GCM_SHA256,
            secret: Digest::from_slice(&secret).unwrap(),
        };
        let mut key = SealKey::new(&keys).unwrap();
        let mut out = Buffer::new();
        let data: Vec<u8> = (0..50).collect();
        key.seal(DATA, &data, 0, &mut out).unwrap();
        assert_eq!(
            hex::encode(out.as_slice()),
            "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd5\
             4a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4"
        );
        out.clear();
        key.seal(ContentType::ALERT, &[1, 0], 0, &mut out).unwrap();
        assert_eq!(
            hex::encode(out.as_slice()),
            "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3"
        );
    }

    #[test]
    fn every_size_comes_back_with_every_padding() {
        let plain: Vec<u8> = (0..MAX_PLAINTEXT).map(|i| (i * 7) as u8).collect();
        for suite in SUITES13 {
            let (mut seal, mut open_key) = pair(&keys(suite, Epoch::Application, 3));
            let mut out = Buffer::new();
            let lengths = (0..70).chain(MAX_PLAINTEXT - 40..=MAX_PLAINTEXT);
            for len in lengths {
                for pad in [0, 1, SHORT_PADDING, SHORT_PADDING + 1, 500] {
                    let sealed = seal.seal(DATA, &plain[..len], pad, &mut out);
                    if len + pad > MAX_PLAINTEXT {
                        assert_eq!(sealed, Err(Misuse::TooLong.into()));
                        assert!(out.is_empty());
                        continue;
                    }
                    assert_eq!(sealed, Ok(()));
                    assert_eq!(out.len(), len + pad + seal.overhead());
                    let opened = open(&mut open_key, out.as_slice()).unwrap();
                    assert!(opened == (DATA, plain[..len].to_vec()), "{len} + {pad}");
                    out.clear();
                }
            }
        }
    }

    #[test]
    fn any_changed_bit_is_noticed_and_costs_no_sequence_number() {
        let (mut seal, mut open_key) = pair(&short_lived());
        let mut out = Buffer::new();
        seal.seal(ContentType::HANDSHAKE, b"hello", 3, &mut out)
            .unwrap();
        let record = out.as_slice().to_vec();
        for at in 0..record.len() * 8 {
            let mut forged = record.clone();
            forged[at / 8] ^= 1 << (at % 8);
            let refused = open(&mut open_key, &forged);
            assert_eq!(refused, Err(PeerError::BadRecordMac.into()), "bit {at}");
        }
        for len in RECORD_HEADER..record.len() {
            let refused = open(&mut open_key, &record[..len]);
            assert_eq!(refused, Err(PeerError::BadRecordMac.into()), "{len} bytes");
        }
        assert_eq!(open_key.0.seq, 0);
        assert!(open(&mut open_key, &record).is_ok());
        // The same record again is a replay.
        let replayed = open(&mut open_key, &record);
        assert_eq!(replayed, Err(PeerError::BadRecordMac.into()));
    }

    #[test]
    fn all_padding_and_too_much_of_it_are_refused() {
        let (mut seal, mut open_key) = pair(&short_lived());
        let mut out = Buffer::new();
        seal.seal(ContentType(0), &[0; 9], 40, &mut out).unwrap();
        let refused = open(&mut open_key, out.as_slice());
        assert_eq!(refused, Err(PeerError::NoContentType.into()));

        for (over, expected) in [
            (0, Ok((DATA, Vec::new()))),
            (1, Err(PeerError::RecordOverflow.into())),
        ] {
            let mut body = alloc::vec![0; MAX_PLAINTEXT + 1 + over + 16];
            body[0] = DATA.0;
            let header = record_header(DATA, 0x0303, body.len() as u16);
            let nonce = open_key.0.nonce();
            open_key
                .0
                .aead
                .seal_in_place(&nonce, &header, &mut body)
                .unwrap();
            let opened = open(&mut open_key, &[&header, body.as_slice()].concat());
            assert_eq!(opened, expected);
        }
    }

    #[test]
    fn key_updates_keep_in_step() {
        let (mut seal, mut open_key) = pair(&short_lived());
        let mut out = Buffer::new();
        for generation in 0..5u8 {
            for _ in 0..2 {
                out.clear();
                seal.seal(DATA, &[generation], 0, &mut out).unwrap();
                let opened = open(&mut open_key, out.as_slice());
                assert_eq!(opened, Ok((DATA, alloc::vec![generation])));
            }
            seal.update().unwrap();
            out.clear();
            seal.seal(DATA, b"ahead", 0, &mut out).unwrap();
            let refused = open(&mut open_key, out.as_slice());
            assert_eq!(refused, Err(PeerError::BadRecordMac.into()));
            open_key.update().unwrap();
            assert!(open(&mut open_key, out.as_slice()).is_ok());
        }
    }

    #[test]
    fn a_key_asks_for_its_update_before_the_limit() {
        let (mut seal, _) = pair(&short_lived());
        let mut out = Buffer::new();
        for _ in 0..6 {
            assert!(!seal.needs_update());
            seal.seal(DATA, &[], 0, &mut out).unwrap();
        }
        assert!(seal.needs_update());
        seal.update().unwrap();
        assert!(!seal.needs_update());
    }

    #[test]
    fn sequence_numbers_never_wrap() {
        let (mut seal, mut open_key) = pair(&short_lived());
        let mut out = Buffer::new();
        seal.0.seq = u64::MAX - 1;
        open_key.0.seq = u64::MAX - 1;
        seal.seal(DATA, b"last", 0, &mut out).unwrap();
        assert!(open(&mut open_key, out.as_slice()).is_ok());
        let worn_out = Error::Crypto(CryptoError::Misuse);
        assert_eq!(seal.seal(DATA, b"x", 0, &mut out), Err(worn_out.clone()));
        assert_eq!(open(&mut open_key, out.as_slice()), Err(worn_out));
    }

    #[test]
    fn padding_reaches_a_multiple_or_the_record_s_end() {
        assert_eq!(RecordPadding::None.padding_for(77), 0);
        for unit in [1, 2, 64, 1000, 4096, 16384, 65535] {
            let padding = RecordPadding::ToMultipleOf(NonZeroU16::new(unit).unwrap());
            for len in 0..=MAX_PLAINTEXT {
                let padded = len + padding.padding_for(len);
                assert!(
                    padded.is_multiple_of(usize::from(unit)) || padded == MAX_PLAINTEXT,
                    "{len} to {unit}"
                );
                assert!(padded <= MAX_PLAINTEXT && padded - len < usize::from(unit));
            }
        }
    }
}
