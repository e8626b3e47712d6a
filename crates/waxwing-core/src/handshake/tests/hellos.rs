//! What our ClientHellos look like: order, reserved values (RFC 8701), and what a second one
//! repeats.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use waxwing_crypto::NamedGroup;

use crate::handshake::Status;
use crate::testing::hellos::ClientParts;
use crate::testing::{Side, client_builder, server_builder};
use crate::{ClientConfigBuilder, ConfigError, PeerError};

const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const SUPPORTED_VERSIONS: u16 = 43;
const COOKIE: u16 = 44;
const KEY_SHARE: u16 = 51;

fn hello(builder: ClientConfigBuilder) -> ClientParts {
    ClientParts::of(&Side::client(builder).sent()[0])
}

/// One of the sixteen values 0x0a0a, 0x1a1a ... 0xfafa.
fn is_reserved(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.chunks(2);
    pairs.map(|p| u16::from_be_bytes([p[0], p[1]])).collect()
}

#[test]
fn order_and_reserved_values_vary() {
    let mut orders = BTreeSet::new();
    let mut reserved = BTreeSet::new();
    let mut last = BTreeSet::new();
    // Eight extensions: 40,320 orders.
    let builder = || {
        let builder = client_builder().groups([NamedGroup::X25519]);
        let names = [Vec::from([0x30, 0])];
        builder.alpn(["h2"]).certificate_authorities(names)
    };
    let kinds = hello(builder().grease(false)).extensions.types();
    let kinds: BTreeSet<u16> = kinds.into_iter().collect();
    assert_eq!(kinds.len(), 8);
    for _ in 0..1000 {
        let parts = hello(builder());
        let types = parts.extensions.types();
        let [first, order @ .., end] = types.as_slice() else {
            panic!("{types:?}");
        };
        assert!(is_reserved(*first) && is_reserved(*end) && first != end);
        assert_eq!(parts.extensions.get(*first), Some(&[][..]));
        assert_eq!(parts.extensions.get(*end), Some(&[0][..]));
        assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), kinds);
        assert_eq!(order.len(), kinds.len());
        last.insert(order[order.len() - 1]);
        orders.insert(order.to_vec());

        assert!(is_reserved(parts.suites[0]));
        assert!(!parts.suites[1..].iter().any(|suite| is_reserved(*suite)));
        let groups = parts.extensions.get(SUPPORTED_GROUPS).unwrap();
        let groups = numbers(&groups[2..]);
        assert!(is_reserved(groups[0]) && groups[1..] == [0x001d]);
        // A share of one byte for the reserved group, then the real one.
        let shares = parts.extensions.get(KEY_SHARE).unwrap();
        let front = [&groups[0].to_be_bytes()[..], &[0, 1, 0, 0, 0x1d, 0, 32]].concat();
        assert_eq!(shares[2..11], front);
        let versions = parts.extensions.get(SUPPORTED_VERSIONS).unwrap();
        let versions = numbers(&versions[1..]);
        assert!(is_reserved(versions[0]) && versions[1..] == [0x0304]);
        let schemes = parts.extensions.get(SIGNATURE_ALGORITHMS).unwrap();
        let schemes = numbers(&schemes[2..]);
        assert!(is_reserved(schemes[0]) && !schemes[1..].iter().copied().any(is_reserved));
        reserved.insert((*first, *end, parts.suites[0], groups[0], versions[0]));
    }
    assert!(orders.len() > 900, "{} orders", orders.len());
    assert!(reserved.len() > 900, "{} sets", reserved.len());
    assert_eq!(last, kinds, "every extension may come last");
}

#[test]
fn both_can_be_switched_off() {
    let plain = || hello(client_builder().grease(false).permute_extensions(false));
    let first = plain();
    for _ in 0..100 {
        let next = plain();
        assert_eq!(next.extensions.types(), first.extensions.types());
        assert_eq!(next.suites, first.suites);
        assert_ne!(next.random, first.random);
        assert_ne!(next.session_id, first.session_id);
    }
    let everything = first.extensions.types().into_iter().chain(first.suites);
    assert!(!everything.into_iter().any(is_reserved));
    // One without the other.
    let types = hello(client_builder().permute_extensions(false))
        .extensions
        .types();
    assert_eq!(types[1..types.len() - 1], first.extensions.types());
}

/// RFC 9846, Section 4.2.2: nothing but the shares and the cookie may differ.
#[test]
fn a_second_hello_repeats_the_first() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    for _ in 0..50 {
        let mut client = Side::client(client_builder().groups(groups).alpn(["h2"]));
        let server = server_builder().groups([NamedGroup::SECP256R1]);
        let mut server = Side::server(server.retry_cookie(true));
        let first = client.sent().remove(0);
        server.take(&first).unwrap();
        client.take(&server.sent()[0]).unwrap();
        let mut first = ClientParts::of(&first);
        let mut second = ClientParts::of(&client.sent()[0]);
        // One share, without a reserved one beside it.
        let share = second.extensions.get(KEY_SHARE).unwrap();
        assert_eq!(share[..6], [0, 69, 0, 0x17, 0, 65]);
        assert_eq!(second.extensions.get(COOKIE).map(<[u8]>::len), Some(34));
        second.extensions.remove(COOKIE);
        for parts in [&mut first, &mut second] {
            parts.extensions.set(KEY_SHARE, &[]);
        }
        assert_eq!(first, second);
    }
}

#[test]
fn a_retry_for_the_cookie_alone_keeps_the_shares() {
    let mut client = Side::client(client_builder());
    let first = client.sent().remove(0);
    let mut first = ClientParts::of(&first);
    let retry = crate::testing::hellos::ServerParts {
        version: 0x0303,
        random: crate::messages::server_hello::RETRY_RANDOM,
        session_id: first.session_id.clone(),
        suite: 0x1301,
        compression: 0,
        extensions: crate::testing::hellos::Extensions(Some(Vec::from([
            (SUPPORTED_VERSIONS, Vec::from([3, 4])),
            (COOKIE, Vec::from([0, 2, 8, 9])),
        ]))),
    };
    client.take(&retry.message()).unwrap();
    let mut second = ClientParts::of(&client.sent()[0]);
    assert_eq!(second.extensions.get(COOKIE), Some(&[0, 2, 8, 9][..]));
    second.extensions.remove(COOKIE);
    first.extensions.remove(COOKIE);
    assert_eq!(first, second);
}

/// Padding is adapted (RFC 9846, Section 4.2.2), and ECH, which this server does not know, seals
/// the inner hello anew (RFC 9849, Section 6.1). An unknown extension has to stay.
#[test]
fn what_a_second_hello_may_change() {
    for (typ, allowed) in [(21, true), (0xfe0d, true), (0xfff0, false)] {
        let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
        let mut client = Side::client(client_builder().groups(groups));
        let mut server = Side::server(server_builder().groups([NamedGroup::SECP256R1]));
        let mut first = ClientParts::of(&client.sent()[0]);
        first.extensions.push(typ, &[0; 100]);
        server.take(&first.message()).unwrap();
        client.take(&server.sent()[0]).unwrap();
        let mut second = ClientParts::of(&client.sent()[0]);
        second.extensions.push(typ, &[0; 60]);
        let changed = PeerError::SecondHelloChanged.into();
        let expected = if allowed { Ok(()) } else { Err(changed) };
        assert_eq!(server.take(&second.message()), expected, "{typ}");
    }
}

/// RFC 9846, Section 4.3.8: shares come in the order of their groups, each group once.
#[test]
fn shares_come_in_the_order_of_groups() {
    const HYBRID: NamedGroup = NamedGroup::X25519_MLKEM768;
    const X: NamedGroup = NamedGroup::X25519;
    const P: NamedGroup = NamedGroup::SECP256R1;
    const PQ: NamedGroup = NamedGroup::SECP256R1_MLKEM768;
    for (groups, count, expected) in [
        (&[HYBRID, X, P][..], 3, &[HYBRID, X, P][..]),
        (&[HYBRID, P, X], 2, &[HYBRID, P, X]),
        (&[HYBRID, P, X], 1, &[HYBRID, X]),
        (&[P, X, HYBRID], 3, &[P, X, HYBRID]),
        (&[X, HYBRID, PQ, P], 3, &[X, HYBRID, PQ, P]),
        (&[HYBRID, PQ], 2, &[HYBRID, PQ]),
        (&[X, P], 0, &[]),
    ] {
        let builder = client_builder().grease(false).groups(groups.to_vec());
        let parts = hello(builder.key_shares(count));
        assert_eq!(shares_in(&parts), expected, "{groups:?}");
    }
    for chosen in [&[X][..], &[HYBRID], &[P, X], &[PQ, P], &[]] {
        let groups = [PQ, HYBRID, P, X];
        let builder = client_builder().grease(false).groups(groups);
        let parts = hello(builder.key_share_groups(chosen.to_vec()));
        let in_order = groups.into_iter().filter(|group| chosen.contains(group));
        assert_eq!(shares_in(&parts), in_order.collect::<Vec<_>>());
    }
}

/// The groups of a hello's key shares.
fn shares_in(parts: &ClientParts) -> Vec<NamedGroup> {
    let mut shares = &parts.extensions.get(KEY_SHARE).unwrap()[2..];
    let mut found = Vec::new();
    while let [high, low, len_high, len_low, rest @ ..] = shares {
        found.push(NamedGroup(u16::from_be_bytes([*high, *low])));
        shares = &rest[usize::from(u16::from_be_bytes([*len_high, *len_low]))..];
    }
    found
}

/// The X25519 part of a hybrid's share stands for X25519: no second key is made.
#[test]
fn a_hybrid_serves_its_classical_group() {
    let groups = [NamedGroup::X25519_MLKEM768, NamedGroup::X25519];
    let builder = client_builder().grease(false).groups(groups);
    let parts = hello(builder.key_shares(2));
    let shares = parts.extensions.get(KEY_SHARE).unwrap();
    let (hybrid, classical) = shares.split_at(2 + 4 + 1184 + 32);
    assert_eq!(classical[..4], [0, 0x1d, 0, 32]);
    assert_eq!(classical[4..], hybrid[hybrid.len() - 32..]);
}

/// A server asks a client without shares for one.
#[test]
fn a_hello_may_come_without_shares() {
    let mut client = Side::client(client_builder().key_shares(0));
    let mut server = Side::server(server_builder());
    server.take(&client.sent()[0]).unwrap();
    client.take(&server.sent()[0]).unwrap();
    server.take(&client.sent()[0]).unwrap();
    for message in server.sent() {
        client.take(&message).unwrap();
    }
    server.take(&client.sent()[0]).unwrap();
    assert_eq!(server.status, Status::Done);
    assert!(client.handshake.cx.info.retried);
}

#[test]
fn nothing_is_offered_twice() {
    let twice = [NamedGroup::X25519, NamedGroup::X25519];
    let error = client_builder().groups(twice).build().unwrap_err();
    assert_eq!(error, ConfigError::Repeated(NamedGroup::X25519.0));
}
