//! Compressing and decompressing certificates.

use proptest::prelude::*;
use waxwing::CertDecompressor;
use waxwing::compression::{COMPRESSORS, DECOMPRESSORS};
use waxwing::limits::MAX_HANDSHAKE_MESSAGE;
use waxwing::pki::KeyType;
use waxwing_testkit::pki;

/// Something like the body of a Certificate message, of this length.
fn body(len: usize) -> Vec<u8> {
    let chain = pki::certified_key(KeyType::P256).chain().concat();
    chain.into_iter().cycle().take(len).collect()
}

fn decompress(known: &dyn CertDecompressor, compressed: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; len];
    known.decompress(compressed, &mut out).ok().map(|()| out)
}

/// Each way there is, with what it makes of `input`.
fn all(input: &[u8]) -> impl Iterator<Item = (&'static dyn CertDecompressor, Vec<u8>)> {
    assert_eq!(COMPRESSORS.len(), 3);
    let pairs = DECOMPRESSORS.iter().zip(COMPRESSORS);
    pairs.map(move |(decompressor, compressor)| {
        assert_eq!(decompressor.algorithm(), compressor.algorithm());
        (*decompressor, compressor.compress(input).unwrap())
    })
}

#[test]
fn what_is_compressed_comes_back() {
    for len in [1, 2, 100, 1024, 4096, 20_000, MAX_HANDSHAKE_MESSAGE] {
        let body = body(len);
        for (known, compressed) in all(&body) {
            let name = known.algorithm();
            let back = decompress(known, &compressed, len);
            assert!(back.as_ref() == Some(&body), "{name}: {len}");
            assert!(len < 1024 || compressed.len() < len, "{name}: {len}");
        }
    }
}

#[test]
fn only_the_whole_and_nothing_but_the_whole() {
    let body = body(1000);
    for (known, compressed) in all(&body) {
        let name = known.algorithm();
        for len in [0, 1, 999, 1001, 2000, MAX_HANDSHAKE_MESSAGE] {
            assert_eq!(decompress(known, &compressed, len), None, "{name}: {len}");
        }
        for cut in 0..compressed.len() {
            let part = &compressed[..cut];
            assert_eq!(decompress(known, part, 1000), None, "{name}: cut at {cut}");
        }
        let more = [&compressed[..], &[0]].concat();
        assert_eq!(decompress(known, &more, 1000), None, "{name}");
        let twice = [&compressed[..], &compressed[..]].concat();
        assert_eq!(decompress(known, &twice, 2000), None, "{name}");
    }
}

proptest! {
    #[test]
    fn changed_bytes_do_not_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        len in 0..3000_usize,
    ) {
        for (known, mut compressed) in all(&body(1000)) {
            for (place, byte) in &changes {
                let place = place.index(compressed.len());
                compressed[place] = *byte;
            }
            decompress(known, &compressed, 1000);
            decompress(known, &compressed, len);
        }
    }

    #[test]
    fn any_bytes_do_not_panic(bytes: Vec<u8>, len in 0..3000_usize) {
        for known in DECOMPRESSORS {
            decompress(*known, &bytes, len);
            // Beyond the magic number of Zstandard.
            decompress(*known, &[&[0x28, 0xb5, 0x2f, 0xfd], &bytes[..]].concat(), len);
        }
    }
}
