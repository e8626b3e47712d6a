//! `client_certificate_type` and `server_certificate_type` (RFC 7250, Section 3).

use super::super::registry::CertificateType;
use crate::Error;
use crate::codec::{List, Reader, Writer};
use crate::error::DecodeError;

/// Reads the client's list, most wanted first.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<List<'_, CertificateType>, DecodeError> {
    let types = List::parse(reader.vec8("certificate_types")?.non_empty()?)?;
    reader.finish()?;
    Ok(types)
}

/// What a client offers with this list, or without one: X.509 (RFC 7250, Section 4.1).
pub(crate) fn or_default<'a>(
    list: Option<List<'a, CertificateType>>,
) -> impl Iterator<Item = CertificateType> + use<'a> {
    let default = list.is_none().then(CertificateType::default);
    list.unwrap_or_default().iter().chain(default)
}

/// Reads the server's choice.
pub(crate) fn read_selected(mut reader: Reader<'_>) -> Result<CertificateType, DecodeError> {
    let typ = reader.u8()?;
    reader.finish()?;
    Ok(CertificateType(typ))
}

/// Writes the client's list.
pub(crate) fn write_certificate_types(
    w: &mut Writer<'_>,
    types: impl IntoIterator<Item = CertificateType>,
) -> Result<(), Error> {
    w.vec8(|w| {
        types.into_iter().for_each(|typ| w.u8(typ.0));
        Ok(())
    })
}

/// Writes the server's choice.
pub(crate) fn write_selected_certificate_type(
    w: &mut Writer<'_>,
    typ: CertificateType,
) -> Result<(), Error> {
    w.u8(typ.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn offer(data: &[u8]) -> Result<List<'_, CertificateType>, Error> {
        Ok(read(Reader::new("server_certificate_type", data))?)
    }

    fn choice(data: &[u8]) -> Result<CertificateType, Error> {
        Ok(read_selected(Reader::new("server_certificate_type", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let types = [CertificateType::RAW_PUBLIC_KEY, CertificateType::X509];
        let data = written(|w| write_certificate_types(w, types));
        assert_eq!(data, [2, 2, 0]);
        assert!(offer(&data).unwrap().iter().eq(types));
        assert_exact(&data, &[], |data| offer(data).map(|_| ()));
        for typ in types {
            let data = written(|w| write_selected_certificate_type(w, typ));
            assert_eq!(data, [typ.0]);
            assert_eq!(choice(&data), Ok(typ));
            assert_exact(&data, &[], |data| choice(data).map(|_| ()));
        }
    }

    #[test]
    fn the_list_is_not_empty() {
        let empty = malformed("certificate_types", Problem::Length);
        assert_eq!(offer(&[0]), Err(empty));
    }
}
