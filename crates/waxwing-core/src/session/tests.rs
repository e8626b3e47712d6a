use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::DecodeError;
use crate::error::Problem;

fn session() -> Session {
    Session {
        version: ProtocolVersion::TLS13,
        cipher_suite: CipherSuite(0x1301),
        secret: Digest::from_slice(&[0x5e; 32]).unwrap(),
        issued_at: 1_000_000,
        authenticated_at: 900_000,
        lifetime: 7200,
        age_add: 0x0102_0304,
        max_early_data: 16384,
        server_name: "example.org".into(),
        alpn: (*b"h2").into(),
        context: (*b"web").into(),
        extended_main_secret: false,
        ticket: (*b"ticket").into(),
        session_id: [].into(),
        peer: PeerIdentity {
            certificate_type: CertificateType::X509,
            chain: [Box::from(*b"leaf"), Box::from(*b"issuer")].into(),
            ocsp: Some((*b"good").into()),
            scts: None,
        },
        vouched: Vouched::default(),
    }
}

fn old_session() -> Session {
    Session {
        version: ProtocolVersion::TLS12,
        secret: Digest::from_slice(&[0x5e; 48]).unwrap(),
        extended_main_secret: true,
        session_id: [7; 32].into(),
        peer: PeerIdentity::default(),
        ..session()
    }
}

fn bytes(session: &Session) -> Vec<u8> {
    session.to_bytes().unwrap().to_vec()
}

#[test]
fn what_is_written_is_read() {
    for session in [session(), old_session()] {
        let read = Session::from_bytes(&bytes(&session)).unwrap();
        assert_eq!(bytes(&read), bytes(&session));
        assert_eq!(read.secret.as_ref(), session.secret.as_ref());
        assert_eq!(read.peer, session.peer);
        assert_eq!(read.extended_main_secret, session.extended_main_secret);
        assert_eq!(read.server_name(), "example.org");
        assert_eq!(read.expires_at(), session.expires_at());
    }
}

/// The layout is a promise to other programs and later releases.
#[test]
fn the_layout_of_version_1_stays() {
    let mut expected = b"WXS\x01\x03\x04\x13\x01\x02\x00".to_vec();
    expected.extend(1_000_000_u64.to_be_bytes());
    expected.extend(900_000_u64.to_be_bytes());
    expected.extend([0, 0, 0x1c, 0x20, 1, 2, 3, 4, 0, 0, 0x40, 0]);
    expected.push(32);
    expected.extend([0x5e; 32]);
    expected.extend(b"\x0bexample.org\x02h2\x03web\x00\x00\x06ticket");
    expected.extend(b"\x00\x00\x10\x00\x00\x04leaf\x00\x00\x06issuer\x00\x00\x04good");
    assert_eq!(bytes(&session()), expected);
}

#[test]
fn cut_or_prolonged_bytes_are_refused() {
    for session in [session(), old_session()] {
        let whole = bytes(&session);
        for cut in 0..whole.len() {
            assert!(Session::from_bytes(&whole[..cut]).is_err(), "{cut}");
        }
        let error = Session::from_bytes(&[&whole[..], &[0]].concat()).unwrap_err();
        let trailing = DecodeError {
            field: "session",
            problem: Problem::Trailing,
        };
        assert_eq!(error, InvalidSession::Malformed(trailing));
    }
}

#[test]
fn what_is_wrong_is_named() {
    let whole = bytes(&session());
    let with = |at: usize, value: u8| {
        let mut bytes = whole.clone();
        bytes[at] = value;
        Session::from_bytes(&bytes).unwrap_err()
    };
    assert_eq!(with(0, b'X'), InvalidSession::NotASession);
    assert_eq!(with(3, 2), InvalidSession::UnknownLayout(2));
    assert_eq!(with(5, 2), InvalidSession::Value("version"));
    assert_eq!(with(8, 0x82), InvalidSession::Value("flags"));
    assert_eq!(with(38, 49), InvalidSession::Value("secret"));
    let long = vec![0; crate::limits::MAX_SESSION_BYTES + 1];
    assert_eq!(
        Session::from_bytes(&long).unwrap_err(),
        InvalidSession::TooLong
    );
    let many = Session {
        peer: PeerIdentity {
            chain: vec![Box::from(*b"x"); crate::limits::MAX_CHAIN + 1].into(),
            ..PeerIdentity::default()
        },
        ..session()
    };
    assert_eq!(
        Session::from_bytes(&bytes(&many)).unwrap_err(),
        InvalidSession::Value("chain")
    );
}

#[test]
fn a_session_ends_with_its_lifetime_or_a_week_after_the_proof() {
    let day = 86_400_u32;
    let of = |authenticated_at, lifetime| Session {
        issued_at: 10_000_000_000,
        authenticated_at,
        lifetime,
        ..session()
    };
    let young = of(10_000_000_000, 10);
    assert!(!young.is_valid_at(9_999_999_999));
    assert!(young.is_valid_at(10_000_000_000));
    assert!(young.is_valid_at(10_000_009_999));
    assert!(!young.is_valid_at(10_000_010_000));
    let old = of(10_000_000_000 - 6 * 86_400_000, 2 * day);
    assert_eq!(old.expires_at(), 10_000_000_000 + 86_400_000);
    let greedy = of(10_000_000_000, u32::MAX);
    assert_eq!(greedy.expires_at(), 10_000_000_000 + 7 * 86_400_000);
}

#[test]
fn secrets_are_not_shown() {
    let shown = alloc::format!("{:?}", session());
    assert!(!shown.contains("94"), "{shown}");
    assert!(shown.contains("example.org"), "{shown}");
}
