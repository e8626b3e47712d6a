//! Compressed certificates that claim to be enormous: what a decompressor takes is bounded by
//! the length that it is asked for, whatever the bytes say.

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};

use waxwing::CertDecompressor;
use waxwing::compression::{Brotli, COMPRESSORS, DECOMPRESSORS, Zstd};
use waxwing::limits::MAX_HANDSHAKE_MESSAGE;

/// Bytes of heap that any decompressor may hold at a time, beside its input and its output.
const MOST: isize = 512 * 1024;
const MEBIBYTE: usize = 1024 * 1024;

/// The system's allocator, which knows for each thread what it holds and the most it held.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came; counting takes no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.set(LIVE.get() + layout.size() as isize);
        PEAK.set(PEAK.get().max(LIVE.get()));
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as isize);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most heap that decompressing takes, into `out`.
fn peak(known: &dyn CertDecompressor, compressed: &[u8], out: &mut [u8]) -> (bool, isize) {
    let before = LIVE.get();
    PEAK.set(before);
    let result = known.decompress(compressed, out);
    (result.is_ok(), PEAK.get() - before)
}

fn assert_refused_cheaply(known: &dyn CertDecompressor, bomb: &[u8]) {
    assert!(bomb.len() <= MAX_HANDSHAKE_MESSAGE);
    for len in [1, 1000, MAX_HANDSHAKE_MESSAGE] {
        let (accepted, peak) = peak(known, bomb, &mut vec![0; len]);
        assert!(!accepted);
        assert!(peak < MOST, "{} of {len}: {peak}", known.algorithm());
    }
}

#[test]
fn honest_messages_need_little() {
    let body: Vec<u8> = (0..MAX_HANDSHAKE_MESSAGE).map(|i| (i / 7) as u8).collect();
    for (known, compressor) in DECOMPRESSORS.iter().zip(COMPRESSORS) {
        let compressed = compressor.compress(&body).unwrap();
        let mut out = vec![0; body.len()];
        let (accepted, peak) = peak(*known, &compressed, &mut out);
        assert!(accepted && out == body);
        assert!(peak < MOST, "{}: {peak}", known.algorithm());
    }
}

#[test]
fn megabytes_of_zeros_are_not_unpacked() {
    let zeros = vec![0; 4 * MEBIBYTE];
    for (known, compressor) in DECOMPRESSORS.iter().zip(COMPRESSORS) {
        let bomb = compressor.compress(&zeros).unwrap();
        assert_refused_cheaply(*known, &bomb);
    }
}

#[test]
fn a_zstandard_frame_cannot_have_a_window_of_its_wish() {
    const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    // A block of 128 KiB that repeats one byte, 512 times, and then the last one.
    let block = |last: u8| [0x02 | last, 0, 0x10, 7];
    let blocks = [block(0).repeat(512), block(1).to_vec()].concat();
    for window in [0x38, 0x80, 0xff] {
        let bomb = [&FRAME[..], &[0, window], &blocks].concat();
        assert_refused_cheaply(&Zstd, &bomb);
    }
    // One segment: the window is the content, and that is said to be 2^62 bytes.
    let single = [&FRAME[..], &[0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40], &blocks].concat();
    assert_refused_cheaply(&Zstd, &single);
}

#[test]
fn a_brotli_block_cannot_have_a_length_of_its_wish() {
    // RFC 7932, Sections 9.1 and 9.2, each bit string with the first bit last: a window of
    // 16 MiB; the last block, not empty, its length of 6 nibbles: 16 MiB; one type of each kind
    // of block, no postfix bits, no direct distances, literals of one mode in one tree, and one
    // tree of distances; codes that have one symbol each, of 8, 10 and 6 bits. The symbol of
    // the commands stands for 22594 literals and more.
    let fields = [
        ("1111", 1),
        ("1", 1),
        ("0", 1),
        ("10", 1),
        ("1", 24),
        ("0", 13),
        ("0001", 1),
        ("0", 8),
        ("0001", 1),
        ("1000110111", 1),
        ("0001", 1),
        ("0", 6),
        ("0", 1000),
    ];
    let bits: Vec<bool> = fields
        .iter()
        .flat_map(|(text, times)| {
            let bits: Vec<bool> = text.bytes().rev().map(|bit| bit == b'1').collect();
            bits.repeat(*times)
        })
        .collect();
    let bomb: Vec<u8> = bits
        .chunks(8)
        .map(|bits| {
            bits.iter()
                .rev()
                .fold(0, |byte, bit| byte << 1 | u8::from(*bit))
        })
        .collect();
    assert_refused_cheaply(&Brotli, &bomb);
}
