//! Bodies of the messages that a [`Puppet`](super::puppet::Puppet) says by itself.

use waxwing_core::CertCompressor;

use super::encoded::{AGE, AGE_ADD};
use super::known::{PLAIN_IDENTITY, SESSION_ID, TICKET, TICKET12};
use super::wire::{extension, take, take_u16, vec};
use crate::compression::RUN_LENGTH;
use crate::fake::{CERTIFICATE, SHARE_LEN, SIGNATURE, spki};

/// RFC 9846, Section 4.2.3: the random of a HelloRetryRequest.
pub(super) const RETRY_RANDOM: [u8; 32] =
    *b"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\
    \xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

const EC_POINT_FORMATS: u16 = 11;
const EXTENDED_MAIN_SECRET: u16 = 23;
const RENEGOTIATION_INFO: u16 = 0xff01;
const SERVER_NAME: u16 = 0;
const STATUS_REQUEST: u16 = 5;
const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SERVER_CERTIFICATE_TYPE: u16 = 20;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;
const COOKIE: u16 = 44;
const PSK_KEY_EXCHANGE_MODES: u16 = 45;
const CERTIFICATE_AUTHORITIES: u16 = 47;
const KEY_SHARE: u16 = 51;

/// The part of [`encrypted_extensions`] that tells of a raw public key (RFC 7250).
pub(super) const RAW_PUBLIC_KEY: u8 = 4;
/// The part that says that early data is taken.
pub(super) const TAKES_EARLY_DATA: u8 = 8;

/// Bytes of the binders that puppets make.
const BINDER_LEN: usize = 32;

const TLS13: [u8; 2] = [3, 4];
const ECDSA_P256: [u8; 2] = [4, 3];

/// What a puppet learns from a ClientHello.
#[derive(Default)]
pub(super) struct HeardClientHello {
    pub(super) session_id: Vec<u8>,
    /// The groups, without GREASE.
    pub(super) groups: Vec<u16>,
    /// The groups of its key shares, likewise.
    pub(super) shares: Vec<u16>,
    /// Whether it asks for the status of the certificate.
    pub(super) status_request: bool,
    /// Whether it offers PSKs.
    pub(super) psks: bool,
    /// The session ticket of TLS 1.2, if there is room for one.
    pub(super) ticket: Option<Vec<u8>>,
}

impl HeardClientHello {
    /// `None` if the body is not well-formed, which an engine's never is.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut rest = body.get(34..)?;
        let session_id = take::<1>(&mut rest)?.to_vec();
        take::<2>(&mut rest)?;
        take::<1>(&mut rest)?;
        let mut heard = Self {
            session_id,
            ..Self::default()
        };
        let mut extensions = take::<2>(&mut rest)?;
        while let Some(typ) = take_u16(&mut extensions) {
            let mut data = take::<2>(&mut extensions)?;
            match typ {
                SUPPORTED_GROUPS => {
                    let mut list = take::<2>(&mut data)?;
                    while let Some(group) = take_u16(&mut list) {
                        heard.groups.push(group);
                    }
                }
                KEY_SHARE => {
                    let mut list = take::<2>(&mut data)?;
                    while let Some(group) = take_u16(&mut list) {
                        heard.shares.push(group);
                        take::<2>(&mut list)?;
                    }
                }
                STATUS_REQUEST => heard.status_request = true,
                PRE_SHARED_KEY => heard.psks = true,
                SESSION_TICKET => heard.ticket = Some(data.to_vec()),
                _ => {}
            }
        }
        let real = |group: &u16| group & 0x0f0f != 0x0a0a;
        heard.groups.retain(real);
        heard.shares.retain(real);
        Some(heard)
    }
}

/// What a puppet learns from a ServerHello.
#[derive(Clone, Default)]
pub(super) struct HeardServerHello {
    pub(super) is_retry: bool,
    pub(super) suite: u16,
    pub(super) group: u16,
    pub(super) cookie: Option<Vec<u8>>,
}

impl HeardServerHello {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut heard = Self {
            is_retry: body.get(2..34)? == RETRY_RANDOM,
            ..Self::default()
        };
        let mut rest = body.get(34..)?;
        take::<1>(&mut rest)?;
        heard.suite = take_u16(&mut rest)?;
        rest = rest.get(1..)?;
        // A server of TLS 1.2 with nothing to say ends here.
        if rest.is_empty() {
            return Some(heard);
        }
        let mut extensions = take::<2>(&mut rest)?;
        while let Some(typ) = take_u16(&mut extensions) {
            let mut data = take::<2>(&mut extensions)?;
            match typ {
                KEY_SHARE => heard.group = take_u16(&mut data)?,
                COOKIE => heard.cookie = Some(take::<2>(&mut data)?.to_vec()),
                _ => {}
            }
        }
        Some(heard)
    }
}

/// Which parts a ClientHello has, one bit each; in TLS 1.2 some are for a server too.
#[derive(Clone, Copy)]
pub(super) struct Parts(pub(super) u16);

impl Parts {
    pub(super) const TLS12: Self = Self(1 << 11);
    const NO_EXTENDED_MAIN_SECRET: Self = Self(1 << 12);
    const NO_RENEGOTIATION_INFO: Self = Self(1 << 13);
    /// A server that asks for a certificate.
    pub(super) const ASKS: Self = Self(1 << 14);
    /// A client that says nothing of signatures.
    const NO_ALGORITHMS: Self = Self(1 << 15);
    const NO_SHARE: Self = Self(1);
    const OTHER_SHARE: Self = Self(1 << 1);
    const SESSION_ID: Self = Self(1 << 2);
    const SERVER_NAME: Self = Self(1 << 3);
    const ALPN: Self = Self(1 << 4);
    pub(super) const STATUS_REQUEST: Self = Self(1 << 5);
    const EARLY_DATA: Self = Self(1 << 6);
    const AUTHORITIES: Self = Self(1 << 7);
    const GREASE: Self = Self(1 << 8);
    const SHA384_ONLY: Self = Self(1 << 9);
    const OLD_VERSIONS: Self = Self(1 << 10);

    /// A client of TLS 1.3 that offers its session.
    const OFFERS_TICKET: Self = Self(1 << 12);
    /// One that offers its key, after the session.
    const OFFERS_KEY: Self = Self(1 << 13);
    /// One that wants no key exchange with it.
    const WITHOUT_EXCHANGE: Self = Self(1 << 14);
    /// A client of TLS 1.2 that knows tickets but has none.
    const KNOWS_TICKETS: Self = Self(1);
    /// One that has a ticket.
    const SHOWS_TICKET: Self = Self(1 << 1);

    /// A server that takes what the client offers: a PSK, or a ticket of TLS 1.2.
    const RESUMES: Self = Self(1 << 1);
    /// In TLS 1.2, a server that gives a ticket.
    const GIVES_TICKET: Self = Self(1 << 2);
    /// In TLS 1.2, a server that gives a session id.
    const GIVES_ID: Self = Self(1 << 3);
    /// In TLS 1.3, a server that does without a key exchange.
    const EXCHANGES_NOTHING: Self = Self(1 << 2);

    /// Whether a server resumes what this client offers.
    pub(super) fn resumes(self, heard: &HeardClientHello) -> bool {
        let offered = if self.has(Self::TLS12) {
            heard
                .ticket
                .as_ref()
                .is_some_and(|ticket| !ticket.is_empty())
        } else {
            heard.psks
        };
        offered && self.has(Self::RESUMES)
    }

    /// Whether a server of TLS 1.2 sends a ticket.
    pub(super) const fn gives_ticket(self, heard: &HeardClientHello) -> bool {
        heard.ticket.is_some() && self.has(Self::GIVES_TICKET)
    }

    /// The place of the PSK that a server takes.
    fn psk(self) -> u16 {
        self.0 >> 3 & 3
    }

    /// What a client of TLS 1.3 offers, and for each whether it is a session. There is one kind of
    /// binder.
    fn psks(self) -> Vec<(&'static [u8], bool)> {
        let mut psks = Vec::new();
        if self.has(Self::OFFERS_TICKET) {
            psks.push((TICKET, true));
        }
        if self.has(Self::OFFERS_KEY) {
            psks.push((PLAIN_IDENTITY, false));
        }
        psks
    }

    pub(super) const fn has(self, part: Self) -> bool {
        self.0 & part.0 != 0
    }
}

/// A ClientHello; the second one if `retry` says what was asked for. Its binders are zeros.
pub(super) fn client_hello(parts: Parts, retry: Option<&HeardServerHello>) -> Vec<u8> {
    let has = |part| parts.has(part);
    let session_id: &[u8] = if has(Parts::SESSION_ID) {
        &SESSION_ID
    } else {
        &[]
    };
    let suites: &[u8] = match (has(Parts::SHA384_ONLY), has(Parts::GREASE)) {
        (_, true) if has(Parts::TLS12) => &[0x1a, 0x1a, 0xc0, 0x2b, 0, 0xff],
        _ if has(Parts::TLS12) => &[0, 0x2f, 0xc0, 0x2b],
        (true, _) => &[0x13, 2],
        (false, false) => &[0x13, 1, 0x13, 2],
        (false, true) => &[0x1a, 0x1a, 0x13, 1, 0, 0xff],
    };
    let group: u16 = if has(Parts::OTHER_SHARE) { 23 } else { 29 };
    let shares = match retry {
        Some(retry) => share(retry.group),
        None if has(Parts::NO_SHARE) => Vec::new(),
        None if has(Parts::GREASE) => [[0x2a, 0x2a, 0, 1, 0].as_slice(), &share(group)].concat(),
        None => share(group),
    };
    let versions: &[u8] = if has(Parts::OLD_VERSIONS) {
        &[3, 3, 3, 4]
    } else {
        &TLS13
    };
    let mut extensions = extension(SUPPORTED_GROUPS, &vec::<2>(&[0x11, 0xec, 0, 29, 0, 23]));
    if has(Parts::TLS12) {
        extensions.extend(old_extensions(parts));
        extensions.extend(shown_ticket(parts));
    } else {
        extensions.extend(extension(SUPPORTED_VERSIONS, &vec::<1>(versions)));
        extensions.extend(extension(KEY_SHARE, &vec::<2>(&shares)));
    }
    if !(has(Parts::TLS12) && has(Parts::NO_ALGORITHMS)) {
        extensions.extend(extension(SIGNATURE_ALGORITHMS, &vec::<2>(&ECDSA_P256)));
    }
    let mut add = |part, typ, data: &[u8]| {
        if has(part) {
            extensions.extend(extension(typ, data));
        }
    };
    let host = [&[0], vec::<2>(b"server.example").as_slice()].concat();
    add(Parts::GREASE, 0x3a3a, &[]);
    add(Parts::SERVER_NAME, SERVER_NAME, &vec::<2>(&host));
    add(Parts::ALPN, ALPN, &vec::<2>(b"\x02h2\x08http/1.1"));
    add(Parts::STATUS_REQUEST, STATUS_REQUEST, &[1, 0, 0, 0, 0]);
    add(
        Parts::AUTHORITIES,
        CERTIFICATE_AUTHORITIES,
        &vec::<2>(&vec::<2>(b"a name")),
    );
    match retry {
        None => add(Parts::EARLY_DATA, EARLY_DATA, &[]),
        Some(retry) => {
            if let Some(cookie) = &retry.cookie {
                extensions.extend(extension(COOKIE, &vec::<2>(cookie)));
            }
        }
    }
    // RFC 9846, Section 4.3.11: the last one.
    if !has(Parts::TLS12) {
        extensions.extend(offered_psks(parts));
    }
    [
        &[3, 3],
        [0x43; 32].as_slice(),
        &vec::<1>(session_id),
        &vec::<2>(suites),
        &[1, 0],
        &vec::<2>(&extensions),
    ]
    .concat()
}

/// What a ClientHello says of PSKs.
fn offered_psks(parts: Parts) -> Vec<u8> {
    let psks = parts.psks();
    if psks.is_empty() {
        return Vec::new();
    }
    let mode = u8::from(!parts.has(Parts::WITHOUT_EXCHANGE));
    let (mut identities, mut binders) = (Vec::new(), Vec::new());
    for (identity, is_session) in psks {
        let age = if is_session {
            AGE.wrapping_add(AGE_ADD)
        } else {
            0
        };
        identities.extend([vec::<2>(identity).as_slice(), &age.to_be_bytes()].concat());
        binders.extend(vec::<1>(&[0; BINDER_LEN]));
    }
    let offer = [vec::<2>(&identities), vec::<2>(&binders)].concat();
    [
        extension(PSK_KEY_EXCHANGE_MODES, &vec::<1>(&[mode])),
        extension(PRE_SHARED_KEY, &offer),
    ]
    .concat()
}

/// Puts binders where the zeros are in a whole ClientHello: `binder` makes one of what they cover,
/// and is told whether it is for a session.
pub(super) fn bind(parts: Parts, hello: &mut Vec<u8>, binder: impl Fn(&[u8], bool) -> Vec<u8>) {
    let psks = parts.psks();
    if parts.has(Parts::TLS12) || psks.is_empty() {
        return;
    }
    let end = hello.len() - psks.len() * (BINDER_LEN + 1);
    let covered = hello[..end - 2].to_vec();
    hello.truncate(end);
    for (_, is_session) in psks {
        hello.extend(vec::<1>(&binder(&covered, is_session)));
    }
}

/// What only TLS 1.2 has, from a client.
fn shown_ticket(parts: Parts) -> Vec<u8> {
    if parts.has(Parts::SHOWS_TICKET) {
        extension(SESSION_TICKET, TICKET12)
    } else if parts.has(Parts::KNOWS_TICKETS) {
        extension(SESSION_TICKET, &[])
    } else {
        Vec::new()
    }
}

/// What only TLS 1.2 has, on either side.
fn old_extensions(parts: Parts) -> Vec<u8> {
    let mut extensions = Vec::new();
    if !parts.has(Parts::NO_EXTENDED_MAIN_SECRET) {
        extensions.extend(extension(EXTENDED_MAIN_SECRET, &[]));
    }
    if !parts.has(Parts::NO_RENEGOTIATION_INFO) {
        extensions.extend(extension(RENEGOTIATION_INFO, &[0]));
        extensions.extend(extension(EC_POINT_FORMATS, &[1, 0]));
    }
    extensions
}

/// A key share entry.
fn share(group: u16) -> Vec<u8> {
    [&group.to_be_bytes(), vec::<2>(&[9; SHARE_LEN]).as_slice()].concat()
}

/// A ServerHello; a HelloRetryRequest if `retry` says which group and cookie.
pub(super) fn server_hello(
    heard: &HeardClientHello,
    suite: u16,
    retry: Option<(u16, &[u8])>,
    parts: Parts,
) -> Vec<u8> {
    let takes_psk = retry.is_none() && parts.resumes(heard);
    let mut extensions = extension(SUPPORTED_VERSIONS, &TLS13);
    let random = match retry {
        Some((group, cookie)) => {
            extensions.extend(extension(KEY_SHARE, &group.to_be_bytes()));
            if !cookie.is_empty() {
                extensions.extend(extension(COOKIE, &vec::<2>(cookie)));
            }
            RETRY_RANDOM
        }
        None => {
            let group = heard.shares.first().copied().unwrap_or_default();
            if !(takes_psk && parts.has(Parts::EXCHANGES_NOTHING)) {
                extensions.extend(extension(KEY_SHARE, &share(group)));
            }
            [0x53; 32]
        }
    };
    if takes_psk {
        extensions.extend(extension(PRE_SHARED_KEY, &parts.psk().to_be_bytes()));
    }
    [
        &[3, 3],
        random.as_slice(),
        &vec::<1>(&heard.session_id),
        &suite.to_be_bytes(),
        &[0],
        &vec::<2>(&extensions),
    ]
    .concat()
}

/// EncryptedExtensions: bit 0 acknowledges the name, bit 1 chooses `h2`, bit 2 a raw public key,
/// bit 3 takes early data.
pub(super) fn encrypted_extensions(parts: u8) -> Vec<u8> {
    let mut extensions = Vec::new();
    if parts & 1 != 0 {
        extensions.extend(extension(SERVER_NAME, &[]));
    }
    if parts & 2 != 0 {
        extensions.extend(extension(ALPN, &vec::<2>(b"\x02h2")));
    }
    if parts & RAW_PUBLIC_KEY != 0 {
        extensions.extend(extension(SERVER_CERTIFICATE_TYPE, &[2]));
    }
    if parts & TAKES_EARLY_DATA != 0 {
        extensions.extend(extension(EARLY_DATA, &[]));
    }
    vec::<2>(&extensions)
}

/// Whether EncryptedExtensions take early data.
pub(super) fn takes_early_data(mut body: &[u8]) -> Option<bool> {
    let mut extensions = take::<2>(&mut body)?;
    while let Some(typ) = take_u16(&mut extensions) {
        take::<2>(&mut extensions)?;
        if typ == EARLY_DATA {
            return Some(true);
        }
    }
    Some(false)
}

/// CertificateRequest.
pub(super) fn certificate_request() -> Vec<u8> {
    let extensions = extension(SIGNATURE_ALGORITHMS, &vec::<2>(&ECDSA_P256));
    [vec::<1>(&[]), vec::<2>(&extensions)].concat()
}

/// Certificate: `count` entries, the first one with an OCSP response if `staple`.
pub(super) fn certificate(count: u8, staple: bool, raw_key: bool) -> Vec<u8> {
    let content = if raw_key {
        spki()
    } else {
        CERTIFICATE.to_vec()
    };
    let mut entries = Vec::new();
    for index in 0..count {
        entries.extend(vec::<3>(&content));
        let response = [&[1], vec::<3>(b"a response").as_slice()].concat();
        let extensions = if staple && index == 0 {
            extension(STATUS_REQUEST, &response)
        } else {
            Vec::new()
        };
        entries.extend(vec::<2>(&extensions));
    }
    [vec::<1>(&[]), vec::<3>(&entries)].concat()
}

/// CompressedCertificate, from the body of a Certificate.
pub(super) fn compressed(body: &[u8]) -> Vec<u8> {
    let algorithm = RUN_LENGTH.0.0.to_be_bytes();
    let [_, len @ ..] = (body.len() as u32).to_be_bytes();
    let compressed = RUN_LENGTH.compress(body).expect("this one always can");
    [algorithm.as_slice(), &len, &vec::<3>(&compressed)].concat()
}

/// CertificateVerify.
pub(super) fn certificate_verify() -> Vec<u8> {
    [ECDSA_P256.as_slice(), &vec::<2>(&SIGNATURE)].concat()
}

/// NewSessionTicket.
pub(super) fn new_session_ticket() -> Vec<u8> {
    let lifetime_and_age_add = [0, 0, 1, 0, 9, 9, 9, 9];
    [
        lifetime_and_age_add.as_slice(),
        &vec::<1>(b"nonce"),
        &vec::<2>(b"a ticket"),
        &vec::<2>(&extension(EARLY_DATA, &[0, 0, 1, 0])),
    ]
    .concat()
}

/// ServerHello of TLS 1.2.
pub(super) fn server_hello12(heard: &HeardClientHello, suite: u16, parts: Parts) -> Vec<u8> {
    let mut extensions = old_extensions(parts);
    if parts.has(Parts::STATUS_REQUEST) && heard.status_request && !parts.resumes(heard) {
        extensions.extend(extension(STATUS_REQUEST, &[]));
    }
    if parts.gives_ticket(heard) {
        extensions.extend(extension(SESSION_TICKET, &[]));
    }
    let session_id: &[u8] = if parts.resumes(heard) {
        &heard.session_id
    } else if parts.has(Parts::GIVES_ID) {
        &[8; 32]
    } else {
        &[]
    };
    [
        &[3, 3],
        [0x53; 32].as_slice(),
        &vec::<1>(session_id),
        &suite.to_be_bytes(),
        &[0],
        &vec::<2>(&extensions),
    ]
    .concat()
}

/// Certificate of TLS 1.2.
pub(super) fn certificate12(count: u8) -> Vec<u8> {
    vec::<3>(&vec::<3>(CERTIFICATE).repeat(count.into()))
}

/// CertificateStatus.
pub(super) fn certificate_status() -> Vec<u8> {
    [&[1], vec::<3>(b"a response").as_slice()].concat()
}

/// ServerKeyExchange for the first of the client's groups that TLS 1.2 has.
pub(super) fn server_key_exchange(heard: &HeardClientHello) -> Vec<u8> {
    let known = heard.groups.iter().find(|group| matches!(group, 23 | 29));
    let group = known.copied().unwrap_or(29);
    [
        &[3],
        group.to_be_bytes().as_slice(),
        &vec::<1>(&[9; SHARE_LEN]),
        &certificate_verify(),
    ]
    .concat()
}

/// CertificateRequest of TLS 1.2.
pub(super) fn certificate_request12() -> Vec<u8> {
    let names = vec::<2>(&vec::<2>(b"a name"));
    [vec::<1>(&[64, 1]), vec::<2>(&ECDSA_P256), names].concat()
}

/// ClientKeyExchange.
pub(super) fn client_key_exchange() -> Vec<u8> {
    vec::<1>(&[9; SHARE_LEN])
}

/// NewSessionTicket of TLS 1.2.
pub(super) fn new_session_ticket12() -> Vec<u8> {
    [[0, 0, 1, 0].as_slice(), &vec::<2>(b"a ticket")].concat()
}
