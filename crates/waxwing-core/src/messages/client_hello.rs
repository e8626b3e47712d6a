//! ClientHello (RFC 9846, Section 4.1.2).

use waxwing_crypto::{CipherSuite, NamedGroup, SignatureScheme};

use super::extensions::{
    self, DistinguishedName, KeyShareEntry, Place, ProtocolName, alpn, certificate_authorities,
    cookie, key_share, psk, server_name, signature_algorithms, status_request, supported_groups,
    supported_versions,
};
use super::registry::{ExtensionType, ProtocolVersion};
use super::{read_session_id, write_session_id};
use crate::Error;
use crate::codec::{List, Reader, Writer};
use crate::error::PeerError;

/// What a client offers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClientHello<'a> {
    pub(crate) legacy_version: ProtocolVersion,
    pub(crate) random: &'a [u8; 32],
    /// At most 32 bytes.
    pub(crate) session_id: &'a [u8],
    /// Not empty; most wanted first.
    pub(crate) cipher_suites: List<'a, CipherSuite>,
    /// Not empty.
    pub(crate) compression_methods: &'a [u8],
    pub(crate) extensions: ClientExtensions<'a>,
}

/// The extensions of a ClientHello that this engine looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ClientExtensions<'a> {
    /// The DNS host name.
    pub(crate) server_name: Option<&'a [u8]>,
    pub(crate) supported_versions: Option<List<'a, ProtocolVersion>>,
    pub(crate) supported_groups: Option<List<'a, NamedGroup>>,
    pub(crate) signature_algorithms: Option<List<'a, SignatureScheme>>,
    pub(crate) signature_algorithms_cert: Option<List<'a, SignatureScheme>>,
    pub(crate) alpn: Option<List<'a, ProtocolName<'a>>>,
    pub(crate) key_share: Option<List<'a, KeyShareEntry<'a>>>,
    pub(crate) cookie: Option<&'a [u8]>,
    pub(crate) psk_modes: Option<&'a [u8]>,
    /// The identities and binders, as they came.
    pub(crate) pre_shared_key: Option<&'a [u8]>,
    pub(crate) early_data: bool,
    /// Whether the client asks for an OCSP response.
    pub(crate) status_request: bool,
    pub(crate) certificate_authorities: Option<List<'a, DistinguishedName<'a>>>,
    pub(crate) post_handshake_auth: bool,
    /// The content of the whole `extensions` vector.
    pub(crate) block: &'a [u8],
}

impl<'a> ClientHello<'a> {
    /// Reads the body, which follows the header of the handshake message.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("ClientHello", body);
        let hello = Self {
            legacy_version: ProtocolVersion(reader.u16()?),
            random: reader.array()?,
            session_id: read_session_id(&mut reader)?,
            cipher_suites: List::parse(reader.vec16("cipher_suites")?.non_empty()?)?,
            compression_methods: reader
                .vec8("legacy_compression_methods")?
                .non_empty()?
                .take_rest(),
            // Clients that know no extensions end here (RFC 5246, Section 7.4.1.2).
            extensions: if reader.is_empty() {
                ClientExtensions::default()
            } else {
                ClientExtensions::read(reader.vec16("extensions")?)?
            },
        };
        reader.finish()?;
        Ok(hello)
    }

    /// Writes the body again, its extensions as they came.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.u16(self.legacy_version.0);
        w.bytes(self.random);
        write_session_id(w, self.session_id)?;
        w.vec16(|w| {
            w.bytes(self.cipher_suites.as_bytes());
            Ok(())
        })?;
        w.vec8(|w| {
            w.bytes(self.compression_methods);
            Ok(())
        })?;
        w.vec16(|w| {
            w.bytes(self.extensions.block);
            Ok(())
        })
    }
}

impl<'a> ClientExtensions<'a> {
    fn read(reader: Reader<'a>) -> Result<Self, Error> {
        let mut found = Self {
            block: reader.clone().take_rest(),
            ..Self::default()
        };
        extensions::walk(reader, Place::ClientHello, None, &mut |typ, data| {
            // RFC 9846, Section 4.2.11: the binders cover all that stands before them.
            if found.pre_shared_key.is_some() {
                return Err(PeerError::PskNotLast.into());
            }
            found.read_one(typ, data)
        })?;
        // RFC 9846, Section 4.2.9.
        if found.pre_shared_key.is_some() && found.psk_modes.is_none() {
            return Err(PeerError::PskWithoutModes.into());
        }
        Ok(found)
    }

    fn read_one(&mut self, typ: ExtensionType, data: Reader<'a>) -> Result<(), Error> {
        match typ {
            ExtensionType::SERVER_NAME => self.server_name = server_name::read(data)?,
            ExtensionType::SUPPORTED_VERSIONS => {
                self.supported_versions = Some(supported_versions::read(data)?);
            }
            ExtensionType::SUPPORTED_GROUPS => {
                self.supported_groups = Some(supported_groups::read(data)?);
            }
            ExtensionType::SIGNATURE_ALGORITHMS => {
                self.signature_algorithms = Some(signature_algorithms::read(data)?);
            }
            ExtensionType::SIGNATURE_ALGORITHMS_CERT => {
                self.signature_algorithms_cert = Some(signature_algorithms::read(data)?);
            }
            ExtensionType::ALPN => self.alpn = Some(alpn::read(data)?),
            ExtensionType::KEY_SHARE => self.key_share = Some(key_share::read(data)?),
            ExtensionType::COOKIE => self.cookie = Some(cookie::read(data)?),
            ExtensionType::PSK_KEY_EXCHANGE_MODES => {
                self.psk_modes = Some(psk::read_modes(data)?);
            }
            ExtensionType::PRE_SHARED_KEY => self.pre_shared_key = Some(psk::read_offer(data)?),
            ExtensionType::EARLY_DATA => {
                data.finish()?;
                self.early_data = true;
            }
            ExtensionType::STATUS_REQUEST => self.status_request = status_request::read(data)?,
            ExtensionType::CERTIFICATE_AUTHORITIES => {
                self.certificate_authorities = Some(certificate_authorities::read(data)?);
            }
            ExtensionType::POST_HANDSHAKE_AUTH => {
                data.finish()?;
                self.post_handshake_auth = true;
            }
            // RFC 9846, Section 4.1.2: a server ignores what it does not know.
            _ => {}
        }
        Ok(())
    }

    /// Every extension in the order of the message, unknown ones too, with its content.
    pub(crate) fn types(&self) -> impl Iterator<Item = (ExtensionType, &'a [u8])> + use<'a> {
        extensions::iter(self.block)
            .map(|mut extension| (extension.typ, extension.data.take_rest()))
    }
}
