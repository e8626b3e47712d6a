//! `cookie` (RFC 9846, Section 4.2.2): the same form in both directions.

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::DecodeError;

/// Reads the cookie, which is not empty.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<&[u8], DecodeError> {
    let cookie = reader.vec16("cookie")?.non_empty()?.take_rest();
    reader.finish()?;
    Ok(cookie)
}

/// Writes a cookie.
pub(crate) fn write_cookie(w: &mut Writer<'_>, cookie: &[u8]) -> Result<(), Error> {
    w.vec16(|w| {
        w.bytes(cookie);
        Ok(())
    })
}
