//! Extensions (RFC 9846, Section 4.3): where each may stand, the walk over a block of them, and
//! one file for the content of each.

use super::registry::ExtensionType;
use crate::Error;
use crate::codec::{List, Read, Reader, Writer};
use crate::error::{DecodeError, PeerError, Problem};
use crate::limits::MAX_EXTENSIONS;

pub(crate) mod alpn;
pub(crate) mod certificate_authorities;
pub(crate) mod certificate_type;
pub(crate) mod compress_certificate;
pub(crate) mod cookie;
pub(crate) mod early_data;
pub(crate) mod ec_point_formats;
pub(crate) mod key_share;
pub(crate) mod max_fragment_length;
pub(crate) mod psk;
pub(crate) mod record_size_limit;
pub(crate) mod renegotiation_info;
pub(crate) mod server_name;
pub(crate) mod session_ticket;
pub(crate) mod signature_algorithms;
pub(crate) mod signed_certificate_timestamp;
pub(crate) mod status_request;
pub(crate) mod supported_groups;
pub(crate) mod supported_versions;
pub(crate) mod ticket_request;

pub(crate) use alpn::ProtocolName;
pub(crate) use certificate_authorities::DistinguishedName;
pub(crate) use key_share::KeyShareEntry;

/// A message that carries extensions. A HelloRetryRequest counts as its own, and so does the
/// ServerHello of TLS 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    ClientHello,
    ServerHello,
    HelloRetryRequest,
    EncryptedExtensions,
    Certificate,
    CertificateRequest,
    NewSessionTicket,
    ServerHello12,
}

/// The messages that may carry one extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places(u16);

impl Places {
    const fn of(places: &[Place]) -> Self {
        let mut bits = 0;
        let mut rest = places;
        while let [first, others @ ..] = rest {
            bits |= Self::bit(*first);
            rest = others;
        }
        Self(bits)
    }

    const fn bit(place: Place) -> u16 {
        1 << place as u8
    }

    pub(crate) const fn contain(self, place: Place) -> bool {
        self.0 & Self::bit(place) != 0
    }
}

/// The messages that may carry this extension: the table of RFC 9846, Section 4.3, with later
/// registrations, and for the ServerHello of TLS 1.2 what each extension's own RFC says. `None` if
/// the extension is not known here.
///
/// Extensions that this engine never offers are known too, so that a trace can name them.
pub(crate) const fn allowed(typ: ExtensionType) -> Option<Places> {
    use ExtensionType as T;
    use Place::{
        Certificate, CertificateRequest, ClientHello, EncryptedExtensions, HelloRetryRequest,
        NewSessionTicket, ServerHello, ServerHello12,
    };
    Some(match typ {
        T::SERVER_NAME
        | T::MAX_FRAGMENT_LENGTH
        | T::USE_SRTP
        | T::HEARTBEAT
        | T::ALPN
        | T::CLIENT_CERTIFICATE_TYPE
        | T::SERVER_CERTIFICATE_TYPE
        | T::RECORD_SIZE_LIMIT
        // Some servers of TLS 1.2 send their groups. It means nothing, but no rule forbids it.
        | T::SUPPORTED_GROUPS => Places::of(&[ClientHello, ServerHello12, EncryptedExtensions]),
        T::QUIC_TRANSPORT_PARAMETERS | T::TICKET_REQUEST | T::APPLICATION_SETTINGS => {
            Places::of(&[ClientHello, EncryptedExtensions])
        }
        T::STATUS_REQUEST | T::SIGNED_CERTIFICATE_TIMESTAMP => Places::of(&[
            ClientHello,
            ServerHello12,
            CertificateRequest,
            Certificate,
        ]),
        T::DELEGATED_CREDENTIAL => Places::of(&[ClientHello, CertificateRequest, Certificate]),
        T::SIGNATURE_ALGORITHMS
        | T::SIGNATURE_ALGORITHMS_CERT
        | T::CERTIFICATE_AUTHORITIES
        | T::COMPRESS_CERTIFICATE => Places::of(&[ClientHello, CertificateRequest]),
        T::PADDING | T::PSK_KEY_EXCHANGE_MODES | T::POST_HANDSHAKE_AUTH | T::SRP => {
            Places::of(&[ClientHello])
        }
        T::CLIENT_CERTIFICATE_URL
        | T::TRUSTED_CA_KEYS
        | T::TRUNCATED_HMAC
        | T::USER_MAPPING
        | T::CLIENT_AUTHZ
        | T::SERVER_AUTHZ
        | T::CERT_TYPE
        | T::EC_POINT_FORMATS
        | T::STATUS_REQUEST_V2
        | T::ENCRYPT_THEN_MAC
        | T::EXTENDED_MAIN_SECRET
        | T::TOKEN_BINDING
        | T::CACHED_INFO
        | T::SESSION_TICKET
        | T::NEXT_PROTOCOL_NEGOTIATION
        | T::CHANNEL_ID
        | T::RENEGOTIATION_INFO => Places::of(&[ClientHello, ServerHello12]),
        T::KEY_SHARE | T::SUPPORTED_VERSIONS => {
            Places::of(&[ClientHello, ServerHello, HelloRetryRequest])
        }
        T::PRE_SHARED_KEY => Places::of(&[ClientHello, ServerHello]),
        T::CONNECTION_ID => Places::of(&[ClientHello, ServerHello, ServerHello12]),
        T::COOKIE => Places::of(&[ClientHello, HelloRetryRequest]),
        T::EARLY_DATA => Places::of(&[ClientHello, EncryptedExtensions, NewSessionTicket]),
        T::ENCRYPTED_CLIENT_HELLO => {
            Places::of(&[ClientHello, HelloRetryRequest, EncryptedExtensions])
        }
        T::OID_FILTERS => Places::of(&[CertificateRequest]),
        _ => return None,
    })
}

/// The extension types that a message offered: what its answer may contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtensionSet {
    /// One bit for each of the types 0 to 63, where nearly all of them are.
    low: u64,
    /// The others. 0 is a free place: the type 0 has its bit above.
    high: [u16; 4],
}

impl ExtensionSet {
    /// Adds a type. Of the types from 64 on it holds four; a further one is not added, so that
    /// an answer to it would count as unsolicited.
    pub(crate) fn insert(&mut self, typ: ExtensionType) {
        if typ.0 < 64 {
            self.low |= 1 << typ.0;
        } else if !self.contains(typ)
            && let Some(free) = self.high.iter_mut().find(|place| **place == 0)
        {
            *free = typ.0;
        }
    }

    pub(crate) fn contains(&self, typ: ExtensionType) -> bool {
        if typ.0 < 64 {
            self.low & (1 << typ.0) != 0
        } else {
            self.high.contains(&typ.0)
        }
    }
}

/// One extension as it stands in a block.
#[derive(Clone, Debug)]
pub(crate) struct RawExtension<'a> {
    pub(crate) typ: ExtensionType,
    /// The `extension_data`, under the extension's name.
    pub(crate) data: Reader<'a>,
}

impl<'a> Read<'a> for RawExtension<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let typ = ExtensionType::read(reader)?;
        let data = reader.vec16(typ.name().unwrap_or("extension_data"))?;
        Ok(Self { typ, data })
    }
}

/// Walks over the content of an `extensions` vector and applies the rules that hold for every
/// extension (RFC 9846, Section 4.3); `each` reads the content, all of it.
///
/// With `offered`, the message is an answer: it may contain only what was offered. Without, types
/// that are not known here reach `each` too, which ignores them.
pub(crate) fn walk<'a>(
    mut reader: Reader<'a>,
    place: Place,
    offered: Option<&ExtensionSet>,
    each: &mut dyn FnMut(ExtensionType, Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut seen = [0; MAX_EXTENSIONS];
    let mut count: usize = 0;
    while !reader.is_empty() {
        let RawExtension { typ, data } = RawExtension::read(&mut reader)?;
        if seen.iter().take(count).any(|earlier| *earlier == typ.0) {
            return Err(PeerError::DuplicateExtension.into());
        }
        let free = seen
            .get_mut(count)
            .ok_or_else(|| reader.error(Problem::Limit))?;
        *free = typ.0;
        count = count.saturating_add(1);
        check_place(typ, place, offered)?;
        each(typ, data)?;
    }
    Ok(())
}

fn check_place(
    typ: ExtensionType,
    place: Place,
    offered: Option<&ExtensionSet>,
) -> Result<(), PeerError> {
    if let Some(offered) = offered {
        // Section 4.3: the cookie is the one extension of a HelloRetryRequest that the client
        // need not have offered. RFC 8701, Section 3.1: nobody may answer to GREASE.
        let retry_cookie =
            place == Place::HelloRetryRequest && matches!(typ, ExtensionType::COOKIE);
        if typ.is_grease() || !(offered.contains(typ) || retry_cookie) {
            return Err(PeerError::UnsolicitedExtension);
        }
    }
    match allowed(typ) {
        Some(places) if !places.contain(place) => Err(PeerError::MisplacedExtension),
        _ => Ok(()),
    }
}

/// The extensions of a block whose form was checked before; it ends where the form does.
pub(crate) fn iter<'a>(block: &'a [u8]) -> impl Iterator<Item = RawExtension<'a>> + use<'a> {
    let mut reader = Reader::new("extensions", block);
    core::iter::from_fn(move || RawExtension::read(&mut reader).ok())
}

/// The content of the first extension of that type.
pub(crate) fn find(block: &[u8], wanted: ExtensionType) -> Option<Reader<'_>> {
    iter(block)
        .find(|extension| extension.typ == wanted)
        .map(|extension| extension.data)
}

/// Writes an extension: its type, and its content in a vector.
pub(crate) fn write(
    w: &mut Writer<'_>,
    typ: ExtensionType,
    content: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    w.u16(typ.0);
    w.vec16(content)
}

/// Reads an extension that is nothing but a non-empty list with a length of two bytes.
fn read_list16<'a, T: Read<'a>>(
    mut reader: Reader<'a>,
    field: &'static str,
) -> Result<List<'a, T>, DecodeError> {
    let list = List::parse(reader.vec16(field)?.non_empty()?)?;
    reader.finish()?;
    Ok(list)
}

/// Writes a list of numbers with a length of two bytes.
fn write_list16(w: &mut Writer<'_>, numbers: impl IntoIterator<Item = u16>) -> Result<(), Error> {
    w.vec16(|w| {
        for number in numbers {
            w.u16(number);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::messages::testing::{block, malformed, set};

    const PLACES: [Place; 8] = [
        Place::ClientHello,
        Place::ServerHello,
        Place::HelloRetryRequest,
        Place::EncryptedExtensions,
        Place::Certificate,
        Place::CertificateRequest,
        Place::NewSessionTicket,
        Place::ServerHello12,
    ];

    fn run(block: &[u8], place: Place, offered: Option<&ExtensionSet>) -> Result<Vec<u16>, Error> {
        let mut seen = Vec::new();
        walk(
            Reader::new("extensions", block),
            place,
            offered,
            &mut |typ, _| {
                seen.push(typ.0);
                Ok(())
            },
        )?;
        Ok(seen)
    }

    /// The table of RFC 9846, Section 4.3, and what may stand in a ServerHello of TLS 1.2, written
    /// down a second time: one letter a message, in the order of `PLACES`.
    #[test]
    fn places_are_those_of_the_table() {
        let table: [(u16, &str); 48] = [
            (0, "C--E---2"),
            (1, "C--E---2"),
            (2, "C------2"),
            (3, "C------2"),
            (4, "C------2"),
            (5, "C---TR-2"),
            (6, "C------2"),
            (7, "C------2"),
            (8, "C------2"),
            (9, "C------2"),
            (10, "C--E---2"),
            (11, "C------2"),
            (12, "C-------"),
            (13, "C----R--"),
            (14, "C--E---2"),
            (15, "C--E---2"),
            (16, "C--E---2"),
            (17, "C------2"),
            (18, "C---TR-2"),
            (19, "C--E---2"),
            (20, "C--E---2"),
            (21, "C-------"),
            (22, "C------2"),
            (23, "C------2"),
            (24, "C------2"),
            (25, "C------2"),
            (27, "C----R--"),
            (28, "C--E---2"),
            (34, "C---TR--"),
            (35, "C------2"),
            (41, "CS------"),
            (42, "C--E--N-"),
            (43, "CSH-----"),
            (44, "C-H-----"),
            (45, "C-------"),
            (47, "C----R--"),
            (48, "-----R--"),
            (49, "C-------"),
            (50, "C----R--"),
            (51, "CSH-----"),
            (54, "CS-----2"),
            (57, "C--E----"),
            (58, "C--E----"),
            (13172, "C------2"),
            (17613, "C--E----"),
            (30032, "C------2"),
            (0xfe0d, "C-HE----"),
            (0xff01, "C------2"),
        ];
        let named = (0..=u16::MAX).filter(|typ| ExtensionType(*typ).name().is_some());
        assert!(named.eq(table.map(|(typ, _)| typ)));
        for (typ, letters) in table {
            let places = allowed(ExtensionType(typ)).unwrap();
            for (place, letter) in PLACES.into_iter().zip(letters.chars()) {
                assert_eq!(places.contain(place), letter != '-', "{typ} in {place:?}");
            }
        }
    }

    #[test]
    fn every_named_extension_has_its_places() {
        for typ in (0..=u16::MAX).map(ExtensionType) {
            assert_eq!(allowed(typ).is_some(), typ.name().is_some(), "{typ}");
        }
    }

    #[test]
    fn misplaced_extensions_are_refused_everywhere() {
        for typ in (0..=u16::MAX).map(ExtensionType) {
            let Some(places) = allowed(typ) else { continue };
            let block = block(&[(typ, &[])]);
            for place in PLACES {
                let expected = if places.contain(place) {
                    Ok(alloc::vec![typ.0])
                } else {
                    Err(PeerError::MisplacedExtension.into())
                };
                assert_eq!(run(&block, place, None), expected);
                assert_eq!(run(&block, place, Some(&set(&[typ]))), expected);
                let retry_cookie =
                    place == Place::HelloRetryRequest && typ == ExtensionType::COOKIE;
                if !retry_cookie {
                    let expected = Err(PeerError::UnsolicitedExtension.into());
                    assert_eq!(run(&block, place, Some(&ExtensionSet::default())), expected);
                }
            }
        }
    }

    #[test]
    fn nobody_may_answer_to_grease() {
        let grease = ExtensionType(0x5a5a);
        let block = block(&[(grease, &[])]);
        assert_eq!(
            run(&block, Place::ClientHello, None),
            Ok(alloc::vec![0x5a5a])
        );
        let answer = run(&block, Place::EncryptedExtensions, Some(&set(&[grease])));
        assert_eq!(answer, Err(PeerError::UnsolicitedExtension.into()));
    }

    #[test]
    fn duplicates_are_refused_wherever_they_stand() {
        let types = [0, 10, 0xfff0, 16, 43].map(ExtensionType);
        assert!(
            run(
                &block(&types.map(|typ| (typ, &[][..]))),
                Place::ClientHello,
                None
            )
            .is_ok()
        );
        for typ in types {
            let mut entries = types.map(|typ| (typ, &[][..])).to_vec();
            entries.push((typ, &[]));
            let result = run(&block(&entries), Place::ClientHello, None);
            assert_eq!(result, Err(PeerError::DuplicateExtension.into()));
        }
    }

    #[test]
    fn a_block_has_a_limit() {
        let types: Vec<u16> = (0x100..).take(MAX_EXTENSIONS + 1).collect();
        let entries: Vec<_> = types
            .iter()
            .map(|typ| (ExtensionType(*typ), &[][..]))
            .collect();
        let most = block(&entries[..MAX_EXTENSIONS]);
        assert_eq!(
            run(&most, Place::ClientHello, None).unwrap(),
            types[..MAX_EXTENSIONS]
        );
        let error = run(&block(&entries), Place::ClientHello, None).unwrap_err();
        assert_eq!(error, malformed("extensions", Problem::Limit));
    }

    #[test]
    fn sets_hold_low_types_and_four_others() {
        let mut set = ExtensionSet::default();
        (0..64).for_each(|typ| set.insert(ExtensionType(typ)));
        let high = [64, 0x0a0a, 0xfe0d, 0xff01];
        for typ in [high, high].concat() {
            set.insert(ExtensionType(typ));
        }
        for typ in (0..=u16::MAX).map(ExtensionType) {
            assert_eq!(
                set.contains(typ),
                typ.0 < 64 || high.contains(&typ.0),
                "{typ}"
            );
        }
        set.insert(ExtensionType(0x1a1a));
        assert!(!set.contains(ExtensionType(0x1a1a)));
        assert!(!ExtensionSet::default().contains(ExtensionType::SERVER_NAME));
    }

    #[test]
    fn find_takes_the_content() {
        let block = block(&[(ExtensionType::ALPN, &[1]), (ExtensionType::COOKIE, &[2])]);
        let mut found = find(&block, ExtensionType::COOKIE).unwrap();
        assert_eq!(found.take_rest(), [2]);
        assert!(find(&block, ExtensionType::PADDING).is_none());
    }
}
