//! AES-GCM: test cases 4 and 16 of McGrew and Viega's specification of GCM, which NIST's
//! examples for SP 800-38D repeat. ChaCha20-Poly1305: RFC 8439, Section 2.8.2.

use alloc::vec;
use alloc::vec::Vec;

use super::{Failure, Subject, hex};
use crate::{Aead, AeadKey, CipherSuite, CryptoError, IV_LEN};

struct KnownAnswer {
    key: &'static [u8],
    iv: [u8; IV_LEN],
    aad: &'static [u8],
    plain: &'static [u8],
    /// Ciphertext, then tag.
    sealed: &'static [u8],
}

/// Bytes of the tag of every suite here.
const TAG_LEN: usize = 16;

pub(super) fn check(suite: CipherSuite, aead: &dyn Aead) -> Result<(), Failure> {
    let subject = Subject(&suite);
    let known = subject.some(known_answer(suite), "there is a known answer for it")?;
    subject.must(aead.key_len() == known.key.len(), "the key length")?;
    subject.must(aead.tag_len() == TAG_LEN, "the tag length")?;
    let (shorter, longer) = (&known.key[1..], [known.key, &[0]].concat());
    for wrong in [&[][..], shorter, &longer] {
        subject.must(
            aead.new_key(wrong).err() == Some(CryptoError::Misuse),
            "a key of another length is misuse",
        )?;
    }
    let key = subject.succeeds(aead.new_key(known.key))?;
    check_seal(subject, &*key, known)?;
    check_seal_agrees(subject, &*key)?;
    check_seal_lengths(subject, &*key, known)?;
    check_open(subject, &*key, known)?;
    check_tampering(subject, &*key, known)
}

fn check_seal(subject: Subject<'_>, key: &dyn AeadKey, known: &KnownAnswer) -> Result<(), Failure> {
    let mut buf = [known.plain, &[0xa5; TAG_LEN]].concat();
    subject.succeeds(key.seal_in_place(&known.iv, known.aad, &mut buf))?;
    subject.must(buf == known.sealed, "seal_in_place gives the known answer")?;
    for cut in 0..=known.plain.len() {
        let (plain, tail) = known.plain.split_at(cut);
        // What `out` held before must not matter.
        let mut out = vec![0xa5; known.sealed.len()];
        subject.succeeds(key.seal(&known.iv, known.aad, plain, tail, &mut out))?;
        subject.must(out == known.sealed, "seal gives the known answer")?;
    }
    Ok(())
}

/// The two ways of sealing agree at lengths around the block sizes and at those of records.
fn check_seal_agrees(subject: Subject<'_>, key: &dyn AeadKey) -> Result<(), Failure> {
    const AAD: &[u8] = &[0x17, 3, 3, 0x40, 0x11];
    let record: Vec<u8> = (0..16_384u32).map(|i| (i * 7) as u8).collect();
    let lengths = (0..=130).chain([255, 256, 1_023, 1_369, 16_383, 16_384]);
    for len in lengths {
        for tail_len in [0, 1, 15, 16, 17, 64, 255] {
            let plain = &record[..len];
            let tail = &record[..tail_len];
            let iv = [len as u8; IV_LEN];
            let mut out = vec![0xa5; len + tail_len + TAG_LEN];
            subject.succeeds(key.seal(&iv, AAD, plain, tail, &mut out))?;
            let mut buf = [plain, tail, &[0; TAG_LEN]].concat();
            subject.succeeds(key.seal_in_place(&iv, AAD, &mut buf))?;
            subject.must(out == buf, "seal and seal_in_place agree")?;
            let opened = subject.succeeds(key.open_in_place(&iv, AAD, &mut buf))?;
            subject.must(
                opened == len + tail_len,
                "opening tells the plaintext's length",
            )?;
            let (start, end) = buf[..opened].split_at(len);
            subject.must(start == plain && end == tail, "opening undoes sealing")?;
        }
    }
    Ok(())
}

fn check_seal_lengths(
    subject: Subject<'_>,
    key: &dyn AeadKey,
    known: &KnownAnswer,
) -> Result<(), Failure> {
    let exact = known.sealed.len();
    for len in [0, known.plain.len(), exact - 1, exact + 1] {
        let mut out = vec![0; len];
        subject.must(
            key.seal(&known.iv, known.aad, known.plain, &[], &mut out) == Err(CryptoError::Misuse),
            "sealing into a buffer of another length is misuse",
        )?;
    }
    for len in 0..TAG_LEN {
        subject.must(
            key.seal_in_place(&known.iv, known.aad, &mut [0; TAG_LEN][..len])
                == Err(CryptoError::Misuse),
            "sealing a buffer shorter than a tag in place is misuse",
        )?;
    }
    Ok(())
}

fn check_open(subject: Subject<'_>, key: &dyn AeadKey, known: &KnownAnswer) -> Result<(), Failure> {
    let mut buf = known.sealed.to_vec();
    let opened = key.open_in_place(&known.iv, known.aad, &mut buf);
    subject.must(opened == Ok(known.plain.len()), "the known answer opens")?;
    subject.must(
        buf.starts_with(known.plain),
        "the known answer opens to its plaintext",
    )
}

fn check_tampering(
    subject: Subject<'_>,
    key: &dyn AeadKey,
    known: &KnownAnswer,
) -> Result<(), Failure> {
    for len in 0..known.sealed.len() {
        refused(
            subject,
            key,
            known,
            &known.iv,
            known.aad,
            &known.sealed[..len],
        )?;
    }
    let longer = [known.sealed, &[0]].concat();
    refused(subject, key, known, &known.iv, known.aad, &longer)?;
    for (at, mask) in flips(known.sealed.len()) {
        let mut sealed = known.sealed.to_vec();
        sealed[at] ^= mask;
        refused(subject, key, known, &known.iv, known.aad, &sealed)?;
    }
    for (at, mask) in flips(known.aad.len()) {
        let mut aad = known.aad.to_vec();
        aad[at] ^= mask;
        refused(subject, key, known, &known.iv, &aad, known.sealed)?;
    }
    refused(
        subject,
        key,
        known,
        &known.iv,
        &known.aad[1..],
        known.sealed,
    )?;
    for (at, mask) in flips(IV_LEN) {
        let mut iv = known.iv;
        iv[at] ^= mask;
        refused(subject, key, known, &iv, known.aad, known.sealed)?;
    }
    Ok(())
}

/// The lowest and the highest bit of each byte.
fn flips(len: usize) -> impl Iterator<Item = (usize, u8)> {
    (0..len).flat_map(|at| [(at, 0x01), (at, 0x80)])
}

fn refused(
    subject: Subject<'_>,
    key: &dyn AeadKey,
    known: &KnownAnswer,
    iv: &[u8; IV_LEN],
    aad: &[u8],
    sealed: &[u8],
) -> Result<(), Failure> {
    let mut buf = sealed.to_vec();
    subject.must(
        key.open_in_place(iv, aad, &mut buf) == Err(CryptoError::Unauthentic),
        "a change anywhere is noticed",
    )?;
    // One flipped bit of ciphertext would spoil one byte of plaintext and leave the others.
    let leaks = buf
        .chunks_exact(TAG_LEN)
        .zip(known.plain.chunks_exact(TAG_LEN))
        .any(|(left, plain)| left == plain);
    subject.must(!leaks, "no plaintext is left after a failure")
}

fn known_answer(suite: CipherSuite) -> Option<&'static KnownAnswer> {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256
        | CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256
        | CipherSuite::TLS12_ECDHE_RSA_AES_128_GCM_SHA256 => Some(&AES_128_GCM),
        CipherSuite::TLS13_AES_256_GCM_SHA384
        | CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384
        | CipherSuite::TLS12_ECDHE_RSA_AES_256_GCM_SHA384 => Some(&AES_256_GCM),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256 => Some(&CHACHA20_POLY1305),
        _ => None,
    }
}

const GCM_IV: [u8; IV_LEN] = hex("cafebabefacedbaddecaf888");
const GCM_AAD: [u8; 20] = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
const GCM_PLAIN: [u8; 60] = hex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
     1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
);

static AES_128_GCM: KnownAnswer = KnownAnswer {
    key: &hex::<16>("feffe9928665731c6d6a8f9467308308"),
    iv: GCM_IV,
    aad: &GCM_AAD,
    plain: &GCM_PLAIN,
    sealed: &hex::<76>(
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
         21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091\
         5bc94fbc3221a5db94fae95ae7121a47",
    ),
};

static AES_256_GCM: KnownAnswer = KnownAnswer {
    key: &hex::<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
    iv: GCM_IV,
    aad: &GCM_AAD,
    plain: &GCM_PLAIN,
    sealed: &hex::<76>(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
         76fc6ece0f4e1768cddf8853bb2d551b",
    ),
};

static CHACHA20_POLY1305: KnownAnswer = KnownAnswer {
    key: &hex::<32>("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
    iv: hex("070000004041424344454647"),
    aad: &hex::<12>("50515253c0c1c2c3c4c5c6c7"),
    plain: b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
             the future, sunscreen would be it.",
    sealed: &hex::<130>(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6\
         3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36\
         92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc\
         3ff4def08e4b7a9de576d26586cec64b6116\
         1ae10b594f09e26a7e902ecbd0600691",
    ),
};
