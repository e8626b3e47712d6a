//! HKDF (RFC 5869), the labelled expansion of TLS 1.3 (RFC 9846, Section 7.1), and the PRF of
//! TLS 1.2 (RFC 5246, Section 5).

use crate::{CryptoError, Digest, Hash, HmacKey};

/// Prefix of every label in TLS 1.3 (RFC 9846, Section 7.1).
pub const TLS13_LABEL_PREFIX: &[u8] = b"tls13 ";

/// HKDF-Extract (RFC 5869, Section 2.2).
#[must_use]
pub fn extract(hash: &'static Hash, salt: &[u8], input: &[u8]) -> Digest {
    hash.hmac_key(salt).sign(&[input])
}

/// HKDF-Extract without a salt, which is then as many zeros as the hash has bytes (RFC 5869, Section
/// 2.2). That is an HMAC key known beforehand.
#[must_use]
pub fn extract_unsalted(hash: &'static Hash, input: &[u8]) -> Digest {
    hash.hmac_key_of_zeros().sign(&[input])
}

/// HKDF-Expand (RFC 5869, Section 2.3); `info` is given in parts.
///
/// # Errors
/// [`CryptoError::Misuse`] if more than 255 blocks of output, or more than
/// `MAX_INFO_PARTS` parts, are asked for.
pub fn expand(key: &HmacKey, info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
    const MAX_INFO_PARTS: usize = 4;
    if info.len() > MAX_INFO_PARTS {
        return Err(CryptoError::Misuse);
    }
    let mut previous = Digest::zeros(0);
    for (index, chunk) in out.chunks_mut(key.hash().output_len()).enumerate() {
        let counter = [u8::try_from(index + 1).map_err(|_| CryptoError::Misuse)?];
        let mut parts: [&[u8]; MAX_INFO_PARTS + 2] = [&[]; MAX_INFO_PARTS + 2];
        parts[0] = previous.as_ref();
        parts[1..=info.len()].copy_from_slice(info);
        parts[info.len() + 1] = &counter;
        let block = key.sign(&parts[..info.len() + 2]);
        chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
        previous = block;
    }
    Ok(())
}

/// Bytes of an HkdfLabel up to its context, for every label of the handshake.
const MAX_HEAD: usize = 32;
/// Where the label begins in it.
const LABEL_AT: usize = 2 + 1 + TLS13_LABEL_PREFIX.len();

/// What an expansion is for: HkdfLabel (RFC 9846, Section 7.1). All that comes before the context is
/// brought together if the label is of the usual length, since an HMAC takes one part faster than
/// several short ones.
struct HkdfLabel<'a> {
    /// The output's length, the label's length, and the prefix; then a short label and the context's
    /// length.
    head: [u8; MAX_HEAD],
    head_len: usize,
    /// A label that is not in the head.
    long_label: &'a [u8],
    context_len: [u8; 1],
    context: &'a [u8],
}

impl<'a> HkdfLabel<'a> {
    fn new(out_len: usize, label: &'a [u8], context: &'a [u8]) -> Result<Self, CryptoError> {
        let too_long = |_| CryptoError::Misuse;
        let out_len = u16::try_from(out_len).map_err(too_long)?;
        let label_len = u8::try_from(TLS13_LABEL_PREFIX.len() + label.len()).map_err(too_long)?;
        let context_len = u8::try_from(context.len()).map_err(too_long)?;
        let mut head = [0; MAX_HEAD];
        head[..2].copy_from_slice(&out_len.to_be_bytes());
        head[2] = label_len;
        head[3..LABEL_AT].copy_from_slice(TLS13_LABEL_PREFIX);
        let place = head[LABEL_AT..].split_at_mut_checked(label.len());
        let (head_len, long_label) = match place {
            Some((place, [after, ..])) => {
                place.copy_from_slice(label);
                *after = context_len;
                (LABEL_AT + label.len() + 1, &[][..])
            }
            _ => (LABEL_AT, label),
        };
        Ok(Self {
            head,
            head_len,
            long_label,
            context_len: [context_len],
            context,
        })
    }

    /// All of it, in order.
    fn parts(&self) -> [&[u8]; 4] {
        let long = !self.long_label.is_empty();
        let context_len: &[u8] = if long { &self.context_len } else { &[] };
        [
            &self.head[..self.head_len],
            self.long_label,
            context_len,
            self.context,
        ]
    }
}

/// HKDF-Expand-Label (RFC 9846, Section 7.1) into `out`.
///
/// # Errors
/// [`CryptoError::Misuse`] if label, context or output do not fit their length fields.
pub fn expand_label(
    key: &HmacKey,
    label: &[u8],
    context: &[u8],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    expand(
        key,
        &HkdfLabel::new(out.len(), label, context)?.parts(),
        out,
    )
}

/// HKDF-Expand-Label with an output of the hash's own length.
///
/// # Errors
/// As [`expand_label`].
pub fn derive(key: &HmacKey, label: &[u8], context: &[u8]) -> Result<Digest, CryptoError> {
    let info = HkdfLabel::new(key.hash().output_len(), label, context)?;
    // The only block of HKDF-Expand (RFC 5869, Section 2.3), whose number is 1.
    let [head, long_label, context_len, context] = info.parts();
    Ok(key.sign(&[head, long_label, context_len, context, &[1]]))
}

/// The PRF of TLS 1.2 (RFC 5246, Section 5) on the hash of `secret`, which is the suite's
/// (RFC 5289, Section 3; RFC 7905, Section 2). `seed` is given in parts.
///
/// # Errors
/// [`CryptoError::Misuse`] if there are more than `MAX_SEED_PARTS` parts: those of an exporter
/// (RFC 5705, Section 4) are the most.
pub fn prf12(
    secret: &HmacKey,
    label: &[u8],
    seed: &[&[u8]],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    const MAX_SEED_PARTS: usize = 4;
    if seed.len() > MAX_SEED_PARTS {
        return Err(CryptoError::Misuse);
    }
    // A(i), then the label and the seed, which together are the seed of P_hash.
    let mut parts: [&[u8]; MAX_SEED_PARTS + 2] = [&[]; MAX_SEED_PARTS + 2];
    parts[1] = label;
    parts[2..2 + seed.len()].copy_from_slice(seed);
    let mut a = secret.sign(&parts[1..]);
    for (index, chunk) in out.chunks_mut(secret.hash().output_len()).enumerate() {
        if index > 0 {
            a = secret.sign(&[a.as_ref()]);
        }
        let mut with_a = parts;
        with_a[0] = a.as_ref();
        let block = secret.sign(&with_a);
        chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod testing {
    //! Compression functions for this crate's own tests.
    use super::Hash;

    pub(crate) static SHA256: Hash = Hash::sha256(sha2::block_api::compress256);
    pub(crate) static SHA384: Hash = Hash::sha384(sha2::block_api::compress512);
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::testing::{SHA256, SHA384};
    use super::*;

    #[test]
    fn rfc_5869_case_1() {
        let prk = extract(
            &SHA256,
            &hex::decode("000102030405060708090a0b0c").unwrap(),
            &[0x0b; 22],
        );
        assert_eq!(
            hex::encode(prk.as_ref()),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
        );
        let mut okm = [0; 42];
        let info = hex::decode("f0f1f2f3f4f5f6f7f8f9").unwrap();
        expand(&SHA256.hmac_key(prk.as_ref()), &[&info], &mut okm).unwrap();
        assert_eq!(
            hex::encode(okm),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
    }

    #[test]
    fn no_salt_is_a_salt_of_zeros() {
        for hash in [&SHA256, &SHA384] {
            let zeros = Digest::zeros(hash.output_len());
            let salted = extract(hash, zeros.as_ref(), b"input");
            assert!(extract_unsalted(hash, b"input").ct_eq(salted.as_ref()));
        }
    }

    #[test]
    fn rfc_8448_early_secret_and_derived() {
        // RFC 8448, Section 3: "extract secret early" and "derive secret for handshake".
        let early = extract(&SHA256, &[0; 32], &[0; 32]);
        assert_eq!(
            hex::encode(early.as_ref()),
            "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"
        );
        let empty = SHA256.digest_of_empty();
        let derived = derive(&SHA256.hmac_key(early.as_ref()), b"derived", empty.as_ref()).unwrap();
        assert_eq!(
            hex::encode(derived.as_ref()),
            "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba"
        );
    }

    #[test]
    fn a_label_of_any_length_goes_into_the_expansion_as_the_rfc_has_it() {
        let key = SHA256.hmac_key(b"secret");
        let long = [b'x'; 249];
        for label_len in 0..=249 {
            for context in [&[][..], &[7; 32], &[7; 255]] {
                let label = &long[..label_len];
                // HkdfLabel (RFC 9846, Section 7.1), byte by byte.
                let mut info = vec![0, 32, 6 + label_len as u8];
                info.extend_from_slice(b"tls13 ");
                info.extend_from_slice(label);
                info.push(context.len() as u8);
                info.extend_from_slice(context);
                let mut expected = [0; 32];
                expand(&key, &[&info], &mut expected).unwrap();
                let mut expanded = [0; 32];
                expand_label(&key, label, context, &mut expanded).unwrap();
                assert_eq!(expanded, expected, "{label_len}");
                let derived = derive(&key, label, context).unwrap();
                assert_eq!(derived.as_ref(), expected, "{label_len}");
            }
        }
        assert_eq!(
            derive(&key, &[b'x'; 250], &[]).unwrap_err(),
            CryptoError::Misuse
        );
        assert_eq!(
            derive(&key, b"label", &[7; 256]).unwrap_err(),
            CryptoError::Misuse
        );
    }

    // Test vectors published on the IETF's TLS mailing list; OpenSSL's TLS1-PRF agrees.

    #[test]
    fn tls12_prf_on_sha256() {
        let secret = hex::decode("9bbe436ba940f017b17652849a71db35").unwrap();
        let seed = hex::decode("a0ba9f936cda311827a6f796ffd5198c").unwrap();
        let mut out = [0; 100];
        prf12(&SHA256.hmac_key(&secret), b"test label", &[&seed], &mut out).unwrap();
        assert_eq!(
            hex::encode(out),
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a\
             6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab\
             4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701\
             87347b66"
        );
    }

    #[test]
    fn tls12_prf_on_sha384() {
        let secret = hex::decode("b80b733d6ceefcdc71566ea48e5567df").unwrap();
        let seed = hex::decode("cd665cf6a8447dd6ff8b27555edb7465").unwrap();
        let mut out = [0; 148];
        prf12(&SHA384.hmac_key(&secret), b"test label", &[&seed], &mut out).unwrap();
        assert_eq!(
            hex::encode(out),
            "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd\
             e9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd\
             8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425\
             9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee6\
             91c8f3a26854308d5eaa3be85e0990703d73e56f"
        );
    }

    #[test]
    fn the_tls12_prf_takes_its_seed_in_up_to_four_parts() {
        let key = SHA256.hmac_key(b"secret");
        let prf = |seed: &[&[u8]]| {
            let mut out = [0; 48];
            prf12(&key, b"label", seed, &mut out).map(|()| out)
        };
        let whole = prf(&[b"abcd"]);
        assert!(whole.is_ok());
        assert_eq!(prf(&[b"ab", b"cd"]), whole);
        assert_eq!(prf(&[b"a", b"b", b"c", b"d"]), whole);
        assert_ne!(prf(&[b"a", b"b", b"c"]), whole);
        assert_eq!(
            prf(&[b"", b"a", b"b", b"c", b"d"]),
            Err(CryptoError::Misuse)
        );
    }

    #[test]
    fn too_much_output_is_an_error() {
        let key = SHA256.hmac_key(b"key");
        let mut out = [0; 255 * 32 + 1];
        assert_eq!(expand(&key, &[], &mut out), Err(CryptoError::Misuse));
        assert_eq!(expand(&key, &[], &mut out[..255 * 32]), Ok(()));
    }
}
