//! EncryptedExtensions (RFC 9846, Section 4.3.1).

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
                    // RFC 9846, Section 4.2.7: the server's wishes for later connections.
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
