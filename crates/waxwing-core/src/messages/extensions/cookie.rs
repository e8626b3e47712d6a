//! `cookie` (RFC 9846, Section 4.3.2): the same form in both directions.

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, Problem};
use crate::limits::MAX_COOKIE;

/// Reads the cookie, which is not empty.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<&[u8], DecodeError> {
    let mut cookie = reader.vec16("cookie")?.non_empty()?;
    reader.finish()?;
    let limit = cookie.error(Problem::Limit);
    let cookie = cookie.take_rest();
    if cookie.len() > MAX_COOKIE {
        return Err(limit);
    }
    Ok(cookie)
}

/// Writes a cookie.
pub(crate) fn write_cookie(w: &mut Writer<'_>, cookie: &[u8]) -> Result<(), Error> {
    w.vec16(|w| {
        w.bytes(cookie);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn content(data: &[u8]) -> Result<&[u8], Error> {
        Ok(read(Reader::new("cookie", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let data = written(|w| write_cookie(w, b"crumbs"));
        assert_eq!(content(&data), Ok(&b"crumbs"[..]));
        assert_exact(&data, &[], |data| content(data).map(|_| ()));
    }

    #[test]
    fn a_cookie_is_not_empty() {
        assert_eq!(content(&[0, 0]), Err(malformed("cookie", Problem::Length)));
    }

    #[test]
    fn a_cookie_has_a_limit() {
        let longest = written(|w| write_cookie(w, &[7; MAX_COOKIE]));
        assert_eq!(content(&longest).map(<[u8]>::len), Ok(MAX_COOKIE));
        let longer = written(|w| write_cookie(w, &[7; MAX_COOKIE + 1]));
        assert_eq!(content(&longer), Err(malformed("cookie", Problem::Limit)));
    }
}
