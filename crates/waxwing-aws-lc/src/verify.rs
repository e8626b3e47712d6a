//! Checking signatures.

use aws_lc_rs::digest;
use aws_lc_rs::signature as lib;
use aws_lc_rs::signature::VerificationAlgorithm;
use waxwing_crypto::{
    CryptoError, SignatureAlgorithm, SignatureScheme, SubjectPublicKeyInfo, VerifySignature,
};

/// Everything that can be checked, in handshakes and certificates, in order of preference.
///
/// In TLS 1.3 an ECDSA code point means one curve with one hash; the other pairs occur in
/// certificates and in TLS 1.2. A key of algorithm id-RSASSA-PSS comes without parameters or with those
/// of one hash (RFC 4055, Section 3.1), hence two entries for each.
pub static SIGNATURES: &[SignatureAlgorithm] = &[
    pair(
        Some(SignatureScheme::ECDSA_SECP256R1_SHA256),
        EC_P256,
        ECDSA_SHA256,
        &P256_SHA256,
    ),
    pair(
        Some(SignatureScheme::ED25519),
        ED25519_ID,
        ED25519_ID,
        &ED25519,
    ),
    pair(
        Some(SignatureScheme::ECDSA_SECP384R1_SHA384),
        EC_P384,
        ECDSA_SHA384,
        &P384_SHA384,
    ),
    pair(
        Some(SignatureScheme::ECDSA_SECP521R1_SHA512),
        EC_P521,
        ECDSA_SHA512,
        &P521_SHA512,
    ),
    pair(
        Some(SignatureScheme::RSA_PSS_RSAE_SHA256),
        RSA,
        PSS_SHA256_ID,
        &PSS_SHA256,
    ),
    pair(
        Some(SignatureScheme::RSA_PSS_RSAE_SHA384),
        RSA,
        PSS_SHA384_ID,
        &PSS_SHA384,
    ),
    pair(
        Some(SignatureScheme::RSA_PSS_RSAE_SHA512),
        RSA,
        PSS_SHA512_ID,
        &PSS_SHA512,
    ),
    pair(
        Some(SignatureScheme::RSA_PSS_PSS_SHA256),
        PSS,
        PSS_SHA256_ID,
        &PSS_SHA256,
    ),
    pair(
        Some(SignatureScheme::RSA_PSS_PSS_SHA384),
        PSS,
        PSS_SHA384_ID,
        &PSS_SHA384,
    ),
    pair(
        Some(SignatureScheme::RSA_PSS_PSS_SHA512),
        PSS,
        PSS_SHA512_ID,
        &PSS_SHA512,
    ),
    pair(
        Some(SignatureScheme::RSA_PSS_PSS_SHA256),
        PSS_SHA256_ID,
        PSS_SHA256_ID,
        &PSS_SHA256,
    ),
    pair(
        Some(SignatureScheme::RSA_PSS_PSS_SHA384),
        PSS_SHA384_ID,
        PSS_SHA384_ID,
        &PSS_SHA384,
    ),
    pair(
        Some(SignatureScheme::RSA_PSS_PSS_SHA512),
        PSS_SHA512_ID,
        PSS_SHA512_ID,
        &PSS_SHA512,
    ),
    pair(
        Some(SignatureScheme::MLDSA44),
        MLDSA44_ID,
        MLDSA44_ID,
        &MLDSA44,
    ),
    pair(
        Some(SignatureScheme::MLDSA65),
        MLDSA65_ID,
        MLDSA65_ID,
        &MLDSA65,
    ),
    pair(
        Some(SignatureScheme::MLDSA87),
        MLDSA87_ID,
        MLDSA87_ID,
        &MLDSA87,
    ),
    pair(
        Some(SignatureScheme::RSA_PKCS1_SHA256),
        RSA,
        PKCS1_SHA256_ID,
        &PKCS1_SHA256,
    ),
    pair(
        Some(SignatureScheme::RSA_PKCS1_SHA384),
        RSA,
        PKCS1_SHA384_ID,
        &PKCS1_SHA384,
    ),
    pair(
        Some(SignatureScheme::RSA_PKCS1_SHA512),
        RSA,
        PKCS1_SHA512_ID,
        &PKCS1_SHA512,
    ),
    pair(None, EC_P256, ECDSA_SHA384, &P256_SHA384),
    pair(None, EC_P256, ECDSA_SHA512, &P256_SHA512),
    pair(None, EC_P384, ECDSA_SHA256, &P384_SHA256),
    pair(None, EC_P384, ECDSA_SHA512, &P384_SHA512),
    pair(None, EC_P521, ECDSA_SHA256, &P521_SHA256),
    pair(None, EC_P521, ECDSA_SHA384, &P521_SHA384),
];

const fn pair(
    scheme: Option<SignatureScheme>,
    key_algorithm: &'static [u8],
    signature_algorithm: &'static [u8],
    verifier: &'static dyn VerifySignature,
) -> SignatureAlgorithm {
    SignatureAlgorithm {
        scheme,
        key_algorithm,
        signature_algorithm,
        verifier,
    }
}

/// The shapes of a `subjectPublicKey`. AWS-LC would also take a whole SubjectPublicKeyInfo, and
/// points that are not in the uncompressed form.
enum KeyShape {
    /// An uncompressed point of this many bytes (RFC 5480, Section 2.2).
    Point(usize),
    /// This many bytes (RFC 8410, Section 4; RFC 9881, Section 4).
    Raw(usize),
    /// `RSAPublicKey` (RFC 8017, Appendix A.1.1).
    Rsa,
}

impl KeyShape {
    fn admits(&self, public_key: &[u8]) -> bool {
        match self {
            Self::Point(len) => public_key.len() == *len && public_key.first() == Some(&4),
            Self::Raw(len) => public_key.len() == *len,
            Self::Rsa => SubjectPublicKeyInfo::parse(public_key).is_err(),
        }
    }
}

struct Verifier {
    algorithm: &'static dyn VerificationAlgorithm,
    /// The hash of what is signed. AWS-LC sets up less for a hash than for a message. `None` if
    /// the algorithm takes the message itself.
    hash: Option<&'static digest::Algorithm>,
    key: KeyShape,
}

impl Verifier {
    const fn new(algorithm: &'static dyn VerificationAlgorithm, key: KeyShape) -> Self {
        Self {
            algorithm,
            hash: None,
            key,
        }
    }

    const fn hashed(
        algorithm: &'static dyn VerificationAlgorithm,
        hash: &'static digest::Algorithm,
        key: KeyShape,
    ) -> Self {
        Self {
            algorithm,
            hash: Some(hash),
            key,
        }
    }
}

impl VerifySignature for Verifier {
    fn verify(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        if !self.key.admits(public_key) {
            return Err(CryptoError::Unauthentic);
        }
        let verified = match self.hash {
            Some(hash) => {
                let digest = digest::digest(hash, message);
                self.algorithm
                    .verify_digest_sig(public_key, &digest, signature)
            }
            None => self.algorithm.verify_sig(public_key, message, signature),
        };
        verified.map_err(|_| CryptoError::Unauthentic)
    }
}

const P256_POINT: KeyShape = KeyShape::Point(1 + 2 * 32);
const P384_POINT: KeyShape = KeyShape::Point(1 + 2 * 48);
const P521_POINT: KeyShape = KeyShape::Point(1 + 2 * 66);

static P256_SHA256: Verifier =
    Verifier::hashed(&lib::ECDSA_P256_SHA256_ASN1, &digest::SHA256, P256_POINT);
static P256_SHA384: Verifier =
    Verifier::hashed(&lib::ECDSA_P256_SHA384_ASN1, &digest::SHA384, P256_POINT);
static P256_SHA512: Verifier =
    Verifier::hashed(&lib::ECDSA_P256_SHA512_ASN1, &digest::SHA512, P256_POINT);
static P384_SHA256: Verifier =
    Verifier::hashed(&lib::ECDSA_P384_SHA256_ASN1, &digest::SHA256, P384_POINT);
static P384_SHA384: Verifier =
    Verifier::hashed(&lib::ECDSA_P384_SHA384_ASN1, &digest::SHA384, P384_POINT);
static P384_SHA512: Verifier =
    Verifier::hashed(&lib::ECDSA_P384_SHA512_ASN1, &digest::SHA512, P384_POINT);
static P521_SHA256: Verifier =
    Verifier::hashed(&lib::ECDSA_P521_SHA256_ASN1, &digest::SHA256, P521_POINT);
static P521_SHA384: Verifier =
    Verifier::hashed(&lib::ECDSA_P521_SHA384_ASN1, &digest::SHA384, P521_POINT);
static P521_SHA512: Verifier =
    Verifier::hashed(&lib::ECDSA_P521_SHA512_ASN1, &digest::SHA512, P521_POINT);
static ED25519: Verifier = Verifier::new(&lib::ED25519, KeyShape::Raw(32));
static PSS_SHA256: Verifier = Verifier::hashed(
    &lib::RSA_PSS_2048_8192_SHA256,
    &digest::SHA256,
    KeyShape::Rsa,
);
static PSS_SHA384: Verifier = Verifier::hashed(
    &lib::RSA_PSS_2048_8192_SHA384,
    &digest::SHA384,
    KeyShape::Rsa,
);
static PSS_SHA512: Verifier = Verifier::hashed(
    &lib::RSA_PSS_2048_8192_SHA512,
    &digest::SHA512,
    KeyShape::Rsa,
);
static PKCS1_SHA256: Verifier = Verifier::hashed(
    &lib::RSA_PKCS1_2048_8192_SHA256,
    &digest::SHA256,
    KeyShape::Rsa,
);
static PKCS1_SHA384: Verifier = Verifier::hashed(
    &lib::RSA_PKCS1_2048_8192_SHA384,
    &digest::SHA384,
    KeyShape::Rsa,
);
static PKCS1_SHA512: Verifier = Verifier::hashed(
    &lib::RSA_PKCS1_2048_8192_SHA512,
    &digest::SHA512,
    KeyShape::Rsa,
);
static MLDSA44: Verifier = Verifier::new(&lib::ML_DSA_44, KeyShape::Raw(1312));
static MLDSA65: Verifier = Verifier::new(&lib::ML_DSA_65, KeyShape::Raw(1952));
static MLDSA87: Verifier = Verifier::new(&lib::ML_DSA_87, KeyShape::Raw(2592));

// The contents of AlgorithmIdentifiers: an object identifier, then parameters.

/// id-ecPublicKey, secp256r1 (RFC 5480, Section 2.1.1).
const EC_P256: &[u8] =
    b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// id-ecPublicKey, secp384r1.
const EC_P384: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
/// id-ecPublicKey, secp521r1.
const EC_P521: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23";
/// ecdsa-with-SHA256, no parameters (RFC 5758, Section 3.2).
const ECDSA_SHA256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
/// ecdsa-with-SHA384.
const ECDSA_SHA384: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";
/// ecdsa-with-SHA512.
const ECDSA_SHA512: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04";
/// id-Ed25519, for key and signature alike (RFC 8410, Section 3).
const ED25519_ID: &[u8] = b"\x06\x03\x2b\x65\x70";
/// rsaEncryption, NULL (RFC 8017, Appendix A.1).
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/// sha256WithRSAEncryption, NULL (RFC 8017, Appendix A.2.4).
const PKCS1_SHA256_ID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
/// sha384WithRSAEncryption, NULL.
const PKCS1_SHA384_ID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00";
/// sha512WithRSAEncryption, NULL.
const PKCS1_SHA512_ID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00";
/// id-RSASSA-PSS without parameters: a key for any hash (RFC 4055, Section 3.1).
const PSS: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
/// id-RSASSA-PSS with one hash throughout and a salt of its length (RFC 4055, Section 3.1).
const PSS_SHA256_ID: &[u8] = &pss_parameters(1, 32);
const PSS_SHA384_ID: &[u8] = &pss_parameters(2, 48);
const PSS_SHA512_ID: &[u8] = &pss_parameters(3, 64);
/// id-ml-dsa-44, for key and signature alike (RFC 9881, Section 2).
const MLDSA44_ID: &[u8] = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11";
/// id-ml-dsa-65.
const MLDSA65_ID: &[u8] = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12";
/// id-ml-dsa-87.
const MLDSA87_ID: &[u8] = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13";

/// `hash` is the last arc of the hash's identifier: 1 for SHA-256, 2 for -384, 3 for -512.
const fn pss_parameters(hash: u8, salt_len: u8) -> [u8; 65] {
    let mut id = *b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\
        \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x00\x05\x00\
        \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
        \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x00\x05\x00\
        \xa2\x03\x02\x01\x00";
    id[27] = hash;
    id[57] = hash;
    id[64] = salt_len;
    id
}
