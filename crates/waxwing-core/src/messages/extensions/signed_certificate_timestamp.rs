//! `signed_certificate_timestamp` (RFC 6962, Section 3.3.1).

use crate::Error;
use crate::codec::{Reader, Writer};

/// Reads a SignedCertificateTimestampList, which is given back whole: as it stands in certificates
/// and OCSP responses too. What a timestamp says is for the verifier to read.
pub(crate) fn read(reader: Reader<'_>) -> Result<&[u8], Error> {
    let bytes = reader.clone().take_rest();
    let mut reader = reader;
    let mut list = reader.vec16("sct_list")?.non_empty()?;
    while !list.is_empty() {
        list.vec16("SerializedSCT")?.non_empty()?;
    }
    reader.finish()?;
    Ok(bytes)
}

/// Writes a SignedCertificateTimestampList that is encoded already.
pub(crate) fn write_scts(w: &mut Writer<'_>, list: &[u8]) -> Result<(), Error> {
    w.bytes(list);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn list(data: &[u8]) -> Result<&[u8], Error> {
        read(Reader::new("signed_certificate_timestamp", data))
    }

    #[test]
    fn a_list_is_given_back_whole() {
        let data = [0, 7, 0, 2, 1, 2, 0, 1, 3];
        assert_eq!(list(&data), Ok(&data[..]));
        assert_eq!(written(|w| write_scts(w, &data)), data);
        assert_exact(&data, &[], |data| list(data).map(|_| ()));
    }

    #[test]
    fn nothing_in_it_is_empty() {
        let empty = |field| Err(malformed(field, Problem::Length));
        assert_eq!(list(&[0, 0]), empty("sct_list"));
        assert_eq!(list(&[0, 2, 0, 0]), empty("SerializedSCT"));
    }
}
