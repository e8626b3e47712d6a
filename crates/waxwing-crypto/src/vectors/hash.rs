//! FIPS 180-4 (NIST's examples for SHA-256 and SHA-384), RFC 4231 and RFC 5869. The latter has
//! no answers for SHA-384; those here are OpenSSL's for the same inputs.

use alloc::vec;

use super::{Failure, Subject, hex};
use crate::{CryptoError, Hash, HashId, kdf};

/// Answers for [`MESSAGES`], then for a million times `a`.
type DigestAnswers<const N: usize> = [[u8; N]; 5];

const MESSAGES: [&[u8]; 4] = [
    b"",
    b"abc",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn\
      hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
];

/// Key and data of the test cases 1, 2, 3, 4, 6 and 7 of RFC 4231; case 5 truncates.
const HMAC_CASES: [(&[u8], &[u8]); 6] = [
    (&[0x0b; 20], b"Hi There"),
    (b"Jefe", b"what do ya want for nothing?"),
    (&[0xaa; 20], &[0xdd; 50]),
    (&counting::<25>(1), &[0xcd; 50]),
    (
        &[0xaa; 131],
        b"Test Using Larger Than Block-Size Key - Hash Key First",
    ),
    (
        &[0xaa; 131],
        b"This is a test using a larger than block-size key and a larger than block-size data. \
          The key needs to be hashed before being used by the HMAC algorithm.",
    ),
];

/// Input key material, salt, info of RFC 5869, Appendix A.1 to A.3.
const HKDF_CASES: [(&[u8], &[u8], &[u8]); 3] = [
    (&[0x0b; 22], &counting::<13>(0), &counting::<10>(0xf0)),
    (
        &counting::<80>(0),
        &counting::<80>(0x60),
        &counting::<80>(0xb0),
    ),
    (&[0x0b; 22], b"", b""),
];

/// `from`, `from + 1`, …
const fn counting<const N: usize>(from: u8) -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = from + i as u8;
        i += 1;
    }
    bytes
}

/// Answers for [`HKDF_CASES`]: pseudorandom key and output.
type HkdfAnswers<const N: usize> = ([[u8; N]; 3], [u8; 42], [u8; 82], [u8; 42]);

pub(super) fn check(hash: &'static Hash) -> Result<(), Failure> {
    match hash.id() {
        HashId::Sha256 => check_with(hash, &SHA256_DIGESTS, &SHA256_HMACS, &SHA256_HKDF),
        HashId::Sha384 => check_with(hash, &SHA384_DIGESTS, &SHA384_HMACS, &SHA384_HKDF),
    }
}

fn check_with<const N: usize>(
    hash: &'static Hash,
    digests: &DigestAnswers<N>,
    hmacs: &[[u8; N]; 6],
    hkdf: &HkdfAnswers<N>,
) -> Result<(), Failure> {
    let subject = Subject(match hash.id() {
        HashId::Sha256 => &"SHA-256",
        HashId::Sha384 => &"SHA-384",
    });
    subject.must(hash.output_len() == N, "the output length")?;
    for (message, answer) in MESSAGES.iter().zip(digests) {
        let digest = hash.digest(&[message]);
        subject.must(
            digest.as_ref() == answer,
            "the digest of an example of FIPS 180-4",
        )?;
    }
    // Pieces that straddle the blocks and span several.
    let mut context = hash.start();
    for _ in 0..1_000 {
        context.update(&[b'a'; 333]);
        context.update(&[b'a'; 667]);
    }
    let million = context.finish();
    subject.must(
        million.as_ref() == digests[4],
        "the digest of a million letters",
    )?;
    for ((key, data), answer) in HMAC_CASES.iter().zip(hmacs) {
        let mac = hash.hmac_key(key).sign(&[data]);
        subject.must(mac.as_ref() == answer, "an HMAC of RFC 4231")?;
    }
    let outputs: [&[u8]; 3] = [&hkdf.1, &hkdf.2, &hkdf.3];
    for (((input, salt, info), prk), output) in HKDF_CASES.iter().zip(&hkdf.0).zip(outputs) {
        let extracted = kdf::extract(hash, salt, input);
        subject.must(extracted.as_ref() == prk, "an extracted key of RFC 5869")?;
        let key = hash.hmac_key(extracted.as_ref());
        let mut expanded = vec![0; output.len()];
        subject.succeeds(kdf::expand(&key, &[info], &mut expanded))?;
        subject.must(expanded == output, "an expanded key of RFC 5869")?;
    }
    let key = hash.hmac_key(b"key");
    let mut too_much = vec![0; 255 * N + 1];
    subject.must(
        kdf::expand(&key, &[], &mut too_much) == Err(CryptoError::Misuse),
        "expanding to more than 255 blocks is misuse",
    )
}

const SHA256_DIGESTS: DigestAnswers<32> = [
    hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    hex("cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"),
    hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
];

const SHA256_HMACS: [[u8; 32]; 6] = [
    hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    hex("773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    hex("82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    hex("9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
];

const SHA256_HKDF: HkdfAnswers<32> = (
    [
        hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"),
        hex("06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244"),
        hex("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04"),
    ],
    hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    hex(
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
         59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
         cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
);

const SHA384_DIGESTS: DigestAnswers<48> = [
    hex(
        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da\
         274edebfe76f65fbd51ad2f14898b95b",
    ),
    hex(
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
         8086072ba1e7cc2358baeca134c825a7",
    ),
    hex(
        "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05abfe8f450de5f36bc6\
         b0455a8520bc4e6f5fe95b1fe3c8452b",
    ),
    hex(
        "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712\
         fcc7c71a557e2db966c3e9fa91746039",
    ),
    hex(
        "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b\
         07b8b3dc38ecc4ebae97ddd87f3d8985",
    ),
];

const SHA384_HMACS: [[u8; 48]; 6] = [
    hex(
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c\
         faea9ea9076ede7f4af152e8b2fa9cb6",
    ),
    hex(
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
         8e2240ca5e69e2c78b3239ecfab21649",
    ),
    hex(
        "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b\
         2a5ab39dc13814b94e3ab6e101a34f27",
    ),
    hex(
        "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e\
         6801dd23c4a7d679ccf8a386c674cffb",
    ),
    hex(
        "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6\
         0c2ef6ab4030fe8296248df163f44952",
    ),
    hex(
        "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5\
         a678cc31e799176d3860e6110c46523e",
    ),
];

const SHA384_HKDF: HkdfAnswers<48> = (
    [
        hex(
            "704b39990779ce1dc548052c7dc39f303570dd13fb39f7acc564680bef80e8de\
             c70ee9a7e1f3e293ef68eceb072a5ade",
        ),
        hex(
            "b319f6831dff9314efb643baa29263b30e4a8d779fe31e9c901efd7de737c85b\
             62e676d4dc87b0895c6a7dc97b52cebb",
        ),
        hex(
            "10e40cf072a4c5626e43dd22c1cf727d4bb140975c9ad0cbc8e45b40068f8f0b\
             a57cdb598af9dfa6963a96899af047e5",
        ),
    ],
    hex("9b5097a86038b805309076a44b3a9f38063e25b516dcbf369f394cfab43685f748b6457763e4f0204fc5"),
    hex(
        "484ca052b8cc724fd1c4ec64d57b4e818c7e25a8e0f4569ed72a6a05fe0649ee\
         bf69f8d5c832856bf4e4fbc17967d54975324a94987f7f41835817d8994fdbd6\
         f4c09c5500dca24a56222fea53d8967a8b2e",
    ),
    hex("c8c96e710f89b0d7990bca68bcdec8cf854062e54c73a7abc743fade9b242daacc1cea5670415b52849c"),
);
