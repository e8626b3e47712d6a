//! HKDF (RFC 5869) and the labelled expansion of TLS 1.3 (RFC 9846, Section 7.1).

use zeroize::Zeroize;

use crate::{CryptoError, Digest, Hash, HmacKey, MAX_HASH_LEN};

/// Prefix of every label in TLS 1.3 (RFC 9846, Section 7.1).
pub const TLS13_LABEL_PREFIX: &[u8] = b"tls13 ";

/// HKDF-Extract (RFC 5869, Section 2.2).
#[must_use]
pub fn extract(hash: &'static Hash, salt: &[u8], input: &[u8]) -> Digest {
    hash.hmac_key(salt).sign(&[input])
}

/// HKDF-Expand (RFC 5869, Section 2.3); `info` is given in parts.
///
/// # Errors
/// [`CryptoError::Misuse`] if more than 255 blocks of output, or more than
/// `MAX_INFO_PARTS` parts, are asked for.
pub fn expand(key: &HmacKey, info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
    const MAX_INFO_PARTS: usize = 6;
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
    let too_long = |_| CryptoError::Misuse;
    let out_len = u16::try_from(out.len()).map_err(too_long)?.to_be_bytes();
    let label_len = [u8::try_from(TLS13_LABEL_PREFIX.len() + label.len()).map_err(too_long)?];
    let context_len = [u8::try_from(context.len()).map_err(too_long)?];
    expand(
        key,
        &[
            &out_len,
            &label_len,
            TLS13_LABEL_PREFIX,
            label,
            &context_len,
            context,
        ],
        out,
    )
}

/// HKDF-Expand-Label with an output of the hash's own length.
///
/// # Errors
/// As [`expand_label`].
pub fn derive(key: &HmacKey, label: &[u8], context: &[u8]) -> Result<Digest, CryptoError> {
    let mut bytes = [0; MAX_HASH_LEN];
    let out = &mut bytes[..key.hash().output_len()];
    expand_label(key, label, context, out)?;
    let digest = Digest::from_slice(out).ok_or(CryptoError::Misuse);
    bytes.zeroize();
    digest
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
    use super::testing::SHA256;
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
    fn too_much_output_is_an_error() {
        let key = SHA256.hmac_key(b"key");
        let mut out = [0; 255 * 32 + 1];
        assert_eq!(expand(&key, &[], &mut out), Err(CryptoError::Misuse));
        assert_eq!(expand(&key, &[], &mut out[..255 * 32]), Ok(()));
    }
}
