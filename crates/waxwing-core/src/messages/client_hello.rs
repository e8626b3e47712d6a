//! ClientHello (RFC 9846, Section 4.2.2).

use waxwing_crypto::{CipherSuite, NamedGroup, SignatureScheme};

use super::extensions::{
    self, DistinguishedName, KeyShareEntry, Place, ProtocolName, alpn, certificate_authorities,
    certificate_type, compress_certificate, cookie, ec_point_formats, key_share,
    max_fragment_length, psk, record_size_limit, renegotiation_info, server_name, session_ticket,
    signature_algorithms, status_request, supported_groups, supported_versions, ticket_request,
};
use super::registry::{
    CertificateCompressionAlgorithm, CertificateType, ExtensionType, ProtocolVersion,
};
use super::{read_session_id, write_session_id};
use crate::Error;
use crate::codec::{List, Reader, Writer};
use crate::config::TicketRequest;
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
    pub(crate) pre_shared_key: Option<psk::OfferedPsks<'a>>,
    pub(crate) ticket_request: Option<TicketRequest>,
    pub(crate) early_data: bool,
    /// Whether the client asks for an OCSP response.
    pub(crate) status_request: bool,
    /// Whether the client asks for signed certificate timestamps.
    pub(crate) scts: bool,
    pub(crate) certificate_authorities: Option<List<'a, DistinguishedName<'a>>>,
    pub(crate) post_handshake_auth: bool,
    /// `renegotiated_connection`.
    pub(crate) renegotiation_info: Option<&'a [u8]>,
    pub(crate) extended_main_secret: bool,
    /// The ticket of TLS 1.2; empty if the client only asks for one.
    pub(crate) session_ticket: Option<&'a [u8]>,
    /// The ECPointFormats, not empty.
    pub(crate) ec_point_formats: Option<&'a [u8]>,
    /// 1 to 4.
    pub(crate) max_fragment_length: Option<u8>,
    /// In bytes of plaintext, at least 64.
    pub(crate) record_size_limit: Option<u16>,
    pub(crate) client_certificate_types: Option<List<'a, CertificateType>>,
    pub(crate) server_certificate_types: Option<List<'a, CertificateType>>,
    pub(crate) compress_certificate: Option<List<'a, CertificateCompressionAlgorithm>>,
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
            // RFC 9846, Section 4.3.11: the binders cover all that stands before them.
            if found.pre_shared_key.is_some() {
                return Err(PeerError::PskNotLast.into());
            }
            found.read_one(typ, data)
        })?;
        // RFC 9846, Section 4.3.11.
        if let Some(offer) = found.pre_shared_key
            && offer.identities.iter().count() != offer.binders.iter().count()
        {
            return Err(PeerError::PskBinderCount.into());
        }
        // RFC 9846, Section 4.3.9.
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
            ExtensionType::TICKET_REQUEST => {
                self.ticket_request = Some(ticket_request::read(data)?);
            }
            ExtensionType::EARLY_DATA => {
                data.finish()?;
                self.early_data = true;
            }
            ExtensionType::STATUS_REQUEST => self.status_request = status_request::read(data)?,
            ExtensionType::CERTIFICATE_AUTHORITIES => {
                self.certificate_authorities = Some(certificate_authorities::read(data)?);
            }
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => {
                data.finish()?;
                self.scts = true;
            }
            ExtensionType::POST_HANDSHAKE_AUTH => {
                data.finish()?;
                self.post_handshake_auth = true;
            }
            ExtensionType::COMPRESS_CERTIFICATE => {
                self.compress_certificate = Some(compress_certificate::read(data)?);
            }
            _ => self.read_shared(typ, data)?,
        }
        Ok(())
    }

    /// The extensions that TLS 1.2 had first.
    fn read_shared(&mut self, typ: ExtensionType, data: Reader<'a>) -> Result<(), Error> {
        match typ {
            ExtensionType::RENEGOTIATION_INFO => {
                self.renegotiation_info = Some(renegotiation_info::read(data)?);
            }
            ExtensionType::EXTENDED_MAIN_SECRET => {
                data.finish()?;
                self.extended_main_secret = true;
            }
            ExtensionType::SESSION_TICKET => {
                self.session_ticket = Some(session_ticket::read(data));
            }
            ExtensionType::EC_POINT_FORMATS => {
                self.ec_point_formats = Some(ec_point_formats::read(data)?);
            }
            ExtensionType::MAX_FRAGMENT_LENGTH => {
                self.max_fragment_length = Some(max_fragment_length::read(data)?);
            }
            ExtensionType::RECORD_SIZE_LIMIT => {
                self.record_size_limit = Some(record_size_limit::read(data)?);
            }
            ExtensionType::CLIENT_CERTIFICATE_TYPE => {
                self.client_certificate_types = Some(certificate_type::read(data)?);
            }
            ExtensionType::SERVER_CERTIFICATE_TYPE => {
                self.server_certificate_types = Some(certificate_type::read(data)?);
            }
            // RFC 9846, Section 4.2.2: a server ignores what it does not know.
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

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::testing::{CLIENT_HELLO, assert_exact, block, bytes, malformed, written};
    use super::*;
    use crate::error::Problem;

    /// A hello with one suite and these extensions.
    fn hello(extensions: &[u8]) -> Vec<u8> {
        let head = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
        written(|w| {
            w.bytes(&head);
            w.vec16(|w| {
                w.bytes(extensions);
                Ok(())
            })
        })
    }

    fn error(extensions: &[(ExtensionType, &[u8])]) -> Error {
        ClientHello::read(&hello(&block(extensions))).unwrap_err()
    }

    #[test]
    fn reads_the_hello_of_rfc_8448() {
        let body = bytes(CLIENT_HELLO);
        let hello = ClientHello::read(&body).unwrap();
        assert_eq!(hello.legacy_version, ProtocolVersion::TLS12);
        assert_eq!(hello.random[..4], [0xcb, 0x34, 0xec, 0xb1]);
        assert!(hello.session_id.is_empty());
        assert!(hello.cipher_suites.iter().eq([
            CipherSuite::TLS13_AES_128_GCM_SHA256,
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
            CipherSuite::TLS13_AES_256_GCM_SHA384,
        ]));
        assert_eq!(hello.compression_methods, [0]);
        let found = hello.extensions;
        assert_eq!(found.server_name, Some(&b"server"[..]));
        assert!(
            found
                .supported_versions
                .unwrap()
                .iter()
                .eq([ProtocolVersion::TLS13])
        );
        assert_eq!(found.supported_groups.unwrap().iter().count(), 9);
        assert_eq!(found.signature_algorithms.unwrap().iter().count(), 15);
        assert_eq!(found.psk_modes, Some(&[1][..]));
        let share = found.key_share.unwrap().iter().next().unwrap();
        assert_eq!(
            (share.group, share.key_exchange.len()),
            (NamedGroup::X25519, 32)
        );
        assert_eq!(found.session_ticket, Some(&b""[..]));
        assert!(!found.early_data && !found.status_request && !found.post_handshake_auth);
        assert_eq!(found.alpn, None);
        let types: Vec<u16> = found.types().map(|(typ, _)| typ.0).collect();
        assert_eq!(types, [0, 0xff01, 10, 35, 51, 43, 13, 45, 28]);
        assert_eq!(written(|w| hello.write(w)), body);
    }

    #[test]
    fn can_be_cut_only_before_the_extensions() {
        // 2 + 32 + 1 + 2 + 6 + 2: what a client sends that knows no extensions.
        assert_exact(&bytes(CLIENT_HELLO), &[45], |body| {
            ClientHello::read(body).map(|_| ())
        });
    }

    #[test]
    fn a_hello_without_extensions_is_legal() {
        let mut body = hello(&[]);
        assert_eq!(
            ClientHello::read(&body).unwrap().extensions,
            ClientExtensions::default()
        );
        body.truncate(body.len() - 2);
        assert_eq!(
            ClientHello::read(&body).unwrap().extensions,
            ClientExtensions::default()
        );
    }

    #[test]
    fn lengths_are_checked() {
        let read = |session_id: &[u8], suites: &[u8], compression: &[u8]| {
            let body = written(|w| {
                w.bytes(&[3; 34]);
                write_session_id(w, session_id)?;
                w.vec16(|w| {
                    w.bytes(suites);
                    Ok(())
                })?;
                w.vec8(|w| {
                    w.bytes(compression);
                    Ok(())
                })
            });
            ClientHello::read(&body).map(|_| ()).map_err(Some)
        };
        let fails = |field, problem| Err(Some(malformed(field, problem)));
        assert_eq!(read(&[1; 32], &[0x13, 1], &[0]), Ok(()));
        assert_eq!(
            read(&[1; 33], &[0x13, 1], &[0]),
            fails("legacy_session_id", Problem::Length)
        );
        assert_eq!(
            read(&[], &[], &[0]),
            fails("cipher_suites", Problem::Length)
        );
        assert_eq!(
            read(&[], &[0x13, 1, 2], &[0]),
            fails("cipher_suites", Problem::Short)
        );
        let empty = fails("legacy_compression_methods", Problem::Length);
        assert_eq!(read(&[], &[0x13, 1], &[]), empty);
    }

    #[test]
    fn pre_shared_key_is_last_and_comes_with_modes() {
        let offer = [&[0, 7, 0, 1, 1, 0, 0, 0, 0][..], &[0, 33, 32], &[2; 32]].concat();
        let psk = (ExtensionType::PRE_SHARED_KEY, &offer[..]);
        let modes = (ExtensionType::PSK_KEY_EXCHANGE_MODES, &[1, 1][..]);
        let body = hello(&block(&[modes, psk]));
        let found = ClientHello::read(&body).unwrap().extensions;
        let found = found.pre_shared_key.unwrap();
        assert_eq!(found.identities.as_bytes(), &offer[2..9]);
        assert_eq!(found.binders.as_bytes(), &offer[11..]);
        assert_eq!(error(&[psk, modes]), PeerError::PskNotLast.into());
        assert_eq!(
            error(&[modes, psk, (ExtensionType(0x1a1a), &[])]),
            PeerError::PskNotLast.into()
        );
        assert_eq!(error(&[psk]), PeerError::PskWithoutModes.into());
    }

    #[test]
    fn flags_have_no_content() {
        let flags = [
            ExtensionType::EARLY_DATA,
            ExtensionType::POST_HANDSHAKE_AUTH,
            ExtensionType::EXTENDED_MAIN_SECRET,
        ];
        for typ in flags {
            assert_eq!(
                error(&[(typ, &[0])]),
                malformed(typ.name().unwrap(), Problem::Trailing)
            );
        }
        let body = hello(&block(&flags.map(|typ| (typ, &[][..]))));
        let found = ClientHello::read(&body).unwrap().extensions;
        assert!(found.early_data && found.post_handshake_auth && found.extended_main_secret);
    }

    #[test]
    fn extensions_shared_with_tls12_are_read() {
        let body = hello(&block(&[
            (ExtensionType::RENEGOTIATION_INFO, &[1, 9]),
            (ExtensionType::EC_POINT_FORMATS, &[2, 1, 0]),
            (ExtensionType::MAX_FRAGMENT_LENGTH, &[2]),
            (ExtensionType::RECORD_SIZE_LIMIT, &[0, 64]),
            (ExtensionType::CLIENT_CERTIFICATE_TYPE, &[1, 2]),
            (ExtensionType::SERVER_CERTIFICATE_TYPE, &[2, 0, 2]),
            (ExtensionType::COMPRESS_CERTIFICATE, &[2, 0, 1]),
        ]));
        let found = ClientHello::read(&body).unwrap().extensions;
        assert_eq!(found.renegotiation_info, Some(&[9][..]));
        assert_eq!(found.ec_point_formats, Some(&[1, 0][..]));
        assert_eq!(found.max_fragment_length, Some(2));
        assert_eq!(found.record_size_limit, Some(64));
        let client = found.client_certificate_types.unwrap();
        assert!(client.iter().eq([CertificateType::RAW_PUBLIC_KEY]));
        let server = found.server_certificate_types.unwrap();
        let expected = [CertificateType::X509, CertificateType::RAW_PUBLIC_KEY];
        assert!(server.iter().eq(expected));
        let algorithms = found.compress_certificate.unwrap();
        assert!(
            algorithms
                .iter()
                .eq([CertificateCompressionAlgorithm::ZLIB])
        );
    }

    #[test]
    fn contents_of_extensions_shared_with_tls12_are_checked() {
        let bad = Error::from(PeerError::BadExtension);
        assert_eq!(error(&[(ExtensionType::MAX_FRAGMENT_LENGTH, &[0])]), bad);
        assert_eq!(error(&[(ExtensionType::RECORD_SIZE_LIMIT, &[0, 63])]), bad);
        let cases = [
            (ExtensionType::EC_POINT_FORMATS, "ec_point_format_list"),
            (ExtensionType::CLIENT_CERTIFICATE_TYPE, "certificate_types"),
            (ExtensionType::SERVER_CERTIFICATE_TYPE, "certificate_types"),
            (ExtensionType::COMPRESS_CERTIFICATE, "algorithms"),
        ];
        for (typ, field) in cases {
            assert_eq!(error(&[(typ, &[0])]), malformed(field, Problem::Length));
        }
        let trailing = malformed("renegotiation_info", Problem::Trailing);
        let twice = (ExtensionType::RENEGOTIATION_INFO, &[0, 0][..]);
        assert_eq!(error(&[twice]), trailing);
    }

    #[test]
    fn unknown_extensions_are_kept_but_not_read() {
        let entries = [
            (ExtensionType(0x2a2a), &[1, 2][..]),
            (ExtensionType(0xfff0), &[]),
        ];
        let body = hello(&block(&entries));
        let hello = ClientHello::read(&body).unwrap();
        assert!(hello.extensions.types().eq(entries));
    }

    #[test]
    fn extensions_come_once_and_in_their_place() {
        let grease = (ExtensionType(0x2a2a), &[][..]);
        assert_eq!(
            error(&[grease, grease]),
            PeerError::DuplicateExtension.into()
        );
        let misplaced = error(&[(ExtensionType::OID_FILTERS, &[0, 0])]);
        assert_eq!(misplaced, PeerError::MisplacedExtension.into());
    }

    #[test]
    fn a_half_extension_is_refused() {
        for rest in [vec![0], vec![0, 0], vec![0, 0, 0], vec![0, 0, 0, 1]] {
            assert!(matches!(
                ClientHello::read(&hello(&rest)),
                Err(Error::Decode(_))
            ));
        }
    }
}
