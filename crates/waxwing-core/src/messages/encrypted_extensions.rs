//! EncryptedExtensions (RFC 9846, Section 4.4.1).

use super::extensions::{
    self, ExtensionSet, Place, alpn, certificate_type, max_fragment_length, record_size_limit,
    supported_groups, ticket_request,
};
use super::registry::{CertificateType, ExtensionType};
use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::PeerError;

/// The server's answers that need no cryptography.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EncryptedExtensions<'a> {
    /// The application protocol that the server chose.
    pub(crate) alpn: Option<&'a [u8]>,
    /// Whether the server used the name that the client gave.
    pub(crate) server_name: bool,
    /// Whether the server accepts early data.
    pub(crate) early_data: bool,
    /// How many tickets will come, to a client that said how many it wants.
    pub(crate) ticket_count: Option<u8>,
    /// 1 to 4.
    pub(crate) max_fragment_length: Option<u8>,
    /// In bytes of plaintext with padding and content type, at least 64.
    pub(crate) record_size_limit: Option<u16>,
    pub(crate) client_certificate_type: Option<CertificateType>,
    pub(crate) server_certificate_type: Option<CertificateType>,
}

impl<'a> EncryptedExtensions<'a> {
    /// Reads the body; `offered` are the extensions of the ClientHello.
    pub(crate) fn read(body: &'a [u8], offered: &ExtensionSet) -> Result<Self, Error> {
        let mut reader = Reader::new("EncryptedExtensions", body);
        let block = reader.vec16("extensions")?;
        reader.finish()?;
        let mut found = Self::default();
        extensions::walk(
            block,
            Place::EncryptedExtensions,
            Some(offered),
            &mut |typ, data| found.read_one(typ, data),
        )?;
        // RFC 8449, Section 5.
        if found.max_fragment_length.is_some() && found.record_size_limit.is_some() {
            return Err(PeerError::TwoSizeLimits.into());
        }
        Ok(found)
    }

    fn read_one(&mut self, typ: ExtensionType, data: Reader<'a>) -> Result<(), Error> {
        match typ {
            ExtensionType::ALPN => self.alpn = Some(alpn::read_selected(data)?),
            ExtensionType::SERVER_NAME => {
                data.finish()?;
                self.server_name = true;
            }
            ExtensionType::EARLY_DATA => {
                data.finish()?;
                self.early_data = true;
            }
            ExtensionType::TICKET_REQUEST => {
                self.ticket_count = Some(ticket_request::read_expected(data)?);
            }
            // RFC 9846, Section 4.3.7: the server's wishes for later connections.
            ExtensionType::SUPPORTED_GROUPS => {
                supported_groups::read(data)?;
            }
            ExtensionType::MAX_FRAGMENT_LENGTH => {
                self.max_fragment_length = Some(max_fragment_length::read(data)?);
            }
            ExtensionType::RECORD_SIZE_LIMIT => {
                self.record_size_limit = Some(record_size_limit::read(data)?);
            }
            ExtensionType::CLIENT_CERTIFICATE_TYPE => {
                self.client_certificate_type = Some(certificate_type::read_selected(data)?);
            }
            ExtensionType::SERVER_CERTIFICATE_TYPE => {
                self.server_certificate_type = Some(certificate_type::read_selected(data)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.vec16(|w| {
            if self.server_name {
                extensions::write(w, ExtensionType::SERVER_NAME, |_| Ok(()))?;
            }
            if let Some(name) = self.alpn {
                extensions::write(w, ExtensionType::ALPN, |w| {
                    alpn::write_selected_alpn(w, name)
                })?;
            }
            if self.early_data {
                extensions::write(w, ExtensionType::EARLY_DATA, |_| Ok(()))?;
            }
            if let Some(count) = self.ticket_count {
                extensions::write(w, ExtensionType::TICKET_REQUEST, |w| {
                    ticket_request::write_expected_count(w, count)
                })?;
            }
            if let Some(code) = self.max_fragment_length {
                extensions::write(w, ExtensionType::MAX_FRAGMENT_LENGTH, |w| {
                    max_fragment_length::write_max_fragment_length(w, code)
                })?;
            }
            if let Some(limit) = self.record_size_limit {
                extensions::write(w, ExtensionType::RECORD_SIZE_LIMIT, |w| {
                    record_size_limit::write_record_size_limit(w, limit)
                })?;
            }
            if let Some(typ) = self.client_certificate_type {
                extensions::write(w, ExtensionType::CLIENT_CERTIFICATE_TYPE, |w| {
                    certificate_type::write_selected_certificate_type(w, typ)
                })?;
            }
            if let Some(typ) = self.server_certificate_type {
                extensions::write(w, ExtensionType::SERVER_CERTIFICATE_TYPE, |w| {
                    certificate_type::write_selected_certificate_type(w, typ)
                })?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        ENCRYPTED_EXTENSIONS, assert_exact, block, bytes, malformed, set, written,
    };
    use super::*;
    use crate::error::{PeerError, Problem};

    fn offered() -> ExtensionSet {
        set(&[
            ExtensionType::TICKET_REQUEST,
            ExtensionType::SERVER_NAME,
            ExtensionType::MAX_FRAGMENT_LENGTH,
            ExtensionType::SUPPORTED_GROUPS,
            ExtensionType::ALPN,
            ExtensionType::CLIENT_CERTIFICATE_TYPE,
            ExtensionType::SERVER_CERTIFICATE_TYPE,
            ExtensionType::RECORD_SIZE_LIMIT,
            ExtensionType::EARLY_DATA,
            ExtensionType::KEY_SHARE,
        ])
    }

    fn error(typ: ExtensionType, data: &[u8]) -> Error {
        let body = written(|w| {
            w.vec16(|w| {
                w.bytes(&block(&[(typ, data)]));
                Ok(())
            })
        });
        EncryptedExtensions::read(&body, &offered()).unwrap_err()
    }

    #[test]
    fn reads_the_message_of_rfc_8448() {
        let body = bytes(ENCRYPTED_EXTENSIONS);
        let expected = EncryptedExtensions {
            server_name: true,
            record_size_limit: Some(0x4001),
            ..Default::default()
        };
        assert_eq!(EncryptedExtensions::read(&body, &offered()), Ok(expected));
        assert_exact(&body, &[], |body| {
            EncryptedExtensions::read(body, &offered()).map(|_| ())
        });
    }

    #[test]
    fn what_is_written_is_read() {
        let full = EncryptedExtensions {
            alpn: Some(b"h2"),
            server_name: true,
            early_data: true,
            ticket_count: Some(2),
            max_fragment_length: None,
            record_size_limit: Some(64),
            client_certificate_type: Some(CertificateType::RAW_PUBLIC_KEY),
            server_certificate_type: Some(CertificateType::X509),
        };
        let old = EncryptedExtensions {
            max_fragment_length: Some(4),
            ..Default::default()
        };
        for message in [full, old, EncryptedExtensions::default()] {
            let body = written(|w| message.write(w));
            assert_eq!(EncryptedExtensions::read(&body, &offered()), Ok(message));
            assert_exact(&body, &[], |body| {
                EncryptedExtensions::read(body, &offered()).map(|_| ())
            });
        }
    }

    #[test]
    fn contents_are_checked() {
        let short = malformed("application_layer_protocol_negotiation", Problem::Short);
        assert_eq!(error(ExtensionType::ALPN, &[]), short);
        for typ in [ExtensionType::SERVER_NAME, ExtensionType::EARLY_DATA] {
            assert_eq!(
                error(typ, &[0]),
                malformed(typ.name().unwrap(), Problem::Trailing)
            );
        }
        let short = malformed("supported_groups", Problem::Short);
        assert_eq!(error(ExtensionType::SUPPORTED_GROUPS, &[]), short);
        let bad = PeerError::BadExtension.into();
        assert_eq!(error(ExtensionType::MAX_FRAGMENT_LENGTH, &[5]), bad);
        assert_eq!(error(ExtensionType::RECORD_SIZE_LIMIT, &[0, 63]), bad);
        for typ in [
            ExtensionType::CLIENT_CERTIFICATE_TYPE,
            ExtensionType::SERVER_CERTIFICATE_TYPE,
        ] {
            let list = error(typ, &[1, 0]);
            assert_eq!(list, malformed(typ.name().unwrap(), Problem::Trailing));
        }
    }

    #[test]
    fn the_size_of_records_is_limited_in_one_way() {
        let both = EncryptedExtensions {
            max_fragment_length: Some(4),
            record_size_limit: Some(64),
            ..Default::default()
        };
        let body = written(|w| both.write(w));
        let error = EncryptedExtensions::read(&body, &offered()).unwrap_err();
        assert_eq!(error, PeerError::TwoSizeLimits.into());
    }

    #[test]
    fn only_offered_extensions_in_their_place() {
        let unsolicited = PeerError::UnsolicitedExtension.into();
        assert_eq!(error(ExtensionType::USE_SRTP, &[]), unsolicited);
        assert_eq!(
            error(ExtensionType::KEY_SHARE, &[]),
            PeerError::MisplacedExtension.into()
        );
    }
}
