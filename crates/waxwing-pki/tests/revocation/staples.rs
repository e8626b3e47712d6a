//! OCSP responses: by whom, about which certificate, and when.

use waxwing_aws_lc::PROVIDER;
use waxwing_pki::revocation::{
    Decision, Depth, Evidence, Mode, RevocationPolicy, Silence, Source, Status,
};
use waxwing_testkit::revocation::{
    Authority, CrlSpec, DAY, HOUR, Leaf, NAME, OcspSpec, OcspStatus, Responder, at, ocsp_error,
};

use crate::world::{REVOKED, SERIAL, World, good, set};

#[test]
fn responses_by_the_issuer_and_by_whom_it_lets_sign_count() {
    let world = World::new();
    let responder = |leaf: &Leaf<'_>, authority: &Authority| {
        let (certificate, key) = authority.leaf(&Leaf {
            serial: vec![42],
            ..leaf.clone()
        });
        Responder::delegated(certificate, key)
    };
    let for_ocsp = Leaf {
        for_ocsp: true,
        ..Leaf::default()
    };
    let delegated = responder(&for_ocsp, &world.authority);
    for (sha256, by_key) in [(false, false), (false, true), (true, false), (true, true)] {
        for signer in [&Responder::issuer(&world.authority), &delegated] {
            let spec = OcspSpec {
                sha256,
                by_key,
                ..OcspSpec::default()
            };
            let response = signer.respond(&world.authority, &SERIAL, &spec);
            assert_eq!(world.with_staple(&response), good(24), "{spec:?}");
        }
    }
    let spec = OcspSpec::default();
    let strangers = [
        // Issued by the issuer, but for servers.
        responder(&Leaf::default(), &world.authority),
        // For OCSP, but issued by another authority, even by the issuer's issuer.
        responder(&for_ocsp, &world.root),
        responder(&for_ocsp, &world.root.under("Authority")),
    ];
    for stranger in strangers {
        let response = stranger.respond(&world.authority, &SERIAL, &spec);
        let status = world.with_staple(&response);
        let Status::Silent(Silence::WrongSigner(words)) = status else {
            panic!("{status:?}");
        };
        assert!(words.contains("4.2.2.2"), "{words}");
    }
}

#[test]
fn a_responder_whose_certificate_is_revoked_is_not_heard() {
    let world = World::new();
    for (no_check, expected) in [(false, "is revoked"), (true, "good")] {
        let (certificate, key) = world.authority.leaf(&Leaf {
            serial: vec![42],
            for_ocsp: true,
            no_check,
            ..Leaf::default()
        });
        let response = Responder::delegated(certificate, key).respond(
            &world.authority,
            &SERIAL,
            &OcspSpec::default(),
        );
        let list = world.crl(CrlSpec {
            revoked: vec![vec![42]],
            ..CrlSpec::default()
        });
        let policy = RevocationPolicy::new(&PROVIDER).lists(set(&[list]), Mode::Soft);
        let outcome = world.judge(&policy, &Evidence::of_server(Some(&response), None));
        let text = outcome.findings[0].to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn responses_are_about_this_certificate_and_this_time() {
    let world = World::new();
    let responder = Responder::issuer(&world.authority);
    let respond = |spec: &OcspSpec| responder.respond(&world.authority, &SERIAL, spec);
    let other_serial = responder.respond(&world.authority, &[8], &OcspSpec::default());
    let other_issuer = responder.respond(&world.root, &SERIAL, &OcspSpec::default());
    for response in [other_serial, other_issuer] {
        assert_eq!(
            world.with_staple(&response),
            Status::Silent(Silence::Missing)
        );
    }
    // Without a nextUpdate it counts for a day.
    for (hours, status) in [
        (-23, good(1)),
        (-25, Status::Silent(Silence::Stale(at(-HOUR)))),
    ] {
        let response = respond(&OcspSpec {
            this_update: hours * HOUR,
            next_update: None,
            ..OcspSpec::default()
        });
        assert_eq!(world.with_staple(&response), status);
    }
    // Clocks may differ by minutes.
    for (minutes, expected) in [(4, good(24)), (6, Status::Silent(Silence::Future(at(360))))] {
        let response = respond(&OcspSpec {
            this_update: minutes * 60,
            ..OcspSpec::default()
        });
        assert_eq!(world.with_staple(&response), expected, "{minutes} min");
    }
    // What is revoked stays so.
    let response = respond(&OcspSpec {
        status: OcspStatus::Revoked,
        this_update: -9 * DAY,
        next_update: Some(-8 * DAY),
        ..OcspSpec::default()
    });
    assert_eq!(world.with_staple(&response), REVOKED);
    let critical = respond(&OcspSpec {
        critical: true,
        ..OcspSpec::default()
    });
    assert!(matches!(
        world.with_staple(&critical),
        Status::Silent(Silence::Malformed(_))
    ));
}

#[test]
fn each_changed_byte_of_a_response_is_noticed() {
    let world = World::new();
    let responder = Responder::issuer(&world.authority);
    let response = responder.respond(&world.authority, &SERIAL, &OcspSpec::default());
    assert_eq!(world.with_staple(&response), good(24));
    for place in 0..response.len() {
        let mut changed = response.clone();
        changed[place] ^= 1;
        let status = world.with_staple(&changed);
        assert!(matches!(status, Status::Silent(_)), "{place}: {status:?}");
        let status = world.with_staple(&response[..place]);
        assert!(matches!(status, Status::Silent(_)), "{place}: {status:?}");
    }
}

#[test]
fn what_responders_say_instead_of_an_answer_is_passed_on() {
    let world = World::new();
    for (code, words) in [
        (1, "malformedRequest"),
        (3, "tryLater"),
        (6, "unauthorized"),
    ] {
        assert_eq!(
            world.with_staple(&ocsp_error(code)),
            Status::Silent(Silence::Responder(words))
        );
    }
    let unknown = Responder::issuer(&world.authority).respond(
        &world.authority,
        &SERIAL,
        &OcspSpec {
            status: OcspStatus::Unknown,
            ..OcspSpec::default()
        },
    );
    let evidence = Evidence::of_server(Some(&unknown), None);
    for (refuse, decision) in [(false, Decision::NotKnown), (true, Decision::SourceSilent)] {
        let policy = RevocationPolicy::new(&PROVIDER).refuse_unknown(refuse);
        let outcome = world.judge(&policy, &evidence);
        assert_eq!(outcome.decision, decision);
    }
}

#[test]
fn one_source_at_least_can_be_asked_for() {
    let world = World::new();
    let policy = |list: &[Vec<u8>]| {
        RevocationPolicy::new(&PROVIDER)
            .lists(set(list), Mode::Soft)
            .depth(Depth::EndEntity)
            .insist(true)
    };
    let outcome = world.judge(&policy(&[]), &Evidence::default());
    assert_eq!(outcome.decision, Decision::AllSilent);
    assert_eq!(
        outcome.to_string(),
        "whether a certificate is revoked has to be known, and nobody says (stapled OCSP \
         response: there is none for it; revocation list: there is none for it)"
            .replace("a certificate", NAME)
    );
    let outcome = world.judge(
        &policy(&[world.crl(CrlSpec::default())]),
        &Evidence::default(),
    );
    assert_eq!(outcome.decision, Decision::Good);
    assert_eq!(outcome.winner.unwrap().source, Source::Crl);
}
