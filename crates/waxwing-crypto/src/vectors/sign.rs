//! Signatures. The keys of the known answers are those of RFC 6979, Appendix A.2.5 to A.2.7
//! (ECDSA), RFC 8032, Section 7.1, test 3 (Ed25519), the seed 0, 1, …, 31 (ML-DSA) and fresh
//! ones (RSA). The signatures are over `sample`: those of RFC 6979 for ECDSA, OpenSSL 4.0's
//! otherwise.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Failure, Subject, hex};
use crate::{
    Authentication12, CryptoError, CryptoProvider, KeyEncoding, SignatureAlgorithm,
    SignatureScheme, Signing, SigningKey, SubjectPublicKeyInfo, verify_with_spki,
    verify_with_spki12,
};

const MESSAGE: &[u8] = b"sample";

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/", $name))
    };
}

/// For one verifier to check.
struct KnownSignature {
    key: &'static TestKey,
    /// Content of the signature's AlgorithmIdentifier.
    algorithm: &'static [u8],
    signature: &'static [u8],
}

/// A private key that a provider may be able to load.
struct TestKey {
    spki: &'static [u8],
    encodings: &'static [(KeyEncoding, &'static [u8])],
    /// What it must be able to sign with, if the provider can check it.
    schemes: &'static [SignatureScheme],
}

pub(super) fn check_verifiers(provider: &CryptoProvider) -> Result<(), Failure> {
    for algorithm in provider.signatures {
        check_verifier(algorithm)?;
    }
    Ok(())
}

/// Who offers ECDSA to a TLS 1.2 server has to take it on each curve (RFC 9846, Section 4.3.3).
pub(super) fn check_curves12(provider: &CryptoProvider) -> Result<(), Failure> {
    if provider.suites12.is_empty() {
        return Ok(());
    }
    let schemes: Vec<SignatureScheme> = provider.handshake_schemes12().collect();
    for scheme in schemes.iter().filter(|scheme| scheme.is_ecdsa()) {
        let subject = Subject(scheme);
        let same_hash = |algorithm: &SignatureAlgorithm, known: &KnownSignature| {
            algorithm.scheme == Some(*scheme) && algorithm.signature_algorithm == known.algorithm
        };
        let known = KNOWN.iter().filter(|known| {
            known.key.schemes.iter().any(|own| schemes.contains(own))
                && provider.signatures.iter().any(|a| same_hash(a, known))
        });
        for known in known {
            let spki = known.key.spki;
            subject.must(
                verify_with_spki12(provider, *scheme, spki, MESSAGE, known.signature) == Ok(()),
                "in TLS 1.2 it serves every curve",
            )?;
        }
    }
    Ok(())
}

fn check_verifier(algorithm: &SignatureAlgorithm) -> Result<(), Failure> {
    let subject = Subject(&algorithm.scheme.map_or("ECDSA in certificates", |scheme| {
        scheme.name().unwrap_or("a signature scheme")
    }));
    let known = KNOWN.iter().find(|known| known.is_for(algorithm));
    let known = subject.some(known, "there is a known answer for it")?;
    let key = subject
        .succeeds(SubjectPublicKeyInfo::parse(known.key.spki))?
        .public_key;
    let verifier = algorithm.verifier;
    subject.must(
        verifier.verify(key, MESSAGE, known.signature) == Ok(()),
        "the known signature is valid",
    )?;
    let refuses = |key: &[u8], message: &[u8], signature: &[u8]| {
        subject.must(
            verifier.verify(key, message, signature) == Err(CryptoError::Unauthentic),
            "a change anywhere is noticed",
        )
    };
    for message in [&b""[..], b"Sample", b"sampl", b"sample\0"] {
        refuses(key, message, known.signature)?;
    }
    for wrong in altered(known.signature) {
        refuses(key, MESSAGE, &wrong)?;
    }
    for wrong in altered(key) {
        refuses(&wrong, MESSAGE, known.signature)?;
    }
    // `subjectPublicKey` is the key alone, though libraries like to guess.
    refuses(known.key.spki, MESSAGE, known.signature)
}

/// Other lengths, and flipped bits: in every byte of short values, in some of long ones.
fn altered(valid: &[u8]) -> Vec<Vec<u8>> {
    let shortened = |len: usize| valid[..len].to_vec();
    let mut values: Vec<Vec<u8>> = [0, 1, valid.len() / 2, valid.len() - 1]
        .map(shortened)
        .into();
    values.push([valid, &[0]].concat());
    values.push([valid, valid].concat());
    for at in (0..valid.len()).step_by(1 + valid.len() / 256) {
        let mut value = valid.to_vec();
        value[at] ^= 1 << (at % 8);
        values.push(value);
    }
    values
}

impl KnownSignature {
    fn is_for(&self, algorithm: &SignatureAlgorithm) -> bool {
        let key = SubjectPublicKeyInfo::parse(self.key.spki).map(|spki| spki.algorithm);
        // An RSA key makes the same signatures whether its certificate calls it id-RSASSA-PSS
        // or rsaEncryption.
        (key == Ok(algorithm.key_algorithm) || algorithm.key_algorithm.starts_with(PSS_ID))
            && algorithm.signature_algorithm == self.algorithm
    }
}

pub(super) fn check_keys(provider: &CryptoProvider) -> Result<(), Failure> {
    let schemes: Vec<SignatureScheme> = provider.signature_schemes().collect();
    for key in TEST_KEYS {
        if key.schemes.iter().any(|scheme| schemes.contains(scheme)) {
            check_key(provider, key)?;
        }
    }
    check_pkcs1(provider)?;
    check_refused_keys(provider)
}

fn check_key(provider: &CryptoProvider, key: &TestKey) -> Result<(), Failure> {
    let subject = Subject(&key.schemes[0]);
    for (encoding, der) in key.encodings {
        let signer = subject.succeeds(provider.keys.load(*encoding, der))?;
        subject.must(
            signer.public_key().is_none_or(|public| public == key.spki),
            "a private key knows its public key",
        )?;
        for scheme in key.schemes {
            let rule = "a private key serves the schemes of its kind";
            subject.must(signer.schemes().contains(scheme), rule)?;
        }
        for scheme in signer.schemes() {
            check_signer(provider, &signer, *scheme, key.spki)?;
        }
        let foreign = SignatureScheme(0xffff);
        subject.must(
            signer.sign(foreign, MESSAGE).err() == Some(CryptoError::Misuse),
            "signing with another scheme is misuse",
        )?;
        check_truncated_key(subject, provider, *encoding, der)?;
    }
    Ok(())
}

fn check_signer(
    provider: &CryptoProvider,
    signer: &Arc<dyn SigningKey>,
    scheme: SignatureScheme,
    spki: &[u8],
) -> Result<(), Failure> {
    let subject = Subject(&scheme);
    for message in [&b""[..], MESSAGE, &[0xa5; 1_000]] {
        let signing = subject.succeeds(signer.sign(scheme, message))?;
        let Signing::Done(signature) = signing else {
            return subject.must(false, "a key in memory answers at once");
        };
        let verify = |message: &[u8], signature: &[u8]| {
            verify_with_spki(provider, scheme, spki, message, signature)
        };
        subject.must(
            verify(message, &signature) == Ok(()),
            "one's own signature is valid",
        )?;
        subject.must(
            verify(b"another", &signature) == Err(CryptoError::Unauthentic),
            "the signature of another message is not valid",
        )?;
        let mut changed = signature;
        if let Some(last) = changed.last_mut() {
            *last ^= 1;
        }
        subject.must(
            verify(message, &changed) == Err(CryptoError::Unauthentic),
            "a changed signature is not valid",
        )?;
    }
    Ok(())
}

fn check_truncated_key(
    subject: Subject<'_>,
    provider: &CryptoProvider,
    encoding: KeyEncoding,
    der: &[u8],
) -> Result<(), Failure> {
    for len in (0..der.len()).step_by(1 + der.len() / 64) {
        subject.must(
            provider.keys.load(encoding, &der[..len]).err() == Some(CryptoError::InvalidKey),
            "a truncated private key is refused",
        )?;
    }
    Ok(())
}

/// For RSA suites of TLS 1.2 an RSA key has to sign as their clients know it. These signatures
/// hold nothing random, so there are known answers.
fn check_pkcs1(provider: &CryptoProvider) -> Result<(), Failure> {
    let mut suites = provider.suites12.iter();
    if !suites.any(|suite| suite.authentication == Authentication12::Rsa) {
        return Ok(());
    }
    for (scheme, algorithm) in [
        (SignatureScheme::RSA_PKCS1_SHA256, PKCS1_SHA256),
        (SignatureScheme::RSA_PKCS1_SHA384, PKCS1_SHA384),
        (SignatureScheme::RSA_PKCS1_SHA512, PKCS1_SHA512),
    ] {
        let subject = Subject(&scheme);
        let (encoding, der) = RSA_2048.encodings[0];
        let signer = subject.succeeds(provider.keys.load(encoding, der))?;
        let signing = subject.succeeds(signer.sign(scheme, MESSAGE))?;
        let known = KNOWN.iter().find(|known| known.algorithm == algorithm);
        subject.must(
            matches!((signing, known), (Signing::Done(made), Some(known)) if made == known.signature),
            "signing gives the known answer",
        )?;
    }
    Ok(())
}

fn check_refused_keys(provider: &CryptoProvider) -> Result<(), Failure> {
    let subject = Subject(&"key loader");
    let short: [(KeyEncoding, &[u8]); 2] = [
        (KeyEncoding::Pkcs8, data!("rsa1024.pk8.der")),
        (KeyEncoding::Pkcs1, data!("rsa1024.pkcs1.der")),
    ];
    for (encoding, der) in short {
        subject.must(
            provider.keys.load(encoding, der).err() == Some(CryptoError::InvalidKey),
            "an RSA key of 1024 bits is refused",
        )?;
    }
    for encoding in [KeyEncoding::Pkcs8, KeyEncoding::Pkcs1, KeyEncoding::Sec1] {
        subject.must(
            provider.keys.load(encoding, RSA_2048.spki).err() == Some(CryptoError::InvalidKey),
            "a public key is not taken for a private one",
        )?;
    }
    Ok(())
}

const TEST_KEYS: &[&TestKey] = &[
    &P256, &P384, &P521, &ED25519, &RSA_2048, &MLDSA44, &MLDSA65, &MLDSA87,
];

static P256: TestKey = TestKey {
    spki: data!("p256.spki.der"),
    encodings: &[
        (KeyEncoding::Pkcs8, data!("p256.pk8.der")),
        (KeyEncoding::Sec1, data!("p256.sec1.der")),
    ],
    schemes: &[SignatureScheme::ECDSA_SECP256R1_SHA256],
};

static P384: TestKey = TestKey {
    spki: data!("p384.spki.der"),
    encodings: &[
        (KeyEncoding::Pkcs8, data!("p384.pk8.der")),
        (KeyEncoding::Sec1, data!("p384.sec1.der")),
    ],
    schemes: &[SignatureScheme::ECDSA_SECP384R1_SHA384],
};

static P521: TestKey = TestKey {
    spki: data!("p521.spki.der"),
    encodings: &[
        (KeyEncoding::Pkcs8, data!("p521.pk8.der")),
        (KeyEncoding::Sec1, data!("p521.sec1.der")),
    ],
    schemes: &[SignatureScheme::ECDSA_SECP521R1_SHA512],
};

static ED25519: TestKey = TestKey {
    spki: data!("ed25519.spki.der"),
    encodings: &[(KeyEncoding::Pkcs8, data!("ed25519.pk8.der"))],
    schemes: &[SignatureScheme::ED25519],
};

static RSA_2048: TestKey = TestKey {
    spki: data!("rsa2048.spki.der"),
    encodings: &[
        (KeyEncoding::Pkcs8, data!("rsa2048.pk8.der")),
        (KeyEncoding::Pkcs1, data!("rsa2048.pkcs1.der")),
    ],
    schemes: &[
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA512,
    ],
};

static MLDSA44: TestKey = TestKey {
    spki: data!("mldsa44.spki.der"),
    encodings: &[(KeyEncoding::Pkcs8, data!("mldsa44.pk8.der"))],
    schemes: &[SignatureScheme::MLDSA44],
};

static MLDSA65: TestKey = TestKey {
    spki: data!("mldsa65.spki.der"),
    encodings: &[(KeyEncoding::Pkcs8, data!("mldsa65.pk8.der"))],
    schemes: &[SignatureScheme::MLDSA65],
};

static MLDSA87: TestKey = TestKey {
    spki: data!("mldsa87.spki.der"),
    encodings: &[(KeyEncoding::Pkcs8, data!("mldsa87.pk8.der"))],
    schemes: &[SignatureScheme::MLDSA87],
};

const KNOWN: &[KnownSignature] = &[
    known(&P256, ECDSA_SHA256, data!("p256-sha256.sig")),
    known(&P256, ECDSA_SHA384, data!("p256-sha384.sig")),
    known(&P256, ECDSA_SHA512, data!("p256-sha512.sig")),
    known(&P384, ECDSA_SHA256, data!("p384-sha256.sig")),
    known(&P384, ECDSA_SHA384, data!("p384-sha384.sig")),
    known(&P384, ECDSA_SHA512, data!("p384-sha512.sig")),
    known(&P521, ECDSA_SHA256, data!("p521-sha256.sig")),
    known(&P521, ECDSA_SHA384, data!("p521-sha384.sig")),
    known(&P521, ECDSA_SHA512, data!("p521-sha512.sig")),
    known(&ED25519, b"\x06\x03\x2b\x65\x70", data!("ed25519.sig")),
    known(&RSA_2048, PSS_SHA256, data!("rsa2048-pss-sha256.sig")),
    known(&RSA_2048, PSS_SHA384, data!("rsa2048-pss-sha384.sig")),
    known(&RSA_2048, PSS_SHA512, data!("rsa2048-pss-sha512.sig")),
    known(&RSA_2048, PKCS1_SHA256, data!("rsa2048-pkcs1-sha256.sig")),
    known(&RSA_2048, PKCS1_SHA384, data!("rsa2048-pkcs1-sha384.sig")),
    known(&RSA_2048, PKCS1_SHA512, data!("rsa2048-pkcs1-sha512.sig")),
    known(&MLDSA44, ML_DSA_44, data!("mldsa44.sig")),
    known(&MLDSA65, ML_DSA_65, data!("mldsa65.sig")),
    known(&MLDSA87, ML_DSA_87, data!("mldsa87.sig")),
];

const fn known(
    key: &'static TestKey,
    algorithm: &'static [u8],
    signature: &'static [u8],
) -> KnownSignature {
    KnownSignature {
        key,
        algorithm,
        signature,
    }
}

const ECDSA_SHA256: &[u8] = &hex::<10>("06082a8648ce3d040302");
const ECDSA_SHA384: &[u8] = &hex::<10>("06082a8648ce3d040303");
const ECDSA_SHA512: &[u8] = &hex::<10>("06082a8648ce3d040304");
const PKCS1_SHA256: &[u8] = &hex::<13>("06092a864886f70d01010b0500");
const PKCS1_SHA384: &[u8] = &hex::<13>("06092a864886f70d01010c0500");
const PKCS1_SHA512: &[u8] = &hex::<13>("06092a864886f70d01010d0500");
const PSS_ID: &[u8] = &hex::<11>("06092a864886f70d01010a");
const PSS_SHA256: &[u8] = &hex::<65>(
    "06092a864886f70d01010a3034a00f300d06096086480165030402010500a11c\
     301a06092a864886f70d010108300d06096086480165030402010500a203020120",
);
const PSS_SHA384: &[u8] = &hex::<65>(
    "06092a864886f70d01010a3034a00f300d06096086480165030402020500a11c\
     301a06092a864886f70d010108300d06096086480165030402020500a203020130",
);
const PSS_SHA512: &[u8] = &hex::<65>(
    "06092a864886f70d01010a3034a00f300d06096086480165030402030500a11c\
     301a06092a864886f70d010108300d06096086480165030402030500a203020140",
);
const ML_DSA_44: &[u8] = &hex::<11>("0609608648016503040311");
const ML_DSA_65: &[u8] = &hex::<11>("0609608648016503040312");
const ML_DSA_87: &[u8] = &hex::<11>("0609608648016503040313");
