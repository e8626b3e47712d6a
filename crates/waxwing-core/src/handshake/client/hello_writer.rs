//! Writing a ClientHello (RFC 9846, Section 4.2.2).

use alloc::vec::Vec;

use waxwing_crypto::{HashContext, NamedGroup, SignatureScheme};

use super::super::record_limits::Wish;
use super::super::transcript::Transcript;
use super::hello::Offer;
use crate::codec::Writer;
use crate::config::client::ClientConfig;
use crate::messages::extensions::alpn::write_alpn;
use crate::messages::extensions::certificate_authorities::write_certificate_authorities;
use crate::messages::extensions::certificate_type::write_certificate_types;
use crate::messages::extensions::compress_certificate::write_compress_certificate;
use crate::messages::extensions::cookie::write_cookie;
use crate::messages::extensions::ec_point_formats::{UNCOMPRESSED, write_ec_point_formats};
use crate::messages::extensions::key_share::{KeyShareEntry, write_key_shares};
use crate::messages::extensions::max_fragment_length::{
    MaxFragmentLength, write_max_fragment_length,
};
use crate::messages::extensions::psk::{PSK_DHE_KE, PSK_KE, write_modes};
use crate::messages::extensions::record_size_limit::write_record_size_limit;
use crate::messages::extensions::renegotiation_info::write_renegotiation_info;
use crate::messages::extensions::server_name::write_server_name;
use crate::messages::extensions::session_ticket::write_session_ticket;
use crate::messages::extensions::signature_algorithms::write_signature_algorithms;
use crate::messages::extensions::status_request::write_status_request;
use crate::messages::extensions::supported_groups::write_supported_groups;
use crate::messages::extensions::supported_versions::write_supported_versions;
use crate::messages::extensions::ticket_request::write_ticket_request;
use crate::messages::extensions::{self, ExtensionSet};
use crate::messages::{CertificateType, ExtensionType, ProtocolVersion};
use crate::{Error, ServerName};

/// The kinds of extension a ClientHello of ours can carry, in the order of sending when the
/// configuration does not permute them.
const EXTENSIONS: [ExtensionType; 23] = [
    ExtensionType::SERVER_NAME,
    ExtensionType::MAX_FRAGMENT_LENGTH,
    ExtensionType::RECORD_SIZE_LIMIT,
    ExtensionType::EXTENDED_MAIN_SECRET,
    ExtensionType::SESSION_TICKET,
    ExtensionType::RENEGOTIATION_INFO,
    ExtensionType::EC_POINT_FORMATS,
    ExtensionType::STATUS_REQUEST,
    ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP,
    ExtensionType::SUPPORTED_GROUPS,
    ExtensionType::SIGNATURE_ALGORITHMS,
    ExtensionType::ALPN,
    ExtensionType::CERTIFICATE_AUTHORITIES,
    ExtensionType::COMPRESS_CERTIFICATE,
    ExtensionType::POST_HANDSHAKE_AUTH,
    ExtensionType::CLIENT_CERTIFICATE_TYPE,
    ExtensionType::SERVER_CERTIFICATE_TYPE,
    ExtensionType::SUPPORTED_VERSIONS,
    ExtensionType::COOKIE,
    ExtensionType::KEY_SHARE,
    ExtensionType::PSK_KEY_EXCHANGE_MODES,
    ExtensionType::EARLY_DATA,
    ExtensionType::TICKET_REQUEST,
];

/// Random choices that both ClientHellos of one connection must share.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    order: [ExtensionType; EXTENSIONS.len()],
    grease: Option<Grease>,
}

/// Reserved values to send (RFC 8701, Section 3.1).
#[derive(Clone, Copy)]
struct Grease {
    suite: u16,
    group: u16,
    version: u16,
    scheme: u16,
    first_extension: u16,
    last_extension: u16,
}

impl Shape {
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "small numbers, none of them a peer's"
    )]
    pub(super) fn new(seed: &[u8; 32], grease: bool, permute: bool) -> Self {
        let mut order = EXTENSIONS;
        let [g0, g1, g2, g3, g4, g5, swaps @ ..] = seed;
        if permute {
            // Fisher and Yates. The bias of the remainder is of no consequence here: the order
            // only has to vary.
            for (last, random) in (1..order.len()).rev().zip(swaps) {
                order.swap(last, usize::from(*random) % (last + 1));
            }
        }
        let value = |random: &u8| u16::from(random >> 4) * 0x1010 + 0x0a0a;
        let grease = grease.then(|| {
            let first_extension = value(g3);
            let other = value(g4);
            Grease {
                suite: value(g0),
                group: value(g1),
                version: value(g2),
                scheme: value(g5),
                first_extension,
                // The two must differ: no extension may come twice.
                last_extension: if other == first_extension {
                    other ^ 0x1010
                } else {
                    other
                },
            }
        });
        Self { order, grease }
    }
}

/// What a hello says about the length of records.
pub(super) fn record_limits(config: &ClientConfig) -> Wish {
    Wish {
        max_fragment_length: config.max_fragment_length.map(MaxFragmentLength::code),
        record_size_limit: config.common.record_size_limit,
    }
}

/// Everything that goes into one ClientHello.
pub(super) struct HelloWriter<'a> {
    pub(super) offer: &'a Offer,
    pub(super) cookie: Option<&'a [u8]>,
    pub(super) random: &'a [u8; 32],
    pub(super) config: &'a ClientConfig,
    pub(super) name: &'a ServerName,
    /// What came before this hello.
    pub(super) transcript: &'a Transcript,
}

impl HelloWriter<'_> {
    /// Gives the hash of what came before and the hello, if there was a binder to be made of it.
    pub(super) fn write(
        &self,
        w: &mut Writer<'_>,
        sent: &mut ExtensionSet,
    ) -> Result<Option<HashContext>, Error> {
        let grease = self.offer.shape.grease;
        let start = w.position();
        w.u16(ProtocolVersion::TLS12.0);
        w.bytes(self.random);
        w.vec8(|w| {
            w.bytes(self.offer.session_id.as_ref());
            Ok(())
        })?;
        w.vec16(|w| {
            for id in grease
                .map(|grease| grease.suite)
                .into_iter()
                .chain(self.suites())
            {
                w.u16(id);
            }
            Ok(())
        })?;
        // legacy_compression_methods: null alone (RFC 9846, Section 4.2.2).
        w.bytes(&[1, 0]);
        w.vec16(|w| {
            if let Some(grease) = grease {
                let typ = ExtensionType(grease.first_extension);
                sent.insert(typ);
                extensions::write(w, typ, |_| Ok(()))?;
            }
            for typ in self.offer.shape.order {
                self.write_extension(typ, w, sent)?;
            }
            if let Some(grease) = grease {
                let typ = ExtensionType(grease.last_extension);
                sent.insert(typ);
                // One byte, so that servers meet unknown extensions with and without content.
                extensions::write(w, typ, |w| {
                    w.u8(0);
                    Ok(())
                })?;
            }
            if self.offer.psk.is_empty() {
                return Ok(());
            }
            // RFC 9846, Section 4.3.11: always the last.
            let typ = ExtensionType::PRE_SHARED_KEY;
            sent.insert(typ);
            extensions::write(w, typ, |w| self.offer.psk.write(w))
        })?;
        self.offer.psk.bind(w, start, self.transcript)
    }

    fn suites(&self) -> impl Iterator<Item = u16> {
        let common = &self.config.common;
        let suites = common.suites.iter().map(|suite| suite.id.0);
        #[cfg(feature = "tls12")]
        let suites = suites.chain(common.suites12.iter().map(|suite| suite.id.0));
        suites
    }

    fn speaks(&self, version: ProtocolVersion) -> bool {
        self.config.common.versions.contains(version)
    }

    /// Writes one extension if there is something to say in it.
    fn write_extension(
        &self,
        typ: ExtensionType,
        w: &mut Writer<'_>,
        sent: &mut ExtensionSet,
    ) -> Result<(), Error> {
        if !self.applies(typ) {
            return Ok(());
        }
        sent.insert(typ);
        extensions::write(w, typ, |w| self.write_content(typ, w))
    }

    fn host(&self) -> Option<&str> {
        self.name.dns().filter(|_| self.config.send_server_name)
    }

    fn applies(&self, typ: ExtensionType) -> bool {
        let config = self.config;
        let wish = record_limits(config);
        match typ {
            ExtensionType::SERVER_NAME => self.host().is_some(),
            ExtensionType::STATUS_REQUEST => config.request_ocsp,
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => config.request_scts,
            ExtensionType::ALPN => !config.common.alpn.is_empty(),
            ExtensionType::CERTIFICATE_AUTHORITIES => !config.certificate_authorities.is_empty(),
            ExtensionType::POST_HANDSHAKE_AUTH => {
                config.post_handshake_auth && self.speaks(ProtocolVersion::TLS13)
            }
            ExtensionType::COOKIE => self.cookie.is_some(),
            ExtensionType::MAX_FRAGMENT_LENGTH => wish.max_fragment_length.is_some(),
            ExtensionType::RECORD_SIZE_LIMIT => wish.record_size_limit.is_some(),
            // RFC 7250, Section 4.1: who has nothing but the default says nothing.
            ExtensionType::CLIENT_CERTIFICATE_TYPE => {
                config.certificates.is_some()
                    && config.client_certificate_types != [CertificateType::X509]
            }
            ExtensionType::SERVER_CERTIFICATE_TYPE => {
                config.server_certificate_types != [CertificateType::X509]
            }
            // RFC 8879, Section 3: before TLS 1.3 nothing is compressed.
            ExtensionType::COMPRESS_CERTIFICATE => {
                self.speaks(ProtocolVersion::TLS13) && !config.common.decompressors.is_empty()
            }
            ExtensionType::SUPPORTED_VERSIONS | ExtensionType::KEY_SHARE => {
                self.speaks(ProtocolVersion::TLS13)
            }
            ExtensionType::SESSION_TICKET => {
                config.sessions.is_some() && self.speaks(ProtocolVersion::TLS12)
            }
            // RFC 9846, Section 4.3.9: without it a server sends no tickets.
            ExtensionType::PSK_KEY_EXCHANGE_MODES => {
                self.speaks(ProtocolVersion::TLS13)
                    && (config.sessions.is_some() || !self.offer.psk.is_empty())
            }
            ExtensionType::EARLY_DATA => self.offer.psk.has_early_data(),
            ExtensionType::TICKET_REQUEST => {
                self.speaks(ProtocolVersion::TLS13)
                    && config.sessions.is_some()
                    && config.ticket_request.is_some()
            }
            ExtensionType::EXTENDED_MAIN_SECRET
            | ExtensionType::RENEGOTIATION_INFO
            | ExtensionType::EC_POINT_FORMATS => self.speaks(ProtocolVersion::TLS12),
            _ => true,
        }
    }

    fn write_content(&self, typ: ExtensionType, w: &mut Writer<'_>) -> Result<(), Error> {
        let config = self.config;
        let grease = self.offer.shape.grease;
        let wish = record_limits(config);
        match typ {
            ExtensionType::SERVER_NAME => write_server_name(w, self.host().unwrap_or_default()),
            ExtensionType::STATUS_REQUEST => write_status_request(w),
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => Ok(()),
            ExtensionType::MAX_FRAGMENT_LENGTH => {
                write_max_fragment_length(w, wish.max_fragment_length.unwrap_or_default())
            }
            ExtensionType::RECORD_SIZE_LIMIT => {
                write_record_size_limit(w, wish.record_size_limit.unwrap_or_default())
            }
            ExtensionType::EXTENDED_MAIN_SECRET
            | ExtensionType::POST_HANDSHAKE_AUTH
            | ExtensionType::EARLY_DATA => Ok(()),
            ExtensionType::PSK_KEY_EXCHANGE_MODES if config.psk_without_key_exchange => {
                write_modes(w, &[PSK_DHE_KE, PSK_KE])
            }
            ExtensionType::PSK_KEY_EXCHANGE_MODES => write_modes(w, &[PSK_DHE_KE]),
            ExtensionType::TICKET_REQUEST => match config.ticket_request {
                Some(request) => write_ticket_request(w, request),
                None => Ok(()),
            },
            ExtensionType::SESSION_TICKET => write_session_ticket(w, self.offer.ticket12()),
            ExtensionType::RENEGOTIATION_INFO => write_renegotiation_info(w, &[]),
            ExtensionType::EC_POINT_FORMATS => write_ec_point_formats(w, &[UNCOMPRESSED]),
            ExtensionType::SUPPORTED_GROUPS => {
                let reserved = grease.map(|grease| NamedGroup(grease.group));
                let tls13 = self.speaks(ProtocolVersion::TLS13);
                let groups = config.common.groups.iter().map(|group| group.name());
                let groups = groups.filter(|group| tls13 || group.allowed_in_tls12());
                write_supported_groups(w, reserved.into_iter().chain(groups))
            }
            ExtensionType::SIGNATURE_ALGORITHMS => {
                let reserved = grease.map(|grease| SignatureScheme(grease.scheme));
                let schemes = config.common.signature_schemes.iter().copied();
                write_signature_algorithms(w, reserved.into_iter().chain(schemes))
            }
            ExtensionType::ALPN => write_alpn(w, config.common.alpn.iter().map(Vec::as_slice)),
            ExtensionType::CERTIFICATE_AUTHORITIES => {
                let names = config.certificate_authorities.iter().map(Vec::as_slice);
                write_certificate_authorities(w, names)
            }
            ExtensionType::COMPRESS_CERTIFICATE => {
                let known = config.common.decompressors.iter();
                write_compress_certificate(w, known.map(|known| known.algorithm()))
            }
            ExtensionType::CLIENT_CERTIFICATE_TYPE => {
                write_certificate_types(w, config.client_certificate_types.iter().copied())
            }
            ExtensionType::SERVER_CERTIFICATE_TYPE => {
                write_certificate_types(w, config.server_certificate_types.iter().copied())
            }
            ExtensionType::SUPPORTED_VERSIONS => {
                let reserved = grease.map(|grease| ProtocolVersion(grease.version));
                let versions = config.common.versions.iter().rev();
                write_supported_versions(w, reserved.into_iter().chain(versions))
            }
            ExtensionType::COOKIE => write_cookie(w, self.cookie.unwrap_or_default()),
            _ => self.write_shares(w),
        }
    }

    fn write_shares(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        // A reserved group comes with a share of one byte (RFC 8701, Section 3.1), but not
        // beside the single share that answers a HelloRetryRequest.
        let reserved = self
            .offer
            .shape
            .grease
            .filter(|_| !self.offer.shares.retrying);
        let reserved = reserved.map(|grease| KeyShareEntry {
            group: NamedGroup(grease.group),
            key_exchange: &[0],
        });
        let shares = self
            .offer
            .shares
            .entries(self.config)
            .map(|(group, key_exchange)| KeyShareEntry {
                group,
                key_exchange,
            });
        write_key_shares(w, reserved.into_iter().chain(shares))
    }
}
