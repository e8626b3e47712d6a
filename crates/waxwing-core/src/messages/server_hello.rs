//! ServerHello and HelloRetryRequest (RFC 9846, Sections 4.1.3 and 4.1.4).

use waxwing_crypto::{CipherSuite, NamedGroup};

use super::extensions::{
    self, ExtensionSet, KeyShareEntry, Place, cookie, key_share, psk, supported_versions,
};
use super::registry::{ExtensionType, ProtocolVersion};
use super::{read_session_id, write_session_id};
use crate::Error;
use crate::codec::{List, Read, Reader, Writer};

/// The random that makes a ServerHello a HelloRetryRequest: the SHA-256 hash of
/// "HelloRetryRequest" (RFC 9846, Section 4.1.3).
pub(crate) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a server chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerHello<'a> {
    pub(crate) legacy_version: ProtocolVersion,
    pub(crate) random: &'a [u8; 32],
    /// `legacy_session_id_echo`: at most 32 bytes.
    pub(crate) session_id: &'a [u8],
    pub(crate) cipher_suite: CipherSuite,
    pub(crate) compression_method: u8,
    pub(crate) extensions: ServerHelloExtensions<'a>,
}

/// The extensions of a ServerHello or HelloRetryRequest of TLS 1.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerHelloExtensions<'a> {
    /// `None` in a ServerHello of TLS 1.2 or before; then nothing else here is set.
    pub(crate) selected_version: Option<ProtocolVersion>,
    /// In a ServerHello.
    pub(crate) key_share: Option<KeyShareEntry<'a>>,
    /// In a HelloRetryRequest.
    pub(crate) retry_group: Option<NamedGroup>,
    /// In a HelloRetryRequest.
    pub(crate) cookie: Option<&'a [u8]>,
    /// `selected_identity`, in a ServerHello.
    pub(crate) pre_shared_key: Option<u16>,
}

impl<'a> ServerHello<'a> {
    /// Whether this is a HelloRetryRequest.
    pub(crate) fn is_retry(&self) -> bool {
        *self.random == RETRY_RANDOM
    }

    /// Reads the body; `offered` are the extensions of the ClientHello that it answers.
    pub(crate) fn read(body: &'a [u8], offered: &ExtensionSet) -> Result<Self, Error> {
        let mut reader = Reader::new("ServerHello", body);
        let mut hello = Self {
            legacy_version: ProtocolVersion(reader.u16()?),
            random: reader.array()?,
            session_id: read_session_id(&mut reader)?,
            cipher_suite: CipherSuite::read(&mut reader)?,
            compression_method: reader.u8()?,
            extensions: ServerHelloExtensions::default(),
        };
        // A server of TLS 1.2 that knows no extensions ends here.
        if reader.is_empty() {
            return Ok(hello);
        }
        let block = reader.vec16("extensions")?;
        reader.finish()?;
        let place = if hello.is_retry() {
            Place::HelloRetryRequest
        } else {
            Place::ServerHello
        };
        hello.extensions = ServerHelloExtensions::read(block, place, offered)?;
        Ok(hello)
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.u16(self.legacy_version.0);
        w.bytes(self.random);
        write_session_id(w, self.session_id)?;
        w.u16(self.cipher_suite.0);
        w.u8(self.compression_method);
        w.vec16(|w| self.extensions.write(w))
    }
}

impl<'a> ServerHelloExtensions<'a> {
    fn read(reader: Reader<'a>, place: Place, offered: &ExtensionSet) -> Result<Self, Error> {
        // RFC 9846, Section 4.2.1: this extension is looked at before all others, since they
        // follow the rules of the version that it selects.
        let block = reader.clone().take_rest();
        List::<extensions::RawExtension<'_>>::parse(reader.clone())?;
        if extensions::find(block, ExtensionType::SUPPORTED_VERSIONS).is_none() {
            return Ok(Self::default());
        }
        let mut found = Self::default();
        extensions::walk(reader, place, Some(offered), &mut |typ, data| {
            match typ {
                ExtensionType::SUPPORTED_VERSIONS => {
                    found.selected_version = Some(supported_versions::read_selected(data)?);
                }
                ExtensionType::KEY_SHARE if place == Place::HelloRetryRequest => {
                    found.retry_group = Some(key_share::read_retry(data)?);
                }
                ExtensionType::KEY_SHARE => found.key_share = Some(key_share::read_server(data)?),
                ExtensionType::COOKIE => found.cookie = Some(cookie::read(data)?),
                ExtensionType::PRE_SHARED_KEY => {
                    found.pre_shared_key = Some(psk::read_selected(data)?);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        if let Some(entry) = self.key_share {
            extensions::write(w, ExtensionType::KEY_SHARE, |w| {
                key_share::write_key_share(w, entry)
            })?;
        }
        if let Some(group) = self.retry_group {
            extensions::write(w, ExtensionType::KEY_SHARE, |w| {
                key_share::write_retry_group(w, group)
            })?;
        }
        if let Some(cookie) = self.cookie {
            extensions::write(w, ExtensionType::COOKIE, |w| {
                cookie::write_cookie(w, cookie)
            })?;
        }
        if let Some(identity) = self.pre_shared_key {
            extensions::write(w, ExtensionType::PRE_SHARED_KEY, |w| {
                psk::write_selected_identity(w, identity)
            })?;
        }
        if let Some(version) = self.selected_version {
            extensions::write(w, ExtensionType::SUPPORTED_VERSIONS, |w| {
                supported_versions::write_selected_version(w, version)
            })?;
        }
        Ok(())
    }
}
