//! max_fragment_length and record_size_limit (RFC 6066, Section 4; RFC 8449), both versions.

mod common;

use common::{Pair, client_builder, server_builder};
use waxwing_core::{
    ConfigError, MaxFragmentLength, ProtocolVersion, ProtocolVersions, RecordPadding,
};

const VERSIONS: [ProtocolVersions; 2] = [ProtocolVersions::TLS12, ProtocolVersions::TLS13];
/// What a protected record of each version has more than its content, at most.
const OVERHEAD: usize = 8 + 1 + 16;

/// The longest body of a record in `bytes`.
fn longest(mut bytes: &[u8]) -> usize {
    let mut longest = 0;
    while let [_, _, _, high, low, rest @ ..] = bytes {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        longest = longest.max(len);
        bytes = &rest[len..];
    }
    longest
}

/// Sends 50,000 bytes each way: the longest record of client and server.
fn longest_records(pair: &mut Pair) -> (usize, usize) {
    pair.settle().unwrap();
    let data = vec![7; 50_000];
    pair.client.write(&data);
    pair.server.write(&data);
    let lengths = (
        longest(pair.client.out.as_slice()),
        longest(pair.server.out.as_slice()),
    );
    pair.settle().unwrap();
    assert_eq!(pair.client.received, data);
    assert_eq!(pair.server.received, data);
    lengths
}

fn assert_limited(found: usize, limit: usize) {
    assert!(
        (limit..=limit + OVERHEAD).contains(&found),
        "{found} bytes with a limit of {limit}"
    );
}

#[test]
fn fragment_lengths_hold_in_both_directions() {
    for versions in VERSIONS {
        for (length, bytes) in [
            (MaxFragmentLength::Bytes512, 512),
            (MaxFragmentLength::Bytes1024, 1024),
            (MaxFragmentLength::Bytes2048, 2048),
            (MaxFragmentLength::Bytes4096, 4096),
        ] {
            let client = client_builder()
                .versions(versions)
                .max_fragment_length(length);
            let mut pair = Pair::new(client, server_builder().versions(versions));
            let (client, server) = longest_records(&mut pair);
            assert_limited(client, bytes);
            assert_limited(server, bytes);
        }
    }
}

#[test]
fn each_side_sets_the_limit_for_the_other() {
    for versions in VERSIONS {
        // In TLS 1.3 the content type counts (RFC 8449, Section 4).
        let inner_type = usize::from(versions.contains(ProtocolVersion::TLS13));
        let client = client_builder()
            .versions(versions)
            .max_fragment_length(MaxFragmentLength::Bytes512)
            .record_size_limit(1000);
        let server = server_builder().versions(versions).record_size_limit(64);
        let (client, server) = longest_records(&mut Pair::new(client, server));
        assert_limited(server, 1000 - inner_type);
        assert_limited(client, 64 - inner_type);
    }
}

#[test]
fn a_server_without_a_limit_keeps_to_the_clients() {
    for versions in VERSIONS {
        let client = client_builder().versions(versions).record_size_limit(512);
        let server = server_builder().versions(versions);
        let (client, server) = longest_records(&mut Pair::new(client, server));
        assert_limited(server, 511);
        assert_limited(client, 1 << 14);
    }
}

#[test]
fn a_client_that_says_nothing_is_not_limited() {
    for versions in VERSIONS {
        let server = server_builder().versions(versions).record_size_limit(512);
        let mut pair = Pair::new(client_builder().versions(versions), server);
        let (client, server) = longest_records(&mut pair);
        assert_limited(server, 1 << 14);
        assert_limited(client, 1 << 14);
    }
}

#[test]
fn each_side_may_limit_what_it_sends() {
    for versions in VERSIONS {
        let client = client_builder().versions(versions).max_sent_fragment(100);
        let server = server_builder().versions(versions).max_sent_fragment(3000);
        let mut pair = Pair::new(client, server);
        // The ClientHello too.
        assert_eq!(longest(pair.client.out.as_slice()), 100);
        let (client, server) = longest_records(&mut pair);
        assert_limited(client, 100);
        assert_limited(server, 3000);
    }
}

#[test]
fn the_smaller_of_our_maximum_and_the_peers_limit_holds() {
    for versions in VERSIONS {
        let inner_type = usize::from(versions.contains(ProtocolVersion::TLS13));
        for (ours, theirs) in [(200, 300), (300, 200)] {
            let client = client_builder().versions(versions);
            let server = server_builder().versions(versions).max_sent_fragment(ours);
            let mut pair = Pair::new(client.record_size_limit(theirs), server);
            let (_, server) = longest_records(&mut pair);
            let limit = usize::from(theirs) - inner_type;
            assert_limited(server, usize::from(ours).min(limit));
        }
    }
}

#[test]
fn padding_counts_in_tls13() {
    let padding = RecordPadding::ToMultipleOf(1000.try_into().unwrap());
    let client = client_builder().record_size_limit(200);
    let server = server_builder().record_padding(padding);
    let (_, server) = longest_records(&mut Pair::new(client, server));
    assert_limited(server, 199);
}

#[test]
fn limits_have_limits() {
    for (limit, expected) in [
        (63, Err(ConfigError::RecordSizeLimit(63))),
        (64, Ok(())),
        (16385, Ok(())),
        (16386, Err(ConfigError::RecordSizeLimit(16386))),
    ] {
        let client = client_builder().record_size_limit(limit).build();
        let server = server_builder().record_size_limit(limit).build();
        assert_eq!(client.map(drop), expected);
        assert_eq!(server.map(drop), expected);
    }
    for (most, expected) in [
        (63, Err(ConfigError::MaxSentFragment(63))),
        (64, Ok(())),
        (16384, Ok(())),
        (16385, Err(ConfigError::MaxSentFragment(16385))),
    ] {
        let client = client_builder().max_sent_fragment(most).build();
        let server = server_builder().max_sent_fragment(most).build();
        assert_eq!(client.map(drop), expected);
        assert_eq!(server.map(drop), expected);
    }
}
