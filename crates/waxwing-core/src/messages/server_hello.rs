//! ServerHello and HelloRetryRequest (RFC 9846, Sections 4.2.3 and 4.2.4).

use waxwing_crypto::{CipherSuite, NamedGroup};

use super::extensions::{
    self, ExtensionSet, KeyShareEntry, Place, cookie, key_share, psk, supported_versions,
};
use super::registry::{ExtensionType, ProtocolVersion};
use super::{read_session_id, write_session_id};
use crate::Error;
use crate::codec::{List, Read, Reader, Writer};

/// The random that makes a ServerHello a HelloRetryRequest: the SHA-256 hash of
/// "HelloRetryRequest" (RFC 9846, Section 4.2.3).
pub(crate) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// The end of the random of a server that knows TLS 1.3 but chose TLS 1.2, or TLS 1.1 and before
/// (RFC 9846, Section 4.2.3).
const DOWNGRADE: [&[u8; 8]; 2] = [b"DOWNGRD\x01", b"DOWNGRD\x00"];

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
    /// The content of the `extensions` vector if it has no supported_versions: it follows the
    /// rules of TLS 1.2, and nothing is set in `extensions`. Empty otherwise.
    pub(crate) block: &'a [u8],
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

    /// Whether the random says that the server would have chosen TLS 1.3 had it been offered.
    pub(crate) fn is_downgraded(&self) -> bool {
        DOWNGRADE.iter().any(|end| self.random.ends_with(*end))
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
            block: &[],
        };
        // A server of TLS 1.2 that knows no extensions ends here.
        if reader.is_empty() {
            return Ok(hello);
        }
        let mut block = reader.vec16("extensions")?;
        reader.finish()?;
        let place = if hello.is_retry() {
            Place::HelloRetryRequest
        } else {
            Place::ServerHello
        };
        hello.extensions = ServerHelloExtensions::read(block.clone(), place, offered)?;
        if hello.extensions.selected_version.is_none() {
            hello.block = block.take_rest();
        }
        Ok(hello)
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.u16(self.legacy_version.0);
        w.bytes(self.random);
        write_session_id(w, self.session_id)?;
        w.u16(self.cipher_suite.0);
        w.u8(self.compression_method);
        // RFC 5246, Section 7.4.1.3: a client that knows no extensions expects no vector either.
        if self.block.is_empty() && self.extensions == ServerHelloExtensions::default() {
            return Ok(());
        }
        w.vec16(|w| {
            self.extensions.write(w)?;
            w.bytes(self.block);
            Ok(())
        })
    }
}

impl<'a> ServerHelloExtensions<'a> {
    fn read(reader: Reader<'a>, place: Place, offered: &ExtensionSet) -> Result<Self, Error> {
        // RFC 9846, Section 4.3.1: this extension is looked at before all others, since they
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

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{
        HELLO_RETRY_REQUEST, SERVER_HELLO, assert_exact, block, bytes, malformed, set, written,
    };
    use super::*;
    use crate::error::{PeerError, Problem};

    const TLS13: (ExtensionType, &[u8]) = (ExtensionType::SUPPORTED_VERSIONS, &[3, 4]);

    fn offered() -> ExtensionSet {
        set(&[
            ExtensionType::SERVER_NAME,
            ExtensionType::SUPPORTED_VERSIONS,
            ExtensionType::KEY_SHARE,
            ExtensionType::PRE_SHARED_KEY,
            ExtensionType(0x1a1a),
        ])
    }

    fn body(random: &[u8; 32], entries: &[(ExtensionType, &[u8])]) -> Vec<u8> {
        written(|w| {
            w.bytes(&[3, 3]);
            w.bytes(random);
            w.bytes(&[0, 0x13, 1, 0]);
            w.vec16(|w| {
                w.bytes(&block(entries));
                Ok(())
            })
        })
    }

    fn error(random: &[u8; 32], entries: &[(ExtensionType, &[u8])]) -> Error {
        ServerHello::read(&body(random, entries), &offered()).unwrap_err()
    }

    #[test]
    fn reads_and_writes_the_hello_of_rfc_8448() {
        let body = bytes(SERVER_HELLO);
        let hello = ServerHello::read(&body, &offered()).unwrap();
        assert!(!hello.is_retry());
        assert_eq!(hello.legacy_version, ProtocolVersion::TLS12);
        assert_eq!(hello.random[..4], [0xa6, 0xaf, 0x06, 0xa4]);
        assert_eq!(hello.cipher_suite, CipherSuite::TLS13_AES_128_GCM_SHA256);
        assert_eq!((hello.session_id, hello.compression_method), (&[][..], 0));
        let found = hello.extensions;
        assert_eq!(found.selected_version, Some(ProtocolVersion::TLS13));
        let share = found.key_share.unwrap();
        assert_eq!(
            (share.group, share.key_exchange.len()),
            (NamedGroup::X25519, 32)
        );
        assert_eq!(
            (found.retry_group, found.cookie, found.pre_shared_key),
            (None, None, None)
        );
        assert!(hello.block.is_empty());
        assert_eq!(written(|w| hello.write(w)), body);
    }

    #[test]
    fn can_be_cut_only_before_the_extensions() {
        // 2 + 32 + 1 + 2 + 1: what a server of TLS 1.2 sends that knows no extensions.
        assert_exact(&bytes(SERVER_HELLO), &[38], |body| {
            ServerHello::read(body, &offered()).map(|_| ())
        });
        let retry = bytes(HELLO_RETRY_REQUEST);
        assert_exact(&retry, &[38], |body| {
            ServerHello::read(body, &offered()).map(|_| ())
        });
    }

    #[test]
    fn reads_and_writes_the_retry_of_rfc_8448() {
        let body = bytes(HELLO_RETRY_REQUEST);
        // The cookie was not offered: no client has one to offer.
        let hello = ServerHello::read(&body, &offered()).unwrap();
        assert!(hello.is_retry());
        let found = hello.extensions;
        assert_eq!(found.selected_version, Some(ProtocolVersion::TLS13));
        assert_eq!(found.retry_group, Some(NamedGroup::SECP256R1));
        assert_eq!(found.cookie.unwrap().len(), 0x72);
        assert_eq!((found.key_share, found.pre_shared_key), (None, None));
        assert_eq!(written(|w| hello.write(w)), body);
    }

    #[test]
    fn the_form_of_key_share_depends_on_the_message() {
        let group = (ExtensionType::KEY_SHARE, &[0, 0x1d][..]);
        let entry = (ExtensionType::KEY_SHARE, &[0, 0x1d, 0, 1, 7][..]);
        let short = malformed("key_share", Problem::Short);
        assert_eq!(error(&[1; 32], &[TLS13, group]), short);
        let trailing = malformed("key_share", Problem::Trailing);
        assert_eq!(error(&RETRY_RANDOM, &[TLS13, entry]), trailing);
    }

    #[test]
    fn a_hello_of_tls12_is_not_judged_by_the_rules_of_tls13() {
        let entries: [(ExtensionType, &[u8]); 3] = [
            (ExtensionType::RENEGOTIATION_INFO, &[0]),
            (ExtensionType::SERVER_NAME, &[]),
            (ExtensionType::KEY_SHARE, &[]),
        ];
        let body = body(&[1; 32], &entries);
        let hello = ServerHello::read(&body, &offered()).unwrap();
        assert_eq!(hello.extensions, ServerHelloExtensions::default());
        assert_eq!(hello.block, block(&entries));
        assert_eq!(written(|w| hello.write(w)), body);
        let cut = &body[..body.len() - 1];
        assert!(matches!(
            ServerHello::read(cut, &offered()),
            Err(Error::Decode(_))
        ));
    }

    #[test]
    fn a_hello_of_tls12_may_have_no_extensions() {
        let body = body(&[1; 32], &[]);
        let hello = ServerHello::read(&body, &offered()).unwrap();
        let empty = (ServerHelloExtensions::default(), &[][..]);
        assert_eq!((hello.extensions, hello.block), empty);
        let again = written(|w| hello.write(w));
        assert_eq!(again, body[..body.len() - 2]);
        assert_eq!(ServerHello::read(&again, &offered()), Ok(hello));
    }

    #[test]
    fn only_offered_extensions_in_their_place_once() {
        let psk = (ExtensionType::PRE_SHARED_KEY, &[0, 0][..]);
        let cases: [(&[u8; 32], ExtensionType, PeerError); 7] = [
            (
                &[1; 32],
                ExtensionType::COOKIE,
                PeerError::UnsolicitedExtension,
            ),
            (
                &[1; 32],
                ExtensionType::ALPN,
                PeerError::UnsolicitedExtension,
            ),
            (
                &[1; 32],
                ExtensionType(0xfff0),
                PeerError::UnsolicitedExtension,
            ),
            (
                &[1; 32],
                ExtensionType(0x1a1a),
                PeerError::UnsolicitedExtension,
            ),
            (
                &[1; 32],
                ExtensionType::SERVER_NAME,
                PeerError::MisplacedExtension,
            ),
            (&RETRY_RANDOM, psk.0, PeerError::MisplacedExtension),
            (&[1; 32], TLS13.0, PeerError::DuplicateExtension),
        ];
        for (random, typ, rule) in cases {
            assert_eq!(
                error(random, &[TLS13, (typ, &[0, 0])]),
                rule.into(),
                "{typ}"
            );
        }
        let body = body(&[1; 32], &[TLS13, psk]);
        let hello = ServerHello::read(&body, &offered()).unwrap();
        assert_eq!(hello.extensions.pre_shared_key, Some(0));
    }

    #[test]
    fn a_long_session_id_is_refused() {
        let body = written(|w| {
            w.bytes(&[3; 34]);
            write_session_id(w, &[0; 33])?;
            w.bytes(&[0x13, 1, 0]);
            Ok(())
        });
        let error = ServerHello::read(&body, &offered()).unwrap_err();
        assert_eq!(error, malformed("legacy_session_id", Problem::Length));
    }
}
