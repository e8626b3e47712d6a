//! EncryptedExtensions (RFC 9846, Section 4.4.1).

use super::extensions::{self, ExtensionSet, Place, alpn, supported_groups};
use super::registry::ExtensionType;
use crate::Error;
use crate::codec::{Reader, Writer};

/// The server's answers that need no cryptography.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EncryptedExtensions<'a> {
    /// The application protocol that the server chose.
    pub(crate) alpn: Option<&'a [u8]>,
    /// Whether the server used the name that the client gave.
    pub(crate) server_name: bool,
    /// Whether the server accepts early data.
    pub(crate) early_data: bool,
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
            &mut |typ, data| {
                match typ {
                    ExtensionType::ALPN => found.alpn = Some(alpn::read_selected(data)?),
                    ExtensionType::SERVER_NAME => {
                        data.finish()?;
                        found.server_name = true;
                    }
                    ExtensionType::EARLY_DATA => {
                        data.finish()?;
                        found.early_data = true;
                    }
                    // RFC 9846, Section 4.3.7: the server's wishes for later connections.
                    ExtensionType::SUPPORTED_GROUPS => {
                        supported_groups::read(data)?;
                    }
                    _ => {}
                }
                Ok(())
            },
        )?;
        Ok(found)
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
            ExtensionType::SERVER_NAME,
            ExtensionType::SUPPORTED_GROUPS,
            ExtensionType::ALPN,
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
        };
        for message in [full, EncryptedExtensions::default()] {
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
