//! The ClientHello, first and second, and the two answers to it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{
    CryptoError, KeyShare, NamedGroup, SecureRandom, SharedSecret, SignatureScheme, Suite13,
};

use super::super::record_limits::Wish;
use super::super::schedule13::HandshakeSecrets;
use super::super::{SessionId, StepOutcome};
#[cfg(feature = "tls12")]
use super::tls12;
use super::tls13::{self, AwaitEncryptedExtensions};
use super::{Env, Step};
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
use crate::messages::extensions::record_size_limit::write_record_size_limit;
use crate::messages::extensions::renegotiation_info::write_renegotiation_info;
use crate::messages::extensions::server_name::write_server_name;
use crate::messages::extensions::signature_algorithms::write_signature_algorithms;
use crate::messages::extensions::status_request::write_status_request;
use crate::messages::extensions::supported_groups::write_supported_groups;
use crate::messages::extensions::supported_versions::write_supported_versions;
use crate::messages::extensions::{self, ExtensionSet};
use crate::messages::server_hello::ServerHello;
use crate::messages::{CertificateType, ExtensionType, HandshakeType, ProtocolVersion};
use crate::record::joiner::Message;
use crate::{Error, Incompatible, PeerError, ServerName};

/// The kinds of extension a ClientHello of ours can carry, in the order of sending when the
/// configuration does not permute them.
const EXTENSIONS: [ExtensionType; 19] = [
    ExtensionType::SERVER_NAME,
    ExtensionType::MAX_FRAGMENT_LENGTH,
    ExtensionType::RECORD_SIZE_LIMIT,
    ExtensionType::EXTENDED_MAIN_SECRET,
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
];

/// Random choices that both ClientHellos of one connection must share.
#[derive(Clone, Copy)]
struct Shape {
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
    fn new(seed: &[u8; 32], grease: bool, permute: bool) -> Self {
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

/// What was offered, kept until the server has chosen.
struct Offer {
    shape: Shape,
    session_id: SessionId,
    shares: Vec<Box<dyn KeyShare>>,
    /// Whether `shares` is the single one that a HelloRetryRequest asked for.
    retrying: bool,
    sent: ExtensionSet,
}

/// Sends the first ClientHello.
pub(super) fn start(env: &mut Env<'_>) -> Result<AwaitServerHello, Error> {
    let config = env.config;
    let random = config.common.provider.random;
    // One draw for all that a hello needs at random.
    let mut bytes = [[0u8; 32]; 3];
    random.fill(bytes.as_flattened_mut())?;
    let [client_random, session_id, seed] = bytes;
    env.cx.client_random = client_random;
    let tls13 = config.common.versions.contains(ProtocolVersion::TLS13);
    let session_id: &[u8] = if config.middlebox_compatibility && tls13 {
        &session_id
    } else {
        &[]
    };
    let mut offer = Offer {
        shape: Shape::new(&seed, config.grease, config.permute_extensions),
        session_id: SessionId::copy(session_id),
        shares: if tls13 {
            first_shares(env, random)?
        } else {
            Vec::new()
        },
        retrying: false,
        sent: ExtensionSet::default(),
    };
    send_hello(&mut offer, None, env)?;
    Ok(AwaitServerHello {
        offer,
        retried: None,
    })
}

fn first_shares(env: &Env<'_>, random: &dyn SecureRandom) -> Result<Vec<Box<dyn KeyShare>>, Error> {
    let config = env.config;
    let mut shares: Vec<Box<dyn KeyShare>> = Vec::new();
    let count = match &config.key_share_groups {
        Some(_) => usize::MAX,
        None => config.key_shares,
    };
    let first = config.common.groups.iter().take(count);
    for group in first.filter(|group| may_share(config, group.name())) {
        if !covers(&shares, group.name()) {
            shares.push(group.start(random)?);
        }
    }
    let recalled = config
        .group_memory
        .as_ref()
        .and_then(|memory| memory.recall(env.name));
    let wanted = recalled.filter(|name| !shares.is_empty() && !covers(&shares, *name));
    if let Some(group) = config
        .common
        .groups
        .iter()
        .find(|group| Some(group.name()) == wanted)
    {
        shares = Vec::from([group.start(random)?]);
    }
    Ok(shares)
}

/// Whether the configuration allows for a share of this group.
fn may_share(config: &ClientConfig, name: NamedGroup) -> bool {
    let groups = config.key_share_groups.as_ref();
    groups.is_none_or(|groups| groups.contains(&name))
}

/// Whether one of `shares`, or the classical part of one, stands for this group.
fn covers(shares: &[Box<dyn KeyShare>], name: NamedGroup) -> bool {
    shares.iter().any(|share| {
        share.group() == name || share.classical_part().is_some_and(|(part, _)| part == name)
    })
}

/// The entries of `key_share`, in the order of `supported_groups` (RFC 9846, Section 4.3.8): for
/// each group its own share, or the part of a hybrid's share that serves it too.
fn share_entries<'a>(
    offer: &'a Offer,
    config: &'a ClientConfig,
) -> impl Iterator<Item = (NamedGroup, &'a [u8])> {
    let shares = &offer.shares;
    config.common.groups.iter().filter_map(|group| {
        let name = group.name();
        let own = shares.iter().find(|share| share.group() == name);
        // The answer to a HelloRetryRequest has exactly one share.
        let mut parts = shares
            .iter()
            .filter(|_| !offer.retrying && may_share(config, name))
            .filter_map(|share| share.classical_part());
        own.map(|share| (name, share.public()))
            .or_else(|| parts.find(|(part, _)| *part == name))
    })
}

fn send_hello(offer: &mut Offer, cookie: Option<&[u8]>, env: &mut Env<'_>) -> Result<(), Error> {
    let mut sent = ExtensionSet::default();
    let random = env.cx.client_random;
    let hello = HelloWriter {
        offer,
        cookie,
        random: &random,
        config: env.config,
        name: env.name,
    };
    env.cx
        .send(env.flight, HandshakeType::CLIENT_HELLO, &mut |w| {
            hello.write(w, &mut sent)
        })?;
    offer.sent = sent;
    env.flight.end_flight()
}

/// What a hello says about the length of records.
pub(super) fn record_limits(config: &ClientConfig) -> Wish {
    Wish {
        max_fragment_length: config.max_fragment_length.map(MaxFragmentLength::code),
        record_size_limit: config.common.record_size_limit,
    }
}

/// Everything that goes into one ClientHello.
struct HelloWriter<'a> {
    offer: &'a Offer,
    cookie: Option<&'a [u8]>,
    random: &'a [u8; 32],
    config: &'a ClientConfig,
    name: &'a ServerName,
}

impl HelloWriter<'_> {
    fn write(&self, w: &mut Writer<'_>, sent: &mut ExtensionSet) -> Result<(), Error> {
        let grease = self.offer.shape.grease;
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
            Ok(())
        })
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
            ExtensionType::EXTENDED_MAIN_SECRET | ExtensionType::POST_HANDSHAKE_AUTH => Ok(()),
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
                let schemes = config.common.provider.signature_schemes();
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
        let reserved = self.offer.shape.grease.filter(|_| !self.offer.retrying);
        let reserved = reserved.map(|grease| KeyShareEntry {
            group: NamedGroup(grease.group),
            key_exchange: &[0],
        });
        let shares =
            share_entries(self.offer, self.config).map(|(group, key_exchange)| KeyShareEntry {
                group,
                key_exchange,
            });
        write_key_shares(w, reserved.into_iter().chain(shares))
    }
}

/// The hello is out; the server chooses or asks again.
pub(super) struct AwaitServerHello {
    offer: Offer,
    /// What a HelloRetryRequest already settled.
    retried: Option<&'static Suite13>,
}

impl AwaitServerHello {
    /// Lets the server answer an extension that we did not send, for traces of other clients.
    #[cfg(test)]
    pub(super) fn also_sent(&mut self, typ: ExtensionType) {
        self.offer.sent.insert(typ);
    }

    pub(super) fn on_server_hello(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<StepOutcome<Step>, Error> {
        let hello = ServerHello::read(message.body(), &self.offer.sent)?;
        #[cfg(feature = "tls12")]
        if self.leads_to_tls12(&hello, env)? {
            let Offer {
                sent, session_id, ..
            } = &self.offer;
            return tls12::on_server_hello(&hello, sent, session_id.as_ref(), message, env);
        }
        let suite = self.check(&hello, env)?;
        if hello.is_retry() {
            self.on_retry(&hello, suite, message, env)
        } else {
            self.on_choice(&hello, suite, message, env)
        }
    }

    /// Whether the server chose TLS 1.2, and may.
    #[cfg(feature = "tls12")]
    fn leads_to_tls12(&self, hello: &ServerHello<'_>, env: &Env<'_>) -> Result<bool, Error> {
        let versions = env.config.common.versions;
        if hello.extensions.selected_version.is_some()
            || !versions.contains(ProtocolVersion::TLS12)
            || hello.legacy_version != ProtocolVersion::TLS12
            || hello.is_retry()
        {
            return Ok(false);
        }
        // RFC 9846, Section 4.2.3: such a server would have chosen TLS 1.3 if it had seen it.
        if versions.contains(ProtocolVersion::TLS13) && hello.is_downgraded() {
            return Err(PeerError::Downgrade.into());
        }
        if self.retried.is_some() {
            return Err(PeerError::RetrySuiteChanged.into());
        }
        Ok(true)
    }

    /// What ServerHello and HelloRetryRequest have in common (RFC 9846, Section 4.2.3).
    fn check(&self, hello: &ServerHello<'_>, env: &Env<'_>) -> Result<&'static Suite13, Error> {
        match hello.extensions.selected_version {
            None if hello.is_downgraded() => return Err(PeerError::Downgrade.into()),
            // A server that knows TLS 1.2 at best answers like this.
            None => return Err(Incompatible::Version.into()),
            Some(ProtocolVersion::TLS13)
                if env.config.common.versions.contains(ProtocolVersion::TLS13) => {}
            Some(_) => return Err(PeerError::VersionNotOffered.into()),
        }
        if hello.legacy_version != ProtocolVersion::TLS12 {
            return Err(PeerError::LegacyVersion.into());
        }
        if hello.session_id != self.offer.session_id.as_ref() {
            return Err(PeerError::SessionIdEcho.into());
        }
        if hello.compression_method != 0 {
            return Err(PeerError::Compression.into());
        }
        let offered = env
            .config
            .common
            .suites
            .iter()
            .find(|suite| suite.id == hello.cipher_suite);
        let suite = *offered.ok_or(PeerError::SuiteNotOffered)?;
        match self.retried {
            Some(before) if before.id != suite.id => Err(PeerError::RetrySuiteChanged.into()),
            _ => Ok(suite),
        }
    }

    /// Answers a HelloRetryRequest (RFC 9846, Section 4.2.4).
    fn on_retry(
        mut self,
        hello: &ServerHello<'_>,
        suite: &'static Suite13,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<StepOutcome<Step>, Error> {
        if self.retried.is_some() {
            return Err(PeerError::SecondRetry.into());
        }
        let extensions = &hello.extensions;
        match extensions.retry_group {
            Some(name) => self.replace_shares(name, env)?,
            None if extensions.cookie.is_none() => {
                return Err(PeerError::RetryWithoutChange.into());
            }
            None => {}
        }
        env.cx.info.retried = true;
        env.cx.transcript.retry(suite.hash);
        env.cx.transcript.add(message.bytes);
        if env.config.middlebox_compatibility {
            env.flight.change_cipher_spec();
        }
        send_hello(&mut self.offer, extensions.cookie, env)?;
        let step = Self {
            offer: self.offer,
            retried: Some(suite),
        };
        Ok(StepOutcome::step(Step::ServerHello(step)))
    }

    /// The group must be one that we offered, but sent no share for (RFC 9846, Section 4.3.8).
    fn replace_shares(&mut self, name: NamedGroup, env: &Env<'_>) -> Result<(), Error> {
        let shared = share_entries(&self.offer, env.config).any(|(group, _)| group == name);
        let group = env
            .config
            .common
            .groups
            .iter()
            .find(|group| group.name() == name);
        match group {
            Some(group) if !shared => {
                self.offer.shares = Vec::from([group.start(env.config.common.provider.random)?]);
                self.offer.retrying = true;
                Ok(())
            }
            _ => Err(PeerError::RetryGroup.into()),
        }
    }

    /// The server chose: keys for the rest of the handshake.
    fn on_choice(
        self,
        hello: &ServerHello<'_>,
        suite: &'static Suite13,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<StepOutcome<Step>, Error> {
        let share = hello
            .extensions
            .key_share
            .ok_or(PeerError::MissingExtension)?;
        let sent = self.offer.sent;
        let shared = Self::complete(self.offer, share, env.config)?;
        env.cx.transcript.start(suite.hash);
        env.cx.transcript.add(message.bytes);
        let secrets = HandshakeSecrets::new(suite, &shared, &env.cx.transcript.current())?;
        env.cx.log_traffic(&secrets.traffic);
        let info = &mut env.cx.info;
        info.version = Some(ProtocolVersion::TLS13);
        info.cipher_suite = Some(suite.id);
        info.group = Some(share.group);
        info.post_handshake_auth = sent.contains(ExtensionType::POST_HANDSHAKE_AUTH);
        // After a retry it went out before the second ClientHello (RFC 9846, Appendix E.4).
        if env.config.middlebox_compatibility && self.retried.is_none() {
            env.flight.change_cipher_spec();
        }
        env.cx
            .install_write(env.flight, secrets.traffic.client_keys())?;
        let read = secrets.traffic.server_keys();
        let step = AwaitEncryptedExtensions { secrets, sent };
        let step = Step::Tls13(tls13::Step::EncryptedExtensions(step));
        Ok(StepOutcome::step(step).read_with(read))
    }

    /// Finds the share that the server answers, which must be one we sent.
    fn complete(
        offer: Offer,
        answer: KeyShareEntry<'_>,
        config: &ClientConfig,
    ) -> Result<SharedSecret, Error> {
        if !share_entries(&offer, config).any(|(group, _)| group == answer.group) {
            return Err(PeerError::GroupNotOffered.into());
        }
        // One's own share comes before the part of a hybrid that precedes it in the list.
        let mut shares = offer.shares;
        let own = shares
            .iter()
            .position(|share| share.group() == answer.group);
        let part = shares.iter().position(|share| {
            share
                .classical_part()
                .is_some_and(|(group, _)| group == answer.group)
        });
        let share = shares.swap_remove(own.or(part).ok_or(PeerError::GroupNotOffered)?);
        share
            .complete(answer.group, answer.key_exchange)
            .map_err(|error| match error {
                CryptoError::InvalidPublicValue => PeerError::BadKeyShare.into(),
                other => other.into(),
            })
    }
}
