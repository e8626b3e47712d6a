//! What the tests of messages share.

use alloc::vec::Vec;

use super::extensions::{self, ExtensionSet};
use super::registry::ExtensionType;
use crate::Error;
use crate::codec::Writer;
use crate::error::{DecodeError, Problem};

/// The client's and server's messages of RFC 8448, Section 3, without their headers.
pub(crate) const CLIENT_HELLO: &str = "
    03 03 cb 34 ec b1 e7 81 63 ba 1c 38 c6 da cb 19 6a 6d ff a2 1a 8d 99 12 ec 18 a2 ef 62 83
    02 4d ec e7 00 00 06 13 01 13 03 13 02 01 00 00 91 00 00 00 0b 00 09 00 00 06 73 65 72 76
    65 72 ff 01 00 01 00 00 0a 00 14 00 12 00 1d 00 17 00 18 00 19 01 00 01 01 01 02 01 03 01
    04 00 23 00 00 00 33 00 26 00 24 00 1d 00 20 99 38 1d e5 60 e4 bd 43 d2 3d 8e 43 5a 7d ba
    fe b3 c0 6e 51 c1 3c ae 4d 54 13 69 1e 52 9a af 2c 00 2b 00 03 02 03 04 00 0d 00 20 00 1e
    04 03 05 03 06 03 02 03 08 04 08 05 08 06 04 01 05 01 06 01 02 01 04 02 05 02 06 02 02 02
    00 2d 00 02 01 01 00 1c 00 02 40 01";
pub(crate) const SERVER_HELLO: &str = "
    03 03 a6 af 06 a4 12 18 60 dc 5e 6e 60 24 9c d3 4c 95 93 0c 8a c5 cb 14 34 da c1 55 77 2e
    d3 e2 69 28 00 13 01 00 00 2e 00 33 00 24 00 1d 00 20 c9 82 88 76 11 20 95 fe 66 76 2b db
    f7 c6 72 e1 56 d6 cc 25 3b 83 3d f1 dd 69 b1 b0 4e 75 1f 0f 00 2b 00 02 03 04";
pub(crate) const ENCRYPTED_EXTENSIONS: &str = "
    00 22 00 0a 00 14 00 12 00 1d 00 17 00 18 00 19 01 00 01 01 01 02 01 03 01 04 00 1c 00 02
    40 01 00 00 00 00";
pub(crate) const CERTIFICATE_VERIFY: &str = "
    08 04 00 80 5a 74 7c 5d 88 fa 9b d2 e5 5a b0 85 a6 10 15 b7 21 1f 82 4c d4 84 14 5a b3 ff
    52 f1 fd a8 47 7b 0b 7a bc 90 db 78 e2 d3 3a 5c 14 1a 07 86 53 fa 6b ef 78 0c 5e a2 48 ee
    aa a7 85 c4 f3 94 ca b6 d3 0b be 8d 48 59 ee 51 1f 60 29 57 b1 54 11 ac 02 76 71 45 9e 46
    44 5c 9e a5 8c 18 1e 81 8e 95 b8 c3 fb 0b f3 27 84 09 d3 be 15 2a 3d a5 04 3e 06 3d da 65
    cd f5 ae a2 0d 53 df ac d4 2f 74 f3";
/// The HelloRetryRequest of RFC 8448, Section 5, without its header.
pub(crate) const HELLO_RETRY_REQUEST: &str = "
    03 03 cf 21 ad 74 e5 9a 61 11 be 1d 8c 02 1e 65 b8 91 c2 a2 11 16 7a bb 8c 5e 07 9e 09 e2
    c8 a8 33 9c 00 13 01 00 00 84 00 33 00 02 00 17 00 2c 00 74 00 72 71 dc d0 4b b8 8b c3 18
    91 19 39 8a 00 00 00 00 ee fa fc 76 c1 46 b8 23 b0 96 f8 aa ca d3 65 dd 00 30 95 3f 4e df
    62 56 36 e5 f2 1b b2 e2 3f cc 65 4b 1b 5b 40 31 8d 10 d1 37 ab cb b8 75 74 e3 6e 8a 1f 02
    5f 7d fa 5d 6e 50 78 1b 5e da 4a a1 5b 0c 8b e7 78 25 7d 16 aa 30 30 e9 e7 84 1d d9 e4 c0
    34 22 67 e8 ca 0c af 57 1f b2 b7 cf f0 f9 34 b0 00 2b 00 02 03 04";

/// The bytes of hexadecimal digits and white space.
pub(crate) fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits
        .bytes()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    hex::decode(digits).unwrap()
}

/// What a writer writes.
pub(crate) fn written(content: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>) -> Vec<u8> {
    let mut out = Vec::new();
    content(&mut Writer::new(&mut out)).unwrap();
    out
}

/// A block of extensions, without the length of the whole.
pub(crate) fn block(entries: &[(ExtensionType, &[u8])]) -> Vec<u8> {
    written(|w| {
        entries.iter().try_for_each(|(typ, data)| {
            extensions::write(w, *typ, |w| {
                w.bytes(data);
                Ok(())
            })
        })
    })
}

/// A set of these types.
pub(crate) fn set(types: &[ExtensionType]) -> ExtensionSet {
    let mut set = ExtensionSet::default();
    types.iter().for_each(|typ| set.insert(*typ));
    set
}

/// The error that blames this field.
pub(crate) fn malformed(field: &'static str, problem: Problem) -> Error {
    DecodeError { field, problem }.into()
}

/// Checks that `whole` is read, that with one more byte it is not, and that it cannot be cut
/// anywhere but at `ends`.
pub(crate) fn assert_exact(
    whole: &[u8],
    ends: &[usize],
    read: impl Fn(&[u8]) -> Result<(), Error>,
) {
    assert_eq!(read(whole), Ok(()));
    let longer = [whole, &[0]].concat();
    assert!(matches!(read(&longer), Err(Error::Decode(_))));
    let cuts: Vec<usize> = (0..whole.len())
        .filter(|len| read(&whole[..*len]).is_ok())
        .collect();
    assert_eq!(cuts, ends);
}
