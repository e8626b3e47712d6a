//! Revocation lists: which list speaks of which certificate, when, and by whom.

use core::time::Duration;
use std::sync::Arc;

use waxwing_aws_lc::PROVIDER;
use waxwing_core::limits::MAX_REVOCATION_PATHS;
use waxwing_core::{
    CertificateError, CertificateType, ClientCertRequest, ClientCertVerifier, ServerCertRequest,
    ServerCertVerifier, ServerName, Verdict,
};
use waxwing_pki::revocation::{
    Crl, CrlError, Decision, Depth, Evidence, Mode, RevocationPolicy, Silence, Status,
};
use waxwing_pki::{ClientVerifier, Clock, Code, TrustAnchors, Verifier, to_pem};
use waxwing_testkit::revocation::{Authority, CrlSpec, DAY, Leaf, NAME, NOW, at, tlv};

use crate::world::{REVOKED, SERIAL, World, good, set};

#[test]
fn a_list_of_the_root_revokes_the_authority_if_the_policy_goes_that_deep() {
    let world = World::new();
    let own = world.crl(CrlSpec::default());
    let serial = world.authority.serial();
    let of_root = world.root.crl(&CrlSpec {
        revoked: vec![serial],
        ..CrlSpec::default()
    });
    let lists = [own.clone(), of_root];
    assert_eq!(
        world.with_lists(Depth::EndEntity, &lists).decision,
        Decision::Good
    );
    let outcome = world.with_lists(Depth::Chain, &lists);
    assert_eq!(outcome.decision, Decision::Revoked);
    assert_eq!(outcome.winner.as_ref().unwrap().certificate, 1);
    assert_eq!(
        outcome.to_string(),
        "CN=Authority is revoked: revocation list: revoked since 2029-12-31T00:00:00Z \
         (keyCompromise)"
    );
    // Hard means each certificate's list.
    let outcome = world.with_lists(Depth::Chain, &[own]);
    assert_eq!(outcome.decision, Decision::SourceSilent);
    assert_eq!(
        outcome.to_string(),
        "whether CN=Authority is revoked has to be known, but revocation list: there is none for \
         it"
    );
}

#[test]
fn a_partition_counts_for_certificates_that_name_it() {
    let place = |n: u8| format!("http://crl.example/{n}");
    let part = |world: &World, n: u8, users_only| {
        world.crl(CrlSpec {
            place: Some(place(n)),
            users_only,
            ..CrlSpec::default()
        })
    };
    let named = World::with(&Leaf {
        lists: vec![place(1)],
        ..Leaf::default()
    });
    let nameless = World::new();
    let status = |world: &World, lists: &[Vec<u8>]| {
        let outcome = world.with_lists(Depth::EndEntity, lists);
        outcome.findings[1].status.clone()
    };
    let silent = Status::Silent(Silence::Missing);
    for users_only in [false, true] {
        assert_eq!(status(&named, &[part(&named, 1, users_only)]), good(24));
        assert_eq!(status(&named, &[part(&named, 2, users_only)]), silent);
        // Several, of which one is the right one.
        let parts = [2, 1, 3].map(|n| part(&named, n, users_only));
        assert_eq!(status(&named, &parts), good(24));
        // No name, no telling which partition would list it.
        assert_eq!(status(&nameless, &[part(&nameless, 1, users_only)]), silent);
    }
    // What is listed is revoked, wherever it is listed.
    let elsewhere = named.crl(CrlSpec {
        place: Some(place(2)),
        revoked: vec![SERIAL.to_vec()],
        ..CrlSpec::default()
    });
    assert_eq!(
        status(&named, &[part(&named, 1, false), elsewhere]),
        REVOKED
    );
}

#[test]
fn of_several_lists_the_one_that_tells_most_counts() {
    let world = World::new();
    let fresh = world.crl(CrlSpec::default());
    let stale = world.crl(CrlSpec {
        this_update: -3 * DAY,
        next_update: -DAY,
        ..CrlSpec::default()
    });
    let stale_revoked = world.crl(CrlSpec {
        this_update: -3 * DAY,
        next_update: -DAY,
        revoked: vec![SERIAL.to_vec()],
        ..CrlSpec::default()
    });
    let forged = world.root.under("Authority").crl(&CrlSpec {
        revoked: vec![SERIAL.to_vec()],
        ..CrlSpec::default()
    });
    let status = |lists: &[&Vec<u8>]| {
        let lists: Vec<_> = lists.iter().map(|list| list.to_vec()).collect();
        let outcome = world.with_lists(Depth::EndEntity, &lists);
        outcome.findings[1].status.clone()
    };
    assert_eq!(status(&[&stale, &fresh, &forged]), good(24));
    assert_eq!(
        status(&[&forged, &stale]),
        Status::Silent(Silence::Stale(at(-DAY)))
    );
    // What was revoked stays so, though the list is old.
    assert_eq!(status(&[&fresh, &stale_revoked]), REVOKED);
    assert!(matches!(
        status(&[&forged]),
        Status::Silent(Silence::WrongSigner(_))
    ));
}

#[test]
fn an_issuer_that_may_not_sign_lists_is_not_heard() {
    let root = Authority::root("Root");
    let authority = root.without_lists("Authority");
    let (leaf, _) = authority.leaf(&Leaf {
        serial: SERIAL.to_vec(),
        ..Leaf::default()
    });
    let world = World {
        root,
        authority,
        leaf,
    };
    let list = world.crl(CrlSpec {
        revoked: vec![SERIAL.to_vec()],
        ..CrlSpec::default()
    });
    let outcome = world.with_lists(Depth::EndEntity, &[list]);
    assert!(outcome.to_string().contains("cRLSign"), "{outcome}");
}

#[test]
fn grace_makes_old_answers_count_for_longer() {
    let world = World::new();
    let list = world.crl(CrlSpec {
        this_update: -3 * DAY,
        next_update: -DAY,
        ..CrlSpec::default()
    });
    for (hours, decision) in [(23, Decision::SourceSilent), (25, Decision::Good)] {
        let policy = RevocationPolicy::new(&PROVIDER)
            .lists(set(core::slice::from_ref(&list)), Mode::Hard)
            .depth(Depth::EndEntity)
            .grace(Duration::from_secs(hours * 3600));
        let outcome = world.judge(&policy, &Evidence::default());
        assert_eq!(outcome.decision, decision, "{hours} h");
    }
}

#[test]
fn lists_are_replaced_while_a_verifier_uses_them() {
    let world = World::new();
    let lists = set(&[world.crl(CrlSpec::default())]);
    let policy = RevocationPolicy::new(&PROVIDER)
        .lists(Arc::clone(&lists), Mode::Hard)
        .depth(Depth::EndEntity);
    let anchors = TrustAnchors::from_pem_or_der(&world.root.certificate).unwrap();
    let verifier = Verifier::new(&PROVIDER, anchors)
        .clock(Clock::Fixed(NOW))
        .revocation(policy);
    let name: ServerName = NAME.parse().unwrap();
    let ask = || {
        let request = ServerCertRequest {
            certificate_type: CertificateType::X509,
            chain: &[&world.leaf, &world.authority.certificate],
            ocsp: None,
            scts: None,
            name: &name,
        };
        match verifier.verify(&request) {
            Verdict::Rejected(rejection) => Some(rejection.code),
            _ => None,
        }
    };
    assert_eq!(ask(), None);
    let revoked = world.crl(CrlSpec {
        revoked: vec![SERIAL.to_vec()],
        ..CrlSpec::default()
    });
    lists.replace([Arc::new(Crl::from_der(revoked).unwrap())]);
    assert_eq!(ask(), Some(CertificateError::Revoked));
    lists.replace([]);
    assert_eq!(ask(), Some(CertificateError::StatusUnknown));
    assert!(lists.lists().is_empty());
}

#[test]
fn lists_come_in_pem_and_der_and_the_unsupported_are_named() {
    let world = World::new();
    let der = world.crl(CrlSpec {
        revoked: vec![SERIAL.to_vec(), vec![9]],
        ..CrlSpec::default()
    });
    assert_eq!(Crl::from_pem_or_der(&der).unwrap()[0].len(), 2);
    let pem = to_pem("X509 CRL", &der);
    let twice = format!("{}text between\n{}", &*pem, &*pem);
    let lists = Crl::from_pem_or_der(twice.as_bytes()).unwrap();
    assert_eq!(lists.len(), 2);
    assert_eq!(lists[0].next_update(), at(DAY));
    let none = Crl::from_pem_or_der(to_pem("CERTIFICATE", &world.leaf).as_bytes());
    assert_eq!(none.unwrap_err(), CrlError::NoCrl);
    // Truncated and empty ones.
    for len in [0, 1, 10, der.len() - 1] {
        assert!(Crl::from_der(der[..len].to_vec()).is_err(), "{len}");
    }
    // SEQUENCE { [4] indirectCRL TRUE }, and so on (RFC 5280, Section 5.2.5).
    let point = |field: &[u8]| tlv(0x30, &[field]);
    for (id, value, error) in [
        ([0x55, 0x1d, 27], vec![2, 1, 1], CrlError::Delta),
        (
            [0x55, 0x1d, 28],
            point(&[0x84, 1, 0xff]),
            CrlError::Indirect,
        ),
        (
            [0x55, 0x1d, 28],
            point(&[0x83, 2, 1, 6]),
            CrlError::ByReasons,
        ),
    ] {
        let extension = tlv(0x30, &[&tlv(6, &[&id]), &[1, 1, 0xff], &tlv(4, &[&value])]);
        let crl = with_extension(&der, &extension);
        let refused = Crl::from_der(crl).unwrap_err();
        assert_eq!(refused, error);
    }
    assert!(CrlError::Delta.to_string().contains("delta CRL"));
}

/// The list with one extension more, whose signature so is wrong.
fn with_extension(crl: &[u8], extension: &[u8]) -> Vec<u8> {
    let outer = parts(&crl[header(crl)..]);
    let mut tbs = parts(&outer[0][header(&outer[0])..]);
    let extensions = tbs.pop().unwrap();
    let list = &extensions[header(&extensions)..];
    let list = &list[header(list)..];
    let list = tlv(0xa0, &[&tlv(0x30, &[list, extension])]);
    let mut fields: Vec<&[u8]> = tbs.iter().map(Vec::as_slice).collect();
    fields.push(&list);
    tlv(0x30, &[&tlv(0x30, &fields), &outer[1], &outer[2]])
}

fn header(der: &[u8]) -> usize {
    match der[1] {
        ..0x80 => 2,
        long => 2 + usize::from(long & 0x7f),
    }
}

fn parts(mut content: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while !content.is_empty() {
        let start = header(content);
        let length = match start {
            2 => usize::from(content[1]),
            _ => content[2..start]
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        };
        parts.push(content[..start + length].to_vec());
        content = &content[start + length..];
    }
    parts
}

#[test]
fn a_client_is_held_to_lists_but_not_to_staples() {
    let world = World::with(&Leaf {
        must_staple: true,
        for_clients: true,
        ..Leaf::default()
    });
    for (revoked, expected) in [
        (vec![], None),
        (vec![SERIAL.to_vec()], Some(CertificateError::Revoked)),
    ] {
        let list = world.crl(CrlSpec {
            revoked,
            ..CrlSpec::default()
        });
        let policy = RevocationPolicy::new(&PROVIDER)
            .staple(Mode::Hard)
            .lists(set(&[list]), Mode::Soft);
        let anchors = TrustAnchors::from_pem_or_der(&world.root.certificate).unwrap();
        let verifier = ClientVerifier::new(&PROVIDER, anchors)
            .clock(Clock::Fixed(NOW))
            .revocation(policy);
        let request = ClientCertRequest {
            certificate_type: CertificateType::X509,
            chain: &[&world.leaf, &world.authority.certificate],
        };
        let code = match verifier.verify(&request) {
            Verdict::Rejected(rejection) => Some(rejection.code),
            _ => None,
        };
        assert_eq!(code, expected);
    }
}

#[test]
fn lists_have_to_vouch_for_the_end_entity_or_the_whole_chain() {
    let world = World::new();
    let own = world.crl(CrlSpec::default());
    let of_root = |revoked: &[Vec<u8>]| {
        world.root.crl(&CrlSpec {
            revoked: revoked.to_vec(),
            ..CrlSpec::default()
        })
    };
    let judge = |depth, lists: &[Vec<u8>]| {
        let policy = RevocationPolicy::new(&PROVIDER)
            .lists(set(lists), Mode::Hard)
            .lists_vouch_for(depth);
        let outcome = world.judge(&policy, &Evidence::default());
        (outcome.decision, outcome.place())
    };
    let alone = [own.clone()];
    assert_eq!(judge(Depth::Chain, &alone), (Decision::SourceSilent, 1));
    assert_eq!(judge(Depth::EndEntity, &alone), (Decision::Good, 0));
    let all = [own.clone(), of_root(&[])];
    assert_eq!(judge(Depth::Chain, &all), (Decision::Good, 0));
    let bad = [own, of_root(&[world.authority.serial()])];
    for depth in [Depth::Chain, Depth::EndEntity] {
        assert_eq!(judge(depth, &bad), (Decision::Revoked, 1));
    }
    // Without its own list it is not enough that others are good.
    let others = [of_root(&[])];
    assert_eq!(
        judge(Depth::EndEntity, &others),
        (Decision::SourceSilent, 0)
    );
}

#[test]
fn an_anchor_signs_lists_if_its_key_usage_allows() {
    let root = Authority::root("Root");
    for (anchor, expected) in [
        (root.under("Signs lists"), Ok(Decision::Good)),
        (root.without_lists("Signs none"), Err(Code::ListSignature)),
    ] {
        let (leaf, _) = anchor.leaf(&Leaf {
            serial: SERIAL.to_vec(),
            ..Leaf::default()
        });
        let lists = set(&[anchor.crl(&CrlSpec::default())]);
        let policy = RevocationPolicy::new(&PROVIDER).lists(lists, Mode::Hard);
        let anchors = TrustAnchors::from_pem_or_der(&anchor.certificate).unwrap();
        let verifier = Verifier::new(&PROVIDER, anchors)
            .clock(Clock::Fixed(NOW))
            .revocation(policy);
        let name: ServerName = NAME.parse().unwrap();
        let examination = verifier.examination(&ServerCertRequest {
            certificate_type: CertificateType::X509,
            chain: &[&leaf],
            ocsp: None,
            scts: None,
            name: &name,
        });
        let outcome = examination.revocation.expect("lists were asked");
        assert_eq!(outcome.code(), expected.err());
        let result = examination.result.map(|_| outcome.decision);
        assert_eq!(result.map_err(|failure| failure.code), expected);
    }
}

#[test]
fn nobody_is_asked_about_a_certificate_that_is_itself_trusted() {
    let world = World::new();
    let list = world.crl(CrlSpec {
        revoked: vec![SERIAL.to_vec()],
        ..CrlSpec::default()
    });
    let policy = Arc::new(RevocationPolicy::new(&PROVIDER).lists(set(&[list]), Mode::Hard));
    let name: ServerName = NAME.parse().unwrap();
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &[&world.leaf, &world.authority.certificate],
        ocsp: None,
        scts: None,
        name: &name,
    };
    let mut anchors = TrustAnchors::from_pem_or_der(&world.root.certificate).unwrap();
    let by = |anchors: &TrustAnchors| {
        let verifier = Verifier::new(&PROVIDER, anchors.clone()).clock(Clock::Fixed(NOW));
        verifier
            .revocation(Arc::clone(&policy))
            .examination(&request)
    };
    let refused = by(&anchors);
    assert_eq!(refused.result.unwrap_err().code, Code::Revoked);
    assert_eq!(refused.revocation.unwrap().decision, Decision::Revoked);
    anchors.add(&world.leaf).unwrap();
    let trusted = by(&anchors);
    assert!(trusted.result.is_ok());
    assert_eq!(trusted.revocation, None);
}

#[test]
fn another_path_serves_where_one_is_revoked_and_few_are_tried() {
    let world = World::new();
    let old_root = Authority::root("Old root");
    let crossed = old_root.crossed(&world.authority);
    let anchors = [&world.root, &old_root].map(|root| to_pem("CERTIFICATE", &root.certificate));
    let anchors = format!("{}{}", &*anchors[0], &*anchors[1]);
    let own = |authority: &Authority, revoked: &[Vec<u8>]| {
        authority.crl(&CrlSpec {
            revoked: revoked.to_vec(),
            ..CrlSpec::default()
        })
    };
    let serial = vec![world.authority.serial()];
    let judge = |lists: &[Vec<u8>], extra: usize| {
        let verifier = Verifier::new(
            &PROVIDER,
            TrustAnchors::from_pem_or_der(anchors.as_bytes()).unwrap(),
        )
        .clock(Clock::Fixed(NOW))
        .revocation(RevocationPolicy::new(&PROVIDER).lists(set(lists), Mode::Soft));
        let others: Vec<_> = (0..extra)
            .map(|_| world.root.crossed(&world.authority))
            .collect();
        let mut chain: Vec<&[u8]> = vec![&world.leaf, &world.authority.certificate];
        chain.extend(others.iter().map(Vec::as_slice));
        chain.push(&crossed);
        let name: ServerName = NAME.parse().unwrap();
        let request = ServerCertRequest {
            certificate_type: CertificateType::X509,
            chain: &chain,
            ocsp: None,
            scts: None,
            name: &name,
        };
        verifier.examine(&request).map_err(|failure| failure.code)
    };
    let none_revoked = own(&world.root, &[]);
    let revoked = own(&world.root, &serial);
    let both = [revoked.clone(), own(&old_root, &serial)];
    assert!(judge(&[none_revoked], 0).is_ok());
    assert!(judge(core::slice::from_ref(&revoked), 0).is_ok());
    assert_eq!(judge(&both, 0).err(), Some(Code::Revoked));
    // Each of them is on the list, and there are more than are tried before the good one.
    assert!(judge(core::slice::from_ref(&revoked), MAX_REVOCATION_PATHS - 3).is_ok());
    assert!(judge(&[revoked], MAX_REVOCATION_PATHS + 1).is_err());
}
